//! The handler's side of an exchange: its body, its own writing, its limits and its end.
//!
//! The rule: each waiting future has a slot of its own, and the lock is never held while waking or dropping what is not ours.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{ENDLESS, Exchange, LONGEST, NO_TIME, OfRoute, Wait, WriteStage, WrittenHead};
use crate::error::Disconnected;
use crate::limits::Limits;
use crate::message::{BodyError, OnDisconnect, WriteError};
use crate::session::lifecycle::Task;
use crate::session::scope::lock;

impl Exchange {
    pub(crate) fn poll_chunk(&self, cx: &Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        let mut state = lock(&self.state);
        let incoming = &mut state.incoming;
        if let Some(chunk) = incoming.chunk.take() {
            incoming.wanted = false;
            return Poll::Ready(Ok(Some(chunk)));
        }
        match &incoming.end {
            Some(Ok(_)) => return Poll::Ready(Ok(None)),
            Some(Err(error)) => return Poll::Ready(Err(error.again())),
            None => {}
        }
        let news = !std::mem::replace(&mut incoming.wanted, true);
        self.touched.store(true, Ordering::Release);
        let old = incoming.waker.replace(cx.waker().clone());
        drop(state);
        drop(old);
        if news {
            self.scope.nudge();
        }
        Poll::Pending
    }

    /// What is there of a body that has come to its end, if that is all there was.
    pub(crate) fn whole_chunk(&self) -> Option<Bytes> {
        let state = lock(&self.state);
        state.incoming.chunk.clone().filter(|_| matches!(state.incoming.end, Some(Ok(_))))
    }

    /// The body is gone, and what was kept of it is nobody's.
    pub(crate) fn forget_body(&self) {
        self.stop_wanting();
        let kept = lock(&self.state).incoming.chunk.take();
        drop(kept);
    }

    /// The reader went away without an answer: until it asks again, no deadline counts against the peer.
    pub(crate) fn stop_wanting(&self) {
        let old = {
            let mut state = lock(&self.state);
            state.incoming.wanted = false;
            state.incoming.waker.take()
        };
        if old.is_some() {
            self.scope.nudge();
        }
        drop(old);
    }

    /// Lets what was read of the body be read again, before what has come meanwhile.
    pub(crate) fn put_back(&self, bytes: Bytes) {
        let mut state = lock(&self.state);
        let chunk = &mut state.incoming.chunk;
        *chunk = Some(match chunk.take() {
            None => bytes,
            Some(later) => [bytes, later].concat().into(),
        });
    }

    /// The trailer fields, once the body has ended well.
    pub(crate) fn trailers(&self) -> Option<HeaderMap> {
        match &lock(&self.state).incoming.end {
            Some(Ok(trailers)) => trailers.as_deref().cloned(),
            _ => None,
        }
    }

    /// Queues an informational head, once the one before it is on its way.
    pub(crate) fn poll_inform(
        &self,
        head: &mut Option<Box<WrittenHead>>,
        id: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), WriteError>> {
        let mut state = lock(&self.state);
        if let Some(lost) = state.lost {
            return Poll::Ready(Err(WriteError::Disconnected(lost)));
        }
        if state.responded || state.outgoing.stage != WriteStage::Unused {
            return Poll::Ready(Err(WriteError::AlreadyResponded));
        }
        let slot = (Wait::Room, state.slot(id));
        let old = state.waits.remove(&slot);
        let waits = state.outgoing.head.is_some();
        if waits {
            state.waits.insert(slot, cx.waker().clone());
        } else {
            state.outgoing.head = head.take();
            self.touched.store(true, Ordering::Release);
        }
        drop(state);
        drop(old);
        if waits {
            return Poll::Pending;
        }
        self.scope.nudge();
        Poll::Ready(Ok(()))
    }

    /// Whether the request has been read to its end, and that was well.
    pub(crate) fn has_read_all(&self) -> bool {
        matches!(lock(&self.state).incoming.end, Some(Ok(_)))
    }

    /// Whether a response with this status makes the connection the handler's.
    pub(crate) fn switches_by(&self, status: StatusCode) -> bool {
        lock(&self.state).switch.by(status)
    }

    /// Begins the handler's own response.
    pub(crate) fn begin_writing(&self, mut head: WrittenHead) -> Result<(), WriteError> {
        {
            let mut state = lock(&self.state);
            if let Some(lost) = state.lost {
                return Err(WriteError::Disconnected(lost));
            }
            if state.responded || state.outgoing.stage != WriteStage::Unused {
                return Err(WriteError::AlreadyResponded);
            }
            // Of a socket the session reads all; the body of its request stays at its end.
            if state.switch.by(head.status) && head.socket.is_none() {
                // The body goes on, without an end, from the moment when the handler asked for the switch; what was
                // put back, or fetched and never taken, is of the message before.
                (state.incoming.end, state.incoming.chunk) = (None, None);
            }
            state.outgoing.stage = WriteStage::Open;
            self.touched.store(true, Ordering::Release);
            head.before = state.outgoing.head.take();
            state.outgoing.head = Some(Box::new(head));
        }
        self.scope.nudge();
        Ok(())
    }

    /// Queues `data`, whole, as soon as there is room.
    pub(crate) fn poll_write(
        &self,
        data: &mut Bytes,
        id: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), WriteError>> {
        let mut state = lock(&self.state);
        if let Some(lost) = state.lost {
            return Poll::Ready(Err(WriteError::Disconnected(lost)));
        }
        let slot = (Wait::Room, state.slot(id));
        let old = state.waits.remove(&slot);
        if state.outgoing.queued >= (self.limits.output_bytes / 4).max(1) {
            state.waits.insert(slot, cx.waker().clone());
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        let outgoing = &mut state.outgoing;
        outgoing.queued += data.len();
        outgoing.queue.push_back(std::mem::take(data));
        drop(state);
        drop(old);
        self.scope.nudge();
        Poll::Ready(Ok(()))
    }

    pub(crate) fn forget_room(&self, id: Option<u64>) {
        if let Some(id) = id {
            let old = lock(&self.state).waits.remove(&(Wait::Room, id));
            drop(old);
        }
    }

    /// Ends the handler's own response, or gives it up.
    pub(crate) fn end_writing(&self, stage: WriteStage) -> Result<(), WriteError> {
        let unsent = {
            let mut state = lock(&self.state);
            if let Some(lost) = state.lost {
                return Err(WriteError::Disconnected(lost));
            }
            let mut unsent = None;
            let has_begun = state.outgoing.stage != WriteStage::Unused;
            if has_begun && stage == WriteStage::Abandoned && state.outgoing.head.is_some() {
                // Nobody has seen it, so it is as if it had not begun.
                unsent = state.outgoing.take_back();
            } else {
                state.outgoing.stage = stage;
            }
            unsent
        };
        drop(unsent);
        self.scope.nudge();
        Ok(())
    }

    /// Puts the handler under a time of its own; `None` is without end.
    pub(crate) fn set_handler_time(&self, time: Option<Duration>) {
        let millis = time.map_or(ENDLESS, |time| {
            u32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(LONGEST).min(LONGEST)
        });
        self.handler_millis.store(millis, Ordering::Relaxed);
    }

    /// How long the handler may take; `usual` unless its route says otherwise.
    pub(crate) fn handler_time(&self, usual: Option<Duration>) -> Option<Duration> {
        match self.handler_millis.load(Ordering::Relaxed) {
            NO_TIME => usual,
            ENDLESS => None,
            millis => Some(Duration::from_millis(u64::from(millis))),
        }
    }

    pub(crate) fn set_buffered_body_bytes(&self, bytes: usize) {
        lock(&self.state).buffered_body_bytes = OfRoute::new(bytes as u64);
    }

    /// How much of the body a handler may have buffered, in bytes.
    pub(crate) fn buffered_body_bytes(&self) -> usize {
        let bytes = lock(&self.state).buffered_body_bytes.unless(self.limits.buffered_body_bytes as u64);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    pub(crate) fn set_form_bytes(&self, bytes: u64) {
        lock(&self.state).form_bytes = OfRoute::new(bytes);
    }

    /// How long a body of several parts may be, in bytes.
    pub(crate) fn form_bytes(&self) -> u64 {
        lock(&self.state).form_bytes.unless(self.limits.form_bytes)
    }

    /// The limits of the session.
    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    pub(crate) fn lost(&self) -> Option<Disconnected> {
        lock(&self.state).lost
    }

    pub(crate) fn poll_lost(&self, id: &mut Option<u64>, cx: &Context<'_>) -> Poll<Disconnected> {
        let mut state = lock(&self.state);
        if let (Some(lost), true) = (state.lost, state.told) {
            return Poll::Ready(lost);
        }
        let slot = state.slot(id);
        let old = state.waits.insert((Wait::Loss, slot), cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    pub(crate) fn forget_lost(&self, id: Option<u64>) {
        if let Some(id) = id {
            let old = lock(&self.state).waits.remove(&(Wait::Loss, id));
            drop(old);
        }
    }

    pub(crate) fn set_on_disconnect(&self, policy: OnDisconnect) {
        lock(&self.state).on_disconnect = Some(policy);
    }

    /// Keeps a task for the time after the response; given back if the exchange is over.
    pub(crate) fn add_after(&self, task: Task) -> Result<(), Task> {
        let mut state = lock(&self.state);
        if state.over {
            return Err(task);
        }
        state.after.push(task);
        Ok(())
    }
}
