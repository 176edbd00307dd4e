//! What a request costs in allocations, counted exactly.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;

use std::sync::Arc;
use std::task::{Context, Waker};

use bakestone::app::Next;
use bakestone::machine::{Io, Machine, Memory, Now, Read};
use bakestone::{App, Limits, Path, Request, Response, Service, Session, Text, get};
use bytes::Buf;

/// The allocations of one of many like requests on a kept connection, whose driver reuses its buffers.
fn allocations<S: Service>(mut session: Session<S>, request: &[u8], answer: &[u8]) -> usize {
    let mut io = Io::default();
    let mut cx = Context::from_waker(Waker::noop());
    let mut counts = Vec::with_capacity(32);
    for _ in 0..32 {
        let before = counting::allocations();
        io.input.extend_from_slice(request);
        let wants = session.step(Now::default(), &mut io, &mut cx);
        assert_eq!(wants.read, Read::Need);
        assert!(io.output.chunk().ends_with(answer), "{:?}", io.output);
        io.output.advance(io.output.remaining());
        let _ = session.step(Now::default(), &mut io, &mut cx);
        counts.push(counting::allocations() - before);
    }
    let settled = &counts[16..];
    assert!(settled.iter().all(|count| count == &settled[0]), "the count does not settle: {counts:?}");
    settled[0]
}

#[test]
fn a_get_through_a_session_costs_at_most_1() {
    let session = Session::new(|_: Request| Text("Hello, World!"));
    let count =
        allocations(session, b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", b"\r\n\r\nHello, World!");
    eprintln!("{count} allocations for a GET through a session");
    assert!(count <= 1, "{count}");
}

#[test]
fn a_get_through_an_app_with_a_parameter_and_text_costs_at_most_4() {
    async fn hello(Path(name): Path<String>) -> Text<String> {
        Text(format!("Hello, {name}!"))
    }
    let app = App::new().route("/hello/{name}", get(hello)).build().unwrap();
    let count = allocations(
        Session::new(app),
        b"GET /hello/World HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"\r\n\r\nHello, World!",
    );
    eprintln!("{count} allocations for a GET through an app");
    assert!(count <= 4, "{count}");
}

async fn pass_on(request: Request, next: Next) -> Response {
    next.run(request).await
}

#[test]
fn what_a_get_through_an_app_costs() {
    let routes = || App::new().route("/", get(|| Text("Hello, World!")));
    let table: [(&str, &str, App, usize); 7] = [
        ("one route", "/", routes(), 2),
        ("one middleware", "/", routes().middleware(pass_on), 3),
        ("two middlewares", "/", routes().middleware(pass_on).middleware(pass_on), 4),
        (
            "one around the route",
            "/",
            App::new().route("/", get(|| Text("Hello, World!")).middleware(pass_on)),
            3,
        ),
        ("one service around", "/", routes().wrap(|rest| rest), 7),
        ("a mount", "/mount", App::new().mount("/mount", routes()), 2),
        (
            "a mount that has a middleware",
            "/mount",
            App::new().mount("/mount", routes().middleware(pass_on)),
            3,
        ),
    ];
    for (what, path, app, most) in table {
        let request = format!("GET {path} HTTP/1.1\r\nHost: example.com\r\n\r\n");
        let session = Session::new(app.build().unwrap());
        let count = allocations(session, request.as_bytes(), b"\r\n\r\nHello, World!");
        eprintln!("{count} allocations for a GET through an app with {what}");
        assert!(count <= most, "{what}: {count}");
    }
}

/// What a kept connection owns between two requests, its session and its `Io` included, where the driver lends the rest.
#[test]
fn an_idle_connection_keeps_at_most_1400_bytes() {
    let app = App::new().route("/plaintext", get(|| Text("Hello, World!"))).build().unwrap();
    let (app, limits) = (Arc::new(app), Arc::new(Limits::default()));
    let mut memory = Memory::default();
    let mut connect = |pieces: [&[u8]; 2]| {
        let mut io = Box::new(Io::default());
        let mut session = Box::new(Session::with_limits(app.clone(), limits.clone()));
        let mut cx = Context::from_waker(Waker::noop());
        for piece in pieces {
            io.lend(&mut memory);
            io.input.reserve(16 << 10);
            io.input.extend_from_slice(piece);
            let _ = session.step(Now::default(), &mut io, &mut cx);
            io.give_back(&mut memory);
        }
        io.lend(&mut memory);
        assert!(io.output.chunk().ends_with(b"Hello, World!"), "{:?}", io.output);
        io.output.advance(io.output.remaining());
        let _ = session.step(Now::default(), &mut io, &mut cx);
        io.give_back(&mut memory);
        (io, session)
    };
    // The first one leaves the memory that is lent.
    let whole: [&[u8]; 2] = [b"GET /plaintext HTTP/1.1\r\nHost: example.com\r\n\r\n", b""];
    let cut: [&[u8]; 2] = [b"GET /plaintext HTTP/1.1\r\nHost: exa", b"mple.com\r\n\r\n"];
    let mut kept = vec![connect(whole), connect(cut)];
    kept.reserve(2);
    // However the head came, nothing of it stays.
    for pieces in [whole, cut] {
        let before = counting::live();
        kept.push(connect(pieces));
        let bytes = counting::live() - before;
        eprintln!("an idle connection keeps {bytes} bytes");
        assert!(bytes <= 1400, "{bytes}");
    }
}
