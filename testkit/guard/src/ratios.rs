//! The numbers that are committed, and what is said of one that differs.
//!
//! The rule: a ratio that grew by more than [`MARGIN`] is an error; one that fell by as much is news, and no error.
//!
//! ```text
//! file    = *( line LF )
//! line    = "" / "#" text / name 1*SP ratio
//! ```

use std::collections::BTreeMap;
use std::fmt;

/// By what share of the committed ratio the measured one may differ.
pub(crate) const MARGIN: f64 = 0.03;

const HEAD: &str = "\
# Instructions of Bakestone for a turn, by those of the pinned peer. Written by `cargo run --release -- write`.
";

/// The line that makes no sense, counted from one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLine(usize);

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is not the name of a scenario and its ratio", self.0)
    }
}

/// The file's ratios by the names of their scenarios.
///
/// # Errors
///
/// [`BadLine`]: the first that is neither a comment nor a name with a ratio above zero.
pub(crate) fn parse(file: &str) -> Result<BTreeMap<&str, f64>, BadLine> {
    let lines = file.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(at, line)| entry(line).ok_or(BadLine(at + 1))).collect()
}

fn entry(line: &str) -> Option<(&str, f64)> {
    let (name, ratio) = line.split_once(' ')?;
    let ratio = ratio.trim().parse().ok().filter(|ratio: &f64| ratio.is_finite() && *ratio > 0.0)?;
    Some((name, ratio))
}

/// The file with these ratios.
pub(crate) fn render(ratios: &[(&str, f64)]) -> String {
    let lines = ratios.iter().map(|(name, ratio)| format!("{name:<10} {ratio:.3}\n"));
    std::iter::once(HEAD.to_owned()).chain(lines).collect()
}

/// What is said of a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It stands in no file.
    Unknown,
    /// It is what it was, within the margin.
    Same,
    /// It fell: the committed one is to be lowered.
    Cheaper,
    /// It grew.
    Dearer,
}

impl Verdict {
    /// Compares a measured ratio with the committed one.
    pub(crate) fn new(measured: f64, committed: Option<f64>) -> Self {
        match committed {
            None => Self::Unknown,
            Some(committed) if measured > committed * (1.0 + MARGIN) => Self::Dearer,
            Some(committed) if measured < committed * (1.0 - MARGIN) => Self::Cheaper,
            Some(_) => Self::Same,
        }
    }

    /// Whether the check fails.
    pub(crate) fn fails(self) -> bool {
        matches!(self, Self::Unknown | Self::Dearer)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "has no committed ratio: write it",
            Self::Same => "as committed",
            Self::Cheaper => "cheaper: write the lower ratio",
            Self::Dearer => "DEARER",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let file = render(&[("plaintext", 0.5126), ("websocket", 12.0)]);
        let expected = BTreeMap::from([("plaintext", 0.513), ("websocket", 12.0)]);
        assert_eq!(parse(&file), Ok(expected));
    }

    #[test]
    fn bad_lines_are_told() {
        let table =
            [("plaintext", 1), ("# so\n\nplaintext x", 3), ("a 1\nb 0", 2), ("a NaN", 1), ("a -1", 1)];
        for (file, line) in table {
            assert_eq!(parse(file), Err(BadLine(line)), "{file}");
        }
    }

    #[test]
    fn three_in_a_hundred_make_the_difference() {
        let table = [
            (1.0, None, Verdict::Unknown, true),
            (0.515, Some(0.5), Verdict::Same, false),
            (0.516, Some(0.5), Verdict::Dearer, true),
            (0.485, Some(0.5), Verdict::Same, false),
            (0.484, Some(0.5), Verdict::Cheaper, false),
        ];
        for (measured, committed, verdict, fails) in table {
            let told = Verdict::new(measured, committed);
            assert_eq!((told, told.fails()), (verdict, fails), "{measured} of {committed:?}");
        }
    }
}
