//! A WebSocket between the session, which speaks the protocol, and whoever holds a half of it.
//!
//! The rule: a message is in one place at a time, so that a future that is dropped loses none: the session reads the
//! next only when the last was taken, and what is queued to be sent is queued whole. The lock is never held while
//! waking or dropping what is not ours.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::error::Disconnected;
use crate::message::{Overflow, WebSocketError};
use crate::session::scope::{Scope, lock};
use crate::ws::{self, CloseCode, CloseFrame, Message, Prepared};

pub(crate) struct Shared {
    scope: Arc<Scope>,
    /// How much may wait to be sent, in bytes.
    queue_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The session has sent the response that switches protocols.
    started: bool,
    inbox: Option<Message>,
    reader: Option<Waker>,
    outbox: Outbox,
    queued: usize,
    /// Senders that wait for room; whoever came first goes first.
    waits: BTreeMap<u64, Waker>,
    next_id: u64,
    missed: u64,
    /// What this end wants to say at the end.
    closing: Option<Box<CloseFrame>>,
    peer_close: Option<Box<CloseFrame>>,
    end: Option<End>,
    /// Nobody receives any more.
    deaf: bool,
    /// Nobody holds a part of it any more.
    released: bool,
}

/// A queue that owns no memory while it holds at most one.
#[derive(Default)]
struct Outbox {
    first: Option<Outgoing>,
    rest: VecDeque<Outgoing>,
}

impl Outbox {
    fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn push(&mut self, outgoing: Outgoing) {
        match self.first {
            None => self.first = Some(outgoing),
            Some(_) => self.rest.push_back(outgoing),
        }
    }

    fn pop(&mut self) -> Option<Outgoing> {
        let next = self.rest.pop_front();
        if self.rest.is_empty() {
            self.rest = VecDeque::new();
        }
        std::mem::replace(&mut self.first, next)
    }
}

/// What the session is to do next.
pub(super) enum Next {
    Send(Outgoing),
    Close(CloseFrame),
    /// Nobody holds a part of it any more, and nobody has said how to close.
    Released,
    Nothing,
}

/// What waits to be sent.
#[derive(Clone)]
pub(crate) enum Outgoing {
    Message(Message),
    Prepared(Arc<Prepared>),
}

impl Outgoing {
    /// What it counts in the queue: many empty messages are not free.
    fn cost(&self) -> usize {
        const ENTRY: usize = 64;
        ENTRY
            + match self {
                Self::Message(message) => message.len(),
                Self::Prepared(prepared) => prepared.message().len(),
            }
    }
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Both ends have said so, or this one has waited long enough for the other.
    Closed,
    Lost(Disconnected),
    /// The peer broke the protocol.
    Failed(ws::Error),
    /// What was to be sent was more than the queue holds.
    Overflowed,
}

impl End {
    /// What a sender is told.
    fn error(&self) -> WebSocketError {
        match self {
            Self::Closed => WebSocketError::Closed,
            Self::Lost(why) => WebSocketError::Disconnected(*why),
            Self::Failed(error) => WebSocketError::Refused(*error),
            Self::Overflowed => WebSocketError::Overflowed,
        }
    }
}

impl Shared {
    pub(crate) fn new(scope: Arc<Scope>, queue_bytes: usize) -> Arc<Self> {
        Arc::new(Self { scope, queue_bytes, state: Mutex::default() })
    }

    /// The next message; `None` once the peer has closed.
    pub(crate) fn poll_receive(&self, cx: &Context<'_>) -> Poll<Result<Option<Message>, WebSocketError>> {
        let mut state = lock(&self.state);
        if let Some(message) = state.inbox.take() {
            drop(state);
            self.scope.nudge();
            return Poll::Ready(Ok(Some(message)));
        }
        match &state.end {
            Some(End::Closed) => return Poll::Ready(Ok(None)),
            Some(end) => return Poll::Ready(Err(end.error())),
            None => {}
        }
        let old = state.reader.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Waits for the session to have switched protocols.
    pub(crate) fn poll_started(&self, cx: &Context<'_>) -> Poll<Result<(), WebSocketError>> {
        let mut state = lock(&self.state);
        if let Some(end) = &state.end {
            return Poll::Ready(Err(end.error()));
        }
        if state.started {
            return Poll::Ready(Ok(()));
        }
        let old = state.reader.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Queues what is to be sent, whole, as `overflow` has it where there is no room.
    pub(crate) fn poll_send(
        &self,
        outgoing: &mut Option<Outgoing>,
        overflow: Overflow,
        id: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), WebSocketError>> {
        let Some(cost) = outgoing.as_ref().map(Outgoing::cost) else { return Poll::Ready(Ok(())) };
        let mut state = lock(&self.state);
        if let Some(error) = state.refusal() {
            return Poll::Ready(Err(error));
        }
        if overflow == Overflow::Wait {
            let slot = state.slot(id);
            if !state.fits(cost, self.queue_bytes) || state.waits.range(..slot).next().is_some() {
                let old = state.waits.insert(slot, cx.waker().clone());
                drop(state);
                drop(old);
                return Poll::Pending;
            }
            state.queue(outgoing.take(), cost);
            let (old, next) = (state.waits.remove(&slot), state.next_sender(self.queue_bytes));
            drop(state);
            drop(old);
            next.into_iter().for_each(Waker::wake);
        } else {
            match state.force(outgoing, cost, overflow, self.queue_bytes) {
                Ok(dropped) => {
                    drop(state);
                    drop(dropped);
                }
                Err(ended) => {
                    drop(state);
                    ended.wake();
                    self.scope.nudge();
                    return Poll::Ready(Err(WebSocketError::Overflowed));
                }
            }
        }
        self.scope.nudge();
        Poll::Ready(Ok(()))
    }

    /// A sender went away without having sent.
    pub(crate) fn forget_send(&self, id: Option<u64>) {
        let Some(id) = id else { return };
        let (old, next) = {
            let mut state = lock(&self.state);
            (state.waits.remove(&id), state.next_sender(self.queue_bytes))
        };
        drop(old);
        next.into_iter().for_each(Waker::wake);
    }

    /// Asks for the end, once what is queued was sent. The first wish counts.
    pub(crate) fn close(&self, frame: CloseFrame) -> Result<(), WebSocketError> {
        let wakers = {
            let mut state = lock(&self.state);
            if let Some(error) = state.refusal() {
                return Err(error);
            }
            state.closing = Some(Box::new(frame));
            std::mem::take(&mut state.waits)
        };
        self.scope.nudge();
        wakers.into_values().for_each(Waker::wake);
        Ok(())
    }

    /// Nobody receives any more: what the peer still says is dropped, but for what the protocol needs.
    pub(crate) fn stop_receiving(&self) {
        let inbox = {
            let mut state = lock(&self.state);
            state.deaf = true;
            state.inbox.take()
        };
        drop(inbox);
        self.scope.nudge();
    }

    /// Nobody holds a part of it any more.
    pub(crate) fn release(&self) {
        lock(&self.state).released = true;
        self.stop_receiving();
    }

    pub(crate) fn peer_close(&self) -> Option<CloseFrame> {
        lock(&self.state).peer_close.as_deref().cloned()
    }

    pub(crate) fn missed(&self) -> u64 {
        lock(&self.state).missed
    }

    /// Whether nothing can be sent any more.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).refusal().is_some()
    }
}

/// What the session asks of it.
impl Shared {
    pub(super) fn start(&self) {
        let waker = {
            let mut state = lock(&self.state);
            state.started = true;
            state.reader.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether the session may read the next message. After the end there is nobody to wait for.
    pub(super) fn takes_message(&self) -> bool {
        let state = lock(&self.state);
        state.inbox.is_none() || state.end.is_some()
    }

    /// Hands over a message; one for nobody is dropped, and so is one that comes behind the end.
    pub(super) fn give(&self, message: Message) {
        let (waker, for_nobody) = {
            let mut state = lock(&self.state);
            match state.deaf || state.end.is_some() {
                true => (None, Some(message)),
                false => (state.reader.take(), state.inbox.replace(message)),
            }
        };
        drop(for_nobody);
        waker.into_iter().for_each(Waker::wake);
    }

    /// What is to be sent next; at the end, what is to be said there.
    pub(super) fn next(&self) -> Next {
        let (outgoing, sender) = {
            let mut state = lock(&self.state);
            let Some(outgoing) = state.outbox.pop() else {
                return match &state.closing {
                    Some(frame) => Next::Close(CloseFrame::clone(frame)),
                    None if state.released && state.end.is_none() => Next::Released,
                    None => Next::Nothing,
                };
            };
            state.queued -= outgoing.cost();
            (outgoing, state.next_sender(self.queue_bytes))
        };
        sender.into_iter().for_each(Waker::wake);
        Next::Send(outgoing)
    }

    pub(super) fn peer_closed(&self, frame: Option<CloseFrame>) {
        lock(&self.state).peer_close = frame.map(Box::new);
        self.end(End::Closed);
    }

    /// It is over: whoever waits is told. The first end counts.
    pub(super) fn end(&self, end: End) {
        let ended = lock(&self.state).end(end);
        ended.wake();
    }
}

/// What is woken and dropped without the lock.
struct Ended {
    reader: Option<Waker>,
    senders: BTreeMap<u64, Waker>,
    _outbox: Outbox,
}

impl Ended {
    fn wake(self) {
        self.reader.into_iter().chain(self.senders.into_values()).for_each(Waker::wake);
    }
}

impl State {
    /// Why nothing more can be sent.
    fn refusal(&self) -> Option<WebSocketError> {
        match &self.end {
            Some(end) => Some(end.error()),
            None => self.closing.is_some().then_some(WebSocketError::Closed),
        }
    }

    fn fits(&self, cost: usize, bound: usize) -> bool {
        self.outbox.is_empty() || self.queued.saturating_add(cost) <= bound
    }

    fn queue(&mut self, outgoing: Option<Outgoing>, cost: usize) {
        self.queued += cost;
        outgoing.into_iter().for_each(|outgoing| self.outbox.push(outgoing));
    }

    /// Queues without waiting: the oldest make room, or all of it ends.
    fn force(
        &mut self,
        outgoing: &mut Option<Outgoing>,
        cost: usize,
        overflow: Overflow,
        bound: usize,
    ) -> Result<Vec<Outgoing>, Ended> {
        let mut dropped = Vec::new();
        while !self.fits(cost, bound) {
            if overflow != Overflow::DropOldest {
                self.closing = Some(Box::new(CloseFrame::new(CloseCode::TRY_AGAIN_LATER)));
                return Err(self.end(End::Overflowed));
            }
            let Some(oldest) = self.outbox.pop() else { break };
            self.queued -= oldest.cost();
            self.missed += 1;
            dropped.push(oldest);
        }
        self.queue(outgoing.take(), cost);
        Ok(dropped)
    }

    /// The first of the senders that wait, if there is room for any.
    fn next_sender(&mut self, bound: usize) -> Option<Waker> {
        let has_room = self.outbox.is_empty() || self.queued < bound;
        self.waits.first_key_value().filter(|_| has_room).map(|(_, waker)| waker.clone())
    }

    fn end(&mut self, end: End) -> Ended {
        self.end.get_or_insert(end);
        self.queued = 0;
        Ended {
            reader: self.reader.take(),
            senders: std::mem::take(&mut self.waits),
            _outbox: std::mem::take(&mut self.outbox),
        }
    }

    fn slot(&mut self, id: &mut Option<u64>) -> u64 {
        *id.get_or_insert_with(|| {
            self.next_id += 1;
            self.next_id
        })
    }
}
