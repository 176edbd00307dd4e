//! The Close frame: a code, and a reason in words.
//!
//! The rule: what may not be sent is not taken from a peer either.
//!
//! ```text
//! Close payload = [ code (16 bits, network order) [ reason (UTF-8, at most 123 bytes) ] ]
//! ```
//!
//! RFC 6455, sections 5.5.1 and 7.4.

use std::fmt;

use super::error::Reason;
use super::frame::CONTROL_BYTES;
use super::utf8::Utf8Bytes;

/// What the reason of a Close has room for, in bytes.
const REASON_BYTES: usize = CONTROL_BYTES - 2;

/// Why a connection is closed, as a number (RFC 6455, section 7.4; the registry of IANA).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: what the connection was for is done.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server stops, or the browser has left the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: data of a kind that cannot be accepted, such as a binary message where only text is understood.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1007: a message is not what its kind says, such as a text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a message breaks a policy.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message is too big.
    pub const TOO_BIG: Self = Self(1009);
    /// 1010: the client misses an extension that the server did not agree to.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the server cannot go on.
    pub const INTERNAL: Self = Self(1011);
    /// 1012: the service restarts.
    pub const RESTART: Self = Self(1012);
    /// 1013: the server is overloaded.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code of this number, whatever it is.
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether it may stand in a Close: it is registered for that, or belongs to a library (3000 to 3999) or an
    /// application (4000 to 4999).
    ///
    /// ```
    /// use bakestone::ws::CloseCode;
    ///
    /// assert!(CloseCode::NORMAL.may_be_sent() && CloseCode::new(4999).may_be_sent());
    /// // There was no code, the connection broke off, TLS failed: these are told, but never sent.
    /// assert!([1005, 1006, 1015].iter().all(|code| !CloseCode::new(*code).may_be_sent()));
    /// ```
    pub const fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a Close says.
///
/// ```
/// use bakestone::ws::{CloseCode, CloseFrame};
///
/// let frame = CloseFrame::with_reason(CloseCode::POLICY, "no cake").ok_or("it may be sent")?;
/// assert_eq!((frame.code().get(), frame.reason()), (1008, "no cake"));
/// assert_eq!(CloseFrame::with_reason(CloseCode::new(1006), ""), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    code: CloseCode,
    reason: Utf8Bytes,
}

impl CloseFrame {
    /// A Close with this code, and no reason in words.
    pub fn new(code: CloseCode) -> Self {
        Self { code, reason: Utf8Bytes::default() }
    }

    /// A Close with this code and reason; `None` if the code is none that [may be sent](CloseCode::may_be_sent), or the
    /// reason has more than 123 bytes.
    pub fn with_reason(code: CloseCode, reason: &str) -> Option<Self> {
        let may_be_sent = code.may_be_sent() && reason.len() <= REASON_BYTES;
        may_be_sent.then(|| Self::truncated(code, reason))
    }

    /// A Close with this code and as much of the reason as there is room for: it ends with a whole character.
    ///
    /// ```
    /// use bakestone::ws::{CloseCode, CloseFrame};
    ///
    /// let frame = CloseFrame::truncated(CloseCode::INTERNAL, &"ü".repeat(100));
    /// assert_eq!(frame.reason().len(), 122);
    /// ```
    pub fn truncated(code: CloseCode, reason: &str) -> Self {
        let mut end = reason.len().min(REASON_BYTES);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        Self { code, reason: Utf8Bytes::from(reason[..end].to_owned()) }
    }

    /// Why, as a number.
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// Why, in words for whoever looks for a fault; at most 123 bytes, and mostly empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Reads the payload of a Close; `None` if it is empty.
    pub(super) fn read(payload: &[u8]) -> Result<Option<Self>, Reason> {
        let (code, reason) = match payload {
            [] => return Ok(None),
            [_] => return Err(Reason::ShortClose),
            [high, low, reason @ ..] => (CloseCode(u16::from_be_bytes([*high, *low])), reason),
        };
        if !code.may_be_sent() {
            return Err(Reason::InvalidCloseCode);
        }
        match std::str::from_utf8(reason) {
            Ok(reason) => Ok(Some(Self::truncated(code, reason))),
            Err(_) => Err(Reason::InvalidCloseReason),
        }
    }

    /// Writes the payload of a Close to the front of `payload`; how long it is.
    pub(super) fn write(&self, payload: &mut [u8; CONTROL_BYTES]) -> usize {
        let end = 2 + self.reason.len();
        payload[..2].copy_from_slice(&self.code.0.to_be_bytes());
        payload[2..end].copy_from_slice(self.reason.as_bytes());
        end
    }
}
