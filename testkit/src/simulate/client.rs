//! A simulated client: a machine that asks, in one of several manners, and writes down what it is answered.
//!
//! The rule: a client is strict with what it reads and patient with time; but it does not wait for ever.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use bakestone::machine::{Io, Machine, Moment, Now, Output, Peer, Phase, Read, Wants};
use bakestone::{Limits, Method};
use bytes::Buf;

use super::ask::{Ask, Dice};
use super::book::{Account, Book, Owed};
use super::exchange::{Answered, Exchange};
use crate::seed::Random;

/// How long a client waits for anything to happen before it complains.
const PATIENCE: Duration = Duration::from_secs(180);

/// The shortest rest.
const TICK: Duration = Duration::from_micros(1);

/// Makes the requests of all clients.
pub(super) type Asker = Rc<dyn Fn(&mut Dice<'_>) -> Ask>;

/// How a client behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// It asks so many times at once, reads all, and leaves in one of three ways.
    Polite { ahead: u64, leaves: Leaves },
    /// It stops reading for a while now and then.
    Slow,
    /// It resets the connection once so many bytes have moved.
    Aborts(u64),
    /// Its last request is none.
    Breaks,
    /// It stops in the middle of its last request, and waits.
    Stops,
    /// It stops reading after its last request.
    Deaf,
    /// It says nothing.
    Mute,
}

/// How a client ends a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaves {
    /// It closes.
    Closes,
    /// It sends a FIN behind its last request and reads on.
    Finishes,
    /// It waits for the server to close.
    Waits,
}

/// What is no request, and gets a refusal.
const BROKEN: [&[u8]; 8] = [
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/2.7\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\nHost: a",
];

pub(super) struct Client {
    number: usize,
    manner: Manner,
    random: Random,
    asker: Asker,
    book: Rc<RefCell<Book>>,
    limits: Arc<Limits>,
    /// Requests that are still to be begun.
    left: u64,
    exchanges: VecDeque<Exchange>,
    /// When it goes on, if it rests.
    rests_until: Option<Moment>,
    /// How often it has done so before this answer was complete.
    rests: u32,
    moved_at: Option<Moment>,
    consumed: u64,
    moved: u64,
    account: Account,
    finishes: bool,
    /// Nothing more is asked.
    silent: bool,
    /// What comes behind the last answer is nobody's.
    ignores: bool,
    over: Option<Phase>,
}

impl Manner {
    fn draw(random: &mut Random) -> Self {
        let leaves = [Leaves::Closes, Leaves::Closes, Leaves::Finishes, Leaves::Waits][random.below(4)];
        match random.below(100) {
            0..60 => Self::Polite { ahead: 1, leaves },
            60..75 => Self::Polite { ahead: 2 + random.next() % 5, leaves },
            75..80 => Self::Slow,
            80..88 => Self::Aborts(random.number(&(0..30_000))),
            88..93 => Self::Breaks,
            93..96 => Self::Stops,
            96..98 => Self::Deaf,
            _ => Self::Mute,
        }
    }

    fn is_polite(self) -> bool {
        matches!(self, Self::Polite { .. } | Self::Slow)
    }
}

impl Client {
    pub(super) fn new(seed: u64, asker: Asker, book: Rc<RefCell<Book>>, limits: Arc<Limits>) -> Self {
        let mut random = Random::new(seed);
        let manner = Manner::draw(&mut random);
        let left = match manner {
            Manner::Mute => 1,
            _ => 1 + random.next() % 12,
        };
        let account = Account { polite: manner.is_polite(), ..Account::default() };
        let number = book.borrow().accounts.len();
        book.borrow_mut().accounts.push(account);
        Self {
            number,
            manner,
            random,
            asker,
            book,
            limits,
            left,
            exchanges: VecDeque::new(),
            rests_until: None,
            rests: 0,
            moved_at: None,
            consumed: 0,
            moved: 0,
            account,
            finishes: false,
            silent: false,
            ignores: false,
            over: None,
        }
    }

    fn complain(&mut self, what: String) {
        self.book.borrow_mut().complain(self.number, format!("{what}; the client is {:?}", self.manner));
        self.over = Some(Phase::Abort);
    }

    /// Reads what there is; whether that moved anything.
    fn receive(&mut self, now: Now, io: &mut Io) -> bool {
        let before = io.input.len();
        while let Some(exchange) = self.exchanges.front_mut() {
            if io.peer == Peer::Finished {
                exchange.finish_input();
            }
            match exchange.receive(&mut io.input) {
                Err(what) => self.complain(what),
                Ok(Answered::NotYet) => break,
                Ok(Answered::Whole { as_expected }) => {
                    self.whole(now, as_expected);
                    continue;
                }
                Ok(Answered::Cut) => {
                    io.input.clear();
                    self.cut(now);
                }
            }
            return true;
        }
        if self.ignores {
            io.input.clear();
        }
        if self.exchanges.is_empty() && !io.input.is_empty() && self.over.is_none() {
            let bytes = crate::escape(&io.input[..io.input.len().min(200)]);
            self.complain(format!("it gets an answer that it did not ask for: {bytes}"));
        }
        before != io.input.len()
    }

    /// The answer in front is complete.
    fn whole(&mut self, now: Now, as_expected: bool) {
        self.count();
        let Some(exchange) = self.exchanges.pop_front() else { return };
        self.rests = 0;
        match as_expected {
            true => self.account.answered += 1,
            false => self.account.refused += 1,
        }
        if exchange.closes() {
            // What was sent behind it is not answered, and nothing more is asked.
            self.silent = true;
            self.exchanges.clear();
            // Whoever refuses a head that has not come whole may not know that it was a HEAD, and explains itself.
            self.ignores = !as_expected && exchange.ask.method == Method::HEAD;
        } else if self.exchanges.is_empty() {
            let time = self.random.time(&(TICK..Duration::from_millis(1_500)));
            self.rests_until = Some(now.mono + time);
        }
        self.save();
    }

    /// The connection ended in good order before the answer in front was complete.
    fn cut(&mut self, now: Now) {
        let begun = self.exchanges.front().filter(|exchange| exchange.is_begun() && !exchange.has_left());
        if let Some(exchange) = begun {
            let what = exchange.complain("ends in the middle with a FIN, and not with a reset");
            return self.complain(what);
        }
        self.note_owed(now);
        self.exchanges.clear();
        self.silent = true;
    }

    /// The connection is over, and an answer may be missing. Of several requests it is not known which ones the server
    /// has seen.
    fn note_owed(&mut self, now: Now) {
        let exchange =
            self.exchanges.front().filter(|_| matches!(self.manner, Manner::Polite { ahead: 1, .. }));
        let since = exchange.and_then(Exchange::owed_since);
        self.account.owed = since.map(|since| Owed { since, until: now.mono });
        self.save();
    }

    /// Notes what was said on a WebSocket, of which a connection has one at most.
    fn count(&mut self) {
        let Some(count) = self.exchanges.back().and_then(Exchange::count) else { return };
        if std::mem::replace(&mut self.account.talk, count) != count {
            self.save();
        }
    }

    fn save(&self) {
        self.book.borrow_mut().accounts[self.number] = self.account;
    }

    /// Begins requests and goes on with the last one; whether that moved anything.
    fn send(&mut self, now: Now, io: &mut Io) -> bool {
        if let Some(exchange) = self.exchanges.back_mut() {
            if !exchange.sent_all {
                return match exchange.go_on(now.mono, &mut io.output) {
                    Ok(moved) => moved,
                    Err(what) => {
                        self.complain(what);
                        true
                    }
                };
            }
        }
        let ahead = match self.manner {
            Manner::Polite { ahead, .. } => ahead as usize,
            _ => 1,
        };
        let may_begin = !self.silent && self.left > 0 && self.rests_until.is_none();
        if !may_begin || self.exchanges.len() >= ahead || self.exchanges.back().is_some_and(Exchange::closes)
        {
            return false;
        }
        self.left -= 1;
        self.begin(now, io);
        true
    }

    /// Begins the next request, in this client's manner if it is the last.
    fn begin(&mut self, now: Now, io: &mut Io) {
        let is_last = self.left == 0;
        self.account.asked += 1;
        let limits = self.limits.clone();
        let begun = match self.manner {
            Manner::Breaks if is_last => {
                let bytes = BROKEN[self.random.below(BROKEN.len())];
                self.silent = true;
                Exchange::broken(bytes, limits, &mut io.output)
            }
            Manner::Mute => {
                self.silent = true;
                Exchange::broken(b"", limits, &mut io.output)
            }
            manner => {
                let ask = (self.asker)(&mut Dice(&mut self.random));
                let id = format!("{}-{}", self.number, self.account.asked);
                match manner == Manner::Stops && is_last {
                    true => self.stop(ask, id, now, io),
                    false => Exchange::begin(ask, id, now.mono, limits, &mut io.output),
                }
            }
        };
        match begun {
            Ok(exchange) => self.exchanges.push_back(exchange),
            Err(what) => self.complain(what),
        }
        if let Some(exchange) = self.exchanges.back() {
            self.silent |= exchange.ask.closes;
            self.account.polite &= exchange.is_polite();
        }
        self.finishes |= is_last && matches!(self.manner, Manner::Polite { leaves: Leaves::Finishes, .. });
        self.save();
    }

    /// Sends a part of a request, and no more.
    fn stop(&mut self, ask: Ask, id: String, now: Now, io: &mut Io) -> Result<Exchange, String> {
        let mut whole = Output::default();
        let mut exchange = Exchange::begin(ask, id, now.mono, self.limits.clone(), &mut whole)?;
        // Not the whole of it, and so no answer that is expected.
        exchange.sent_all = true;
        let count = self.random.below(whole.remaining());
        io.output.extend_from_slice(&whole.copy_to_bytes(count));
        self.silent = true;
        Ok(exchange)
    }

    /// Lets some time pass without reading, but less than a connection may be idle.
    fn rest(&mut self, now: Now, received: bool) {
        const RESTS: u32 = 3;
        let may_rest = self.manner == Manner::Slow && received && self.rests < RESTS;
        if may_rest && self.random.below(8) == 0 {
            self.rests += 1;
            let time = self.random.time(&(TICK..Duration::from_secs(3)));
            self.rests_until = Some(now.mono + time);
        }
    }

    /// Whether it has nothing more to ask and nothing to wait for.
    fn has_all(&self) -> bool {
        let waits = matches!(self.manner, Manner::Polite { leaves: Leaves::Waits, .. });
        let has_asked = self.left == 0 || self.silent;
        self.exchanges.is_empty() && has_asked && (!waits || self.silent)
    }

    fn is_deaf(&self) -> bool {
        self.manner == Manner::Deaf && self.left == 0
    }

    fn finish(&mut self, now: Now, io: &Io) {
        if self.over.is_some() {
            return;
        }
        let patience_ends = self.moved_at.map(|at| at + PATIENCE);
        let vanishes = self.exchanges.back().is_some_and(Exchange::has_vanished);
        if vanishes || matches!(self.manner, Manner::Aborts(after) if self.moved >= after) {
            self.over = Some(Phase::Abort);
        } else if self.has_all() || io.peer == Peer::Finished && self.exchanges.is_empty() {
            self.over = Some(Phase::Done);
        } else if patience_ends.is_some_and(|at| at <= now.mono) && self.is_deaf() {
            // It cannot know whether the server has gone, but by now it has.
            // A tunnel has deadlines of its own, or none.
            self.account.outlasts = !self.exchanges.iter().any(Exchange::is_tunnel);
            self.save();
            self.over = Some(Phase::Abort);
        } else if patience_ends.is_some_and(|at| at <= now.mono) {
            let what = self.exchanges.front().map(|exchange| exchange.complain("waits in vain"));
            self.complain(what.unwrap_or_else(|| "it is kept for ever".into()));
        }
    }

    fn wants(&self, now: Now, io: &Io) -> Wants {
        match self.over {
            Some(Phase::Done) if io.output.is_empty() || io.peer == Peer::Gone => return Wants::DONE,
            Some(_) if io.peer == Peer::Gone => return Wants::DONE,
            Some(_) => return Wants { read: Read::Pause, wake_at: None, phase: Phase::Abort },
            None => {}
        }
        let rests = self.rests_until.filter(|_| self.manner == Manner::Slow).is_some();
        let read = if rests || self.is_deaf() { Read::Pause } else { Read::Need };
        let has_finished = self.exchanges.back().is_some_and(Exchange::has_finished);
        let finishes =
            has_finished || self.finishes && self.exchanges.back().is_none_or(|last| last.sent_all);
        let phase = if finishes { Phase::Lingering } else { Phase::Open };
        let patience = self.moved_at.map(|at| at + PATIENCE);
        let continues = self.exchanges.back().and_then(|exchange| exchange.wake_at(now.mono));
        let wake_at = patience.into_iter().chain(self.rests_until).chain(continues).min();
        Wants { read, wake_at, phase }
    }
}

impl Machine for Client {
    fn step(&mut self, now: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
        if self.rests_until.is_some_and(|at| at <= now.mono) {
            self.rests_until = None;
        }
        let waited = io.input.len();
        if io.peer == Peer::Gone && self.over.is_none() {
            self.note_owed(now);
            self.over = Some(Phase::Done);
        }
        while self.over.is_none() {
            let received = self.receive(now, io);
            self.rest(now, received);
            let sent = self.over.is_none() && self.send(now, io);
            if !received && !sent {
                break;
            }
        }
        self.count();
        self.consumed += waited.saturating_sub(io.input.len()) as u64;
        let moved = self.consumed + io.output.taken();
        if std::mem::replace(&mut self.moved, moved) != moved || self.moved_at.is_none() {
            self.moved_at = Some(now.mono);
        }
        self.finish(now, io);
        self.wants(now, io)
    }
}
