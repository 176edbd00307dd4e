//! A connection as a text that a person reads, cuts down, and has replayed.
//!
//! The rule: a tape holds all that a machine was told, step by step, and all that it said, so that whoever tells
//! another one the same may expect the same; and what is to be hidden never reaches it.
//!
//! A [`Recorder`] around any machine writes one, in a test and in production ([`Recording`]); [`Tape::parse`] reads it;
//! `bakestone_testkit::tape` replays it.
//!
//! ```text
//! tape 1                                  the version of the format
//! wall 1704067200s                        the wall clock at the first step, since the Unix epoch
//! mono 1000s                              the monotonic clock at the first step
//! peer 127.0.0.1:4000                     the connection; `local`, `secure`, `alpn` and `seed` if they are known
//! limit idle_time 5s                      each limit that is not the default one, and `lenient` with a switch's name
//! redact authorization cookie             the fields whose values were hidden; `hide bodies`
//!
//! @ 12.5ms                                a step, so long after the first one; what comes before it:
//! > GET / HTTP/1.1\r\n                      bytes from the peer,
//!   Host: a\r\n                             which go on in lines that begin with two spaces;
//!   \r\n
//! ! fin                                     `fin`, `gone`, `drain`, or `waits 500`: so many bytes of output had not been taken;
//! + 1 data hello                            the answer to effect 1;
//! ~ wake                                    a wake that came from elsewhere than those;
//! < HTTP/1.1 200 OK\r\n                   and what came of it: bytes for the peer,
//! ? 1 read 64 bytes at 0 of file 1          an effect, with its number,
//! = done                                    another phase: `open`, `lingering`, `abort`, `done`.
//! # end                                   the end: `# end`, or `# cut: ..` where recording stopped. Other `#` are remarks.
//! ```
//!
//! Bytes are printable ASCII as it is; `\r`, `\n`, `\t`, `\\`, and `\x00` for all else. A time is a number with its
//! unit (`s`, `ms`, `us`, `ns`). Where the wall clock was set while the connection ran, a step says so:
//! `@ 5s, wall 1704067300s`. A line without its end, as a crash leaves it, is passed over, unless it is `# end`.
//!
//! | answer | to |
//! |---|---|
//! | `opened 1, 500 bytes, modified 3s` | opening: the file's number, what is known of it |
//! | `opened 1 as 2, 500 bytes` | opening the first of several: which |
//! | `metadata 500 bytes`, `metadata directory` | a question about a path |
//! | `data ..`, `done` | reading; writing and all else |
//! | `failed NotFound: ..` | any of these |
//! | `ran` | a blocking job |
//! | `unanswered` | an effect that the driver dropped |

mod bodies;
mod effects;
mod fields;
mod limits;
mod line;
mod parse;
mod recorder;
mod recording;
mod redact;
mod sink;
mod text;
mod writer;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::limits::Limits;
use crate::machine::{ConnectionInfo, Moment};

pub use effects::describe;
pub use line::{Answer, Line};
pub use parse::ParseError;
pub use recorder::Recorder;
pub use recording::Recording;
pub use redact::Redaction;
pub use sink::{Log, Sink, SinkError, Tapes, Track};
pub use text::{escape, time};

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// A tape, read.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Tape {
    /// What was known before the first step.
    pub head: Head,
    /// The steps that mattered, in order.
    pub steps: Vec<Step>,
    /// How the tape ends.
    pub end: End,
}

/// What was known before the first step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Head {
    /// The wall clock at the first step, since the Unix epoch.
    pub wall: Duration,
    /// The monotonic clock at the first step.
    pub mono: Moment,
    /// What the driver knew of the connection.
    pub connection: ConnectionInfo,
    /// The limits of the machine, as far as whoever recorded it knew them.
    pub limits: Limits,
    /// What was hidden.
    pub redaction: Redaction,
}

/// One step of the machine: what had changed before it, and what came of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The line of the text on which it begins, from 1.
    pub line: usize,
    /// When, since the first step.
    pub at: Duration,
    /// What the wall clock had been set to, since the Unix epoch.
    pub wall: Option<Duration>,
    /// What happened, in order.
    pub lines: Vec<Line>,
}

/// How a tape ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// With the machine: nothing more came.
    Whole,
    /// With whatever was written last: a crash, or a person who has cut it.
    #[default]
    Open,
    /// Recording stopped, for this reason.
    Cut(String),
}

impl Default for Head {
    fn default() -> Self {
        let (connection, limits) = Default::default();
        let redaction = Redaction::nothing();
        Self { wall: Duration::ZERO, mono: Moment::ZERO, connection, limits, redaction }
    }
}
