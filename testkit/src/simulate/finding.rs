//! What a simulation found.

use std::fmt;
use std::time::Duration;

use crate::laws::Law;

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
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, what, seed, minute, client, at, transcript } = self;
        writeln!(f, "broken: {rule}: {what}")?;
        write!(f, "-- NET_SEED={seed}, minute {minute}, {at:?} after its start")?;
        match client {
            Some(client) => writeln!(f, ", client {client}\n{transcript}"),
            None => writeln!(f),
        }
    }
}

impl std::error::Error for Finding {}
