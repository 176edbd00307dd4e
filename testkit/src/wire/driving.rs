//! The driver's loop: one step, what a driver does after it, and how often.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use bakestone::machine::{Machine, Peer, Phase, Wants};
use bytes::Buf;

use super::{Breach, Wire};
use crate::laws::Law;
use crate::transcript::{Event, Transcript};

/// Steps after which a machine that still moves is held never to come to rest; each byte of input that waits
/// allows one more.
const PATIENCE: usize = 100_000;

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) consumed: usize,
    pub(crate) written: u64,
    pub(crate) effects: usize,
    pub(crate) woken: bool,
}

impl Moved {
    /// Whether the step did any work.
    pub(crate) fn any(self) -> bool {
        self.consumed > 0 || self.written > 0 || self.effects > 0
    }
}

impl<M: Machine> Wire<M> {
    /// Steps the machine once, whether or not there is cause, and does what a driver does after a step.
    #[track_caller]
    pub fn step(&mut self) -> &mut Self {
        self.step_raw();
        self.service();
        self
    }

    /// Steps the machine while there is cause.
    ///
    /// # Panics
    ///
    /// If that never ends: the machine goes on waking itself.
    #[track_caller]
    pub fn settle(&mut self) -> &mut Self {
        let patience = PATIENCE + self.io.input.len();
        let mut steps = 0;
        loop {
            while self.has_cause() {
                self.step();
                steps += 1;
                if steps > patience {
                    self.broken(Law::Bounded, format!("no rest after {steps} steps at one moment"));
                    return self;
                }
            }
            if !self.habits.eager || self.is_over() {
                return self;
            }
            self.step().step();
            steps += 2;
            if !self.has_cause() {
                return self;
            }
        }
    }

    /// Whether a lazy driver would step now.
    pub(crate) fn has_cause(&self) -> bool {
        !self.is_over() && (self.cause || self.is_woken())
    }

    /// Whether a driver would never step again.
    pub(crate) fn is_over(&self) -> bool {
        self.is_done() || self.is_stopped()
    }

    fn is_stopped(&self) -> bool {
        self.breach.is_some() || self.steps_left == Some(0)
    }

    /// One step and nothing of what a driver does after it.
    #[track_caller]
    pub(crate) fn step_raw(&mut self) -> Moved {
        if self.is_stopped() {
            return Moved::default();
        }
        if let Some(left) = &mut self.steps_left {
            *left -= 1;
        }
        if self.habits.fresh_wakers {
            self.waker = Arc::default();
        }
        self.waker.0.store(false, Ordering::SeqCst);
        self.cause = false;
        self.steps += 1;
        let (input, output) = (self.io.input.len(), self.io.output.len());
        let waker = Waker::from(self.waker.clone());
        let (machine, io, now) = (&mut self.machine, &mut self.io, self.now);
        let stepped =
            catch_unwind(AssertUnwindSafe(|| machine.step(now, io, &mut Context::from_waker(&waker))));
        drop(waker);
        let moved = Moved {
            consumed: input.saturating_sub(self.io.input.len()),
            written: self.io.output.len().saturating_sub(output),
            effects: self.io.effects.len(),
            woken: self.is_woken(),
        };
        match stepped {
            Ok(wants) => self.judge(wants, moved),
            Err(panic) => self.broken(Law::Total, format!("the step panicked: {}", panic_text(&*panic))),
        }
        moved
    }

    /// Holds a step against the laws that any driver can see.
    #[track_caller]
    fn judge(&mut self, wants: Wants, moved: Moved) {
        let before = std::mem::replace(&mut self.wants, wants);
        if before != wants || self.steps == 1 {
            self.note(Event::Wants(wants));
        }
        let worked = moved.written > 0 || moved.effects > 0;
        if before.phase == Phase::Done && (wants.phase != Phase::Done || worked || moved.woken) {
            self.broken(Law::Quiet, format!("not quiet after Done: {wants:?}, {moved:?}"));
        } else if wants.phase == Phase::Done && !self.io.output.is_empty() && self.io.peer != Peer::Gone {
            let waiting = self.io.output.len();
            self.broken(Law::Quiet, format!("Done while {waiting} bytes of output wait"));
        } else if self.fin_sent && moved.written > 0 && self.io.peer != Peer::Gone {
            self.broken(Law::Quiet, format!("{} bytes written after the FIN", moved.written));
        } else if wants.phase != Phase::Done && wants.wake_at.is_some_and(|at| at <= self.now.mono) {
            let late = wants.wake_at.map_or(self.now.mono, |at| at);
            let late = self.now.mono.since(late);
            self.broken(Law::Deadlines, format!("the deadline is not in the future, but {late:?} ago"));
        }
    }

    /// What a driver does after a step: effects, then output, then the phase.
    #[track_caller]
    pub(crate) fn service(&mut self) {
        self.answer_new_effects();
        if self.wants.phase == Phase::Abort && !self.reset_sent {
            self.reset_sent = true;
            self.note(Event::ResetSent);
            // From here on there is no socket, and no peer, as after an error of either.
            self.io.peer = Peer::Gone;
            self.cause = true;
        }
        if self.io.peer == Peer::Gone && !self.io.output.is_empty() {
            // A machine that waits for its output to leave must not wait for ever.
            self.io.output.clear();
            self.cause = true;
        }
        self.flush();
        let may_finish = self.io.output.is_empty() && self.io.peer != Peer::Gone;
        if self.wants.phase == Phase::Lingering && may_finish && !self.fin_sent {
            self.fin_sent = true;
            self.note(Event::FinSent);
        }
        if self.is_done() && !self.closed {
            self.closed = true;
            self.note(Event::Closed);
        }
    }

    /// Writes to a peer that reads.
    pub(super) fn flush(&mut self) {
        if !self.holds_output {
            let count = self.io.output.remaining().min(self.allowance);
            self.allowance -= count;
            self.move_output(count);
        }
    }

    /// Lets the peer read all that there is, in pieces of all sizes.
    pub(crate) fn take_slowly(&mut self) {
        const SIZES: [usize; 6] = [1, 7, 64, 1, 1_000, 16 << 10];
        for size in SIZES.into_iter().cycle().take(100_000) {
            if self.take_at_most(size).is_empty() {
                break;
            }
        }
    }

    /// Writes `count` bytes to the peer, or what it reads of them before it goes away.
    pub(super) fn move_output(&mut self, count: usize) {
        let count = count.min(self.habits.reads_in_all.unwrap_or(usize::MAX));
        if count > 0 {
            let bytes = self.io.output.copy_to_bytes(count);
            self.note(Event::Output(bytes.to_vec()));
            self.received.extend_from_slice(&bytes);
            self.cause = true;
            self.count_read(count);
        }
    }

    fn count_read(&mut self, count: usize) {
        if let Some(left) = &mut self.habits.reads_in_all {
            *left -= count;
            if *left == 0 {
                self.go();
            }
        }
    }

    /// A law is broken: panic, or keep it for the one who checks laws. The first breach is the one that
    /// counts: what comes after it may follow from it.
    #[track_caller]
    pub(crate) fn broken(&mut self, law: Law, what: String) {
        assert!(self.habits.keeps_breach, "law {law}: {what}\n{}", self.transcript);
        if self.breach.is_none() {
            self.breach = Some(Breach { law, what });
        }
    }

    pub(crate) fn breach(&self) -> Option<&Breach> {
        self.breach.as_ref()
    }

    /// Drops the machine and all that belongs to it, and answers what was held too late.
    ///
    /// The error tells what was left running, or what panicked.
    pub(crate) fn dismantle(self) -> (Transcript, Result<(), String>) {
        let Self { machine, io, waker, mut effects, habits, breach, transcript, .. } = self;
        let parts = AssertUnwindSafe((machine, io));
        let dropped = catch_unwind(move || drop(parts));
        let answered = catch_unwind(AssertUnwindSafe(|| effects.answer_late()));
        drop(effects);
        let left = Arc::strong_count(&waker) - 1;
        let panicked = |result: &Result<(), Box<dyn Any + Send>>| {
            result.as_ref().err().map(|panic| panic_text(&**panic))
        };
        let result = match (panicked(&dropped), panicked(&answered)) {
            // A machine that has panicked owes nothing more.
            _ if breach.is_some() => Ok(()),
            (Some(text), _) => Err(format!("the drop panicked: {text}")),
            (None, Some(text)) => Err(format!("an answer after the drop panicked: {text}")),
            (None, None) if left > 0 && !habits.fresh_wakers => {
                Err(format!("{left} wakers outlive the machine"))
            }
            (None, None) => Ok(()),
        };
        (transcript, result)
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message").to_owned()
}
