//! Bytes and times as text, and back.
//!
//! The rule: what is written is read back as it was, and an editor that strips the ends of lines changes nothing.

use std::fmt::Write as _;
use std::time::Duration;

/// A line of a tape holds at most so many characters of bytes, and an escape more.
const WIDTH: usize = 1_000;

/// Bytes as one line of text a line: printable ASCII as it is, all else escaped.
///
/// A `\r\n` is shown, and then ends the line.
///
/// ```
/// use bakestone::tape::escape;
///
/// assert_eq!(escape(b"a\r\n\tb\\\xff"), "a\\r\\n\n\\tb\\\\\\xff");
/// ```
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut before = 0;
    for &byte in bytes {
        push(&mut text, byte);
        if before == b'\r' && byte == b'\n' {
            text.push('\n');
        }
        before = byte;
    }
    text
}

/// Bytes as one line.
pub(super) fn escape_line(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    bytes.iter().for_each(|byte| push(&mut text, *byte));
    keep_last_space(&mut text, 0);
    text
}

/// Bytes as a line that begins with `mark`, and lines that begin with two spaces.
pub(super) fn marked(mark: &str, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(mark.len() + bytes.len() + bytes.len() / 8);
    text.push_str(mark);
    let (mut start, mut rest) = (text.len(), bytes);
    while let [byte, tail @ ..] = rest {
        // Most of what passes is plain, and goes on in one piece.
        let room = WIDTH.saturating_sub(text.len() - start);
        let plain = rest.iter().take(room).take_while(|byte| is_plain(**byte)).count();
        let (piece, tail) = if plain > 0 { rest.split_at(plain) } else { (&rest[..1], tail) };
        match std::str::from_utf8(piece) {
            Ok(piece) if plain > 0 => text.push_str(piece),
            _ => push(&mut text, *byte),
        }
        rest = tail;
        if rest.is_empty() || piece == b"\n" || text.len() - start >= WIDTH {
            keep_last_space(&mut text, start);
            if !rest.is_empty() {
                text.push_str("\n  ");
                start = text.len();
            }
        }
    }
    text
}

/// Whether a byte stands for itself.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'\\'
}

fn push(text: &mut String, byte: u8) {
    match byte {
        b'\r' => text.push_str("\\r"),
        b'\n' => text.push_str("\\n"),
        b'\t' => text.push_str("\\t"),
        b'\\' => text.push_str("\\\\"),
        b' '..=b'~' => text.push(char::from(byte)),
        _ => _ = write!(text, "\\x{byte:02x}"),
    }
}

/// A space that an editor would strip from the end of its line is written as what it is.
fn keep_last_space(text: &mut String, start: usize) {
    if text.len() > start && text.ends_with(' ') {
        text.pop();
        text.push_str("\\x20");
    }
}

/// The bytes that a line of text stands for; `None` if it has an escape that is none.
pub(super) fn unescape(line: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (byte, tail) = match tail {
            [b'r', tail @ ..] => (b'\r', tail),
            [b'n', tail @ ..] => (b'\n', tail),
            [b't', tail @ ..] => (b'\t', tail),
            [b'\\', tail @ ..] => (b'\\', tail),
            [b'x', high, low, tail @ ..] => (digit(*high)? << 4 | digit(*low)?, tail),
            _ => return None,
        };
        bytes.push(byte);
        rest = tail;
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// A time as a tape has it: exactly, as a number with its unit.
pub fn time(time: Duration) -> String {
    if time.is_zero() { "0s".to_owned() } else { format!("{time:?}").replace('µ', "u") }
}

/// Reads a time, to the nanosecond.
pub(super) fn parse_time(text: &str) -> Option<Duration> {
    let unit_at = text.find(|character: char| character.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    // How many digits of the fraction a nanosecond has.
    let digits = match unit {
        "s" => 9,
        "ms" => 6,
        "us" => 3,
        "ns" => 0,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > digits || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let nanos: u128 = format!("{whole}{fraction:0<digits$}").parse().ok()?;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, (nanos % 1_000_000_000) as u32))
}
