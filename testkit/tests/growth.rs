//! What a connection keeps over every wire case, and what it asks for over inputs of twice the length.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};

use bakestone::machine::{Io, Machine, Now, Phase, Read};
use bakestone::{Limits, Request, Result, Session, Text};
use bakestone_testkit::cases;
use bytes::Buf;

/// Feeds `bytes`, so many at a time, while the machine wants them, to a peer that reads nothing; the most that was
/// kept alive, in bytes, the session itself included.
fn peak(make: impl Fn() -> Box<dyn Machine>, bytes: &[u8], at_once: usize) -> usize {
    let before = counting::live();
    let mut most = 0;
    {
        let (mut machine, mut io) = (make(), Io::default());
        let mut cx = Context::from_waker(Waker::noop());
        let mut wants = machine.step(Now::default(), &mut io, &mut cx);
        for piece in bytes.chunks(at_once) {
            if wants.phase != Phase::Open || wants.read == Read::Pause {
                break;
            }
            io.input.extend_from_slice(piece);
            wants = machine.step(Now::default(), &mut io, &mut cx);
            // What may block is not done, and what was asked for is not kept.
            io.effects.clear();
            most = most.max(counting::live().saturating_sub(before));
        }
    }
    most
}

#[test]
fn no_case_keeps_more_than_the_limits_say_at_any_pace() {
    let cases = cases::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/h1")).unwrap();
    let limits = Arc::new(cases::limits());
    let app = Arc::new(cases::app().build().unwrap());
    let bound = limits.max_buffered();
    let make = || -> Box<dyn Machine> { Box::new(Session::with_limits(app.clone(), limits.clone())) };
    let mut most = 0;
    for case in &cases {
        let bytes: Vec<u8> = case.turns.iter().flat_map(|turn| turn.request.clone()).collect();
        for at_once in [1, 7, 4096, usize::MAX] {
            // A driver reads at most so many bytes at a time.
            let kept = peak(make, &bytes, at_once.min(16 << 10));
            assert!(
                kept <= bound,
                "{}:{}: {}: {kept} bytes, {at_once} at a time",
                case.file,
                case.line,
                case.title
            );
            most = most.max(kept);
        }
    }
    eprintln!("at most {most} of {bound} bytes over {} cases", cases.len());
}

async fn length(mut request: Request) -> Result<Text<String>> {
    Ok(Text(request.bytes().await?.len().to_string()))
}

/// How often memory is asked for while `bytes` come one at a time, to a peer that reads all.
fn allocations(bytes: &[u8]) -> usize {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.head_fields, limits.target_bytes) = (1 << 20, 10_000, 60_000);
    let mut session = Session::with_limits(length, Arc::new(limits));
    let (mut io, mut cx) = (Io::default(), Context::from_waker(Waker::noop()));
    io.input.reserve(1 << 20);
    let before = counting::allocations();
    for piece in bytes.chunks(1) {
        io.input.extend_from_slice(piece);
        let _ = session.step(Now::default(), &mut io, &mut cx);
        io.output.advance(io.output.remaining());
    }
    counting::allocations() - before
}

#[test]
fn twice_the_input_asks_for_memory_at_most_twice_as_often() {
    let fields = |count: usize| (0..count).map(|n| format!("x-{n}: {n}\r\n")).collect::<String>();
    type Shape = fn(usize, &str) -> String;
    let shapes: [(&str, Shape); 4] = [
        ("a long target", |n, _| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(n * 10))),
        ("many fields", |_, fields| format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")),
        ("many small chunks", |n, _| {
            let chunks = "1\r\nx\r\n".repeat(n);
            format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
        }),
        ("many requests", |n, _| "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(n)),
    ];
    for (name, shape) in shapes {
        let [once, twice] = [1000, 2000].map(|n| allocations(shape(n, &fields(n)).as_bytes()));
        eprintln!("{name}: {once} allocations, and {twice} for twice as much");
        // Logarithmic growth of a buffer is allowed for, and a fixed share.
        assert!(twice <= 2 * once + 64, "{name}: {once} allocations, and {twice} for twice as much");
    }
}
