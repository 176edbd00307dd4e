//! Character sets, as `charset` parameters name them.
//!
//! The rule: UTF-8, US-ASCII and windows-1252 mean the same with and without the feature `charset`, which adds the
//! others of the Encoding Standard. ISO-8859-1 is windows-1252, as that standard has it: browsers send the one and name
//! the other. What is not text in its character set is an error, and never guessed; what a character set has no bytes for
//! is one too, and never `?` nor a reference of HTML.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
#[cfg(feature = "charset")]
use encoding_rs::{EncoderResult, Encoding};

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

/// A character set that is known here.
#[derive(Clone, Copy)]
enum Charset {
    Utf8,
    UsAscii,
    Windows1252,
    #[cfg(feature = "charset")]
    Another(&'static Encoding),
}

impl Charset {
    /// The one of this name, in any case.
    fn named(name: &str) -> Option<Self> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "us-ascii" | "ascii" => Some(Self::UsAscii),
            "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" | "windows-1252" | "cp1252" => {
                Some(Self::Windows1252)
            }
            other => another(other),
        }
    }

    /// The name of what its bytes are: the standard's, but for US-ASCII, which is windows-1252 there.
    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::UsAscii => "us-ascii",
            Self::Windows1252 => "windows-1252",
            #[cfg(feature = "charset")]
            Self::Another(encoding) => encoding.name(),
        }
    }

    fn decode(self, bytes: Bytes) -> Result<String, BodyError> {
        match self {
            Self::Utf8 => utf8(bytes),
            Self::UsAscii if bytes.is_ascii() => utf8(bytes),
            Self::UsAscii => Err(BodyError::NotDecodable(self.name())),
            Self::Windows1252 => Ok(bytes.iter().copied().map(windows_1252).collect()),
            #[cfg(feature = "charset")]
            Self::Another(encoding) => match encoding.decode_without_bom_handling(&bytes) {
                (_, true) => Err(BodyError::NotDecodable(encoding.name())),
                (text, false) => Ok(text.into_owned()),
            },
        }
    }

    fn encode(self, text: &str) -> Result<Vec<u8>, CharsetError> {
        match self {
            Self::Utf8 => Ok(text.into()),
            Self::UsAscii => self.encode_each(text, ascii),
            Self::Windows1252 => self.encode_each(text, in_windows_1252),
            #[cfg(feature = "charset")]
            Self::Another(encoding) => encode_in_another(encoding, text),
        }
    }

    /// Makes a byte of each character.
    fn encode_each(self, text: &str, byte: fn(char) -> Option<u8>) -> Result<Vec<u8>, CharsetError> {
        let unmappable =
            |(offset, character)| CharsetError::Unmappable { charset: self.name(), character, offset };
        text.char_indices().map(|at| byte(at.1).ok_or_else(|| unmappable(at))).collect()
    }
}

/// The text that `bytes` are in the character set of this name, in any case; UTF-8 without one.
pub(crate) fn decode(charset: Option<&str>, bytes: Bytes) -> Result<String, BodyError> {
    let charset = charset.map_or(Some(Charset::Utf8), Charset::named);
    charset.ok_or(BodyError::UnknownCharset)?.decode(bytes)
}

/// `text` in the character set of this name, in any case; and the name of what that is.
pub(crate) fn encode(charset: &str, text: &str) -> Result<(&'static str, Vec<u8>), CharsetError> {
    let charset = Charset::named(charset).ok_or(CharsetError::Unknown)?;
    Ok((charset.name(), charset.encode(text)?))
}

/// Why a text cannot go out in a character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CharsetError {
    /// No character set of that name is known here. Most need the feature `charset`.
    Unknown,
    /// The character set of this name can be read and not written: UTF-16, in which no response is to be sent, and
    /// `replacement` (Encoding Standard, section 4.3).
    NotWritable(&'static str),
    /// The text holds a character that the character set has not.
    Unmappable {
        /// The name of the character set.
        charset: &'static str,
        /// The first such character.
        character: char,
        /// Where it begins in the text, in bytes of UTF-8.
        offset: usize,
    },
}

impl fmt::Display for CharsetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the character set is not known"),
            Self::NotWritable(charset) => write!(f, "nothing is written in {charset}"),
            Self::Unmappable { charset, character, offset } => {
                let number = u32::from(*character);
                write!(f, "{charset} has no U+{number:04X}, which the text holds after {offset} bytes")
            }
        }
    }
}

impl std::error::Error for CharsetError {}

fn ascii(character: char) -> Option<u8> {
    u8::try_from(character).ok().filter(u8::is_ascii)
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

fn in_windows_1252(character: char) -> Option<u8> {
    match u8::try_from(character) {
        Ok(byte) if windows_1252(byte) == character => Some(byte),
        _ => (0x80..=0x9f).find(|byte| windows_1252(*byte) == character),
    }
}

fn utf8(bytes: Bytes) -> Result<String, BodyError> {
    String::from_utf8(bytes.into()).map_err(|error| BodyError::NotUtf8(error.utf8_error().valid_up_to()))
}

#[cfg(feature = "charset")]
fn another(name: &str) -> Option<Charset> {
    Encoding::for_label(name.as_bytes()).map(|encoding| match encoding {
        _ if encoding == encoding_rs::UTF_8 => Charset::Utf8,
        _ if encoding == encoding_rs::WINDOWS_1252 => Charset::Windows1252,
        _ => Charset::Another(encoding),
    })
}

#[cfg(not(feature = "charset"))]
fn another(_: &str) -> Option<Charset> {
    None
}

/// Of the Encoding Standard, section 4.2, with an error where that has `?` or a reference of HTML.
#[cfg(feature = "charset")]
fn encode_in_another(encoding: &'static Encoding, text: &str) -> Result<Vec<u8>, CharsetError> {
    let charset = encoding.name();
    if encoding.output_encoding() != encoding {
        return Err(CharsetError::NotWritable(charset));
    }
    let unmappable = |character, offset| CharsetError::Unmappable { charset, character, offset };
    if let Some((offset, character)) = disguised(encoding, text) {
        return Err(unmappable(character, offset));
    }
    let mut encoder = encoding.new_encoder();
    let (mut bytes, mut rest) = (Vec::new(), text);
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len());
        bytes.reserve(room.unwrap_or(rest.len()));
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut bytes, true);
        rest = &rest[read..];
        let offset = text.len() - rest.len();
        match result {
            EncoderResult::InputEmpty => return Ok(bytes),
            EncoderResult::OutputFull => {}
            // It is the last that was read; the encoder may name it otherwise.
            EncoderResult::Unmappable(told) => {
                let character = text[..offset].chars().next_back().unwrap_or(told);
                return Err(unmappable(character, offset - character.len_utf8()));
            }
        }
    }
}

/// The first character of `text` that the standard writes as one of ASCII: who escaped the text has not seen that one.
#[cfg(feature = "charset")]
fn disguised(encoding: &'static Encoding, text: &str) -> Option<(usize, char)> {
    // They become `\` and `~`.
    let has_these = [encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP].contains(&encoding);
    text.char_indices().find(|(_, character)| has_these && matches!(character, '\u{a5}' | '\u{203e}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::body::Inner;
    use crate::{Html, Text};

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

    /// What a text becomes in a character set: its label, and its bytes.
    fn sent(charset: &str, text: &str) -> Result<(String, Bytes), String> {
        let response = Text(text).in_charset(charset).map_err(|error| error.to_string())?;
        let Inner::Owned(bytes) = response.body.0 else { panic!("the body is not whole") };
        Ok((response.headers["content-type"].to_str().unwrap().to_owned(), bytes.into()))
    }

    #[test]
    fn s02_a_text_goes_out_in_the_character_set_that_was_asked_for() {
        for (charset, text, name, expected) in [
            ("UTF-8", "caf\u{e9}", "utf-8", "caf\u{e9}".as_bytes()),
            ("utf8", "", "utf-8", b""),
            ("ASCII", "abc", "us-ascii", b"abc"),
            ("iso-8859-1", "caf\u{e9} \u{20ac}", "windows-1252", b"caf\xe9 \x80"),
            ("Windows-1252", "\u{81}\u{178}\u{a0}\u{ff}\0", "windows-1252", b"\x81\x9f\xa0\xff\0"),
        ] {
            let label = format!("text/plain; charset={name}");
            assert_eq!(sent(charset, text), Ok((label, Bytes::from(expected))), "{charset} {text}");
        }
    }

    #[test]
    fn what_a_character_set_has_not_is_an_error() {
        let unmappable = |charset, character, offset| CharsetError::Unmappable { charset, character, offset };
        for (charset, text, expected) in [
            ("klingon", "", CharsetError::Unknown),
            ("", "", CharsetError::Unknown),
            (&*"utf-8".repeat(9), "", CharsetError::Unknown),
            ("us-ascii", "a\u{80}", unmappable("us-ascii", '\u{80}', 1)),
            ("latin1", "\u{e9}\u{80}", unmappable("windows-1252", '\u{80}', 2)),
            ("latin1", "\u{3042}?", unmappable("windows-1252", '\u{3042}', 0)),
            ("cp1252", "\u{1f600}", unmappable("windows-1252", '\u{1f600}', 0)),
        ] {
            assert_eq!(Html(text).in_charset(charset).map(|_| ()), Err(expected), "{charset} {text}");
        }
        assert_eq!(
            sent("us-ascii", "\u{e9}").unwrap_err(),
            "us-ascii has no U+00E9, which the text holds after 0 bytes"
        );
    }

    #[test]
    fn what_was_written_in_windows_1252_is_what_is_read() {
        let all: String = (0..=u8::MAX).map(windows_1252).collect();
        let bytes: Bytes = (0..=u8::MAX).collect::<Vec<_>>().into();
        assert_eq!(encode("latin1", &all), Ok(("windows-1252", bytes.to_vec())));
    }

    #[cfg(feature = "charset")]
    #[test]
    fn texts_in_the_character_sets_of_the_encoding_standard() {
        let unmappable = |charset, character, offset| {
            Err(CharsetError::Unmappable { charset, character, offset }.to_string())
        };
        for (charset, text, expected) in [
            ("shift-jis", "\u{3042}a", Ok(("Shift_JIS", &b"\x82\xa0a"[..]))),
            ("iso-2022-jp", "\u{3042}", Ok(("ISO-2022-JP", b"\x1b$B$\"\x1b(B"))),
            ("cp1251", "\u{44f}", Ok(("windows-1251", b"\xff"))),
            ("gb18030", "\u{1f600}", Ok(("gb18030", b"\x94\x39\xfc\x36"))),
            ("l1", "\u{20ac}", Ok(("windows-1252", b"\x80"))),
            ("unicode-1-1-utf-8", "\u{e9}", Ok(("utf-8", b"\xc3\xa9"))),
            ("utf-16", "a", Err(CharsetError::NotWritable("UTF-16LE").to_string())),
            ("utf-16be", "", Err(CharsetError::NotWritable("UTF-16BE").to_string())),
            ("hz-gb-2312", "a", Err(CharsetError::NotWritable("replacement").to_string())),
            ("big5", "a\u{e9}\u{1f600}", unmappable("Big5", '\u{e9}', 1)),
            ("shift_jis", "\u{3042}\u{1f600}a", unmappable("Shift_JIS", '\u{1f600}', 3)),
            // No escape sequence is let in from the text, nor is anything that becomes a backslash.
            ("iso-2022-jp", "a\u{1b}", unmappable("ISO-2022-JP", '\u{1b}', 1)),
            ("shift_jis", "a\u{a5}", unmappable("Shift_JIS", '\u{a5}', 1)),
            ("euc-jp", "\u{203e}", unmappable("EUC-JP", '\u{203e}', 0)),
        ] {
            let expected = expected
                .map(|(name, bytes)| (format!("text/plain; charset={name}"), Bytes::copy_from_slice(bytes)));
            assert_eq!(sent(charset, text), expected, "{charset} {text}");
        }
    }

    /// Whatever a character set writes as one byte of ASCII is that character.
    #[cfg(feature = "charset")]
    #[test]
    fn no_character_becomes_another_of_ascii() {
        const NAMES: [&str; 9] = [
            "shift_jis",
            "euc-jp",
            "iso-2022-jp",
            "gbk",
            "gb18030",
            "big5",
            "euc-kr",
            "x-user-defined",
            "koi8-r",
        ];
        for (name, character) in
            NAMES.iter().flat_map(|name| ('\u{80}'..='\u{20ff}').map(move |other| (name, other)))
        {
            let bytes = encode(name, character.encode_utf8(&mut [0; 4])).map(|(_, bytes)| bytes);
            assert!(
                bytes.is_err() || bytes.is_ok_and(|bytes| bytes.len() > 1 || !bytes.is_ascii()),
                "{name} {character:?}"
            );
        }
    }
}
