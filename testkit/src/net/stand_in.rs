//! What stands at the server's end of a connection where no session does.
//!
//! The rule: it is driven like any other machine.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Context;

use bakestone::Lifecycle;
use bakestone::machine::{Io, Machine, Now, Peer, Phase, Wants};

/// A lifecycle that is looked at from elsewhere.
pub(super) struct Shared(pub(super) Rc<RefCell<Lifecycle>>);

impl Machine for Shared {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        self.0.borrow_mut().step(now, io, cx)
    }
}

/// Nobody listens.
pub(super) struct Refuses;

impl Machine for Refuses {
    fn step(&mut self, _: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
        match io.peer {
            Peer::Gone => Wants::DONE,
            _ => Wants { phase: Phase::Abort, ..Wants::DONE },
        }
    }
}
