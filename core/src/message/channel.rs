//! A body that is sent from elsewhere: from a task, a thread, or another request's handler.
//!
//! The rule: what is sent waits in bounded room, is taken whole or not at all, and arrives in order. The body is complete
//! only if its sender said so; one that was dropped in the middle cuts it off.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;

use crate::error::{BoxError, Disconnected};
use crate::message::{Body, BodyStream};
use crate::session::scope::lock;

/// What the smallest piece takes of the room: about what it takes of the memory.
const SMALLEST: usize = 64;

/// The sending end of a body, from [`Body::channel`] or [`Body::written`].
///
/// ```
/// use bakestone::{Body, Context, Response, Result};
/// use std::time::Duration;
///
/// async fn countdown(context: Context) -> Result<Response> {
///     let (mut sender, body) = Body::channel(16 << 10);
///     context.spawn(move |context| async move {
///         for left in (1..=3).rev() {
///             sender.send(format!("{left}\n")).await?;   // the client may be gone: an error
///             context.sleep(Duration::from_secs(1)).await;
///         }
///         sender.finish()
///     })?;
///     Ok(Response::new(body))
/// }
/// ```
#[must_use = "a sender that is dropped cuts the body off"]
pub struct BodySender(Arc<Shared>);

struct Shared {
    /// In bytes.
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Bytes>,
    /// What the queue takes of the room.
    queued: usize,
    end: Option<End>,
    /// The body was dropped, or has ended.
    is_over: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Waits for the body to be over.
    watcher: Option<Waker>,
}

/// How a body ends.
pub(super) enum End {
    Finished(Option<HeaderMap>),
    Failed(BoxError),
    /// The sender was dropped.
    Abandoned,
}

/// What comes next of a body.
pub(super) enum Next {
    Piece(Bytes),
    End(End),
}

impl Body {
    /// A body, and the way to send it from elsewhere. What was sent and not yet taken is at most `capacity` bytes, and
    /// one piece more; a piece counts as 64 bytes at least.
    ///
    /// The body is polled, and so the sender is told of room, while the session has room for output.
    pub fn channel(capacity: usize) -> (BodySender, Self) {
        let (sender, channel) = channel(capacity);
        (sender, Self::from_stream(channel))
    }
}

pub(super) fn channel(capacity: usize) -> (BodySender, Channel) {
    let shared = Arc::new(Shared { capacity, state: Mutex::default() });
    (BodySender(shared.clone()), Channel { shared, trailers: None })
}

impl BodySender {
    /// Sends `data`: all of it once there is room, or, if the future is dropped, nothing.
    ///
    /// # Errors
    ///
    /// [`Disconnected`] if nobody takes the body any more: the client is gone, or got another response, or asked for
    /// the head alone.
    pub fn send(
        &mut self,
        data: impl Into<Bytes>,
    ) -> impl Future<Output = Result<(), Disconnected>> + Send + '_ {
        Sending { sender: self, data: data.into() }
    }

    /// Completes the body.
    ///
    /// # Errors
    ///
    /// [`Disconnected`] as by [`send`](Self::send).
    pub fn finish(self) -> Result<(), Disconnected> {
        self.0.end(End::Finished(None))
    }

    /// Completes the body with trailer fields. They reach a client that said `TE: trailers`, if the body is chunked;
    /// else they are left out (RFC 9110, section 6.5.1).
    ///
    /// # Errors
    ///
    /// [`Disconnected`] as by [`send`](Self::send).
    pub fn finish_with_trailers(self, trailers: HeaderMap) -> Result<(), Disconnected> {
        self.0.end(End::Finished(Some(trailers)))
    }

    /// Cuts the body off, for this reason. If it is the first that the session hears of the body, the client gets a
    /// 500 in its place.
    ///
    /// # Errors
    ///
    /// [`Disconnected`] as by [`send`](Self::send).
    pub fn fail(self, error: impl Into<BoxError>) -> Result<(), Disconnected> {
        self.0.end(End::Failed(error.into()))
    }

    /// Whether nobody takes the body any more.
    pub fn is_disconnected(&self) -> bool {
        lock(&self.0.state).is_over
    }

    /// Waits until nobody takes the body any more, for a sender that waits for something else meanwhile.
    pub fn disconnected(&mut self) -> impl Future<Output = Disconnected> + Send + '_ {
        poll_fn(|cx| self.0.poll_over(cx))
    }
}

impl Drop for BodySender {
    fn drop(&mut self) {
        // What has ended before stays ended as it did; and if nobody listens, nobody is to be told.
        let _ = self.0.end(End::Abandoned);
    }
}

impl fmt::Debug for BodySender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0.state);
        f.debug_struct("BodySender").field("queued", &state.queued).field("is_over", &state.is_over).finish()
    }
}

impl Shared {
    fn poll_send(&self, data: &mut Bytes, cx: &Context<'_>) -> Poll<Result<(), Disconnected>> {
        let mut state = lock(&self.state);
        if state.is_over {
            return Poll::Ready(Err(Disconnected::Over));
        }
        if data.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if state.queued > 0 && state.queued >= self.capacity {
            let old = state.writer.replace(cx.waker().clone());
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        state.queued += data.len().max(SMALLEST);
        state.queue.push_back(std::mem::take(data));
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }

    fn forget_writer(&self) {
        let old = lock(&self.state).writer.take();
        drop(old);
    }

    /// Ends the body, unless it has ended.
    fn end(&self, end: End) -> Result<(), Disconnected> {
        let mut state = lock(&self.state);
        if state.is_over {
            return Err(Disconnected::Over);
        }
        if state.end.is_some() {
            return Ok(());
        }
        state.end = Some(end);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        Ok(())
    }

    fn poll_over(&self, cx: &Context<'_>) -> Poll<Disconnected> {
        let mut state = lock(&self.state);
        if state.is_over {
            return Poll::Ready(Disconnected::Over);
        }
        let old = state.watcher.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    fn poll_next(&self, cx: &Context<'_>) -> Poll<Next> {
        let mut state = lock(&self.state);
        let (next, waker) = match state.queue.pop_front() {
            Some(piece) => {
                state.queued -= piece.len().max(SMALLEST);
                (Poll::Ready(Next::Piece(piece)), state.writer.take())
            }
            None => match state.end.take() {
                Some(end) => {
                    state.is_over = true;
                    (Poll::Ready(Next::End(end)), state.watcher.take())
                }
                None => {
                    let old = state.reader.replace(cx.waker().clone());
                    drop(state);
                    drop(old);
                    return Poll::Pending;
                }
            },
        };
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        next
    }

    /// Nobody takes it any more.
    fn close(&self) {
        let (rest, wakers) = {
            let mut state = lock(&self.state);
            state.is_over = true;
            state.queued = 0;
            let wakers = [state.writer.take(), state.watcher.take()];
            ((std::mem::take(&mut state.queue), state.end.take(), state.reader.take()), wakers)
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
        drop(rest);
    }
}

struct Sending<'a> {
    sender: &'a mut BodySender,
    data: Bytes,
}

impl Future for Sending<'_> {
    type Output = Result<(), Disconnected>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.sender.0.poll_send(&mut this.data, cx)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.sender.0.forget_writer();
    }
}

/// The receiving end.
pub(super) struct Channel {
    shared: Arc<Shared>,
    trailers: Option<HeaderMap>,
}

impl Channel {
    /// The next piece, or how it ends; and after the end nothing.
    pub(super) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Next> {
        self.shared.poll_next(cx)
    }

    /// What `end` is to a body.
    pub(super) fn end(&mut self, end: End) -> Option<Result<Bytes, BoxError>> {
        match end {
            End::Finished(trailers) => {
                self.trailers = trailers;
                None
            }
            End::Failed(error) => Some(Err(error)),
            End::Abandoned => Some(Err(Abandoned.into())),
        }
    }

    pub(super) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take()
    }
}

impl BodyStream for Channel {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        self.poll_next(cx).map(|next| match next {
            Next::Piece(piece) => Some(Ok(piece)),
            Next::End(end) => self.end(end),
        })
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        self.take_trailers()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// Nobody sends the rest of a body.
#[derive(Debug)]
struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body's sender was dropped before it had finished")
    }
}

impl std::error::Error for Abandoned {}
