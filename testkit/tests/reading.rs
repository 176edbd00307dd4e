//! How a handler reads a request's body: once piece by piece, or whole and as often as it likes.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::app::{AppService, Next};
use bakestone::message::{BodyError, Data};
use bakestone::{App, Body, Bytes, Limits, Request, Response, Result, Session, Text, any, post};
use bakestone_testkit::{Client, Wire, splits};

fn wire(app: App) -> Wire<Session<AppService>> {
    Wire::new(Session::new(app.build().unwrap()))
}

fn request(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The status and the body of the answer to `body` as text/plain, however it is cut.
#[track_caller]
fn answers(app: impl Fn() -> App, body: &str, status: u16, expected: &str) {
    let request = request("text/plain", body);
    for pieces in splits(request.as_bytes()) {
        let mut wire = wire(app());
        for piece in pieces {
            wire.feed(piece);
        }
        let answer = wire.take_text();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{answer}");
    }
}

/// What the second reading says, as text.
fn said(second: Result<impl std::fmt::Debug, BodyError>) -> String {
    match second {
        Ok(read) => format!("{read:?}"),
        Err(error) => error.to_string(),
    }
}

const CONSUMED: &str = "the body was read before, or taken out of the request";

#[test]
fn r12_r13_q07_q09_a_body_is_read_once_or_is_kept() {
    async fn twice(mut request: Request) -> Result<Text<String>> {
        let first = request.bytes().await?;
        assert!(!request.is_consumed());
        assert_eq!(request.text().await?.as_bytes(), &first[..]);
        let mut pieces = Vec::new();
        while let Some(piece) = request.chunk().await? {
            pieces.extend_from_slice(&piece);
        }
        assert_eq!(pieces, &first[..], "what was read whole is read again piece by piece");
        Ok(Text(said(request.bytes().await)))
    }
    async fn pieces(mut request: Request) -> Result<Text<String>> {
        while request.chunk().await?.is_some() {}
        assert!(request.is_consumed());
        assert!(matches!(request.chunk().await, Err(BodyError::AlreadyConsumed)));
        Ok(Text(said(request.bytes().await)))
    }
    async fn part(mut request: Request) -> Result<Text<String>> {
        request.chunk().await?;
        Ok(Text(said(request.text().await)))
    }
    async fn taken(mut request: Request) -> Result<Text<String>> {
        let mut body = request.take_body();
        assert_eq!(body.bytes(100).await?.len(), 5);
        let again = said(request.bytes().await);
        request.set_body(body);
        assert_eq!(said(request.bytes().await), again);
        Ok(Text(again))
    }
    answers(|| App::new().route("/", post(twice)), "hello", 200, CONSUMED);
    answers(|| App::new().route("/", post(pieces)), "hello", 200, CONSUMED);
    answers(|| App::new().route("/", post(part)), "hello", 200, CONSUMED);
    answers(|| App::new().route("/", post(taken)), "hello", 200, CONSUMED);
}

#[test]
fn a_body_of_nothing_is_never_consumed() {
    async fn often(mut request: Request) -> Result<Text<String>> {
        for _ in 0..3 {
            assert_eq!(request.chunk().await?, None);
            assert_eq!(request.bytes().await?, "");
        }
        Ok(Text("nothing".into()))
    }
    answers(|| App::new().route("/", post(often)), "", 200, "nothing");
    let mut wire = wire(App::new().route("/", post(often)));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert!(wire.take_text().ends_with("nothing"));
}

/// Middleware that looks at a body leaves it to the handler; one that goes through it piece by piece has taken it.
#[test]
fn a_body_that_was_buffered_is_shared() {
    async fn look(mut request: Request, next: Next) -> Result<Response> {
        assert_eq!(request.text().await?, "hello");
        Ok(next.run(request).await)
    }
    async fn use_up(mut request: Request, next: Next) -> Result<Response> {
        while request.chunk().await?.is_some() {}
        Ok(next.run(request).await)
    }
    let shared =
        || App::new().mount("/", App::new().route("/", post(|text: String| Text(text)))).middleware(look);
    answers(shared, "hello", 200, "hello");
    let used = || App::new().route("/", post(|text: String| Text(text))).middleware(use_up);
    answers(used, "hello", 500, "Internal Server Error");
    let sent_on = || App::new().route("/", post(|body: Body| Response::new(body))).middleware(use_up);
    answers(sent_on, "hello", 500, "Internal Server Error");
}

/// A reading that was given up, or that came to its limit, has taken nothing.
#[test]
fn a_reading_of_the_whole_that_fails_may_be_tried_again() {
    async fn patient(mut request: Request) -> Result<Text<String>> {
        let context = request.context().clone();
        let tried = context.timeout(Duration::from_secs(1), request.bytes()).await;
        assert!(tried.is_err(), "it takes longer");
        assert!(!request.is_consumed());
        let short = request.bytes_within(3).await;
        assert!(matches!(short, Err(BodyError::LimitExceeded(_))));
        Ok(Text(request.text().await?))
    }
    let client = Client::new(App::new().route("/", post(patient)));
    let mut pending = client.post("/").body_by_hand().start();
    pending.write("he");
    client.advance(Duration::from_secs(2));
    pending.write("llo").end();
    pending.response().expect_status(200).expect_text("hello");
}

#[test]
fn r14_q08_a_client_that_goes_away_mid_body_is_disconnected() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    for how in ["bytes", "chunk", "form", "multipart"] {
        for gone in [true, false] {
            let note = seen.clone();
            let handler = move |mut request: Request| {
                let note = note.clone();
                async move {
                    let read: Result<()> = async {
                        match how {
                            "bytes" => drop(request.bytes().await?),
                            "chunk" => while request.chunk().await?.is_some() {},
                            "form" => drop(request.form().await?),
                            _ => {
                                let mut parts = request.multipart()?;
                                while parts.next().await?.is_some() {}
                            }
                        }
                        Ok(())
                    }
                    .await;
                    let error = read.unwrap_err();
                    let disconnected = matches!(error.downcast_ref(), Some(BodyError::Disconnected(_)));
                    note.lock().unwrap().push((how, disconnected));
                }
            };
            let mut wire = wire(App::new().route("/", post(handler)));
            let kind = if how == "form" || how == "multipart" {
                "multipart/form-data; boundary=b"
            } else {
                "text/plain"
            };
            wire.feed(format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n\r\n"
            ));
            wire.feed("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf");
            if gone {
                wire.reset()
            } else {
                wire.finish()
            };
            assert_eq!(seen.lock().unwrap().pop(), Some((how, true)), "gone {gone}");
        }
    }
}

#[test]
fn r15_q11_413_comes_before_the_client_is_asked_to_send() {
    let mut limits = Limits::default();
    (limits.buffered_body_bytes, limits.form_bytes) = (10, 20);
    let app = || {
        App::new()
            .route("/bytes", post(|_: String| Text("")))
            .route("/form", post(|_: bakestone::FormData| Text("")))
            .route("/wide", post(|_: bakestone::FormData| Text("")).form_bytes(30))
            .route("/narrow", post(|_: String| Text("")).buffered_body_bytes(5))
    };
    const MULTIPART: &str = "multipart/form-data; boundary=b";
    for (path, content_type, length, limit) in [
        ("/bytes", "text/plain", 11, Some("buffered_body_bytes is 10")),
        ("/bytes", "text/plain", 10, None),
        ("/narrow", "text/plain", 6, Some("buffered_body_bytes is 5")),
        ("/form", "application/x-www-form-urlencoded", 11, Some("buffered_body_bytes is 10")),
        ("/form", MULTIPART, 21, Some("form_bytes is 20")),
        ("/form", MULTIPART, 20, None),
        ("/wide", MULTIPART, 31, Some("form_bytes is 30")),
        ("/wide", MULTIPART, 30, None),
    ] {
        let app = app().build().unwrap();
        let mut wire = Wire::new(Session::with_limits(app, Arc::new(limits.clone())));
        wire.feed(format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
             Expect: 100-continue\r\n\r\n"
        ));
        let answer = wire.take_text();
        match limit {
            None => assert_eq!(answer, "HTTP/1.1 100 Continue\r\n\r\n", "{path} {length}"),
            Some(limit) => {
                assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
                assert!(answer.contains(limit), "{path}: {answer}");
            }
        }
    }
}

#[test]
fn r16_r17_r18_r19_data_is_what_its_type_says_or_an_error() {
    async fn data(mut request: Request) -> Result<Text<String>> {
        Ok(Text(match request.data().await? {
            Data::Form(form) => format!("form {:?}", *form),
            Data::Json(json) => format!("json {json}"),
            Data::Text(text) => format!("text {text}"),
            Data::Bytes(bytes) => format!("bytes {bytes:?}"),
            _ => "something new".into(),
        }))
    }
    let client = Client::new(App::new().route("/", any(data)));
    for (content_type, body, status, expected) in [
        ("application/x-www-form-urlencoded", "a=1&b", 200, r#"form {"a": "1", "b": ""}"#),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
            200,
            r#"form {"a": "1"}"#,
        ),
        ("multipart/form-data; boundary=b", "--b\r\n", 400, ""),
        ("multipart/form-data", "", 400, ""),
        ("Application/JSON; charset=utf-8", "[1]", 200, "json [1]"),
        ("application/vnd.cake+json", "{}", 200, "json {}"),
        ("application/json", "{", 400, ""),
        ("application/json", "", 400, ""),
        ("text/plain", "caf\u{e9}", 200, "text caf\u{e9}"),
        ("text/csv; charset=latin1", "a", 200, "text a"),
        ("text/plain; charset=klingon", "a", 415, "the body's character set is not known"),
        ("text/plain; charset=us-ascii", "caf\u{e9}", 400, "the body is not text in us-ascii"),
        ("image/png", "abc", 200, "bytes b\"abc\""),
        ("none", "abc", 200, "bytes b\"abc\""),
    ] {
        let mut response = client.post("/").header("content-type", content_type).body(body).send();
        response.expect_status(status);
        if !expected.is_empty() {
            response.expect_text(expected);
        }
    }
}

/// A body that was read whole is kept for the next one who reads, and no longer than there can be one.
#[test]
fn a_body_that_nobody_can_read_any_more_is_not_kept() {
    async fn alone(bytes: Bytes) -> Text<String> {
        Text(format!("{} {}", bytes.len(), bytes.is_unique()))
    }
    // In two pieces, so that it is not a slice of the input.
    let mut wire = wire(App::new().route("/", post(alone)));
    wire.feed(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    );
    assert!(wire.take_text().ends_with("5 true"));
}
