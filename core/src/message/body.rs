//! The body of a message, as it arrives and as it leaves.
//!
//! The rule: a body that broke off never looks complete, and one that was read never looks empty. Whoever reads gets
//! every byte once, then `None`; or a typed [`BodyError`].

mod whole;

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;

use crate::error::BoxError;
use crate::message::BodyError;
use crate::session::exchange::Exchange;

/// A source of a body's bytes, polled by the session while there is room to write them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream of body bytes",
    label = "this does not implement `BodyStream`",
    note = "a complete value becomes a body with `Body::from(..)`, a closure with `Body::from_fn(..)`"
)]
pub trait BodyStream {
    /// The next piece; `None` at the end. It is not polled again after the end or an error.
    ///
    /// An error cuts the message off, so that the peer sees that it is incomplete.
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>>;

    /// The length in bytes, if it is known from the start: the message then announces it, and must keep to it.
    fn length(&self) -> Option<u64> {
        None
    }

    /// Fields to send after the body. It is asked for once, after the end.
    fn trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        None
    }
}

/// A body: empty, complete, on its way in, or a stream.
///
/// ```
/// use bakestone::Body;
///
/// let body = Body::from("hello");
/// assert_eq!(body.length(), Some(5));
/// assert_eq!(Body::empty().length(), Some(0));
/// ```
#[derive(Default)]
pub struct Body(pub(crate) Inner);

#[derive(Default)]
pub(crate) enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
    Owned(Vec<u8>),
    Incoming(Incoming),
    Stream(Streamed),
    /// All of it was handed out, or it broke off.
    Ended(Ended),
    /// The handler wrote the response by itself; this stands in its place.
    Sent,
}

pub(crate) struct Streamed {
    stream: Mutex<Pin<Box<dyn BodyStream + Send>>>,
    /// Some of it was handed out.
    begun: bool,
}

#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) trailers: Option<Box<HeaderMap>>,
    /// Who read it knows that this was all.
    told: bool,
}

/// The body of the request whose exchange this is.
pub(crate) struct Incoming {
    exchange: Arc<Exchange>,
    /// What is left to read of the length that the peer declared.
    left: Option<u64>,
    progress: Progress,
}

/// How far the reading of a body has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Untouched,
    /// Some of it was handed out.
    Begun,
    /// Its end was told to who read it.
    Over,
}

impl Body {
    /// No bytes.
    pub const fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// The bytes that `stream` gives.
    pub fn from_stream(stream: impl BodyStream + Send + 'static) -> Self {
        Self(Inner::Stream(Streamed { stream: Mutex::new(Box::pin(stream)), begun: false }))
    }

    /// The bytes that `poll` gives, called like [`BodyStream::poll_chunk`].
    ///
    /// ```
    /// use bakestone::Body;
    /// use bytes::Bytes;
    /// use std::task::Poll;
    ///
    /// let mut left = 3;
    /// let body = Body::from_fn(move |_| {
    ///     left -= 1;
    ///     Poll::Ready((left >= 0).then(|| Ok(Bytes::from_static(b"tick\n"))))
    /// });
    /// assert_eq!(body.length(), None);
    /// ```
    pub fn from_fn<F>(poll: F) -> Self
    where
        F: FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> + Send + Unpin + 'static,
    {
        struct FromFn<F>(F);
        impl<F> BodyStream for FromFn<F>
        where
            F: FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> + Unpin,
        {
            fn poll_chunk(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Result<Bytes, BoxError>>> {
                (self.0)(cx)
            }
        }
        Self::from_stream(FromFn(poll))
    }

    pub(crate) fn incoming(exchange: Arc<Exchange>, length: Option<u64>) -> Self {
        Self(Inner::Incoming(Incoming { exchange, left: length, progress: Progress::Untouched }))
    }

    /// Whether it is the body of the request whose exchange this is, and not one in its place.
    pub(crate) fn is_incoming_of(&self, exchange: &Arc<Exchange>) -> bool {
        matches!(&self.0, Inner::Incoming(incoming) if Arc::ptr_eq(&incoming.exchange, exchange))
    }

    pub(crate) const fn sent() -> Self {
        Self(Inner::Sent)
    }

    /// The length in bytes, if it is known: complete, what is left of what the peer declared, or told by the stream.
    pub fn length(&self) -> Option<u64> {
        match &self.0 {
            Inner::Empty | Inner::Ended(_) | Inner::Sent => Some(0),
            Inner::Bytes(bytes) => Some(bytes.len() as u64),
            Inner::Owned(bytes) => Some(bytes.len() as u64),
            Inner::Incoming(incoming) => incoming.left,
            Inner::Stream(streamed) => streamed.lock().length(),
        }
    }

    /// Whether it is known to hold no bytes.
    pub fn is_empty(&self) -> bool {
        self.length() == Some(0)
    }

    /// Whether some of it was read, or all, so that [`bytes`](Self::bytes) can no longer give the whole.
    ///
    /// ```
    /// use bakestone::Body;
    /// use bakestone::message::BodyError;
    ///
    /// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    /// # fn now<T>(future: impl Future<Output = T>, cx: &mut std::task::Context<'_>) -> T {
    /// #     let std::task::Poll::Ready(value) = std::pin::pin!(future).poll(cx) else { panic!("it waits") };
    /// #     value
    /// # }
    /// let mut body = Body::from("hello");
    /// assert!(!body.is_consumed());
    /// assert_eq!(now(body.bytes(5), &mut cx).unwrap(), "hello");
    /// assert!(body.is_consumed());
    /// assert!(matches!(now(body.bytes(5), &mut cx), Err(BodyError::AlreadyConsumed)));
    /// ```
    pub fn is_consumed(&self) -> bool {
        match &self.0 {
            Inner::Empty | Inner::Bytes(_) | Inner::Owned(_) | Inner::Sent => false,
            Inner::Incoming(incoming) => incoming.progress != Progress::Untouched,
            Inner::Stream(streamed) => streamed.begun,
            Inner::Ended(_) => true,
        }
    }

    /// The next piece, never an empty one; `None` at the end.
    ///
    /// The future may be dropped at any point: nothing that arrived is lost, the next call gives it.
    ///
    /// # Errors
    ///
    /// [`BodyError`]; of a body that was read to its end before, [`BodyError::AlreadyConsumed`].
    pub fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, BodyError>> + Send + '_ {
        Chunk { body: self, waiting: false }
    }

    /// The same as [`chunk`](Self::chunk), for those who write futures by hand.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        match &mut self.0 {
            Inner::Empty | Inner::Sent => Poll::Ready(Ok(None)),
            Inner::Ended(ended) => Poll::Ready(match std::mem::replace(&mut ended.told, true) {
                false => Ok(None),
                true => Err(BodyError::AlreadyConsumed),
            }),
            Inner::Bytes(_) | Inner::Owned(_) => Poll::Ready(Ok(self.take_complete())),
            Inner::Incoming(incoming) => incoming.poll_chunk(cx),
            Inner::Stream(_) => self.poll_stream(cx),
        }
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        /// Empty pieces in a row, before others have their turn.
        const EMPTY: usize = 16;
        let Inner::Stream(streamed) = &mut self.0 else { return Poll::Ready(Ok(None)) };
        let stream = streamed.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..EMPTY {
            match stream.as_mut().poll_chunk(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) if chunk.is_empty() => {}
                Poll::Ready(Some(Ok(chunk))) => {
                    streamed.begun = true;
                    return Poll::Ready(Ok(Some(chunk)));
                }
                Poll::Ready(Some(Err(error))) => {
                    self.0 = Inner::Ended(Ended::told());
                    return Poll::Ready(Err(BodyError::Source(error)));
                }
                Poll::Ready(None) => {
                    let trailers = stream.as_mut().trailers().map(Box::new);
                    self.0 = Inner::Ended(Ended { trailers, told: true });
                    return Poll::Ready(Ok(None));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// A complete body's bytes.
    fn take_complete(&mut self) -> Option<Bytes> {
        let bytes = match std::mem::take(&mut self.0) {
            Inner::Bytes(bytes) => bytes,
            Inner::Owned(bytes) => Bytes::from(bytes),
            _ => return None,
        };
        if bytes.is_empty() {
            return None;
        }
        self.0 = Inner::Ended(Ended::default());
        Some(bytes)
    }

    /// The trailer fields of a body that was read to its end.
    pub fn trailers(&self) -> Option<HeaderMap> {
        match &self.0 {
            Inner::Incoming(incoming) => incoming.exchange.trailers(),
            Inner::Ended(ended) => ended.trailers.as_deref().cloned(),
            _ => None,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Inner::Empty => "empty",
            Inner::Ended(_) => "ended",
            Inner::Bytes(_) | Inner::Owned(_) => "complete",
            Inner::Incoming(_) => "incoming",
            Inner::Stream(_) => "stream",
            Inner::Sent => "sent",
        };
        write!(f, "Body({kind}, length {:?})", self.length())
    }
}

macro_rules! complete {
    ($($from:ty => |$value:ident| $inner:expr),* $(,)?) => {$(
        impl From<$from> for Body {
            fn from($value: $from) -> Self {
                Self($inner)
            }
        }
    )*};
}

complete! {
    () => |_none| Inner::Empty,
    Bytes => |bytes| Inner::Bytes(bytes),
    Vec<u8> => |bytes| Inner::Owned(bytes),
    String => |text| Inner::Owned(text.into_bytes()),
    &'static str => |text| Inner::Bytes(Bytes::from_static(text.as_bytes())),
    &'static [u8] => |bytes| Inner::Bytes(Bytes::from_static(bytes)),
}

impl From<Cow<'static, str>> for Body {
    fn from(text: Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

/// Takes back the wish for a piece when it is dropped, so that no deadline runs for a reader that left.
struct Chunk<'a> {
    body: &'a mut Body,
    waiting: bool,
}

impl Future for Chunk<'_> {
    type Output = Result<Option<Bytes>, BodyError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = self.body.poll_chunk(cx);
        self.waiting = poll.is_pending();
        poll
    }
}

impl Drop for Chunk<'_> {
    fn drop(&mut self) {
        if let (true, Inner::Incoming(incoming)) = (self.waiting, &self.body.0) {
            incoming.exchange.stop_wanting();
        }
    }
}

impl Streamed {
    fn lock(&self) -> MutexGuard<'_, Pin<Box<dyn BodyStream + Send>>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn into_inner(self) -> Pin<Box<dyn BodyStream + Send>> {
        self.stream.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ended {
    /// The end of a body, which its reader knows of.
    pub(crate) fn told() -> Self {
        Self { trailers: None, told: true }
    }
}

impl Incoming {
    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        let polled = self.exchange.poll_chunk(cx);
        match &polled {
            Poll::Ready(Ok(Some(chunk))) => {
                self.left = self.left.map(|left| left.saturating_sub(chunk.len() as u64));
                self.progress = Progress::Begun;
            }
            Poll::Ready(Ok(None)) => match self.progress {
                Progress::Untouched => {}
                Progress::Begun => self.progress = Progress::Over,
                Progress::Over => return Poll::Ready(Err(BodyError::AlreadyConsumed)),
            },
            _ => {}
        }
        polled
    }

    fn put_back(&mut self, bytes: Bytes) {
        self.left = match self.progress {
            Progress::Over => Some(bytes.len() as u64),
            _ => self.left.map(|left| left + bytes.len() as u64),
        };
        self.progress = Progress::Untouched;
        self.exchange.put_back(bytes);
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.exchange.forget_body();
    }
}
