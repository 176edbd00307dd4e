//! A machine that is written down as it runs.
//!
//! The rule: it shares its `Io` with the machine inside and moves no byte, so that the machine cannot tell it is there; it
//! only looks at what changed before a step, and at what came of it. Answers to effects pass through it on their way
//! back, and the wall clock runs evenly: what is read of it within a tenth of a second is what the tape says.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;

use super::effects::Effects;
use super::line::Line;
use super::recording::Recording;
use super::redact::Redactor;
use super::sink::Log;
use super::writer::Writer;
use super::{Head, Redaction};
use crate::machine::{Io, Machine, Moment, Now, Peer, Phase, Wants};

/// The wall clock may be so far from where an even one would be before it counts as having been set.
const JITTER: Duration = Duration::from_millis(100);

/// A machine over a machine that is otherwise transparent, and writes a [tape](super) of what goes in and comes out.
///
/// ```
/// # use bakestone::machine::{Io, Machine, Now, Phase, Read, Wants};
/// # struct Echo;
/// # impl Machine for Echo {
/// #     fn step(&mut self, _: Now, io: &mut Io, _: &mut std::task::Context<'_>) -> Wants {
/// #         let bytes = io.input.split();
/// #         io.output.extend_from_slice(&bytes);
/// #         Wants { read: Read::Need, wake_at: None, phase: Phase::Open }
/// #     }
/// # }
/// use bakestone::tape::Recorder;
/// use std::task::{Context, Waker};
///
/// let (mut recorder, log) = Recorder::logging(Echo);
/// let mut io = Io::default();
/// io.input.extend_from_slice(b"hi");
/// let _ = recorder.step(Now::default(), &mut io, &mut Context::from_waker(Waker::noop()));
/// drop(recorder);
/// assert_eq!(log.text(), "tape 1\nwall 0s\nmono 0s\nseed 0\n\n@ 0s\n> hi\n< hi\n# end\n");
/// ```
pub struct Recorder<M> {
    inner: M,
    taping: Option<Box<Taping>>,
}

impl<M> Recorder<M> {
    /// Passes everything to `inner` and writes nothing.
    pub fn off(inner: M) -> Self {
        Self { inner, taping: None }
    }

    /// Records `inner` as `recording` says, whatever its choice of connections is.
    pub fn new(inner: M, recording: Recording) -> Self {
        Self { inner, taping: Some(Box::new(Taping::new(recording))) }
    }

    /// Records all of `inner`, with nothing hidden, in memory.
    pub fn logging(inner: M) -> (Self, Log) {
        let log = Log::default();
        let recording = Recording::new(OneLog(log.clone())).redaction(Redaction::nothing()).bytes(u64::MAX);
        (Self::new(inner, recording), log)
    }

    /// Whether it writes.
    pub fn is_recording(&self) -> bool {
        self.taping.as_ref().is_some_and(|taping| !taping.is_over())
    }

    /// Hands on what was written so far.
    pub fn flush(&mut self) {
        if let Some(writer) = self.taping.as_mut().and_then(|taping| taping.writer.as_mut()) {
            writer.hand_on();
        }
    }

    /// The machine inside.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// The machine inside, to change by hand.
    pub fn inner_mut(&mut self) -> &mut M {
        &mut self.inner
    }
}

impl<M: Machine> Machine for Recorder<M> {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        let Some(taping) = &mut self.taping else { return self.inner.step(now, io, cx) };
        let (now, waker) = (taping.before(now, io, cx), taping.waker.clone());
        let wants = self.inner.step(now, io, &mut Context::from_waker(&waker));
        taping.after(now.mono, io, wants);
        if taping.is_over() && taping.effects.is_empty() {
            self.taping = None;
        }
        wants
    }
}

impl<M: fmt::Debug> fmt::Debug for Recorder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("inner", &self.inner)
            .field("is_recording", &self.is_recording())
            .finish_non_exhaustive()
    }
}

/// A sink of one tape.
struct OneLog(Log);

impl super::Sink for OneLog {
    fn open(&self, _: &Head) -> Result<Option<Box<dyn super::Track>>, super::SinkError> {
        Ok(Some(Box::new(self.0.clone())))
    }
}

/// Wakes the driver, and knows that it did.
struct Alarm {
    driver: Mutex<Option<Waker>>,
    rung: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        let driver = self.driver().clone();
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

impl Alarm {
    /// From now on this is who is woken.
    fn call(&self, waker: &Waker) {
        if !self.driver().as_ref().is_some_and(|driver| driver.will_wake(waker)) {
            // A waker is its runtime's, and may do anything when it is cloned or dropped.
            let waker = waker.clone();
            let before = self.driver().replace(waker);
            drop(before);
        }
    }

    fn driver(&self) -> MutexGuard<'_, Option<Waker>> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands between the driver and a machine that is recorded.
struct Taping {
    recording: Recording,
    /// `None` before the first step.
    writer: Option<Writer>,
    redactor: Redactor,
    effects: Effects,
    alarm: Arc<Alarm>,
    waker: Waker,
    /// Both clocks at the first step.
    start: Now,
    /// Where the wall clock would be at the first step if it had always run as it does now.
    wall: Duration,
    seen: Seen,
    /// The machine woke itself in its last step.
    woke_itself: bool,
    /// The step that is made has its line on the tape.
    begun: bool,
    /// A step is being made, or panicked.
    stepping: bool,
    /// The output, and the effects, that waited before the step.
    waited: (u64, usize),
}

/// The bytes of what stands between, the text aside.
#[cfg(test)]
pub(super) fn size() -> usize {
    size_of::<Taping>() + size_of::<Alarm>()
}

/// What was there when the last step ended.
struct Seen {
    input: usize,
    output: u64,
    taken: u64,
    peer: Peer,
    drain: bool,
    wants: Wants,
}

impl Taping {
    fn new(recording: Recording) -> Self {
        let alarm = Arc::new(Alarm { driver: Mutex::new(None), rung: AtomicBool::new(false) });
        let wants = Wants { read: crate::machine::Read::Need, wake_at: None, phase: Phase::Open };
        Self {
            writer: None,
            redactor: Redactor::new(recording.hidden()),
            recording,
            effects: Effects::default(),
            waker: alarm.clone().into(),
            alarm,
            start: Now::default(),
            wall: Duration::ZERO,
            seen: Seen { input: 0, output: 0, taken: 0, peer: Peer::Open, drain: false, wants },
            woke_itself: false,
            begun: false,
            stepping: false,
            waited: (0, 0),
        }
    }

    fn is_over(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_over)
    }

    /// Writes what has changed, and tells the machine what was answered; the clocks as the machine is to see them.
    fn before(&mut self, now: Now, io: &Io, cx: &mut Context<'_>) -> Now {
        self.alarm.call(cx.waker());
        let is_first = self.writer.is_none();
        if is_first {
            self.open(now, io);
        }
        let (now, set) = self.even(now);
        let rung = self.alarm.rung.swap(false, Ordering::SeqCst);
        let arrived = self.effects.arrived(&mut Context::from_waker(&self.waker));
        let cause = is_first || rung || set.is_some() || !arrived.is_empty() || self.has_cause(now.mono, io);
        (self.begun, self.stepping) = (false, true);
        self.waited = (io.output.len(), io.effects.len());
        if cause {
            self.begin(now.mono.since(self.start.mono), set);
            self.changes(io);
        }
        if rung && arrived.is_empty() {
            self.write(&Line::Wake);
        }
        for (number, answer) in arrived {
            let noted = self.effects.note(&answer, &self.redactor);
            self.write(&Line::Answer(number, noted));
            answer.deliver();
            // The step that follows is made for it.
            self.alarm.rung.store(false, Ordering::SeqCst);
        }
        now
    }

    /// Whether the driver, the clock or the machine itself has a reason for a step. Without one nothing comes of it.
    fn has_cause(&self, now: Moment, io: &Io) -> bool {
        let seen = &self.seen;
        let is_due = seen.wants.wake_at.is_some_and(|due| due <= now);
        let is_freed = io.output.taken() != seen.taken || io.output.len() != seen.output;
        let is_told = io.input.len() != seen.input || io.peer != seen.peer || io.drain != seen.drain;
        self.woke_itself || is_due || is_freed || is_told
    }

    fn open(&mut self, now: Now, io: &Io) {
        (self.start, self.wall) = (now, now.wall);
        let head = Head {
            wall: now.wall,
            mono: now.mono,
            connection: (*io.connection).clone(),
            limits: self.recording.known_limits().clone(),
            redaction: self.recording.hidden().clone(),
        };
        self.writer = Some(self.recording.open(&head));
    }

    /// The clocks with a wall clock that runs evenly, and what it was set to, if it was.
    fn even(&mut self, now: Now) -> (Now, Option<Duration>) {
        let since = now.mono.since(self.start.mono);
        let even = self.wall.saturating_add(since);
        if even.abs_diff(now.wall) <= JITTER {
            return (Now::new(now.mono, even), None);
        }
        self.wall = now.wall.saturating_sub(since);
        let wall = self.wall.saturating_add(since);
        (Now::new(now.mono, wall), Some(wall))
    }

    fn begin(&mut self, at: Duration, set: Option<Duration>) {
        self.begun = true;
        if let Some(writer) = &mut self.writer {
            writer.step(at, set);
        }
    }

    /// Whether so many bytes may have room: what has none is not even looked at.
    fn fits(&mut self, count: u64) -> bool {
        self.writer.as_mut().is_some_and(|writer| writer.fits(count))
    }

    fn write(&mut self, line: &Line) {
        if let Some(writer) = &mut self.writer {
            writer.line(line);
        }
    }

    /// What the driver has changed since the last step.
    fn changes(&mut self, io: &Io) {
        let new = io.input.get(self.seen.input..).unwrap_or_default();
        if !new.is_empty() && self.fits(new.len() as u64) {
            let mut bytes = new.to_vec();
            self.redactor.inward(&mut bytes);
            self.write(&Line::Input(Bytes::from(bytes)));
        }
        if io.peer != self.seen.peer {
            self.write(if io.peer == Peer::Gone { &Line::Gone } else { &Line::Finished });
        }
        if io.drain && !self.seen.drain {
            self.write(&Line::Drain);
        }
        if !io.output.is_empty() {
            self.write(&Line::Waits(io.output.len()));
        }
    }

    /// Writes what came of the step.
    fn after(&mut self, now: Moment, io: &mut Io, wants: Wants) {
        self.stepping = false;
        self.woke_itself = self.alarm.rung.swap(false, Ordering::SeqCst);
        // Output that the machine has thrown away makes room for what it says in its place.
        let (waited, effects) = self.waited;
        let before = if io.output.len() < waited { 0 } else { waited };
        let (new, at) = (io.output.len() - before, now.since(self.start.mono));
        if new > 0 && self.fits(new) {
            let mut bytes = io.output.pieces_after(before).collect::<Vec<_>>().concat();
            self.redactor.outward(&mut bytes);
            self.outcome(at, &Line::Output(Bytes::from(bytes)));
        }
        for effect in io.effects.split_off(effects.min(io.effects.len())) {
            if self.is_over() {
                io.effects.push(effect);
                continue;
            }
            let (effect, line) = self.effects.ask(effect, &mut Context::from_waker(&self.waker));
            io.effects.push(effect);
            self.outcome(at, &line);
        }
        if wants.phase != self.seen.wants.phase {
            self.outcome(at, &Line::Phase(wants.phase));
        }
        let (output, taken) = (io.output.len(), io.output.taken());
        let input = io.input.len();
        self.seen = Seen { input, output, taken, peer: io.peer, drain: io.drain, wants };
        let Some(writer) = &mut self.writer else { return };
        match wants.phase {
            Phase::Done => writer.end(),
            _ => writer.rest(now),
        }
    }

    fn outcome(&mut self, at: Duration, line: &Line) {
        if !self.begun {
            self.begin(at, None);
        }
        self.write(line);
    }
}

impl Drop for Taping {
    fn drop(&mut self) {
        let Some(writer) = self.writer.as_mut().filter(|writer| !writer.is_over()) else { return };
        match self.stepping {
            true => writer.cut("the step panicked"),
            false => writer.end(),
        }
    }
}
