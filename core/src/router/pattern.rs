//! The pattern of a route.
//!
//! ```text
//! pattern   = 1*( "/" segment )
//! segment   = static / parameter
//! static    = *( any character but "/" and braces )     ; compared with the decoded segment
//! parameter = "{" name [ ":" converter ] "}"            ; takes a whole segment
//! name      = ( ALPHA / "_" ) *( ALPHA / DIGIT / "_" )
//! converter = "int" / "str" / "path"                    ; "path" takes all that is left
//! ```

use std::sync::Arc;

use super::error::Problem;

/// What a parameter takes. The order is that of specificity: what is less takes precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Converter {
    /// `1*DIGIT` whose value fits a `u64`.
    Int,
    /// A segment that is not empty.
    Str,
    /// Everything that is left, which may be nothing.
    Path,
}

impl Converter {
    fn named(name: &str) -> Option<Self> {
        match name {
            "int" => Some(Self::Int),
            "str" => Some(Self::Str),
            "path" => Some(Self::Path),
            _ => None,
        }
    }

    /// Whether a whole segment of these decoded bytes is a value.
    pub(super) fn accepts(self, mut segment: impl Iterator<Item = u8>) -> bool {
        match self {
            Self::Int => is_int(segment),
            Self::Str => segment.next().is_some(),
            Self::Path => true,
        }
    }
}

fn is_int(segment: impl Iterator<Item = u8>) -> bool {
    let mut value = None;
    for byte in segment {
        if !byte.is_ascii_digit() {
            return false;
        }
        let so_far = value.unwrap_or(0_u64).checked_mul(10);
        value = so_far.and_then(|so_far| so_far.checked_add(u64::from(byte - b'0')));
        if value.is_none() {
            return false;
        }
    }
    value.is_some()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Static(Box<str>),
    Param(Converter),
}

/// A parameter's name, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Param {
    pub(crate) name: Box<str>,
    pub(crate) converter: Converter,
}

#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(super) segments: Vec<Segment>,
    pub(crate) params: Arc<[Param]>,
}

impl Pattern {
    /// # Errors
    ///
    /// Everything that is wrong with `text`.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let Some(path) = text.strip_prefix('/') else { return Err(vec![Problem::NoLeadingSlash]) };
        let Some(parts) = split(path) else { return Err(vec![Problem::Braces]) };
        let (mut segments, mut params, mut problems) = (Vec::new(), Vec::<Param>::new(), Vec::new());
        for (index, part) in parts.iter().enumerate() {
            match parameter(part) {
                Ok(None) => segments.push(Segment::Static((*part).into())),
                Ok(Some(param)) => {
                    if param.converter == Converter::Path && index + 1 < parts.len() {
                        problems.push(Problem::PathNotLast(param.name.to_string()));
                    }
                    if params.iter().any(|earlier| earlier.name == param.name) {
                        problems.push(Problem::SameName(param.name.to_string()));
                    }
                    segments.push(Segment::Param(param.converter));
                    params.push(param);
                }
                Err(problem) => problems.push(problem),
            }
        }
        match problems.is_empty() {
            true => Ok(Self { segments, params: params.into() }),
            false => Err(problems),
        }
    }
}

/// The segments, cut at each `/` outside of braces; `None` if the braces do not match.
fn split(path: &str) -> Option<Vec<&str>> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            b'/' if depth == 0 => {
                parts.push(path.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(path.get(start..)?);
    (depth == 0).then_some(parts)
}

/// The parameter that a segment is; `None` if it is static. Its braces match.
fn parameter(segment: &str) -> Result<Option<Param>, Problem> {
    if !segment.contains('{') {
        return Ok(None);
    }
    let inner = segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
    // The braces of `{a}-{b}` match, but the first is not closed by the last.
    let Some(inner) = inner.filter(|inner| split(inner).is_some()) else {
        return Err(Problem::PartOfSegment(segment.to_owned()));
    };
    let (name, converter) = match inner.split_once(':') {
        Some((name, converter)) => (name.trim(), converter.trim()),
        None => (inner.trim(), "str"),
    };
    if !is_name(name) {
        return Err(Problem::Name(name.to_owned()));
    }
    let converter =
        Converter::named(converter).ok_or_else(|| Problem::UnknownConverter(converter.to_owned()))?;
    Ok(Some(Param { name: name.into(), converter }))
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
