//! Why a body could not be read.
//!
//! The rule: it says whose fault it is, and what is told to the client repeats nothing that the client sent.

use std::fmt;

use http::StatusCode;

use crate::error::{BoxError, Disconnected, Error, LimitExceeded};
use crate::h1::Refusal;
use crate::message::written::Failed;

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
    /// The body is not text in the character set of this name.
    NotDecodable(&'static str),
    /// The body is text in a character set that is not known here.
    UnknownCharset,
    /// The body was read before, in whole or in part, or was taken out: it can be read once.
    AlreadyConsumed,
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
            Self::NotDecodable(charset) => Self::NotDecodable(charset),
            Self::UnknownCharset => Self::UnknownCharset,
            Self::AlreadyConsumed => Self::AlreadyConsumed,
            Self::Source(source) => Self::Source(source.to_string().into()),
        }
    }

    /// The error for who gets it in place of a response: one that is already the application's own stays what it is.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Source(source) => match source.downcast::<Failed>() {
                Ok(failed) => failed.0,
                Err(source) => Self::Source(source).into(),
            },
            other => other.into(),
        }
    }

    /// The status that it stands for, and whether its text is meant for the client.
    pub(crate) fn meaning(&self) -> (StatusCode, bool) {
        match self {
            Self::Disconnected(_) | Self::NotUtf8(_) | Self::NotDecodable(_) => {
                (StatusCode::BAD_REQUEST, true)
            }
            Self::UnknownCharset => (StatusCode::UNSUPPORTED_MEDIA_TYPE, true),
            Self::Refused(refusal) => (refusal.status, true),
            Self::LimitExceeded(_) => (StatusCode::PAYLOAD_TOO_LARGE, true),
            Self::TimedOut => (StatusCode::REQUEST_TIMEOUT, true),
            Self::AlreadyConsumed | Self::Source(_) => (StatusCode::INTERNAL_SERVER_ERROR, false),
        }
    }

    /// A name of it that stays the same from version to version, where it is the client's matter.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Disconnected(_) => Some("disconnected"),
            Self::Refused(refusal) => Some(refusal.code()),
            Self::LimitExceeded(_) => Some("limit-exceeded"),
            Self::TimedOut => Some("body-timed-out"),
            Self::NotUtf8(_) => Some("not-utf8"),
            Self::NotDecodable(_) => Some("not-text"),
            Self::UnknownCharset => Some("unknown-charset"),
            Self::AlreadyConsumed | Self::Source(_) => None,
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
            Self::NotDecodable(charset) => write!(f, "the body is not text in {charset}"),
            Self::UnknownCharset => f.write_str("the body's character set is not known"),
            Self::AlreadyConsumed => f.write_str("the body was read before, or taken out of the request"),
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
            _ => None,
        }
    }
}
