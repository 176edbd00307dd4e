//! A response, as it comes.
//!
//! The rule: nothing is waited for but what is asked for, so the response to an endless stream is there with its head; and
//! all that waits lets the client's clock go on.

use std::sync::Arc;
use std::time::Duration;

use bakestone::http::cookie::SetCookie;
use bakestone::{Bytes, Error, HeaderMap, HeaderValue, StatusCode, Version};

use super::error::{Cause, ClientError};
use super::exchange::Head;
use super::pending::{Held, informational};
use super::seen::lock;
use super::url::Url;
use crate::events::{EventReader, ReceivedEvent};

/// A response whose head is there, and whose content comes as it is asked for.
///
/// Whoever drops it in the middle of its content hangs up.
///
/// ```
/// use bakestone::{App, Context, Error, Event, Sse, Text, get};
/// use bakestone_testkit::Client;
/// use std::time::Duration;
///
/// async fn clock(context: Context) -> Sse {
///     Sse::written(&context.clone(), |mut events| async move {
///         for hour in 0.. {
///             events.send(Event::data(format!("{hour} h"))).await?;
///             context.sleep(Duration::from_secs(3600)).await;
///         }
///         Ok(())
///     })
/// }
///
/// let app = App::new()
///     .route("/clock", get(clock))
///     .route("/sorry", get(|| async { Err::<Text<String>, _>(Error::gone("it was eaten")) }));
/// let client = Client::setup().timeout(Duration::from_secs(7200)).start(app);
///
/// let mut ticks = client.get("/clock").send().sse();
/// assert_eq!(ticks.next().unwrap().data, "0 h");
/// assert_eq!(ticks.next().unwrap().data, "1 h");
///
/// let mut response = client.get("/sorry").send();
/// response.expect_status(410);
/// assert_eq!(response.error().unwrap().message(), "it was eaten");
/// ```
pub struct ClientResponse {
    /// The status.
    pub status: StatusCode,
    /// The fields.
    pub headers: HeaderMap,
    /// The version that the server speaks.
    pub version: Version,
    history: Vec<Url>,
    /// What was read of the content as a whole.
    content: Vec<u8>,
    held: Held,
}

impl ClientResponse {
    pub(super) fn new(head: Head, held: Held) -> Self {
        let Head { status, version, headers } = head;
        Self { status, headers, version, history: Vec::new(), content: Vec::new(), held }
    }

    pub(super) fn with_history(mut self, history: Vec<Url>) -> Self {
        self.history = history;
        self
    }

    pub(super) fn timeout(&self) -> Duration {
        self.held.timeout
    }

    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    /// A field's value as text; empty if it is not there, or is not UTF-8.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
        std::str::from_utf8(value).unwrap_or_default()
    }

    /// The media type and its parameters; empty if there are none.
    pub fn content_type(&self) -> &str {
        self.header("content-type")
    }

    /// The cookies that the response sets, as a user agent reads them.
    pub fn cookies(&self) -> impl Iterator<Item = SetCookie> {
        self.headers.get_all("set-cookie").into_iter().filter_map(|field| SetCookie::parse(field.as_bytes()))
    }

    /// Where the response came from: the last URL of those that redirects led to.
    pub fn url(&self) -> &Url {
        &self.held.url
    }

    /// The URLs that redirected, in order.
    pub fn history(&self) -> &[Url] {
        &self.history
    }

    /// The informational responses before this one, such as 100 and 103.
    pub fn informational(&self) -> Vec<(StatusCode, HeaderMap)> {
        informational(&self.held)
    }

    /// The error that the response was made of, as the handler, a middleware or the session made it: with the cause, which
    /// no client of another kind would see.
    pub fn error(&self) -> Option<Arc<Error>> {
        self.held.run();
        let exchange = self.held.exchange.borrow();
        exchange.behind.as_ref().and_then(|behind| lock(behind).error.clone())
    }

    /// What the handler, or the content's source, panicked with.
    pub fn panic_message(&self) -> Option<String> {
        self.held.run();
        let exchange = self.held.exchange.borrow();
        exchange.behind.as_ref().and_then(|behind| lock(behind).panic.clone())
    }

    /// Lets time pass until the next piece of the content is there, and gives it; `None` at the end.
    ///
    /// # Panics
    ///
    /// As [`try_chunk`](Self::try_chunk) fails.
    #[track_caller]
    pub fn chunk(&mut self) -> Option<Bytes> {
        match self.try_chunk() {
            Ok(chunk) => chunk,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`chunk`](Self::chunk), for a test of what goes wrong.
    ///
    /// # Errors
    ///
    /// [`ClientError`], if the content breaks off, or nothing more comes.
    pub fn try_chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        if !self.content.is_empty() {
            return Ok(Some(std::mem::take(&mut self.content).into()));
        }
        self.held.exchange.borrow_mut().is_wanted = true;
        let chunk = self.held.wait(|exchange| match (exchange.next_chunk(), &exchange.end) {
            (Some(chunk), _) => Some(Ok(Some(chunk))),
            (None, Some(Ok(_))) => Some(Ok(None)),
            (None, Some(Err(cause))) => Some(Err(cause.clone())),
            (None, None) => None,
        });
        self.held.exchange.borrow_mut().is_wanted = false;
        chunk
    }

    /// The content that has come, without waiting for more.
    pub fn ready(&mut self) -> Bytes {
        self.held.run();
        let mut content = std::mem::take(&mut self.content);
        while let Some(chunk) = self.held.exchange.borrow_mut().next_chunk() {
            content.extend_from_slice(&chunk);
        }
        content.into()
    }

    /// Reads `count` bytes of the connection, framing included, and gives what content that was: for a [slow
    /// reader](super::ClientRequest::read_ahead).
    pub fn read_at_most(&mut self, count: usize) -> Bytes {
        self.held.with_connection(|connection| connection.take(count));
        self.ready()
    }

    /// How many bytes the server has written, and this client has not read.
    pub fn waiting(&self) -> usize {
        self.held.run();
        self.held.with_connection(|connection| connection.wire.waiting())
    }

    /// The rest of the content, piece by piece.
    pub fn stream(mut self) -> impl Iterator<Item = Bytes> {
        std::iter::from_fn(move || self.chunk())
    }

    /// Lets time pass until all of the content is there, and gives it, as often as it is asked for. What was taken in
    /// pieces before is gone.
    ///
    /// # Panics
    ///
    /// As [`try_bytes`](Self::try_bytes) fails.
    #[track_caller]
    pub fn bytes(&mut self) -> Bytes {
        match self.try_bytes() {
            Ok(bytes) => bytes,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`bytes`](Self::bytes), for a test of what goes wrong.
    ///
    /// # Errors
    ///
    /// [`ClientError`], if the content breaks off, or nothing more comes, or [no
    /// end](super::ClientSetup::endless_after).
    pub fn try_bytes(&mut self) -> Result<Bytes, ClientError> {
        self.collect().map(Bytes::copy_from_slice)
    }

    /// Reads all that comes, and keeps it.
    pub(super) fn collect(&mut self) -> Result<&[u8], ClientError> {
        let mut content = std::mem::take(&mut self.content);
        let most = self.held.client.world.borrow().settings.most;
        loop {
            match self.try_chunk() {
                Ok(Some(chunk)) if content.len() + chunk.len() > most => {
                    return Err(self.held.failed(Cause::Endless(content.len() + chunk.len())));
                }
                Ok(Some(chunk)) => content.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    self.content = content;
                    return Err(error);
                }
            }
        }
        self.content = content;
        Ok(&self.content)
    }

    /// All of the content as text; what is not UTF-8 is replaced.
    ///
    /// # Panics
    ///
    /// As [`bytes`](Self::bytes).
    #[track_caller]
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// All of the content as JSON.
    ///
    /// # Panics
    ///
    /// As [`bytes`](Self::bytes); and with the transcript, if it is no JSON, or not what a `T` is made of.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn json<T: serde_core::de::DeserializeOwned>(&mut self) -> T {
        let parsed = match self.collect() {
            Ok(content) => serde_json::from_slice(content),
            Err(error) => panic!("{error}"),
        };
        match parsed {
            Ok(value) => value,
            Err(error) => self.fail(&format!("JSON, but {error}")),
        }
    }

    /// The content as server-sent events, as they come.
    ///
    /// # Panics
    ///
    /// With the transcript, if its type is not `text/event-stream`: no browser reads events there (HTML Standard, section
    /// 9.2.3).
    #[track_caller]
    pub fn sse(self) -> Events {
        let media_type = self.content_type().split(';').next().unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("text/event-stream") {
            self.fail(&format!("events, but it is {} {:?}", self.status, self.content_type()));
        }
        Events { response: self, reader: EventReader::default(), waiting: Vec::new().into_iter() }
    }

    /// The trailers, once the content was read to its end.
    pub fn trailers(&self) -> Option<HeaderMap> {
        match &self.held.exchange.borrow().end {
            Some(Ok(trailers)) => trailers.clone(),
            _ => None,
        }
    }

    /// Whether the whole response has come, be it read or not.
    pub fn is_complete(&self) -> bool {
        self.held.run();
        matches!(self.held.exchange.borrow().end, Some(Ok(_)))
    }

    /// Sends bytes to what the connection was switched to, after 101 or the answer to CONNECT; or the next piece of the
    /// request's content, where that is [by hand](super::ClientRequest::body_by_hand) and the response came before its end.
    ///
    /// # Panics
    ///
    /// If it is neither, or has ended.
    #[track_caller]
    pub fn write(&mut self, bytes: impl Into<Bytes>) -> &mut Self {
        self.held.write(bytes.into());
        self
    }

    /// Ends the request's content, where that is by hand.
    ///
    /// # Panics
    ///
    /// If it is not, or has ended.
    #[track_caller]
    pub fn end(&mut self) -> &mut Self {
        self.held.end(None);
        self
    }

    /// Finishes sending (FIN) behind what was sent so far.
    pub fn half_close(&mut self) -> &mut Self {
        self.held.half_close();
        self
    }

    /// Hangs up: the server sees the connection reset.
    pub fn disconnect(self) {
        self.held.hang_up();
    }

    /// What went over the connection for this response, and for those that stood in a row with it, as text.
    pub fn transcript(&self) -> String {
        self.held.client.world.borrow().transcript(self.held.connection, &self.held.exchange)
    }
}

impl std::fmt::Debug for ClientResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientResponse")
            .field("url", &self.held.url.to_string())
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// The events of a response, each waited for as it is asked for; at the end there are no more.
///
/// It panics, with the transcript, where the response breaks off or nothing comes.
#[derive(Debug)]
pub struct Events {
    response: ClientResponse,
    reader: EventReader,
    waiting: std::vec::IntoIter<ReceivedEvent>,
}

impl Events {
    /// The events that have come, without waiting for more.
    pub fn ready(&mut self) -> Vec<ReceivedEvent> {
        let bytes = self.response.ready();
        let more = self.reader.feed(&bytes);
        self.waiting.by_ref().chain(more).collect()
    }

    /// What was read besides the events: the time to reconnect, comments, the last identifier.
    pub fn reader(&self) -> &EventReader {
        &self.reader
    }

    /// The response.
    pub fn response(&self) -> &ClientResponse {
        &self.response
    }

    /// Hangs up: the server sees the connection reset.
    pub fn disconnect(self) {
        self.response.disconnect();
    }
}

impl Iterator for Events {
    type Item = ReceivedEvent;

    #[track_caller]
    fn next(&mut self) -> Option<ReceivedEvent> {
        loop {
            if let Some(event) = self.waiting.next() {
                return Some(event);
            }
            let chunk = self.response.chunk()?;
            self.waiting = self.reader.feed(&chunk).into_iter();
        }
    }
}
