//! Text that is known to be UTF-8, and the check of text that arrives in pieces.
//!
//! The rule: the standard library says what UTF-8 is. A fault is found at the byte that makes it certain, and no byte
//! is looked at more than a few times, however finely the text is cut (RFC 6455, section 8.1; RFC 3629).

use std::fmt;
use std::ops::Deref;
use std::str::{self, Utf8Error};

use bytes::Bytes;
use bytestring::ByteString;

/// Bytes that are UTF-8: a `str` that is cheap to clone, and shares its memory with what was received.
///
/// ```
/// use bakestone::ws::Utf8Bytes;
/// use bytes::Bytes;
///
/// let text = Utf8Bytes::try_from(Bytes::from_static("bara brith".as_bytes()))?;
/// assert_eq!(text.split_once(' '), Some(("bara", "brith")));
/// assert!(Utf8Bytes::try_from(Bytes::from_static(b"\xff")).is_err());
/// # Ok::<(), std::str::Utf8Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utf8Bytes(ByteString);

impl Utf8Bytes {
    /// The text, which copies nothing.
    pub const fn from_static(text: &'static str) -> Self {
        Self(ByteString::from_static(text))
    }

    /// The text as a `str`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes, with the memory that they share.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }

    /// The bytes, which share this text's memory.
    pub(super) fn to_bytes(&self) -> Bytes {
        self.0.as_bytes().clone()
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for Utf8Bytes {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl From<&str> for Utf8Bytes {
    /// A copy of it; [`from_static`](Self::from_static) makes none.
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Self, Utf8Error> {
        ByteString::try_from(bytes).map(Self)
    }
}

/// Checks the beginning of a text, of which the first `valid` bytes are known to be whole characters, and moves
/// `valid` on. A character that is not whole yet is no fault.
///
/// # Errors
///
/// The index of the byte that makes the fault certain.
pub(super) fn advance(text: &[u8], valid: &mut usize) -> Result<(), usize> {
    let rest = text.get(*valid..).unwrap_or_default();
    match str::from_utf8(rest) {
        Ok(_) => *valid = text.len(),
        Err(error) if error.error_len().is_none() => *valid += error.valid_up_to(),
        Err(error) => return Err(*valid + fault_in(rest, error)),
    }
    Ok(())
}

/// The index of the byte that makes it certain that this is not UTF-8: the last one, if a character is not whole.
pub(super) fn fault_in(text: &[u8], error: Utf8Error) -> usize {
    let begin = error.valid_up_to();
    match error.error_len() {
        None => text.len().saturating_sub(1),
        // Either a byte that begins no character, or the one behind a byte that begins one.
        Some(1) if !matches!(text[begin], 0xc2..=0xf4) => begin,
        Some(length) => begin + length,
    }
}

/// The end of a text that is sent in fragments: the bytes of a character that is not whole yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    bytes: [u8; 3],
    length: u8,
}

impl Tail {
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The end of the text when `piece` follows; `None` if that is not UTF-8.
    pub(super) fn followed_by(self, piece: &[u8]) -> Option<Self> {
        if self.is_empty() {
            return Self::of(piece);
        }
        // A character that a fragment cuts in two costs a copy of the second one.
        let joined = [&self.bytes[..usize::from(self.length)], piece].concat();
        Self::of(&joined)
    }

    fn of(text: &[u8]) -> Option<Self> {
        let mut valid = 0;
        advance(text, &mut valid).ok()?;
        let rest = &text[valid..];
        let mut bytes = [0; 3];
        bytes.get_mut(..rest.len())?.copy_from_slice(rest);
        Some(Self { bytes, length: rest.len() as u8 })
    }
}
