//! What a client does about redirects.

use bakestone::header::LOCATION;
use bakestone::{App, HeaderValue, Path, Request, Response, StatusCode, any};
use bakestone_testkit::Client;

use super::echo;

/// Redirects with a status to what the query says.
async fn moved(Path(status): Path<u16>, request: Request) -> Response {
    let to = request.query().get("to").unwrap_or_default().to_owned();
    let mut response = Response::empty(StatusCode::from_u16(status).unwrap());
    response.headers.insert(LOCATION, HeaderValue::try_from(to).unwrap());
    response
}

fn client() -> Client {
    Client::new(App::new().route("/moved/{status:int}", any(moved)).route("/{path:path}", any(echo)))
}

#[test]
fn z09_methods_and_contents_by_status() {
    for (status, method, expected, keeps) in [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "POST", "GET", false),
        (307, "POST", "POST", true),
        (308, "POST", "POST", true),
        (301, "PUT", "PUT", true),
        (302, "DELETE", "DELETE", true),
        (303, "PUT", "GET", false),
        (301, "GET", "GET", false),
        (303, "GET", "GET", true),
    ] {
        let request = client().request(method, format!("/moved/{status}?to=/new%3Fq%3D1"));
        let request = if method == "GET" { request } else { request.header("x-a", "b").json(&7) };
        let mut response = request.send();
        let text = response.expect_status(200).text();
        assert!(text.starts_with(&format!("{expected} /new?q=1\n")), "{status} {method}: {text}");
        if method != "GET" {
            assert!(text.contains("x-a: b\n"), "{status} {method}: {text}");
            assert_eq!(text.ends_with("\n\n7"), keeps, "{status} {method}: {text}");
            assert_eq!(text.contains("content-type: application/json"), keeps, "{status} {method}: {text}");
        }
        assert_eq!(response.history().len(), 1);
    }
    let mut head = client().head("/moved/303?to=/new").send();
    assert_eq!(head.expect_status(200).url().path(), "/new");
}

#[test]
fn what_is_not_followed_is_the_response() {
    let client = client();
    for (request, status) in [
        (client.get("/moved/302?to=/new").redirects(0), 302),
        (client.get("/moved/302?to=http://elsewhere.example/"), 302),
        (client.get("/moved/302?to=mailto:a@b.example"), 302),
        (client.get("/moved/300?to=/new"), 300),
        (client.get("/moved/304?to=/new"), 304),
        (client.get("/moved/201?to=/new"), 201),
        (client.put("/moved/307?to=/new").body_stream(["streamed"]), 307),
        (client.put("/moved/303?to=/new").body_stream(["streamed"]), 200),
    ] {
        request.send().expect_status(status);
    }
    let mut looping = client.get("/moved/302?to=").send();
    assert_eq!(looping.expect_status(302).history().len(), 20);
}

#[test]
fn places_are_resolved_and_secrets_stay_at_home() {
    let client = client();
    for (to, expected) in [
        ("next", "GET /moved/next\n"),
        ("../up", "GET /up\n"),
        ("?to=/far", "GET /far\n"),
        ("//localhost/abs", "GET /abs\n"),
        ("/with space", "GET /with%20space\n"),
    ] {
        let request = client.get("/moved/302").query(&[("to", to)]).bearer("secret").cookie("id", "1");
        let text = request.send().text();
        assert!(text.starts_with(expected), "{to}: {text}");
        assert!(text.contains("authorization: Bearer secret") && text.contains("cookie: id=1"), "{text}");
    }
    for (from, to) in [
        ("http://localhost", "https://localhost/"),
        ("http://localhost", "http://localhost:81/"),
        ("http://other.example", "http://localhost/"),
    ] {
        let request = client.get(format!("{from}/moved/307?to={to}")).bearer("secret").cookie("id", "1");
        let mut response = request.send();
        assert_eq!(response.url().to_string(), to);
        let text = response.text();
        assert!(!text.contains("secret") && !text.contains("cookie"), "{text}");
    }
}
