//! The application's single error, and the typed errors that core itself makes.
//!
//! The rule: an error says whose fault it is. [`Refusal`] is the peer's,
//! [`Misuse`](crate::h1::Misuse) is our caller's, [`Disconnected`] is nobody's, [`LimitExceeded`] is the
//! peer's and names the number; [`Error`] is what an application makes of any of them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::{SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::effect::{FileError, FileErrorKind};
use crate::h1::Refusal;
#[cfg(feature = "websocket")]
use crate::message::WebSocketError;
use crate::message::{BodyError, Rejection, Response, SpawnError, UpgradeError};
use crate::multipart;
#[cfg(feature = "websocket")]
use crate::ws::HandshakeError;

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
/// What the client gets of it is the status, the message, the fields and the [code](Self::code); a status of 3xx is a
/// redirect on the same way out. Where no error handler renders it, an application tells it in the form that the
/// client's `Accept` prefers: as an HTML page, as problem details (RFC 9457), or, by default, as plain text. The cause
/// is shown in [debug](crate::App::debug) only.
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
///
/// let error = Error::conflict("the last cake was sold").with_code("sold-out");
/// assert_eq!((error.status(), error.code()), (StatusCode::CONFLICT, Some("sold-out")));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    status: StatusCode,
    message: Cow<'static, str>,
    code: Option<Cow<'static, str>>,
    headers: HeaderMap,
    source: Option<BoxError>,
}

/// One row a constructor: those of the client's faults take a message for it; of the others, and of 404, the standard
/// phrase says what there is to say.
macro_rules! constructors {
    ($($(#[$meaning:meta])* $name:ident($($message:ident)?) $status:ident;)+) => {$(
        $(#[$meaning])*
        pub fn $name($($message: impl Into<Cow<'static, str>>)?) -> Self {
            Self::from_status(StatusCode::$status)$(.with_message($message))?
        }
    )+};
}

impl Error {
    /// An error with this status, and this message for the client.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        let inner =
            Inner { status, message: message.into(), code: None, headers: HeaderMap::new(), source: None };
        Self(Box::new(inner))
    }

    /// An error with this status, and its standard phrase for the client.
    pub fn from_status(status: StatusCode) -> Self {
        Self::new(status, phrase(status))
    }

    constructors! {
        /// 400: the request is wrong in itself.
        bad_request(message) BAD_REQUEST;
        /// 401: who asks is not known. It goes with `WWW-Authenticate` (RFC 9110, section 15.5.2).
        unauthorized(message) UNAUTHORIZED;
        /// 403: who asks may not.
        forbidden(message) FORBIDDEN;
        /// 404, with the standard phrase.
        not_found() NOT_FOUND;
        /// 409: it does not go with what is there.
        conflict(message) CONFLICT;
        /// 410: it was there, and will not be again.
        gone(message) GONE;
        /// 412: what the request presupposes does not hold.
        precondition_failed(message) PRECONDITION_FAILED;
        /// 413: the body is too large.
        payload_too_large(message) PAYLOAD_TOO_LARGE;
        /// 415: the body is of a type that is not taken.
        unsupported_media_type(message) UNSUPPORTED_MEDIA_TYPE;
        /// 422: the body is well-formed, and makes no sense.
        unprocessable(message) UNPROCESSABLE_ENTITY;
        /// 429: the client asks too often. `Retry-After` may say when again (RFC 6585, section 4).
        too_many_requests(message) TOO_MANY_REQUESTS;
        /// 500, with the standard phrase.
        internal() INTERNAL_SERVER_ERROR;
        /// 501, with the standard phrase.
        not_implemented() NOT_IMPLEMENTED;
        /// 502, with the standard phrase: a server behind this one gave no sense.
        bad_gateway() BAD_GATEWAY;
        /// 503, with the standard phrase: it will pass. `Retry-After` may say when (RFC 9110, section 10.2.3).
        unavailable() SERVICE_UNAVAILABLE;
        /// 504, with the standard phrase: a server behind this one gave no answer in time.
        gateway_timeout() GATEWAY_TIMEOUT;
    }

    /// The same error with this message for the client.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The same error with this cause for the logs.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with this field, in place of any of that name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The same error with this [code](Self::code): a name in kebab case, or an absolute URI of one's own.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// The status that the client gets.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The message that the client gets.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What kind of error it is, for programs: a name that stays the same from version to version, where the status
    /// does not say all.
    ///
    /// Core's own errors have one where they are the client's matter: that of a [`Refusal`] or a [`Rejection`],
    /// `limit-exceeded`, `disconnected`, `body-timed-out`, `not-utf8`, `not-text`, `unknown-charset`, `too-many-tasks`,
    /// `stopping`, `storage-full`, `upgrade-required`, `not-connect`, `unread-content`, `websocket-closed`,
    /// `websocket-refused`, `websocket-origin`, and those of a handshake.
    ///
    /// It is the `type` of the problem details (RFC 9457, section 3.1.1): `urn:bakestone:` and the name, or the code
    /// itself if it has a colon; `about:blank` without one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
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

    /// The cause, its cause, and so on; the first 64 of them, since a chain may lead back to itself.
    pub fn causes(&self) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
        let first = self.source().map(|source| source as &(dyn std::error::Error + 'static));
        std::iter::successors(first, |cause| cause.source()).take(64)
    }

    /// The plain answer: the message as text, with the status and the fields. The response [has the error](Response::error).
    pub fn into_response(self) -> Response {
        let mut response = self.as_text();
        response.extensions.insert(Arc::new(self));
        response
    }

    /// As [`into_response`](Self::into_response), without the error.
    pub(crate) fn as_text(&self) -> Response {
        let mut response = Response::text(self.0.status, self.0.message.clone());
        self.add_fields(&mut response);
        response
    }

    /// Adds the fields to `response`, whose own ones of the same name stay as they are.
    pub(crate) fn add_fields(&self, response: &mut Response) {
        for name in self.0.headers.keys() {
            // What these say is the sum of what all of them say.
            let adds_up = name == VARY || name == SET_COOKIE;
            if adds_up || !response.headers.contains_key(name) {
                for value in self.0.headers.get_all(name) {
                    response.headers.append(name, value.clone());
                }
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("status", &self.0.status)
            .field("message", &self.0.message)
            .field("code", &self.0.code)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.status.as_u16(), self.0.message)?;
        match &self.0.source {
            Some(source) if f.alternate() => write!(f, " ({source})"),
            _ => Ok(()),
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let Meaning { status, is_told, code } = meaning(&error);
        let mut converted = Self::from_status(status);
        if is_told {
            converted.0.message = error.to_string().into();
        }
        converted.0.code = code.map(Cow::Borrowed);
        add_own_fields(&error, &mut converted.0.headers);
        converted.with_source(error)
    }
}

/// The fields that an error of core's own has to go out with.
fn add_own_fields(error: &(dyn std::error::Error + 'static), headers: &mut HeaderMap) {
    #[cfg(feature = "websocket")]
    if let Some(handshake) = error.downcast_ref::<HandshakeError>() {
        headers.extend(handshake.headers());
    }
    headers.extend(error.downcast_ref().and_then(UpgradeError::field));
}

/// The standard phrase of a status.
pub(crate) fn phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

/// What an error of core's own says to the client.
struct Meaning {
    status: StatusCode,
    /// Whether its text is meant for the client.
    is_told: bool,
    code: Option<&'static str>,
}

fn meaning(error: &(dyn std::error::Error + 'static)) -> Meaning {
    let told = |status, code| Meaning { status, is_told: true, code: Some(code) };
    let untold = |status, code| Meaning { status, is_told: false, code };
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return told(refusal.status, refusal.code());
    }
    if let Some(rejection) = error.downcast_ref::<Rejection>() {
        return match rejection.is_told() {
            true => told(rejection.status(), rejection.code()),
            false => untold(rejection.status(), None),
        };
    }
    if error.is::<LimitExceeded>() {
        return told(StatusCode::PAYLOAD_TOO_LARGE, "limit-exceeded");
    }
    if let Some(error) = error.downcast_ref::<multipart::Error>() {
        return told(error.status(), error.code());
    }
    if error.is::<Disconnected>() {
        return told(StatusCode::BAD_REQUEST, "disconnected");
    }
    #[cfg(feature = "websocket")]
    if let Some(handshake) = error.downcast_ref::<HandshakeError>() {
        return told(handshake.status(), handshake.code());
    }
    #[cfg(feature = "websocket")]
    match error.downcast_ref() {
        Some(WebSocketError::OriginRefused) => return told(StatusCode::FORBIDDEN, "websocket-origin"),
        // That the talk is over is no fault of ours.
        Some(WebSocketError::Closed) => return told(StatusCode::BAD_REQUEST, "websocket-closed"),
        Some(WebSocketError::Disconnected(_)) => return told(StatusCode::BAD_REQUEST, "disconnected"),
        Some(WebSocketError::Refused(_)) => return told(StatusCode::BAD_REQUEST, "websocket-refused"),
        _ => {}
    }
    if let Some(body) = error.downcast_ref::<BodyError>() {
        let (status, is_told) = body.meaning();
        return Meaning { status, is_told, code: body.code() };
    }
    if let Some(upgrade) = error.downcast_ref::<UpgradeError>() {
        let (status, code) = upgrade.meaning();
        return Meaning { status, is_told: code.is_some(), code };
    }
    // RFC 4918, section 11.5. What else befalls a file is no matter of the client's, and a file that is missing
    // need not be what was asked for.
    if let Some(FileErrorKind::StorageFull) = error.downcast_ref().map(|error: &FileError| error.kind) {
        return untold(StatusCode::INSUFFICIENT_STORAGE, Some("storage-full"));
    }
    // It passes when tasks end, or when another server takes over.
    match error.downcast_ref::<SpawnError>() {
        Some(SpawnError::Full(_)) => untold(StatusCode::SERVICE_UNAVAILABLE, Some("too-many-tasks")),
        Some(SpawnError::Over) => untold(StatusCode::SERVICE_UNAVAILABLE, Some("stopping")),
        _ => untold(StatusCode::INTERNAL_SERVER_ERROR, None),
    }
}
