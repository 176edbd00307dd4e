//! Finds the line between two parts, however the bytes are cut.
//!
//! The rule: a boundary holds no CR, so a delimiter that fails can begin again only at a later CR: bytes that failed
//! are not looked at again, and the work is linear in the bytes.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};

use super::boundary::Boundary;

/// More spaces and tabs than this behind a boundary are refused. Nothing between an HTTP client and us adds any.
const PADDING: usize = 64;

/// What a delimiter's line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A part follows.
    Part,
    /// The form is over.
    Close,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// So many bytes at the front of the input belong to no delimiter; at least one. They are still there.
    Front(usize),
    /// Bytes that were taken from the input, and belong to no delimiter; at least one.
    Taken(Bytes),
    Line(Line),
    /// A delimiter with more padding than is taken.
    PaddingTooLong,
    /// Nothing can be said before there is more input. What there was is taken.
    More,
}

/// A search for delimiters.
#[derive(Debug)]
pub(super) struct Search {
    delimiter: Bytes,
    finder: Finder<'static>,
    /// What may become a delimiter, at the front of the input.
    candidate: Option<Candidate>,
    /// No CR has come since the line began, so nothing is a delimiter before the first one. A value that is short or
    /// text often has no other than the delimiter's, and one byte is found sooner than many.
    is_before_cr: bool,
    /// How many bytes were looked at, for the tests.
    #[cfg(test)]
    pub(super) examined: u64,
}

impl Search {
    pub(super) fn new(boundary: &Boundary) -> Self {
        let delimiter = boundary.delimiter().clone();
        let finder = Finder::new(&delimiter).into_owned();
        Self {
            delimiter,
            finder,
            candidate: None,
            is_before_cr: true,
            #[cfg(test)]
            examined: 0,
        }
    }

    /// A line begins here, although its CRLF does not stand here: the body begins, or a part's data.
    pub(super) fn begin_line(&mut self) {
        self.candidate = Some(Candidate { matched: 2, absent: 2, ..Candidate::default() });
        self.is_before_cr = true;
    }

    /// What comes next at the front of `input`. It is taken from there, save for [`Found::Front`].
    pub(super) fn next(&mut self, input: &mut Bytes) -> Found {
        loop {
            if let Some(mut candidate) = self.candidate.take() {
                let before = input.len();
                let verdict = candidate.feed(&self.delimiter, input);
                self.note(before - input.len());
                match verdict {
                    Verdict::Undecided => {
                        self.candidate = Some(candidate);
                        return Found::More;
                    }
                    Verdict::Line(line) => return Found::Line(line),
                    Verdict::PaddingTooLong => return Found::PaddingTooLong,
                    Verdict::Data => {
                        let bytes = candidate.bytes(&self.delimiter);
                        if !bytes.is_empty() {
                            return Found::Taken(bytes);
                        }
                    }
                }
            }
            if input.is_empty() {
                return Found::More;
            }
            let begin = self.candidate_in(input);
            if begin < input.len() {
                self.candidate = Some(Candidate::default());
            }
            if begin > 0 {
                return Found::Front(begin);
            }
        }
    }

    /// Where the first delimiter begins, or what may become one; else the input's length.
    fn candidate_in(&mut self, input: &[u8]) -> usize {
        let mut from = 0;
        if self.is_before_cr {
            from = memchr(b'\r', input).unwrap_or(input.len());
            self.note(from);
            self.is_before_cr = from == input.len();
            if self.is_before_cr || self.is_at(&input[from..]) {
                return from;
            }
        }
        while let Some(found) = self.finder.find(&input[from..]) {
            let (begin, after) = (from + found, from + found + self.delimiter.len());
            self.note(after - from);
            if !is_data(&input[after..]) {
                return begin;
            }
            from = after;
        }
        self.note(input.len() - from);
        let tail = from.max(input.len().saturating_sub(self.delimiter.len() - 1));
        let last_cr = memrchr(b'\r', &input[tail..]).map(|at| tail + at);
        last_cr.filter(|at| self.delimiter.starts_with(&input[*at..])).unwrap_or(input.len())
    }

    /// Whether a delimiter stands at the front.
    fn is_at(&self, input: &[u8]) -> bool {
        input.strip_prefix(&*self.delimiter).is_some_and(|rest| !is_data(rest))
    }

    fn note(&mut self, _bytes: usize) {
        #[cfg(test)]
        {
            self.examined += _bytes as u64;
        }
    }
}

/// Where a line stands behind its boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tail {
    #[default]
    Start,
    Dash,
    Padding,
    Cr,
}

enum Next {
    Tail(Tail),
    Line(Line),
    Data,
}

impl Tail {
    fn next(self, byte: u8) -> Next {
        match (self, byte) {
            (Self::Start, b'-') => Next::Tail(Self::Dash),
            (Self::Dash, b'-') => Next::Line(Line::Close),
            (Self::Start | Self::Padding, b' ' | b'\t') => Next::Tail(Self::Padding),
            (Self::Start | Self::Padding, b'\r') => Next::Tail(Self::Cr),
            (Self::Cr, b'\n') => Next::Line(Line::Part),
            _ => Next::Data,
        }
    }
}

/// Whether what follows a boundary shows that it is none.
fn is_data(rest: &[u8]) -> bool {
    let mut tail = Tail::Start;
    for byte in rest.iter().take(PADDING + 1) {
        match tail.next(*byte) {
            Next::Tail(next) => tail = next,
            Next::Line(_) => return false,
            Next::Data => return true,
        }
    }
    false
}

/// The beginning of a delimiter's line that was taken from the input.
#[derive(Debug, Default)]
struct Candidate {
    /// How many bytes of the delimiter were seen.
    matched: usize,
    /// How many of those were not in the input.
    absent: usize,
    tail: Tail,
    padding: Vec<u8>,
}

enum Verdict {
    Undecided,
    Line(Line),
    PaddingTooLong,
    /// It is none; the byte that shows that is still in the input.
    Data,
}

impl Candidate {
    fn feed(&mut self, delimiter: &[u8], input: &mut Bytes) -> Verdict {
        let wanted = &delimiter[self.matched..];
        let same = match input.starts_with(wanted) {
            true => wanted.len(),
            false => wanted.iter().zip(input.iter()).take_while(|(wanted, byte)| wanted == byte).count(),
        };
        input.advance(same);
        self.matched += same;
        if self.matched < delimiter.len() && !input.is_empty() {
            return Verdict::Data;
        }
        while let Some(&byte) = input.first() {
            match self.tail.next(byte) {
                Next::Tail(Tail::Padding) if self.padding.len() == PADDING => return Verdict::PaddingTooLong,
                Next::Tail(tail) => self.tail = tail,
                Next::Line(line) => {
                    input.advance(1);
                    return Verdict::Line(line);
                }
                Next::Data => return Verdict::Data,
            }
            if self.tail == Tail::Padding {
                self.padding.push(byte);
            }
            input.advance(1);
        }
        Verdict::Undecided
    }

    /// Its bytes that were in the input, once it has failed.
    fn bytes(self, delimiter: &Bytes) -> Bytes {
        let begin = delimiter.slice(self.absent..self.matched);
        if self.tail == Tail::Start {
            return begin;
        }
        let mut bytes = BytesMut::from(&begin[..]);
        bytes.extend_from_slice(&self.padding);
        bytes.extend_from_slice(match self.tail {
            Tail::Dash => b"-",
            Tail::Cr => b"\r",
            Tail::Start | Tail::Padding => b"",
        });
        bytes.freeze()
    }
}
