//! A machine small enough to be seen to be right: it answers each line with the line in capitals.

use std::task::Context;
use std::time::Duration;

use bakestone::machine::{Io, Machine, Moment, Now, Peer, Phase, Read, Wants};

const LONGEST_LINE: usize = 64;
const IDLE_TIME: Duration = Duration::from_secs(10);
const LINGER_TIME: Duration = Duration::from_secs(5);

/// A line of `quit` ends the connection, and so does one that is too long; ten idle seconds end it too.
///
/// ```text
/// Open -> Lingering (quit, FIN, drain, idle, a long line) -> Done (the peer has finished, or 5 s)
///                                                         -> Abort (5 s, and output left) -> Done
/// ```
#[derive(Debug)]
pub(crate) struct Shout {
    /// Bytes of input for one step.
    quantum: usize,
    /// Output that waits before reading stops.
    mark: u64,
    deadline: Option<Moment>,
    phase: Phase,
}

impl Default for Shout {
    fn default() -> Self {
        Self::with(8 << 10, 16 << 10)
    }
}

impl Machine for Shout {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        let deadline = *self.deadline.get_or_insert(now.mono + IDLE_TIME);
        let mut unfinished = false;
        if self.phase == Phase::Open {
            match now.mono >= deadline {
                true => self.end(now),
                false => unfinished = self.answer_lines(now, io),
            }
        }
        if self.phase == Phase::Lingering {
            self.linger(now, io);
        }
        if io.peer == Peer::Gone || self.phase == Phase::Done {
            self.phase = Phase::Done;
            return Wants::DONE;
        }
        if unfinished {
            cx.waker().wake_by_ref();
        }
        let paused = unfinished || io.peer != Peer::Open || io.output.len() >= self.mark;
        let read = if paused { Read::Pause } else { Read::Need };
        Wants { read, wake_at: self.deadline.filter(|_| self.phase != Phase::Abort), phase: self.phase }
    }
}

impl Shout {
    /// With bytes of input for one step, and output that waits before reading stops.
    pub(crate) fn with(quantum: usize, mark: u64) -> Self {
        Self { quantum, mark, deadline: None, phase: Phase::Open }
    }

    /// Whether there is more to do than one step may.
    fn answer_lines(&mut self, now: Now, io: &mut Io) -> bool {
        let mut taken = 0;
        while io.output.len() < self.mark {
            if taken >= self.quantum {
                return true;
            }
            let reach = io.input.len().min(LONGEST_LINE);
            let Some(end) = io.input[..reach].iter().position(|byte| *byte == b'\n') else {
                if reach == LONGEST_LINE {
                    io.output.extend_from_slice(b"too long\n");
                    self.end(now);
                } else if io.peer == Peer::Finished || io.drain {
                    self.end(now);
                }
                return false;
            };
            let line = io.input.split_to(end + 1);
            taken += line.len();
            self.deadline = Some(now.mono + IDLE_TIME);
            if line.trim_ascii() == b"quit" {
                io.output.extend_from_slice(b"bye\n");
                self.end(now);
                return false;
            }
            io.output.extend_from_slice(&line.to_ascii_uppercase());
        }
        false
    }

    fn end(&mut self, now: Now) {
        self.phase = Phase::Lingering;
        self.deadline = Some(now.mono + LINGER_TIME);
    }

    fn linger(&mut self, now: Now, io: &mut Io) {
        io.input.clear();
        let expired = self.deadline.is_some_and(|at| now.mono >= at);
        self.phase = match io.output.is_empty() {
            true if expired || io.peer != Peer::Open => Phase::Done,
            false if expired => Phase::Abort,
            _ => Phase::Lingering,
        };
    }
}
