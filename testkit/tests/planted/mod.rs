//! A machine around an honest one, with one bug in it.

use std::io::IoSlice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bakestone::machine::{Io, Machine, Now, Peer, Phase, Wants};
use bytes::Buf;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Its third wake is lost.
    LosesAWake,
    /// A read that ends between CR and LF loses the CR.
    LosesAByte,
    /// A read that ends between CR and LF is taken for one that ends behind them, and the LF comes twice.
    DoublesAByte,
    /// No deadline is told to the driver.
    NeverTimesOut,
    /// An answer that goes out in one step does so twice.
    AnswersTwice,
    /// The first answer that goes out in one step is dropped.
    NeverAnswers,
    /// It never hears of a drain.
    NeverDrains,
    /// What it has read it keeps, for ever.
    Hoards,
    /// It leaves its waker behind.
    LeavesItsWaker,
    /// A message that breaks off ends like one that does not.
    EndsInGoodOrder,
    /// It wakes itself at every step.
    NeverRests,
    /// Its deadlines pass.
    WakesInThePast,
    /// It is done while its answer still waits.
    LeavesEarly,
    /// It takes what waits for the peer into memory of its own.
    NeverWaits,
    /// A drain ends everything at once.
    BreaksOffAtDrain,
    /// A Close of a WebSocket that goes out by itself is dropped.
    NeverCloses,
    /// A pong that does is.
    NeverPongs,
    /// Its deadlines are a microsecond away.
    Ticks,
    /// It waits for a peer that does not read, for ever.
    NeverGivesUp,
}

/// The honest machine and the bug; with none it is transparent.
pub(crate) struct Planted {
    inner: Box<dyn Machine>,
    flaw: Option<Flaw>,
    wakes: Arc<Wakes>,
    /// Input that was there after the last step.
    seen: usize,
    /// Answers that went out in one step.
    answers: usize,
    /// What the driver does not see.
    kept: Io,
}

/// Wakes on their way to the driver.
struct Wakes {
    outer: Mutex<Waker>,
    count: AtomicUsize,
    lost: Option<usize>,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        if Some(self.count.fetch_add(1, Ordering::SeqCst)) != self.lost {
            self.outer.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
        }
    }
}

impl Planted {
    pub(crate) fn new(inner: Box<dyn Machine>, flaw: Option<Flaw>) -> Self {
        let lost = (flaw == Some(Flaw::LosesAWake)).then_some(2);
        let outer = Mutex::new(Waker::noop().clone());
        let wakes = Arc::new(Wakes { outer, count: AtomicUsize::new(0), lost });
        Self { inner, flaw, wakes, seen: 0, answers: 0, kept: Io::default() }
    }

    fn before(&mut self, io: &mut Io, cx: &mut Context<'_>) {
        let ends_in_cr = io.input.len() > self.seen && io.input.ends_with(b"\r");
        match self.flaw {
            Some(Flaw::LosesAByte) if ends_in_cr => io.input.truncate(io.input.len() - 1),
            Some(Flaw::DoublesAByte) if ends_in_cr => io.input.extend_from_slice(b"\n"),
            Some(Flaw::Hoards) => std::mem::forget(io.input[self.seen.min(io.input.len())..].to_vec()),
            Some(Flaw::NeverDrains) => io.drain = false,
            Some(Flaw::NeverRests) if io.peer == Peer::Open => cx.waker().wake_by_ref(),
            _ => {}
        }
    }

    fn after(&mut self, before: u64, now: Now, io: &mut Io, cx: &mut Context<'_>, wants: &mut Wants) {
        let answered = before == 0 && io.output.chunk().starts_with(b"HTTP/1.1 2");
        self.answers += usize::from(answered);
        match self.flaw {
            Some(Flaw::AnswersTwice) if answered => {
                // Not taken out, which only a driver does.
                let mut slices = [IoSlice::new(&[]); 64];
                let filled = io.output.chunks_vectored(&mut slices);
                let answer: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
                io.output.push(answer);
            }
            Some(Flaw::NeverAnswers) if answered && self.answers == 1 => io.output.clear(),
            Some(Flaw::NeverTimesOut) => wants.wake_at = None,
            Some(Flaw::WakesInThePast) if wants.wake_at.is_some() && answered => {
                wants.wake_at = Some(now.mono)
            }
            Some(Flaw::LeavesItsWaker) if wants.phase == Phase::Done => std::mem::forget(cx.waker().clone()),
            Some(Flaw::EndsInGoodOrder) if wants.phase == Phase::Abort && io.output.is_empty() => {
                *wants = Wants::DONE;
            }
            Some(Flaw::NeverCloses) if before == 0 && is_control(io, 8) => io.output.clear(),
            Some(Flaw::NeverPongs) if before == 0 && is_control(io, 10) => io.output.clear(),
            Some(Flaw::NeverGivesUp) if !io.output.is_empty() => wants.wake_at = None,
            Some(Flaw::BreaksOffAtDrain) if io.drain && io.peer == Peer::Open && *wants != Wants::DONE => {
                *wants = Wants { phase: Phase::Abort, ..Wants::DONE };
            }
            Some(Flaw::Ticks) if wants.wake_at.is_some() => {
                wants.wake_at = Some(now.mono + Duration::from_micros(1))
            }
            Some(Flaw::LeavesEarly) if wants.phase == Phase::Lingering => *wants = Wants::DONE,
            _ => {}
        }
    }

    /// Takes all output away, and gives it back at the pace of the driver.
    fn step_unbounded(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        std::mem::swap(&mut self.kept.output, &mut io.output);
        let mut wants = self.inner.step(now, io, cx);
        for _ in 0..1_000 {
            let written = io.output.copy_to_bytes(io.output.remaining());
            if written.is_empty() {
                break;
            }
            self.kept.output.push(written);
            wants = self.inner.step(now, io, cx);
        }
        std::mem::swap(&mut self.kept.output, &mut io.output);
        match wants.phase {
            Phase::Done if !io.output.is_empty() && io.peer != Peer::Gone => {
                Wants { phase: Phase::Open, ..wants }
            }
            _ => wants,
        }
    }
}

/// Whether all that goes out is one frame of this opcode, as a server sends it.
fn is_control(io: &Io, opcode: u8) -> bool {
    let chunk = io.output.chunk();
    chunk.first() == Some(&(0x80 | opcode)) && chunk.len() as u64 == io.output.len() && {
        chunk.get(1).is_some_and(|length| usize::from(*length) + 2 == chunk.len())
    }
}

impl Machine for Planted {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        let (drain, written) = (io.drain, io.output.len());
        self.before(io, cx);
        *self.wakes.outer.lock().unwrap_or_else(PoisonError::into_inner) = cx.waker().clone();
        let waker = Waker::from(self.wakes.clone());
        let mut inner = Context::from_waker(&waker);
        let mut wants = match self.flaw {
            Some(Flaw::NeverWaits) => self.step_unbounded(now, io, &mut inner),
            _ => self.inner.step(now, io, &mut inner),
        };
        self.after(written, now, io, cx, &mut wants);
        io.drain = drain;
        self.seen = io.input.len();
        wants
    }
}
