//! Finds the end of a head or of a trailer section, however the bytes are cut.
//!
//! The rule: bytes are looked at once, in order, and the first wrong one decides; so the same bytes give the
//! same fault at the same place whether they come at once or one by one, and the work is linear in the bytes.

use memchr::memchr;

use super::error::{Fault, Reason};
use super::grammar::{is_field_char, is_raw_target_char, is_target_char, is_tchar, trim};
use crate::leniency::Leniency;
use crate::limits::Limits;

/// Methods longer than this are none that anybody has registered: the longest of those has 17 bytes.
const METHOD_BYTES: usize = 64;

/// `http::Uri` takes no more than this, whatever the limit says.
pub(super) const URI_BYTES: usize = u16::MAX as usize - 1;

/// Where the scan of a start line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Before a request line, where empty lines are skipped.
    Before,
    /// After the CR of an empty line.
    BeforeLf,
    Method,
    Target,
    Version,
    Status,
    Fields,
}

/// A scan over the head at the front of the input.
///
/// Request line (RFC 9112, section 3): `method SP request-target SP HTTP-version CRLF`.
/// Status line (section 4): `HTTP-version SP 3DIGIT SP [ reason-phrase ] CRLF`.
/// What a [`Leniency`] opens is looked at only where the byte would be refused without it.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadScan {
    part: Part,
    /// How many bytes of the start line, and of what stands before it, were looked at.
    pos: usize,
    /// Where the start line begins.
    pub(super) start: usize,
    /// Where the method ends.
    pub(super) method_end: usize,
    /// Where the target ends, or a status line's reason phrase.
    pub(super) target_end: usize,
    /// Whether the method is HEAD, once it is complete.
    pub(super) is_head: bool,
    pub(super) section: Section,
}

impl HeadScan {
    pub(super) fn request() -> Self {
        Self {
            part: Part::Before,
            pos: 0,
            start: 0,
            method_end: 0,
            target_end: 0,
            is_head: false,
            section: Section::at(0),
        }
    }

    pub(super) fn response() -> Self {
        Self { part: Part::Status, ..Self::request() }
    }

    /// Whether anything of the message itself was seen: skipped empty lines are not.
    pub(super) fn has_begun(&self) -> bool {
        match self.part {
            Part::Before => false,
            Part::Status => self.pos > 0,
            _ => true,
        }
    }

    /// Looks at what is new; the head's end, once it is there.
    pub(super) fn advance(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, Fault> {
        let window = &input[..input.len().min(limits.head_bytes)];
        if self.part == Part::Before {
            self.take_request_line(window, limits);
        }
        while self.part != Part::Fields && self.pos < window.len() {
            self.start_line_byte(window, limits)?;
            self.pos += 1;
        }
        if self.part == Part::Fields {
            if self.section.pos == 0 {
                self.section = Section::at(self.pos);
            }
            let section = &mut self.section;
            let end = section.advance(window, limits.head_fields, Reason::TooManyFields, limits.leniency)?;
            if end.is_some() {
                return Ok(end);
            }
        }
        match window.len() == limits.head_bytes {
            true => Err(Fault::new(Reason::HeadTooLarge, window.len())),
            false => Ok(None),
        }
    }

    /// Takes a request line that is there whole and right, as nearly all are, without a look at each byte's part in
    /// it. Every other is left as it is, for [`start_line_byte`](Self::start_line_byte) to judge.
    fn take_request_line(&mut self, window: &[u8], limits: &Limits) -> Option<()> {
        let new = &window[self.pos..];
        let lf = memchr(b'\n', new)?;
        let (line, version) = new[..lf].strip_suffix(b"\r")?.split_last_chunk::<9>()?;
        if !version.starts_with(b" HTTP/1.") || !version[8].is_ascii_digit() {
            return None;
        }
        let method = line.iter().position(|byte| !is_tchar(*byte))?;
        let (b' ', target) = line[method..].split_first()? else { return None };
        let is_right = (1..=METHOD_BYTES).contains(&method)
            && (1..=limits.target_bytes.min(URI_BYTES)).contains(&target.len())
            && target.iter().all(|byte| is_target_char(*byte));
        is_right.then(|| {
            self.start = self.pos;
            self.method_end = self.start + method;
            self.target_end = self.start + line.len();
            self.is_head = &line[..method] == b"HEAD";
            (self.part, self.pos) = (Part::Fields, self.pos + lf + 1);
        })
    }

    fn start_line_byte(&mut self, window: &[u8], limits: &Limits) -> Result<(), Fault> {
        let (at, byte) = (self.pos, window[self.pos]);
        let fault = |reason| Err(Fault::new(reason, at));
        match self.part {
            Part::Before if byte == b'\r' => self.part = Part::BeforeLf,
            Part::BeforeLf if byte == b'\n' => self.part = Part::Before,
            Part::BeforeLf => return fault(Reason::BareCr),
            Part::Before | Part::Method if is_tchar(byte) => {
                if self.part == Part::Before {
                    (self.start, self.part) = (at, Part::Method);
                }
                if at - self.start >= METHOD_BYTES {
                    return fault(Reason::MethodTooLong);
                }
            }
            Part::Method if byte == b' ' => {
                // What is wrong further on is answered too, and the answer to a HEAD has no content.
                self.is_head = &window[self.start..at] == b"HEAD";
                (self.method_end, self.part) = (at, Part::Target);
            }
            Part::Before if byte == b'\n' && limits.leniency.bare_lf => {}
            Part::Before if byte == b'\n' => return fault(Reason::BareLf),
            Part::Method if byte == b'\n' => {
                return fault(early_lf(limits, Reason::MalformedRequestLine));
            }
            Part::Method if byte == b'\r' => return fault(Reason::MalformedRequestLine),
            Part::Before | Part::Method => return fault(Reason::InvalidMethod),
            Part::Target => return self.target_byte(at, byte, limits),
            Part::Version => return self.version_byte(window, limits),
            Part::Status => return self.status_byte(at, byte, limits),
            Part::Fields => {}
        }
        Ok(())
    }

    fn target_byte(&mut self, at: usize, byte: u8, limits: &Limits) -> Result<(), Fault> {
        let begin = self.method_end + 1;
        let reason = match byte {
            b' ' if at > begin => {
                (self.target_end, self.part) = (at, Part::Version);
                return Ok(());
            }
            b' ' | b'\r' => Reason::MalformedRequestLine,
            b'\n' => early_lf(limits, Reason::MalformedRequestLine),
            _ if is_target_char(byte) || (limits.leniency.raw_target && is_raw_target_char(byte)) => {
                match at - begin >= limits.target_bytes.min(URI_BYTES) {
                    true => Reason::TargetTooLong,
                    false => return Ok(()),
                }
            }
            _ => Reason::InvalidTarget,
        };
        Err(Fault::new(reason, at))
    }

    /// `HTTP-version = "HTTP/" DIGIT "." DIGIT` (RFC 9112, section 2.3), case-sensitive, then CRLF.
    fn version_byte(&mut self, window: &[u8], limits: &Limits) -> Result<(), Fault> {
        let (at, byte) = (self.pos, window[self.pos]);
        let index = at - self.target_end - 1;
        let reason = match index {
            0..8 if is_version_byte(index, byte) => return Ok(()),
            8 if byte == b'\r' => return Ok(()),
            9 if byte == b'\n' => return self.version_end(window),
            8 if byte == b'\n' && limits.leniency.bare_lf => return self.version_end(window),
            _ if byte == b'\n' => early_lf(limits, Reason::MalformedVersion),
            0 | 8 if byte == b' ' => Reason::MalformedRequestLine,
            9 => Reason::BareCr,
            _ => Reason::MalformedVersion,
        };
        Err(Fault::new(reason, at))
    }

    fn version_end(&mut self, window: &[u8]) -> Result<(), Fault> {
        let version_at = self.target_end + 1;
        match window[version_at + 5] {
            b'1' => {
                self.part = Part::Fields;
                Ok(())
            }
            _ => Err(Fault::new(Reason::UnsupportedVersion, version_at)),
        }
    }

    fn status_byte(&mut self, at: usize, byte: u8, limits: &Limits) -> Result<(), Fault> {
        let good = match at {
            0..8 => is_version_byte(at, byte) && (at != 5 || byte == b'1'),
            8 | 12 => byte == b' ',
            9 => matches!(byte, b'1'..=b'9'),
            10 | 11 => byte.is_ascii_digit(),
            // `target_end` marks the CR that was seen.
            _ if self.target_end != 0 => {
                if byte != b'\n' {
                    return Err(Fault::new(Reason::BareCr, at));
                }
                self.part = Part::Fields;
                true
            }
            _ if byte == b'\r' => {
                self.target_end = at;
                true
            }
            _ if is_field_char(byte) => true,
            _ if byte == b'\n' && limits.leniency.bare_lf => {
                (self.target_end, self.part) = (at, Part::Fields);
                true
            }
            _ => false,
        };
        match good {
            true => Ok(()),
            false if byte == b'\n' => Err(Fault::new(early_lf(limits, Reason::MalformedStatusLine), at)),
            false if at == 5 && byte.is_ascii_digit() => Err(Fault::new(Reason::UnsupportedVersion, at)),
            false => Err(Fault::new(Reason::MalformedStatusLine, at)),
        }
    }
}

/// What is wrong with a LF in a line that would be `malformed` if CRLF stood there.
fn early_lf(limits: &Limits, malformed: Reason) -> Reason {
    if limits.leniency.bare_lf { malformed } else { Reason::BareLf }
}

/// Whether `byte` may stand at `index` of an HTTP version.
fn is_version_byte(index: usize, byte: u8) -> bool {
    match b"HTTP/0.0".get(index) {
        Some(b'0') => byte.is_ascii_digit(),
        Some(expected) => byte == *expected,
        None => false,
    }
}

/// A scan over field lines, up to the empty line that ends them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// Where the first field line begins.
    pub(super) start: usize,
    /// Field lines that are complete, without those that go on with one.
    pub(super) lines: usize,
    is_folded: bool,
    line_start: usize,
    pos: usize,
}

impl Section {
    pub(super) fn at(start: usize) -> Self {
        Self { start, lines: 0, is_folded: false, line_start: start, pos: start }
    }

    /// Looks at what is new; the section's end, past its empty line, once that is there.
    pub(super) fn advance(
        &mut self,
        window: &[u8],
        max_lines: usize,
        too_many: Reason,
        leniency: Leniency,
    ) -> Result<Option<usize>, Fault> {
        // Whoever takes bytes from the input's front in between gets nonsense, but no panic.
        while let Some(found) = window.get(self.pos..).and_then(|new| memchr(b'\n', new)) {
            let lf = self.pos + found;
            let line = match &window[self.line_start..lf] {
                [line @ .., b'\r'] => line,
                line if leniency.bare_lf => line,
                _ => return Err(Fault::new(Reason::BareLf, lf)),
            };
            self.pos = lf + 1;
            match line {
                [] => return Ok(Some(self.pos)),
                [b' ' | b'\t', ..] if self.lines == 0 => {
                    return Err(Fault::new(Reason::LeadingWhitespace, self.line_start));
                }
                [b' ' | b'\t', ..] if leniency.line_folding && !trim(line).is_empty() => {
                    self.is_folded = true;
                }
                [b' ' | b'\t', ..] => return Err(Fault::new(Reason::ObsFold, self.line_start)),
                _ if self.lines == max_lines => return Err(Fault::new(too_many, self.line_start)),
                _ => self.lines += 1,
            }
            self.line_start = self.pos;
        }
        self.pos = window.len();
        Ok(None)
    }

    /// Reads folds as spaces, in the `block` that the section ends with (RFC 9112, section 5.2). No byte moves, so
    /// places stay what they were.
    pub(super) fn unfold(&self, block: &mut [u8]) -> Result<(), Fault> {
        if !self.is_folded {
            return Ok(());
        }
        let mut start = self.start;
        while let Some(found) = memchr(b'\n', &block[start..]) {
            let lf = start + found;
            if matches!(block.get(lf + 1), Some(b' ' | b'\t')) {
                if is_framing_line(&block[start..lf]) {
                    return Err(Fault::new(Reason::ObsFold, lf + 1));
                }
                blank(block, lf);
            }
            start = lf + 1;
        }
        Ok(())
    }
}

/// Whether the field says where the message ends or whose it is: a reader that knows no folds must not find another
/// value there.
fn is_framing_line(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    ["content-length", "host", "transfer-encoding"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing.as_bytes()))
}

/// Makes spaces of the line end at `lf`, and of the whitespace around it.
fn blank(block: &mut [u8], lf: usize) {
    let is_space = |byte: &&mut u8| matches!(**byte, b' ' | b'\t');
    let (before, after) = block.split_at_mut(lf);
    let before = match before {
        [before @ .., cr @ b'\r'] => {
            *cr = b' ';
            before
        }
        before => before,
    };
    before.iter_mut().rev().take_while(is_space).for_each(|byte| *byte = b' ');
    after[0] = b' ';
    after[1..].iter_mut().take_while(is_space).for_each(|byte| *byte = b' ');
}
