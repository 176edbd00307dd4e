//! One machine on the driver's seat, with a test for a driver and a clock that stands still.
//!
//! The rule: the wire does what every driver does and no more. It steps only for a cause (bytes, freed
//! output, a change of peer or drain, a wake, an effect's answer, a deadline), so that a machine which needs a
//! step for nothing hangs here as it would on a socket.

mod driving;
mod effects;
mod expect;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::time::Duration;

use bakestone::machine::{ConnectionInfo, Io, Machine, Moment, Now, Peer, Phase, Read, Wants};
use bytes::Buf;

use crate::laws::Law;
use crate::transcript::{Event, Transcript};

pub(crate) use driving::{Moved, panic_text};

/// Not zero, so that a machine which takes the epoch for "never" or for "now" is found out.
pub(crate) const START: Moment = Moment::from_epoch(Duration::from_secs(1_000));

/// 2024-01-01T00:00:00Z, a Monday.
const START_WALL: Duration = Duration::from_secs(1_704_067_200);

/// What a peer reads between two operations: a stream without end must not run for ever.
const READ_AT_ONCE: usize = 16 << 20;

/// The most that a driver reads at a time.
pub(crate) const READ_SIZE: usize = 16 << 10;

/// Drives one [`Machine`] by hand.
///
/// The clock starts at 2024-01-01T00:00:00Z and moves only by [`advance`](Self::advance). Output is taken from
/// the machine at once and kept until [`take`](Self::take) or [`expect`](Self::expect), unless
/// [`hold_output`](Self::hold_output) makes the peer a slow reader. Each operation that could matter to the
/// machine lets it run until nothing moves any more; between two operations the peer reads at most 16 MiB.
///
/// The wire panics, with its [transcript](Self::transcript), if the machine panics, never comes to rest, wants
/// to be woken in the past, or is not quiet once it is done.
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
/// use bakestone_testkit::Wire;
///
/// let mut wire = Wire::new(Echo);
/// wire.feed("hello\r\n");
/// wire.expect("hello\r\n").expect_open();
/// ```
pub struct Wire<M> {
    machine: M,
    io: Io,
    now: Now,
    wants: Wants,
    waker: Arc<Flag>,
    /// Something happened that the machine has not been stepped for.
    cause: bool,
    received: Vec<u8>,
    holds_output: bool,
    /// What the peer still reads before the next operation.
    allowance: usize,
    effects: effects::Answers,
    habits: Habits,
    fin_sent: bool,
    reset_sent: bool,
    closed: bool,
    steps: u64,
    /// How many steps are left before the driver drops everything, for the laws.
    pub(crate) steps_left: Option<u64>,
    transcript: Transcript,
    breach: Option<Breach>,
}

impl<M: fmt::Debug> fmt::Debug for Wire<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("machine", &self.machine)
            .field("wants", &self.wants)
            .finish_non_exhaustive()
    }
}

/// How this driver differs from the plain one, for the laws.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    /// It steps without cause too: twice more at every rest, and halfway to every deadline.
    pub(crate) eager: bool,
    /// It gives every step another waker, and only the last one reaches it.
    pub(crate) fresh_wakers: bool,
    /// It keeps a breach for its owner in place of a panic.
    pub(crate) keeps_breach: bool,
    /// Its peer reads less between two operations.
    pub(crate) reads_at_once: Option<usize>,
    /// Its peer goes away once it has read so many bytes, however it reads them.
    pub(crate) reads_in_all: Option<usize>,
    /// Its peer reads all that there is, in small pieces, at each deadline on the way through time.
    pub(crate) reads_on_the_way: bool,
}

/// A law that was seen broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) law: Law,
    pub(crate) what: String,
}

/// What became of a connection, as its peer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fate {
    /// The machine's phase.
    pub phase: Phase,
    /// Whether a FIN was sent.
    pub fin_sent: bool,
    /// Whether the connection was reset from this end.
    pub reset_sent: bool,
}

#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<M: Machine> Wire<M> {
    /// An open connection over `machine`, which is not stepped before the first operation.
    ///
    /// A `Box<dyn Machine>` is a machine too.
    pub fn new(machine: M) -> Self {
        Self {
            machine,
            io: Io::default(),
            now: Now::new(START, START_WALL),
            wants: Wants { read: Read::Need, wake_at: None, phase: Phase::Open },
            waker: Arc::default(),
            cause: true,
            received: Vec::new(),
            holds_output: false,
            allowance: READ_AT_ONCE,
            effects: effects::Answers::default(),
            habits: Habits::default(),
            fin_sent: false,
            reset_sent: false,
            closed: false,
            steps: 0,
            steps_left: None,
            transcript: Transcript::new(START),
            breach: None,
        }
    }

    /// As [`new`](Self::new), with what the driver knows of the connection.
    pub fn connected(machine: M, connection: ConnectionInfo) -> Self {
        let mut wire = Self::new(machine);
        wire.io.connection = connection.into();
        wire
    }

    /// The same, whose clocks begin at `now`.
    pub(crate) fn begun_at(mut self, now: Now) -> Self {
        self.now = now;
        self
    }

    /// Forgets what went over the wire.
    pub(crate) fn forget_transcript(&mut self) {
        self.transcript.clear();
    }

    pub(crate) fn with_habits(mut self, habits: Habits) -> Self {
        self.habits = habits;
        self.allowance = habits.reads_at_once.unwrap_or(READ_AT_ONCE);
        self
    }

    /// Sets what the driver knows of the connection. A driver knows it before the first byte.
    pub fn set_connection(&mut self, connection: ConnectionInfo) -> &mut Self {
        self.io.connection = connection.into();
        self
    }

    /// Sets the wall clock, as the time since the Unix epoch; the monotonic one goes on as it was.
    pub fn set_wall(&mut self, wall: Duration) -> &mut Self {
        self.now.wall = wall;
        self
    }

    /// Whether output stays where it is until it is [taken](Self::take_at_most): a peer that reads slowly.
    pub fn hold_output(&mut self, hold: bool) -> &mut Self {
        self.holds_output = hold;
        self
    }

    /// Whether the transcript is kept; it is, unless a test moves megabytes.
    pub fn record(&mut self, record: bool) -> &mut Self {
        self.transcript.mute(!record);
        self
    }

    /// Gives the machine all of `bytes` at once, whatever it wants, and lets it run.
    ///
    /// # Panics
    ///
    /// If the peer has finished or is gone: no driver has bytes after that.
    #[track_caller]
    pub fn feed(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        assert!(self.io.peer == Peer::Open, "the peer has finished: nothing can be fed\n{}", self.transcript);
        self.begin();
        self.append(bytes.as_ref());
        self.settle()
    }

    /// Gives the machine what it asks for, as a driver does: at most 16 KiB at a time, and only while it
    /// wants to read. Returns how many bytes it was given.
    ///
    /// # Panics
    ///
    /// If the peer has finished or is gone.
    #[track_caller]
    pub fn feed_politely(&mut self, bytes: impl AsRef<[u8]>) -> usize {
        let bytes = bytes.as_ref();
        let mut fed = 0;
        self.settle();
        while fed < bytes.len() && self.wants.read > Read::Pause && !self.is_over() {
            let piece = &bytes[fed..bytes.len().min(fed + READ_SIZE)];
            self.feed(piece);
            fed += piece.len();
        }
        fed
    }

    /// An operation begins: the peer reads on where it stopped.
    fn begin(&mut self) {
        self.allowance = self.habits.reads_at_once.unwrap_or(READ_AT_ONCE);
        self.flush();
    }

    /// Puts `bytes` into the input without a step.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.io.input.extend_from_slice(bytes);
            self.note(Event::Fed(bytes.to_vec()));
            self.cause = true;
        }
    }

    /// The peer finishes sending (FIN).
    #[track_caller]
    pub fn finish(&mut self) -> &mut Self {
        self.begin();
        if self.io.peer == Peer::Open {
            self.io.peer = Peer::Finished;
            self.note(Event::Finished);
            self.cause = true;
        }
        self.settle()
    }

    /// The peer is gone: the connection was reset, or a read or a write failed. What was not taken is lost.
    #[track_caller]
    pub fn reset(&mut self) -> &mut Self {
        self.go();
        self.settle()
    }

    fn go(&mut self) {
        if self.io.peer != Peer::Gone {
            self.io.peer = Peer::Gone;
            self.io.output.clear();
            self.note(Event::Gone);
            self.cause = true;
        }
    }

    /// The server begins to stop.
    #[track_caller]
    pub fn drain(&mut self) -> &mut Self {
        self.begin();
        if !self.io.drain {
            self.io.drain = true;
            self.note(Event::Drain);
            self.cause = true;
        }
        self.settle()
    }

    /// All output that waits, in the order in which it came.
    #[track_caller]
    pub fn take(&mut self) -> Vec<u8> {
        self.take_at_most(usize::MAX)
    }

    /// All output that waits, as text; what is not UTF-8 is replaced.
    #[track_caller]
    pub fn take_text(&mut self) -> String {
        String::from_utf8_lossy(&self.take()).into_owned()
    }

    /// The next `count` bytes of output, or fewer. If output is [held](Self::hold_output), that makes room,
    /// and the machine runs.
    #[track_caller]
    pub fn take_at_most(&mut self, count: usize) -> Vec<u8> {
        self.begin();
        self.settle();
        let mut taken: Vec<u8> = self.received.drain(..count.min(self.received.len())).collect();
        let more = (count - taken.len()).min(self.io.output.remaining());
        if more > 0 {
            self.move_output(more);
            taken.append(&mut self.received);
            self.service();
            self.settle();
        }
        taken
    }

    /// The output that has left and waits to be taken.
    #[cfg(feature = "websocket")]
    pub(crate) fn received(&self) -> &[u8] {
        &self.received
    }

    /// How many bytes of output wait to be taken.
    pub fn waiting(&self) -> usize {
        self.received.len() + self.io.output.remaining()
    }

    /// Lets the clock go on by `time`, with a stop at every deadline on the way.
    #[track_caller]
    pub fn advance(&mut self, time: Duration) -> &mut Self {
        /// A second's tick for a day is fine; a deadline a nanosecond away each time is a busy loop.
        const WAKES: usize = 100_000;
        self.begin();
        self.settle();
        let target = self.now.mono + time;
        let mut wakes = 0;
        while let Some(at) = self.next_deadline().filter(|at| *at <= target) {
            self.reach(at);
            if self.habits.reads_on_the_way {
                self.take_slowly();
            }
            wakes += 1;
            if wakes > WAKES {
                self.broken(Law::Deadlines, format!("{WAKES} deadlines within {time:?}"));
                return self;
            }
        }
        self.set_clock(target);
        self.settle()
    }

    /// Lets the clock go on to the next deadline; false if there is none.
    #[track_caller]
    pub fn advance_to_next_deadline(&mut self) -> bool {
        self.begin();
        self.settle();
        let next = self.next_deadline();
        if let Some(at) = next {
            self.reach(at);
        }
        next.is_some()
    }

    /// Lets the clock go on to `at`, before which there is no deadline. Nothing runs yet, so that machines on one clock can
    /// all be told the time before one of them wakes another.
    pub(crate) fn tell_time(&mut self, at: Moment) {
        self.cause |= self.next_deadline().is_some_and(|deadline| deadline <= at);
        self.shift_clock(at.since(self.now.mono));
    }

    #[track_caller]
    fn reach(&mut self, at: Moment) {
        self.set_clock(at);
        self.cause = true;
        self.settle();
    }

    #[track_caller]
    fn set_clock(&mut self, at: Moment) {
        if self.habits.eager {
            self.shift_clock(at.since(self.now.mono) / 2);
            self.settle();
        }
        self.shift_clock(at.since(self.now.mono));
    }

    fn shift_clock(&mut self, time: Duration) {
        self.now = Now::new(self.now.mono + time, self.now.wall.saturating_add(time));
    }

    /// What the machine wanted after its last step.
    pub fn wants(&self) -> Wants {
        self.wants
    }

    /// The machine's phase after its last step.
    pub fn phase(&self) -> Phase {
        self.wants.phase
    }

    /// What became of the connection so far.
    pub fn fate(&self) -> Fate {
        Fate { phase: self.wants.phase, fin_sent: self.fin_sent, reset_sent: self.reset_sent }
    }

    /// Whether the machine is done.
    pub fn is_done(&self) -> bool {
        self.wants.phase == Phase::Done
    }

    /// The clocks' present reading.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The moment at which the machine wants to be stepped; none once it is done.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.wants.wake_at.filter(|_| !self.is_over())
    }

    /// The time until [`next_deadline`](Self::next_deadline).
    pub fn time_to_deadline(&self) -> Option<Duration> {
        self.next_deadline().map(|at| at.since(self.now.mono))
    }

    /// What the machine and its driver share.
    pub fn io(&self) -> &Io {
        &self.io
    }

    /// What the machine and its driver share, to change by hand; the next operation steps the machine.
    pub fn io_mut(&mut self) -> &mut Io {
        self.cause = true;
        &mut self.io
    }

    /// The machine.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The machine, to change by hand; the next operation steps it.
    pub fn machine_mut(&mut self) -> &mut M {
        self.cause = true;
        &mut self.machine
    }

    /// How many steps the machine has made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether the machine was woken since its last step.
    pub fn is_woken(&self) -> bool {
        self.waker.0.load(Ordering::SeqCst)
    }

    /// What went over the wire so far; print it to read it.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    pub(crate) fn note(&mut self, event: Event) {
        self.transcript.push(self.now.mono, event);
    }
}
