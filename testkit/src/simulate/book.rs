//! What the clients of one server tell, each of itself.
//!
//! The rule: a client writes down what it saw; whether that may be is judged elsewhere.

use std::fmt;
use std::ops::AddAssign;

use bakestone::machine::Moment;

use super::talk::Count;
use crate::net::Faults;

/// What became of the requests of a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Clients that connected, or tried to.
    pub clients: u64,
    /// Requests that were begun, broken ones included.
    pub asked: u64,
    /// Those that were answered as they should be.
    pub answered: u64,
    /// Those that got an error in the place of that answer.
    pub refused: u64,
    /// Those whose connection was seen to break, or that the client itself gave up.
    pub broken: u64,
    /// Messages that were said on WebSockets.
    pub said: u64,
    /// Those that were heard again, as they were said.
    pub heard: u64,
    /// Connections on which something went wrong that is nobody's bug.
    pub faulty: u64,
    /// What that was: how many connections the network reset,
    pub reset: u64,
    /// and held up,
    pub stalled: u64,
    /// how many had an effect that failed or was not answered,
    pub disk: u64,
    /// how many were open when the server began to drain,
    pub drained: u64,
    /// and how many found nobody.
    pub unserved: u64,
    /// Steps of all machines.
    pub steps: u64,
}

impl Summary {
    /// A connection is over, on which this went wrong.
    pub(super) fn count(&mut self, faults: Faults) {
        self.faulty += u64::from(faults.any());
        self.reset += u64::from(faults.reset);
        self.stalled += u64::from(faults.stalled);
        self.disk += u64::from(faults.disk);
        self.drained += u64::from(faults.drained);
        self.unserved += u64::from(faults.refused);
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.clients += other.clients;
        self.asked += other.asked;
        self.answered += other.answered;
        self.refused += other.refused;
        self.broken += other.broken;
        self.said += other.said;
        self.heard += other.heard;
        self.faulty += other.faulty;
        self.reset += other.reset;
        self.stalled += other.stalled;
        self.disk += other.disk;
        self.drained += other.drained;
        self.unserved += other.unserved;
        self.steps += other.steps;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, asked, answered, refused, broken, said, heard, faulty, steps, .. } = self;
        let Self { reset, stalled, disk, drained, unserved, .. } = self;
        write!(
            f,
            "{clients} clients, {faulty} of them in trouble ({reset} reset, {stalled} held up, {disk} by the disk, \
             {drained} drained, {unserved} unserved), made {asked} requests: {answered} answered, {refused} refused, \
             {broken} broken off; {heard} of {said} messages echoed; {steps} steps"
        )
    }
}

/// One client's account.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    pub(super) asked: u64,
    pub(super) answered: u64,
    pub(super) refused: u64,
    pub(super) talk: Count,
    /// The client does nothing for which a server could break off.
    pub(super) polite: bool,
    /// The client waited so long without a sign of life that the server must have left first.
    pub(super) outlasts: bool,
    pub(super) owed: Option<Owed>,
}

/// An answer that a server which drains has to give, since it had the whole request before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed {
    /// When the last of the request was sent, or the first of the answer came.
    pub(super) since: Moment,
    /// When the connection ended without the answer, or the rest of it.
    pub(super) until: Moment,
}

/// All accounts, and the first complaint.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) accounts: Vec<Account>,
    pub(super) complaint: Option<(usize, String)>,
}

impl Book {
    pub(super) fn complain(&mut self, client: usize, what: String) {
        self.complaint.get_or_insert((client, what));
    }

    pub(super) fn summary(&self) -> Summary {
        let mut summary = Summary { clients: self.accounts.len() as u64, ..Summary::default() };
        for account in &self.accounts {
            summary.asked += account.asked;
            summary.answered += account.answered;
            summary.refused += account.refused;
            summary.said += account.talk.said;
            summary.heard += account.talk.heard;
        }
        summary.broken = summary.asked - summary.answered - summary.refused;
        summary
    }
}
