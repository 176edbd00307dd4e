//! Between the completions of a ring and a [`Socket`], which says what can be done at once.
//!
//! The rule: what is said to be written is what the kernel has taken. A write that cannot be answered yet is begun,
//! and says `WouldBlock`; when its completion has come, the same write is asked for once more and gets the answer.
//! That works since the bytes that wait stay at the front of the output until they are counted as written.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::mem;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use bakestone_std::{Socket, read_from};
use bytes::BytesMut;
use socket2::SockRef;

use crate::ring::{Buffer, Completion, Descriptor, Event, Ring, Ticket};

/// How many bytes are copied for one send at most.
const SEND_AT_ONCE: usize = 64 << 10;
/// How many sent vectors are kept to be filled again.
const SPARE: usize = 64;

thread_local! {
    /// An idle connection owns none.
    static SPARES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A connected socket, in the hands of the loop.
pub(crate) struct Channel {
    descriptor: Descriptor,
    state: RefCell<State>,
}

/// The same socket, in the hands of the connection.
pub(crate) struct Stream(Rc<Channel>);

#[derive(Default)]
struct State {
    /// What came before `arrived`, and was not read in time to give its buffers back.
    unread: BytesMut,
    arrived: VecDeque<Buffer>,
    end: Option<End>,
    sending: Sending,
    receiving: Option<Ticket>,
    /// A cancellation of `receiving` is on its way.
    pausing: bool,
    watching: Option<Ticket>,
}

/// How receiving ended.
enum End {
    Finished,
    /// The error, until it is told.
    Broken(Option<io::Error>),
}

#[derive(Default)]
enum Sending {
    #[default]
    Idle,
    /// To be begun after the turn.
    Asked(Vec<u8>),
    UnderWay(Ticket),
    /// The answer that the next write gets.
    Done(io::Result<usize>),
}

impl Channel {
    /// A socket that nothing was asked of yet.
    pub(crate) fn new(descriptor: Descriptor) -> Rc<Self> {
        Rc::new(Self { descriptor, state: RefCell::default() })
    }

    /// What the connection holds of it.
    pub(crate) fn stream(self: &Rc<Self>) -> Stream {
        Stream(self.clone())
    }

    /// Takes in what came of an operation.
    pub(crate) fn complete(&self, completion: Completion) {
        let state = &mut *self.state.borrow_mut();
        match completion.event {
            Event::Received(result) => {
                if completion.last {
                    (state.receiving, state.pausing) = (None, false);
                }
                match result {
                    Ok(Some(buffer)) => state.arrived.push_back(buffer),
                    Ok(None) => state.end = Some(End::Finished),
                    // Without a buffer the next try finds one, and who cancels knows it.
                    Err(error) if matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::ECANCELED)) => {}
                    Err(error) => state.end = Some(End::Broken(Some(error))),
                }
            }
            Event::Sent(result, bytes) => {
                state.sending = Sending::Done(result);
                spare(bytes);
            }
            Event::Watched(broken) => {
                if completion.last {
                    state.watching = None;
                }
                if broken && !matches!(state.end, Some(End::Broken(_))) {
                    state.end = Some(End::Broken(None));
                }
            }
            Event::Accepted(_) => {}
        }
    }

    /// Whether the socket has met an error that the connection has not been told of, or did not ask for.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.state.borrow().end, Some(End::Broken(_)))
    }

    /// After a turn: begins the write that was asked for.
    pub(crate) fn send(&self, id: usize, ring: &mut Ring) {
        let state = &mut *self.state.borrow_mut();
        state.sending = match mem::take(&mut state.sending) {
            Sending::Asked(bytes) => Sending::UnderWay(ring.send(id, &self.descriptor, bytes)),
            other => other,
        };
    }

    /// After a turn that left nothing to do at once: receives, if the connection reads. If nothing at all is under way, a
    /// hang-up is waited for.
    pub(crate) fn wait(&self, id: usize, readable: bool, ring: &mut Ring) {
        self.send(id, ring);
        let state = &mut *self.state.borrow_mut();
        let unread = state.keep_unread();
        match state.receiving {
            None if readable && state.end.is_none() => {
                state.receiving = Some(ring.receive(id, &self.descriptor));
            }
            Some(ticket) if unread && !state.pausing => {
                state.pausing = true;
                ring.cancel(ticket);
            }
            _ => {}
        }
        let waits = state.receiving.is_some() || matches!(state.sending, Sending::UnderWay(_));
        // An error that has been told would be told again at once.
        let broken = matches!(state.end, Some(End::Broken(_)));
        if !waits && !broken && state.watching.is_none() {
            state.watching = Some(ring.watch(id, &self.descriptor));
        }
    }

    /// Cancels what is under way: the socket is closed when that is over.
    pub(crate) fn close(&self, ring: &mut Ring) {
        let state = &mut *self.state.borrow_mut();
        let sending = match mem::take(&mut state.sending) {
            Sending::UnderWay(ticket) => Some(ticket),
            _ => None,
        };
        [sending, state.receiving.take(), state.watching.take()]
            .into_iter()
            .flatten()
            .for_each(|ticket| ring.cancel(ticket));
    }
}

impl State {
    /// Takes what the connection left unread out of its buffers, so that others may have them; whether there was any.
    fn keep_unread(&mut self) -> bool {
        let any = !self.arrived.is_empty();
        self.arrived.drain(..).for_each(|buffer| self.unread.extend_from_slice(&buffer));
        any
    }

    /// Moves to `into` what was received, at most so much; how much it was.
    fn read(&mut self, into: &mut BytesMut, most: usize) -> usize {
        let mut count = self.unread.len().min(most);
        if count > 0 {
            into.extend_from_slice(&self.unread.split_to(count));
        } else {
            // An idle connection keeps no memory for it.
            self.unread = BytesMut::new();
        }
        let fits = |count, buffer: &Buffer| count + buffer.len() <= most;
        while self.unread.is_empty() && self.arrived.front().is_some_and(|buffer| fits(count, buffer)) {
            let Some(buffer) = self.arrived.pop_front() else { break };
            into.extend_from_slice(&buffer);
            count += buffer.len();
        }
        count
    }
}

impl Socket for Stream {
    /// What has come is all there is to see: nothing tells once more of a FIN that came with the last bytes.
    const WAITS_BY_LEVEL: bool = false;

    fn read(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        let state = &mut *self.0.state.borrow_mut();
        match (state.read(into, most), &mut state.end) {
            (0, None) => Err(ErrorKind::WouldBlock.into()),
            (0, Some(End::Finished)) => Ok(0),
            (0, Some(End::Broken(error))) => Err(error.take().unwrap_or(ErrorKind::ConnectionReset.into())),
            (count, _) => Ok(count),
        }
    }

    /// The loop has taken in what the kernel had; only where it was not told to receive is there more to see.
    fn look(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        let read = self.read(into, most);
        let would_block = |error: &io::Error| error.kind() == ErrorKind::WouldBlock;
        if self.0.state.borrow().receiving.is_some() || !read.as_ref().is_err_and(would_block) {
            return read;
        }
        let socket = SockRef::from(&*self.0.descriptor);
        socket.set_nonblocking(true)?;
        let read = read_from(&mut &*socket, into, most);
        socket.set_nonblocking(false)?;
        read
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let state = &mut *self.0.state.borrow_mut();
        match mem::take(&mut state.sending) {
            Sending::Done(result) => result,
            Sending::Idle => {
                state.sending = Sending::Asked(copy(slices));
                Err(ErrorKind::WouldBlock.into())
            }
            other => {
                state.sending = other;
                Err(ErrorKind::WouldBlock.into())
            }
        }
    }

    fn finish(&mut self) {
        // If the peer is gone already, the next read says so.
        let _ = SockRef::from(&*self.0.descriptor).shutdown(Shutdown::Write);
    }

    fn reset(&mut self) {
        // Without it the close is an orderly one, which is the most that can still be done.
        let _ = SockRef::from(&*self.0.descriptor).set_linger(Some(Duration::ZERO));
    }
}

/// The first bytes of `slices`, as many as one send takes.
fn copy(slices: &[IoSlice<'_>]) -> Vec<u8> {
    let mut bytes = SPARES.with_borrow_mut(Vec::pop).unwrap_or_default();
    for slice in slices {
        let room = SEND_AT_ONCE - bytes.len();
        bytes.extend_from_slice(&slice[..slice.len().min(room)]);
    }
    bytes
}

fn spare(mut bytes: Vec<u8>) {
    bytes.clear();
    SPARES.with_borrow_mut(|spares| {
        if spares.len() < SPARE {
            spares.push(bytes);
        }
    });
}
