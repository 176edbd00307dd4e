//! The opening handshake, as a client makes it.
//!
//! The rule: what the server answers is compared with what was asked, to the last field: it may choose, and may add
//! nothing (RFC 6455, section 4.1).

use std::collections::BTreeSet;
use std::fmt;

use ::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use ::http::{HeaderMap, HeaderValue, StatusCode};

use super::extension::{self, DeflateOptions, DeflateParams, ExtensionError};
use super::handshake::{has_element, only};
use super::key::Key;
use crate::http::parameters::is_token;

/// Why a response opens no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpeningError {
    /// A subprotocol to offer is no token, or is there twice. The request is not to be sent.
    InvalidProtocols,
    /// The status is not 101: the response is to be read as any other.
    NotSwitched(StatusCode),
    /// `Upgrade` is not `websocket`, or `Connection` has no `upgrade`.
    NotUpgraded,
    /// `Sec-WebSocket-Accept` is not what the key makes: the server speaks no WebSocket, or it is an old answer.
    WrongAccept,
    /// `Sec-WebSocket-Protocol` names what was not offered, or is there twice.
    ProtocolNotOffered,
    /// `Sec-WebSocket-Extensions` is no answer to what was offered.
    Extension(ExtensionError),
}

impl fmt::Display for OpeningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidProtocols => f.write_str("the subprotocols to offer are no tokens that differ"),
            Self::NotSwitched(status) => {
                write!(f, "the server does not switch protocols, but answers {status}")
            }
            Self::NotUpgraded => f.write_str("the server does not switch to websocket"),
            Self::WrongAccept => f.write_str("Sec-WebSocket-Accept is not the answer to the key"),
            Self::ProtocolNotOffered => {
                f.write_str("the server has chosen a subprotocol that was not offered")
            }
            Self::Extension(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpeningError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Extension(error) => Some(error),
            _ => None,
        }
    }
}

/// A handshake that a client begins.
///
/// ```
/// use bakestone::ws::{DeflateOptions, Opening};
/// use http::{HeaderMap, HeaderValue, StatusCode};
///
/// let opening = Opening::new(*b"the sample nonce", ["chat", "superchat"], DeflateOptions::default())?;
/// assert_eq!(opening.headers()["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
///
/// let mut headers = HeaderMap::new();
/// headers.insert("upgrade", HeaderValue::from_static("websocket"));
/// headers.insert("connection", HeaderValue::from_static("Upgrade"));
/// headers.insert("sec-websocket-accept", HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
/// headers.insert("sec-websocket-protocol", HeaderValue::from_static("chat"));
/// let agreed = opening.verify(StatusCode::SWITCHING_PROTOCOLS, &headers)?;
/// assert_eq!((agreed.protocol, agreed.deflate), (Some("chat"), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Opening {
    key: Key,
    protocols: Vec<Box<str>>,
    deflate: DeflateOptions,
}

/// What client and server have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Agreed<'a> {
    /// The subprotocol that the server has chosen, if it has.
    pub protocol: Option<&'a str>,
    /// How messages may be compressed, if they may.
    pub deflate: Option<DeflateParams>,
}

impl Opening {
    /// One with `nonce`, which is to be random, and another each time; with the subprotocols that are offered, those that
    /// are preferred first; and with what is wanted of compressed messages.
    ///
    /// # Errors
    ///
    /// [`OpeningError::InvalidProtocols`].
    pub fn new(
        nonce: [u8; 16],
        protocols: impl IntoIterator<Item = impl Into<String>>,
        deflate: DeflateOptions,
    ) -> Result<Self, OpeningError> {
        let protocols: Vec<Box<str>> =
            protocols.into_iter().map(|protocol| protocol.into().into_boxed_str()).collect();
        let mut seen = BTreeSet::new();
        if !protocols.iter().all(|protocol| is_token(protocol) && seen.insert(protocol)) {
            return Err(OpeningError::InvalidProtocols);
        }
        Ok(Self { key: Key::from_nonce(nonce), protocols, deflate })
    }

    /// The fields of the request, which is a GET of HTTP/1.1; beside them stand `Host`, and `Origin` if a browser sends it.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_KEY, self.key.value());
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let protocols = (!self.protocols.is_empty()).then(|| self.protocols.join(", "));
        if let Some(protocols) = protocols.and_then(|protocols| HeaderValue::try_from(protocols).ok()) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols);
        }
        if let Some(offer) = extension::offer(&self.deflate) {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, offer);
        }
        headers
    }

    /// What the server's response agrees to.
    ///
    /// # Errors
    ///
    /// Any of them but [`OpeningError::NotSwitched`] is a server that cannot be spoken with: the connection is to be
    /// closed (RFC 6455, section 4.1).
    pub fn verify(&self, status: StatusCode, headers: &HeaderMap) -> Result<Agreed<'_>, OpeningError> {
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(OpeningError::NotSwitched(status));
        }
        let is_websocket =
            only(headers, &UPGRADE).is_some_and(|upgrade| upgrade.eq_ignore_ascii_case(b"websocket"));
        if !is_websocket || !has_element(headers, &CONNECTION, "upgrade") {
            return Err(OpeningError::NotUpgraded);
        }
        if only(headers, &SEC_WEBSOCKET_ACCEPT) != Some(self.key.accept().as_bytes()) {
            return Err(OpeningError::WrongAccept);
        }
        let protocol = match headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            true => Some(self.chosen(headers).ok_or(OpeningError::ProtocolNotOffered)?),
            false => None,
        };
        let extensions = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().map(HeaderValue::as_bytes);
        let deflate = extension::accept(extensions, &self.deflate).map_err(OpeningError::Extension)?;
        Ok(Agreed { protocol, deflate })
    }

    /// The one of the subprotocols that the server names; `None` if it is none of them.
    fn chosen(&self, headers: &HeaderMap) -> Option<&str> {
        let chosen = only(headers, &SEC_WEBSOCKET_PROTOCOL)?;
        self.protocols.iter().map(|protocol| &**protocol).find(|protocol| protocol.as_bytes() == chosen)
    }
}
