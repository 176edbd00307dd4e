//! Between a socket and a machine: everything that a driver does but wait.
//!
//! The rule: a turn moves whatever can be moved without waiting, and says what to wait for. What happens to
//! the socket follows from the machine's wants alone.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, IoSlice};
use std::task::Context;
use std::time::Duration;

use bakestone::Limits;
use bakestone::effect::Effect;
use bakestone::machine::{ConnectionInfo, Io, Machine, Memory, Moment, Now, Peer, Phase, Read, Wants};
use bytes::{Buf, BytesMut};

/// How many bytes one read takes at most. Of a peer that has filled the last one it takes as many as
/// [`Limits::output_bytes`], so that what is sent back as it comes is read and written in like pieces.
pub const READ_AT_ONCE: usize = 16 << 10;

/// More than this is not read at once, whatever the limits say.
const LARGEST_READ: usize = 1 << 20;

/// How often a runtime that hears of no error of a socket which it neither reads nor writes looks for one.
pub const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Slices in one vectored write.
const SLICES: usize = 16;

thread_local! {
    /// What is lent to the connection whose turn comes next: an idle one owns none.
    static SPARE: RefCell<Memory> = RefCell::default();
}

/// Reads at most `most` bytes, once, from a source of the standard library's, for [`Socket::read`].
///
/// The bytes land in a buffer of the thread's and are copied from there: the price of no `unsafe`, and less
/// than that of zeroing the room for them at each read.
///
/// # Errors
///
/// Those of the source.
pub fn read_from(source: &mut impl io::Read, into: &mut BytesMut, most: usize) -> io::Result<usize> {
    thread_local! {
        static LANDING: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    LANDING.with_borrow_mut(|landing| {
        landing.resize(most.max(landing.len()), 0);
        let count = source.read(&mut landing[..most])?;
        into.extend_from_slice(&landing[..count]);
        Ok(count)
    })
}

/// A socket that does not block: where nothing can be moved it says [`io::ErrorKind::WouldBlock`].
pub trait Socket {
    /// Whether a read that was not filled needs no other after it, since whatever stands behind is told anew. Who waits by
    /// edge alone says no: it has been told of a FIN that came together with the last bytes.
    const WAITS_BY_LEVEL: bool = true;

    /// Reads what is there to the end of `into`, which has room for `most` bytes.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, or that the peer is gone.
    fn read(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize>;

    /// As [`read`](Self::read), even if the runtime has not heard yet that there is something: the last look
    /// before a server stops.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, or that the peer is gone.
    fn look(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        self.read(into, most)
    }

    /// Writes from the front of `slices`.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, or that the peer is gone.
    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Sends a FIN: nothing more will be written.
    fn finish(&mut self);

    /// Lets the close that follows be a reset.
    fn reset(&mut self);
}

/// A machine on a socket.
pub struct Connection<M, S: Socket> {
    machine: M,
    /// `None` once the peer is gone; the machine then ends without it.
    socket: Option<S>,
    io: Io,
    /// What the machine wanted of the reading side when it was last stepped.
    wanted: Read,
    /// A read of this turn has emptied the socket.
    emptied: bool,
    /// How many bytes the next read takes at most: more while each is filled.
    appetite: usize,
    finished: bool,
    /// The machine has said that the connection may be closed in good order.
    orderly: bool,
    read_ahead: usize,
    /// How many bytes a read takes at most of a peer that fills each.
    most: usize,
}

/// A connection that is dropped before its machine said how it ends must not look as if it had ended well.
impl<M, S: Socket> Drop for Connection<M, S> {
    fn drop(&mut self) {
        if let (false, Some(socket)) = (self.orderly, &mut self.socket) {
            socket.reset();
        }
    }
}

impl<M: fmt::Debug, S: Socket> fmt::Debug for Connection<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("machine", &self.machine)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

/// What a turn ended with.
#[must_use = "it says when the next turn is due, and whether there is one"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing can be moved: take the next turn when one of these comes, or the waker wakes.
    Wait {
        /// The socket can be read, and the machine wants it.
        readable: bool,
        /// The socket has room, and there is something to write.
        writable: bool,
        /// The moment has come.
        until: Option<Moment>,
    },
    /// More can be moved at once: let others have their turn, then take the next.
    Again,
    /// The connection is over.
    Over,
}

impl<M: Machine, S: Socket> Connection<M, S> {
    /// A machine on an open socket.
    pub fn new(machine: M, socket: S, info: ConnectionInfo, limits: &Limits) -> Self {
        Self {
            machine,
            socket: Some(socket),
            io: Io::new(info),
            wanted: Read::Need,
            emptied: false,
            appetite: READ_AT_ONCE,
            finished: false,
            orderly: false,
            read_ahead: limits.read_ahead,
            most: limits.output_bytes.clamp(READ_AT_ONCE, LARGEST_READ),
        }
    }

    /// The socket, to wait on; `None` once the peer is gone.
    pub fn socket(&self) -> Option<&S> {
        self.socket.as_ref()
    }

    /// Moves whatever can be moved without waiting.
    ///
    /// `perform` gets the machine's effects, and sees to it that they are answered.
    pub fn turn(
        &mut self,
        clock: impl Fn() -> Now,
        drain: bool,
        cx: &mut Context<'_>,
        mut perform: impl FnMut(Effect),
    ) -> Turn {
        SPARE.with_borrow_mut(|memory| self.io.lend(memory));
        let turn = self.rounds(clock, drain, cx, &mut perform);
        self.io.drain = drain;
        SPARE.with_borrow_mut(|memory| self.io.give_back(memory));
        turn
    }

    fn rounds(
        &mut self,
        clock: impl Fn() -> Now,
        drain: bool,
        cx: &mut Context<'_>,
        mut perform: impl FnMut(Effect),
    ) -> Turn {
        self.emptied = false;
        // Most turns begin because there is something to read.
        self.read(false);
        // A peer that keeps the socket full must not keep the thread from the others.
        for _ in 0..16 {
            let wants = self.machine.step(clock(), &mut self.io, cx);
            self.wanted = wants.read;
            if !self.io.effects.is_empty() {
                std::mem::take(&mut self.io.effects).into_iter().for_each(&mut perform);
            }
            let wrote = self.write(wants);
            if self.settle(wants) {
                return Turn::Over;
            }
            let read = self.read(drain && !self.io.drain) || wants.phase == Phase::Abort;
            if !wrote && !read {
                // A request that had arrived before the server stopped is one that it answers: the machine hears
                // of the drain when all that was there has been read.
                if !drain || self.io.drain {
                    return self.wait(wants);
                }
                self.io.drain = true;
            }
        }
        Turn::Again
    }

    /// Writes what the socket takes; whether it took anything.
    fn write(&mut self, wants: Wants) -> bool {
        let mut any = false;
        while wants.phase != Phase::Abort && self.io.output.has_remaining() {
            let Some(socket) = &mut self.socket else { break };
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.io.output.chunks_vectored(&mut slices);
            match socket.write(&slices[..filled]) {
                Ok(0) => self.lose(),
                Ok(count) => self.io.output.advance(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.lose(),
            }
            any = true;
        }
        any
    }

    /// Does to the socket what the phase says; whether the connection is over.
    fn settle(&mut self, wants: Wants) -> bool {
        // As long as something is to be written, an end here would look like the end of the message.
        self.orderly = matches!(wants.phase, Phase::Lingering | Phase::Done) && self.io.output.is_empty();
        match wants.phase {
            Phase::Open => {}
            Phase::Lingering if self.io.output.is_empty() && !self.finished => {
                self.finished = true;
                if let Some(socket) = &mut self.socket {
                    socket.finish();
                }
            }
            Phase::Lingering => {}
            Phase::Abort => {
                if let Some(socket) = &mut self.socket {
                    socket.reset();
                }
                self.lose();
            }
            Phase::Done => return true,
        }
        false
    }

    /// Reads once, if the machine wants it; whether that brought news. `look` asks the socket itself.
    fn read(&mut self, look: bool) -> bool {
        if !self.may_read() || (self.emptied && !look) {
            return false;
        }
        let Some(socket) = &mut self.socket else { return false };
        // What nobody asks for is read to learn of a hang-up, and not fast.
        let most = if self.wanted == Read::Need { self.appetite } else { READ_AT_ONCE };
        let input = &mut self.io.input;
        input.reserve(most);
        match if look { socket.look(input, most) } else { socket.read(input, most) } {
            Ok(0) => self.io.peer = Peer::Finished,
            Ok(count) => {
                self.emptied = S::WAITS_BY_LEVEL && count < most;
                self.appetite = if count < most { READ_AT_ONCE } else { self.most };
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(_) => self.lose(),
        }
        true
    }

    fn may_read(&self) -> bool {
        self.socket.is_some()
            && self.io.peer == Peer::Open
            && match self.wanted {
                Read::Pause => false,
                Read::Watch => self.io.input.len() < self.read_ahead,
                Read::Need => true,
            }
    }

    /// The peer is gone: the machine goes on to its end without a socket. Whoever waits on the socket calls
    /// it when the socket reports an error that no read would find.
    pub fn lose(&mut self) {
        self.socket = None;
        self.io.peer = Peer::Gone;
        self.io.output.clear();
    }

    fn wait(&self, wants: Wants) -> Turn {
        let writable = self.socket.is_some() && self.io.output.has_remaining();
        Turn::Wait { readable: self.may_read(), writable, until: wants.wake_at }
    }
}
