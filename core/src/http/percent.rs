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
    match memchr::memchr(b'%', text.as_bytes()) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(lossy(unescape(text.as_bytes(), |byte| byte))),
    }
}

/// `bytes` with each escape decoded once, and `plain` of every other byte.
pub(crate) fn unescape(bytes: &[u8], plain: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| escape(after)).flatten();
        let (byte, after) = escaped.unwrap_or_else(|| (plain(byte), after));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

/// The text that `bytes` are; what is not UTF-8 becomes U+FFFD. Well-formed bytes are not copied.
pub(crate) fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The byte that the two digits after a `%` stand for, and what is after them.
pub(crate) fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = text else { return None };
    Some((digit(*high)? << 4 | digit(*low)?, rest))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
