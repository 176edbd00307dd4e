//! Finds the end of a part's head, however the bytes are cut.
//!
//! The rule: bytes are looked at once, in order, and the first wrong one decides.
//!
//! ```text
//! head  = *( field-name ":" field-value CRLF ) CRLF     ; RFC 2046, section 5.1
//! ```

use super::error::ErrorKind;

/// What is wrong, and at which byte of what was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: ErrorKind,
    pub(super) at: usize,
}

impl Fault {
    pub(super) fn new(kind: ErrorKind, at: usize) -> Self {
        Self { kind, at }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    Name,
    Value,
    /// Behind the CR that ends a field.
    Cr,
    /// Behind the CR of the empty line.
    LastCr,
}

/// A scan over the head of a part.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    place: Place,
    fields: usize,
}

impl Scan {
    /// Looks at the bytes that follow those of the last call; where the head ends in them, once it does.
    ///
    /// One field too many is a fault of [`ErrorKind::LimitExceeded`].
    pub(super) fn advance(&mut self, bytes: &[u8], max_fields: usize) -> Result<Option<usize>, Fault> {
        let mut at = 0;
        while at < bytes.len() {
            at += match self.place {
                Place::Name => skip(&bytes[at..], &TCHAR),
                Place::Value => skip(&bytes[at..], &FIELD_CHAR),
                _ => 0,
            };
            let Some(&byte) = bytes.get(at) else { break };
            if (self.place, byte) == (Place::LastCr, b'\n') {
                return Ok(Some(at + 1));
            }
            self.place = self.next(byte, max_fields).map_err(|kind| Fault::new(kind, at))?;
            at += 1;
        }
        Ok(None)
    }

    fn next(&mut self, byte: u8, max_fields: usize) -> Result<Place, ErrorKind> {
        match (self.place, byte) {
            (Place::LineStart, b'\r') => Ok(Place::LastCr),
            (Place::LineStart, b' ' | b'\t') => Err(ErrorKind::FoldedField),
            (Place::LineStart, _) if TCHAR.has(byte) => {
                if self.fields == max_fields {
                    return Err(ErrorKind::LimitExceeded);
                }
                self.fields += 1;
                Ok(Place::Name)
            }
            (Place::Name, b':') => Ok(Place::Value),
            (Place::Name, b'\r' | b'\n') => Err(ErrorKind::MissingColon),
            (Place::LineStart | Place::Value, b'\n') => Err(ErrorKind::BareLf),
            (Place::LineStart | Place::Name, _) => Err(ErrorKind::InvalidFieldName),
            (Place::Value, b'\r') => Ok(Place::Cr),
            (Place::Value, _) => Err(ErrorKind::InvalidFieldValue),
            (Place::Cr, b'\n') => Ok(Place::LineStart),
            (Place::Cr | Place::LastCr, _) => Err(ErrorKind::BareCr),
        }
    }
}

fn skip(bytes: &[u8], class: &Class) -> usize {
    bytes.iter().position(|byte| !class.has(*byte)).unwrap_or(bytes.len())
}

/// A set of bytes. It holds an answer for each, since most of a head is looked at with nothing else.
pub(super) struct Class([bool; 256]);

impl Class {
    pub(super) const fn has(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }
}

/// The class of the bytes that a pattern matches.
macro_rules! class {
    ($pattern:pat) => {{
        let mut has = [false; 256];
        let mut byte = 0;
        while byte < has.len() {
            has[byte] = matches!(byte as u8, $pattern);
            byte += 1;
        }
        Class(has)
    }};
}

/// `tchar` (RFC 9110, section 5.6.2): what a token is made of.
pub(super) static TCHAR: Class = class!(
    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.'
        | b'^' | b'_' | b'`' | b'|' | b'~'
);

/// What a field value may hold (RFC 9110, section 5.5).
static FIELD_CHAR: Class = class!(b'\t' | b' '..=b'~' | 0x80..);
