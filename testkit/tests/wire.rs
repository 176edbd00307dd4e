//! The wire is a driver that does what it is told.

mod toy;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Context;
use std::time::Duration;

use bakestone::machine::{Io, Machine, Now, Peer, Phase, Read, Wants};
use bakestone_testkit::Wire;
use toy::Shout;

const SECOND: Duration = Duration::from_secs(1);

fn panic_of<T>(test: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| {
        test();
    }));
    let panic = panic.expect_err("it did not fail");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn a_conversation_and_its_transcript() {
    let mut wire = Wire::new(Shout::default());
    wire.feed("hello\r\nwor").expect("HELLO\r\n").expect_open();
    wire.advance(SECOND * 3 / 2).feed("ld\nquit\n").expect("WORLD\nbye\n").expect_lingering();
    wire.finish().expect_silence().expect_closed();
    let expected = "@ 0ns
> hello\\r\\n
  wor
  wants Need until @10s
< HELLO\\r\\n
@ 1.5s
> ld\\nquit\\n
  wants Need until @6.5s, Lingering
< WORLD\\nbye\\n
! FIN
! the peer sent FIN
  wants Pause, Done
! closed
";
    assert_eq!(wire.transcript().to_string(), expected);
}

#[test]
fn the_clock_stops_at_each_deadline() {
    let mut wire = Wire::new(Shout::default());
    wire.expect_deadline_in(SECOND * 10);
    wire.advance(SECOND * 60).expect_closed();
    assert_eq!(wire.now().wall, Duration::from_secs(1_704_067_260));
    let text = wire.transcript().to_string();
    assert!(text.contains("@ 10s\n") && text.contains("@ 15s\n"), "{text}");
    assert!(!wire.advance_to_next_deadline());
}

#[test]
fn a_slow_reader_holds_the_machine_back() {
    let mut wire = Wire::new(Shout::with(8 << 10, 12));
    wire.hold_output(true).feed("hello\n".repeat(10));
    assert_eq!((wire.waiting(), wire.wants().read), (12, Read::Pause));
    assert_eq!(wire.take_at_most(3), b"HEL");
    assert_eq!(wire.waiting(), 15);
    assert_eq!(wire.feed_politely("more\n"), 0);
    let mut rest = Vec::new();
    while wire.waiting() > 0 {
        rest.extend(wire.take());
    }
    assert_eq!(rest.len(), 57);
    assert_eq!(wire.feed_politely("more\n"), 5);
}

#[test]
fn a_peer_that_never_reads_is_reset() {
    let mut wire = Wire::new(Shout::default());
    wire.hold_output(true).feed("quit\n").advance(SECOND * 5);
    wire.expect_reset().expect_closed().expect("");
    assert!(wire.fate().reset_sent && !wire.fate().fin_sent);
}

#[test]
fn a_peer_that_is_gone_reads_nothing() {
    let mut wire = Wire::new(Shout::default());
    wire.hold_output(true).feed("hello\n").reset();
    wire.expect("").expect_closed();
}

#[test]
fn failures_show_what_was_there_and_the_transcript() {
    let mut wire = Wire::new(Shout::default());
    wire.feed("hello\r\n");
    let text = panic_of(|| wire.expect("HALLO\r\n").steps());
    assert!(
        text.contains("HALLO\\r\\n") && text.contains("-- but got\nHELLO\\r\\n") && text.contains("> hello"),
        "{text}"
    );
    assert!(panic_of(|| wire.expect_closed().steps()).contains("expected the connection closed"));
    wire.finish();
    assert!(panic_of(|| wire.feed("more").steps()).contains("the peer has finished"));
}

struct Busy;

impl Machine for Busy {
    fn step(&mut self, _: Now, _: &mut Io, cx: &mut Context<'_>) -> Wants {
        cx.waker().wake_by_ref();
        Wants { read: Read::Pause, wake_at: None, phase: Phase::Open }
    }
}

struct Late;

impl Machine for Late {
    fn step(&mut self, now: Now, _: &mut Io, _: &mut Context<'_>) -> Wants {
        Wants { read: Read::Need, wake_at: Some(now.mono), phase: Phase::Open }
    }
}

#[test]
fn laws_are_watched_on_the_way() {
    assert!(panic_of(|| Wire::new(Busy).settle().steps()).contains("no rest after"));
    assert!(panic_of(|| Wire::new(Late).settle().steps()).contains("law 3"));
}

/// Writes for as long as anyone reads.
struct Endless;

impl Machine for Endless {
    fn step(&mut self, _: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
        let room = (64 << 10) - io.output.len() as usize;
        io.output.extend_from_slice(&vec![b'x'; room]);
        let phase = if io.peer == Peer::Gone { Phase::Done } else { Phase::Open };
        Wants { read: Read::Watch, wake_at: None, phase }
    }
}

#[test]
fn a_stream_without_end_is_read_for_a_while() {
    let mut wire = Wire::new(Endless);
    assert_eq!(wire.take_at_most(10), b"xxxxxxxxxx");
    assert_eq!(wire.settle().waiting(), (16 << 20) - 10 + (64 << 10));
    wire.reset().expect_closed();
}
