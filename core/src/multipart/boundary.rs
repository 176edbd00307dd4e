//! What separates the parts of a form.
//!
//! The rule: a boundary is checked when it is made, so that what searches for it may rely on its characters.

use bytes::Bytes;

use super::error::{Error, ErrorKind};
use crate::http::MediaType;
use crate::http::parameters::Occurrence;

const LONGEST: usize = 70;

/// The boundary of a form (RFC 2046, section 5.1.1).
///
/// ```text
/// boundary      = 0*69<bchars> bcharsnospace
/// bchars        = bcharsnospace / " "
/// bcharsnospace = DIGIT / ALPHA / "'" / "(" / ")" / "+" / "_" / "," / "-" / "." / "/" / ":" / "=" / "?"
/// ```
///
/// ```
/// use bakestone::multipart::{Boundary, ErrorKind};
///
/// assert!(Boundary::new("----WebKitFormBoundary7MA4YWxkTrZu0gW").is_ok());
/// assert_eq!(Boundary::new("two\r\nlines").unwrap_err().kind(), ErrorKind::InvalidBoundary);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// CRLF, two hyphens and the boundary.
    delimiter: Bytes,
}

impl Boundary {
    /// The boundary `text`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidBoundary`], if it is no boundary: empty, longer than 70 bytes, with a space at its end, or
    /// with characters that none may have.
    pub fn new(text: &str) -> Result<Self, Error> {
        let is_good =
            (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_boundary_char) && !text.ends_with(' ');
        match is_good {
            true => Ok(Self { delimiter: Bytes::from(["\r\n--", text].concat()) }),
            false => Err(Error::new(ErrorKind::InvalidBoundary, 0)),
        }
    }

    /// The boundary that a media type names in its parameter `boundary`. One that is written as `boundary*` (RFC 8187)
    /// is none: a reader before this one may not have looked at it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingBoundary`] without one; [`ErrorKind::InvalidBoundary`] for two, for one that is malformed, and
    /// as [`new`](Self::new).
    pub fn of(media_type: &MediaType<'_>) -> Result<Self, Error> {
        match media_type.only("boundary") {
            Occurrence::Once(text) => Self::new(&text),
            Occurrence::Never => Err(Error::new(ErrorKind::MissingBoundary, 0)),
            Occurrence::Unclear => Err(Error::new(ErrorKind::InvalidBoundary, 0)),
        }
    }

    pub(super) fn delimiter(&self) -> &Bytes {
        &self.delimiter
    }
}

fn is_boundary_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+_,-./:=?".contains(&byte)
}
