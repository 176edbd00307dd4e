//! What is said of routes and of requests.

use super::routes::ask;
use super::*;
use crate::router::Slashes;

async fn stamp(request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn guard(request: Request, next: Next) -> Response {
    next.run(request).await
}

fn cake() -> &'static str {
    "a cake"
}

fn lost() -> &'static str {
    "lost"
}

fn shop() -> AppService {
    let shop = App::new()
        .middleware(guard)
        .route("/cakes/{id:int}", get(cake).name("cake").buffered_body_bytes(10).handler_time(None))
        .route("/cakes/{name}/", put(cake).slashes(Slashes::Redirect).host("*.a"))
        .fallback(lost)
        .buffered_body_bytes(20);
    App::new().middleware(stamp).mount("/shop", shop.name("shop")).route("/", get(cake)).build().unwrap()
}

/// A request, its host, and what is said of it; `MODULE` is this one, and `CAKE` where the first route of the shop stands.
const SAID: [(&str, Option<&str>, &[&str]); 6] = [
    (
        "GET /shop/cakes/7?q",
        None,
        &[
            "GET /shop/cakes/7",
            "  GET /shop/cakes/{id:int}: takes it",
            "  PUT *.a/shop/cakes/{name}/: is for another host",
            "  in the mount at /shop",
            "  answered by MODULE::cake, named shop:cake, at CAKE",
            "  within MODULE::stamp, MODULE::guard",
            "  limits: buffered_body_bytes 10, handler_time without end",
        ],
    ),
    (
        "PUT /shop/cakes/plum",
        Some("www.a"),
        &[
            "PUT /shop/cakes/plum on www.a",
            "  GET /shop/cakes/{id:int}: segment 3 is nothing for `{int}`",
            "  PUT *.a/shop/cakes/{name}/: redirects to its own path",
            "  in the mount at /shop",
            "  308 to /shop/cakes/plum/",
            "  within MODULE::stamp, MODULE::guard",
            "  limits: buffered_body_bytes 20",
        ],
    ),
    (
        "POST /shop/cakes/7",
        Some("b"),
        &[
            "POST /shop/cakes/7 on b",
            "  GET /shop/cakes/{id:int}: does not take the method",
            "  PUT *.a/shop/cakes/{name}/: is for another host",
            "  in the mount at /shop",
            "  405 Method Not Allowed, allowed are GET, HEAD, OPTIONS",
            "  within MODULE::stamp, MODULE::guard",
            "  limits: buffered_body_bytes 20",
        ],
    ),
    (
        "GET /shop/x",
        None,
        &[
            "GET /shop/x",
            "  GET /shop/cakes/{id:int}: segment 2 is not `cakes`",
            "  PUT *.a/shop/cakes/{name}/: is for another host",
            "  in the mount at /shop",
            "  answered by the fallback MODULE::lost",
            "  within MODULE::stamp, MODULE::guard",
            "  limits: buffered_body_bytes 20",
        ],
    ),
    (
        "OPTIONS /",
        None,
        &[
            "OPTIONS /",
            "  GET /: does not take the method",
            "  GET /shop/cakes/{id:int}: segment 1 is not `shop`",
            "  PUT *.a/shop/cakes/{name}/: is for another host",
            "  204, allowed are GET, HEAD, OPTIONS",
            "  within MODULE::stamp",
        ],
    ),
    (
        "GET /%zz",
        None,
        &[
            "GET /%zz",
            "  GET /: the target is no sound path",
            "  GET /shop/cakes/{id:int}: the target is no sound path",
            "  PUT *.a/shop/cakes/{name}/: the target is no sound path",
            "  400 Bad Request",
            "  within MODULE::stamp",
        ],
    ),
];

#[test]
fn what_becomes_of_a_request() {
    let app = shop();
    let cake_at = app.routes().nth(1).unwrap().location.to_string();
    for (request, host, expected) in SAID {
        let (method, target) = request.split_once(' ').unwrap();
        let explanation = app.explain(&method.parse().unwrap(), &target.parse().unwrap(), host);
        let expected = expected.join("\n").replace("MODULE", module_path!()).replace("CAKE", &cake_at);
        assert_eq!(explanation.to_string(), expected, "{request}");
    }
}

#[test]
fn explanations_and_answers_agree() {
    let app = shop();
    for method in ["GET", "HEAD", "PUT", "POST", "OPTIONS", "BREW"] {
        for target in
            ["/", "/shop", "/shop/cakes/7", "/shop/cakes/x", "/shop/cakes/x/", "/y", "/%zz", "*", "a:1"]
        {
            for host in [None, Some("www.a"), Some("b")] {
                let uri: Uri = target.parse().unwrap();
                let explanation = app.explain(&method.parse().unwrap(), &uri, host);
                let answer = ask(&app, &format!("{method} {target}"), host);
                let expected = match explanation.outcome {
                    Outcome::Handler(_) => "200 a cake".to_owned(),
                    Outcome::Fallback(_) => "200 lost".to_owned(),
                    Outcome::Redirect(path) => format!("308  ({path})"),
                    Outcome::Options(allow) => format!("204  ({allow})"),
                    Outcome::Error { status, allow: None } => status.to_string(),
                    Outcome::Error { status, allow: Some(allow) } => {
                        format!("{status} ({})", allow.to_str().unwrap())
                    }
                };
                assert_eq!(answer, expected, "{method} {target} {host:?}");
            }
        }
    }
}

#[test]
fn routes_are_listed_with_all_that_is_said_of_them() {
    let app = shop();
    let listed: Vec<_> = app
        .routes()
        .map(|route| (route.path, route.name, route.hosts.clone(), route.slashes, route.to_string()))
        .map(|(path, name, hosts, slashes, text)| {
            (path, name, hosts, slashes, text.split(", within").next().unwrap().to_owned())
        })
        .collect();
    let text = |text: &str| text.replace("cake!", concat!(module_path!(), "::cake"));
    assert_eq!(
        listed,
        [
            ("/", None, vec![], Slashes::Strict, text("GET / -> cake!")),
            (
                "/shop/cakes/{id:int}",
                Some("shop:cake"),
                vec![],
                Slashes::Strict,
                text("GET /shop/cakes/{id:int} -> cake!, named shop:cake")
            ),
            (
                "/shop/cakes/{name}/",
                None,
                vec!["*.a"],
                Slashes::Redirect,
                text("PUT *.a/shop/cakes/{name}/ -> cake!, slashes Redirect")
            ),
        ]
    );
}
