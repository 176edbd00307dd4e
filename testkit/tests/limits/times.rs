//! How long each thing may take, and what happens then.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::machine::Phase;
use bakestone::session::{Event, Stage};
use bakestone::{Lifecycle, Limits, Session};
use bakestone_testkit::{Frame, Wire};

use crate::websockets::open;
use crate::{
    GET, HOUR, LARGE, LARGE_BYTES, MILLISECOND, SECOND, Server, app, expect_last_answer, limits, serve,
    with_length,
};

/// What happens when it is time.
enum End {
    /// An answer of this status, the last one.
    Answer(&'static str),
    /// A FIN, and not a word.
    Fin,
    /// The close, and not a word.
    Close,
    Reset,
}

/// A time after which something happens although nothing came.
pub(crate) struct Time {
    pub(crate) name: &'static str,
    /// In what case.
    case: &'static str,
    default: Option<Duration>,
    pub(crate) set: fn(&mut Limits, Duration),
    /// From its end the time counts.
    begin: fn(&mut Server) -> &mut Server,
    /// What comes in time, if it comes a millisecond before.
    in_time: fn(&mut Server) -> &mut Server,
    /// What the observer is told.
    deadline: &'static str,
    end: End,
}

pub(crate) const TIMES: &[Time] = &[
    Time {
        name: "head_time",
        case: "from the accept",
        default: Some(Duration::from_secs(10)),
        set: |limits, time| limits.head_time = time,
        begin: |wire| wire.settle(),
        in_time: |wire| wire.feed(GET).expect_start("HTTP/1.1 200 "),
        deadline: "head_time",
        end: End::Answer("408"),
    },
    Time {
        name: "head_time",
        case: "from the accept, though much has come",
        default: Some(Duration::from_secs(10)),
        set: |limits, time| limits.head_time = time,
        begin: |wire| wire.feed(&GET[..20]),
        in_time: |wire| wire.feed(&GET[20..]).expect_start("HTTP/1.1 200 "),
        deadline: "head_time",
        end: End::Answer("408"),
    },
    Time {
        name: "head_time",
        case: "from the first byte of a later head",
        default: Some(Duration::from_secs(10)),
        set: |limits, time| limits.head_time = time,
        begin: |wire| wire.feed(GET).expect_start("HTTP/1.1 200 ").advance(9 * SECOND).feed("G"),
        in_time: |wire| wire.feed(&GET[1..]).expect_start("HTTP/1.1 200 "),
        deadline: "head_time",
        end: End::Answer("408"),
    },
    Time {
        name: "idle_time",
        case: "from the answer",
        default: Some(Duration::from_secs(15)),
        set: |limits, time| limits.idle_time = time,
        begin: |wire| wire.feed(GET).expect_start("HTTP/1.1 200 "),
        in_time: |wire| wire.feed(GET).expect_start("HTTP/1.1 200 "),
        deadline: "idle_time",
        end: End::Close,
    },
    Time {
        name: "idle_time",
        case: "from the last byte that the client took",
        default: Some(Duration::from_secs(15)),
        set: |limits, time| limits.idle_time = time,
        begin: |wire| wire.hold_output(true).feed(GET).advance(4 * SECOND).expect_start("HTTP/1.1 200 "),
        in_time: |wire| wire.feed(GET).expect_start("HTTP/1.1 200 "),
        deadline: "idle_time",
        end: End::Close,
    },
    Time {
        name: "body_time",
        case: "though much came before",
        default: Some(Duration::from_secs(30)),
        set: |limits, time| limits.body_time = time,
        begin: |wire| wire.feed(with_length("/", 100_000)).feed(vec![b'x'; 50_000]),
        in_time: |wire| wire.feed("x"),
        deadline: "body_time",
        end: End::Answer("408"),
    },
    Time {
        name: "body_time",
        case: "of a rest that nobody reads",
        default: Some(Duration::from_secs(30)),
        set: |limits, time| limits.body_time = time,
        begin: |wire| {
            let head = with_length("/unread", 60_000);
            wire.feed(head).expect_start("HTTP/1.1 200 ").feed(vec![b'x'; 50_000])
        },
        in_time: |wire| wire.feed("x"),
        deadline: "body_time",
        end: End::Fin,
    },
    Time {
        name: "write_time",
        case: "though much was taken before",
        default: Some(Duration::from_secs(30)),
        set: |limits, time| limits.write_time = time,
        begin: |wire| {
            wire.hold_output(true).feed(LARGE).take_at_most(50_000);
            wire
        },
        in_time: |wire| {
            wire.take_at_most(1);
            wire
        },
        deadline: "write_time",
        end: End::Reset,
    },
    Time {
        name: "rate_grace_time",
        case: "of a body",
        default: Some(Duration::from_secs(10)),
        set: |limits, time| limits.rate_grace_time = time,
        begin: |wire| wire.feed(with_length("/", 100)),
        in_time: |wire| wire.feed("x"),
        deadline: "body_time",
        end: End::Answer("408"),
    },
    Time {
        name: "rate_grace_time",
        case: "of a response",
        default: Some(Duration::from_secs(10)),
        set: |limits, time| limits.rate_grace_time = time,
        begin: |wire| wire.hold_output(true).feed(LARGE),
        in_time: |wire| {
            wire.take_at_most(1);
            wire
        },
        deadline: "write_time",
        end: End::Reset,
    },
    Time {
        name: "handler_time",
        case: "from the head's end",
        default: None,
        set: |limits, time| limits.handler_time = Some(time),
        begin: |wire| wire.feed(with_length("/", 1)),
        in_time: |wire| wire.feed("x").expect_start("HTTP/1.1 200 "),
        deadline: "handler_time",
        end: End::Answer("503"),
    },
    Time {
        name: "linger_time",
        case: "after the last answer",
        default: Some(Duration::from_secs(5)),
        set: |limits, time| limits.linger_time = time,
        begin: |wire| wire.feed("GET / HTTP/1.0\r\n\r\n").expect_start("HTTP/1.1 200 "),
        in_time: |wire| wire.finish().expect_closed(),
        deadline: "linger_time",
        end: End::Close,
    },
    Time {
        name: "linger_time",
        case: "from the last byte that the client took, whatever it sends",
        default: Some(Duration::from_secs(5)),
        set: |limits, time| limits.linger_time = time,
        begin: |wire| {
            let wire = wire.hold_output(true).feed("nonsense\r\n\r\n").advance(4 * SECOND);
            wire.expect_start("HTTP/1.1 400 ").feed("more")
        },
        in_time: |wire| wire.feed("more").finish().expect_closed(),
        deadline: "linger_time",
        end: End::Close,
    },
    Time {
        name: "drain_time",
        case: "of a request that is not answered",
        default: Some(Duration::from_secs(10)),
        set: |limits, time| limits.drain_time = time,
        begin: |wire| wire.feed(with_length("/", 100_000)).feed(vec![b'x'; 50_000]).drain(),
        in_time: |wire| {
            wire.feed(vec![b'x'; 50_000]).expect_start("HTTP/1.1 200 ");
            wire.finish().expect_closed()
        },
        deadline: "drain_time",
        end: End::Reset,
    },
    Time {
        name: "drain_time",
        case: "of a client that reads slowly",
        default: Some(Duration::from_secs(10)),
        set: |limits, time| limits.drain_time = time,
        begin: |wire| {
            wire.hold_output(true).feed(LARGE).take_at_most(LARGE_BYTES / 2);
            wire.drain()
        },
        in_time: |wire| {
            wire.take_at_most(LARGE_BYTES);
            wire.finish().expect_closed()
        },
        deadline: "drain_time",
        end: End::Reset,
    },
    Time {
        name: "websocket_pong_time",
        case: "from a ping, whatever came before it",
        default: Some(Duration::from_secs(20)),
        set: |limits, time| limits.websocket_pong_time = time,
        begin: |wire| open(wire).advance(29 * SECOND).feed(pong()).advance(SECOND).expect(b"\x89\x00"),
        in_time: |wire| wire.feed(pong()),
        deadline: "websocket_pong_time",
        end: End::Reset,
    },
    Time {
        name: "websocket_close_time",
        case: "from our close, whatever else comes",
        default: Some(Duration::from_secs(5)),
        set: |limits, time| limits.websocket_close_time = time,
        begin: |wire| open(wire).drain().expect(b"\x88\x02\x03\xe9").feed(pong()),
        in_time: |wire| wire.feed(Frame::close(1001, "").masked([0; 4]).to_bytes()).finish().expect_closed(),
        deadline: "websocket_close_time",
        end: End::Close,
    },
];

fn pong() -> Vec<u8> {
    Frame::pong("").masked([0; 4]).to_bytes()
}

/// A server under `limits`, and the deadlines that pass there.
fn watched(limits: &Limits) -> (Server, Arc<Mutex<Vec<String>>>) {
    let passed = Arc::new(Mutex::new(Vec::new()));
    let noted = passed.clone();
    let session = Session::with_limits(app(), Arc::new(limits.clone()));
    let session = session.observer(Arc::new(move |event: &Event<'_>| {
        if let Event::DeadlinePassed(which) = event {
            noted.lock().unwrap().push(which.to_string());
        }
    }));
    let mut wire = Wire::new(session);
    wire.record(false);
    (wire, passed)
}

#[track_caller]
fn expect_end(wire: &mut Server, end: &End, why: &str) {
    match end {
        End::Answer(status) => return expect_last_answer(wire, status, why),
        End::Fin => wire.expect_lingering(),
        End::Close => wire.expect_closed(),
        End::Reset => wire.expect_reset(),
    };
    wire.expect_silence();
}

#[test]
fn nothing_happens_before_its_time_and_just_the_one_thing_then() {
    for Time { name, case, default, set, begin, in_time, deadline, end } in TIMES {
        if let Some(default) = default {
            assert_eq!(limits(|limits| set(limits, *default)), Limits::default(), "{name}: another default");
        }
        let default = default.unwrap_or(SECOND);
        for time in [default, default / 3, default * 7 / 6] {
            let limits = limits(|limits| set(limits, time));
            let why = format!("{name} of {time:?}, {case}");
            let (mut wire, passed) = watched(&limits);
            begin(&mut wire);
            let before = (wire.fate(), wire.waiting());
            wire.advance(time - MILLISECOND);
            assert_eq!((wire.fate(), wire.waiting()), before, "{why}: before its time");
            assert!(passed.lock().unwrap().is_empty(), "{why}: before its time");
            wire.advance(MILLISECOND);
            expect_end(&mut wire, end, &why);
            assert_eq!(*passed.lock().unwrap(), [*deadline], "{why}");
            if let End::Answer(_) = end {
                wire.advance(5 * SECOND).expect_silence().expect_closed();
            }

            let (mut wire, passed) = watched(&limits);
            begin(&mut wire);
            wire.advance(time - MILLISECOND);
            in_time(&mut wire);
            wire.advance(MILLISECOND);
            assert!(passed.lock().unwrap().is_empty(), "{why}: in time");
        }
    }
}

#[test]
fn a_byte_a_second_does_not_save_a_head() {
    let mut wire = serve(&Limits::default());
    for byte in GET.bytes().take(10) {
        wire.feed([byte]).advance(SECOND - MILLISECOND).expect_silence().expect_open();
        wire.advance(MILLISECOND);
    }
    expect_last_answer(&mut wire, "408", "at ten seconds");
    wire.advance(5 * SECOND - MILLISECOND).expect_lingering();
    wire.advance(MILLISECOND).expect_closed();
}

#[test]
fn going_on_writing_does_not_prolong_the_end() {
    let mut wire = serve(&Limits::default());
    wire.feed("nonsense\r\n\r\n").take();
    for _ in 0..5 {
        wire.expect_lingering().feed(vec![b'x'; 100_000]).advance(SECOND - MILLISECOND);
        wire.expect_lingering().advance(MILLISECOND);
    }
    wire.expect_silence().expect_closed();
}

#[test]
fn a_handler_has_no_deadline_unless_it_is_given_one() {
    assert_eq!(Limits::default().handler_time, None);
    let mut wire = serve(&Limits::default());
    wire.feed(with_length("/later", 1)).feed("x").advance(HOUR - MILLISECOND).expect_silence().expect_open();
    wire.advance(MILLISECOND).expect_start("HTTP/1.1 200 ");
}

/// A server's life has the time twice: for what runs, and for its last hooks.
#[test]
fn a_servers_drain_has_an_end() {
    for time in [Limits::default().drain_time, 3 * SECOND] {
        let lifecycle = Lifecycle::new().limits(&limits(|limits| limits.drain_time = time));
        let spawner = lifecycle.spawner();
        let mut server = Wire::new(lifecycle.on_shutdown(|_| std::future::pending::<()>()));
        server.settle();
        let mut wire = Wire::new(Session::new(app()).lifecycle(&spawner));
        wire.feed(with_length("/later", 1));
        server.drain();
        for stage in [Stage::Draining, Stage::Stopping] {
            server.advance(time - MILLISECOND);
            assert_eq!(server.machine().stage(), stage);
            server.advance(MILLISECOND);
        }
        assert_eq!(server.machine().stage(), Stage::Over);
        assert_eq!(server.phase(), Phase::Done);
    }
}
