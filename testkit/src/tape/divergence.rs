//! Where a replay differs from its tape, in words.
//!
//! The rule: what is shown is enough to find the place in the tape and in the application, and no more.

use std::fmt;
use std::time::Duration;

use bakestone::tape::{escape, time};

/// How many bytes of output are shown, before the difference and from it on.
const BEFORE: usize = 40;
const SHOWN: usize = 60;

/// The first thing that a machine said otherwise than its tape.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Divergence {
    /// When, since the first step.
    pub at: Duration,
    /// The line of the tape on which the step begins.
    pub line: usize,
    /// What it was about.
    pub what: Difference,
    /// The line of the step before it, or of this one, that was made for a wake from elsewhere.
    pub woken_at: Option<usize>,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The bytes for the peer.
    Output {
        /// Of all the connection's output, the first byte that differs.
        offset: u64,
        /// The bytes before it, in this step.
        before: Vec<u8>,
        /// What the tape has from there on, in this step.
        expected: Vec<u8>,
        /// What the machine has from there on, in this step.
        got: Vec<u8>,
    },
    /// What was asked of the driver, or the phase; nothing is said by an empty text.
    Wish {
        /// What the tape says.
        expected: String,
        /// What the machine says.
        got: String,
    },
    /// The tape answers what the machine has not asked for.
    Unasked(u32),
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the replay differs at {} (the step on line {} of the tape)", time(self.at), self.line)?;
        match &self.what {
            Difference::Output { offset, before, expected, got } => {
                writeln!(f, ", at byte {offset} of the output:")?;
                if !before.is_empty() {
                    writeln!(f, "  after     {}", ending(before))?;
                }
                write!(f, "  expected  {}\n  got       {}", beginning(expected), beginning(got))
            }
            Difference::Wish { expected, got } => {
                let shown = |text: &str| if text.is_empty() { "nothing".into() } else { format!("`{text}`") };
                write!(f, ":\n  expected  {}\n  got       {}", shown(expected), shown(got))
            }
            Difference::Unasked(number) => {
                write!(f, ":\n  expected  effect {number}, which is answered here\n  got       nothing asked")
            }
        }?;
        match self.woken_at {
            Some(line) => write!(
                f,
                "\nThe step on line {line} was made for a wake from outside the toolkit, which a tape cannot repeat."
            ),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Divergence {}

fn beginning(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        _ if bytes.is_empty() => "nothing".into(),
        Some(shown) if bytes.len() > SHOWN => {
            format!("`{}`, and {} bytes more", line(shown), bytes.len() - SHOWN)
        }
        _ => format!("`{}`", line(bytes)),
    }
}

fn ending(bytes: &[u8]) -> String {
    match bytes.len().checked_sub(BEFORE) {
        None | Some(0) => format!("`{}`", line(bytes)),
        Some(left_out) => format!("{left_out} bytes and `{}`", line(&bytes[left_out..])),
    }
}

fn line(bytes: &[u8]) -> String {
    escape(bytes).replace('\n', "")
}
