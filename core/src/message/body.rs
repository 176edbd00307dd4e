//! The body of a message, as it arrives and as it leaves.
//!
//! The rule: a body that broke off never looks complete. Whoever reads gets every byte once, then `None`; or
//! a typed [`BodyError`].

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use crate::error::{BoxError, Disconnected, LimitExceeded};
use crate::h1::Refusal;
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
    Stream(Mutex<Pin<Box<dyn BodyStream + Send>>>),
    /// A stream that has ended, with its trailer fields.
    Ended(Option<Box<HeaderMap>>),
    /// The handler wrote the response by itself; this stands in its place.
    Sent,
}

/// The body of the request whose exchange this is.
pub(crate) struct Incoming {
    exchange: Arc<Exchange>,
    /// What is left to read of the length that the peer declared.
    left: Option<u64>,
}

impl Body {
    /// No bytes.
    pub const fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// The bytes that `stream` gives.
    pub fn from_stream(stream: impl BodyStream + Send + 'static) -> Self {
        Self(Inner::Stream(Mutex::new(Box::pin(stream))))
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
        Self(Inner::Incoming(Incoming { exchange, left: length }))
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
            Inner::Stream(stream) => stream.lock().unwrap_or_else(PoisonError::into_inner).length(),
        }
    }

    /// Whether it is known to hold no bytes.
    pub fn is_empty(&self) -> bool {
        self.length() == Some(0)
    }

    /// The next piece, never an empty one; `None` at the end, and ever after.
    ///
    /// The future may be dropped at any point: nothing that arrived is lost, the next call gives it.
    pub fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, BodyError>> + Send + '_ {
        Chunk { body: self, waiting: false }
    }

    /// The same as [`chunk`](Self::chunk), for those who write futures by hand.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        match &mut self.0 {
            Inner::Empty | Inner::Ended(_) | Inner::Sent => Poll::Ready(Ok(None)),
            Inner::Bytes(_) | Inner::Owned(_) => Poll::Ready(Ok(self.take_complete())),
            Inner::Incoming(incoming) => incoming.poll_chunk(cx),
            Inner::Stream(_) => self.poll_stream(cx),
        }
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        /// Empty pieces in a row, before others have their turn.
        const EMPTY: usize = 16;
        let Inner::Stream(stream) = &mut self.0 else { return Poll::Ready(Ok(None)) };
        let stream = stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..EMPTY {
            match stream.as_mut().poll_chunk(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) if chunk.is_empty() => {}
                Poll::Ready(Some(Ok(chunk))) => return Poll::Ready(Ok(Some(chunk))),
                Poll::Ready(Some(Err(error))) => {
                    self.0 = Inner::Ended(None);
                    return Poll::Ready(Err(BodyError::Source(error)));
                }
                Poll::Ready(None) => {
                    let trailers = stream.as_mut().trailers();
                    self.0 = Inner::Ended(trailers.map(Box::new));
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
        Some(bytes).filter(|bytes| !bytes.is_empty())
    }

    /// The whole body, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`BodyError::LimitExceeded`], which becomes 413, as soon as the body is known to be longer: for a
    /// declared length at once, before the client is asked to send it.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        let exceeded = |seen: u64| {
            BodyError::LimitExceeded(LimitExceeded::new("buffered_body_bytes", limit as u64, seen))
        };
        if let Some(length) = self.length().filter(|&length| length > limit as u64) {
            return Err(exceeded(length));
        }
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let mut seen = first.len();
        let mut whole = None;
        while seen <= limit {
            let Some(chunk) = self.chunk().await? else {
                return Ok(whole.map_or(first, BytesMut::freeze));
            };
            seen += chunk.len();
            whole.get_or_insert_with(|| BytesMut::from(&first[..])).extend_from_slice(&chunk);
        }
        // How much had come by then is the network's affair, and not the client's.
        Err(exceeded(limit as u64 + 1))
    }

    /// Lets a body whose whole was read be read again. Its trailer fields stay.
    pub(crate) fn put_back(&mut self, whole: &Bytes) {
        match &mut self.0 {
            Inner::Incoming(incoming) => {
                incoming.left = Some(whole.len() as u64);
                incoming.exchange.put_back(whole.clone());
            }
            inner @ Inner::Empty => *inner = Inner::Bytes(whole.clone()),
            _ => {}
        }
    }

    /// The trailer fields of a body that was read to its end.
    pub fn trailers(&self) -> Option<HeaderMap> {
        match &self.0 {
            Inner::Incoming(incoming) => incoming.exchange.trailers(),
            Inner::Ended(trailers) => trailers.as_deref().cloned(),
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

impl Incoming {
    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        let polled = self.exchange.poll_chunk(cx);
        if let (Poll::Ready(Ok(Some(chunk))), Some(left)) = (&polled, &mut self.left) {
            *left = left.saturating_sub(chunk.len() as u64);
        }
        polled
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.exchange.stop_wanting();
    }
}

/// Why a body could not be read to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// The client went away, or the exchange was over, before the body's end.
    Disconnected(Disconnected),
    /// The client broke the framing of the body.
    Refused(Refusal),
    /// The body is longer than the reader wants.
    LimitExceeded(LimitExceeded),
    /// The client did not send within `body_time`, or more slowly than `minimum_rate`.
    TimedOut,
    /// The body is not UTF-8; the number is how many bytes were.
    NotUtf8(usize),
    /// A stream of the application's own failed.
    Source(BoxError),
}

impl BodyError {
    /// The same error for the next one who asks; it is only asked of what the session itself puts there.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Disconnected(why) => Self::Disconnected(*why),
            Self::Refused(refusal) => Self::Refused(*refusal),
            Self::LimitExceeded(limit) => Self::LimitExceeded(*limit),
            Self::TimedOut => Self::TimedOut,
            Self::NotUtf8(valid) => Self::NotUtf8(*valid),
            Self::Source(source) => Self::Source(source.to_string().into()),
        }
    }

    /// The status that it stands for, and whether its text is meant for the client.
    pub(crate) fn meaning(&self) -> (StatusCode, bool) {
        match self {
            Self::Disconnected(_) | Self::NotUtf8(_) => (StatusCode::BAD_REQUEST, true),
            Self::Refused(refusal) => (refusal.status, true),
            Self::LimitExceeded(_) => (StatusCode::PAYLOAD_TOO_LARGE, true),
            Self::TimedOut => (StatusCode::REQUEST_TIMEOUT, true),
            Self::Source(_) => (StatusCode::INTERNAL_SERVER_ERROR, false),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected(why) => why.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::LimitExceeded(limit) => limit.fmt(f),
            Self::TimedOut => f.write_str("the client sent its body too slowly"),
            Self::NotUtf8(valid) => write!(f, "the body is not UTF-8 after {valid} bytes"),
            Self::Source(source) => write!(f, "the body's source failed: {source}"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Disconnected(why) => Some(why),
            Self::Refused(refusal) => Some(refusal),
            Self::LimitExceeded(limit) => Some(limit),
            Self::Source(source) => Some(&**source),
            Self::TimedOut | Self::NotUtf8(_) => None,
        }
    }
}
