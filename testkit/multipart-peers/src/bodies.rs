//! The bodies that every parser reads: forms with one large file, and a form with many small fields.
//!
//! The rule: a body knows what must be found in it, and it is the same in every run.

use std::sync::Arc;

use bytes::Bytes;

/// A form in the pieces in which it arrives, and what it holds.
#[derive(Clone, Debug)]
pub struct Body {
    /// What it is called in the table.
    pub name: &'static str,
    /// Its boundary, without the hyphens before it.
    pub boundary: Arc<str>,
    /// Each of them has its memory to itself, as what was read from a socket.
    pub pieces: Vec<Bytes>,
    /// What a parser must find.
    pub holds: Counts,
}

/// What was found in a form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Its parts.
    pub parts: usize,
    /// Bytes of all their names.
    pub names: usize,
    /// Bytes of all their data.
    pub data: usize,
}

impl Body {
    /// Bytes of the whole body.
    pub fn length(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    fn new(name: &'static str, boundary: &str, form: &[u8], piece: usize, holds: Counts) -> Self {
        let pieces = form.chunks(piece).map(Bytes::copy_from_slice).collect();
        Self { name, boundary: boundary.into(), pieces, holds }
    }
}

const FILE: usize = 10 << 20;
const LARGE: usize = 64 << 10;
const SMALL: usize = 8 << 10;

/// All bodies, their parts separated by `boundary`.
pub fn all(boundary: &str) -> Vec<Body> {
    let file = |name, data: &[u8], piece| {
        let head = "Content-Disposition: form-data; name=\"cake\"; filename=\"cake.jpg\"\r\nContent-Type: image/jpeg\r\n";
        let holds = Counts { parts: 1, names: "cake".len(), data: data.len() };
        Body::new(name, boundary, &form(boundary, &[(head, data)]), piece, holds)
    };
    let (begin, last) = boundary.split_at(boundary.len().saturating_sub(1));
    let other = if last == "x" { "y" } else { "x" };
    let (random, text) = (random(FILE), text(FILE, "\n"));
    vec![
        file("random bytes, 64 KiB", &random, LARGE),
        file("random bytes, 8 KiB", &random, SMALL),
        file("text, 64 KiB", &text, LARGE),
        file("text, 8 KiB", &text, SMALL),
        file("text with CRLF, 64 KiB", &self::text(FILE, "\r\n"), LARGE),
        fields(boundary),
        file("CRLF, 64 KiB", &repeated("\r\n"), LARGE),
        file("CRLF --, 64 KiB", &repeated("\r\n--"), LARGE),
        file("all but the last, 64 KiB", &repeated(&format!("\r\n--{begin}{other}")), LARGE),
        file("all but the last, 8 KiB", &repeated(&format!("\r\n--{begin}{other}")), SMALL),
        file("all but a hyphen, 64 KiB", &repeated(&format!("\r\n-x{boundary}")), LARGE),
    ]
}

/// A hundred fields in one piece.
fn fields(boundary: &str) -> Body {
    let names: Vec<String> = (0..100).map(|index| format!("ingredient-{index:02}")).collect();
    let heads: Vec<String> =
        names.iter().map(|name| format!("Content-Disposition: form-data; name=\"{name}\"\r\n")).collect();
    let value = b"250 g of flour";
    let parts: Vec<(&str, &[u8])> = heads.iter().map(|head| (&**head, &value[..])).collect();
    let names = names.iter().map(String::len).sum();
    let holds = Counts { parts: parts.len(), names, data: parts.len() * value.len() };
    Body::new("100 fields, one piece", boundary, &form(boundary, &parts), usize::MAX, holds)
}

fn form(boundary: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (head, data) in parts {
        form.extend_from_slice(format!("--{boundary}\r\n{head}\r\n").as_bytes());
        form.extend_from_slice(data);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    form
}

fn repeated(unit: &str) -> Vec<u8> {
    unit.repeat(FILE / unit.len()).into_bytes()
}

fn random(length: usize) -> Vec<u8> {
    numbers().flat_map(u64::to_le_bytes).take(length).collect()
}

/// Words in lines of about seventy bytes.
fn text(length: usize, line_end: &str) -> Vec<u8> {
    const WORDS: [&str; 8] = ["the", "bakestone", "is", "hot:", "Turn", "each", "cake", "over-once;"];
    let mut text = Vec::with_capacity(length + 16);
    let mut line = 0;
    for number in numbers() {
        let word = WORDS[number as usize % WORDS.len()];
        line += word.len() + 1;
        text.extend_from_slice(word.as_bytes());
        text.extend_from_slice(if line > 70 { line_end.as_bytes() } else { b" " });
        line = if line > 70 { 0 } else { line };
        if text.len() >= length {
            break;
        }
    }
    text.truncate(length);
    text
}

/// The same pseudo-random numbers every time (xorshift64*).
fn numbers() -> impl Iterator<Item = u64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    std::iter::repeat_with(move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 3
    })
}
