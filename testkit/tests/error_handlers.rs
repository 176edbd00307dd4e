//! What error handlers make of what goes wrong on a connection: in the handlers, around them and before them.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bakestone::app::{AppService, Failure, Next};
use bakestone::{App, Body, Bytes, Error, Limits, Request, Response, Result, Session, StatusCode, Text, get};
use bakestone_testkit::Wire;

const SECOND: Duration = Duration::from_secs(1);
const TOO_SLOW: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";

/// Something that goes wrong.
struct Fault {
    status: u16,
    request: &'static str,
    /// How long it takes.
    seconds: u64,
    /// Whether it is the session that fails, and not the application in its call.
    in_session: bool,
}

const fn in_call(status: u16, request: &'static str) -> Fault {
    Fault { status, request, seconds: 0, in_session: false }
}

const fn in_session(status: u16, request: &'static str) -> Fault {
    Fault { in_session: true, ..in_call(status, request) }
}

const FAULTS: &[Fault] = &[
    in_session(400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    in_call(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    in_call(404, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"),
    in_call(405, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault { seconds: 10, ..in_session(408, "GET / HT") },
    Fault { seconds: 10, ..in_call(408, TOO_SLOW) },
    in_call(413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef"),
    in_session(431, "GET / HTTP/1.1\r\nHost: a\r\n1:\r\n2:\r\n3:\r\n"),
    in_call(500, "GET /error HTTP/1.1\r\nHost: a\r\n\r\n"),
    in_session(500, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n"),
    in_session(500, "GET /middleware HTTP/1.1\r\nHost: a\r\n\r\n"),
    in_session(500, "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n"),
    Fault { seconds: 20, ..in_session(503, "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n") },
];

async fn handle(mut request: Request) -> Result<Response> {
    match request.raw_path() {
        "/error" => Err(std::fmt::Error)?,
        "/panic" => panic!("on purpose"),
        "/broken" => Ok(Response::new(pieces(0))),
        "/cut" => Ok(Response::new(pieces(1))),
        "/stuck" => std::future::pending().await,
        _ => Ok(Response::new(request.bytes().await?)),
    }
}

/// A body that breaks after so many pieces.
fn pieces(mut left: usize) -> Body {
    Body::from_fn(move |_| {
        Poll::Ready(match left.checked_sub(1) {
            Some(less) => {
                left = less;
                Some(Ok(Bytes::from_static(b"a piece")))
            }
            None => Some(Err("no disk".into())),
        })
    })
}

async fn around(request: Request, next: Next) -> Response {
    assert_ne!(request.raw_path(), "/middleware", "on purpose");
    next.run(request).await
}

fn app() -> App {
    let paths = ["/", "/error", "/panic", "/broken", "/cut", "/stuck", "/middleware"];
    App::new().route(paths, get(handle).post(handle)).middleware(around)
}

fn wire(app: App) -> Wire<Session<AppService>> {
    let mut limits = Limits::default();
    (limits.head_fields, limits.buffered_body_bytes) = (3, 5);
    limits.handler_time = Some(20 * SECOND);
    Wire::new(Session::with_limits(app.build().unwrap(), Arc::new(limits)))
}

fn answer(app: App, fault: &Fault) -> String {
    let mut wire = wire(app);
    wire.feed(fault.request);
    if fault.seconds > 0 {
        wire.expect_silence().advance(Duration::from_secs(fault.seconds));
    }
    wire.take_text()
}

fn phrase(status: u16) -> &'static str {
    StatusCode::from_u16(status).unwrap().canonical_reason().unwrap()
}

#[track_caller]
fn expect_answer(text: &str, status: u16, end: &str) {
    let is_expected = text.starts_with(&format!("HTTP/1.1 {status} ")) && text.ends_with(end);
    assert!(is_expected && text.matches("HTTP/1.1").count() == 1, "{status} {end:?}: {text}");
    assert!(!text.contains("on purpose") && !text.contains("no disk"), "internals stay inside: {text}");
}

#[test]
fn whatever_goes_wrong_goes_through_the_error_handlers() {
    for fault in FAULTS {
        let &Fault { status, request, .. } = fault;
        let text = answer(app(), fault);
        assert!(text.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{text}");
        // The texts of the client's faults are their own.
        let phrase = if status >= 500 || status == 404 { phrase(status) } else { "" };
        expect_answer(&text, status, phrase);
        let of_status = answer(app().on_status(status, |_| Text("by status")), fault);
        expect_answer(&of_status, status, "\r\n\r\nby status");
        let later = async |failure: Failure<Error>| Text(failure.status().as_u16().to_string());
        expect_answer(&answer(app().on_error(later), fault), status, &format!("\r\n\r\n{status}"));
        let target = |failure: Failure<Error>| {
            Text(failure.uri().map_or_else(|| "no request".to_owned(), ToString::to_string))
        };
        let is_read = request.contains("\r\nHost: a\r\n") && status != 431;
        let expected = request.split(' ').nth(1).filter(|_| is_read).unwrap_or("no request");
        expect_answer(&answer(app().on_error(target), fault), status, &format!("\r\n\r\n{expected}"));
    }
}

#[test]
fn a_handler_that_panics_gives_way_to_a_bare_answer() {
    for fault in FAULTS {
        let at_once = |_: Failure<Error>| -> Text<&str> { panic!("on purpose") };
        let later = async |_: Failure<Error>| -> Text<&str> { panic!("on purpose") };
        // In a future it is that panic which the session sees, and all that there is.
        let status = if fault.in_session { fault.status } else { 500 };
        for (app, status) in [(app().on_error(at_once), status), (app().on_error(later), 500)] {
            expect_answer(&answer(app, fault), status, &format!("\r\n\r\n{}", phrase(status)));
        }
    }
}

#[test]
fn the_form_follows_the_request_even_for_panics() {
    for (request, content_type) in [
        ("GET /panic HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n", "text/html; charset=utf-8"),
        ("GET /panic HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n", "application/problem+json"),
        ("GET /panic HTTP/1.1\r\nHost : a\r\nAccept: text/html\r\n\r\n", "text/plain; charset=utf-8"),
    ] {
        let text = answer(app(), &in_call(0, request));
        assert!(text.contains(&format!("\r\ncontent-type: {content_type}\r\n")), "{text}");
    }
    let head = answer(app(), &in_call(404, "HEAD /nothing HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n"));
    assert!(head.starts_with("HTTP/1.1 404 ") && head.ends_with("\r\n\r\n"), "no content: {head}");
}

#[test]
fn e09_after_the_start_a_message_is_cut() {
    let handled = Arc::new(AtomicUsize::new(0));
    let count = handled.clone();
    let mut wire = wire(app().on_error(move |_: Failure<Error>| {
        count.fetch_add(1, Ordering::Relaxed);
        Text("a second answer")
    }));
    wire.feed("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n");
    let text = wire.take_text();
    assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("a piece"), "{text}");
    assert!(!text.ends_with("0\r\n\r\n") && !text.contains("a second answer"), "{text}");
    wire.expect_reset();
    assert_eq!(handled.load(Ordering::Relaxed), 0);
}

#[test]
fn e05_e10_nothing_is_sent_to_a_client_that_is_gone() {
    for request in ["GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n", TOO_SLOW] {
        let mut wire = wire(app().on_error(|_: Failure<Error>| Text("too late")));
        wire.feed(request).expect_silence();
        wire.reset();
        assert_eq!(wire.take_text(), "", "{request}");
        assert!(wire.is_done(), "{request}");
    }
}
