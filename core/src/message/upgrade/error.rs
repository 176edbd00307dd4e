//! Why a connection stays in HTTP.
//!
//! The rule: an error says whose fault it is, and what the client gets of it says what to ask for instead.

use std::fmt;

use http::header::{ALLOW, HeaderName, UPGRADE};
use http::{HeaderValue, StatusCode};

use crate::error::Disconnected;

/// Why a connection was not switched to another protocol, nor to a tunnel. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The client does not offer this protocol, or not in a way that counts: in HTTP/1.1, and with `Connection: upgrade`
    /// (RFC 9110, section 7.8). As a response 426, with the protocol in `Upgrade` (section 15.5.22).
    NotOffered(HeaderValue),
    /// The request is no CONNECT. As a response 405, with `Allow: CONNECT`.
    NotConnect,
    /// The request has content that was not read to its end: nobody knows yet where the other protocol begins. As a
    /// response 400, since a handler that takes no content leaves it to the client to send none.
    UnreadContent,
    /// The body was taken out of the request, or another one was put in its place: what follows is read there.
    BodyTaken,
    /// The request has a response already.
    AlreadyResponded,
    /// A field that is not the handler's to set.
    HeaderNotAllowed(HeaderName),
    /// The name of the protocol is none: it is no token, nor two with a slash between them.
    InvalidProtocol,
    /// The client is gone, or the exchange is over.
    Disconnected(Disconnected),
}

impl UpgradeError {
    /// The status that it stands for, and its code where it is the client's matter.
    pub(crate) fn meaning(&self) -> (StatusCode, Option<&'static str>) {
        match self {
            Self::NotOffered(_) => (StatusCode::UPGRADE_REQUIRED, Some("upgrade-required")),
            Self::NotConnect => (StatusCode::METHOD_NOT_ALLOWED, Some("not-connect")),
            Self::UnreadContent => (StatusCode::BAD_REQUEST, Some("unread-content")),
            Self::Disconnected(_) => (StatusCode::BAD_REQUEST, Some("disconnected")),
            Self::BodyTaken | Self::AlreadyResponded | Self::HeaderNotAllowed(_) | Self::InvalidProtocol => {
                (StatusCode::INTERNAL_SERVER_ERROR, None)
            }
        }
    }

    /// The field that the response must have.
    pub(crate) fn field(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::NotOffered(protocol) => Some((UPGRADE, protocol.clone())),
            Self::NotConnect => Some((ALLOW, HeaderValue::from_static("CONNECT"))),
            _ => None,
        }
    }
}

impl From<Disconnected> for UpgradeError {
    fn from(why: Disconnected) -> Self {
        Self::Disconnected(why)
    }
}

impl fmt::Display for UpgradeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered(protocol) => {
                let protocol = protocol.to_str().unwrap_or_default();
                write!(f, "the request must ask for an upgrade to {protocol}")
            }
            Self::NotConnect => f.write_str("the request must be a CONNECT"),
            Self::UnreadContent => f.write_str("a request that leaves HTTP must have no content here"),
            Self::BodyTaken => f.write_str("the body is no longer in the request"),
            Self::AlreadyResponded => f.write_str("the request has a response already"),
            Self::HeaderNotAllowed(name) => write!(f, "the field {name} is not the handler's to set"),
            Self::InvalidProtocol => f.write_str("this is no name of a protocol"),
            Self::Disconnected(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for UpgradeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Disconnected(why) => Some(why),
            _ => None,
        }
    }
}
