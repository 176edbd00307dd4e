//! One connection of a client: what is written to it, and what is read.
//!
//! The rule: it does what a socket and its user's side would do and no more. The server is fed only while it reads, and is
//! read only while somebody has room; a connection is used again only where both ends keep it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use bakestone::machine::{Machine, Output, Peer, Phase};
use bytes::{Buf, BytesMut};

use super::error::Cause;
use super::exchange::{Exchange, SharedExchange};
use super::seen::{Seen, lock};
use super::url::Url;
use crate::transcript::wanted;
use crate::wire::{READ_SIZE, START, Wire};
use bakestone::machine::Address;

/// What serves a connection.
pub type Served = Box<dyn Machine>;

/// What the requests of a connection have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) user: u64,
    pub(super) secure: bool,
    pub(super) authority: String,
    pub(super) peer: Option<Address>,
}

impl Key {
    pub(super) fn new(user: u64, url: &Url, peer: Option<Address>) -> Self {
        Self { user, secure: url.is_secure(), authority: url.authority().to_owned(), peer }
    }
}

pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) key: Key,
    pub(super) wire: Wire<Served>,
    pub(super) seen: Arc<Seen>,
    /// Those that are not over, in order.
    queue: VecDeque<SharedExchange>,
    /// Those whose transcript the wire's is.
    told: Vec<Weak<RefCell<Exchange>>>,
    outbox: Output,
    input: BytesMut,
    /// This end is to finish sending once all is sent.
    finishes: bool,
    /// It serves no further request.
    is_last: bool,
    /// Bytes that the server was fed since it had a rest, and how many are held never to end.
    fed: usize,
    most: usize,
}

impl Connection {
    /// Over a wire whose output is held: it is read as there is room.
    pub(super) fn new(id: u64, key: Key, wire: Wire<Served>, seen: Arc<Seen>, most: usize) -> Self {
        Self {
            id,
            key,
            wire,
            seen,
            queue: VecDeque::new(),
            told: Vec::new(),
            outbox: Output::default(),
            input: BytesMut::new(),
            finishes: false,
            is_last: false,
            fed: 0,
            most,
        }
    }

    /// Whether the next request may go here.
    pub(super) fn is_idle(&self) -> bool {
        let keeps = !self.is_last && !self.finishes && self.wire.phase() == Phase::Open;
        // What nobody asked for would be taken for the next response.
        let is_quiet = self.wire.waiting() == 0 && self.input.is_empty();
        keeps && is_quiet && self.queue.is_empty() && self.wire.io().peer == Peer::Open
    }

    /// Whether there is nothing left to do for it.
    pub(super) fn is_over(&self) -> bool {
        self.queue.is_empty() && self.wire.is_over()
    }

    /// Sends `exchange` after those that are here.
    pub(super) fn push(&mut self, exchange: SharedExchange) {
        if self.queue.is_empty() {
            // What fails tells of its own exchange, and a long-lived connection does not grow by it.
            self.hand_over_transcript();
            self.wire.forget_transcript();
        }
        self.told.push(Rc::downgrade(&exchange));
        self.queue.push_back(exchange);
    }

    /// Exchanges that somebody still holds keep what went over the wire for them.
    pub(super) fn hand_over_transcript(&mut self) {
        let held: Vec<_> = self.told.drain(..).filter_map(|exchange| exchange.upgrade()).collect();
        if !held.is_empty() {
            let transcript = Rc::new(self.wire.transcript().clone());
            held.iter().for_each(|exchange| exchange.borrow_mut().transcript = Some(transcript.clone()));
        }
    }

    /// Whether no other exchange goes over it now.
    pub(super) fn is_of(&self, exchange: &SharedExchange) -> bool {
        self.queue.is_empty() || self.queue.iter().any(|other| Rc::ptr_eq(other, exchange))
    }

    /// Moves all that can be moved; whether anything was.
    pub(super) fn pump(&mut self) -> bool {
        let mut moved = false;
        self.fed = 0;
        loop {
            let abandoned = self.drop_abandoned();
            let sent = self.send();
            let ran = self.run();
            let received = self.receive();
            if !(abandoned | sent | ran | received | self.notice_end()) {
                return moved;
            }
            moved = true;
        }
    }

    /// A reader that went away in the middle takes the connection with it.
    fn drop_abandoned(&mut self) -> bool {
        let abandoned = self.queue.iter().any(|exchange| exchange.borrow().is_abandoned);
        if abandoned {
            self.hang_up();
        }
        abandoned
    }

    /// This end is gone.
    pub(super) fn hang_up(&mut self) {
        self.is_last = true;
        self.outbox.clear();
        self.wire.reset();
        self.fail_all(Cause::HungUp);
    }

    /// This end finishes sending once what was given so far has left.
    pub(super) fn half_close(&mut self) {
        self.finishes = true;
        self.queue.iter().for_each(|exchange| exchange.borrow_mut().stop());
    }

    /// Writes and hands over what can be, up to the end of a request: its response may come with its last byte.
    fn send(&mut self) -> bool {
        let mut moved = false;
        while self.write() | self.feed() {
            moved = true;
            if self.wire.waiting() > 0 {
                // Whoever is answered looks at the answer before it goes on; the end of a request is still its own.
                self.write();
                break;
            }
        }
        moved | self.finish_sending()
    }

    /// Writes what there is of the requests; whether there was anything.
    fn write(&mut self) -> bool {
        let before = self.outbox.len();
        for exchange in &self.queue {
            let mut exchange = exchange.borrow_mut();
            match exchange.send(&mut self.outbox) {
                Ok(true) => self.finishes |= exchange.half_close,
                Ok(false) => break,
                Err(misuse) => {
                    exchange.fail(Cause::Misused(misuse));
                    (self.is_last, self.finishes) = (true, true);
                    break;
                }
            }
        }
        self.outbox.len() > before
    }

    /// Hands the server what it reads.
    fn feed(&mut self) -> bool {
        let mut fed = false;
        while self.outbox.has_remaining() {
            if self.wire.is_over() || self.wire.io().peer != Peer::Open {
                self.outbox.clear();
            } else if self.wire.wants().read == bakestone::machine::Read::Pause {
                break;
            } else {
                let count = self.outbox.remaining().min(READ_SIZE);
                self.wire.feed(self.outbox.copy_to_bytes(count));
                self.fed += count;
                assert!(
                    self.fed <= self.most,
                    "no rest after {} bytes that were sent at one moment\n{}",
                    self.fed,
                    self.waits_for()
                );
                fed = true;
            }
        }
        fed
    }

    fn finish_sending(&mut self) -> bool {
        let is_out =
            self.outbox.is_empty() && self.queue.iter().all(|exchange| exchange.borrow().has_sent_all());
        let finishes = self.finishes && is_out && self.wire.io().peer == Peer::Open && !self.wire.is_over();
        if finishes {
            self.is_last = true;
            self.wire.finish();
        }
        finishes
    }

    fn run(&mut self) -> bool {
        let runs = self.wire.has_cause();
        if runs {
            self.wire.settle();
        }
        runs
    }

    /// Reads what the first exchange has room for.
    fn receive(&mut self) -> bool {
        let mut moved = false;
        while let Some(exchange) = self.queue.front().cloned() {
            let mut exchange = exchange.borrow_mut();
            if exchange.behind.is_none() {
                exchange.behind = self.seen.first();
            }
            let room = exchange.room();
            let count = room.min(self.wire.waiting());
            if count > 0 {
                self.input.extend_from_slice(&self.wire.take_at_most(count));
                moved = true;
            }
            if room > 0 && !self.input.is_empty() {
                exchange.receive(&mut self.input);
                exchange.note_time(self.wire.now().wall);
            }
            if exchange.is_over() {
                self.is_last |= !exchange.keeps_connection();
                drop(exchange);
                self.end_exchange();
                moved = true;
            } else if count == 0 {
                break;
            }
        }
        moved
    }

    /// Reads `count` bytes for the first exchange, whether it has room or not.
    pub(super) fn take(&mut self, count: usize) {
        let bytes = self.wire.take_at_most(count);
        self.input.extend_from_slice(&bytes);
        if let Some(exchange) = self.queue.front() {
            let mut exchange = exchange.borrow_mut();
            exchange.receive(&mut self.input);
            exchange.note_time(self.wire.now().wall);
        }
    }

    fn end_exchange(&mut self) {
        self.queue.pop_front();
        self.seen.take_first();
        if self.is_last {
            self.close();
        }
    }

    /// This end needs the connection no more.
    fn close(&mut self) {
        self.outbox.clear();
        self.fail_all(Cause::Closed);
        self.finishes = true;
    }

    fn fail_all(&mut self, cause: Cause) {
        for exchange in self.queue.drain(..) {
            exchange.borrow_mut().fail(cause.clone());
            self.seen.take_first();
        }
    }

    /// The server has finished sending, or has reset the connection, and all that came before was read.
    fn notice_end(&mut self) -> bool {
        let fate = self.wire.fate();
        let ended = fate.reset_sent || fate.fin_sent || self.wire.is_done();
        if !ended || self.wire.waiting() > 0 || (self.is_last && self.queue.is_empty()) {
            return false;
        }
        let cause = if fate.reset_sent { Cause::Reset } else { Cause::Closed };
        if let Some(exchange) = self.queue.pop_front() {
            let mut exchange = exchange.borrow_mut();
            match fate.reset_sent {
                true => exchange.fail(cause.clone()),
                false => exchange.finish_input(&mut self.input),
            }
            exchange.note_time(self.wire.now().wall);
            exchange.fail(cause.clone());
            self.seen.take_first();
        }
        self.fail_all(cause);
        self.outbox.clear();
        (self.is_last, self.finishes) = (true, true);
        true
    }

    /// What it waits for, in a line.
    pub(super) fn waits_for(&self) -> String {
        let what = match self.queue.front() {
            None => "idle".to_owned(),
            Some(exchange) => {
                let exchange = exchange.borrow();
                let runs = exchange.behind.as_ref().is_some_and(|behind| lock(behind).runs);
                let state = match (&exchange.head, runs, exchange.has_sent_all()) {
                    (Some(_), _, _) => "its response is not complete",
                    (None, true, true) => "its handler has not answered",
                    (None, true, false) => "its handler has not answered, and the request is not complete",
                    (None, false, _) => "its request is not complete",
                };
                format!("{}: {state}", exchange.label())
            }
        };
        let waiting = match self.wire.waiting() {
            0 => String::new(),
            count => format!(", {count} bytes are not read"),
        };
        let wants = wanted(&self.wire.wants(), START);
        format!("connection {} to {}: {what}{waiting}; it wants {wants}", self.id, self.key.authority)
    }
}
