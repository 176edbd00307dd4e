//! One request and its response, shared by the session and whatever the handler made of it.
//!
//! The rule: the session alone knows the protocol; the exchange only says what is wanted, what is there and
//! what is over. It knows nothing of HTTP/1. A body that is kept after the answer finds the exchange over,
//! and never reads the next request: the session reuses an exchange only when nobody else holds it.
//!
//! What the session asks of it stands here, what the handler's parts do in the module below.

mod handler;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::error::Disconnected;
use crate::limits::Limits;
use crate::message::{Asked, BodyError, OnDisconnect};
use crate::session::lifecycle::Task;
use crate::session::scope::{Scope, lock};
use crate::session::websocket::Driver;

pub(crate) struct Exchange {
    pub(crate) scope: Arc<Scope>,
    /// The request, for whoever renders an error of it; none of a request that could not be read.
    asked: Option<Asked>,
    /// The route's own handler time in milliseconds, or one of the two below.
    handler_millis: AtomicU32,
    /// The handler has asked for the body or written by itself: else the session need not look at what follows.
    touched: AtomicBool,
    /// Those of the session; of an exchange without one, the defaults.
    limits: Arc<Limits>,
    state: Mutex<State>,
}

/// The route says nothing of the handler's time.
const NO_TIME: u32 = u32::MAX;
/// The handler may take as long as it wants.
const ENDLESS: u32 = u32::MAX - 1;
/// The longest time that a route can say: 49 days.
const LONGEST: u32 = u32::MAX - 2;

/// The route says nothing of a limit.
const UNSET: u64 = u64::MAX;

#[derive(Default)]
struct State {
    incoming: Incoming,
    outgoing: Outgoing,
    /// Why the peer will neither send nor read any more.
    lost: Option<Disconnected>,
    /// The session has done with it: whatever is asked of it now comes too late.
    over: bool,
    /// The handler returned its response.
    responded: bool,
    /// The handler failed, and its error is being rendered.
    #[cfg(feature = "websocket")]
    failed: bool,
    /// Whether the handler is told of the loss, beyond what reading and writing tell.
    told: bool,
    /// Each waiting future has a place of its own.
    waits: BTreeMap<(Wait, u64), Waker>,
    next_id: u64,
    on_disconnect: Option<OnDisconnect>,
    switch: Switch,
    after: Vec<Task>,
    buffered_body_bytes: OfRoute,
    form_bytes: OfRoute,
}

/// What the route says of a limit, in place of the session's. Every idle connection keeps two, so one is a number.
#[derive(Clone, Copy)]
struct OfRoute(u64);

impl Default for OfRoute {
    fn default() -> Self {
        Self(UNSET)
    }
}

impl OfRoute {
    fn new(limit: u64) -> Self {
        Self(limit.min(UNSET - 1))
    }

    fn unless(self, usual: u64) -> u64 {
        if self.0 == UNSET { usual } else { self.0 }
    }
}

/// Which response makes the connection the handler's, as a stream of bytes in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Switch {
    #[default]
    Never,
    /// 101: the request asked for an upgrade.
    SwitchingProtocols,
    /// 2xx: the request asked for a tunnel.
    Successful,
}

impl Switch {
    fn by(self, status: StatusCode) -> bool {
        match self {
            Self::Never => false,
            Self::SwitchingProtocols => status == StatusCode::SWITCHING_PROTOCOLS,
            Self::Successful => status.is_success(),
        }
    }
}

/// What a future of the handler's waits for; the order parts the kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wait {
    /// Room for what it writes.
    Room,
    /// The client's end.
    Loss,
}

#[derive(Default)]
struct Incoming {
    chunk: Option<Bytes>,
    wanted: bool,
    waker: Option<Waker>,
    /// `None` while more may come.
    end: Option<Result<Option<Box<HeaderMap>>, BodyError>>,
}

/// The response that the handler writes by itself.
#[derive(Default)]
struct Outgoing {
    head: Option<Box<WrittenHead>>,
    queue: VecDeque<Bytes>,
    queued: usize,
    stage: WriteStage,
}

impl Outgoing {
    /// Forgets a response of which nothing was taken, but for the informational one before it.
    fn take_back(&mut self) -> Option<(Box<WrittenHead>, VecDeque<Bytes>)> {
        let mut head = self.head.take()?;
        (self.head, self.stage, self.queued) = (head.before.take(), WriteStage::Unused, 0);
        Some((head, std::mem::take(&mut self.queue)))
    }
}

/// The head of a response that the handler writes by itself, or of an informational one.
pub(crate) struct WrittenHead {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) length: Option<u64>,
    /// The informational one that goes out before it.
    pub(crate) before: Option<Box<WrittenHead>>,
    /// What the connection becomes by it.
    pub(crate) socket: Option<Box<Driver>>,
}

/// How far the handler's own writing has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum WriteStage {
    /// The handler has not begun to write.
    #[default]
    Unused,
    Open,
    Finished(Option<Box<HeaderMap>>),
    /// The writer was dropped in the middle.
    Abandoned,
}

/// What the session takes of the handler's own writing.
pub(crate) struct Written {
    pub(crate) head: Option<Box<WrittenHead>>,
    pub(crate) data: VecDeque<Bytes>,
    pub(crate) stage: WriteStage,
}

impl Exchange {
    pub(crate) fn new(scope: Arc<Scope>, limits: Arc<Limits>) -> Arc<Self> {
        Arc::new(Self::unshared(scope, None, limits))
    }

    pub(crate) fn unshared(scope: Arc<Scope>, asked: Option<Asked>, limits: Arc<Limits>) -> Self {
        let (handler_millis, touched) = (AtomicU32::new(NO_TIME), AtomicBool::new(false));
        Self { scope, asked, handler_millis, touched, limits, state: Mutex::default() }
    }

    /// An exchange that no session stands behind.
    pub(crate) fn detached(asked: Option<Asked>) -> Arc<Self> {
        let exchange = Self::unshared(Scope::detached(), asked, Arc::default());
        exchange.end();
        Arc::new(exchange)
    }

    /// Begins the exchange anew, for the next request; `switch` says which status makes the connection the handler's.
    pub(crate) fn restart(&mut self, switch: Switch, asked: Option<Asked>, bodiless: bool) {
        if self.state().over {
            self.forget();
        }
        self.asked = asked;
        let state = self.state();
        state.switch = switch;
        if bodiless {
            // The end of a body of nothing is there already, and nobody has to ask for it.
            state.incoming.end = Some(Ok(None));
        }
    }

    /// Makes the exchange, which nobody else holds, as new, so that nothing of the request is kept: a note of it would
    /// keep the bytes of its head, and what was put back those of its body. What is to run once the response has been
    /// flushed is given back.
    pub(crate) fn forget(&mut self) -> Vec<Task> {
        self.asked = None;
        *self.handler_millis.get_mut() = NO_TIME;
        *self.touched.get_mut() = false;
        std::mem::take(self.state()).after
    }

    fn state(&mut self) -> &mut State {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request, if one was read.
    pub(crate) fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    /// Whether the handler waits for a piece of the body that is not there.
    pub(crate) fn wants_body(&self) -> bool {
        if !self.touched.load(Ordering::Acquire) {
            return false;
        }
        let state = lock(&self.state);
        state.incoming.wanted && state.incoming.chunk.is_none() && state.incoming.end.is_none()
    }

    /// Hands over a piece of the body. The session does so only when it is wanted.
    pub(crate) fn give_chunk(&self, chunk: Bytes) {
        let waker = {
            let mut state = lock(&self.state);
            state.incoming.chunk = Some(chunk);
            state.incoming.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Ends the body, well or not. A body that has ended stays so.
    pub(crate) fn end_body(&self, end: Result<Option<HeaderMap>, BodyError>) {
        let waker = {
            let mut state = lock(&self.state);
            state.incoming.end.get_or_insert(end.map(|trailers| trailers.map(Box::new)));
            state.incoming.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Takes what the handler wrote by itself, and makes room for more.
    pub(crate) fn take_written(&self) -> Written {
        let (written, wakers) = {
            let mut state = lock(&self.state);
            let outgoing = &mut state.outgoing;
            let written = Written {
                head: outgoing.head.take(),
                data: std::mem::take(&mut outgoing.queue),
                stage: outgoing.stage.clone(),
            };
            outgoing.queued = 0;
            (written, state.take_room_waits())
        };
        wakers.into_iter().for_each(Waker::wake);
        written
    }

    /// Whether the handler has written anything by itself, if only an informational head.
    pub(crate) fn has_written(&self) -> bool {
        if !self.touched.load(Ordering::Acquire) {
            return false;
        }
        let outgoing = &lock(&self.state).outgoing;
        outgoing.stage != WriteStage::Unused || outgoing.head.is_some()
    }

    /// How far the handler's own writing has come.
    pub(crate) fn has_begun_writing(&self) -> bool {
        lock(&self.state).outgoing.stage != WriteStage::Unused
    }

    /// Whether the handler's own response is complete.
    pub(crate) fn has_finished_writing(&self) -> bool {
        matches!(lock(&self.state).outgoing.stage, WriteStage::Finished(_))
    }

    /// A response that the handler returned has begun: it writes none by itself any more, and informs of none.
    pub(crate) fn refuse_writing(&self) {
        let (head, wakers) = {
            let mut state = lock(&self.state);
            state.responded = true;
            (state.outgoing.head.take(), state.take_room_waits())
        };
        wakers.into_iter().for_each(Waker::wake);
        drop(head);
    }

    /// The handler's own response was given up before anything of it was sent.
    pub(crate) fn forget_writing(&self) {
        lock(&self.state).outgoing.stage = WriteStage::Unused;
    }

    /// The peer will neither send nor read any more. With `told`, [`Self::poll_lost`] resolves.
    pub(crate) fn lose(&self, why: Disconnected, told: bool) {
        let wakers: Vec<Waker> = {
            let mut state = lock(&self.state);
            let why = *state.lost.get_or_insert(why);
            state.told |= told;
            state.incoming.end.get_or_insert(Err(BodyError::Disconnected(why)));
            let mut wakers: Vec<Waker> = state.incoming.waker.take().into_iter().collect();
            wakers.extend(state.take_room_waits());
            if state.told && !state.waits.is_empty() {
                wakers.extend(std::mem::take(&mut state.waits).into_values());
            }
            wakers
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The session has done with the exchange: whoever still holds a part of it is told so.
    pub(crate) fn end(&self) {
        lock(&self.state).over = true;
        self.lose(Disconnected::Over, true);
    }

    /// The handler failed, whatever its error is rendered to.
    #[cfg(feature = "websocket")]
    pub(crate) fn note_failure(&self) {
        lock(&self.state).failed = true;
    }

    /// Whether the handler failed.
    #[cfg(feature = "websocket")]
    pub(crate) fn has_failed(&self) -> bool {
        lock(&self.state).failed
    }

    /// What the handler wants done when the peer is gone, if it has said so.
    pub(crate) fn on_disconnect(&self) -> Option<OnDisconnect> {
        lock(&self.state).on_disconnect
    }

    /// Takes what is to run once the response has been flushed.
    pub(crate) fn take_after(&self) -> Vec<Task> {
        std::mem::take(&mut lock(&self.state).after)
    }
}

impl State {
    fn take_room_waits(&mut self) -> Vec<Waker> {
        if self.waits.is_empty() {
            return Vec::new();
        }
        let losses = self.waits.split_off(&(Wait::Loss, 0));
        std::mem::replace(&mut self.waits, losses).into_values().collect()
    }

    fn slot(&mut self, id: &mut Option<u64>) -> u64 {
        *id.get_or_insert_with(|| {
            self.next_id += 1;
            self.next_id
        })
    }
}
