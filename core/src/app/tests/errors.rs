//! What clients get of errors, by default and from error handlers.

use std::fmt;
use std::num::ParseIntError;

use http::header::{ACCEPT, ALLOW, LOCATION, SET_COOKIE, VARY};
use http::{HeaderName, HeaderValue};

use super::*;
use crate::effect::{FileError, FileErrorKind};
use crate::error::{Disconnected, LimitExceeded};
use crate::h1::{Reason, Refusal};
use crate::message::{Asked, BodyError, IntoResponse, SpawnError};

mod forms;

/// An error with a cause of its own.
#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

/// An error that is its own cause, without end.
#[derive(Debug)]
struct Endless;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer <secret>")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("inner \"secret\"")
    }
}

impl fmt::Display for Endless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl std::error::Error for Inner {}

impl std::error::Error for Endless {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self)
    }
}

async fn outer() -> Result<&'static str> {
    Err(Outer(Inner))?
}

async fn parse() -> Result<&'static str> {
    "x".parse::<u8>()?;
    Ok("")
}

async fn conflict() -> Result<&'static str> {
    Err(Error::conflict("the message"))
}

fn failing() -> App {
    App::new().route("/outer", get(outer)).route("/parse", get(parse)).route("/conflict", get(conflict))
}

fn response(app: &AppService, line: &str, accept: Option<&str>) -> Response {
    let (method, target) = line.split_once(' ').unwrap();
    let uri: Uri = target.parse().unwrap();
    let mut request = http::Request::builder().method(method).uri(uri);
    if let Some(accept) = accept {
        request = request.header(ACCEPT, accept);
    }
    block_on(app.call(request.body(Body::default()).unwrap().into()))
}

fn body(response: Response) -> String {
    look(response).body
}

#[test]
fn e01_e02_the_most_particular_handler_speaks() {
    let by_type = || failing().on_error(|_: Failure<Outer>| "by type");
    let by_source = || failing().on_error(|failure: Failure<Inner>| Text(failure.to_string()));
    let all = |app: App| app.on_error(|_: Failure<Error>| "for all");
    let by_status = |app: App| app.on_status(500, |_| "by status").on_status(StatusCode::CONFLICT, |_| "409");
    for (name, app, line, expected) in [
        ("by type", by_type(), "GET /outer", seen(500, HTML, "by type")),
        ("another type", by_type(), "GET /parse", seen(500, TEXT, "Internal Server Error")),
        ("by the type of a source", by_source(), "GET /outer", seen(500, TEXT, "inner \"secret\"")),
        (
            "the outer type before its source, in any order",
            by_source().on_error(|_: Failure<Outer>| "by type"),
            "GET /outer",
            seen(500, HTML, "by type"),
        ),
        (
            "a type before a status",
            by_status(all(by_source())),
            "GET /outer",
            seen(500, TEXT, "inner \"secret\""),
        ),
        ("a status before all", by_status(all(failing())), "GET /outer", seen(500, HTML, "by status")),
        ("a status given as such", by_status(failing()), "GET /conflict", seen(409, HTML, "409")),
        ("all", all(by_type()), "GET /parse", seen(500, HTML, "for all")),
        ("no route", all(failing()), "GET /nothing", seen(404, HTML, "for all")),
        ("no error", all(failing().route("/", get(|| StatusCode::CONFLICT))), "GET /", seen(409, "", "")),
    ] {
        assert_eq!(send(&app.build().unwrap(), line, ""), expected, "{name}");
    }
}

#[test]
fn a_mount_speaks_before_what_is_around_it() {
    let mount = |own: bool| {
        let app = failing();
        if own { app.on_error(|_: Failure<Error>| "inner") } else { app }
    };
    let app = App::new()
        .mount("/with", mount(true))
        .mount("/without", mount(false))
        .on_error(|_: Failure<Outer>| "outer by type")
        .on_status(404, |_| "outer 404")
        .build()
        .unwrap();
    for (line, expected) in [
        ("GET /with/outer", seen(500, HTML, "inner")),
        ("GET /with/nothing", seen(404, HTML, "inner")),
        ("GET /without/outer", seen(500, HTML, "outer by type")),
        ("GET /without/nothing", seen(404, HTML, "outer 404")),
        ("GET /without/parse", seen(500, TEXT, "Internal Server Error")),
        ("GET /nothing", seen(404, HTML, "outer 404")),
    ] {
        assert_eq!(send(&app, line, ""), expected, "{line}");
        // What the session fails with goes the same way.
        let (method, target) = line.split_once(' ').unwrap();
        let asked = Asked::new(&method.parse().unwrap(), &target.parse().unwrap(), &HeaderMap::new());
        if line.ends_with("outer") {
            let answer = app.fail(Outer(Inner).into(), Some(&asked));
            assert_eq!(look(ready(answer)), expected, "{line}");
        }
    }
}

fn ready(answer: Answer<impl Future<Output = Response>>) -> Response {
    match answer {
        Answer::Ready(response) => response,
        Answer::Future(future) => block_on(future),
    }
}

#[test]
fn e03_the_status_is_kept_unless_the_handler_sets_one() {
    let redirect =
        || Response::empty(StatusCode::SEE_OTHER).with_header(LOCATION, HeaderValue::from_static("/login"));
    for (name, app, expected) in [
        ("kept", failing().on_status(409, |_| Text("x")), seen(409, TEXT, "x")),
        ("asynchronous", failing().on_status(409, async |_| Text("x")), seen(409, TEXT, "x")),
        (
            "a result",
            failing().on_status(409, async |_| Result::<_, Error>::Ok(Text("x"))),
            seen(409, TEXT, "x"),
        ),
        ("set", failing().on_status(409, |_| (StatusCode::GONE, "x")), seen(410, HTML, "x")),
        ("a redirect", failing().on_status(409, move |_| redirect()), seen(303, "", "")),
        (
            "of what it says",
            failing().on_error(|failure: Failure<Error>| {
                Text(format!(
                    "{} {} {}",
                    failure.status().as_u16(),
                    failure.error().message(),
                    failure.uri().unwrap()
                ))
            }),
            seen(409, TEXT, "409 the message /conflict"),
        ),
    ] {
        assert_eq!(send(&app.build().unwrap(), "GET /conflict", ""), expected, "{name}");
    }
}

/// An error with fields, and what a handler that has some itself makes of them.
#[test]
fn e06_fields_go_out_with_the_error() {
    let cookie = |value: &'static str| HeaderValue::from_static(value);
    let error = move || {
        Error::from_status(StatusCode::FOUND)
            .with_header(LOCATION, HeaderValue::from_static("/first"))
            .with_header(LOCATION, HeaderValue::from_static("/here"))
            .with_header(http::header::CONTENT_TYPE, HeaderValue::from_static("image/png"))
            .with_header(VARY, HeaderValue::from_static("cookie"))
            .with_header(SET_COOKIE, cookie("a=1"))
    };
    let plain = App::new().route("/", get(move || Err::<&str, _>(error())));
    let rendered = App::new().route("/", get(move || Err::<&str, _>(error()))).on_status(302, move |_| {
        let elsewhere = HeaderValue::from_static("/there");
        Response::new("x").with_header(LOCATION, elsewhere).with_header(SET_COOKIE, cookie("b=2"))
    });
    for (app, fields) in [
        (
            plain,
            [
                (LOCATION, "/here"),
                (http::header::CONTENT_TYPE, TEXT),
                (VARY, "cookie accept"),
                (SET_COOKIE, "a=1"),
            ],
        ),
        (
            rendered,
            [
                (LOCATION, "/there"),
                (http::header::CONTENT_TYPE, "image/png"),
                (VARY, "cookie"),
                (SET_COOKIE, "b=2 a=1"),
            ],
        ),
    ] {
        let response = response(&app.build().unwrap(), "GET /", None);
        assert_eq!(response.status, StatusCode::FOUND);
        for (name, expected) in fields {
            assert_eq!(values(&response, &name), expected, "{name}");
        }
    }
}

fn values(response: &Response, name: &HeaderName) -> String {
    let values: Vec<&str> =
        response.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
    values.join(" ")
}

#[test]
fn e07_what_middleware_fails_with_is_rendered_where_it_stands() {
    async fn refuse(_: Request, _: Next) -> Result<Response> {
        Err(Error::forbidden("stop"))
    }
    async fn told(request: Request, next: Next) -> Response {
        let response = next.run(request).await;
        let told = response.error().map(|error| format!("{} {}", error.message(), error.is::<Outer>()));
        response.with_header(HeaderName::from_static("allow"), told.unwrap_or_default().parse().unwrap())
    }
    let inner = || failing().on_status(403, |_| "inner 403");
    let told_of = |told: &str, seen: Seen| Seen { allow: Some(told.to_owned()), ..seen };
    for (name, app, line, expected) in [
        (
            "a mount's",
            inner().middleware(refuse),
            "GET /m/parse",
            told_of("stop false", seen(403, HTML, "inner 403")),
        ),
        (
            "its cause",
            inner(),
            "GET /m/outer",
            told_of("Internal Server Error true", seen(500, TEXT, "Internal Server Error")),
        ),
        ("no route", inner(), "GET /m/nothing", told_of("Not Found false", seen(404, TEXT, "Not Found"))),
        ("no error", inner().route("/", get(|| "x")), "GET /m/", told_of("", seen(200, HTML, "x"))),
    ] {
        let app = App::new().mount("/m", app).middleware(told).on_status(403, |_| "outer 403");
        assert_eq!(send(&app.build().unwrap(), line, ""), expected, "{name}");
    }
    let app = failing().middleware(refuse).on_status(403, |_| "own 403").build().unwrap();
    assert_eq!(send(&app, "GET /parse", ""), seen(403, HTML, "own 403"));
}

#[test]
fn e08_a_handler_that_fails_gives_way_to_a_bare_500() {
    let app = failing()
        .on_status(409, async |_| outer().await)
        .on_status(500, |_| "it is not asked about its neighbour's failure")
        .build()
        .unwrap();
    let response = response(&app, "GET /conflict", Some("text/html"));
    assert_eq!(response.error().map(Error::status), Some(StatusCode::CONFLICT), "the first error is kept");
    assert_eq!(look(response), seen(500, TEXT, "Internal Server Error"));
}

#[test]
fn e11_what_cannot_be_decoded_is_the_clients_fault() {
    async fn text(mut request: Request) -> Result<Text<String>> {
        Ok(Text(request.text().await?))
    }
    #[cfg(feature = "json")]
    async fn json(crate::Json(value): crate::Json<u8>) -> Text<String> {
        Text(value.to_string())
    }
    let app = App::new().route("/text", post(text));
    #[cfg(feature = "json")]
    let app = app.route("/json", post(json));
    let app = app.build().unwrap();
    let long: &'static str = Box::leak("x".repeat(3 << 20).into_boxed_str());
    for (path, content_type, body, status) in [
        ("/text", "text/plain", "fine", 200),
        ("/text", "text/plain", long, 413),
        #[cfg(feature = "json")]
        ("/json", "application/json", "1", 200),
        #[cfg(feature = "json")]
        ("/json", "application/json", "{", 400),
        #[cfg(feature = "json")]
        ("/json", "application/json", "256", 400),
        #[cfg(feature = "json")]
        ("/json", "text/plain", "1", 415),
    ] {
        let found = send_as(&app, &format!("POST {path}"), content_type, body);
        assert_eq!(found.status, status, "{path} {content_type} {found:?}");
    }
    let request = Request::new(Method::POST, Uri::from_static("/text"), b"\xff".to_vec());
    assert_eq!(look(block_on(app.call(request))), seen(400, TEXT, "the body is not UTF-8 after 0 bytes"));
}

#[test]
fn e12_a_rendered_405_keeps_its_allow() {
    let app = failing()
        .on_status(405, |failure: Failure<Error>| Text(format!("not {}", failure.method().unwrap())));
    let expected = Seen { allow: Some("GET, HEAD, OPTIONS".to_owned()), ..seen(405, TEXT, "not DELETE") };
    assert_eq!(send(&app.build().unwrap(), "DELETE /parse", ""), expected);
    let app = failing().on_status(405, |_| {
        Text("own").into_response().map(|own| own.with_header(ALLOW, HeaderValue::from_static("GET")))
    });
    let expected = Seen { allow: Some("GET".to_owned()), ..seen(405, TEXT, "own") };
    assert_eq!(send(&app.build().unwrap(), "DELETE /parse", ""), expected);
}

#[test]
fn e04_e13_e14_one_type_for_all_errors() {
    let misuse = Rejection::new::<u8>(crate::message::Reason::Misuse, "body", "something");
    let limit = LimitExceeded::new("buffered_body_bytes", 5, 6);
    let refusal = Refusal { status: StatusCode::BAD_REQUEST, reason: Reason::BareLf, offset: 3 };
    let missing = Rejection::new::<u8>(crate::message::Reason::Missing, "query", "").with_field("n");
    let standard = None;
    for (error, status, code, message) in [
        (Error::from(refusal), 400, Some("bare-lf"), Some("a line ends with LF alone (at byte 3)")),
        (
            limit.into(),
            413,
            Some("limit-exceeded"),
            Some("buffered_body_bytes is 5, and at least 6 were sent"),
        ),
        (Disconnected::Gone.into(), 400, Some("disconnected"), Some("the client is gone")),
        (missing.into(), 400, Some("missing-value"), Some("the query's `n` is missing")),
        (misuse.into(), 500, None, standard),
        (
            BodyError::Disconnected(Disconnected::Gone).into(),
            400,
            Some("disconnected"),
            Some("the client is gone"),
        ),
        (
            BodyError::Refused(refusal).into(),
            400,
            Some("bare-lf"),
            Some("a line ends with LF alone (at byte 3)"),
        ),
        (
            BodyError::LimitExceeded(limit).into(),
            413,
            Some("limit-exceeded"),
            Some("buffered_body_bytes is 5, and at least 6 were sent"),
        ),
        (
            BodyError::TimedOut.into(),
            408,
            Some("body-timed-out"),
            Some("the client sent its body too slowly"),
        ),
        (BodyError::NotUtf8(1).into(), 400, Some("not-utf8"), Some("the body is not UTF-8 after 1 bytes")),
        (BodyError::Source("secret".into()).into(), 500, None, standard),
        (SpawnError::Full(3).into(), 503, Some("too-many-tasks"), standard),
        (SpawnError::Over.into(), 503, Some("stopping"), standard),
        (SpawnError::NoLifecycle.into(), 500, None, standard),
        (FileError::new(FileErrorKind::StorageFull, "/srv/x").into(), 507, Some("storage-full"), standard),
        (FileError::new(FileErrorKind::NotFound, "/srv/x").into(), 500, None, standard),
        (Outer(Inner).into(), 500, None, standard),
    ] {
        says(&error, status, code, message);
    }
    let error = Error::not_found().with_source(Outer(Inner));
    assert_eq!(
        error.causes().map(ToString::to_string).collect::<Vec<_>>(),
        ["outer <secret>", "inner \"secret\""]
    );
    assert_eq!(Error::from(Endless).causes().count(), 64, "a chain that leads back to itself has an end");
}

#[test]
fn e04_an_error_of_each_status() {
    let standard = None;
    for (error, status, code, message) in [
        (Error::bad_request("a"), 400, None, Some("a")),
        (Error::unauthorized(String::from("a")), 401, None, Some("a")),
        (Error::forbidden("a"), 403, None, Some("a")),
        (Error::not_found(), 404, None, standard),
        (Error::conflict("a"), 409, None, Some("a")),
        (Error::gone("a"), 410, None, Some("a")),
        (Error::precondition_failed("a"), 412, None, Some("a")),
        (Error::payload_too_large("a"), 413, None, Some("a")),
        (Error::unsupported_media_type("a"), 415, None, Some("a")),
        (Error::unprocessable("a"), 422, None, Some("a")),
        (Error::too_many_requests("a"), 429, None, Some("a")),
        (Error::internal(), 500, None, standard),
        (Error::not_implemented(), 501, None, standard),
        (Error::bad_gateway(), 502, None, standard),
        (Error::unavailable(), 503, None, standard),
        (Error::gateway_timeout().with_message("a").with_code("late"), 504, Some("late"), Some("a")),
        (Error::from_status(StatusCode::from_u16(499).unwrap()), 499, None, Some("Error")),
        (Error::not_found().with_source(Outer(Inner)), 404, None, standard),
    ] {
        says(&error, status, code, message);
    }
}

/// What the client reads of an error; without a message it is the standard one of the status.
fn says(error: &Error, status: u16, code: Option<&str>, message: Option<&str>) {
    let status = StatusCode::from_u16(status).unwrap();
    let message = message.or_else(|| status.canonical_reason()).unwrap();
    assert_eq!((error.status(), error.code(), error.message()), (status, code, message), "{error:?}");
}

#[test]
fn what_broke_a_body_off_has_handlers_of_its_own() {
    let too_long = LimitExceeded::new("buffered_body_bytes", 5, 6);
    let refusal = Refusal { status: StatusCode::BAD_REQUEST, reason: Reason::BareLf, offset: 3 };
    let app = App::new()
        .on_error(|failure: Failure<LimitExceeded>| Text(format!("at most {}", failure.value)))
        .on_error(|failure: Failure<Refusal>| Text(format!("at {}", failure.offset)))
        .on_error(|failure: Failure<Disconnected>| Text(format!("{:?}", *failure)))
        .on_error(|_: Failure<Inner>| "of the stream")
        .route("/", post(|_: String| "").buffered_body_bytes(5))
        .build()
        .unwrap();
    for (error, expected) in [
        (BodyError::LimitExceeded(too_long), seen(413, TEXT, "at most 5")),
        (BodyError::Refused(refusal), seen(400, TEXT, "at 3")),
        (BodyError::Disconnected(Disconnected::Gone), seen(400, TEXT, "Gone")),
        (BodyError::Source(Box::new(Outer(Inner))), seen(500, HTML, "of the stream")),
        (BodyError::TimedOut, seen(408, TEXT, "the client sent its body too slowly")),
        (BodyError::NotUtf8(1), seen(400, TEXT, "the body is not UTF-8 after 1 bytes")),
    ] {
        let name = format!("{error:?}");
        assert_eq!(look(ready(app.fail(error.into(), None))), expected, "{name}");
    }
    assert_eq!(send(&app, "POST /", "short"), seen(200, HTML, ""));
    assert_eq!(send(&app, "POST /", "longer"), seen(413, TEXT, "at most 5"));
}

#[test]
fn two_handlers_for_the_same_errors_are_told_with_both_places() {
    let first = line!() + 1;
    let app = App::new()
        .on_error(|_: Failure<ParseIntError>| "")
        .on_error(|_: Failure<ParseIntError>| "")
        .on_status(404, |_| "")
        .on_status(StatusCode::NOT_FOUND, |_| "")
        .on_error(|_: Failure<Error>| "")
        .on_error(async |_: Failure<Error>| "")
        .on_status(99, |_| "")
        .mount("/m", App::new().on_status(404, |_| ""));
    let text = app.build().unwrap_err().to_string();
    let at = |line: u32| format!("{}:{}:10", file!(), first + line);
    let expected = [
        "4 problems with the application:".to_owned(),
        format!("  {}: 99 is no status", at(7)),
        format!(
            "  {}: there is a handler for `core::num::error::ParseIntError` already, at {}",
            at(2),
            at(1)
        ),
        format!("  {}: there is a handler for status 404 already, at {}", at(4), at(3)),
        format!("  {}: there is a handler for all errors already, at {}", at(6), at(5)),
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{text}");
}
