//! Percent-decoding of path segments (RFC 3986, section 2.1).
//!
//! The rule: an escape is decoded once, and never before the path was split, so that `%2F` stays in its
//! segment. Nothing here allocates unless an owned value is asked for.

use std::borrow::Cow;

use super::words;
use crate::http::percent::{lossy, push_escape};

/// The bytes of `text`, with each escape decoded. What only looks like an escape stands for itself; a path
/// that holds such a thing is refused by [`escaped`] before anything else looks at it.
#[derive(Clone)]
pub(super) struct Decoded<'a>(std::slice::Iter<'a, u8>);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = *self.0.next()?;
        match self.0.as_slice() {
            [high, low, ..] if byte == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    self.0.nth(1);
                    Some(high << 4 | low)
                }
                _ => Some(byte),
            },
            _ => Some(byte),
        }
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

pub(super) fn decoded(text: &str) -> Decoded<'_> {
    Decoded(text.as_bytes().iter())
}

/// Whether `text` has escapes; `None` if one of them is malformed or of NUL, or the decoded bytes are no UTF-8.
#[inline]
pub(super) fn escaped(text: &str) -> Option<bool> {
    match words::contains(text.as_bytes(), b'%') {
        true => is_sound(text).then_some(true),
        false => Some(false),
    }
}

#[cold]
fn is_sound(text: &str) -> bool {
    let bytes = text.as_bytes();
    let escapes = memchr::memchr_iter(b'%', bytes).all(|at| match bytes.get(at + 1..at + 3) {
        // An escaped NUL would end a file's name early, wherever it gets to one.
        Some(b"00") => false,
        Some(&[high, low]) => digit(high).is_some() && digit(low).is_some(),
        _ => false,
    });
    escapes && is_utf8(decoded(text))
}

/// Validates one character at a time, since there is no buffer that holds them all.
fn is_utf8(bytes: impl Iterator<Item = u8>) -> bool {
    let mut character = [0; 4];
    let mut length = 0;
    for byte in bytes {
        if length == 0 && byte.is_ascii() {
            continue;
        }
        // A character is complete or refused after four bytes at the latest, so there is room.
        character[length] = byte;
        length += 1;
        match std::str::from_utf8(&character[..length]) {
            Ok(_) => length = 0,
            Err(error) if error.error_len().is_none() && length < character.len() => {}
            Err(_) => return false,
        }
    }
    length == 0
}

/// The decoded text, borrowed if there is nothing to decode.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(lossy(decoded(text).collect()))
}

/// Where in `raw` the byte `offset` of its decoded text begins.
pub(super) fn raw_offset(raw: &str, offset: usize) -> usize {
    let mut bytes = decoded(raw);
    // To advance by nothing is to read nothing.
    if let Some(last) = offset.checked_sub(1) {
        bytes.nth(last);
    }
    raw.len() - bytes.0.len()
}

/// Writes `text` as a part of a path: what no segment may hold is escaped, a `/` too unless it separates.
pub(super) fn encode(text: &str, separators: bool, out: &mut String) {
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
        if plain || (separators && byte == b'/') {
            out.push(char::from(byte));
        } else {
            push_escape(byte, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once() {
        for (raw, decoded) in [
            ("", ""),
            ("plain", "plain"),
            ("a%20b", "a b"),
            ("%2520", "%20"),
            ("%2F", "/"),
            ("%c3%A9", "é"),
            ("é%41", "éA"),
            ("a+b", "a+b"),
        ] {
            assert_eq!(escaped(raw), Some(raw.contains('%')), "{raw}");
            assert_eq!(decode(raw), decoded, "{raw}");
        }
    }

    #[test]
    fn refuses_what_is_no_escape_or_no_utf8() {
        for raw in [
            "%",
            "%00",
            "%4",
            "a%",
            "%g0",
            "%0g",
            "%%20",
            "%ff",
            "%c3",
            "%c3/%a9",
            "%ed%a0%80",
            "%f8%80%80%80",
        ] {
            assert_eq!(escaped(raw), None, "{raw}");
        }
    }

    #[test]
    fn offsets_lead_back() {
        let raw = "a%20b%C3%A9c";
        let expected = [(0, 0), (1, 1), (2, 4), (3, 5), (5, 11), (6, 12), (9, 12)];
        for (offset, at) in expected {
            assert_eq!(raw_offset(raw, offset), at, "{offset}");
        }
    }

    #[test]
    fn encodes_what_a_segment_may_not_hold() {
        for (text, separators, expected) in [
            ("a b/é", false, "a%20b%2F%C3%A9"),
            ("a b/c", true, "a%20b/c"),
            ("%?#[]\\\"<>^`{|}", false, "%25%3F%23%5B%5D%5C%22%3C%3E%5E%60%7B%7C%7D"),
            ("-._~!$&'()*+,;=:@", false, "-._~!$&'()*+,;=:@"),
        ] {
            let mut out = String::new();
            encode(text, separators, &mut out);
            assert_eq!(out, expected);
            assert_eq!(decode(&out), text);
        }
    }

    /// Every string of up to five bytes out of a set that begins, continues and breaks characters.
    #[test]
    fn agrees_with_the_standard_library() {
        let set = [0x41, 0x80, 0xbf, 0xc0, 0xc3, 0xe0, 0xa0, 0xed, 0xf0, 0x90, 0xf4, 0xff];
        for length in 0..=5_u32 {
            for mut index in 0..set.len().pow(length) {
                let mut bytes = Vec::new();
                for _ in 0..length {
                    bytes.push(set[index % set.len()]);
                    index /= set.len();
                }
                assert_eq!(is_utf8(bytes.iter().copied()), std::str::from_utf8(&bytes).is_ok(), "{bytes:x?}");
            }
        }
    }
}
