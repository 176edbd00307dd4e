//! `application/x-www-form-urlencoded`: the query of a target, and the forms that are plain text.
//!
//! The rule: only `&` separates, and an escape is decoded once, after the cut. What is malformed stands for
//! itself, as in the URL Standard (section 5), so every input has a meaning, and the only error is that it is
//! too much.
//!
//! ```text
//! form  = [ piece *( "&" piece ) ]     ; a piece that is empty is no field
//! piece = name [ "=" value ]           ; the first "=" separates, a piece without one has an empty value
//! "+"   is a space; "%" HEXDIG HEXDIG is a byte; any other "%" is itself
//! ```

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::percent::{lossy, push_escape, unescape};
use crate::error::LimitExceeded;

/// The fields of `text`, all of which is there; bytes that are not UTF-8 become U+FFFD.
///
/// ```
/// use bakestone::http::urlencoded;
///
/// let fields: Vec<_> = urlencoded::parse(b"kind=bara+brith&slices=2&slices=3&vegan").collect();
/// let expected = [("kind", "bara brith"), ("slices", "2"), ("slices", "3"), ("vegan", "")];
/// assert_eq!(fields, expected.map(|(name, value)| (name.into(), value.into())));
/// ```
pub fn parse(text: &[u8]) -> Parse<'_> {
    Parse { rest: Some(text) }
}

/// The iterator that [`parse`] returns.
#[derive(Clone, Debug)]
pub struct Parse<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Parse<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (piece, rest) = cut(self.rest?, b'&');
            self.rest = rest;
            if !piece.is_empty() {
                return Some(field(piece));
            }
        }
    }
}

/// Decodes fields from bytes that arrive in pieces: any cut gives the same fields and the same error.
///
/// ```
/// use bakestone::http::urlencoded::Decoder;
///
/// let mut fields: Vec<(String, String)> = Vec::new();
/// let mut decoder = Decoder::new(1_000, 1 << 20);
/// for piece in [&b"firm=Dy"[..], b"lan+%2", b"6+Co&o"] {
///     decoder.push(piece, &mut fields)?;
/// }
/// decoder.finish(&mut fields);
/// assert_eq!(fields, [("firm".into(), "Dylan & Co".into()), ("o".into(), "".into())]);
/// # Ok::<(), bakestone::error::LimitExceeded>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    /// The field whose end is not there yet, as it was sent.
    piece: Vec<u8>,
    fields: usize,
    max_fields: usize,
    max_field_bytes: usize,
}

impl Decoder {
    /// A decoder of at most `fields` fields, each of at most `field_bytes` bytes as they are sent: the name,
    /// the `=` and the value, encoded.
    pub fn new(fields: usize, field_bytes: usize) -> Self {
        Self { piece: Vec::new(), fields: 0, max_fields: fields, max_field_bytes: field_bytes }
    }

    /// Takes the next bytes, and gives `fields` those that they complete.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`] of `form_fields` or `form_field_bytes`, as soon as that is known. The decoder is of no
    /// use then.
    pub fn push(
        &mut self,
        bytes: &[u8],
        fields: &mut impl Extend<(String, String)>,
    ) -> Result<(), LimitExceeded> {
        let mut rest = bytes;
        loop {
            let (piece, after) = cut(rest, b'&');
            self.grow(piece)?;
            let Some(after) = after else { return Ok(()) };
            self.complete(fields);
            rest = after;
        }
    }

    /// Says that there are no more bytes, and gives `fields` the last one.
    pub fn finish(mut self, fields: &mut impl Extend<(String, String)>) {
        self.complete(fields);
    }

    fn grow(&mut self, bytes: &[u8]) -> Result<(), LimitExceeded> {
        if bytes.is_empty() {
            return Ok(());
        }
        // How much more had come by then is the network's affair, so the number is the first that is too many.
        let exceeded = |limit, value: usize| Err(LimitExceeded::new(limit, value as u64, value as u64 + 1));
        if self.fields == self.max_fields {
            return exceeded("form_fields", self.max_fields);
        }
        if bytes.len() > self.max_field_bytes - self.piece.len() {
            return exceeded("form_field_bytes", self.max_field_bytes);
        }
        self.piece.extend_from_slice(bytes);
        Ok(())
    }

    fn complete(&mut self, fields: &mut impl Extend<(String, String)>) {
        if self.piece.is_empty() {
            return;
        }
        let (name, value) = field(&self.piece);
        fields.extend([(name.into_owned(), value.into_owned())]);
        self.piece.clear();
        self.fields += 1;
    }
}

/// The fields as text: what [`parse`] and [`Decoder`] give back as they were.
///
/// An empty name with an empty value is written as `=`.
///
/// ```
/// use bakestone::http::urlencoded::serialize;
///
/// assert_eq!(serialize([("kind", "bara brith"), ("note", "50% off, & more")]), "kind=bara+brith&note=50%25+off%2C+%26+more");
/// ```
pub fn serialize<N: AsRef<str>, V: AsRef<str>>(fields: impl IntoIterator<Item = (N, V)>) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        encode(name.as_ref(), &mut text);
        text.push('=');
        encode(value.as_ref(), &mut text);
    }
    text
}

/// The application/x-www-form-urlencoded percent-encode set of the URL Standard, section 1.3.
fn encode(plain: &str, text: &mut String) {
    for byte in plain.bytes() {
        match byte {
            b' ' => text.push('+'),
            b'*' | b'-' | b'.' | b'_' => text.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            _ => push_escape(byte, text),
        }
    }
}

/// What is before the first `separator`, and what is after it.
fn cut(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match memchr(separator, bytes) {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    }
}

fn field(piece: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    let (name, value) = cut(piece, b'=');
    (decode(name), decode(value.unwrap_or_default()))
}

fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if memchr2(b'%', b'+', bytes).is_none() {
        return String::from_utf8_lossy(bytes);
    }
    Cow::Owned(lossy(unescape(bytes, |byte| if byte == b'+' { b' ' } else { byte })))
}

#[cfg(test)]
mod tests;
