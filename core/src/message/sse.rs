//! Server-sent events as a response (HTML Living Standard, section 9.2).
//!
//! The rule: an event leaves as it comes, whole; a silence is filled before something on the way takes the connection for
//! idle; and a server that stops is not held up, since clients reconnect, and say which event was their last.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};

use crate::error::{BoxError, Disconnected, Result};
use crate::http::sse::{Event, EventError};
use crate::message::{
    Body, BodyError, BodySender, BodyStream, Context, Draining, IntoResponse, Request, Response, Sleep,
};
use crate::session::scope::Scope;

/// Proxies close what is silent for a minute, some for half of one.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A comment, which every client ignores.
const SILENCE: Bytes = Bytes::from_static(b":\n\n");

/// A stream of events: `text/event-stream`, which is always UTF-8 and says so nowhere, not to be cached, and with
/// `X-Accel-Buffering: no`, without which nginx keeps events back until it has a buffer full of them; others pass that
/// field by.
///
/// In a silence of 15 seconds a comment is sent, and so on; see [`keep_alive`](Self::keep_alive). When the server drains,
/// the stream ends, after the events that are there already, 64 at most; see [`through_drain`](Self::through_drain).
///
/// When the connection breaks, what makes the events is dropped at once. A client that only closes its end is seen to be
/// gone at the next event or comment: until then nobody can tell it from one that still reads.
///
/// ```
/// use bakestone::app::LastEventId;
/// use bakestone::{Context, Event, Sse};
/// use std::time::Duration;
///
/// async fn ticks(last: Option<LastEventId>, context: Context) -> Sse {
///     let seen = last.and_then(|LastEventId(id)| id.parse().ok()).unwrap_or(0_u64);
///     Sse::written(&context.clone(), move |mut events| async move {
///         for tick in seen + 1.. {
///             events.send(Event::data("tick").id(tick.to_string())).await?;
///             context.sleep(Duration::from_secs(1)).await;
///         }
///         Ok(())
///     })
/// }
/// # let _ = bakestone::get(ticks);
/// ```
#[derive(Debug)]
pub struct Sse {
    scope: ScopeOf,
    body: Body,
    keep_alive: Option<Duration>,
    goes_on: bool,
}

impl Sse {
    fn of_body(context: &Context, body: Body) -> Self {
        let scope = ScopeOf(context.scope().clone());
        Self { scope, body, keep_alive: Some(KEEP_ALIVE), goes_on: false }
    }

    /// The events that `write` sends; the stream is over once that returns. It is a part of the response, like that of
    /// [`Body::written`].
    pub fn written<F>(context: &Context, write: impl FnOnce(EventSender) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let scope = ScopeOf(context.scope().clone());
        Self::of_body(context, Body::written(|body| write(EventSender { body, scope })))
    }

    /// A stream of events, and the way to send it from elsewhere. What was sent and not yet taken is at most `capacity`
    /// bytes, and one event more; an event counts as 64 bytes at least.
    pub fn channel(context: &Context, capacity: usize) -> (EventSender, Self) {
        let (body, receiver) = Body::channel(capacity);
        (EventSender { body, scope: ScopeOf(context.scope().clone()) }, Self::of_body(context, receiver))
    }

    /// The items of `stream`, each an [`Event`], or a `Result` of one. With the feature `stream`.
    ///
    /// An error of the stream cuts the message off, and so does an event that cannot be written: those before it are sent,
    /// none behind it is, and the client connects again. If it is the first, and there at once, the answer is a 500, which
    /// clients take for the end. So a name or an identifier that comes from elsewhere is checked before, or sent by
    /// [`written`](Self::written), where [`EventSender::send`] tells of it and the stream goes on.
    #[cfg(feature = "stream")]
    pub fn from_items<S>(context: &Context, stream: S) -> Self
    where
        S: futures_core::Stream<Item: IntoEvent> + Send + 'static,
    {
        let chunk = |item: S::Item| Ok(item.into_event()?.encode()?);
        Self::of_body(context, Body::from_stream(super::items::Items { stream: Box::pin(stream), chunk }))
    }

    /// Sends a comment after each silence of this length, counted from the last that was sent; `None` for none, and then a
    /// client that closed its connection keeps its place until the next event.
    ///
    /// The least is a millisecond.
    #[must_use]
    pub fn keep_alive(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = time.into().map(|time| time.max(Duration::from_millis(1)));
        self
    }

    /// Goes on while the server drains, as long as that lets it: what makes the events is told by
    /// [`EventSender::draining`], and may say goodbye.
    #[must_use]
    pub fn through_drain(mut self) -> Self {
        self.goes_on = true;
        self
    }
}

impl IntoResponse for Sse {
    fn into_response(self) -> Result<Response> {
        let Self { scope: ScopeOf(scope), body, keep_alive, goes_on } = self;
        let draining = (!goes_on).then(|| Draining { scope: scope.clone(), id: None });
        let body = Body::from_stream(Events { scope, body, keep_alive, silence: None, draining, last: LAST });
        Ok(Response::new(body)
            .with_header(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
            .with_header(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")))
    }
}

/// The sending end of a stream of events.
#[derive(Debug)]
#[must_use = "a sender that is dropped cuts the stream off"]
pub struct EventSender {
    body: BodySender,
    scope: ScopeOf,
}

impl EventSender {
    /// Sends an event: all of it once there is room, or, if the future is dropped, nothing.
    ///
    /// # Errors
    ///
    /// [`SendEventError`] for an event that cannot be written, of which nothing is sent; and if nobody takes the events
    /// any more.
    pub async fn send(&mut self, event: Event) -> Result<(), SendEventError> {
        let bytes = event.encode().map_err(SendEventError::Event)?;
        self.body.send(bytes).await.map_err(SendEventError::Disconnected)
    }

    /// Ends the stream. The client will connect again; 204 in answer to that tells it to stop.
    ///
    /// # Errors
    ///
    /// [`Disconnected`] if nobody takes the events any more.
    pub fn finish(self) -> Result<(), Disconnected> {
        self.body.finish()
    }

    /// Cuts the stream off, for this reason; see [`BodySender::fail`].
    ///
    /// # Errors
    ///
    /// [`Disconnected`] if nobody takes the events any more.
    pub fn fail(self, error: impl Into<BoxError>) -> Result<(), Disconnected> {
        self.body.fail(error)
    }

    /// Whether nobody takes the events any more.
    pub fn is_disconnected(&self) -> bool {
        self.body.is_disconnected()
    }

    /// Waits until nobody takes the events any more, for a sender that waits for something else meanwhile.
    pub fn disconnected(&mut self) -> impl Future<Output = Disconnected> + Send + '_ {
        self.body.disconnected()
    }

    /// Waits until the server is stopping. A stream that does not go [through the drain](Sse::through_drain) has ended
    /// then, and takes no more events.
    pub fn draining(&self) -> Draining {
        Draining { scope: self.scope.0.clone(), id: None }
    }
}

/// Why an event was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendEventError {
    /// It cannot be written.
    Event(EventError),
    /// Nobody takes the events any more.
    Disconnected(Disconnected),
}

impl fmt::Display for SendEventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(error) => error.fmt(f),
            Self::Disconnected(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for SendEventError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Event(error) => Some(error),
            Self::Disconnected(why) => Some(why),
        }
    }
}

/// What the items of a stream may be that is sent as events.
#[cfg(feature = "stream")]
#[diagnostic::on_unimplemented(
    message = "a stream of `{Self}` is no stream of events",
    label = "the stream's items are no events",
    note = "an item is an `Event`, or a `Result` of one: a value becomes one with `Event::data(..)` or `Event::json(..)`"
)]
pub trait IntoEvent {
    /// The event, or the error that cuts the stream off.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn into_event(self) -> Result<Event, BoxError>;
}

#[cfg(feature = "stream")]
impl IntoEvent for Event {
    fn into_event(self) -> Result<Event, BoxError> {
        Ok(self)
    }
}

#[cfg(feature = "stream")]
impl<E: Into<BoxError>> IntoEvent for Result<Event, E> {
    fn into_event(self) -> Result<Event, BoxError> {
        self.map_err(Into::into)
    }
}

#[cfg(feature = "json")]
impl Event {
    /// An event whose data is this value as JSON. With the feature `json`.
    ///
    /// # Errors
    ///
    /// A value that JSON cannot hold.
    pub fn json(value: &(impl serde_core::Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Self::data)
    }
}

impl Request {
    /// The identifier of the last event that a client of events has got, as it says when it connects again; `None` if
    /// there is none, or more than one, or it is no UTF-8.
    ///
    /// It is what the client says, and need not be one that was ever sent.
    ///
    /// ```
    /// use bakestone::{HeaderValue, Method, Request, Uri};
    ///
    /// let mut request = Request::new(Method::GET, Uri::from_static("/ticks"), ());
    /// assert_eq!(request.last_event_id(), None);
    /// request.headers_mut().insert("last-event-id", HeaderValue::from_static("7"));
    /// assert_eq!(request.last_event_id(), Some("7"));
    /// ```
    pub fn last_event_id(&self) -> Option<&str> {
        let mut fields = self.headers().get_all("last-event-id").into_iter();
        let id = fields.next().filter(|_| fields.next().is_none())?;
        std::str::from_utf8(id.as_bytes()).ok().filter(|id| !id.is_empty())
    }
}

/// The time and the drain of the server, without the request.
struct ScopeOf(Arc<Scope>);

impl fmt::Debug for ScopeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// The body of the events, with comments in its silences.
struct Events {
    scope: Arc<Scope>,
    body: Body,
    keep_alive: Option<Duration>,
    /// Runs while there is nothing to send.
    silence: Option<Sleep>,
    draining: Option<Draining>,
    /// How many more it sends once the server stops.
    last: usize,
}

/// What a sender was told is sent goes out while the server stops; an endless source is cut here.
const LAST: usize = 64;

impl Events {
    /// Whether it is to end because the server stops.
    fn is_over(&mut self, cx: &mut std::task::Context<'_>) -> bool {
        match &mut self.draining {
            // Where nobody drives a context, it resolves without a drain.
            Some(draining) => Pin::new(draining).poll(cx).is_ready() && self.scope.is_draining(),
            None => false,
        }
    }

    fn poll_silence(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let Some(time) = self.keep_alive else { return Poll::Pending };
        let (scope, now) = (&self.scope, self.scope.now().mono);
        let silence =
            self.silence.get_or_insert_with(|| Sleep { scope: scope.clone(), at: now + time, id: None });
        ready!(Pin::new(&mut *silence).poll(cx));
        if now < silence.at {
            // Nobody moves the clock, so no silence has a length.
            self.keep_alive = None;
            return Poll::Pending;
        }
        self.silence = None;
        Poll::Ready(Some(Ok(SILENCE)))
    }
}

impl BodyStream for Events {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        let this = &mut *self;
        let is_over = this.is_over(cx);
        if is_over && this.last == 0 {
            return Poll::Ready(None);
        }
        let chunk = match this.body.poll_chunk(cx) {
            Poll::Pending if is_over => return Poll::Ready(None),
            Poll::Pending => return this.poll_silence(cx),
            Poll::Ready(chunk) => chunk,
        };
        this.last -= usize::from(is_over);
        this.silence = None;
        Poll::Ready(chunk.transpose().map(|chunk| {
            chunk.map_err(|error| match error {
                BodyError::Source(source) => source,
                other => other.into(),
            })
        }))
    }
}
