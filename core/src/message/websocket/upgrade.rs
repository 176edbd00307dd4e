//! A request for a WebSocket, before it is accepted.
//!
//! The rule: until it is accepted it is a request like any other, and whatever its handler returns is the response.

use std::future::poll_fn;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::app::{FromParts, States};
use crate::error::{Error, Result};
use crate::message::upgrade::SWITCH_FIELDS;
use crate::message::{Context, Request, Response, WebSocket, WebSocketError, WebSocketOptions, WriteError};
use crate::session::exchange::{Exchange, WriteStage, WrittenHead};
use crate::session::websocket::{Driver, Shared};
use crate::ws;

/// A request whose handshake is right (RFC 6455, section 4.2.1): an argument of a handler, or
/// [`Request::websocket`].
///
/// A request that is none is answered with 426, a wrong one with what the handshake says of it. A route that has a page
/// for the former takes a `Result<WebSocketUpgrade>` and looks whether it is
/// [`UpgradeRequired`](crate::ws::HandshakeError::UpgradeRequired); an `Option` would have the page for the latter too.
///
/// Once it is accepted, the 101 is sent here and now, and what the handler returns is no response any more: middleware
/// adds nothing to the 101, and sees what is returned at the end. Fields are [`accept_with`](Self::accept_with)'s.
///
/// ```
/// use bakestone::message::WebSocketUpgrade;
/// use bakestone::{Error, Header, Result};
///
/// async fn chat(mut upgrade: WebSocketUpgrade) -> Result<()> {
///     upgrade.select_protocol(["chat.v2", "chat.v1"]);
///     let mut socket = upgrade.accept().await?;
///     socket.send("welcome").await?;
///     while let Some(message) = socket.receive().await? {
///         socket.send(message).await?;
///     }
///     Ok(())
/// }
/// # let _ = bakestone::get(chat);
/// ```
#[must_use = "it is to be accepted, or answered with a response"]
#[derive(Debug)]
// In a box, since the handler's future keeps room for it as long as the socket lives.
pub struct WebSocketUpgrade(Box<Asked>);

#[derive(Debug)]
struct Asked {
    offer: ws::Offer,
    context: Context,
    host: Option<Box<str>>,
    protocol: Option<Arc<str>>,
    options: WebSocketOptions,
}

impl WebSocketUpgrade {
    pub(crate) fn new(request: &Request) -> Result<Self> {
        let offer = ws::Offer::check(request.method(), request.version(), request.headers())?;
        if request.content_length().unwrap_or(0) > 0
            || request.headers().contains_key(header::TRANSFER_ENCODING)
        {
            return Err(Error::bad_request("a request for a WebSocket has no content"));
        }
        let context = request.context().clone();
        let options = context.exchange().map(|exchange| WebSocketOptions::new(exchange.limits()));
        let host = request.host().map(Into::into);
        let options = options.unwrap_or_default();
        Ok(Self(Box::new(Asked { offer, context, host, protocol: None, options })))
    }

    /// How the socket is to behave.
    pub fn options_mut(&mut self) -> &mut WebSocketOptions {
        &mut self.0.options
    }

    /// The same with these options.
    pub fn with_options(mut self, options: WebSocketOptions) -> Self {
        self.0.options = options;
        self
    }

    /// The subprotocols that the client offers, those it prefers first.
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.0.offer.protocols()
    }

    /// Chooses the first of `protocols` that the client has offered; `None` if there is none.
    pub fn select_protocol<'p>(&mut self, protocols: impl IntoIterator<Item = &'p str>) -> Option<&str> {
        self.0.protocol = protocols
            .into_iter()
            .find(|protocol| self.0.offer.protocols().any(|offered| offered == *protocol))
            .map(Into::into);
        self.0.protocol.as_deref()
    }

    /// Accepts it: the protocols are switched when this resolves.
    ///
    /// # Errors
    ///
    /// [`WebSocketError::OriginRefused`], which is 403 as a response; [`WebSocketError::Disconnected`].
    pub fn accept(self) -> impl Future<Output = Result<WebSocket>> + Send {
        self.accept_with(None, HeaderMap::new())
    }

    /// Accepts it with a subprotocol of those that are offered, and with fields for the response: `Set-Cookie`, for
    /// one.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept); [`WebSocketError::ProtocolNotOffered`], and [`WebSocketError::HeaderNotAllowed`]
    /// for a field that is the handshake's own.
    pub fn accept_with(
        self,
        protocol: Option<&str>,
        headers: HeaderMap,
    ) -> impl Future<Output = Result<WebSocket>> + Send {
        // In a place of its own, so that the handler's future does not keep room for it as long as the socket lives.
        Box::pin(self.accepting(protocol, headers))
    }

    async fn accepting(mut self, protocol: Option<&str>, headers: HeaderMap) -> Result<WebSocket> {
        if let Some(protocol) = protocol {
            self.select_protocol([protocol]).ok_or(WebSocketError::ProtocolNotOffered)?;
        }
        let scheme = self.0.context.connection().scheme();
        if !self.0.offer.allows_origin(&self.0.options.origin, scheme, self.0.host.as_deref()) {
            return Err(WebSocketError::OriginRefused.into());
        }
        let mut config = self.0.options.config();
        let headers = self.response_headers(headers, &mut config)?;
        let Some(exchange) = self.0.context.exchange() else {
            return Err(WebSocketError::Disconnected(crate::error::Disconnected::Over).into());
        };
        let shared = Shared::new(exchange.scope.clone(), self.0.options.queue_bytes);
        let conn = ws::Conn::new(ws::Role::Server, config);
        let head = WrittenHead {
            status: StatusCode::SWITCHING_PROTOCOLS,
            headers,
            length: None,
            before: None,
            socket: Some(Driver::new(conn, shared.clone(), &self.0.options)),
        };
        exchange.begin_writing(head).map_err(|error| match error {
            WriteError::Disconnected(why) => WebSocketError::Disconnected(why).into(),
            error => Error::from(error),
        })?;
        let mut starting = Starting { exchange, shared: &shared, started: false };
        poll_fn(|cx| shared.poll_started(cx)).await?;
        starting.started = true;
        drop(starting);
        Ok(WebSocket::new(shared, self.0.options.overflow, self.0.protocol))
    }

    /// Refuses it with `response`: the same as to return the response.
    pub fn deny(self, response: Response) -> Response {
        response
    }

    /// The fields of the response that accepts (RFC 6455, section 4.2.2).
    fn response_headers(&self, mut headers: HeaderMap, config: &mut ws::Config) -> Result<HeaderMap> {
        const OWN: [HeaderName; 3] =
            [header::SEC_WEBSOCKET_ACCEPT, header::SEC_WEBSOCKET_EXTENSIONS, header::SEC_WEBSOCKET_PROTOCOL];
        if let Some(name) = OWN.iter().chain(&SWITCH_FIELDS).find(|name| headers.contains_key(*name)) {
            return Err(WebSocketError::HeaderNotAllowed(name.clone()).into());
        }
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.0.offer.accept_key());
        if let Some(protocol) = &self.0.protocol {
            let value = HeaderValue::from_str(protocol).map_err(|_| WebSocketError::ProtocolNotOffered)?;
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value);
        }
        if let Some((agreed, value)) = self.0.offer.negotiate(&self.0.options.deflate) {
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, value);
            config.deflate = Some(agreed);
        }
        Ok(headers)
    }
}

/// An acceptance that has not been sent: one that is dropped is taken back.
struct Starting<'a> {
    exchange: &'a Exchange,
    shared: &'a Shared,
    started: bool,
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        if !self.started {
            // If the client is gone there is nothing to take back.
            let _ = self.exchange.end_writing(WriteStage::Abandoned);
            // If it has just been sent, nobody is left to hold the socket.
            self.shared.release();
        }
    }
}

impl FromParts for WebSocketUpgrade {
    fn from_parts(request: &mut Request, _: &States) -> Result<Self> {
        Self::new(request)
    }
}
