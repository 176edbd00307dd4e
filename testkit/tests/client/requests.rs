//! What leaves a client.

use std::collections::BTreeMap;

use bakestone::{App, FormData, Request, Result, Text, any, get, post};
use bakestone_testkit::{Client, ClientRequest, MultipartBody};
use serde::Serialize;

use super::{echo, panic_of};

fn client() -> Client {
    Client::new(App::new().route("/{path:path}", any(echo)))
}

#[derive(Serialize)]
struct Order {
    what: &'static str,
    n: u8,
    notes: Option<&'static str>,
    tags: Vec<&'static str>,
}

fn order() -> Order {
    Order { what: "bara brith", n: 2, notes: None, tags: vec!["a&b", "\u{e9}"] }
}

type Make = fn(&Client) -> ClientRequest;

/// A request, and what the server has of it.
const REQUESTS: [(Make, &[&str]); 20] = [
    (|c| c.get("/a?b=c#d"), &["GET /a?b=c\n", "host: localhost\n", "user-agent: bakestone-testkit\n"]),
    (|c| c.request("PROPFIND", "/"), &["PROPFIND /\n"]),
    (|c| c.post("/"), &["POST /\n", "content-length: 0\n"]),
    (|c| c.delete("/x"), &["DELETE /x\n"]),
    (|c| c.patch("x y"), &["PATCH /x%20y\n"]),
    (|c| c.get("/?old=1").query(&order()), &["GET /?what=bara+brith&n=2&tags=a%26b&tags=%C3%A9\n"]),
    (|c| c.get("/").query(&[("b", 1), ("a", 2)]), &["GET /?b=1&a=2\n"]),
    (|c| c.get("/?x").query(&BTreeMap::<String, u8>::new()), &["GET /\n"]),
    (|c| c.get("/").raw_query("a=%zz&&"), &["GET /?a=%zz&&\n"]),
    (|c| c.post("/").body("abc"), &["content-length: 3\n", "\n\nabc"]),
    (|c| c.post("/").text("abc"), &["content-type: text/plain; charset=utf-8\n", "\n\nabc"]),
    (|c| c.post("/").json(&[("a", 1.5)]), &["content-type: application/json\n", "\n\n[[\"a\",1.5]]"]),
    (
        |c| c.post("/").header("content-type", "application/x+json").json(&()),
        &["content-type: application/x+json\n", "\n\nnull"],
    ),
    (
        |c| c.post("/").form(&order()),
        &[
            "content-type: application/x-www-form-urlencoded\n",
            "\n\nwhat=bara+brith&n=2&tags=a%26b&tags=%C3%A9",
        ],
    ),
    (|c| c.put("/").body_stream(["ab", "", "cd"]), &["transfer-encoding: chunked\n", "\n\nabcd"]),
    (
        |c| c.put("/").header("content-length", "4").body_stream(vec![vec![b'a'; 3], vec![b'b']]),
        &["content-length: 4\n", "\n\naaab"],
    ),
    (|c| c.get("/").bearer("t0k3n"), &["authorization: Bearer t0k3n\n"]),
    (|c| c.get("http://Other.example:81/x"), &["GET /x\n", "host: other.example:81\n"]),
    (|c| c.get("/../a//b"), &["GET /../a//b\n"]),
    (
        |c| c.post("/").header("expect", "100-continue").body("later"),
        &["expect: 100-continue\n", "\n\nlater"],
    ),
];

#[test]
fn z01_z02_z05_z07_requests_as_they_leave() {
    let client = client();
    for (make, expected) in REQUESTS {
        let mut response = make(&client).send();
        for piece in expected {
            response.expect_contains(piece);
        }
    }
    // All of it went over one connection.
    assert_eq!(client.connections(), 2);
}

#[test]
fn z03_fields_of_the_client_give_way_to_those_of_a_request() {
    let client = client();
    client.set_header("x-tenant", "one").set_header("accept", "text/html");
    let mut response = client.get("/").header("x-tenant", "two").header("x-tenant", "three").send();
    response.expect_contains("x-tenant: two\nx-tenant: three\n").expect_contains("accept: text/html\n");
    let mut bare = client.get("/").without("accept").without("user-agent").without("x-tenant").send();
    assert_eq!(bare.text(), "GET /\nhost: localhost\n\n");
    client.remove_header("x-tenant");
    assert!(!client.get("/").send().text().contains("x-tenant"));
}

#[test]
fn z04_where_a_request_comes_from_and_goes_to() {
    async fn ends(request: Request) -> Text<String> {
        let end = |address: Option<&bakestone::machine::Address>| address.map(ToString::to_string).unwrap();
        Text(format!("{} {} {}", request.scheme(), end(request.peer()), end(request.local())))
    }
    let client = Client::setup()
        .base_url("https://shop.example:8443/api/")
        .start(App::new().route("/{p:path}", get(ends)));
    client.get("").send().expect_text("https 127.0.0.1:49153 127.0.0.1:8443");
    let address: std::net::SocketAddr = "192.0.2.7:9".parse().unwrap();
    client.get("http://shop.example/").peer(address).send().expect_text("http 192.0.2.7:9 127.0.0.1:80");
    assert_eq!(client.get("cakes").send().url().to_string(), "https://shop.example:8443/api/cakes");
}

#[test]
fn z06_a_form_with_files() {
    async fn upload(form: FormData) -> Result<Text<String>> {
        let mut text = form.get("title").unwrap_or_default().to_owned();
        for file in form.files() {
            let media_type = file.content_type().map(|media_type| media_type.essence().to_string());
            text += &format!(" {}={:?}/{media_type:?}/{}", file.name(), file.filename(), file.size());
        }
        Ok(Text(text))
    }
    let client = Client::new(App::new().route("/", post(upload)));
    let form = MultipartBody::new()
        .text("title", "two \"cakes\"\r\n--")
        .file("a", "b\"\r\n.txt", "text/plain", "--boundary")
        .file("a", "", "application/octet-stream", vec![0; 3000]);
    let text = client.post("/").multipart(form).send().expect_status(200).text();
    assert!(text.starts_with("two \"cakes\"\r\n-- a="), "{text}");
    assert!(text.contains("/10"), "{text}");
    // A seed gives the same bytes each time, and another one where a part has the boundary in it.
    let (content_type, body) = MultipartBody::new().text("a", "b").encode(1);
    assert_eq!(MultipartBody::new().text("a", "b").encode(1), (content_type.clone(), body));
    let boundary = content_type.rsplit('=').next().unwrap().to_owned();
    assert_ne!(MultipartBody::new().text("a", boundary).encode(1).0, content_type);
}

#[test]
fn a_request_of_the_whole_server_and_trailers() {
    let client = Client::new(echo);
    client.request("OPTIONS", "*").send().expect_contains("OPTIONS *\n");
    let mut pending = client.post("/").header("trailer", "x-sum").body_by_hand().start();
    pending.write("ab").write("c");
    let trailers = bakestone::HeaderMap::from_iter([("x-sum".parse().unwrap(), "7".parse().unwrap())]);
    pending.end_with(trailers).half_close();
    pending.response().expect_contains("abc\n{\"x-sum\": \"7\"}");
}

#[test]
fn requests_in_a_row_are_answered_in_a_row() {
    let client = client();
    let paths = ["/1", "/2", "/3"];
    let responses = client.pipeline(paths.map(|path| client.post(path).body("x".repeat(100_000))));
    for (path, mut response) in paths.into_iter().zip(responses) {
        response.expect_status(200);
        assert!(response.text().starts_with(&format!("POST {path}\n")));
    }
    assert_eq!(client.connections(), 1);
}

#[test]
fn what_is_no_request_says_so() {
    let client = client();
    for (panic, expected) in [
        (panic_of(|| client.get("ftp://x/")), "\"ftp://x/\" is neither a path nor an http or https URL"),
        (panic_of(|| client.request("A B", "/")), "\"A B\" is no method"),
        (panic_of(|| client.get("/").header("a b", "")), "is no field"),
        (panic_of(|| client.get("/").query(&[("a", [[1]])])), "which no form holds"),
        (panic_of(|| client.get("/").query("text")), "is no form"),
        (panic_of(|| client.get("/").header("transfer-encoding", "x").send()), "the request cannot be sent"),
        (
            panic_of(|| client.post("/").header("content-length", "3").body_stream(["ab"]).send()),
            "the request cannot be sent",
        ),
    ] {
        assert!(panic.contains(expected), "{panic}");
    }
}

#[test]
fn a_thousand_requests() {
    let client = client();
    for i in 0..1_000 {
        client
            .post(format!("/{i}"))
            .json(&i)
            .send()
            .expect_status(200)
            .expect_contains(&format!("POST /{i}\n"));
    }
    assert_eq!(client.connections(), 1);
}
