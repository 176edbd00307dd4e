//! What a simulation found.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::laws::Law;
use crate::tape;

/// What was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Each request is answered once and in order, by its own answer, or the connection is seen to break.
    Answered,
    /// A server that drains is over in time.
    Drained,
    /// What is over leaves nothing behind: no task, no file, no memory.
    Finished,
    /// One of the laws of every machine, as far as it is seen from outside.
    Law(Law),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("each request is answered once and in order"),
            Self::Drained => f.write_str("a drain ends in time"),
            Self::Finished => f.write_str("nothing is left running"),
            Self::Law(law) => write!(f, "law {law}"),
        }
    }
}

/// A rule that was seen broken, with all that it takes to see it again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// What was seen.
    pub what: String,
    /// The seed of the simulation.
    pub seed: u64,
    /// In which of its minutes, from 0 on: each is the life of a server.
    pub minute: u64,
    /// On whose connection, if on one: clients are counted within the minute.
    pub client: Option<usize>,
    /// When, from the start of that server's life.
    pub at: Duration,
    /// That connection, as its server saw it.
    pub transcript: String,
    /// The same as a [tape](crate::tape), with which [`Simulation::application`](super::Simulation::application) shows it
    /// again. Empty for what is not seen while a tape is written, such as some wakes that are lost.
    pub tape: String,
    /// Where that is kept: in the folder that the environment names by `BAKESTONE_TAPES`, else in `tapes` of the
    /// target folder of the test that runs.
    pub kept: Option<PathBuf>,
}

impl Finding {
    /// The same with the tape of its connection, which is kept.
    pub(super) fn taped(mut self, tape: String) -> Self {
        let folder = tape::folder().or_else(target_folder).filter(|_| !tape.is_empty());
        self.kept = folder.and_then(|folder| tape::keep(&folder, &format!("simulated-{}", self.seed), &tape));
        self.tape = tape;
        self
    }
}

/// `target/tapes`, if the program that runs lies below the folder of a build.
fn target_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    // Cargo marks its target folder by this file.
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists())?;
    Some(target.join("tapes"))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, what, seed, minute, client, at, transcript, kept, .. } = self;
        writeln!(f, "broken: {rule}: {what}")?;
        write!(f, "-- NET_SEED={seed}, minute {minute}, {at:?} after its start")?;
        if let Some(client) = client {
            write!(f, ", client {client}")?;
        }
        if let Some(kept) = kept {
            write!(f, "\n-- tape::replay({kept:?}, simulation.application()) shows it again")?;
        }
        writeln!(f, "\n{transcript}")
    }
}

impl std::error::Error for Finding {}
