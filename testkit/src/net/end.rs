//! One end of a connection: a machine, and all that a driver does for it but wait.
//!
//! The rule: it steps only for a cause, and does with the two links what an adapter does with a socket; what a machine
//! does that no driver could bear is a [`Breach`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Waker};

use bakestone::effect::Effect;
use bakestone::machine::{ConnectionInfo, Io, Machine, Memory, Moment, Now, Peer, Phase, Read, Wants};

use super::bell::Bell;
use super::link::{Found, Link};
use crate::laws::Law;
use crate::transcript::{Event, Transcript};
use crate::wire::{Breach, READ_SIZE, panic_text};

/// Steps at one moment after which a machine is held never to come to rest.
const PATIENCE: usize = 20_000;

/// What a turn has at hand, and where it puts what concerns others.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) memory: Memory,
    pub(super) effects: Vec<Effect>,
    /// The most that the machine's input and output may hold.
    pub(super) max_buffered: Option<usize>,
    pub(super) read_ahead: usize,
    pub(super) steps: u64,
}

/// A machine on its side of a connection.
pub(super) struct End {
    machine: Option<Box<dyn Machine>>,
    io: Io,
    wants: Wants,
    bell: Arc<Bell>,
    waker: Waker,
    cause: bool,
    steps: u64,
    /// Whether there still is one; without it the machine goes on to its end.
    has_socket: bool,
    finished: bool,
    /// The server stops: the machine hears of it once it has read what is there.
    drain: bool,
}

/// What the network is to do after a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turned {
    /// Something moved.
    pub(super) moved: bool,
    /// The machine is over since this turn.
    pub(super) ended: bool,
}

impl End {
    pub(super) fn new(machine: Box<dyn Machine>, info: ConnectionInfo, bell: Arc<Bell>) -> Self {
        Self {
            machine: Some(machine),
            io: Io::new(info),
            wants: Wants { read: Read::Need, wake_at: None, phase: Phase::Open },
            waker: bell.clone().into(),
            bell,
            cause: true,
            steps: 0,
            has_socket: true,
            finished: false,
            drain: false,
        }
    }

    /// A machine without a connection.
    pub(super) fn alone(machine: Box<dyn Machine>, bell: Arc<Bell>) -> Self {
        Self { has_socket: false, ..Self::new(machine, ConnectionInfo::default(), bell) }
    }

    pub(super) fn drain(&mut self) {
        self.drain = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.machine.is_none()
    }

    /// How many steps it has made.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// When the machine wants its next step, if nothing else happens.
    pub(super) fn wake_at(&self) -> Option<Moment> {
        self.wants.wake_at.filter(|_| !self.is_over())
    }

    /// Steps, writes and reads until nothing moves at this moment.
    pub(super) fn turn(
        &mut self,
        now: Now,
        (inbound, outbound): (&mut Link, &mut Link),
        desk: &mut Desk,
        mut log: Option<&mut Transcript>,
    ) -> Result<Turned, Breach> {
        let mut turned = Turned::default();
        if self.is_over() {
            return Ok(turned);
        }
        self.io.lend(&mut desk.memory);
        for _ in 0..PATIENCE {
            if self.has_socket && inbound.is_reset(now.mono) {
                self.lose(&mut log, now);
            }
            if self.has_cause(now) {
                self.step(now, desk, &mut log)?;
                turned.moved = true;
            }
            let wrote = self.write(now, outbound, &mut log);
            if self.settle(now, inbound, outbound, &mut log) {
                self.end()?;
                turned.ended = true;
                break;
            }
            if !(wrote || self.read(now, inbound, desk.read_ahead, &mut log) || self.has_cause(now)) {
                if self.io.drain || !self.drain {
                    break;
                }
                self.io.drain = true;
                self.cause = true;
                note(&mut log, now, || Event::Drain);
            }
        }
        if self.has_cause(now) && !self.is_over() {
            return Err(Breach::new(Law::Bounded, format!("no rest after {PATIENCE} steps at one moment")));
        }
        self.io.give_back(&mut desk.memory);
        Ok(turned)
    }

    fn has_cause(&self, now: Now) -> bool {
        let is_due = self.wants.wake_at.is_some_and(|at| at <= now.mono);
        !self.is_over() && (self.cause || is_due || self.bell.is_rung())
    }

    fn step(&mut self, now: Now, desk: &mut Desk, log: &mut Option<&mut Transcript>) -> Result<(), Breach> {
        let Some(machine) = &mut self.machine else { return Ok(()) };
        self.cause = false;
        self.bell.hush();
        desk.steps += 1;
        self.steps += 1;
        let waiting = self.io.output.len();
        let (io, waker) = (&mut self.io, &self.waker);
        let step = || machine.step(now, io, &mut Context::from_waker(waker));
        let wants = catch_unwind(AssertUnwindSafe(step)).map_err(|panic| {
            let panic = AssertUnwindSafe(panic);
            Breach::new(Law::Total, format!("the step panicked: {}", panic_text(&**panic)))
        })?;
        let before = std::mem::replace(&mut self.wants, wants);
        if before != wants {
            note(log, now, || Event::Wants(wants));
        }
        for effect in self.io.effects.drain(..) {
            note(log, now, || Event::Effect(name(&effect).into()));
            desk.effects.push(effect);
        }
        self.judge(now, waiting, desk.max_buffered)
    }

    /// Holds a step against what every driver relies on.
    fn judge(&self, now: Now, waiting: u64, max_buffered: Option<usize>) -> Result<(), Breach> {
        let Io { input, output, peer, .. } = &self.io;
        let is_gone = *peer == Peer::Gone;
        if self.wants.phase == Phase::Done {
            let left = output.len();
            return match left == 0 || is_gone {
                true => Ok(()),
                false => Err(Breach::new(Law::Quiet, format!("Done while {left} bytes of output wait"))),
            };
        }
        if self.finished && output.len() > waiting && !is_gone {
            return Err(Breach::new(Law::Quiet, "bytes were written after the FIN"));
        }
        if self.wants.wake_at.is_some_and(|at| at <= now.mono) {
            return Err(Breach::new(Law::Deadlines, "the deadline is not in the future"));
        }
        let held = input.capacity() + output.capacity();
        if max_buffered.is_some_and(|most| held > most) {
            return Err(Breach::new(Law::Backpressure, format!("{held} bytes of input and output are kept")));
        }
        Ok(())
    }

    fn write(&mut self, now: Now, outbound: &mut Link, log: &mut Option<&mut Transcript>) -> bool {
        if !self.has_socket || self.wants.phase == Phase::Abort || self.io.output.is_empty() {
            return false;
        }
        let sent = outbound.send(now.mono, &mut self.io.output);
        if !sent.is_empty() {
            self.cause = true;
            note(log, now, || Event::Output(sent.to_vec()));
        }
        !sent.is_empty()
    }

    /// Does to the socket what the phase says; whether the machine is over.
    fn settle(
        &mut self,
        now: Now,
        inbound: &mut Link,
        outbound: &mut Link,
        log: &mut Option<&mut Transcript>,
    ) -> bool {
        match self.wants.phase {
            Phase::Open => false,
            Phase::Lingering => {
                if self.has_socket && self.io.output.is_empty() && !self.finished {
                    self.finished = true;
                    outbound.finish(now.mono);
                    note(log, now, || Event::FinSent);
                }
                false
            }
            Phase::Abort => {
                if self.has_socket {
                    note(log, now, || Event::ResetSent);
                    outbound.reset(now.mono);
                    inbound.close(now.mono);
                    self.lose(log, now);
                }
                false
            }
            Phase::Done => {
                if self.has_socket {
                    note(log, now, || Event::Closed);
                    self.close(now, inbound, outbound);
                }
                true
            }
        }
    }

    /// A socket that is closed with something unread in it resets its connection.
    fn close(&mut self, now: Now, inbound: &mut Link, outbound: &mut Link) {
        self.has_socket = false;
        if inbound.close(now.mono) {
            outbound.reset(now.mono);
        } else if !self.finished {
            outbound.finish(now.mono);
        }
    }

    /// The peer is gone: the machine goes on to its end without a socket.
    fn lose(&mut self, log: &mut Option<&mut Transcript>, now: Now) {
        note(log, now, || Event::Gone);
        self.has_socket = false;
        self.io.peer = Peer::Gone;
        self.io.output.clear();
        self.cause = true;
    }

    fn read(
        &mut self,
        now: Now,
        inbound: &mut Link,
        read_ahead: usize,
        log: &mut Option<&mut Transcript>,
    ) -> bool {
        let may_read = match self.wants.read {
            Read::Pause => false,
            Read::Watch => self.io.input.len() < read_ahead,
            Read::Need => true,
        };
        if !may_read || !self.has_socket || self.io.peer != Peer::Open {
            return false;
        }
        let before = self.io.input.len();
        self.io.input.reserve(READ_SIZE);
        match inbound.read(now.mono, &mut self.io.input, READ_SIZE) {
            Found::Nothing => return false,
            Found::Bytes => note(log, now, || Event::Fed(self.io.input[before..].to_vec())),
            Found::Fin => {
                self.io.peer = Peer::Finished;
                note(log, now, || Event::Finished);
            }
        }
        self.cause = true;
        true
    }

    /// Drops the machine; nothing of it may be left.
    fn end(&mut self) -> Result<(), Breach> {
        let machine = self.machine.take();
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(machine)));
        let panicked = dropped.err().map(AssertUnwindSafe);
        self.io = Io::default();
        // The end's own two are left.
        let wakers = Arc::strong_count(&self.bell) - 2;
        match panicked {
            Some(panic) => {
                Err(Breach::new(Law::Droppable, format!("the drop panicked: {}", panic_text(&**panic))))
            }
            None if wakers > 0 => {
                Err(Breach::new(Law::Droppable, format!("{wakers} wakers outlive the machine")))
            }
            None => Ok(()),
        }
    }
}

fn note(log: &mut Option<&mut Transcript>, now: Now, event: impl FnOnce() -> Event) {
    if let Some(log) = log {
        log.push(now.mono, event());
    }
}

fn name(effect: &Effect) -> &'static str {
    match effect {
        Effect::File(..) => "a file operation was asked for",
        Effect::Blocking(_) => "a blocking job was asked for",
        _ => "an effect was asked for",
    }
}
