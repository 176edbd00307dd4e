//! Character sets, as `charset` parameters name them.
//!
//! The rule: UTF-8, US-ASCII and windows-1252 mean the same with and without the feature `charset`, which adds the
//! others of the Encoding Standard. ISO-8859-1 is windows-1252, as that standard has it: browsers send the one and name
//! the other. What is not text in its character set is an error, and never guessed.

use std::borrow::Cow;

use bytes::Bytes;

use crate::http::MediaType;
use crate::http::parameters::Occurrence;
use crate::message::BodyError;

/// The character set that a media type names, to decode by: what is unclear is not passed over.
pub(crate) fn named<'a>(media_type: Option<MediaType<'a>>) -> Result<Option<Cow<'a, str>>, BodyError> {
    match media_type.map(|media_type| media_type.only("charset")) {
        None | Some(Occurrence::Never) => Ok(None),
        Some(Occurrence::Once(charset)) => Ok(Some(charset)),
        Some(Occurrence::Unclear) => Err(BodyError::UnknownCharset),
    }
}

/// Longer than any name of a character set. A name may come from the client for each of a thousand fields.
const LONGEST_NAME: usize = 40;

/// The text that `bytes` are in the character set of this name, in any case; UTF-8 without one.
pub(crate) fn decode(charset: Option<&str>, bytes: Bytes) -> Result<String, BodyError> {
    if charset.is_some_and(|charset| charset.len() > LONGEST_NAME) {
        return Err(BodyError::UnknownCharset);
    }
    match charset.unwrap_or("utf-8").to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => utf8(bytes),
        "us-ascii" | "ascii" if bytes.is_ascii() => utf8(bytes),
        "us-ascii" | "ascii" => Err(BodyError::NotDecodable("us-ascii")),
        "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" | "windows-1252" | "cp1252" => {
            Ok(bytes.iter().copied().map(windows_1252).collect())
        }
        other => another(other, &bytes),
    }
}

/// Of the Encoding Standard, section 9 (index windows-1252): ISO-8859-1 but for its second row of controls.
fn windows_1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
        '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}',
        '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}',
        '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
    ];
    match byte {
        0x80..=0x9f => FROM_80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn utf8(bytes: Bytes) -> Result<String, BodyError> {
    String::from_utf8(bytes.into()).map_err(|error| BodyError::NotUtf8(error.utf8_error().valid_up_to()))
}

#[cfg(feature = "charset")]
fn another(charset: &str, bytes: &[u8]) -> Result<String, BodyError> {
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).ok_or(BodyError::UnknownCharset)?;
    let (text, malformed) = encoding.decode_without_bom_handling(bytes);
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
            (Some("ISO-8859-1"), b"caf\xe9 \x80", Ok("caf\u{e9} \u{20ac}")),
            (Some("Windows-1252"), b"\x81\x9f\xa0", Ok("\u{81}\u{178}\u{a0}")),
            (Some("latin1"), b"\xff", Ok("\u{ff}")),
            (Some("klingon"), b"", Err("the body's character set is not known")),
            (Some(""), b"", Err("the body's character set is not known")),
            (Some(&*"utf-8".repeat(9)), b"", Err("the body's character set is not known")),
        ] {
            let decoded = decode(charset, Bytes::copy_from_slice(bytes)).map_err(|error| error.to_string());
            assert_eq!(decoded.as_deref().map_err(String::as_str), expected, "{charset:?} {bytes:?}");
        }
    }

    #[cfg(feature = "charset")]
    #[test]
    fn windows_1252_is_that_of_the_encoding_standard() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let (expected, _, _) = encoding_rs::WINDOWS_1252.decode(&all);
        assert_eq!(decode(Some("latin1"), all.clone().into()).as_deref().ok(), Some(&*expected));
    }

    #[cfg(feature = "charset")]
    #[test]
    fn the_character_sets_of_the_encoding_standard() {
        for (charset, bytes, expected) in [
            ("windows-1252", &b"\x80"[..], Ok("\u{20ac}")),
            ("Shift_JIS", b"\x82\xa0", Ok("\u{3042}")),
            ("shift_jis", b"\x82", Err("the body is not text in Shift_JIS")),
            ("utf-16le", b"a\0", Ok("a")),
            // What begins like a mark of UTF-16 is nothing of the kind where another character set is named.
            ("windows-1251", b"\xff\xfea\0", Ok("\u{44f}\u{44e}a\0")),
        ] {
            let decoded =
                decode(Some(charset), Bytes::copy_from_slice(bytes)).map_err(|error| error.to_string());
            assert_eq!(decoded.as_deref().map_err(String::as_str), expected, "{charset}");
        }
    }
}
