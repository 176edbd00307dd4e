//! How a broken law is told.

use std::fmt;
use std::path::PathBuf;

use super::Law;
use crate::transcript::side_by_side;

/// A law that was seen broken, with all that it takes to see it again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// Which law.
    pub law: Law,
    /// What was seen.
    pub what: String,
    /// The script of the run, as text.
    pub script: String,
    /// The seed of all random choices.
    pub seed: u64,
    /// The transcripts of the runs, each with a title: of one, or of two that should be alike.
    pub transcripts: Vec<(String, String)>,
    /// Where the run was kept as a [tape](crate::tape::save), if it was.
    pub tape: Option<PathBuf>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "law {} is broken: {}", self.law, self.what)?;
        writeln!(f, "-- the script, seed {:#x}\n{}", self.seed, self.script)?;
        if let Some(tape) = &self.tape {
            writeln!(f, "-- the tape: {}", tape.display())?;
        }
        let titled = |(title, transcript): &(String, String)| format!("-- {title}\n{transcript}");
        match &self.transcripts[..] {
            [left, right] => writeln!(f, "{}", side_by_side(&titled(left), &titled(right))),
            transcripts => transcripts.iter().try_for_each(|one| writeln!(f, "{}", titled(one))),
        }
    }
}

impl std::error::Error for Violation {}
