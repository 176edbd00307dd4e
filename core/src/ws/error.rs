//! What can go wrong with a connection of frames.
//!
//! The rule: a reason is a value with a stable name and the code to close with. [`Error`] is the peer's fault,
//! [`Misuse`] our caller's.

use std::fmt;

use super::close::{CloseCode, CloseFrame};

/// The peer broke the protocol, or sent more than a limit allows: the connection has failed (RFC 6455, section 7.1.7).
///
/// The caller may still send a Close with its [`code`](Self::code), and closes then; nothing more is read.
///
/// ```
/// use bakestone::ws::{Config, Conn, Reason, Role};
/// use bytes::BytesMut;
///
/// let mut conn = Conn::new(Role::Server, Config::default());
/// // A text of five bytes that is not masked.
/// let error = conn.next(&mut BytesMut::from(&b"\x81\x05hello"[..])).unwrap_err();
/// assert_eq!((error.kind(), error.code().get(), error.offset()), (Reason::Unmasked, 1002, 1));
/// assert_eq!(error.to_string(), "a client's frame is not masked (at byte 1)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    reason: Reason,
    offset: u64,
}

impl Error {
    pub(super) fn new(reason: Reason, offset: u64) -> Self {
        Self { reason, offset }
    }

    /// What is wrong.
    pub fn kind(&self) -> Reason {
        self.reason
    }

    /// The code to close with.
    pub fn code(&self) -> CloseCode {
        self.reason.close_code()
    }

    /// The Close that tells the peer of it.
    pub fn close_frame(&self) -> CloseFrame {
        CloseFrame::truncated(self.code(), self.reason())
    }

    /// What is wrong, in words.
    pub fn reason(&self) -> &'static str {
        self.reason.text()
    }

    /// Where, in bytes from the first byte of the first frame: the byte that made it certain.
    ///
    /// In a compressed message, whose bits are no bytes of the content, it is the first byte of the frame.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.reason, self.offset)
    }
}

impl std::error::Error for Error {}

/// One row a reason: name, close code, stable name, text, section.
macro_rules! reasons {
    ($($name:ident $code:ident $stable:literal $text:literal $section:literal;)+) => {
        /// A fault on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = concat!("`", $stable, "`: ", $text, " (", $section, ").")] $name,)+
        }

        impl Reason {
            /// Every reason, in the order of a frame's parts.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable name, in kebab case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $stable,)+ }
            }

            /// The code to close with (RFC 6455, section 7.4.1).
            pub const fn close_code(self) -> CloseCode {
                match self { $(Self::$name => CloseCode::$code,)+ }
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

reasons! {
    ReservedBits PROTOCOL_ERROR "reserved-bits" "a reserved bit is set without a meaning" "RFC 6455, section 5.2";
    ReservedOpcode PROTOCOL_ERROR "reserved-opcode" "an opcode is none that is defined" "RFC 6455, section 5.2";
    FragmentedControl PROTOCOL_ERROR "fragmented-control" "a control frame is fragmented" "RFC 6455, section 5.5";
    UnexpectedContinuation PROTOCOL_ERROR "unexpected-continuation" "a continuation frame continues nothing" "RFC 6455, section 5.4";
    InterleavedMessage PROTOCOL_ERROR "interleaved-message" "a message begins inside of another" "RFC 6455, section 5.4";
    Unmasked PROTOCOL_ERROR "unmasked" "a client's frame is not masked" "RFC 6455, section 5.1";
    Masked PROTOCOL_ERROR "masked" "a server's frame is masked" "RFC 6455, section 5.1";
    ControlTooLong PROTOCOL_ERROR "control-too-long" "a control frame has more than 125 bytes" "RFC 6455, section 5.5";
    ShortClose PROTOCOL_ERROR "short-close" "a Close has a single byte" "RFC 6455, section 5.5.1";
    OverlongLength PROTOCOL_ERROR "overlong-length" "a length is not in its shortest form" "RFC 6455, section 5.2";
    InvalidLength PROTOCOL_ERROR "invalid-length" "a length of 64 bits has the highest one set" "RFC 6455, section 5.2";
    FrameTooBig TOO_BIG "frame-too-big" "a frame is larger than a limit allows" "RFC 6455, section 10.4";
    MessageTooBig TOO_BIG "message-too-big" "a message is larger than a limit allows" "RFC 6455, section 10.4";
    CorruptDeflate INVALID_PAYLOAD "corrupt-deflate" "a compressed message cannot be decompressed" "RFC 7692, section 7.2.2";
    InvalidUtf8 INVALID_PAYLOAD "invalid-utf8" "a text is not UTF-8" "RFC 6455, section 8.1";
    InvalidCloseCode PROTOCOL_ERROR "invalid-close-code" "a Close has a code that may not be sent" "RFC 6455, section 7.4";
    InvalidCloseReason INVALID_PAYLOAD "invalid-close-reason" "the reason of a Close is not UTF-8" "RFC 6455, section 5.5.1";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A bug of our caller's. Nothing was written and no state has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// A Close was sent: nothing may follow it (RFC 6455, section 5.5.1).
    Closed,
    /// A message begins, but another one was begun in fragments and is not over (RFC 6455, section 5.4).
    MessageUnfinished,
    /// A fragment continues a message that was not begun, or is over (RFC 6455, section 5.4).
    NothingToContinue,
    /// The payload of a control frame has more than 125 bytes (RFC 6455, section 5.5).
    ControlTooLong {
        /// Bytes that were given.
        given: usize,
    },
    /// The code may not stand in a Close (RFC 6455, section 7.4).
    InvalidCloseCode(CloseCode),
    /// The fragments of a text are not UTF-8 (RFC 6455, section 5.6).
    InvalidUtf8,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("a Close was sent, and nothing may follow it"),
            Self::MessageUnfinished => f.write_str("the message that was begun in fragments is not over"),
            Self::NothingToContinue => f.write_str("no message was begun that a fragment could continue"),
            Self::ControlTooLong { given } => {
                write!(f, "{given} bytes were given where a control frame has room for 125")
            }
            Self::InvalidCloseCode(code) => write!(f, "the code {code} may not stand in a Close"),
            Self::InvalidUtf8 => f.write_str("the fragments of a text are not UTF-8"),
        }
    }
}

impl std::error::Error for Misuse {}
