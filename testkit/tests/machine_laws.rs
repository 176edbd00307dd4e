//! Bakestone's own machines under the nine laws: plain, recorded, and behind a cipher.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;
mod every;

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bakestone::machine::Machine;
use bakestone::session::Event;
use bakestone::{Body, Bytes, Leniency, Lifecycle, Limits, Request, Response, Session};
use every::every;

use bakestone::tape::Recorder;
use bakestone_testkit::{Bounds, Script, Xor, http1_view, laws_within};

const KEY: &[u8] = b"bakestone";

/// Every kind of exchange on the wire, by name.
fn scripts() -> Vec<(&'static str, Script)> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let post = |path: &str, rest: &str| format!("POST {path} HTTP/1.1\r\nHost: a\r\n{rest}");
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n5;x=y\r\n, two\r\n0\r\nX-Sum: 7\r\n\r\n";
    let second = Duration::from_secs(1);
    vec![
        ("a request", Script::bytes(get("/"))),
        ("pipelined", Script::bytes(get("/") + &get("/buffer") + &get("/sleep") + &get("/"))),
        ("HEAD", Script::bytes("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")),
        ("HTTP/1.0", Script::bytes("GET /echo HTTP/1.0\r\n\r\n")),
        ("a length", Script::bytes(post("/buffer", "Content-Length: 5\r\n\r\nhello") + &get("/"))),
        ("chunks", Script::bytes(post("/buffer", chunked) + &get("/"))),
        ("an echo", Script::bytes(post("/echo", chunked) + &post("/echo", "Content-Length: 2\r\n\r\nok"))),
        (
            "100-continue",
            Script::bytes(post("/buffer", "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")).feed("ok"),
        ),
        ("an unread body", Script::bytes(post("/", "Content-Length: 5\r\n\r\nhello") + &get("/"))),
        ("an unread long body", Script::bytes(post("/", "Content-Length: 500000\r\n\r\nhello"))),
        ("written", Script::bytes(get("/write") + &get("/")).advance(second)),
        ("abandoned", Script::bytes(get("/abandon")).advance(second)),
        ("sleep", Script::bytes(get("/sleep")).advance(2 * second).advance(second)),
        ("endless", Script::bytes(get("/endless")).take(100_000).take(100_000).reset()),
        ("a second answer, and nobody reads", {
            let both = Script::bytes(get("/") + &get("/abandon"));
            both.take(0).advance(40 * second)
        }),
        ("panic", Script::bytes(get("/panic") + &get("/"))),
        ("blocking", Script::bytes(get("/blocking"))),
        (
            "upgrade",
            Script::bytes(
                "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly",
            )
            .feed("late")
            .finish(),
        ),
        ("close", Script::bytes("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").finish()),
        ("half-close", Script::bytes(get("/sleep")).finish().advance(4 * second)),
        ("cut short", Script::bytes(post("/buffer", "Content-Length: 5\r\n\r\nhe")).finish()),
        ("a reset", Script::bytes(post("/sleep", "Content-Length: 5\r\n\r\nhe")).reset().advance(4 * second)),
        ("a drain", Script::bytes(get("/drain")).drain().finish()),
        ("a drain at rest", Script::bytes(get("/")).drain().advance(10 * second)),
        ("idle", Script::bytes(get("/")).advance(20 * second)),
        ("a slow head", Script::bytes("GET / HT").advance(9 * second).feed("TP/1.1\r\n").advance(9 * second)),
        ("refused", Script::bytes("GET / HTTP/1.1\r\nHost : a\r\n\r\n")),
        ("refused in the body", Script::bytes(post("/buffer", "Transfer-Encoding: chunked\r\n\r\nzz\r\n"))),
        ("not HTTP", Script::bytes(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")),
    ]
}

/// Lets the panics that are part of the scripts pass in silence.
fn expect_panics_on_purpose() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() != Some(&"on purpose") {
                others(panic);
            }
        }));
    });
}

/// The default bounds, with as many times more mutations as the environment asks for: the long runs do.
fn bounds() -> Bounds {
    let mut bounds = Bounds::default();
    bounds.memory = Some(counting::live);
    let rounds = std::env::var("BAKESTONE_LAWS_ROUNDS").ok();
    bounds.mutations *= rounds.map_or(1, |rounds| rounds.parse().expect("a number of rounds"));
    bounds
}

fn hold<M: Machine>(make: impl Fn() -> M, name: &str, script: Script, bounds: &Bounds) {
    expect_panics_on_purpose();
    eprintln!("{name}");
    laws_within(make, script, bounds);
}

#[test]
fn a_session() {
    let bounds = bounds().view(http1_view);
    for (name, script) in scripts() {
        hold(|| Session::new(every), name, script, &bounds);
    }
}

/// What only a lenient session understands.
fn lenient_scripts() -> Vec<(&'static str, Script)> {
    let next = "GET / HTTP/1.1\nHost: a\n\n";
    let post = "POST /buffer HTTP/1.1\nHost: a\n";
    vec![
        ("bare LFs", Script::bytes(format!("\n{next}{next}"))),
        ("bare LFs and chunks", {
            let chunks = "Transfer-Encoding: chunked\n\n3\r\none\r\n0\r\nX-Sum: 7\n 8\n\n";
            Script::bytes(format!("{post}{chunks}{next}"))
        }),
        ("folds", Script::bytes(format!("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\td\n e\r\n\r\n{next}"))),
        ("lengths", Script::bytes(format!("{post}Content-Length: 2, 2\nContent-Length: 2\n\nok{next}"))),
        ("two framings", {
            let both = "Content-Length: 2\nTransfer-Encoding: chunked\n\n3\r\none\r\n0\r\n\r\n";
            Script::bytes(format!("{post}{both}{next}"))
        }),
        ("a raw target", Script::bytes(b"GET /\"\xff\\?<> HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2))),
        ("another host", Script::bytes("GET http://b/ HTTP/1.1\nHost: a\n\n")),
    ]
}

#[test]
fn a_lenient_session() {
    let mut limits = Limits::default();
    for name in Leniency::NAMES {
        assert!(limits.leniency.switch_on(name));
    }
    let mut bounds = bounds().view(http1_view);
    bounds.max_buffered = limits.max_buffered();
    let limits = Arc::new(limits);
    for (name, script) in scripts().into_iter().chain(lenient_scripts()) {
        hold(|| Session::with_limits(every, limits.clone()), name, script, &bounds);
    }
}

/// Whoever observes changes nothing.
#[test]
fn an_observed_session() {
    let bounds = bounds().view(http1_view);
    for (name, script) in scripts() {
        let observer = Arc::new(|event: &Event<'_>| drop(format!("{event:?}")));
        hold(|| Session::new(every).observer(observer.clone()), name, script, &bounds);
    }
}

#[test]
fn a_recorded_session() {
    let mut bounds = bounds().view(http1_view);
    // What it records it keeps, and that is not the connection's memory.
    bounds.memory = None;
    for (name, script) in scripts() {
        hold(|| Recorder::logging(Session::new(every)).0, name, script, &bounds);
    }
}

#[test]
fn a_session_behind_a_cipher() {
    let deciphered = |bytes: &[u8]| {
        let plain: Vec<u8> = bytes.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        http1_view(&plain)
    };
    let bounds = bounds().view(deciphered);
    for (name, script) in scripts() {
        let script = script.map_bytes(|place, byte| byte ^ KEY[place as usize % KEY.len()]);
        hold(|| Xor::new(Session::new(every), KEY), name, script, &bounds);
    }
}

#[test]
fn a_lifecycle() {
    let second = Duration::from_secs(1);
    let make = || {
        let lifecycle = Lifecycle::new();
        let spawner = lifecycle.spawner();
        lifecycle
            .on_startup(
                |context: bakestone::Context| async move { context.sleep(Duration::from_secs(1)).await },
            )
            .on_startup(move |context: bakestone::Context| async move {
                drop(spawner);
                context.spawn(|context| async move { context.sleep(Duration::from_secs(5)).await })?;
                Ok::<_, bakestone::Error>(())
            })
            .every(second, |context| async move { context.sleep(Duration::from_millis(300)).await })
            .on_shutdown(
                |context: bakestone::Context| async move { context.sleep(Duration::from_secs(1)).await },
            )
    };
    for (name, script) in [
        ("started", Script::new().advance(second)),
        ("ticking", Script::new().advance(10 * second)),
        ("drained", Script::new().advance(3 * second).drain().advance(20 * second)),
        ("drained at the start", Script::new().drain().advance(20 * second)),
    ] {
        hold(make, name, script, &bounds());
    }
}

/// One that is read to its end, and one that is longer than the peers of the laws read.
#[test]
fn long_responses() {
    let bounds = bounds().view(http1_view);
    for count in [10, 40] {
        let service = move |_: Request| {
            let mut left = count;
            Response::new(Body::from_fn(move |_| {
                let piece = (left > 0).then(|| Ok(Bytes::from(vec![b'x'; 64 << 10])));
                left -= usize::from(piece.is_some());
                Poll::Ready(piece)
            }))
        };
        let script = Script::bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        hold(|| Session::new(service), "a long response", script, &bounds);
    }
}
