//! Counts the instructions of this very program, run under callgrind.
//!
//! The rule: what is told is a slope. A run of `n` turns is taken off one of `2n`, and with that goes whatever comes
//! before the first turn and after the last one.

use std::fmt;
use std::io;
use std::process::{Child, Command, Stdio};

use crate::scenarios::Scenario;
use crate::sides::Which;

/// Why nothing was counted.
#[derive(Debug)]
pub(crate) enum CountError {
    /// valgrind, or this program, cannot be started.
    Start(io::Error),
    /// The run failed, and said this.
    Run(String),
    /// The run went well, but said nothing of instructions.
    NoCount(String),
}

impl fmt::Display for CountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => {
                write!(f, "valgrind, which Debian has in a package of that name, does not start: {error}")
            }
            Self::Run(said) => write!(f, "a run failed:\n{said}"),
            Self::NoCount(said) => write!(f, "callgrind told no count:\n{said}"),
        }
    }
}

impl From<io::Error> for CountError {
    fn from(error: io::Error) -> Self {
        Self::Start(error)
    }
}

/// Instructions for a turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) ours: f64,
    pub(crate) peer: f64,
}

impl Counts {
    /// How much of the peer's work ours is.
    pub(crate) fn ratio(self) -> f64 {
        self.ours / self.peer
    }
}

/// Counts both sides of a scenario. Its four runs go on at once.
///
/// # Errors
///
/// [`CountError`], if one of them fails.
pub(crate) fn count(scenario: &Scenario) -> Result<Counts, CountError> {
    let mut runs = Vec::new();
    for which in [Which::Ours, Which::Peer] {
        for turns in [scenario.turns, 2 * scenario.turns] {
            runs.push(start(which, scenario.name, turns)?);
        }
    }
    let mut counts = runs.into_iter().map(finish).collect::<Result<Vec<f64>, _>>()?.into_iter();
    let mut slope = || {
        let (once, twice) = (counts.next().unwrap_or_default(), counts.next().unwrap_or_default());
        (twice - once) / f64::from(scenario.turns)
    };
    Ok(Counts { ours: slope(), peer: slope() })
}

fn start(which: Which, name: &str, turns: u32) -> io::Result<Child> {
    Command::new("valgrind")
        // The environment lies on the stack, and its length moves what lies above it.
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["run", &which.to_string(), name, &turns.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}

fn finish(run: Child) -> Result<f64, CountError> {
    let output = run.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(CountError::Run(said));
    }
    collected(&said).ok_or(CountError::NoCount(said))
}

/// The count in callgrind's last words: `==17== Collected : 241095`.
fn collected(said: &str) -> Option<f64> {
    let (_, count) = said.lines().find(|line| line.contains("Collected"))?.rsplit_once(':')?;
    count.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found() {
        let table = [
            ("==1== Events    : Ir\n==1== Collected : 241095\n==1== \n", Some(241_095.0)),
            ("==1== Collected : none\n", None),
            ("==1== killed\n", None),
        ];
        for (said, expected) in table {
            assert_eq!(collected(said), expected, "{said}");
        }
    }
}
