//! A client's end and a server's, and the two links between them.
//!
//! The rule: what one end does the other learns only through a link.

use bakestone::machine::{Moment, Now};

use super::end::{Desk, End};
use super::link::Link;
use crate::transcript::Transcript;
use crate::wire::Breach;

/// What went wrong on a connection that is nobody's bug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// The network reset it.
    pub reset: bool,
    /// A piece was held up.
    pub stalled: bool,
    /// One of its effects failed, or was dropped unanswered.
    pub disk: bool,
    /// The server began to drain while it was open.
    pub drained: bool,
    /// The server was not there, or no longer.
    pub refused: bool,
}

impl Faults {
    /// The server began to drain, and nothing else went wrong.
    pub(crate) const DRAINED: Self =
        Self { reset: false, stalled: false, disk: false, drained: true, refused: false };

    /// Whether anything went wrong.
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// One connection.
pub(super) struct Connection {
    pub(super) client: End,
    pub(super) server: End,
    /// From the client to the server, and back.
    up: Link,
    down: Link,
    pub(super) faults: Faults,
    pub(super) server_was_first: bool,
    /// For when it is next to be looked at.
    pub(super) armed_at: Option<Moment>,
}

impl Connection {
    pub(super) fn new(client: End, server: End, [up, down]: [Link; 2]) -> Self {
        Self { client, server, up, down, faults: Faults::default(), server_was_first: false, armed_at: None }
    }

    pub(super) fn is_over(&self) -> bool {
        self.client.is_over() && self.server.is_over()
    }

    /// Lets both ends move until nothing moves at this moment. `desks` are the client's and the server's.
    pub(super) fn turn(
        &mut self,
        now: Now,
        [client, server]: [&mut Desk; 2],
        log: Option<&mut Transcript>,
    ) -> Result<(), Breach> {
        let mut log = log;
        loop {
            self.pass_resets(now.mono);
            let links = (&mut self.down, &mut self.up);
            let asked = self
                .client
                .turn(now, links, client, None)
                .map_err(|breach| Breach { what: format!("the client: {}", breach.what), ..breach })?;
            let links = (&mut self.up, &mut self.down);
            let answered = self.server.turn(now, links, server, log.as_deref_mut())?;
            self.server_was_first |= self.server.is_over() && !self.client.is_over();
            // A link that is broken, or read no more, answers by a reset, which takes its time.
            self.pass_resets(now.mono);
            if !asked.moved && !answered.moved {
                return Ok(());
            }
        }
    }

    /// What a network does by itself: it resets both ends, and answers by a reset what comes for a closed one.
    fn pass_resets(&mut self, now: Moment) {
        if (self.up.broken || self.down.broken) && !self.faults.reset {
            self.faults.reset = true;
            self.up.reset(now);
            self.down.reset(now);
        }
        if self.up.discard(now) {
            self.down.reset(now);
        }
        if self.down.discard(now) {
            self.up.reset(now);
        }
        self.faults.stalled |= self.up.stalled || self.down.stalled;
    }

    /// When something happens next, if nothing wakes.
    pub(super) fn next_at(&self, now: Moment) -> Option<Moment> {
        let deadlines = self.client.wake_at().into_iter().chain(self.server.wake_at());
        deadlines.chain(self.up.next_at(now)).chain(self.down.next_at(now)).min()
    }
}
