//! What the clients of one server tell, each of itself.
//!
//! The rule: a client writes down what it saw; whether that may be is judged elsewhere.

use std::fmt;
use std::ops::AddAssign;

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
    /// Connections on which something went wrong that is nobody's bug.
    pub faulty: u64,
    /// Steps of all machines.
    pub steps: u64,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.clients += other.clients;
        self.asked += other.asked;
        self.answered += other.answered;
        self.refused += other.refused;
        self.broken += other.broken;
        self.faulty += other.faulty;
        self.steps += other.steps;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, asked, answered, refused, broken, faulty, steps } = self;
        write!(
            f,
            "{clients} clients, {faulty} of them in trouble, made {asked} requests: {answered} answered, \
             {refused} refused, {broken} broken off; {steps} steps"
        )
    }
}

/// One client's account.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    pub(super) asked: u64,
    pub(super) answered: u64,
    pub(super) refused: u64,
    /// The client does nothing for which a server could break off.
    pub(super) polite: bool,
    /// The client waited so long without a sign of life that the server must have left first.
    pub(super) outlasts: bool,
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
        }
        summary.broken = summary.asked - summary.answered - summary.refused;
        summary
    }
}
