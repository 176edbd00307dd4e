//! The head of a part: what it is called, and what else is told of it.
//!
//! The rule: the bytes of a head are kept once and read where they lie; who asks for no field pays for none. They are
//! a copy, so that a head that is kept does not keep the block in which it arrived.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::disposition::{self, Disposition};
use super::error::ErrorKind;
use super::filename;
use super::scan::Fault;
use crate::http::MediaType;
use crate::http::parameters::Occurrence;

/// The head of one part of a form. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct PartHead(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    bytes: Vec<u8>,
    disposition: Disposition,
}

impl PartHead {
    /// Reads a head that a scan has found to be well-formed, with its last empty line.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Fault> {
        let mut disposition = None;
        let mut has_type = false;
        for field in fields(&bytes) {
            let fault = |kind| Fault::new(kind, field.at);
            if field.name.eq_ignore_ascii_case("content-disposition") {
                if disposition.is_some() {
                    return Err(fault(ErrorKind::RepeatedField));
                }
                let parsed = disposition::parse(field.value);
                disposition =
                    Some(parsed.map_err(|inner| Fault::new(inner.kind, field.value_at + inner.at))?);
            } else if field.name.eq_ignore_ascii_case("content-type") {
                if has_type {
                    return Err(fault(ErrorKind::RepeatedField));
                }
                has_type = true;
            }
        }
        let end = bytes.len();
        let disposition = disposition.ok_or(Fault::new(ErrorKind::MissingDisposition, end))?;
        Ok(Self(Arc::new(Inner { bytes, disposition })))
    }

    /// The name of the form's field. It may be empty, and may repeat.
    pub fn name(&self) -> &str {
        &self.0.disposition.name
    }

    /// The name of the file as the client gave it, which may be a path, empty, or anything; `None` if the part is no
    /// file. [`safe_filename`](Self::safe_filename) is for storing it.
    pub fn filename(&self) -> Option<&str> {
        self.0.disposition.filename.as_deref()
    }

    /// A name for the file that is good on every system; `None` if the part is no file, or nothing is left of it.
    ///
    /// It is the last component of what the client sent, both `/` and `\` taken for separators, without control
    /// characters, without dots and spaces at its ends (so it hides nothing and climbs nowhere), with `_` in place of
    /// `<>:"|?*` and before a name that Windows reserves, and of at most 255 bytes. Two files may have the same.
    ///
    /// ```
    /// # use bakestone::multipart::{Boundary, Decoder, Event, Limits};
    /// # let mut decoder = Decoder::new(&Boundary::new("b")?, Limits::default());
    /// # decoder.push("--b\r\nContent-Disposition: form-data; name=a; filename=\"..\\..\\a/con:.txt\"\r\n\r\n".into());
    /// # let Some(Event::Part(head)) = decoder.next()? else { panic!() };
    /// assert_eq!(head.filename(), Some(r"..\..\a/con:.txt"));
    /// assert_eq!(head.safe_filename().as_deref(), Some("con_.txt"));
    /// # Ok::<(), bakestone::multipart::Error>(())
    /// ```
    pub fn safe_filename(&self) -> Option<String> {
        filename::safe(self.filename()?)
    }

    /// Whether the part is a file: it has a file name, even an empty one, which is what browsers send where no file was
    /// chosen.
    pub fn is_file(&self) -> bool {
        self.filename().is_some()
    }

    /// `Content-Type`, which is the client's guess; `None` without one that can be read. It is `text/plain` then (RFC
    /// 7578, section 4.4).
    pub fn content_type(&self) -> Option<MediaType<'_>> {
        std::str::from_utf8(self.field("content-type")?).ok().and_then(MediaType::parse)
    }

    /// The parameter `charset` of the [content type](Self::content_type), as it was sent; `None` too if it is malformed,
    /// or there more than once.
    pub fn charset(&self) -> Option<Cow<'_, str>> {
        match self.content_type()?.only("charset") {
            Occurrence::Once(charset) => Some(charset),
            Occurrence::Never | Occurrence::Unclear => None,
        }
    }

    /// How many bytes are kept for it.
    pub(crate) fn size(&self) -> usize {
        self.0.bytes.len()
    }

    /// The value of the first field called `name`, in any case, without the whitespace around it.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All fields, in order: their names as they were sent, and their values without the whitespace around them.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        fields(&self.0.bytes).map(|field| (field.name, field.value))
    }
}

impl fmt::Debug for PartHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0.bytes);
        f.debug_tuple("PartHead").field(&text.trim_end()).finish()
    }
}

struct Field<'a> {
    /// Where it begins in the head.
    at: usize,
    name: &'a str,
    value: &'a [u8],
    value_at: usize,
}

/// The fields of a head that is well-formed.
fn fields(head: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at;
        let line = &head[begin..][..memchr::memchr(b'\r', &head[begin..])?];
        let colon = memchr::memchr(b':', line)?;
        at = begin + line.len() + 2;
        let after = &line[colon + 1..];
        let value = after.trim_ascii_start();
        let value_at = begin + line.len() - value.len();
        let name = std::str::from_utf8(&line[..colon]).ok()?;
        Some(Field { at: begin, name, value: value.trim_ascii_end(), value_at })
    })
}
