//! Percent-encoding, a byte at a time.

use std::borrow::Cow;

/// Writes `byte` as an escape (RFC 3986, section 2.1). Which bytes need one is for the place to say in which they stand.
pub(crate) fn push_escape(byte: u8, text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.extend([byte >> 4, byte & 0xf].map(|digit| char::from(DIGITS[usize::from(digit)])));
}

/// `text` with each escape decoded once; what is no escape stands for itself, and bytes that are not UTF-8 become
/// U+FFFD.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'%', text.as_bytes()) else { return Cow::Borrowed(text) };
    let (plain, mut rest) = text.as_bytes().split_at(first);
    let mut decoded = plain.to_vec();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| escape(after)).flatten();
        let (byte, after) = escaped.unwrap_or((byte, after));
        decoded.push(byte);
        rest = after;
    }
    Cow::Owned(match String::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The byte that the two digits after a `%` stand for, and what is after them.
pub(crate) fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = text else { return None };
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
