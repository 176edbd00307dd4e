//! What an observer hears, in order.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::machine::{Address, ConnectionInfo, Machine};
use bakestone::session::{Event, Observer};
use bakestone::{Body, Context, Error, Request, Result, Session, StatusCode, Text};
use bakestone_testkit::Wire;

const SECOND: Duration = Duration::from_secs(1);

/// Notes what it hears, a line an event.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Notes {
    fn observe(&self, event: &Event<'_>) {
        let line = match event {
            Event::ConnectionOpened(connection) => format!("opened {:?}", connection.peer),
            Event::ConnectionClosed(reason) => format!("closed: {reason}"),
            Event::RequestStarted(record) => format!("started {} {}", record.method, record.target),
            Event::RequestEnded(record) => format!("ended {record}"),
            Event::Refused(refusal) => format!("refused {}", refusal.status.as_u16()),
            Event::Failed(error) => format!("failed {}", error.status().as_u16()),
            Event::DeadlinePassed(which) => format!("passed {which}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

async fn service(mut request: Request) -> Result<Text<Body>> {
    let context: Context = request.context().clone();
    match request.raw_path() {
        "/slow" => context.sleep(SECOND).await,
        "/fail" => return Err(Error::new(StatusCode::IM_A_TEAPOT, "short and stout")),
        "/stuck" => std::future::pending().await,
        "/panic" => panic!("on purpose"),
        _ => {}
    }
    Ok(Text(Body::from(request.bytes().await?)))
}

type AnyWire = Wire<Box<dyn Machine>>;

fn wire() -> (AnyWire, Notes) {
    let notes = Notes::default();
    (Wire::new(Box::new(Session::new(service).observer(Arc::new(notes.clone())))), notes)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

#[test]
fn a_connection_from_its_beginning_to_its_end() {
    let (mut wire, notes) = wire();
    wire.feed(get("/a") + &get("/slow?x=1")).advance(SECOND);
    let sent = wire.take().len();
    wire.advance(15 * SECOND).expect_closed();
    let heard = notes.take();
    assert_eq!(heard[..2], ["opened None", "started GET /a"]);
    let first: u64 = heard[2].split(' ').nth(5).unwrap().parse().unwrap();
    let second = sent as u64 - first;
    assert_eq!(
        heard[2..],
        [
            format!("ended GET /a HTTP/1.1 200 {first} 0.0ns"),
            "started GET /slow?x=1".to_owned(),
            format!("ended GET /slow?x=1 HTTP/1.1 200 {second} 1.0s"),
            "passed idle_time".to_owned(),
            "closed: a deadline has passed".to_owned(),
        ]
    );
}

type Act = fn(&mut AnyWire);

/// What the client sends, what happens then, and the events after the connection was opened; `N` stands for a number of bytes.
const ENDS: [(&str, Act, &[&str]); 9] = [
    (
        "",
        |wire| {
            wire.finish();
        },
        &["closed: the peer sends no more"],
    ),
    (
        "",
        |wire| {
            wire.advance(11 * SECOND).finish();
        },
        &["passed head_time", "failed 408", "closed: a deadline has passed"],
    ),
    (
        "GET / HTTP/1.1\r\n\r\n",
        |wire| {
            wire.finish();
        },
        &["refused 400", "failed 400", "closed: the peer's message was refused"],
    ),
    (
        "GET /fail HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        |wire| {
            wire.finish();
        },
        &[
            "started GET /fail",
            "failed 418",
            "ended GET /fail HTTP/1.1 418 N 0.0ns",
            "closed: the client asked to close",
        ],
    ),
    (
        "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n",
        |wire| {
            wire.drain().finish();
        },
        &[
            "started GET /panic",
            "Panicked(Handler, \"on purpose\")",
            "failed 500",
            "ended GET /panic HTTP/1.1 500 N 0.0ns",
            "closed: the server is stopping",
        ],
    ),
    (
        "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n",
        |wire| {
            wire.advance(2 * SECOND).reset();
        },
        &["started GET /stuck", "ended GET /stuck HTTP/1.1 - 0 2.0s cut", "closed: the peer sends no more"],
    ),
    (
        "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n",
        |wire| {
            wire.drain().advance(10 * SECOND);
        },
        &[
            "started GET /stuck",
            "passed drain_time",
            "ended GET /stuck HTTP/1.1 - 0 10.0s cut",
            "closed: the server is stopping",
        ],
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz",
        |wire| {
            wire.finish();
        },
        &[
            "started POST /",
            "refused 400",
            "failed 400",
            "ended POST / HTTP/1.1 400 N 0.0ns",
            "closed: the peer's message was refused",
        ],
    ),
    (
        "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
        |wire| *wire = Wire::new(Box::new(Session::new(|_: Request| Text("another")))),
        &[
            "started GET /slow",
            "ended GET /slow HTTP/1.1 - 0 0.0ns cut",
            "closed: this end's message was cut off",
        ],
    ),
];

#[test]
fn every_end_is_told_with_its_reason() {
    for (input, act, expected) in ENDS {
        let (mut wire, notes) = wire();
        wire.feed(input);
        act(&mut wire);
        let heard: Vec<String> = notes.take().iter().map(|line| without_bytes(line)).collect();
        assert_eq!(heard[0], "opened None", "{input}");
        assert_eq!(heard[1..], *expected, "{input}");
    }
}

/// The line with `N` for the bytes of a response that was sent.
fn without_bytes(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    if words[0] == "ended" && words[5] != "0" {
        words[5] = "N";
    }
    words.join(" ")
}

/// Gives each connection an observer of its own.
struct Reception(Mutex<Vec<Notes>>);

impl Observer for Reception {
    fn observe(&self, event: &Event<'_>) {
        panic!("each connection has its own: {event:?}");
    }

    fn connected(&self, _: &ConnectionInfo) -> Option<Arc<dyn Observer>> {
        let notes = Notes::default();
        self.0.lock().unwrap().push(notes.clone());
        Some(Arc::new(notes))
    }
}

#[test]
fn each_connection_may_have_an_observer_of_its_own() {
    let reception = Arc::new(Reception(Mutex::default()));
    for port in [1, 2] {
        let peer = Address::Ip(([127, 0, 0, 1], port).into());
        let session = Session::new(service).observer(reception.clone());
        Wire::connected(session, ConnectionInfo::new(Some(peer), None)).feed(get("/a"));
    }
    let all = reception.0.lock().unwrap();
    assert_eq!(all.len(), 2);
    for (place, notes) in all.iter().enumerate() {
        let heard = notes.take();
        assert_eq!(heard[0], format!("opened Some(Ip(127.0.0.1:{}))", place + 1));
        assert_eq!(heard.len(), 4, "{heard:?}");
    }
}
