//! The whole boundary between core and the world, on one page.
//!
//! **The rule:** everything that a [`Machine`] knows of the world stands in [`Now`] and [`Io`]; everything
//! that it wants of the world stands in [`Io`] and [`Wants`]. A driver moves bytes, tells the time, runs
//! effects and calls [`Machine::step`]; it never needs to know what the machine is doing.
//!
//! A driver's loop, in words:
//!
//! 1. `step`.
//! 2. Write what [`Io::output`] holds; run what [`Io::effects`] holds.
//! 3. By [`Wants::phase`]: shut down sending once the output is empty ([`Phase::Lingering`]), reset
//!    ([`Phase::Abort`]), or close ([`Phase::Done`]).
//! 4. By [`Wants::read`]: read into [`Io::input`].
//! 5. Sleep until there are bytes, room to write, a wake of the given `Context`'s waker, or
//!    [`Wants::wake_at`]; then go to 1.
//!
//! A step without cause is harmless, so there is no order of calls to get wrong.
//!
//! # The laws of every machine
//!
//! `bakestone_testkit::laws` checks them on any machine, wrapped ones included.
//!
//! 1. *Idempotent.* Nothing changed and nothing woke: a second step writes nothing and wants the same.
//! 2. *Split-invariant.* Any cut of the input gives the same messages and the same fate of the connection.
//! 3. *Deadlines* lie in the future and move.
//! 4. *Bounded.* One step does bounded work, then wakes itself (and then never says [`Read::Need`]).
//! 5. *Quiet* after [`Phase::Done`], which is said only with the output empty.
//! 6. *Total.* No panic on any bytes.
//! 7. *Backpressure.* Output never drained and input fed only while `read > Pause`: memory stays under
//!    [`Limits::max_buffered`](crate::Limits::max_buffered).
//! 8. *Droppable* at any point; nothing of the connection runs on.
//! 9. *The lazy driver.* Stepping only on new bytes, freed output, a change of `peer` or `drain`, a wake, an
//!    effect's answer or `wake_at` gives the same as stepping always, even when the waker changes each time.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::ops::Add;
use std::path::Path;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use bytes::BytesMut;

use crate::effect::Effect;
use crate::http::HttpDate;
pub use crate::output::{FileSegment, Output};

/// A point on the driver's monotonic clock, as the time since that clock's epoch.
///
/// One epoch serves a server and all its connections. It is a type of our own, and not `Instant`, because a
/// test makes any moment it likes, and because it prints as what it is.
///
/// ```
/// use bakestone::machine::Moment;
/// use std::time::Duration;
///
/// let start = Moment::from_epoch(Duration::from_secs(5));
/// assert_eq!((start + Duration::from_secs(2)).since(start), Duration::from_secs(2));
/// assert_eq!(start.since(start + Duration::from_secs(2)), Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// Nanoseconds, and one more: a connection keeps a dozen of these, most of them optional.
pub struct Moment(NonZeroU64);

impl Moment {
    /// The clock's epoch.
    pub const ZERO: Self = Self(NonZeroU64::MIN);

    /// The moment `time` after the clock's epoch; it saturates at some 584 years.
    pub const fn from_epoch(time: Duration) -> Self {
        let nanos = time.as_nanos();
        match nanos < NonZeroU64::MAX.get() as u128 {
            true => Self(NonZeroU64::MIN.saturating_add(nanos as u64)),
            false => Self(NonZeroU64::MAX),
        }
    }

    /// The time from the clock's epoch to this moment.
    pub const fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.0.get() - 1)
    }

    /// The time from `earlier` to this moment; zero if `earlier` is in fact later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl Default for Moment {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    /// The moment `time` later; it saturates, so that an endless duration is a deadline that never comes.
    fn add(self, time: Duration) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{:?}", self.since_epoch())
    }
}

/// A reading of the driver's clocks. Core never reads a clock of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Now {
    /// The monotonic clock: deadlines are decided by it.
    pub mono: Moment,
    /// The wall clock, as the time since the Unix epoch: `Date` is made from it.
    pub wall: Duration,
}

impl Now {
    /// A reading of both clocks.
    pub const fn new(mono: Moment, wall: Duration) -> Self {
        Self { mono, wall }
    }
}

/// What the driver knows of the other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// It may still send.
    #[default]
    Open,
    /// It has finished sending (FIN); it may still read.
    Finished,
    /// It is gone: reset, or a read or a write failed.
    Gone,
}

/// The end point of a connection, as the operating system names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and a port.
    Ip(SocketAddr),
    /// A unix socket, with its path if it has one.
    Unix(Option<Arc<Path>>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

/// What is known of a connection before its first byte. An outer machine (TLS, PROXY protocol) may refine it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The other end's address.
    pub peer: Option<Address>,
    /// This end's address.
    pub local: Option<Address>,
    /// Whether the bytes travel encrypted: the scheme is then `https`.
    pub secure: bool,
    /// The protocol that ALPN settled on (RFC 7301), if it was asked.
    pub alpn: Option<Arc<[u8]>>,
    /// Randomness for this connection, from the driver; a test gives a fixed one.
    pub seed: u64,
}

impl ConnectionInfo {
    /// A connection between two known ends.
    pub fn new(peer: Option<Address>, local: Option<Address>) -> Self {
        Self { peer, local, ..Self::default() }
    }

    /// `"https"` for a secure connection, else `"http"`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// The most input memory that goes from one connection to the next, in bytes.
const LENT: usize = 64 << 10;

/// Everything that a driver and a [`Machine`] share. The driver owns it.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Io {
    /// Bytes from the peer. The driver appends, the machine takes from the front.
    pub input: BytesMut,
    /// Bytes for the peer. The machine appends, the driver takes from the front.
    pub output: Output,
    /// Work for the driver. The machine appends, the driver takes all and runs it.
    pub effects: Vec<Effect>,
    /// What the driver knows of the other end. It only ever grows worse.
    pub peer: Peer,
    /// The server is stopping: finish what runs, then close. It is never taken back.
    pub drain: bool,
    /// What is known of the connection.
    pub connection: Arc<ConnectionInfo>,
    /// What the connection whose turn it is has for the time of it.
    pub(crate) lent: Option<Box<Lent>>,
}

impl Io {
    /// An open connection with nothing read and nothing written.
    pub fn new(connection: ConnectionInfo) -> Self {
        Self { connection: Arc::new(connection), ..Self::default() }
    }

    /// Lends memory to the connection whose turn it is, before a step: what it has of its own stays.
    ///
    /// ```
    /// use bakestone::machine::{Io, Memory};
    ///
    /// let (mut io, mut memory) = (Io::default(), Memory::default());
    /// io.lend(&mut memory);
    /// // Here the driver reads into `io.input`, steps the machine and writes `io.output`.
    /// io.give_back(&mut memory);
    /// assert_eq!(io.input.capacity(), 0);
    /// ```
    pub fn lend(&mut self, memory: &mut Memory) {
        if self.input.capacity() == 0 {
            std::mem::swap(&mut self.input, &mut memory.input);
        }
        self.output.exchange_memory(&mut memory.output);
        self.lent = self.lent.take().or_else(|| memory.lent.take());
    }

    /// Gives the memory back that holds nothing now, so that an idle connection owns none.
    pub fn give_back(&mut self, memory: &mut Memory) {
        if self.input.is_empty() {
            // Of two the larger is kept; the other is one too many, since only one connection has its turn.
            let mut input = std::mem::take(&mut self.input);
            // What is read into it next pins all of it: a head does, for as long as its handler runs.
            let is_large = input.try_reclaim(LENT + 1);
            if !is_large && input.capacity() > memory.input.capacity() {
                memory.input = input;
            }
        }
        self.output.give_memory(&mut memory.output);
        memory.lent = memory.lent.take().or_else(|| self.lent.take());
    }
}

/// Memory that goes from one connection to the next, as their turns come: a driver keeps one for a thread, and
/// [lends](Io::lend) it.
#[derive(Debug, Default)]
pub struct Memory {
    input: BytesMut,
    output: Output,
    lent: Option<Box<Lent>>,
}

/// What serves one connection after the other.
#[derive(Debug, Default)]
pub(crate) struct Lent {
    /// The last `Date` that was sent, which most often is the next one, too.
    pub(crate) date: HttpDate,
    /// What compresses and inflates the messages of WebSockets.
    #[cfg(feature = "websocket")]
    pub(crate) codecs: crate::ws::Codecs,
}

/// What a machine wants of the reading side, in growing order.
///
/// It is exhaustive on purpose: a driver must handle each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// Leave the bytes in the socket.
    Pause,
    /// Only a hang-up matters: read up to [`Limits::read_ahead`](crate::Limits::read_ahead) bytes to learn of
    /// one. The machine goes back to [`Read::Pause`] by itself once it holds that many.
    Watch,
    /// The machine cannot go on without bytes, unless `wake_at` or a wake comes first.
    Need,
}

/// Where a machine stands in its life, in the order in which it gets there.
///
/// It is exhaustive on purpose: a driver must handle each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Both directions are in use.
    Open,
    /// Nothing more will be written: send a FIN once the output is empty, and go on reading.
    Lingering,
    /// The message must look cut: discard what output there is, and reset the connection. A machine that wants
    /// the peer to have its output first asks for this once the output is empty.
    Abort,
    /// It is over, and the output is empty: close.
    Done,
}

/// What a machine wants until it is stepped again.
#[must_use = "a driver that ignores what the machine wants stalls the connection"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    /// What to do with the reading side.
    pub read: Read,
    /// Step again at this moment at the latest.
    pub wake_at: Option<Moment>,
    /// What to do with the connection.
    pub phase: Phase,
}

impl Wants {
    /// What a machine that has ended wants: nothing.
    pub const DONE: Self = Self { read: Read::Pause, wake_at: None, phase: Phase::Done };
}

/// A deterministic state machine between two queues of bytes.
///
/// The laws that it obeys stand at the head of [this module](self).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a machine that a driver can step",
    label = "this is not a `Machine`",
    note = "a service becomes one with `Session::new(service)`"
)]
pub trait Machine {
    /// Makes all the progress that can be made with what is there, within a bound.
    ///
    /// `cx`'s waker is how work elsewhere (another thread's answer, a runtime's own timer) asks for the next
    /// step. The one that was given last is the one that counts.
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants;
}

impl<M: Machine + ?Sized> Machine for &mut M {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        (**self).step(now, io, cx)
    }
}

impl<M: Machine + ?Sized> Machine for Box<M> {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        (**self).step(now, io, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grew_large_is_not_lent_on() {
        let (mut io, mut memory) = (Io::default(), Memory::default());
        io.lend(&mut memory);
        io.input.extend_from_slice(&[0; 1 << 20]);
        drop(io.input.split_to(1 << 20).freeze());
        io.input.reserve(16 << 10);
        io.give_back(&mut memory);
        io.lend(&mut memory);
        io.input.reserve(16 << 10);
        io.input.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n");
        let _head = io.input.split().freeze();
        assert!(io.input.capacity() <= LENT, "the head pins {} bytes more", io.input.capacity());
    }
}
