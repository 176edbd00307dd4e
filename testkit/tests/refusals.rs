//! Every refusal is rendered by the application, whatever its renderer does, and ends what cannot go on.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bakestone::session::{Answer, IntoService, Service};
use bakestone::{
    App, Body, Bytes, Error, HeaderValue, IntoResponse, Limits, Request, Response, Result, Session,
    StatusCode, Text, get, header,
};
use bakestone_testkit::Wire;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);

/// A request that is refused, and what time it takes.
struct Case {
    status: u16,
    request: &'static str,
    wait: Duration,
    /// Who renders it: the hook alone, or the service in its call, which the hook stands behind.
    by: By,
    /// Whether the next request on the connection is answered.
    keeps: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Hook,
    Call,
}

const fn refused(status: u16, request: &'static str) -> Case {
    Case { status, request, wait: Duration::ZERO, by: By::Hook, keeps: false }
}

const CASES: &[Case] = &[
    refused(400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    refused(400, "\x16\x03\x01\r\n"),
    Case { wait: Duration::from_secs(10), ..refused(408, "GET / HT") },
    refused(414, "GET /abcdefghijklmnopqrstuvwxyz HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused(417, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: more\r\n\r\n"),
    refused(431, "GET / HTTP/1.1\r\nHost: a\r\n1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n\r\n"),
    refused(501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    refused(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    Case { wait: Duration::from_secs(20), ..refused(503, "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n") },
    Case { keeps: true, ..refused(500, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n") },
    Case { keeps: true, ..refused(500, "GET /unsendable HTTP/1.1\r\nHost: a\r\n\r\n") },
    Case { keeps: true, ..refused(500, "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n") },
    Case {
        by: By::Call,
        ..refused(413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\nthe beginning")
    },
    Case {
        by: By::Call,
        ..refused(413, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n")
    },
    Case {
        by: By::Call,
        keeps: true,
        ..refused(413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef")
    },
    Case {
        by: By::Call,
        wait: Duration::from_secs(10),
        ..refused(408, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
    },
    Case {
        by: By::Call,
        ..refused(400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    },
    Case {
        by: By::Call,
        ..refused(
            431,
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na:\r\nb:\r\n\r\n",
        )
    },
];

fn limits() -> Arc<Limits> {
    let mut limits = Limits::default();
    (limits.target_bytes, limits.head_fields, limits.trailer_fields) = (20, 8, 1);
    limits.buffered_body_bytes = 5;
    limits.handler_time = Some(20 * SECOND);
    Arc::new(limits)
}

async fn handle(mut request: Request) -> Result<Response> {
    match request.raw_path() {
        "/stuck" => std::future::pending().await,
        "/panic" => panic!("on purpose"),
        "/unsendable" => Ok(unsendable(Response::new("x"))),
        "/broken" => Ok(Response::new(Body::from_fn(|_| Poll::Ready(Some(Err("no disk".into())))))),
        _ => Text(request.bytes().await?).into_response(),
    }
}

fn unsendable(response: Response) -> Response {
    response.with_header(header::TRANSFER_ENCODING, HeaderValue::from_static("gzip"))
}

/// An application with a renderer of its own.
struct Rendering {
    render: fn(Error) -> Response,
    /// Whether the hook's answer is to be waited for.
    later: bool,
    hooked: Arc<AtomicUsize>,
}

impl Service for Rendering {
    type Response = Response;
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(&self, request: Request) -> Self::Future {
        let render = self.render;
        Box::pin(async move { handle(request).await.unwrap_or_else(render) })
    }

    fn fail(&self, error: Error, _: Option<&bakestone::message::Asked>) -> Answer<Self::Future> {
        self.hooked.fetch_add(1, Ordering::Relaxed);
        let render = self.render;
        match self.later {
            true => Answer::Future(Box::pin(async move { render(error) })),
            false => Answer::Ready(render(error)),
        }
    }
}

/// The whole answer to `case`, and the wire after it.
fn refuse<S: Service>(service: S, case: &Case) -> (String, Wire<Session<S>>) {
    let mut wire = Wire::new(Session::with_limits(service, limits()));
    wire.feed(case.request);
    if case.wait > Duration::ZERO {
        wire.advance(case.wait - Duration::from_millis(1)).expect_silence();
        wire.advance(Duration::from_millis(1));
    }
    let text = wire.take_text();
    (text, wire)
}

/// The connection goes on or ends, as the answer has said.
#[track_caller]
fn expect_sequel<S: Service>(case: &Case, text: &str, mut wire: Wire<Session<S>>) {
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "one answer: {text}");
    assert_eq!(text.contains("\r\nconnection: close\r\n"), !case.keeps, "{:?}\n{text}", case.request);
    if case.keeps {
        wire.expect_open().feed(GET).expect_start("HTTP/1.1 200 ");
    } else {
        wire.expect_lingering().feed(GET).expect_silence();
        wire.finish().expect_closed();
    }
}

fn is_of(text: &str, status: u16) -> bool {
    text.starts_with(&format!("HTTP/1.1 {status} "))
}

#[track_caller]
fn expect_plain_text<S: Service>(service: S, case: &Case) {
    let (text, wire) = refuse(service, case);
    let plain = text.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n");
    assert!(is_of(&text, case.status) && plain, "{}: {:?}\n{text}", case.status, case.request);
    assert!(!text.contains("on purpose") && !text.contains("disk"), "internals stay inside: {text}");
    expect_sequel(case, &text, wire);
}

#[test]
fn each_is_plain_text_unless_the_application_says_otherwise() {
    let paths = ["/", "/stuck", "/panic", "/unsendable", "/broken"];
    let app = App::new().route(paths, get(handle).post(handle)).build().unwrap();
    for case in CASES {
        expect_plain_text(handle.into_service(), case);
        expect_plain_text(app.clone(), case);
    }
}

fn json(error: Error) -> Response {
    let body = format!(r#"{{"status":{},"detail":{:?}}}"#, error.status().as_u16(), error.message());
    let problem = HeaderValue::from_static("application/problem+json");
    Response::new(body).with_status(error.status()).with_header(header::CONTENT_TYPE, problem)
}

#[test]
fn an_application_renders_each_in_its_own_way() {
    for case in CASES {
        for later in [false, true] {
            let hooked = Arc::new(AtomicUsize::new(0));
            let (text, wire) = refuse(Rendering { render: json, later, hooked: hooked.clone() }, case);
            let is_json = text.contains("\r\ncontent-type: application/problem+json\r\n")
                && text.contains(&format!("\r\n\r\n{{\"status\":{},\"detail\":\"", case.status));
            assert!(is_of(&text, case.status) && is_json, "{}: {:?}\n{text}", case.status, case.request);
            assert_eq!(
                hooked.load(Ordering::Relaxed),
                usize::from(case.by == By::Hook),
                "{:?}",
                case.request
            );
            expect_sequel(case, &text, wire);
        }
    }
}

/// What comes of an answer of the renderer's.
enum Comes {
    /// It is sent, with the error's status.
    Sent,
    /// It is sent, with a status of its own.
    SentAs(u16),
    /// Nothing could be sent of it, and the answer is plain: 500.
    Plain,
    /// It panicked, and the answer is plain, with the error's status; 500, if it panicked in a future.
    PlainAsItWas,
    /// It had begun, so it is cut.
    Cut,
}

/// A body of two pieces, of which the second may be an error.
fn pieces(breaks: bool) -> Body {
    let mut piece = 0;
    Body::from_fn(move |_| {
        piece += 1;
        Poll::Ready(match piece {
            1 => Some(Ok(Bytes::from_static(b"one "))),
            2 if breaks => Some(Err("no disk".into())),
            2 => Some(Ok(Bytes::from_static(b"two"))),
            _ => None,
        })
    })
}

type Render = fn(Error) -> Response;

const RENDERERS: &[(&str, Render, Comes)] = &[
    ("streams", |error| Response::new(pieces(false)).with_status(error.status()), Comes::Sent),
    ("says nothing", |error| Response::empty(error.status()), Comes::Sent),
    (
        "would keep the connection",
        |error| {
            let keep = HeaderValue::from_static("keep-alive");
            error.into_response().with_header(header::CONNECTION, keep)
        },
        Comes::Plain,
    ),
    ("has no content", |_| Response::text(StatusCode::NO_CONTENT, "left out"), Comes::SentAs(204)),
    ("says that all is well", |_| Response::new("fine"), Comes::SentAs(200)),
    ("frames by hand", |error| unsendable(error.into_response()), Comes::Plain),
    (
        "announces another length",
        |error| error.into_response().with_header(header::CONTENT_LENGTH, HeaderValue::from_static("7")),
        Comes::Plain,
    ),
    ("goes on", |_| Response::empty(StatusCode::CONTINUE), Comes::Plain),
    ("switches protocols", |_| Response::empty(StatusCode::SWITCHING_PROTOCOLS), Comes::Plain),
    (
        "breaks at once",
        |_| Response::new(Body::from_fn(|_| Poll::Ready(Some(Err("no disk".into()))))),
        Comes::Plain,
    ),
    ("breaks in the middle", |error| Response::new(pieces(true)).with_status(error.status()), Comes::Cut),
    ("panics", |_| panic!("on purpose"), Comes::PlainAsItWas),
];

#[test]
fn whatever_the_renderer_does_the_client_gets_an_answer_or_a_cut() {
    for (name, render, comes) in RENDERERS {
        for (case, later) in CASES.iter().flat_map(|case| [(case, false), (case, true)]) {
            let (text, mut wire) = refuse(Rendering { render: *render, later, hooked: Arc::default() }, case);
            let status = match comes {
                Comes::Sent => case.status,
                Comes::SentAs(status) => *status,
                Comes::PlainAsItWas if !later && case.by == By::Hook => case.status,
                Comes::Plain | Comes::PlainAsItWas => 500,
                Comes::Cut => {
                    wire.expect_reset();
                    continue;
                }
            };
            let why = format!("{name}, later: {later}, {:?}\n{text}", case.request);
            assert!(is_of(&text, status) && !text.contains("left out") && !text.contains("disk"), "{why}");
            expect_sequel(case, &text, wire);
        }
    }
}

#[test]
fn a_head_that_never_comes_whole_has_no_content_in_its_answer() {
    for head in ["HEAD / HTTP/1.1\r\nHost: a\r\n", "HEAD / HTTP/1.1", "HEAD /cake"] {
        let mut wire = Wire::new(Session::new(|_: Request| Text("hello")));
        let text = wire.feed(head).advance(Limits::default().head_time).take_text();
        assert!(is_of(&text, 408) && text.ends_with("\r\n\r\n"), "{head:?}: {text}");
    }
}
