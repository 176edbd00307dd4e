//! Character sets, as `charset` parameters name them.
//!
//! The rule: UTF-8, US-ASCII and ISO-8859-1 mean the same with and without the feature `charset`, which adds the
//! others of the Encoding Standard. What is not text in its character set is an error, and never guessed.

use bytes::Bytes;

use crate::message::BodyError;

/// The text that `bytes` are in the character set of this name, in any case; UTF-8 without one.
pub(crate) fn decode(charset: Option<&str>, bytes: Bytes) -> Result<String, BodyError> {
    match charset.unwrap_or("utf-8").to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => utf8(bytes),
        "us-ascii" | "ascii" if bytes.is_ascii() => utf8(bytes),
        "us-ascii" | "ascii" => Err(BodyError::NotDecodable("us-ascii")),
        "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" => {
            Ok(bytes.iter().copied().map(char::from).collect())
        }
        other => another(other, &bytes),
    }
}

fn utf8(bytes: Bytes) -> Result<String, BodyError> {
    String::from_utf8(bytes.into()).map_err(|error| BodyError::NotUtf8(error.utf8_error().valid_up_to()))
}

#[cfg(feature = "charset")]
fn another(charset: &str, bytes: &[u8]) -> Result<String, BodyError> {
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).ok_or(BodyError::UnknownCharset)?;
    let (text, _, malformed) = encoding.decode(bytes);
    match malformed {
        true => Err(BodyError::NotDecodable(encoding.name())),
        false => Ok(text.into_owned()),
    }
}

#[cfg(not(feature = "charset"))]
fn another(_: &str, _: &[u8]) -> Result<String, BodyError> {
    Err(BodyError::UnknownCharset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r11_r16_character_sets() {
        for (charset, bytes, expected) in [
            (None, "caf\u{e9}".as_bytes(), Ok("caf\u{e9}")),
            (Some("UTF-8"), b"", Ok("")),
            (Some("utf8"), b"a\xff", Err("the body is not UTF-8 after 1 bytes")),
            (Some("US-ASCII"), b"abc", Ok("abc")),
            (Some("us-ascii"), b"\xe9", Err("the body is not text in us-ascii")),
            (Some("ISO-8859-1"), b"caf\xe9 \x80", Ok("caf\u{e9} \u{80}")),
            (Some("latin1"), b"\xff", Ok("\u{ff}")),
            (Some("klingon"), b"", Err("the body's character set is not known")),
            (Some(""), b"", Err("the body's character set is not known")),
        ] {
            let decoded = decode(charset, Bytes::copy_from_slice(bytes)).map_err(|error| error.to_string());
            assert_eq!(decoded.as_deref().map_err(String::as_str), expected, "{charset:?} {bytes:?}");
        }
    }

    #[cfg(feature = "charset")]
    #[test]
    fn the_character_sets_of_the_encoding_standard() {
        for (charset, bytes, expected) in [
            ("windows-1252", &b"\x80"[..], Ok("\u{20ac}")),
            ("Shift_JIS", b"\x82\xa0", Ok("\u{3042}")),
            ("shift_jis", b"\x82", Err("the body is not text in Shift_JIS")),
            ("utf-16le", b"a\0", Ok("a")),
        ] {
            let decoded =
                decode(Some(charset), Bytes::copy_from_slice(bytes)).map_err(|error| error.to_string());
            assert_eq!(decoded.as_deref().map_err(String::as_str), expected, "{charset}");
        }
    }
}
