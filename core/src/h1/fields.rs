//! Field sections: from bytes to a map, and the fields that frame a message or rule the connection.
//!
//! The rule: `httparse` only cuts lines into names and values. Line ends, whitespace and the number of lines
//! were checked before ([`Section`]); what frames the message is read here, and nowhere else.

use std::ops::Range;

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderName, Version};
use bytes::Bytes;

use super::error::{Fault, Reason};
use super::field_section::FieldSection;
use super::grammar::{decimal, elements, is_field_char, is_tchar, is_token, trim};
use super::scan::Section;
use crate::leniency::Leniency;

/// For up to so many fields the table of the tokenizer stands on the stack; browsers send some fifteen.
const FIELDS_ON_STACK: usize = 16;

/// `http::HeaderMap` takes no more fields than this, whatever the limit says.
const MAP_FIELDS: usize = 24 << 10;

/// `http::HeaderName` takes no more bytes than this.
const NAME_BYTES: usize = u16::MAX as usize;

/// Checks the field lines of `section`, which ends with `block`; `each` sees every name, and every value with its
/// place. What is found good is read as a [`FieldSection`] without a fault.
pub(super) fn check(
    block: &Bytes,
    section: &Section,
    each: impl FnMut(&[u8], &[u8], usize) -> Result<(), Fault>,
) -> Result<FieldSection, Fault> {
    match section.lines {
        0 => return Ok(FieldSection::default()),
        1..=FIELDS_ON_STACK => {
            check_into(&mut [httparse::EMPTY_HEADER; FIELDS_ON_STACK], block, section, each)?;
        }
        // The map has an upper bound of its own, far above any sensible limit.
        lines if lines > MAP_FIELDS => return Err(Fault::new(Reason::TooManyFields, section.start)),
        lines => check_into(&mut vec![httparse::EMPTY_HEADER; lines], block, section, each)?,
    }
    Ok(FieldSection::of_lines(block.slice(section.start..)))
}

fn check_into<'b>(
    table: &mut [httparse::Header<'b>],
    block: &'b Bytes,
    section: &Section,
    mut each: impl FnMut(&[u8], &[u8], usize) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let lines = &block[section.start..];
    let fields = match httparse::parse_headers(lines, table) {
        Ok(httparse::Status::Complete((_, fields))) => fields,
        _ => return Err(find_fault(lines, section.start)),
    };
    for field in fields {
        if field.name.len() > NAME_BYTES {
            let name_at = place(block, field.name.as_bytes()).unwrap_or(section.start);
            return Err(Fault::new(Reason::InvalidFieldName, name_at));
        }
        let at = place(block, field.value).unwrap_or(section.start);
        each(field.name.as_bytes(), field.value, at)?;
    }
    Ok(())
}

/// Where in `block` its slice `part` begins. An empty value may stand anywhere.
fn place(block: &[u8], part: &[u8]) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(block.as_ptr() as usize)?;
    (at < block.len()).then_some(at)
}

/// `field-line = field-name ":" OWS field-value OWS` (RFC 9112, section 5), once it is known that some line
/// breaks it: says which, and where.
fn find_fault(lines: &[u8], base: usize) -> Fault {
    let mut start = 0;
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        if let Some(fault) = line_fault(content) {
            return Fault::new(fault.reason, base + start + fault.at);
        }
        start += line.len();
    }
    Fault::new(Reason::InvalidFieldValue, base)
}

fn line_fault(line: &[u8]) -> Option<Fault> {
    if line.is_empty() {
        return None;
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Some(Fault::new(Reason::MissingColon, 0));
    };
    let name = &line[..colon];
    if let Some(at) = name.iter().position(|byte| !is_tchar(*byte)) {
        let is_space = trim(&name[at..]).is_empty();
        let reason = if is_space { Reason::SpaceBeforeColon } else { Reason::InvalidFieldName };
        return Some(Fault::new(reason, at));
    }
    if name.is_empty() {
        return Some(Fault::new(Reason::InvalidFieldName, 0));
    }
    let at = line.iter().skip(colon + 1).position(|byte| !is_field_char(*byte))? + colon + 1;
    let reason = if line[at] == b'\r' { Reason::BareCr } else { Reason::InvalidFieldValue };
    Some(Fault::new(reason, at))
}

/// The body that a head declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    Length(u64),
    Chunked,
}

/// What the fields of a received head say of framing and of the connection.
#[derive(Debug, Default)]
pub(super) struct Control {
    leniency: Leniency,
    /// Where the value of `Host` stands.
    pub(super) host: Option<Range<usize>>,
    /// Where a second `Host` stands.
    pub(super) second_host_at: Option<usize>,
    content_length: Option<(u64, usize)>,
    is_length_repeated: bool,
    codings: Codings,
    /// `Connection: close` (RFC 9112, section 9.6).
    pub(super) close: bool,
    /// `Connection: keep-alive`.
    pub(super) keep_alive: bool,
    connection_upgrade: bool,
    connection_te: bool,
    upgrade: bool,
    te_trailers: bool,
    /// `Expect: 100-continue`.
    pub(super) expects_continue: bool,
    /// Where another expectation stands.
    pub(super) unknown_expectation_at: Option<usize>,
}

/// The transfer codings over all lines (RFC 9112, section 6.1).
#[derive(Debug, Default)]
struct Codings {
    at: Option<usize>,
    chunked: bool,
    unknown: bool,
    malformed: bool,
}

impl Codings {
    fn add(&mut self, list: &[u8]) {
        for coding in elements(list) {
            let name = trim(coding.split(|byte| *byte == b';').next().unwrap_or_default());
            // Chunked stands last, once, and takes no parameters.
            self.malformed |=
                self.chunked || !is_token(name) || coding.iter().any(|byte| !is_field_char(*byte));
            match name.eq_ignore_ascii_case(b"chunked") {
                true => {
                    self.malformed |= name.len() != coding.len();
                    self.chunked = true;
                }
                false => self.unknown = true,
            }
        }
    }
}

impl Control {
    pub(super) fn new(leniency: Leniency) -> Self {
        Self { leniency, ..Self::default() }
    }

    /// Takes in one field.
    pub(super) fn take(&mut self, name: &[u8], value: &[u8], at: usize) -> Result<(), Fault> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        // The length tells nearly all other names from these.
        match name.len() {
            2 if is(b"te") => {
                self.te_trailers |= elements(value).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
            }
            4 if is(b"host") => match self.host {
                None => self.host = Some(at..at + value.len()),
                Some(_) => self.second_host_at = self.second_host_at.or(Some(at)),
            },
            6 if is(b"expect") => self.expectations(value, at),
            7 if is(b"upgrade") => self.upgrade |= !value.is_empty(),
            10 if is(b"connection") => {
                elements(value).for_each(|option| self.connection_option(option));
            }
            14 if is(b"content-length") => self.length(value, at)?,
            17 if is(b"transfer-encoding") => {
                self.codings.at = Some(at);
                self.codings.add(value);
            }
            _ => {}
        }
        Ok(())
    }

    fn length(&mut self, value: &[u8], at: usize) -> Result<(), Fault> {
        let length = decimal(value)
            .or_else(|| self.repeated_length(value))
            .ok_or(Fault::new(Reason::InvalidContentLength, at))?;
        match self.content_length.replace((length, at)) {
            None => Ok(()),
            Some((before, _)) if before == length && self.leniency.repeated_content_length => {
                self.is_length_repeated = true;
                Ok(())
            }
            Some(_) => Err(Fault::new(Reason::RepeatedContentLength, at)),
        }
    }

    /// `5, 5`: one number in every element (RFC 9110, section 8.6).
    fn repeated_length(&mut self, list: &[u8]) -> Option<u64> {
        let mut lengths = elements(list).map(decimal);
        let length = lengths.next().flatten().filter(|_| self.leniency.repeated_content_length)?;
        self.is_length_repeated = true;
        lengths.all(|other| other == Some(length)).then_some(length)
    }

    fn connection_option(&mut self, option: &[u8]) {
        self.close |= option.eq_ignore_ascii_case(b"close");
        self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        self.connection_upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        self.connection_te |= option.eq_ignore_ascii_case(b"te");
    }

    fn expectations(&mut self, list: &[u8], at: usize) {
        for expectation in elements(list) {
            if expectation.eq_ignore_ascii_case(b"100-continue") {
                self.expects_continue = true;
            } else if !expectation.is_empty() {
                self.unknown_expectation_at = self.unknown_expectation_at.or(Some(at));
            }
        }
    }

    /// Whether `Upgrade` stands there and counts: only `Connection: upgrade` makes it (RFC 9110, section
    /// 7.8).
    pub(super) fn upgrades(&self) -> bool {
        self.upgrade && self.connection_upgrade
    }

    /// Whether `TE: trailers` stands there and counts (RFC 9110, section 10.1.4).
    pub(super) fn accepts_trailers(&self) -> bool {
        self.te_trailers && self.connection_te
    }

    /// Whether the sender keeps the connection (RFC 9112, section 9.3). `close` on any line wins.
    pub(super) fn persists(&self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.keep_alive)
    }

    /// The body that the head declares (RFC 9112, section 6.3, the rules 3 to 6). What could be read in two
    /// ways is refused: it is what request smuggling lives on (section 11.2).
    pub(super) fn declared(&self, version: Version) -> Result<Option<Declared>, Fault> {
        let Some(at) = self.codings.at else {
            return Ok(self.content_length.map(|(length, _)| Declared::Length(length)));
        };
        if version == Version::HTTP_10 {
            return Err(Fault::new(Reason::TransferEncodingInHttp10, at));
        }
        match self.content_length {
            Some((_, length_at)) if !self.leniency.transfer_encoding_over_content_length => {
                return Err(Fault::new(Reason::ConflictingFraming, at.max(length_at)));
            }
            _ => {}
        }
        if self.codings.malformed {
            return Err(Fault::new(Reason::MalformedTransferEncoding, at));
        }
        if self.codings.unknown {
            return Err(Fault::new(Reason::UnknownTransferCoding, at));
        }
        Ok(Some(Declared::Chunked))
    }

    /// Whether both framings are there, of which the length then counts for nothing.
    pub(super) fn framings_conflict(&self) -> bool {
        self.codings.at.is_some() && self.content_length.is_some()
    }

    /// Makes the fields of a head that was let through say what it was read as.
    pub(super) fn mend_framing(&self, headers: &mut FieldSection) {
        match self.content_length {
            Some(_) if self.framings_conflict() => drop(headers.remove(CONTENT_LENGTH)),
            Some((length, _)) if self.is_length_repeated => {
                headers.insert(CONTENT_LENGTH, length.into());
            }
            _ => {}
        }
    }
}

/// Whether a field may not stand in a trailer section: it would frame, route or authenticate the message, or
/// change how its content is read, after that has begun (RFC 9110, section 6.5.1).
pub(super) fn is_forbidden_trailer(name: &HeaderName) -> bool {
    const FORBIDDEN: &[&str] = &[
        "age",
        "authorization",
        "cache-control",
        "connection",
        "cookie",
        "date",
        "expect",
        "expires",
        "forwarded",
        "host",
        "keep-alive",
        "location",
        "max-forwards",
        "pragma",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "retry-after",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "vary",
        "warning",
        "www-authenticate",
    ];
    let name = name.as_str();
    // Content-Digest is made for trailers (RFC 9530, section 6.5).
    let content = name.starts_with("content-") && name != "content-digest";
    content || name.starts_with("if-") || name.starts_with("x-forwarded-") || FORBIDDEN.contains(&name)
}
