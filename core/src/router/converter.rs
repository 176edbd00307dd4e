//! What a parameter takes, and whether a text is that.

use std::fmt;
use std::sync::Arc;

use super::regex::Inline;

/// What a parameter takes. The order is that of specificity: what is less takes precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Converter {
    /// 8-4-4-4-12 hexadecimal digits.
    Uuid,
    /// `1*DIGIT` whose value fits a `u64`.
    Int,
    /// `1*DIGIT [ "." 1*DIGIT ]` whose value is finite as an `f64`.
    Float,
    /// What a regular expression matches as a whole.
    Regex(Arc<Inline>),
    /// A segment that is not empty.
    Str,
    /// Everything that is left, which may be nothing.
    Path,
}

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// How long a UUID is.
pub(super) const UUID: usize = 36;

impl Converter {
    /// The converter of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "uuid" => Some(Self::Uuid),
            "int" => Some(Self::Int),
            "float" => Some(Self::Float),
            "str" => Some(Self::Str),
            "path" => Some(Self::Path),
            _ => None,
        }
    }

    /// Whether it takes less than any text.
    pub(super) fn is_typed(&self) -> bool {
        !matches!(self, Self::Str | Self::Path)
    }

    /// Whether the whole of `text`, which is decoded, is a value.
    #[inline]
    pub(super) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Str => !text.is_empty(),
            Self::Path => true,
            Self::Regex(regex) => regex.takes(text),
            Self::Uuid => is_uuid(text.as_bytes()),
            Self::Int => is_int(text.as_bytes()),
            Self::Float => is_float(text),
        }
    }
}

impl fmt::Display for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uuid => "uuid",
            Self::Int => "int",
            Self::Float => "float",
            Self::Regex(regex) => regex.text(),
            Self::Str => "str",
            Self::Path => "path",
        })
    }
}

fn is_int(text: &[u8]) -> bool {
    // So many digits always fit; a number is seldom longer.
    const SAFE: usize = u64::MAX.ilog10() as usize;
    !text.is_empty() && text.iter().all(u8::is_ascii_digit) && (text.len() <= SAFE || fits(text))
}

/// Whether the value of these digits fits a `u64`.
fn fits(digits: &[u8]) -> bool {
    let add = |value: u64, digit: &u8| value.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    digits.iter().try_fold(0, add).is_some()
}

pub(super) fn is_uuid(text: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match HYPHENS.contains(&at) {
        true => *byte == b'-',
        false => byte.is_ascii_hexdigit(),
    };
    text.len() == UUID && text.iter().enumerate().all(fits)
}

fn is_float(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let written = match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    };
    written && text.parse::<f64>().is_ok_and(f64::is_finite)
}
