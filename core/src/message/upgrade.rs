//! A connection that has left HTTP: another protocol after an upgrade, or a tunnel after CONNECT.
//!
//! The rule: nothing is switched that the client did not ask for, and no byte is on both sides of the switch: the request
//! was read to its end before, and what stands right behind it is the first that is read.
//!
//! ```text
//! Upgrade          = #protocol                                   RFC 9110, section 7.8
//! protocol         = protocol-name [ "/" protocol-version ]      the name in any case, the version as it is
//! protocol-name    = token
//! protocol-version = token
//! ```

mod error;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};

pub use error::UpgradeError;

use crate::error::Disconnected;
use crate::http::parameters::is_token;
use crate::message::writer::{self, ResponseWriter, Sent, WriteError};
use crate::message::{Body, BodyError, Request};

/// Leaving HTTP.
impl Request {
    /// Switches the connection to `protocol` with 101 (RFC 9110, section 7.8), if the client offers it: from here on both
    /// directions carry that protocol's bytes. The handler returns what [`Upgraded::finish`] gives.
    ///
    /// A protocol is named as in `Upgrade`: by its name, in any case, and where it matters by a version, `irc/6.9`. Without
    /// one every version is taken; [`Upgraded::protocol`] says what the client offered, and so does the response. For
    /// WebSockets there is `Request::websocket`.
    ///
    /// The request is read to its end before, up to the `None` of [`chunk`](Self::chunk), or [whole](Self::bytes); one
    /// without content is at its end.
    ///
    /// ```
    /// use bakestone::{Request, Result, message::Sent};
    ///
    /// async fn echo(mut request: Request) -> Result<Sent> {
    ///     let mut connection = request.upgrade("echo")?;
    ///     while let Some(data) = connection.read().await? {
    ///         connection.write(data).await?;
    ///     }
    ///     Ok(connection.finish().await?)
    /// }
    /// # let _ = bakestone::get(echo);
    /// ```
    ///
    /// # Errors
    ///
    /// [`UpgradeError`]: of a client that does not offer the protocol it is 426 as a response, with the protocol in
    /// `Upgrade` (section 15.5.22). Nothing was sent then, and the handler may as well answer in HTTP.
    pub fn upgrade(&mut self, protocol: &str) -> Result<Upgraded, UpgradeError> {
        self.upgrade_with(protocol, HeaderMap::new())
    }

    /// As [`upgrade`](Self::upgrade), with fields for the response.
    ///
    /// # Errors
    ///
    /// As [`upgrade`](Self::upgrade); [`UpgradeError::HeaderNotAllowed`] for a field that the switch itself sets, or that
    /// frames a message.
    pub fn upgrade_with(&mut self, protocol: &str, mut headers: HeaderMap) -> Result<Upgraded, UpgradeError> {
        let wanted = Protocol::parse(protocol).ok_or(UpgradeError::InvalidProtocol)?;
        let named = HeaderValue::from_str(protocol).map_err(|_| UpgradeError::InvalidProtocol)?;
        check_fields(&headers)?;
        let Some(offer) = wanted.offer(self.headers()) else { return Err(UpgradeError::NotOffered(named)) };
        let (field, protocol) = (HeaderValue::from_str(offer), Box::from(offer));
        headers.insert(UPGRADE, field.map_err(|_| UpgradeError::InvalidProtocol)?);
        let refusal = UpgradeError::NotOffered(named);
        switch(self, StatusCode::SWITCHING_PROTOCOLS, headers, Some(protocol), refusal)
    }

    /// Answers CONNECT with 200, and with that the connection is a tunnel (RFC 9110, section 9.3.6): from here on both
    /// directions carry the bytes of the client and of whom it wants to reach, which is the target's
    /// [`authority`](http::Uri::authority). The handler returns what [`Upgraded::finish`] gives.
    ///
    /// No route takes CONNECT, not one for any method either, since its target has no path: an application refuses it with
    /// 405. A proxy takes it in a middleware around the application, or as a service of its own. **Whoever connects to
    /// wherever a client says lets it reach what stands behind the firewall**: compare the authority with those that are
    /// meant.
    ///
    /// ```
    /// use bakestone::app::Next;
    /// use bakestone::{App, Error, IntoResponse, Request, Response, Result};
    ///
    /// async fn proxy(mut request: Request, next: Next) -> Result<Response> {
    ///     if request.method() != "CONNECT" {
    ///         return Ok(next.run(request).await);
    ///     }
    ///     if request.uri().authority().is_none_or(|authority| authority != "ovens.example:7") {
    ///         return Err(Error::forbidden("no tunnel leads there"));
    ///     }
    ///     // Here it connects to the ovens. What fails now can still be told in HTTP, by a 502.
    ///     let tunnel = request.accept_tunnel()?;
    ///     // Here it moves bytes, both ways.
    ///     tunnel.finish().await?.into_response()
    /// }
    /// # assert!(App::new().middleware(proxy).build().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`UpgradeError`]: of a request that is no CONNECT it is 405 as a response. Nothing was sent then.
    pub fn accept_tunnel(&mut self) -> Result<Upgraded, UpgradeError> {
        self.accept_tunnel_with(HeaderMap::new())
    }

    /// As [`accept_tunnel`](Self::accept_tunnel), with fields for the response.
    ///
    /// # Errors
    ///
    /// As [`accept_tunnel`](Self::accept_tunnel); [`UpgradeError::HeaderNotAllowed`] for a field that the switch itself
    /// sets, or that frames a message.
    pub fn accept_tunnel_with(&mut self, headers: HeaderMap) -> Result<Upgraded, UpgradeError> {
        check_fields(&headers)?;
        switch(self, StatusCode::OK, headers, None, UpgradeError::NotConnect)
    }
}

/// Takes the connection out of HTTP by a response with `status`; `refusal` if the client did not ask for that.
fn switch(
    request: &mut Request,
    status: StatusCode,
    headers: HeaderMap,
    protocol: Option<Box<str>>,
    refusal: UpgradeError,
) -> Result<Upgraded, UpgradeError> {
    let exchange = request.0.context.exchange().ok_or(Disconnected::Over)?;
    if let Some(why) = exchange.lost() {
        return Err(why.into());
    }
    if !exchange.switches_by(status) {
        return Err(refusal);
    }
    if !exchange.has_read_all() {
        return Err(UpgradeError::UnreadContent);
    }
    if !request.0.body.is_incoming_of(exchange) {
        return Err(UpgradeError::BodyTaken);
    }
    let writer = writer::respond(Some(exchange), status, headers, None).map_err(|error| match error {
        WriteError::Disconnected(why) => why.into(),
        _ => UpgradeError::AlreadyResponded,
    })?;
    let reader = UpgradedReader { body: request.0.body.take() };
    Ok(Upgraded { protocol, reader, writer: UpgradedWriter { writer, room: None } })
}

/// The fields of a switch that are not its handler's to set.
pub(super) static SWITCH_FIELDS: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE];

/// Whether the handler may set all of these.
fn check_fields(headers: &HeaderMap) -> Result<(), UpgradeError> {
    match SWITCH_FIELDS.iter().find(|name| headers.contains_key(*name)) {
        Some(name) => Err(UpgradeError::HeaderNotAllowed(name.clone())),
        None => Ok(()),
    }
}

/// An element of `Upgrade`.
struct Protocol<'a> {
    name: &'a str,
    version: Option<&'a str>,
}

impl<'a> Protocol<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (name, version) = match text.split_once('/') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        (is_token(name) && version.is_none_or(is_token)).then_some(Self { name, version })
    }

    /// The first offer of it, as the client wrote it.
    fn offer<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let fields = headers.get_all(UPGRADE).iter().filter_map(|field| field.to_str().ok());
        let mut elements =
            fields.flat_map(|field| field.split(',')).map(|text| text.trim_matches([' ', '\t']));
        elements.find(|element| Protocol::parse(element).is_some_and(|offer| self.takes(&offer)))
    }

    fn takes(&self, offer: &Protocol<'_>) -> bool {
        self.name.eq_ignore_ascii_case(offer.name)
            && (self.version.is_none() || self.version == offer.version)
    }
}

/// A connection that has left HTTP, from [`Request::upgrade`] or [`Request::accept_tunnel`]: a stream of bytes in both
/// directions, each of which ends by itself.
///
/// It lives within the handler: what is left of it when that returns finds the exchange over. Its halves may live in two
/// tasks until then. One that is dropped before it was [finished](Self::finish) resets the connection; before the handler
/// has waited for anything nothing was sent, and it may still fail or answer otherwise.
///
/// `write_time` counts, as for every client that does not read; a silence has no limit, since what is spoken has rules of
/// its own: [`Context::timeout`](crate::Context::timeout) sets one. A server that stops tells it through
/// [`Context::draining`](crate::Context::draining), and resets what is left after `drain_time`. A client that is lost
/// cancels a handler of GET, as ever; under [`OnDisconnect::Notify`](crate::message::OnDisconnect::Notify), and for
/// CONNECT, reading and writing say so.
#[must_use = "one that is dropped resets the connection"]
pub struct Upgraded {
    protocol: Option<Box<str>>,
    reader: UpgradedReader,
    writer: UpgradedWriter,
}

impl Upgraded {
    /// The protocol as the client offered it, with its version where it named one; `None` of a tunnel.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// The next bytes of the client, never none; `None` once it has finished, and ever after.
    ///
    /// The future may be dropped at any point: nothing that arrived is lost, the next call gives it.
    ///
    /// # Errors
    ///
    /// [`Disconnected`] if the client is gone, or the exchange is over.
    pub fn read(&mut self) -> impl Future<Output = Result<Option<Bytes>, Disconnected>> + Send + '_ {
        self.reader.read()
    }

    /// The same as [`read`](Self::read), for those who write futures by hand.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Disconnected>> {
        self.reader.poll_read(cx)
    }

    /// Writes `data`: all of it once there is room for output, or, if the future is dropped, nothing. Nobody has to
    /// flush.
    ///
    /// # Errors
    ///
    /// [`Disconnected`] if the client is gone, the exchange is over, or this direction was finished.
    pub fn write(
        &mut self,
        data: impl Into<Bytes>,
    ) -> impl Future<Output = Result<(), Disconnected>> + Send + '_ {
        self.writer.write(data)
    }

    /// The same as [`write`](Self::write), for those who write futures by hand: `data` is left empty once it was taken.
    pub fn poll_write(&mut self, data: &mut Bytes, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        self.writer.poll_write(data, cx)
    }

    /// Finishes this direction, with a FIN behind what was written, and reads no more: what the client still sends is
    /// discarded, and it has `linger_time` to finish too, once the handler has returned. Who wants to read on
    /// [splits](Self::split) it.
    ///
    /// # Errors
    ///
    /// [`Disconnected`] if the client is gone, or the exchange is over.
    pub fn finish(self) -> impl Future<Output = Result<Sent, Disconnected>> + Send {
        self.writer.finish()
    }

    /// Finishes this direction, and leaves the other as it is. It never waits; [`finish`](Self::finish), which may follow,
    /// gives what the handler returns.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        self.writer.poll_finish(cx)
    }

    /// Parts the directions, so that each has a task of its own: the handler's, say, and one that it waits for.
    ///
    /// ```
    /// use bakestone::{Request, Result, message::Sent};
    ///
    /// /// Says `over` before it hears what the client has to say.
    /// async fn radio(mut request: Request) -> Result<Sent> {
    ///     let (mut reader, mut writer) = request.upgrade("radio")?.split();
    ///     writer.write("over\n").await?;
    ///     let sent = writer.finish().await?;
    ///     while let Some(_data) = reader.read().await? {}
    ///     Ok(sent)
    /// }
    /// # let _ = bakestone::get(radio);
    /// ```
    pub fn split(self) -> (UpgradedReader, UpgradedWriter) {
        (self.reader, self.writer)
    }
}

/// What the client sends over a connection that has left HTTP, from [`Upgraded::split`].
///
/// One that is dropped leaves what the client sends unread.
pub struct UpgradedReader {
    /// The request's own: it has begun anew, and has no end but the client's.
    body: Body,
}

impl UpgradedReader {
    /// As [`Upgraded::read`].
    ///
    /// # Errors
    ///
    /// As [`Upgraded::read`].
    pub async fn read(&mut self) -> Result<Option<Bytes>, Disconnected> {
        of_tunnel(self.body.chunk().await)
    }

    /// As [`Upgraded::poll_read`].
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Disconnected>> {
        self.body.poll_chunk(cx).map(of_tunnel)
    }
}

/// What a body says, where nothing is framed: it may be asked again after its end, and can only be lost.
fn of_tunnel(chunk: Result<Option<Bytes>, BodyError>) -> Result<Option<Bytes>, Disconnected> {
    chunk.or_else(|error| match error {
        BodyError::AlreadyConsumed => Ok(None),
        BodyError::Disconnected(why) => Err(why),
        _ => Err(Disconnected::Over),
    })
}

/// What is sent over a connection that has left HTTP, from [`Upgraded::split`].
///
/// One that is dropped before it was [finished](Self::finish) resets the connection, and ends the handler.
#[must_use = "one that is dropped resets the connection"]
pub struct UpgradedWriter {
    writer: ResponseWriter,
    /// Where it waits for room.
    room: Option<u64>,
}

impl UpgradedWriter {
    /// As [`Upgraded::write`].
    ///
    /// # Errors
    ///
    /// As [`Upgraded::write`].
    pub fn write(
        &mut self,
        data: impl Into<Bytes>,
    ) -> impl Future<Output = Result<(), Disconnected>> + Send + '_ {
        Write { writer: self, data: data.into() }
    }

    /// As [`Upgraded::poll_write`].
    pub fn poll_write(&mut self, data: &mut Bytes, cx: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        self.writer.poll_write(data, &mut self.room, cx).map_err(lost)
    }

    /// Finishes this direction, with a FIN behind what was written. The client's is as it was, for as long as the handler
    /// runs.
    ///
    /// # Errors
    ///
    /// As [`Upgraded::finish`].
    pub async fn finish(mut self) -> Result<Sent, Disconnected> {
        self.writer.end(None).map_err(lost)
    }

    /// As [`Upgraded::poll_finish`].
    pub fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnected>> {
        Poll::Ready(self.writer.end(None).map(drop).map_err(lost))
    }

    fn forget_room(&mut self) {
        self.writer.forget_room(self.room.take());
    }
}

/// Why nothing can be written, where no length was announced and the head is there.
fn lost(error: WriteError) -> Disconnected {
    match error {
        WriteError::Disconnected(why) => why,
        _ => Disconnected::Over,
    }
}

impl Drop for UpgradedWriter {
    fn drop(&mut self) {
        self.forget_room();
    }
}

struct Write<'a> {
    writer: &'a mut UpgradedWriter,
    data: Bytes,
}

impl Future for Write<'_> {
    type Output = Result<(), Disconnected>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.writer.poll_write(&mut this.data, cx)
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.writer.forget_room();
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl fmt::Debug for UpgradedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradedReader").finish_non_exhaustive()
    }
}

impl fmt::Debug for UpgradedWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradedWriter").finish_non_exhaustive()
    }
}
