//! Why a WebSocket does not do what is asked of it.
//!
//! The rule: an error says whose fault it is, as every one does here.

use std::fmt;

use http::HeaderName;

use crate::error::Disconnected;
use crate::ws;

/// Why nothing can be sent or received.
///
/// It stays: what has ended once says so each time it is asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WebSocketError {
    /// This end has closed, or both have: nothing can be sent any more.
    Closed,
    /// The peer is gone without having closed.
    Disconnected(Disconnected),
    /// The peer broke the protocol, and was told how.
    Refused(ws::Error),
    /// More was to be sent than the queue holds, and its [policy](crate::message::Overflow) is to close: the peer
    /// gets 1013.
    Overflowed,
    /// The page that asks is not one that may (RFC 6455, section 10.2): as a response 403.
    OriginRefused,
    /// The subprotocol to accept is none of those that were offered.
    ProtocolNotOffered,
    /// A field of the response that is not the handler's to set: the handshake's, and those that frame a message.
    HeaderNotAllowed(HeaderName),
    /// The reason of a close is longer than 123 bytes, or its code is none that may be sent (RFC 6455, section 7.4).
    CloseNotAllowed,
    /// A message, as text, is not the JSON that is wanted; or a value is none that JSON can hold.
    #[cfg(feature = "json")]
    Json(std::sync::Arc<serde_json::Error>),
}

impl fmt::Display for WebSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the WebSocket is closed"),
            Self::Disconnected(why) => why.fmt(f),
            Self::Refused(error) => error.fmt(f),
            Self::Overflowed => f.write_str("the client reads more slowly than it is sent to"),
            Self::OriginRefused => f.write_str("this origin may not open a WebSocket here"),
            Self::ProtocolNotOffered => f.write_str("the client has not offered this subprotocol"),
            Self::HeaderNotAllowed(name) => write!(f, "the field {name} is not the handler's to set"),
            Self::CloseNotAllowed => f.write_str("the code or the reason cannot be sent in a close"),
            #[cfg(feature = "json")]
            Self::Json(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WebSocketError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Disconnected(why) => Some(why),
            Self::Refused(error) => Some(error),
            #[cfg(feature = "json")]
            Self::Json(error) => Some(&**error),
            _ => None,
        }
    }
}

#[cfg(feature = "json")]
impl From<serde_json::Error> for WebSocketError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(std::sync::Arc::new(error))
    }
}
