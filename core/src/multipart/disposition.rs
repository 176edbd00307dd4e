//! `Content-Disposition`, as the parts of forms carry it.
//!
//! The rule: what two readers could take for different names is refused.
//!
//! ```text
//! disposition = "form-data" *( OWS ";" OWS [ parameter ] )      ; RFC 7578, section 4.2; RFC 6266, section 4.1
//! parameter   = token "=" ( token / quoted )
//! quoted      = DQUOTE *( escape / other ) DQUOTE
//! escape      = "%22" / "%0D" / "%0A"     ; HTML, section 4.10.21.8: what browsers send
//!             / "\" DQUOTE / "\\"         ; RFC 9110, section 5.6.4: what others send
//! ext-value   = ( "UTF-8" / "ISO-8859-1" ) "'" [ language ] "'" *( attr-char / "%" HEXDIG HEXDIG )
//!                                         ; RFC 8187, section 3.2.1
//! ```

use memchr::memchr3;

use super::error::ErrorKind;
use super::scan::{Fault, TCHAR};
use crate::http::parameters::ext_value;
use crate::http::percent::lossy;

/// What a part is called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Disposition {
    pub(super) name: String,
    pub(super) filename: Option<String>,
}

/// Reads a field value.
pub(super) fn parse(value: &[u8]) -> Result<Disposition, Fault> {
    let mut reader = Reader { bytes: value, at: 0 };
    let kind = reader.token();
    reader.skip_whitespace();
    match reader.peek() {
        None | Some(b';') if kind.eq_ignore_ascii_case(b"form-data") => {}
        None | Some(b';') => return Err(Fault::new(ErrorKind::NotFormData, 0)),
        Some(_) => return Err(reader.malformed()),
    }
    let mut names = Names::default();
    while reader.take(b';') {
        reader.skip_whitespace();
        if reader.peek().is_some_and(|byte| byte != b';') {
            names.take_parameter(&mut reader)?;
            reader.skip_whitespace();
        }
    }
    match (reader.peek(), names.name) {
        (Some(_), _) => Err(reader.malformed()),
        (None, None) => Err(Fault::new(ErrorKind::MissingName, value.len())),
        (None, Some(name)) => Ok(Disposition { name, filename: names.filename.or(names.extended) }),
    }
}

#[derive(Default)]
struct Names {
    name: Option<String>,
    filename: Option<String>,
    /// `filename*`.
    extended: Option<String>,
}

impl Names {
    fn take_parameter(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let at = reader.at;
        let name = reader.token();
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        if name.is_empty() || !reader.take(b'=') {
            return Err(reader.malformed());
        }
        if is(b"filename*") {
            let value_at = reader.at;
            let value = std::str::from_utf8(reader.token()).ok().and_then(ext_value);
            let value = value.ok_or(Fault::new(ErrorKind::MalformedFilename, value_at))?;
            return set(&mut self.extended, value, at);
        }
        let value = reader.value()?;
        if is(b"name") {
            return set(&mut self.name, lossy(value), at);
        }
        if is(b"filename") {
            return set(&mut self.filename, lossy(value), at);
        }
        let begins =
            |with: &[u8]| name.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
        match begins(b"name*") || begins(b"filename*") {
            true => Err(Fault::new(ErrorKind::ExtendedName, at)),
            false => Ok(()),
        }
    }
}

fn set(slot: &mut Option<String>, value: String, at: usize) -> Result<(), Fault> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Fault::new(ErrorKind::RepeatedParameter, at)),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn malformed(&self) -> Fault {
        Fault::new(ErrorKind::MalformedDisposition, self.at)
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// A token, or nothing.
    fn token(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|byte| !TCHAR.has(*byte)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn value(&mut self) -> Result<Vec<u8>, Fault> {
        if self.take(b'"') {
            return self.quoted();
        }
        match self.token() {
            [] => Err(self.malformed()),
            token => Ok(token.to_vec()),
        }
    }

    /// What stands before the closing quote; the opening one is gone.
    fn quoted(&mut self) -> Result<Vec<u8>, Fault> {
        let unclosed = Fault::new(ErrorKind::MalformedDisposition, self.at - 1);
        let mut value = Vec::new();
        loop {
            let rest = self.rest();
            let end = memchr3(b'"', b'\\', b'%', rest).ok_or(unclosed)?;
            value.extend_from_slice(&rest[..end]);
            let (byte, length) = match &rest[end..] {
                [b'"', ..] => {
                    self.at += end + 1;
                    return Ok(value);
                }
                [b'\\', escaped @ (b'"' | b'\\'), ..] => (*escaped, 2),
                [b'%', b'2', b'2', ..] => (b'"', 3),
                [b'%', b'0', b'D', ..] => (b'\r', 3),
                [b'%', b'0', b'A', ..] => (b'\n', 3),
                _ => (rest[end], 1),
            };
            value.push(byte);
            self.at += end + length;
        }
    }
}
