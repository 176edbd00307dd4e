//! The application as a whole, called without a session around it.

use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use http::{HeaderMap, Method, StatusCode, Uri};

use super::*;
use crate::error::{Error, Result};
use crate::message::{Body, Context, Html, MultiMap, Rejection, Request, Response, Text};
use crate::router::{Params, Problem};
use crate::session::{Answer, Service};

mod building;
mod errors;
mod explaining;
mod extracting;
mod fields;
mod limits;
mod middleware;
mod mounts;
mod routes;
mod serving;
mod views;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = TaskContext::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
    }
    panic!("nothing would ever wake it");
}

/// What a client sees.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    content_type: Option<String>,
    allow: Option<String>,
    body: String,
}

fn seen(status: u16, content_type: &str, body: &str) -> Seen {
    let content_type = Some(content_type.to_owned()).filter(|content_type| !content_type.is_empty());
    Seen { status, content_type, allow: None, body: body.to_owned() }
}

fn look(mut response: Response) -> Seen {
    let field = |name: &str| response.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (content_type, allow) = (field("content-type"), field("allow"));
    let body = block_on(response.body.bytes(1 << 20)).unwrap();
    let body = String::from_utf8(body.into()).unwrap();
    Seen { status: response.status.as_u16(), content_type, allow, body }
}

fn send(app: &AppService, line: &str, body: &'static str) -> Seen {
    let (method, target) = line.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    look(block_on(app.call(Request::new(method, target.parse().unwrap(), body))))
}

fn send_as(app: &AppService, line: &str, content_type: &'static str, body: &'static str) -> Seen {
    let (method, target) = line.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = Request::new(method, target.parse().unwrap(), body);
    request.headers_mut().insert("content-type", content_type.parse().unwrap());
    look(block_on(app.call(request)))
}

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
#[cfg(feature = "json")]
const JSON: &str = "application/json";

async fn hello(Path(name): Path<String>) -> Text<String> {
    Text(format!("Hello, {name}!"))
}

#[test]
fn h01_routes_by_method() {
    let app = App::new()
        .route("/", get(|| "root"))
        .route(["/hello/{name}", "/hi/{name}"], get(hello).post(|| "posted"))
        .route("/any", any(|method: Method| Text(method.to_string())).put(|| "put"))
        .route(String::from("/own"), on("purge", || "purged"))
        .route(vec!["/a", "/b"], on(Method::TRACE, || "traced"))
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /", seen(200, HTML, "root")),
        ("GET /hello/you", seen(200, TEXT, "Hello, you!")),
        ("GET /hi/you%20there", seen(200, TEXT, "Hello, you there!")),
        ("POST /hi/you", seen(200, HTML, "posted")),
        ("BREW /any", seen(200, TEXT, "BREW")),
        ("OPTIONS /any", seen(200, TEXT, "OPTIONS")),
        ("PUT /any", seen(200, HTML, "put")),
        ("PURGE /own", seen(200, HTML, "purged")),
        ("TRACE /a", seen(200, HTML, "traced")),
        ("TRACE /b", seen(200, HTML, "traced")),
        ("GET /hello/%zz", seen(400, TEXT, "Bad Request")),
        ("GET /nothing", seen(404, TEXT, "Not Found")),
        ("GET /hello/", seen(404, TEXT, "Not Found")),
        ("GET /hello/you/", seen(404, TEXT, "Not Found")),
    ] {
        assert_eq!(send(&app, line, ""), expected, "{line}");
    }
}

#[test]
fn h17_h18_e12_methods_that_no_route_takes() {
    let app = App::new()
        .route("/get", get(|method: Method| Text(method.to_string())))
        .route("/both", post(|| "").delete(|| "").on("PURGE", || ""))
        .route("/own", options(|| "mine").head(|| "").patch(|| ""))
        .build()
        .unwrap();
    let allow = |status: u16, allow: &str| {
        let (content_type, body) = if status == 204 { ("", "") } else { (TEXT, "Method Not Allowed") };
        Seen { allow: Some(allow.to_owned()), ..seen(status, content_type, body) }
    };
    for (line, expected) in [
        ("HEAD /get", seen(200, TEXT, "HEAD")),
        ("POST /get", allow(405, "GET, HEAD, OPTIONS")),
        ("PURGE /get", allow(405, "GET, HEAD, OPTIONS")),
        ("PROPFIND /get", allow(405, "GET, HEAD, OPTIONS")),
        ("BREW /get", seen(501, TEXT, "Not Implemented")),
        ("BREW /nothing", seen(404, TEXT, "Not Found")),
        ("OPTIONS /get", allow(204, "GET, HEAD, OPTIONS")),
        ("OPTIONS /both", allow(204, "POST, DELETE, OPTIONS, PURGE")),
        ("HEAD /both", allow(405, "POST, DELETE, OPTIONS, PURGE")),
        ("OPTIONS /own", seen(200, HTML, "mine")),
        ("OPTIONS /nothing", seen(404, TEXT, "Not Found")),
        ("OPTIONS *", allow(204, "GET, HEAD, POST, PATCH, DELETE, OPTIONS, PURGE")),
        ("GET *", allow(405, "OPTIONS")),
        ("CONNECT example.com:443", allow(405, "")),
        ("BREW example.com:443", seen(501, TEXT, "Not Implemented")),
    ] {
        assert_eq!(send(&app, line, ""), expected, "{line}");
    }
    let empty = App::new().build().unwrap();
    assert_eq!(send(&empty, "GET /", ""), seen(404, TEXT, "Not Found"));
    assert_eq!(send(&empty, "OPTIONS *", ""), allow(204, "OPTIONS"));
}

#[test]
fn t01_to_t06_conversions() {
    let mut fields = HeaderMap::new();
    fields.insert("content-type", "text/css".parse().unwrap());
    let app = App::new()
        .route("/response", get(|| Response::text(StatusCode::ACCEPTED, "as it is")))
        .route("/str", get(|| "<b>text</b>"))
        .route("/string", get(|| async { String::from("<b>text</b>") }))
        .route("/bytes", get(|| bytes::Bytes::from_static(b"bytes")))
        .route("/vec", get(|| b"bytes".to_vec()))
        .route("/html", get(|| Html("html")))
        .route("/text", get(|| Text("<b>text</b>")))
        .route("/status", get(|| StatusCode::NO_CONTENT))
        .route("/teapot", get(|| StatusCode::IM_A_TEAPOT))
        .route("/pair", get(|| (StatusCode::CREATED, Text("made"))))
        .route("/triple", get(move || (StatusCode::OK, fields.clone(), "a {}")))
        .route("/ok", get(|| async { Result::<_, Error>::Ok("fine") }))
        .route("/err", get(|| async { Err::<&str, _>(Error::new(StatusCode::CONFLICT, "no")) }))
        .route("/internal", get(|| async { Ok::<_, Error>(Text("7x".parse::<u8>()?.to_string())) }))
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /response", seen(202, TEXT, "as it is")),
        ("GET /str", seen(200, HTML, "<b>text</b>")),
        ("GET /string", seen(200, HTML, "<b>text</b>")),
        ("GET /bytes", seen(200, HTML, "bytes")),
        ("GET /vec", seen(200, HTML, "bytes")),
        ("GET /html", seen(200, HTML, "html")),
        ("GET /text", seen(200, TEXT, "<b>text</b>")),
        ("GET /status", seen(204, "", "")),
        ("GET /teapot", seen(418, "", "")),
        ("GET /pair", seen(201, TEXT, "made")),
        ("GET /triple", seen(200, "text/css", "a {}")),
        ("GET /ok", seen(200, HTML, "fine")),
        ("GET /err", seen(409, TEXT, "no")),
        ("GET /internal", seen(500, TEXT, "Internal Server Error")),
    ] {
        assert_eq!(send(&app, line, ""), expected, "{line}");
    }
}

#[cfg(feature = "json")]
#[test]
fn t03_json_values() {
    use crate::message::Json;
    use serde_json::json;

    let app = App::new()
        .route("/object", get(|| json!({"a": [1, 2, 3]})))
        .route("/list", get(|| Json([1, 2, 3])))
        .route("/float", get(|| Json(1.5)))
        .route("/int", get(|| 5))
        .route("/bool", get(|| async { true }))
        .route("/unit", get(|| ()))
        .route("/none", get(|| None::<bool>))
        .route("/pair", get(|| (StatusCode::CREATED, json!(0))))
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /object", seen(200, JSON, r#"{"a":[1,2,3]}"#)),
        ("GET /list", seen(200, JSON, "[1,2,3]")),
        ("GET /float", seen(200, JSON, "1.5")),
        ("GET /int", seen(200, JSON, "5")),
        ("GET /bool", seen(200, JSON, "true")),
        ("GET /unit", seen(200, JSON, "null")),
        ("GET /none", seen(200, JSON, "null")),
        ("GET /pair", seen(201, JSON, "0")),
    ] {
        assert_eq!(send(&app, line, ""), expected, "{line}");
    }
}

#[test]
fn markup_from_the_client_goes_out_as_text() {
    let app = App::new()
        .route("/hello/{name}", get(hello))
        .route("/number/{n}", get(|Path(n): Path<u8>| Text(n.to_string())))
        .build()
        .unwrap();
    let script = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let expected = seen(200, TEXT, "Hello, <script>alert(1)</script>!");
    assert_eq!(send(&app, &format!("GET /hello/{script}"), ""), expected);
    let refused = send(&app, &format!("GET /number/{script}"), "");
    assert_eq!(
        refused,
        seen(400, TEXT, "the path's `n` must be a whole number from 0 to 255, and is something else")
    );
}

#[test]
fn errors_of_others_are_rendered_alike() {
    let app = App::new().build().unwrap();
    let mut error = Error::new(StatusCode::PAYLOAD_TOO_LARGE, "too much");
    error.headers_mut().insert("allow", "GET".parse().unwrap());
    let Answer::Ready(response) = app.fail(error, None) else { panic!("it is there at once") };
    assert_eq!(look(response), Seen { allow: Some("GET".to_owned()), ..seen(413, TEXT, "too much") });
}

#[test]
fn the_service_and_its_futures_may_cross_threads() {
    fn crosses<T: Send + Sync + Clone + 'static>(_: &T) {}
    fn moves<T: Send + 'static>(value: T) -> T {
        value
    }
    let app = App::new().route("/{name}", get(hello)).build().unwrap();
    crosses(&app);
    let call = moves(app.call(Request::new(Method::GET, Uri::from_static("/you"), ())));
    assert_eq!(look(block_on(call)), seen(200, TEXT, "Hello, you!"));
    assert!(format!("{app:?}").contains("/{name}"));
}
