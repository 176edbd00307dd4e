//! What a request costs in allocations, counted exactly.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;

use std::task::{Context, Waker};

use bakestone::machine::{Io, Machine, Now, Read};
use bakestone::{App, Path, Request, Service, Session, Text, get};
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
fn a_get_through_a_session_costs_at_most_3() {
    let session = Session::new(|_: Request| Text("Hello, World!"));
    let count =
        allocations(session, b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", b"\r\n\r\nHello, World!");
    eprintln!("{count} allocations for a GET through a session");
    assert!(count <= 3, "{count}");
}

#[test]
fn a_get_through_an_app_with_a_parameter_and_text_costs_at_most_5() {
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
    assert!(count <= 5, "{count}");
}
