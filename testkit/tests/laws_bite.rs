//! The laws bite: for each law a machine that breaks it, and is found to break that law and no other.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod toy;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use bakestone::machine::{Io, Machine, Moment, Now, Peer, Phase, Read, Wants};
use bakestone_testkit::{Bounds, Law, Script, Violation, check, laws};
use toy::Shout;

/// Ways to get it wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    WritesForNothing,
    Wavers,
    ComplainsOfPartialLines,
    ClosesOnPartialLines,
    WakesNow,
    WakesInANanosecond,
    TakesAll,
    ForgetsToWake,
    NeedsWhileBusy,
    NeverRests,
    DoneEarly,
    TalksAfterDone,
    WritesAfterFin,
    ExpectsText,
    NeverPauses,
    DropPanics,
    LeaksItsWaker,
    KeepsTheFirstWaker,
    PushesItsDeadline,
}

struct Flawed {
    toy: Shout,
    flaw: Flaw,
    steps_for_nothing: usize,
    first_waker: Option<Waker>,
    pushed: Option<Moment>,
    owed: bool,
    was: Phase,
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        let toy = match flaw {
            Flaw::TakesAll => Shout::with(usize::MAX, u64::MAX),
            Flaw::NeverPauses => Shout::with(8 << 10, u64::MAX),
            Flaw::KeepsTheFirstWaker => Shout::with(4, 16 << 10),
            _ => Shout::default(),
        };
        Self {
            toy,
            flaw,
            steps_for_nothing: 0,
            first_waker: None,
            pushed: None,
            owed: false,
            was: Phase::Open,
        }
    }
}

impl Machine for Flawed {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        if self.flaw == Flaw::ExpectsText {
            assert!(io.input.is_ascii(), "everyone sends text");
        }
        let before = (io.input.len(), io.output.len());
        let partial = !io.input.is_empty() && !io.input.ends_with(b"\n");
        let first = self.first_waker.get_or_insert_with(|| cx.waker().clone()).clone();
        let mut wants = match self.flaw {
            Flaw::KeepsTheFirstWaker => self.toy.step(now, io, &mut Context::from_waker(&first)),
            Flaw::ForgetsToWake => self.toy.step(now, io, &mut Context::from_waker(Waker::noop())),
            _ => self.toy.step(now, io, cx),
        };
        let idle = before == (io.input.len(), io.output.len());
        self.steps_for_nothing = if idle { self.steps_for_nothing + 1 } else { 0 };
        self.go_wrong(now, io, cx, &mut wants, partial);
        self.was = wants.phase;
        wants
    }
}

impl Flawed {
    fn go_wrong(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>, wants: &mut Wants, partial: bool) {
        let open = wants.phase == Phase::Open;
        match self.flaw {
            Flaw::WritesForNothing if open && self.steps_for_nothing == 3 => {
                io.output.extend_from_slice(b".")
            }
            Flaw::Wavers if open && self.steps_for_nothing % 2 == 1 => wants.read = Read::Watch,
            Flaw::ComplainsOfPartialLines if open && partial && self.steps_for_nothing == 1 => {
                io.output.extend_from_slice(b"?");
            }
            Flaw::ClosesOnPartialLines if partial && self.was == Phase::Open => *wants = Wants::DONE,
            Flaw::WakesNow if open => wants.wake_at = Some(now.mono),
            Flaw::WakesInANanosecond if open => wants.wake_at = Some(now.mono + Duration::from_nanos(1)),
            Flaw::NeedsWhileBusy if wants.read == Read::Pause && open => wants.read = Read::Need,
            Flaw::NeverRests if open => cx.waker().wake_by_ref(),
            Flaw::DoneEarly if wants.phase == Phase::Lingering => *wants = Wants::DONE,
            Flaw::TalksAfterDone if self.was == Phase::Done => io.output.extend_from_slice(b"one more thing"),
            Flaw::WritesAfterFin if self.was == Phase::Lingering && io.output.is_empty() && !self.owed => {
                self.owed = true;
                io.output.extend_from_slice(b"one more thing");
                wants.phase = Phase::Lingering;
            }
            Flaw::LeaksItsWaker => std::mem::forget(cx.waker().clone()),
            Flaw::PushesItsDeadline if open => {
                // The deadline itself is kept; what is told is always a while away.
                let at = now.mono + Duration::from_secs(7);
                if self.pushed.is_some_and(|pushed| now.mono >= pushed) {
                    io.output.extend_from_slice(b"tick\n");
                }
                self.pushed = Some(at);
                wants.wake_at = Some(at);
            }
            _ => {}
        }
    }
}

impl Drop for Flawed {
    fn drop(&mut self) {
        if self.flaw == Flaw::DropPanics && !std::thread::panicking() {
            panic!("not before I have finished");
        }
    }
}

/// Reads little and says much.
struct Amplifier;

impl Machine for Amplifier {
    fn step(&mut self, _: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        if io.peer == Peer::Gone {
            return Wants::DONE;
        }
        if io.output.is_empty() {
            let some = io.input.len().min(1 << 10);
            io.output.extend_from_slice(&vec![b'x'; io.input.split_to(some).len() << 10]);
        }
        if !io.input.is_empty() && io.output.is_empty() {
            cx.waker().wake_by_ref();
        }
        let read = if io.output.is_empty() { Read::Need } else { Read::Pause };
        Wants { read, wake_at: None, phase: Phase::Open }
    }
}

const LINES: &str = "hello\r\nworld\nsome more\n";

fn violation(flaw: Flaw, script: impl Into<Script>) -> Violation {
    let result = check(|| Flawed::new(flaw), script, &Bounds::default());
    result.err().unwrap_or_else(|| panic!("{flaw:?} went unseen"))
}

#[track_caller]
fn breaks(flaw: Flaw, law: Law) {
    let violation = violation(flaw, LINES);
    assert_eq!(violation.law, law, "{flaw:?}: {violation}");
}

#[test]
fn a_correct_machine_obeys_all_nine() {
    let second = Duration::from_secs(1);
    laws(Shout::default, LINES);
    laws(Shout::default, "hello\nquit\nnobody reads this\n");
    laws(Shout::default, &[b'x'; 200]);
    laws(Shout::default, "");
    laws(
        Shout::default,
        Script::bytes("he").advance(9 * second).feed("llo\nwor").advance(9 * second).feed("ld\n"),
    );
    laws(Shout::default, Script::bytes("hello\nworld").drain().feed("\n").finish());
    laws(Shout::default, Script::bytes("hello\nworld\n").take(3).feed("again\n").reset());
    laws(Shout::default, Script::bytes("hello\n").finish().advance(20 * second).take(100));
    laws(|| Shout::with(3, 5), LINES);
    laws(|| Box::new(Shout::default()) as Box<dyn Machine>, LINES);
}

#[test]
fn law_1_idempotent() {
    breaks(Flaw::WritesForNothing, Law::Idempotent);
    breaks(Flaw::Wavers, Law::Idempotent);
}

#[test]
fn law_2_split_invariant() {
    breaks(Flaw::ComplainsOfPartialLines, Law::SplitInvariant);
    breaks(Flaw::ClosesOnPartialLines, Law::SplitInvariant);
}

#[test]
fn law_3_deadlines() {
    breaks(Flaw::WakesNow, Law::Deadlines);
    breaks(Flaw::WakesInANanosecond, Law::Deadlines);
}

#[test]
fn law_4_bounded() {
    breaks(Flaw::TakesAll, Law::Bounded);
    let seen = check(|| Amplifier, LINES, &Bounds::default());
    assert_eq!(seen.unwrap_err().law, Law::Bounded);
    breaks(Flaw::ForgetsToWake, Law::Bounded);
    breaks(Flaw::NeedsWhileBusy, Law::Bounded);
    breaks(Flaw::NeverRests, Law::Bounded);
}

#[test]
fn law_5_quiet() {
    breaks(Flaw::DoneEarly, Law::Quiet);
    breaks(Flaw::TalksAfterDone, Law::Quiet);
    breaks(Flaw::WritesAfterFin, Law::Quiet);
}

#[test]
fn law_6_total() {
    breaks(Flaw::ExpectsText, Law::Total);
}

#[test]
fn law_7_backpressure() {
    breaks(Flaw::NeverPauses, Law::Backpressure);
}

#[test]
fn law_8_droppable() {
    breaks(Flaw::DropPanics, Law::Droppable);
    breaks(Flaw::LeaksItsWaker, Law::Droppable);
}

#[test]
fn law_9_the_lazy_driver() {
    breaks(Flaw::KeepsTheFirstWaker, Law::LazyDriver);
    breaks(Flaw::PushesItsDeadline, Law::LazyDriver);
}

#[test]
fn memory_is_seen_through_a_hook() {
    static HELD: AtomicUsize = AtomicUsize::new(0);
    struct Hoarder(Shout);
    impl Machine for Hoarder {
        fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
            HELD.fetch_add(2 * io.input.len(), Ordering::SeqCst);
            self.0.step(now, io, cx)
        }
    }
    let mut bounds = Bounds::default();
    assert!(check(|| Hoarder(Shout::default()), LINES, &bounds).is_ok());
    bounds.max_buffered = 20 << 10;
    bounds.memory = Some(|| HELD.load(Ordering::SeqCst));
    let seen = check(|| Hoarder(Shout::with(8 << 10, 64)), LINES, &bounds);
    assert_eq!(seen.unwrap_err().law, Law::Backpressure);
}

#[test]
fn a_violation_tells_all_that_it_takes_to_see_it_again() {
    let text = violation(Flaw::ClosesOnPartialLines, LINES).to_string();
    for part in [
        "law 2 (split-invariant) is broken",
        "feed ello\\r\\n",
        "seed 0x5eed",
        "-- whole",
        "-- cut",
        "< HELLO",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let text = violation(Flaw::ExpectsText, LINES).to_string();
    assert!(text.contains("the step panicked: everyone sends text"), "{text}");
}

/// Says so many bytes to whoever connects, 64 KiB at a time, and gives up on a peer that has not read them after ten
/// seconds.
struct Recital {
    left: usize,
    waits_until: Option<Moment>,
}

impl Machine for Recital {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        const PIECE: usize = 64 << 10;
        let some = io.input.len().min(PIECE);
        drop(io.input.split_to(some));
        let is_late = self.waits_until.is_some_and(|at| at <= now.mono);
        if io.peer == Peer::Gone {
            return Wants::DONE;
        }
        if is_late && !io.output.is_empty() {
            return Wants { phase: Phase::Abort, ..Wants::DONE };
        }
        if io.output.is_empty() && self.left > 0 {
            io.output.extend_from_slice(&vec![b'x'; PIECE.min(self.left)]);
            self.left -= PIECE.min(self.left);
            self.waits_until = Some(now.mono + Duration::from_secs(10));
        }
        if !io.input.is_empty() {
            cx.waker().wake_by_ref();
        }
        match (io.output.is_empty(), io.peer) {
            (false, _) => Wants { read: Read::Watch, wake_at: self.waits_until, phase: Phase::Open },
            (true, Peer::Open) => Wants { read: Read::Watch, wake_at: None, phase: Phase::Open },
            (true, _) => Wants::DONE,
        }
    }
}

/// The peers of the laws read to the end, at their own pace, or go away at the same byte: none of them is given up on.
#[test]
fn a_long_stream_is_no_stalled_one() {
    for length in [640 << 10, 2 << 20] {
        laws(|| Recital { left: length, waits_until: None }, LINES);
    }
}
