//! The laws by number and name.

use std::fmt;

/// One of the nine laws of [`bakestone::machine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// Nothing changed and nothing woke: a second step writes nothing and wants the same.
    Idempotent = 1,
    /// Any cut of the input gives the same messages and the same fate of the connection.
    SplitInvariant,
    /// Deadlines lie in the future and move.
    Deadlines,
    /// One step does bounded work, then wakes itself, and then never says `Need`.
    Bounded,
    /// Quiet after `Done`, which is said only with the output empty; and nothing is written after a FIN.
    Quiet,
    /// No panic on any bytes.
    Total,
    /// A peer that never reads costs a bounded amount of memory.
    Backpressure,
    /// A machine may be dropped at any point; nothing of the connection runs on.
    Droppable,
    /// Stepping only for a cause gives the same as stepping always, even with another waker each time.
    LazyDriver,
}

impl Law {
    /// The law's number, as in the list of [`bakestone::machine`].
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The law's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idempotent => "idempotent",
            Self::SplitInvariant => "split-invariant",
            Self::Deadlines => "deadlines lie in the future and move",
            Self::Bounded => "one step is bounded",
            Self::Quiet => "quiet after Done",
            Self::Total => "total",
            Self::Backpressure => "backpressure",
            Self::Droppable => "droppable at any point",
            Self::LazyDriver => "the lazy driver",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number(), self.name())
    }
}
