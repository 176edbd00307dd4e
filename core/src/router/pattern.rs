//! The pattern of a route.
//!
//! ```text
//! pattern   = 1*( "/" segment )
//! segment   = *( literal / parameter )                  ; compared with the decoded segment
//! literal   = any character but "/" and braces
//! parameter = "{" name [ ":" converter ] "}"
//! name      = ( ALPHA / "_" ) *( ALPHA / DIGIT / "_" )
//! converter = "uuid" / "int" / "float" / "str" / "path" / regex
//! regex     = text with a character of regular expressions; its braces match, or have a "\" before them
//! ```
//!
//! A brace is never a literal: what looks like a parameter and is none is a mistake, and not a text.

use std::fmt;
use std::sync::Arc;

use super::converter::Converter;
use super::error::Problem;
use super::mixed::{Mixed, Part};
use super::params::{Spans, place};
use super::percent;
use super::regex::{Inline, Whole};

/// How many segments a pattern may have: a look-up recurses as deep.
pub(super) const MOST_SEGMENTS: usize = 256;

/// What a segment of a path is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Static(Box<str>),
    Param(Dynamic),
}

/// A segment with parameters. The order is that of specificity: what is less takes precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dynamic {
    Mixed(Arc<Mixed>),
    Whole(Converter),
}

impl Dynamic {
    /// Compares it with a segment, which is `raw` in the path, from `from` on, and reads `segment` decoded; and
    /// appends the spans of its parameters.
    #[inline]
    pub(super) fn find(&self, segment: &str, raw: &str, from: usize, spans: &mut Spans) -> bool {
        match self {
            Self::Mixed(mixed) => find_mixed(mixed, segment, raw, from, spans),
            Self::Whole(converter) => {
                let accepted = converter.accepts(segment);
                if accepted {
                    spans.push((place(from), place(from + raw.len())));
                }
                accepted
            }
        }
    }
}

fn find_mixed(mixed: &Mixed, segment: &str, raw: &str, from: usize, spans: &mut Spans) -> bool {
    let mut parts = Spans::default();
    if !mixed.find(segment, &mut parts) {
        return false;
    }
    let raw_place = |at: u32| match segment.len() == raw.len() {
        true => place(from).saturating_add(at),
        false => place(from + percent::raw_offset(raw, at as usize)),
    };
    parts.iter().for_each(|(start, end)| spans.push((raw_place(start), raw_place(end))));
    true
}

impl fmt::Display for Dynamic {
    /// The pattern's segment, without the parameters' names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mixed = match self {
            Self::Whole(converter) => return write!(f, "{{{converter}}}"),
            Self::Mixed(mixed) => mixed,
        };
        mixed.parts().iter().try_for_each(|part| match part {
            Part::Literal(text) => f.write_str(text),
            Part::Param(converter) => write!(f, "{{{converter}}}"),
        })
    }
}

/// Which paths a pattern takes.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Segments(Arc<[Segment]>),
    Regex(Arc<Whole>),
}

impl Default for Shape {
    fn default() -> Self {
        Self::Segments(Arc::default())
    }
}

/// A parameter's name, and what it takes; what a group of a whole expression takes, only that knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Param {
    pub(crate) name: Box<str>,
    pub(super) converter: Option<Converter>,
}

impl Param {
    /// Whether it takes less than any text.
    pub(super) fn is_typed(&self) -> bool {
        self.converter.as_ref().is_none_or(Converter::is_typed)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(super) shape: Shape,
    pub(crate) params: Arc<[Param]>,
}

impl Pattern {
    /// # Errors
    ///
    /// Everything that is wrong with `text`.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let Some(path) = text.strip_prefix('/') else { return Err(vec![Problem::NoLeadingSlash]) };
        let Some(texts) = split(path) else { return Err(vec![Problem::Braces]) };
        let mut parser = Parser::default();
        let last = texts.len() - 1;
        if last >= MOST_SEGMENTS {
            return Err(vec![Problem::TooManySegments(texts.len())]);
        }
        let segments: Vec<Segment> = texts
            .iter()
            .enumerate()
            .filter_map(|(index, text)| parser.segment(text, index == last))
            .collect();
        match parser.problems.is_empty() {
            true => Ok(Self { shape: Shape::Segments(segments.into()), params: parser.params.into() }),
            false => Err(parser.problems),
        }
    }

    /// Whether a path that also leads below `prefix` may be this one's: at the first segment in which the two differ,
    /// this one is the more specific.
    pub(crate) fn leads_into(&self, prefix: &Self) -> bool {
        let (Shape::Segments(own), Shape::Segments(wanted)) = (&self.shape, &prefix.shape) else {
            return false;
        };
        let mut own = own.iter();
        for wanted in wanted.iter() {
            match (own.next(), wanted) {
                (Some(own), wanted) if own == wanted => {}
                (Some(Segment::Static(_)), Segment::Param(_)) => return true,
                (Some(Segment::Param(own)), Segment::Param(wanted)) => return own < wanted,
                _ => return false,
            }
        }
        true
    }

    /// The pattern that is a whole expression.
    pub(super) fn whole(regex: Whole) -> Self {
        let names = regex.names().iter().cloned();
        let params = names.map(|name| Param { name, converter: None }).collect();
        Self { shape: Shape::Regex(Arc::new(regex)), params }
    }
}

#[derive(Default)]
struct Parser {
    params: Vec<Param>,
    problems: Vec<Problem>,
}

impl Parser {
    fn segment(&mut self, text: &str, last: bool) -> Option<Segment> {
        if !text.contains('{') {
            return Some(Segment::Static(text.into()));
        }
        let parts: Option<Vec<Part>> = pieces(text).into_iter().map(|piece| self.part(piece)).collect();
        let parts = parts?;
        if let [Part::Param(converter)] = &*parts {
            if *converter == Converter::Path && !last {
                let name = self.params.last().map(|param| param.name.to_string()).unwrap_or_default();
                self.problems.push(Problem::PathNotLast(name));
            }
            return Some(Segment::Param(Dynamic::Whole(converter.clone())));
        }
        if parts.contains(&Part::Param(Converter::Path)) {
            self.problems.push(Problem::PartOfSegment(text.to_owned()));
            return None;
        }
        match Mixed::new(parts) {
            Ok(mixed) => Some(Segment::Param(Dynamic::Mixed(Arc::new(mixed)))),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn part(&mut self, piece: &str) -> Option<Part> {
        let Some(inner) = piece.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) else {
            return Some(Part::Literal(piece.into()));
        };
        match parameter(inner) {
            Ok((name, converter)) => {
                if self.params.iter().any(|earlier| &*earlier.name == name) {
                    self.problems.push(Problem::SameName(name.to_owned()));
                }
                self.params.push(Param { name: name.into(), converter: Some(converter.clone()) });
                Some(Part::Param(converter))
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }
}

/// The segments, cut at each `/` outside of braces; `None` if the braces do not match.
fn split(path: &str) -> Option<Vec<&str>> {
    let (mut segments, mut start) = (Vec::new(), 0);
    let depth = scan(path, |at, byte, depth| {
        if byte == b'/' && depth == 0 {
            segments.extend(path.get(start..at));
            start = at + 1;
        }
    })?;
    segments.extend(path.get(start..));
    (depth == 0).then_some(segments)
}

/// The pieces of a segment whose braces match: parameters with their braces, and the texts between them.
fn pieces(segment: &str) -> Vec<&str> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let mut cut = |at: usize| {
        pieces.extend(segment.get(start..at).filter(|piece| !piece.is_empty()));
        start = at;
    };
    let _ = scan(segment, |at, byte, depth| match (byte, depth) {
        (b'{', 1) => cut(at),
        (b'}', 0) => cut(at + 1),
        _ => {}
    });
    cut(segment.len());
    pieces
}

/// Shows each byte, with how many braces are open after it, but for what is escaped in braces; the braces that
/// are open at the end, or `None` if one closes that was not opened.
fn scan(text: &str, mut show: impl FnMut(usize, u8, usize)) -> Option<usize> {
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            b'\\' if depth > 0 => escaped = true,
            _ => {}
        }
        show(at, byte, depth);
    }
    Some(depth)
}

/// The name and the converter of what stands between the braces of a parameter.
fn parameter(inner: &str) -> Result<(&str, Converter), Problem> {
    let (name, converter) = match inner.split_once(':') {
        Some((name, converter)) => (name.trim(), converter.trim()),
        None => (inner.trim(), "str"),
    };
    if !is_name(name) {
        return Err(Problem::Name(name.to_owned()));
    }
    if let Some(converter) = Converter::named(converter) {
        return Ok((name, converter));
    }
    // Text without any such character is a name that is misspelt, and would be a poor expression.
    if !converter.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$']) {
        return Err(Problem::UnknownConverter(converter.to_owned()));
    }
    Inline::new(converter).map(|regex| (name, Converter::Regex(Arc::new(regex))))
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
