//! What is counted: in a request, in the output, and over a server.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bakestone::error::BoxError;
use bakestone::machine::Read;
use bakestone::message::BodyStream;
use bakestone::{Body, Bytes, Lifecycle, Limits, Request, Response, Session};
use bakestone_testkit::Wire;

use crate::{
    GET, HOUR, KIB, LARGE, SECOND, Server, app, chunked, expect_last_answer, form, limits, serve, with_length,
};

/// A number of bytes or fields that a request may have.
pub(crate) struct Size {
    pub(crate) name: &'static str,
    default: usize,
    pub(crate) set: fn(&mut Limits, usize),
    /// A request that has so many.
    request: fn(usize) -> String,
    /// The status of the answer to one that has more.
    past: &'static str,
}

pub(crate) const SIZES: &[Size] = &[
    Size {
        name: "head_bytes",
        default: 16 * KIB,
        set: |limits, value| limits.head_bytes = value,
        request: |size| {
            let (begin, end) = ("GET / HTTP/1.1\r\nHost: a\r\nA: ", "\r\n\r\n");
            format!("{begin}{}{end}", "a".repeat(size - begin.len() - end.len()))
        },
        past: "431",
    },
    Size {
        name: "head_bytes",
        default: 16 * KIB,
        set: |limits, value| limits.head_bytes = value,
        request: |size| {
            let odd = if (size - GET.len()) % 2 == 1 { "GET /? HTTP/1.1\r\nHost: a\r\n\r\n" } else { GET };
            "\r\n".repeat((size - odd.len()) / 2) + odd
        },
        past: "431",
    },
    Size {
        name: "head_fields",
        default: 100,
        set: |limits, value| limits.head_fields = value,
        request: |size| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "f:\r\n".repeat(size - 1)),
        past: "431",
    },
    Size {
        name: "target_bytes",
        default: 8 * KIB,
        set: |limits, value| limits.target_bytes = value,
        request: |size| format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(size - 2)),
        past: "414",
    },
    Size {
        name: "chunk_extension_bytes",
        default: 16 * KIB,
        set: |limits, value| limits.chunk_extension_bytes = value,
        // Together, and not each.
        request: |size| {
            let (first, second) = ("a".repeat(size / 2 - 1), "b".repeat(size - size / 2 - 1));
            chunked(&format!("1;{first}\r\nx\r\n0;{second}\r\n\r\n"))
        },
        past: "400",
    },
    Size {
        name: "trailer_bytes",
        default: 8 * KIB,
        set: |limits, value| limits.trailer_bytes = value,
        request: |size| chunked(&format!("0\r\nA: {}\r\n\r\n", "a".repeat(size - "A: \r\n\r\n".len()))),
        past: "431",
    },
    Size {
        name: "trailer_fields",
        default: 32,
        set: |limits, value| limits.trailer_fields = value,
        request: |size| chunked(&format!("0\r\n{}\r\n", "a: b\r\n".repeat(size))),
        past: "431",
    },
    Size {
        name: "buffered_body_bytes",
        default: 2 * KIB * KIB,
        set: |limits, value| limits.buffered_body_bytes = value,
        request: |size| with_length("/", size) + &"x".repeat(size),
        past: "413",
    },
    Size {
        name: "buffered_body_bytes",
        default: 2 * KIB * KIB,
        set: |limits, value| limits.buffered_body_bytes = value,
        request: |size| chunked(&format!("{size:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(size))),
        past: "413",
    },
    Size {
        name: "drained_body_bytes",
        default: 64 * KIB,
        set: |limits, value| limits.drained_body_bytes = value as u64,
        request: |size| with_length("/unread", size) + &"x".repeat(size),
        // It is answered all the same, but the connection cannot be kept.
        past: "200",
    },
];

fn feed(wire: &mut Server, input: &str, at_once: usize) {
    for piece in input.as_bytes().chunks(at_once) {
        wire.feed(piece);
    }
}

#[test]
fn what_is_counted_is_taken_at_its_bound_and_refused_past_it() {
    for Size { name, default, set, request, past } in SIZES {
        assert_eq!(limits(|limits| set(limits, *default)), Limits::default(), "{name}: another default");
        for bound in [*default, default / 2, 64] {
            let lenient = limits(|limits| set(limits, bound));
            // A rest that is short enough to be drained would keep the connection, which has a row of its own.
            let strict = limits(|limits| {
                limits.drained_body_bytes = 0;
                set(limits, bound);
            });
            let (within, beyond) = (request(bound), request(bound + 1));
            for at_once in [usize::MAX, 1] {
                if at_once == 1 && bound > KIB {
                    continue;
                }
                let mut wire = serve(&lenient);
                feed(&mut wire, &within, at_once);
                let text = wire.take_text();
                assert!(text.starts_with("HTTP/1.1 200 ") && !text.contains("close"), "{name}: {text}");
                wire.expect_open().feed(GET).expect_start("HTTP/1.1 200 ");

                let mut wire = serve(&strict);
                feed(&mut wire, &beyond, at_once);
                expect_last_answer(&mut wire, past, name);
                wire.feed(GET).expect_silence();
            }
        }
    }
}

/// The body is read whole before it is decoded, so the connection is kept, however the input was cut.
#[test]
pub(crate) fn a_form_has_what_the_bounds_allow_and_no_more() {
    type Row = (fn(&mut Limits, usize), usize, fn(usize) -> String, fn(usize) -> String);
    let rows: [Row; 2] = [
        (
            |limits, value| limits.form_fields = value,
            1_000,
            |size| "a&".repeat(size),
            |size| size.to_string(),
        ),
        (
            |limits, value| limits.form_field_bytes = value,
            KIB * KIB,
            |size| "a=".to_owned() + &"b".repeat(size - 2),
            |_| "1".to_owned(),
        ),
    ];
    for (set, default, body, answer) in rows {
        assert_eq!(limits(|limits| set(limits, default)), Limits::default());
        for bound in [default, 64] {
            let limits = limits(|limits| set(limits, bound));
            for at_once in [usize::MAX, KIB] {
                let mut wire = serve(&limits);
                feed(&mut wire, &form(&body(bound)), at_once);
                let text = wire.take_text();
                assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with(&answer(bound)), "{text}");
                feed(&mut wire, &form(&body(bound + 1)), at_once);
                wire.expect_start("HTTP/1.1 413 ").expect_open();
            }
        }
    }
}

/// A stream is asked for its next piece just below the bound, and no more at it.
#[test]
pub(crate) fn output_is_made_up_to_the_bound() {
    for bound in [Limits::default().output_bytes, 1000] {
        assert_eq!(Limits::default().output_bytes, 64 * KIB);
        let limits = limits(|limits| limits.output_bytes = bound);
        let stream = |_: Request| Response::new(Body::from_stream(Bytewise));
        let mut wire = Wire::new(Session::with_limits(stream, Arc::new(limits.clone())));
        wire.record(false).hold_output(true).feed(GET);
        assert_eq!(wire.waiting(), bound);
        for taken in [1, 2, 300] {
            wire.take_at_most(taken);
            assert_eq!(wire.waiting(), bound, "after {taken} were taken");
        }

        // A handler that writes waits with a quarter of the bound more, on its way to the output and once there.
        let mut wire = serve(&limits);
        wire.hold_output(true).feed("GET /bytes HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!((bound..=bound + bound / 4).contains(&wire.waiting()), "{} of {bound}", wire.waiting());

        // The next request waits too.
        let mut wire = serve(&limits);
        wire.hold_output(true).feed(LARGE);
        assert!(wire.waiting() > bound);
        let above = wire.waiting() - bound;
        wire.feed(GET).take_at_most(above);
        assert_eq!((wire.waiting(), wire.wants().read), (bound, Read::Watch));
        wire.take_at_most(1);
        assert!(wire.waiting() > bound, "it was answered as soon as there was room");
    }
}

/// A response of single bytes without an end that anybody reaches.
struct Bytewise;

impl BodyStream for Bytewise {
    fn poll_chunk(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        Poll::Ready(Some(Ok(Bytes::from_static(b"x"))))
    }

    fn length(&self) -> Option<u64> {
        Some(1 << 30)
    }
}

/// Watched for a hang-up up to the bound, left alone from there on, and read again when it is asked for.
#[test]
pub(crate) fn input_is_read_ahead_up_to_the_bound() {
    assert_eq!(Limits::default().read_ahead, 16 * KIB);
    for bound in [16 * KIB, 100] {
        let mut wire = serve(&limits(|limits| limits.read_ahead = bound));
        wire.feed(with_length("/later", 40 * KIB)).feed(vec![b'x'; bound - 1]);
        assert_eq!(wire.wants().read, Read::Watch);
        wire.feed("x");
        assert_eq!(wire.wants().read, Read::Pause);
        assert_eq!(wire.feed_politely("x"), 0);
        wire.advance(HOUR);
        assert_eq!(wire.wants().read, Read::Need);
        wire.feed(vec![b'x'; 40 * KIB - bound]);
        assert!(wire.take_text().ends_with(&(40 * KIB).to_string()));
    }
}

#[test]
pub(crate) fn a_task_past_the_bound_is_not_begun() {
    for bound in [Limits::default().tasks, 2, 0] {
        assert_eq!(Limits::default().tasks, 10_000);
        let lifecycle = Lifecycle::new().limits(&limits(|limits| limits.tasks = bound));
        let spawner = lifecycle.spawner();
        let mut server = Wire::new(lifecycle);
        let mut wire = Wire::new(Session::new(app()).lifecycle(&spawner));
        wire.record(false);
        server.settle();
        let mut spawn = |status: &str| {
            wire.feed("GET /spawn HTTP/1.1\r\nHost: a\r\n\r\n").expect_start(status);
        };
        for _ in 0..bound {
            spawn("HTTP/1.1 200 ");
        }
        spawn("HTTP/1.1 503 ");
        assert_eq!(spawner.tasks(), bound);
        server.settle().advance(SECOND);
        assert_eq!(spawner.tasks(), 0);
        if bound > 0 {
            spawn("HTTP/1.1 200 ");
        }
    }
}
