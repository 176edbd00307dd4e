//! `multipart/form-data`: the forms that carry files, as a decoder of bytes that arrive in pieces.
//!
//! The rule: every byte is looked at once and has one meaning, however the body is cut; where two readers could
//! disagree about a form it is refused, and nothing of it is kept without a bound. What a part holds is handed on
//! as slices of what was pushed.
//!
//! ```text
//! form      = [ preamble CRLF ] dash-boundary padding CRLF part         ; RFC 2046, section 5.1.1
//!             *( delimiter padding CRLF part ) close [ epilogue ]
//! delimiter = CRLF dash-boundary            ; dash-boundary = "--" boundary
//! close     = delimiter "--"                ; alone, at the very front, it is a form without parts
//! padding   = *( SP / HTAB )                ; at most 64
//! part      = *( field-name ":" field-value CRLF ) [ CRLF *OCTET ]      ; RFC 7578, section 4
//! ```
//!
//! - A line that begins as a delimiter and goes on otherwise is data: `--boundaryX`, `--boundary-X`. Behind the two
//!   hyphens that close the form anything may stand: it is part of the epilogue.
//! - Lines end in CRLF and in nothing else. The fields of a part are not folded and hold no control characters.
//! - A part has one `Content-Disposition: form-data` with one `name`. It is a file if there is a `filename`, even an
//!   empty one.
//! - In a quoted name `%22`, `%0D` and `%0A` stand for what they escape, as browsers write them, and a backslash escapes
//!   a quote and itself, as other clients do. A backslash before anything else stands for itself. What is not UTF-8
//!   becomes U+FFFD.
//! - `filename` counts, and `filename*` (RFC 8187) only where it is missing: RFC 7578, section 4.2, forbids the latter,
//!   so a reader before this one may not have looked at it. `name*`, and names in numbered pieces, are refused.
//! - `Content-Transfer-Encoding` is deprecated (RFC 7578, section 4.7), and means nothing: data are what was sent.
//!
//! ```
//! use bakestone::http::MediaType;
//! use bakestone::multipart::{Boundary, Decoder, Event, Limits};
//! use bytes::Bytes;
//!
//! let media_type = MediaType::parse("multipart/form-data; boundary=slice").ok_or("no media type")?;
//! let mut decoder = Decoder::new(&Boundary::of(&media_type)?, Limits::default());
//! let mut pieces = ["--slice\r\nContent-Disposition: form-data; na", "me=\"cake\"\r\n\r\nbara br", "ith\r\n--slice--\r\n"]
//!     .into_iter();
//! let mut form = String::new();
//! loop {
//!     match decoder.next()? {
//!         Some(Event::Part(head)) => form += head.name(),
//!         Some(Event::Data(data)) => form += &format!(" + {:?}", String::from_utf8_lossy(&data)),
//!         Some(Event::PartEnd) => form += " |",
//!         Some(_) => break,
//!         None => match pieces.next() {
//!             Some(piece) => decoder.push(Bytes::from(piece)),
//!             None => decoder.end(),
//!         },
//!     }
//! }
//! assert_eq!(form, r#"cake + "bara br" + "ith" |"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod boundary;
mod decoder;
mod delimiter;
mod disposition;
mod error;
mod filename;
mod head;
mod scan;
#[cfg(test)]
mod tests;

pub use boundary::Boundary;
pub use decoder::{Decoder, Event};
pub use error::{Error, ErrorKind};
pub use head::PartHead;

/// Bounds on a form and its parts. Past one of them the form is refused with 413.
///
/// An [`Error`] names them as [`bakestone::Limits`](crate::Limits) does.
///
/// ```
/// use bakestone::multipart::Limits;
///
/// let mut limits = Limits::default();
/// limits.file_bytes = 5 << 20;
/// assert_eq!(limits.files, 1_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// `form_bytes`: bytes of the whole body, boundaries included. 10 MiB.
    pub total_bytes: u64,
    /// `form_fields`: parts that are no files. 1,000.
    pub fields: usize,
    /// `form_files`: parts that are files. 1,000.
    pub files: usize,
    /// `form_field_bytes`: bytes of the value of one part that is no file. 1 MiB.
    pub field_bytes: u64,
    /// `form_file_bytes`: bytes of one file. None, that is `u64::MAX`.
    pub file_bytes: u64,
    /// `part_head_bytes`: bytes of the fields of one part, with the empty line behind them. 16 KiB.
    pub head_bytes: usize,
    /// `part_head_fields`: fields of one part. 16: browsers send two, some clients a handful.
    pub head_fields: usize,
    /// `form_preamble_bytes`: bytes before the first boundary, and again behind the line of the last. 1 KiB: no client
    /// sends more than a line end or a sentence there, and what nobody reads need not be paid for.
    pub preamble_bytes: usize,
}

impl From<&crate::limits::Limits> for Limits {
    fn from(limits: &crate::limits::Limits) -> Self {
        Self {
            total_bytes: limits.form_bytes,
            fields: limits.form_fields,
            files: limits.form_files,
            field_bytes: limits.form_field_bytes as u64,
            file_bytes: u64::MAX,
            head_bytes: limits.part_head_bytes,
            head_fields: limits.part_head_fields,
            preamble_bytes: 1 << 10,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        (&crate::limits::Limits::default()).into()
    }
}
