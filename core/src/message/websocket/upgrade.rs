//! A request for a WebSocket, before it is accepted.
//!
//! The rule: until it is accepted it is a request like any other, and whatever its handler returns is the response.

use std::future::poll_fn;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::app::{FromParts, States};
use crate::error::{Error, Result};
use crate::message::{Context, Request, Response, WebSocket, WebSocketError, WebSocketOptions};
use crate::session::exchange::{Exchange, WriteStage, WrittenHead};
use crate::session::websocket::{Driver, Shared};
use crate::ws;

/// A request whose handshake is right (RFC 6455, section 4.2.1): an argument of a handler, or
/// [`Request::websocket`].
///
/// A request that is none is answered with 426, a wrong one with what the handshake says of it.
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
pub struct WebSocketUpgrade {
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
        Ok(Self { offer, context, host, protocol: None, options: options.unwrap_or_default() })
    }

    /// How the socket is to behave.
    pub fn options_mut(&mut self) -> &mut WebSocketOptions {
        &mut self.options
    }

    /// The same with these options.
    pub fn with_options(mut self, options: WebSocketOptions) -> Self {
        self.options = options;
        self
    }

    /// The subprotocols that the client offers, those it prefers first.
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.offer.protocols()
    }

    /// Chooses the first of `protocols` that the client has offered; `None` if there is none.
    pub fn select_protocol<'p>(&mut self, protocols: impl IntoIterator<Item = &'p str>) -> Option<&str> {
        self.protocol = protocols
            .into_iter()
            .find(|protocol| self.offer.protocols().any(|offered| offered == *protocol))
            .map(Into::into);
        self.protocol.as_deref()
    }

    /// Accepts it: the protocols are switched when this resolves.
    ///
    /// # Errors
    ///
    /// [`WebSocketError::OriginRefused`], which is 403 as a response; [`WebSocketError::Disconnected`].
    pub async fn accept(self) -> Result<WebSocket> {
        self.accept_with(None, HeaderMap::new()).await
    }

    /// Accepts it with a subprotocol of those that are offered, and with fields for the response: `Set-Cookie`, for
    /// one.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept); [`WebSocketError::ProtocolNotOffered`], and [`WebSocketError::HeaderNotAllowed`]
    /// for a field that is the handshake's own.
    pub async fn accept_with(mut self, protocol: Option<&str>, headers: HeaderMap) -> Result<WebSocket> {
        if let Some(protocol) = protocol {
            self.select_protocol([protocol]).ok_or(WebSocketError::ProtocolNotOffered)?;
        }
        let scheme = self.context.connection().scheme();
        if !self.offer.allows_origin(&self.options.origin, scheme, self.host.as_deref()) {
            return Err(WebSocketError::OriginRefused.into());
        }
        let mut config = self.options.config();
        let headers = self.response_headers(headers, &mut config)?;
        let Some(exchange) = self.context.exchange() else {
            return Err(WebSocketError::Disconnected(crate::error::Disconnected::Over).into());
        };
        let shared = Shared::new(exchange.scope.clone(), self.options.queue_bytes);
        let conn = ws::Conn::new(ws::Role::Server, config);
        let head = WrittenHead {
            status: StatusCode::SWITCHING_PROTOCOLS,
            headers,
            length: None,
            before: None,
            socket: Some(Driver::new(conn, shared.clone(), &self.options)),
        };
        exchange.begin_writing(head)?;
        let mut starting = Starting { exchange, shared: &shared, started: false };
        poll_fn(|cx| shared.poll_started(cx)).await?;
        starting.started = true;
        drop(starting);
        Ok(WebSocket::new(shared, self.options.overflow, self.protocol))
    }

    /// Refuses it with `response`: the same as to return the response.
    pub fn deny(self, response: Response) -> Response {
        response
    }

    /// The fields of the response that accepts (RFC 6455, section 4.2.2).
    fn response_headers(&self, mut headers: HeaderMap, config: &mut ws::Config) -> Result<HeaderMap> {
        const OWN: [HeaderName; 4] = [
            header::SEC_WEBSOCKET_ACCEPT,
            header::SEC_WEBSOCKET_EXTENSIONS,
            header::SEC_WEBSOCKET_PROTOCOL,
            header::UPGRADE,
        ];
        if OWN.iter().any(|name| headers.contains_key(name)) {
            return Err(WebSocketError::HeaderNotAllowed.into());
        }
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.offer.accept_key());
        if let Some(protocol) = &self.protocol {
            let value = HeaderValue::from_str(protocol).map_err(|_| WebSocketError::ProtocolNotOffered)?;
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value);
        }
        if let Some((agreed, value)) = self.offer.negotiate(&self.options.deflate) {
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
