//! What a test expects of a wire; whatever fails prints the transcript.

use std::time::Duration;

use bakestone::machine::{Machine, Phase};

use super::Wire;
use crate::transcript::escape;

impl<M: Machine> Wire<M> {
    /// The output that waits is exactly this; it is taken.
    #[track_caller]
    pub fn expect(&mut self, expected: impl AsRef<[u8]>) -> &mut Self {
        let (got, expected) = (self.take(), expected.as_ref());
        assert!(
            got == expected,
            "expected exactly\n{}\n-- but got\n{}\n-- the transcript\n{}",
            escape(expected),
            escape(&got),
            self.transcript
        );
        self
    }

    /// The output that waits begins with this; all of it is taken.
    #[track_caller]
    pub fn expect_start(&mut self, expected: impl AsRef<[u8]>) -> &mut Self {
        let (got, expected) = (self.take(), expected.as_ref());
        assert!(
            got.starts_with(expected),
            "expected first\n{}\n-- but got\n{}\n-- the transcript\n{}",
            escape(expected),
            escape(&got),
            self.transcript
        );
        self
    }

    /// No output waits.
    #[track_caller]
    pub fn expect_silence(&mut self) -> &mut Self {
        self.settle();
        self.require(self.waiting() == 0, "no output")
    }

    /// The connection is over: closed, or reset from this end.
    #[track_caller]
    pub fn expect_closed(&mut self) -> &mut Self {
        self.settle();
        self.require(self.is_done() || self.reset_sent, "the connection closed")
    }

    /// Both directions are in use.
    #[track_caller]
    pub fn expect_open(&mut self) -> &mut Self {
        self.settle();
        self.require(self.phase() == Phase::Open, "the connection open")
    }

    /// A FIN was sent, and the connection is not over.
    #[track_caller]
    pub fn expect_lingering(&mut self) -> &mut Self {
        self.settle();
        self.require(self.phase() == Phase::Lingering && self.fin_sent, "a FIN and an open reading side")
    }

    /// The connection was reset from this end: the peer sees that its message was cut.
    #[track_caller]
    pub fn expect_reset(&mut self) -> &mut Self {
        self.settle();
        self.require(self.reset_sent, "a reset")
    }

    /// The next deadline is just so far away.
    #[track_caller]
    pub fn expect_deadline_in(&mut self, time: Duration) -> &mut Self {
        self.settle();
        let left = self.time_to_deadline();
        self.require(left == Some(time), &format!("a deadline in {time:?}, not in {left:?}"))
    }

    #[track_caller]
    fn require(&mut self, holds: bool, what: &str) -> &mut Self {
        assert!(holds, "expected {what}, but it is\n{}", self.transcript);
        self
    }
}
