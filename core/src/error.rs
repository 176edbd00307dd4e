//! The application's single error, and the typed errors that core itself makes.
//!
//! The rule: an error says whose fault it is. [`Refusal`] is the peer's,
//! [`Misuse`](crate::h1::Misuse) is our caller's, [`Disconnected`] is nobody's, [`LimitExceeded`] is the
//! peer's and names the number; [`Error`] is what an application makes of any of them.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, StatusCode};

use crate::h1::Refusal;
use crate::message::{BodyError, Response, SpawnError};

/// Any error that may cross threads.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a handler returns: a value, or the application's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The client's connection ended before the message did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disconnected {
    /// The peer finished sending in the middle of a message.
    Finished,
    /// The peer is gone: the connection was reset, or a read or a write failed.
    Gone,
    /// The exchange is over: its answer was complete, or it was given up.
    Over,
}

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "the client stopped sending in the middle of the message",
            Self::Gone => "the client is gone",
            Self::Over => "the exchange is over",
        })
    }
}

impl std::error::Error for Disconnected {}

/// The peer sent more than a limit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitExceeded {
    /// The name of the limit, as [`Limits`](crate::Limits) spells it.
    pub limit: &'static str,
    /// Its value.
    pub value: u64,
    /// What was seen, or announced, when it was passed: at least this much was sent.
    pub seen: u64,
}

impl LimitExceeded {
    /// `limit`, whose value is `value`, was passed by `seen`.
    pub const fn new(limit: &'static str, value: u64, seen: u64) -> Self {
        Self { limit, value, seen }
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, and at least {} were sent", self.limit, self.value, self.seen)
    }
}

impl std::error::Error for LimitExceeded {}

/// The application's single error: a status, a message for the client, and the cause for the logs.
///
/// Every `std::error::Error` becomes one through `?`: with the status that its type stands for where core
/// knows the type ([`BodyError`], [`Refusal`], [`LimitExceeded`] ...), else as 500 with the standard phrase as
/// its message, so that internals stay inside. It is no `std::error::Error` itself, since that would
/// forbid the conversion.
///
/// ```
/// use bakestone::{Error, Result};
/// use http::StatusCode;
///
/// fn age(text: &str) -> Result<u8> {
///     if text.is_empty() {
///         return Err(Error::new(StatusCode::BAD_REQUEST, "an age is needed"));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(age("").unwrap_err().message(), "an age is needed");
/// let error = age("old").unwrap_err();
/// assert_eq!((error.status(), error.message()), (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"));
/// assert!(error.is::<std::num::ParseIntError>());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    status: StatusCode,
    message: Cow<'static, str>,
    headers: HeaderMap,
    source: Option<BoxError>,
}

impl Error {
    /// An error with this status, and this message for the client.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { status, message: message.into(), headers: HeaderMap::new(), source: None }))
    }

    /// An error with this status, and its standard phrase for the client.
    pub fn from_status(status: StatusCode) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or("Error"))
    }

    /// An error with this status, its standard phrase for the client and the cause for the logs.
    pub fn with_source(status: StatusCode, source: impl Into<BoxError>) -> Self {
        let mut error = Self::from_status(status);
        error.0.source = Some(source.into());
        error
    }

    /// 404 Not Found.
    pub fn not_found() -> Self {
        Self::from_status(StatusCode::NOT_FOUND)
    }

    /// 500 Internal Server Error.
    pub fn internal() -> Self {
        Self::from_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The status that the client gets.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The message that the client gets.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Fields that go out with the error, such as `Allow` with 405.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Fields that go out with the error, to change.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.0.headers
    }

    /// The cause, which stays inside.
    pub fn source(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// Whether the cause is an `E`.
    pub fn is<E: std::error::Error + 'static>(&self) -> bool {
        self.downcast_ref::<E>().is_some()
    }

    /// The cause, if it is an `E`.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.source().and_then(|source| source.downcast_ref())
    }

    /// The cause, its cause, and so on.
    pub fn causes(&self) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
        let first = self.source().map(|source| source as &(dyn std::error::Error + 'static));
        std::iter::successors(first, |cause| cause.source())
    }

    /// The plain-text answer: the message, with the status and the fields.
    pub fn to_response(&self) -> Response {
        let mut response = Response::text(self.0.status, self.0.message.clone());
        for (name, value) in &self.0.headers {
            response.headers.append(name, value.clone());
        }
        response
    }

    /// As [`to_response`](Self::to_response).
    pub fn into_response(self) -> Response {
        self.to_response()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("status", &self.0.status)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.status.as_u16(), self.0.message)?;
        match &self.0.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let (status, told) = meaning(&error);
        let message = if told { Some(error.to_string()) } else { None };
        let mut converted = Self::with_source(status, error);
        if let Some(message) = message {
            converted.0.message = message.into();
        }
        converted
    }
}

/// The status that an error of core's own stands for, and whether its text is meant for the client.
fn meaning(error: &(dyn std::error::Error + 'static)) -> (StatusCode, bool) {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return (refusal.status, true);
    }
    if error.is::<LimitExceeded>() {
        return (StatusCode::PAYLOAD_TOO_LARGE, true);
    }
    if error.is::<Disconnected>() {
        return (StatusCode::BAD_REQUEST, true);
    }
    if let Some(body) = error.downcast_ref::<BodyError>() {
        return body.meaning();
    }
    if let Some(SpawnError::Full(_) | SpawnError::Over) = error.downcast_ref() {
        // It passes when tasks end, or when another server takes over.
        return (StatusCode::SERVICE_UNAVAILABLE, false);
    }
    (StatusCode::INTERNAL_SERVER_ERROR, false)
}
