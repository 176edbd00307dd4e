//! What can go wrong with a message, and why a connection ends.
//!
//! The rule: a reason is a value with a stable name. [`Refusal`] is the peer's fault, [`Misuse`] our
//! caller's, and [`CloseReason`] is nobody's.

use std::fmt;

use ::http::{HeaderName, StatusCode};

use super::transitions::{Side, State, Step};

/// The peer broke HTTP: what it sent has no meaning that is safe to act on.
///
/// The connection cannot be used any further. A server may still answer, with [`status`](Self::status); the
/// answer then announces the close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The status to answer with. A client has nobody to answer: it always finds 502 here, which is what a
    /// gateway would tell its own client.
    pub status: StatusCode,
    /// What was wrong.
    pub reason: Reason,
    /// Where, in bytes from the message's first byte, skipped empty lines included.
    pub offset: u64,
}

impl Refusal {
    /// The reason's stable name, such as `"bare-lf"`.
    pub fn code(&self) -> &'static str {
        self.reason.code()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.reason, self.offset)
    }
}

impl std::error::Error for Refusal {}

/// One row a reason: name, status, code, text.
macro_rules! reasons {
    ($($name:ident $status:ident $code:literal $text:literal $section:literal;)+) => {
        /// A fault on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = concat!("`", $code, "`: ", $text, " (", $section, ").")] $name,)+
        }

        impl Reason {
            /// Every reason, in the order of a message's parts.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable name, in kebab case.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The status with which a server answers.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)+ })
            }
        }
    };
}

reasons! {
    BareLf BAD_REQUEST "bare-lf" "a line ends with LF alone" "RFC 9112, section 2.2";
    BareCr BAD_REQUEST "bare-cr" "a CR is not followed by LF" "RFC 9112, section 2.2";
    InvalidMethod BAD_REQUEST "invalid-method" "the method is not a token" "RFC 9110, section 9.1";
    MethodTooLong NOT_IMPLEMENTED "method-too-long" "the method is longer than any that is known" "RFC 9112, section 3";
    MalformedRequestLine BAD_REQUEST "malformed-request-line" "the request line is not method, target and version with one space between" "RFC 9112, section 3";
    InvalidTarget BAD_REQUEST "invalid-target" "the request target holds what a URI may not" "RFC 9112, section 3.2";
    TargetTooLong URI_TOO_LONG "target-too-long" "the request target is too long" "RFC 9112, section 3";
    InvalidTargetForm BAD_REQUEST "invalid-target-form" "the form of the request target does not go with the method" "RFC 9112, section 3.2";
    UnknownScheme BAD_REQUEST "unknown-scheme" "the scheme of the request target is neither http nor https" "RFC 9112, section 3.2.2";
    MalformedVersion BAD_REQUEST "malformed-version" "the HTTP version is malformed" "RFC 9112, section 2.3";
    UnsupportedVersion HTTP_VERSION_NOT_SUPPORTED "unsupported-version" "the HTTP version is not 1.x" "RFC 9110, section 15.6.6";
    MalformedStatusLine BAD_GATEWAY "malformed-status-line" "the status line is malformed" "RFC 9112, section 4";
    HeadTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "head-too-large" "the head is too large" "RFC 6585, section 5";
    TooManyFields REQUEST_HEADER_FIELDS_TOO_LARGE "too-many-fields" "the head has too many fields" "RFC 6585, section 5";
    LeadingWhitespace BAD_REQUEST "leading-whitespace" "the first field line begins with whitespace" "RFC 9112, section 2.2";
    ObsFold BAD_REQUEST "obs-fold" "a field value is folded over several lines" "RFC 9112, section 5.2";
    MissingColon BAD_REQUEST "missing-colon" "a field line has no colon" "RFC 9112, section 5";
    InvalidFieldName BAD_REQUEST "invalid-field-name" "a field name is not a token" "RFC 9110, section 5.1";
    SpaceBeforeColon BAD_REQUEST "space-before-colon" "whitespace stands between a field name and its colon" "RFC 9112, section 5.1";
    InvalidFieldValue BAD_REQUEST "invalid-field-value" "a field value holds a control character" "RFC 9110, section 5.5";
    MissingHost BAD_REQUEST "missing-host" "the request has no Host" "RFC 9112, section 3.2";
    RepeatedHost BAD_REQUEST "repeated-host" "the request has more than one Host" "RFC 9112, section 3.2";
    InvalidHost BAD_REQUEST "invalid-host" "Host is not a host with an optional port" "RFC 9110, section 7.2";
    HostMismatch BAD_REQUEST "host-mismatch" "Host and the authority of the request target differ" "RFC 9112, section 3.2.2";
    InvalidContentLength BAD_REQUEST "invalid-content-length" "Content-Length is not a decimal number below 2^63" "RFC 9110, section 8.6";
    RepeatedContentLength BAD_REQUEST "repeated-content-length" "Content-Length is given more than once" "RFC 9112, section 6.3";
    MalformedTransferEncoding BAD_REQUEST "malformed-transfer-encoding" "Transfer-Encoding is not chunked once and last" "RFC 9112, section 6.3";
    UnknownTransferCoding NOT_IMPLEMENTED "unknown-transfer-coding" "Transfer-Encoding names a coding that is not implemented" "RFC 9112, section 6.1";
    TransferEncodingInHttp10 BAD_REQUEST "transfer-encoding-in-http10" "Transfer-Encoding stands in an HTTP/1.0 message" "RFC 9112, section 6.1";
    ConflictingFraming BAD_REQUEST "conflicting-framing" "both Transfer-Encoding and Content-Length are given" "RFC 9112, section 6.1";
    UnknownExpectation EXPECTATION_FAILED "unknown-expectation" "Expect asks for something other than 100-continue" "RFC 9110, section 10.1.1";
    InvalidChunkSize BAD_REQUEST "invalid-chunk-size" "a chunk size is not a hexadecimal number" "RFC 9112, section 7.1";
    ChunkSizeTooLarge BAD_REQUEST "chunk-size-too-large" "a chunk size has more than 16 digits" "RFC 9112, section 7.1";
    InvalidChunkExtension BAD_REQUEST "invalid-chunk-extension" "a chunk extension is malformed" "RFC 9112, section 7.1.1";
    ChunkExtensionsTooLarge BAD_REQUEST "chunk-extensions-too-large" "the chunk extensions are too large" "RFC 9112, section 7.1.1";
    MissingChunkEnd BAD_REQUEST "missing-chunk-end" "the data of a chunk is not followed by CRLF" "RFC 9112, section 7.1";
    TrailersTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "trailers-too-large" "the trailer section is too large" "RFC 9112, section 7.1.2";
    TooManyTrailers REQUEST_HEADER_FIELDS_TOO_LARGE "too-many-trailers" "the trailer section has too many fields" "RFC 9112, section 7.1.2";
    UnexpectedEnd BAD_REQUEST "unexpected-end" "the input ended in the middle of a message" "RFC 9112, section 8";
    UnsolicitedResponse BAD_GATEWAY "unsolicited-response" "a response came without a request" "RFC 9112, section 9.2";
    UnexpectedUpgrade BAD_GATEWAY "unexpected-upgrade" "the server switched protocols, which was not asked for" "RFC 9110, section 15.2.2";
}

/// A bug of our caller's. Nothing was written and no state has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The state of that side does not have such a step.
    IllegalStep {
        /// The side of the exchange that was to move.
        side: Side,
        /// Where it stands.
        state: State,
        /// The step that it does not have there.
        step: Step,
    },
    /// A field that frames the message or rules the connection was set by hand, in a way that conflicts with
    /// what this end decides.
    FramingField(HeaderName),
    /// More data than was declared.
    TooLong {
        /// Bytes that the declared length has room for.
        remaining: u64,
        /// Bytes that were given.
        given: u64,
    },
    /// The end came before the declared length was reached.
    EndedShort {
        /// Bytes that are missing.
        missing: u64,
    },
    /// A field that may not stand in a trailer section (RFC 9110, section 6.5.1).
    InvalidTrailer(HeaderName),
    /// An informational response needs a status of 1xx, other than 101.
    NotInformational(StatusCode),
    /// A response needs a status of 200 or more, or 101.
    NotFinal(StatusCode),
    /// 101 was sent, but the request asked for no upgrade.
    UpgradeNotAsked,
    /// A switch of protocols without an `Upgrade` field that names the new one (RFC 9110, section 15.2.2).
    UpgradeNotNamed,
    /// A switch of protocols before the request was received whole, or was sent whole.
    RequestUnfinished,
    /// The request target is empty, holds what a URI may not, or is of a form that the method does not take.
    InvalidTarget,
    /// The request has no `Host`, more than one, one that is not a host with an optional port, or one that is not the
    /// target's.
    InvalidHost,
    /// A CONNECT or TRACE request with content (RFC 9110, sections 9.3.6 and 9.3.8).
    ContentForbidden,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IllegalStep { side, state, step } => {
                write!(f, "the {side} cannot take the step {step:?} in the state {state:?}")
            }
            Self::FramingField(name) => write!(f, "the field {name} is decided by the connection"),
            Self::TooLong { remaining, given } => {
                write!(f, "{given} bytes were given where the declared length has room for {remaining}")
            }
            Self::EndedShort { missing } => {
                write!(f, "the message ended {missing} bytes short of its declared length")
            }
            Self::InvalidTrailer(name) => write!(f, "the field {name} cannot be a trailer"),
            Self::NotInformational(status) => write!(f, "{status} is no informational status to send"),
            Self::NotFinal(status) => write!(f, "{status} is no final status"),
            Self::UpgradeNotAsked => f.write_str("the request asked for no upgrade"),
            Self::UpgradeNotNamed => f.write_str("the switch names no protocol: Upgrade is missing"),
            Self::RequestUnfinished => f.write_str("the request is not complete yet"),
            Self::InvalidTarget => f.write_str("the request target is not valid for the method"),
            Self::InvalidHost => f.write_str("the request needs exactly one valid Host"),
            Self::ContentForbidden => f.write_str("this method takes no content"),
        }
    }
}

impl std::error::Error for Misuse {}

/// Why a connection is not used for another message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The request had `Connection: close`.
    ClientSentClose,
    /// The response had `Connection: close`, by its author's own wish.
    ServerSentClose,
    /// The peer speaks HTTP/1.0 and did not ask to keep the connection.
    Http10,
    /// The peer's message had both Transfer-Encoding and Content-Length, and was
    /// [let through](crate::Leniency::transfer_encoding_over_content_length).
    ConflictingFraming,
    /// The response's end is the end of the connection.
    CloseDelimited,
    /// A response was sent before any request.
    NoRequest,
    /// The request was not received whole when it was answered.
    UnreadBody,
    /// This end's own message is not complete.
    Unfinished,
    /// The peer's message was refused.
    Refused,
    /// The peer sends no more.
    InputEnded,
    /// The connection has become another protocol's.
    Switched,
    /// The server is stopping.
    Draining,
    /// A deadline has passed.
    TimedOut,
    /// This end's own message was cut off.
    Aborted,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientSentClose => "the client asked to close",
            Self::ServerSentClose => "the server asked to close",
            Self::Http10 => "the peer speaks HTTP/1.0 and did not ask to keep the connection",
            Self::ConflictingFraming => "both Transfer-Encoding and Content-Length were given",
            Self::CloseDelimited => "the response ends with the connection",
            Self::NoRequest => "the response was sent before any request",
            Self::UnreadBody => "the request was not received whole",
            Self::Unfinished => "this end's message is not complete",
            Self::Refused => "the peer's message was refused",
            Self::InputEnded => "the peer sends no more",
            Self::Switched => "the connection has become another protocol's",
            Self::Draining => "the server is stopping",
            Self::TimedOut => "a deadline has passed",
            Self::Aborted => "this end's message was cut off",
        })
    }
}

impl std::error::Error for CloseReason {}

/// A fault at a place in the bytes that were looked at: a [`Refusal`] before it knows the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    /// From the first of the bytes that were looked at.
    pub(super) at: usize,
}

impl Fault {
    pub(super) fn new(reason: Reason, at: usize) -> Self {
        Self { reason, at }
    }
}
