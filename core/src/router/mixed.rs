//! A segment of which parameters are only parts, such as `{name}-{version:int}.{extension}`.
//!
//! The rule: from left to right each parameter takes as much as leaves the others something to take, as in a
//! regular expression whose parts are greedy. There is no backtracking. With `n` bytes in the segment and `m` in
//! the pattern it takes at most `n * m` steps: where every parameter is a `str`, the texts between them are
//! sought from the right; else a table says from where the rest of the pattern can be matched. A segment with a
//! regular expression among its parts is one regular expression.

use std::cmp::Reverse;

use super::converter::{Converter, UUID, is_uuid};
use super::error::Problem;
use super::params::{Spans, place};
use super::regex::Engine;

/// A part of a segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Text as it reads decoded.
    Literal(Box<str>),
    /// A parameter.
    Param(Converter),
}

/// The parts of a segment, in their order: two at least, one of them a parameter.
#[derive(Debug)]
pub(super) struct Mixed {
    parts: Box<[Part]>,
    way: Way,
}

/// How the parts are found.
#[derive(Debug)]
enum Way {
    Texts,
    Table,
    /// The expression, and the names of the parameters' groups.
    Regex(Engine, Vec<String>),
}

impl Mixed {
    pub(super) fn new(parts: Vec<Part>) -> Result<Self, Problem> {
        let any = |is: fn(&Part) -> bool| parts.iter().any(is);
        let adjacent = parts.windows(2).any(|two| matches!(two, [Part::Param(_), Part::Param(_)]));
        let way = if any(|part| matches!(part, Part::Param(Converter::Regex(_)))) {
            let params = parts.iter().enumerate().filter(|(_, part)| matches!(part, Part::Param(_)));
            Way::Regex(
                Engine::new(&expression(&parts), "\\A(?:", ")\\z")?,
                params.map(|(index, _)| group(index)).collect(),
            )
        } else if adjacent || any(|part| matches!(part, Part::Param(converter) if converter.is_typed())) {
            Way::Table
        } else {
            Way::Texts
        };
        Ok(Self { parts: parts.into(), way })
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Compares the segment `text`, decoded, and appends the spans of the parameters in it.
    pub(super) fn find(&self, text: &str, spans: &mut Spans) -> bool {
        if !self.ends_fit(text) {
            return false;
        }
        let first = spans.len();
        let found = match &self.way {
            Way::Texts => self.find_texts(text, spans),
            Way::Table => self.find_with_table(text, spans),
            Way::Regex(engine, names) => engine.groups(text, names.iter().map(String::as_str), |span| {
                spans.push(span.map_or((0, 0), |(start, end)| (place(start), place(end))));
            }),
        };
        found && self.values_fit(text, spans, first)
    }

    /// What refuses most segments, before anything else is done.
    fn ends_fit(&self, text: &str) -> bool {
        let begins =
            !matches!(self.parts.first(), Some(Part::Literal(literal)) if !text.starts_with(&**literal));
        begins && !matches!(self.parts.last(), Some(Part::Literal(literal)) if !text.ends_with(&**literal))
    }

    /// Whether numbers that are written as such are not too large either.
    fn values_fit(&self, text: &str, spans: &Spans, first: usize) -> bool {
        let converters = self.parts.iter().filter_map(|part| match part {
            Part::Param(converter) => Some(converter),
            Part::Literal(_) => None,
        });
        converters.zip(spans.iter().skip(first)).all(|(converter, (start, end))| match converter {
            Converter::Int | Converter::Float => {
                text.get(start as usize..end as usize).is_some_and(|value| converter.accepts(value))
            }
            _ => true,
        })
    }

    /// Of the places where a text may stand, the last one leaves most to what is before it, and takes nothing
    /// from it. So from the right, each text is sought as far right as it goes.
    fn find_texts(&self, text: &str, spans: &mut Spans) -> bool {
        let (bytes, first) = (text.as_bytes(), spans.len());
        // What is left of `end` is not matched yet; `open` is where the parameter on the right of it ends.
        let (mut end, mut open) = (bytes.len(), None);
        for (index, part) in self.parts.iter().enumerate().rev() {
            let Part::Literal(literal) = part else {
                open = Some(end);
                continue;
            };
            let start = match open {
                _ if index == 0 => Some(0),
                None => end.checked_sub(literal.len()),
                Some(open) => {
                    bytes.get(..open.saturating_sub(1)).and_then(|left| last(left, literal.as_bytes()))
                }
            };
            let Some(start) = start else { return false };
            if let Some(open) = open.take() {
                if start + literal.len() >= open {
                    return false;
                }
                spans.push((place(start + literal.len()), place(open)));
            }
            end = start;
        }
        if let Some(open) = open {
            if open == 0 {
                return false;
            }
            spans.push((0, place(open)));
        }
        spans.reverse_from(first);
        true
    }

    /// Row `i` of the table says of each place whether the parts from `i` on can be matched from there to the end.
    fn find_with_table(&self, text: &str, spans: &mut Spans) -> bool {
        let width = text.len() + 1;
        let mut table = vec![false; width * (self.parts.len() + 1)];
        if let Some(end) = table.last_mut() {
            *end = true;
        }
        for (index, part) in self.parts.iter().enumerate().rev() {
            let (rows, next) = table.split_at_mut((index + 1) * width);
            fill(part, text, &mut rows[index * width..], &next[..width]);
        }
        if !table[0] {
            return false;
        }
        let mut at = 0;
        for (index, part) in self.parts.iter().enumerate() {
            let next = &table[(index + 1) * width..(index + 2) * width];
            let end = reach(part, text, at, next);
            if let Part::Param(_) = part {
                spans.push((place(at), place(end)));
            }
            at = end;
        }
        true
    }

    /// More text first, then what is more specific from the left.
    fn rank(&self) -> (Reverse<usize>, &[Part]) {
        let literal = |part: &Part| match part {
            Part::Literal(text) => text.len(),
            Part::Param(_) => 0,
        };
        (Reverse(self.parts.iter().map(literal).sum()), &self.parts)
    }
}

super::regex::by_rank!(Mixed);

/// The name of the group of a part. No other group is likely to have it; were it so, the pattern is not built.
fn group(index: usize) -> String {
    format!("bakestone{index}")
}

/// The parts as one regular expression.
fn expression(parts: &[Part]) -> String {
    let part = |(index, part): (usize, &Part)| match part {
        Part::Literal(text) => Engine::escape(text),
        Part::Param(converter) => {
            let name = group(index);
            let text = match converter {
                Converter::Uuid => "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
                Converter::Int => "[0-9]+",
                Converter::Float => r"[0-9]+(?:\.[0-9]+)?",
                Converter::Regex(regex) => regex.text(),
                Converter::Str | Converter::Path => "(?s:.)+",
            };
            format!("(?P<{name}>{text})")
        }
    };
    parts.iter().enumerate().map(part).collect()
}

/// Where `literal` stands for the last time.
fn last(text: &[u8], literal: &[u8]) -> Option<usize> {
    match literal {
        [byte] => memchr::memrchr(*byte, text),
        _ => memchr::memmem::rfind(text, literal),
    }
}

/// Fills the row of `part` from the row of what comes next.
fn fill(part: &Part, text: &str, row: &mut [bool], next: &[bool]) {
    let bytes = text.as_bytes();
    match part {
        Part::Literal(literal) => {
            for at in memchr::memmem::find_iter(bytes, literal.as_bytes()) {
                row[at] = next[at + literal.len()];
            }
        }
        Part::Param(Converter::Int) => fill_digits(bytes, row, next),
        Part::Param(Converter::Float) => fill_float(bytes, row, next),
        Part::Param(Converter::Uuid) => {
            for at in 0..(bytes.len() + 1).saturating_sub(UUID) {
                row[at] = next[at + UUID] && is_uuid(&bytes[at..at + UUID]);
            }
        }
        Part::Param(_) => {
            let ends = next.iter().rposition(|&may| may).unwrap_or(0);
            (0..ends).for_each(|at| row[at] = text.is_char_boundary(at));
        }
    }
}

fn fill_digits(bytes: &[u8], row: &mut [bool], next: &[bool]) {
    for at in (0..bytes.len()).rev() {
        row[at] = bytes[at].is_ascii_digit() && (next[at + 1] || row[at + 1]);
    }
}

fn fill_float(bytes: &[u8], row: &mut [bool], next: &[bool]) {
    let mut fractions = vec![false; row.len()];
    fill_digits(bytes, &mut fractions, next);
    for at in (0..bytes.len()).rev() {
        let point = bytes.get(at + 1) == Some(&b'.') && fractions[at + 2];
        row[at] = bytes[at].is_ascii_digit() && (next[at + 1] || row[at + 1] || point);
    }
}

/// How far `part` goes from `at`: as far as the next part can go on from.
fn reach(part: &Part, text: &str, at: usize, next: &[bool]) -> usize {
    let digits =
        |from: usize| from + text.as_bytes()[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let furthest = |from: usize, to: usize| (from..=to).rev().find(|&end| next[end]);
    match part {
        Part::Literal(literal) => at + literal.len(),
        Part::Param(Converter::Uuid) => at + UUID,
        Part::Param(Converter::Int) => furthest(at + 1, digits(at)).unwrap_or(at),
        Part::Param(Converter::Float) => {
            let whole = digits(at);
            let point = text.as_bytes().get(whole) == Some(&b'.');
            let fraction = if point { furthest(whole + 2, digits(whole + 1)) } else { None };
            fraction.or_else(|| furthest(at + 1, whole)).unwrap_or(at)
        }
        Part::Param(_) => furthest(at + 1, text.len()).unwrap_or(at),
    }
}
