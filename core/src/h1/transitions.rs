//! The states of an exchange, and every step between them.
//!
//! The rule: a step is a row of [`ROWS`] or it is illegal. Nothing else decides what may follow what; framing
//! and the wish to close are facts of their own, and no states.

use std::fmt;

/// The two messages of an exchange. Each end receives one and sends the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client's message.
    Request,
    /// The server's message.
    Response,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Response => "response",
        })
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Its head is still to come.
    Idle,
    /// Its head is over, its end is still to come. A message without content goes through here as well.
    Body,
    /// It is over.
    Done,
    /// Its direction belongs to another protocol.
    Tunnel,
    /// Nothing comes any more, and nothing is missing.
    Closed,
    /// It was refused.
    Failed,
}

/// What moves a message from state to state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// An informational head: 1xx, other than 101.
    Informational,
    /// The head; of a response, the final one.
    Head,
    /// A piece of content, or of the tunnelled protocol.
    Data,
    /// The end of the message.
    End,
    /// The other message is over too: on to the next exchange.
    Reuse,
    /// The protocol changes: 101, or 2xx to CONNECT.
    Switch,
    /// The direction ends where that harms nothing.
    Close,
    /// The peer broke HTTP.
    Fail,
}

/// A step: whose, from where, which, to where.
pub(super) type Row = (Side, State, Step, State);

/// Every step that there is.
pub(super) const ROWS: &[Row] = &[
    (Side::Request, State::Idle, Step::Head, State::Body),
    (Side::Request, State::Idle, Step::Close, State::Closed),
    (Side::Request, State::Idle, Step::Fail, State::Failed),
    (Side::Request, State::Body, Step::Data, State::Body),
    (Side::Request, State::Body, Step::End, State::Done),
    (Side::Request, State::Body, Step::Fail, State::Failed),
    (Side::Request, State::Done, Step::Reuse, State::Idle),
    (Side::Request, State::Done, Step::Switch, State::Tunnel),
    (Side::Request, State::Tunnel, Step::Data, State::Tunnel),
    (Side::Request, State::Tunnel, Step::Close, State::Closed),
    (Side::Response, State::Idle, Step::Informational, State::Idle),
    (Side::Response, State::Idle, Step::Head, State::Body),
    (Side::Response, State::Idle, Step::Switch, State::Tunnel),
    (Side::Response, State::Idle, Step::Close, State::Closed),
    (Side::Response, State::Idle, Step::Fail, State::Failed),
    (Side::Response, State::Body, Step::Data, State::Body),
    (Side::Response, State::Body, Step::End, State::Done),
    (Side::Response, State::Body, Step::Fail, State::Failed),
    (Side::Response, State::Done, Step::Reuse, State::Idle),
    (Side::Response, State::Tunnel, Step::Data, State::Tunnel),
    (Side::Response, State::Tunnel, Step::Close, State::Closed),
];

const SIDES: usize = Side::Response as usize + 1;
const STATES: usize = State::Failed as usize + 1;
const STEPS: usize = Step::Fail as usize + 1;

/// The rows by index, so that a step costs one load.
static DENSE: [[[Option<State>; STEPS]; STATES]; SIDES] = dense();

const fn dense() -> [[[Option<State>; STEPS]; STATES]; SIDES] {
    let mut table = [[[None; STEPS]; STATES]; SIDES];
    let mut row = 0;
    while row < ROWS.len() {
        let (side, from, step, to) = ROWS[row];
        table[side as usize][from as usize][step as usize] = Some(to);
        row += 1;
    }
    table
}

/// Where `step` leads that side from `state`; `None` if it has no such step.
pub(super) fn after(side: Side, state: State, step: Step) -> Option<State> {
    DENSE[side as usize][state as usize][step as usize]
}

/// Both messages' states: the only place where they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct States([State; SIDES]);

impl States {
    pub(super) const fn new() -> Self {
        Self([State::Idle; SIDES])
    }

    pub(super) fn of(self, side: Side) -> State {
        self.0[side as usize]
    }

    pub(super) fn allows(self, side: Side, step: Step) -> bool {
        after(side, self.of(side), step).is_some()
    }

    /// Takes the step if there is one; whether there was.
    pub(super) fn take(&mut self, side: Side, step: Step) -> bool {
        let to = after(side, self.of(side), step);
        if let Some(to) = to {
            self.0[side as usize] = to;
        }
        to.is_some()
    }
}
