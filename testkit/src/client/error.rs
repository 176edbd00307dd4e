//! Why there is no response, or no more of one.
//!
//! The rule: whatever fails says what all machines wait for, and what went over the wire.

use std::fmt;
use std::time::Duration;

use bakestone::h1::{Misuse, Refusal};

/// Why there is no response, or no more of one. As text it tells all that is known, and so it does where a test unwraps it.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientError {
    /// What happened.
    pub cause: Cause,
    /// The request that it happened to, and when.
    pub(super) place: String,
    /// What everything waits for, and what went over the wire.
    pub(super) report: String,
}

/// What kept a client from its response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing moves any more, and there is no deadline to wait for.
    Deadlock,
    /// Nothing moves any more, and the clock is held.
    ClockHeld,
    /// So much time of the clock has passed.
    TimedOut(Duration),
    /// So many deadlines have passed within the time-out, and none of them brought anything.
    Restless(usize),
    /// The server closed the connection, and has not answered.
    Closed,
    /// The server closed the connection in the middle of the response.
    Cut,
    /// The server reset the connection.
    Reset,
    /// So much has come, and no end of it: nobody can have all of it at once.
    Endless(usize),
    /// The client itself hung up.
    HungUp,
    /// The server broke HTTP.
    Malformed(Refusal),
    /// The request cannot be sent.
    Misused(Misuse),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadlock => f.write_str("nothing moves any more, and there is no deadline to wait for"),
            Self::ClockHeld => f.write_str("nothing moves any more while the clock is held"),
            Self::TimedOut(time) => write!(f, "nothing came within {time:?}"),
            Self::Restless(deadlines) => write!(f, "nothing came with {deadlines} deadlines"),
            Self::Closed => f.write_str("the server closed the connection without an answer"),
            Self::Cut => f.write_str("the server closed the connection in the middle of the response"),
            Self::Reset => f.write_str("the server reset the connection"),
            Self::Endless(bytes) => write!(f, "after {bytes} bytes the response has no end"),
            Self::HungUp => f.write_str("the client has hung up"),
            Self::Malformed(refusal) => write!(f, "the server broke HTTP: {refusal}"),
            Self::Misused(misuse) => write!(f, "the request cannot be sent: {misuse}"),
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n{}", self.place, self.cause, self.report)
    }
}

impl fmt::Debug for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ClientError {}
