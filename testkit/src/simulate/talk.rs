//! A WebSocket of a simulated client, from its handshake to its end.
//!
//! The rule: what is said follows from the key alone; the next message that is heard is the oldest one that was not heard
//! again, to the last byte, or it is nobody's; and what ends does so by a Close from either end (RFC 6455, section 7).
//!
//! ```text
//! handshake --101--> talking --the last word--> waiting --Close, then FIN--> over
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use bakestone::machine::{Moment, Output};
use bakestone::ws::{
    CloseCode, CloseFrame, Config, Conn, DeflateOptions, Event, Message, MessageKind, Misuse, Opening, Role,
};
use bakestone::{Bytes, HeaderMap, StatusCode};
use bytes::{Buf, BytesMut};

use super::ask::{Content, Framing};
use super::pattern::pattern;
use crate::seed::Random;

/// Messages that may be without an echo before another one is said.
const AHEAD: usize = 4;

/// Output past which nothing more is said.
const MARK: u64 = 32 << 10;

/// What no client may send, and the code that the server closes with (RFC 6455, section 7.4.1).
const BROKEN: [(&[u8], CloseCode); 6] = [
    // Not masked.
    (b"\x81\x02hi", CloseCode::PROTOCOL_ERROR),
    // An opcode that there is not.
    (b"\x83\x80\x00\x00\x00\x00", CloseCode::PROTOCOL_ERROR),
    // The end of a message that has not begun.
    (b"\x80\x80\x00\x00\x00\x00", CloseCode::PROTOCOL_ERROR),
    // A ping in two frames.
    (b"\x09\x80\x00\x00\x00\x00", CloseCode::PROTOCOL_ERROR),
    // A text that is none.
    (b"\x81\x82\x00\x00\x00\x00\xc3\x28", CloseCode::INVALID_PAYLOAD),
    // More than there is room for.
    (b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", CloseCode::TOO_BIG),
];

/// The last word.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Last {
    /// A Close, once all has been heard.
    Closes,
    /// A Close behind the last message, whose echo it does not wait for.
    Leaves,
    /// A FIN, and no Close.
    Finishes,
    /// A reset.
    Vanishes,
    /// A part of a frame, or nothing, and then silence: pings are not answered either.
    Stalls,
    /// What no client may send.
    Breaks(usize),
}

/// What hearing came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// There is more to come.
    NotYet,
    /// Both ends have closed, and the connection has; whether it was as it should be.
    Closed { as_expected: bool },
    /// The connection ended without a Close.
    Cut,
}

/// How much was said, and how much of it was heard again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) said: u64,
    pub(super) heard: u64,
}

/// The client's end of a WebSocket, and what is to be said and heard there.
pub(super) struct Talk {
    key: u64,
    random: Random,
    opening: Opening,
    /// `None` before the handshake is over.
    conn: Option<Conn>,
    /// Messages that are still to be said.
    left: u64,
    /// What is still to be said of a message, the last fragment last, and what it is if that has not been said.
    fragments: VecDeque<Bytes>,
    begins: Option<MessageKind>,
    saying: Option<Message>,
    /// Messages that were said, and not heard again.
    awaited: VecDeque<Message>,
    /// Pings that have no answer.
    pings: VecDeque<Bytes>,
    next_at: Option<Moment>,
    last: Last,
    /// The last word was said.
    is_said: bool,
    /// Our Close, and the server's.
    closed_with: Option<Option<CloseFrame>>,
    close: Option<Option<CloseFrame>>,
    /// The server's was the answer to ours.
    as_expected: bool,
    input_ended: bool,
    count: Count,
}

impl Talk {
    /// The WebSocket that such content means, if it means one.
    pub(super) fn of(content: Content) -> Option<Box<Self>> {
        if content.framing != Framing::Socket {
            return None;
        }
        let mut random = Random::new(content.key);
        let nonce = [random.next(), random.next()].map(u64::to_le_bytes).concat();
        let opening = Opening::new(nonce.try_into().ok()?, [""; 0], offer(&mut random)).ok()?;
        let last = match random.below(100) {
            0..60 => Last::Closes,
            60..70 => Last::Leaves,
            70..76 => Last::Finishes,
            76..82 => Last::Vanishes,
            82..90 => Last::Stalls,
            _ => Last::Breaks(random.below(BROKEN.len())),
        };
        Some(Box::new(Self {
            key: content.key,
            random,
            opening,
            conn: None,
            left: content.length,
            fragments: VecDeque::new(),
            begins: None,
            saying: None,
            awaited: VecDeque::new(),
            pings: VecDeque::new(),
            next_at: None,
            last,
            is_said: false,
            closed_with: None,
            close: None,
            as_expected: false,
            input_ended: false,
            count: Count::default(),
        }))
    }

    /// The fields of the handshake.
    pub(super) fn headers(&self) -> HeaderMap {
        self.opening.headers()
    }

    /// Whether it does nothing for which the server could break it off.
    pub(super) fn is_polite(&self) -> bool {
        matches!(self.last, Last::Closes | Last::Leaves)
    }

    /// Whether the handshake is over.
    pub(super) fn is_open(&self) -> bool {
        self.conn.is_some()
    }

    /// Whether the server has closed, or answered a Close.
    pub(super) fn is_closed(&self) -> bool {
        self.close.is_some()
    }

    /// Whether nothing more is sent.
    pub(super) fn has_said_all(&self) -> bool {
        self.is_said
    }

    /// Whether a FIN follows what was sent.
    pub(super) fn has_finished(&self) -> bool {
        self.is_said && self.last == Last::Finishes
    }

    /// Whether a reset does.
    pub(super) fn has_vanished(&self) -> bool {
        self.is_said && self.last == Last::Vanishes
    }

    /// Whether it has gone without a word, so that none is owed to it.
    pub(super) fn has_left(&self) -> bool {
        self.is_said && matches!(self.last, Last::Finishes | Last::Stalls)
    }

    pub(super) fn count(&self) -> Count {
        self.count
    }

    /// When something is to be said, if that is later.
    pub(super) fn wake_at(&self, now: Moment) -> Option<Moment> {
        self.next_at.filter(|at| *at > now && !self.is_said)
    }

    /// Nothing follows what is in the input.
    pub(super) fn finish_input(&mut self) {
        self.input_ended = true;
    }

    /// The server switches protocols.
    pub(super) fn open(&mut self, status: StatusCode, headers: &HeaderMap) -> Result<(), String> {
        let agreed = self.opening.verify(status, headers).map_err(|error| error.to_string())?;
        let mut config = Config::default();
        config.deflate = agreed.deflate;
        config.compress_from = [0, 128, 1_000][self.random.below(3)];
        self.conn = Some(Conn::new(Role::Client { mask_seed: self.random.next() }, config));
        Ok(())
    }

    /// Says what there is room for; whether that was anything.
    pub(super) fn go_on(&mut self, now: Moment, output: &mut Output) -> Result<bool, String> {
        let mut moved = self.conn.as_mut().is_some_and(|conn| conn.answer_ping(output));
        while !self.is_said && output.len() < MARK {
            match self.say(now, output) {
                Ok(false) => break,
                Ok(true) => moved = true,
                Err(misuse) => return Err(misuse.to_string()),
            }
        }
        Ok(moved)
    }

    /// Says the next thing, if it is time for it.
    fn say(&mut self, now: Moment, output: &mut Output) -> Result<bool, Misuse> {
        let Some(conn) = &mut self.conn else { return Ok(false) };
        if let Some(frame) = &self.close {
            // The server has closed first, and is told that it was heard.
            let echo = frame.as_ref().map(|frame| CloseFrame::new(frame.code()));
            conn.send_close(echo.as_ref(), output)?;
            self.is_said = true;
            return Ok(true);
        }
        if self.next_at.is_some_and(|at| at > now) {
            return Ok(false);
        }
        if let Some(fragment) = self.fragments.pop_front() {
            let is_final = self.fragments.is_empty();
            conn.send_fragment(self.begins.take(), is_final, fragment, output)?;
            match is_final {
                true => self.said(now),
                false => self.may_ping(output)?,
            }
            return Ok(true);
        }
        match self.left {
            0 if self.last == Last::Closes && !self.awaited.is_empty() => return Ok(false),
            0 => self.say_last(output)?,
            _ if self.awaited.len() >= AHEAD => return Ok(false),
            _ => self.begin(now, output)?,
        }
        Ok(true)
    }

    /// Begins a message, which may be all of it.
    fn begin(&mut self, now: Moment, output: &mut Output) -> Result<(), Misuse> {
        self.left -= 1;
        self.may_ping(output)?;
        let message = message(self.key, self.left, &mut self.random);
        let pieces = 1 + [0, 0, 0, 1, 3][self.random.below(5)].min(message.len());
        self.saying = Some(message.clone());
        if pieces == 1 {
            let Some(conn) = &mut self.conn else { return Ok(()) };
            conn.send(&message, output)?;
            self.said(now);
            return Ok(());
        }
        self.begins = Some(message.kind());
        let mut rest = message.into_bytes();
        for _ in 1..pieces {
            let count = self.random.below(rest.len() + 1);
            self.fragments.push_back(rest.split_to(count));
        }
        self.fragments.push_back(rest);
        Ok(())
    }

    /// A message has left as a whole.
    fn said(&mut self, now: Moment) {
        self.awaited.extend(self.saying.take());
        self.count.said += 1;
        // Now and then for longer than the server waits before it sends a ping.
        let longest = [0, 0, 300, 300, 300, 300, 3_000, 70_000][self.random.below(8)];
        let rest = Duration::from_millis(self.random.below(longest) as u64);
        self.next_at = Some(now + rest);
    }

    fn may_ping(&mut self, output: &mut Output) -> Result<(), Misuse> {
        let Some(conn) = self.conn.as_mut().filter(|_| self.random.below(4) == 0) else { return Ok(()) };
        let payload = pattern(self.random.next(), 0, self.random.next() % 126);
        conn.send_ping(&payload, output)?;
        self.pings.push_back(payload);
        Ok(())
    }

    fn say_last(&mut self, output: &mut Output) -> Result<(), Misuse> {
        let Some(conn) = &mut self.conn else { return Ok(()) };
        self.is_said = true;
        match self.last {
            Last::Closes | Last::Leaves => {
                let code = [None, Some(1000), Some(3000), Some(4999)][self.random.below(4)];
                let frame = code.and_then(|code| CloseFrame::with_reason(CloseCode::from(code), "thank you"));
                conn.send_close(frame.as_ref(), output)?;
                self.closed_with = Some(frame);
            }
            Last::Stalls => {
                let mut frame = Output::default();
                conn.send(&Message::from("and then there was"), &mut frame)?;
                let count = self.random.below(frame.remaining());
                output.extend_from_slice(&frame.copy_to_bytes(count));
            }
            Last::Breaks(which) => output.extend_from_slice(BROKEN[which].0),
            Last::Finishes | Last::Vanishes => {}
        }
        Ok(())
    }

    /// Takes what is there of what the server says.
    pub(super) fn receive(&mut self, input: &mut BytesMut) -> Result<Heard, String> {
        loop {
            let Some(conn) = &mut self.conn else { return Ok(Heard::NotYet) };
            match conn.next(input) {
                Ok(Event::Message(message)) => self.hear(&message)?,
                Ok(Event::Pong(payload)) => self.hear_pong(&payload)?,
                Ok(Event::Close(frame)) => self.hear_close(frame)?,
                // It is answered with what is said next, if it is.
                Ok(Event::Ping(_)) => {}
                Ok(Event::Closed) if !input.is_empty() => return Err("more is said behind a Close".into()),
                Ok(Event::Closed) if self.input_ended => {
                    return Ok(Heard::Closed { as_expected: self.as_expected });
                }
                Ok(_) if self.input_ended => return Ok(Heard::Cut),
                Ok(_) => return Ok(Heard::NotYet),
                Err(error) => return Err(format!("the server breaks the protocol of WebSockets: {error}")),
            }
        }
    }

    fn hear(&mut self, message: &Message) -> Result<(), String> {
        let (number, shown) = (self.count.heard + 1, shown(message));
        match self.awaited.pop_front() {
            None => Err(format!("message {number} was not said, or is heard twice: {shown}")),
            Some(said) if said != *message => {
                Err(format!("message {number} is heard as {shown}, and was {}", self::shown(&said)))
            }
            Some(_) => {
                self.count.heard = number;
                Ok(())
            }
        }
    }

    /// Of several pings only the newest need be answered (RFC 6455, section 5.5.3).
    fn hear_pong(&mut self, payload: &Bytes) -> Result<(), String> {
        match self.pings.iter().position(|ping| ping == payload) {
            None => Err("a pong answers no ping".into()),
            Some(newest) => {
                self.pings.drain(..=newest);
                Ok(())
            }
        }
    }

    fn hear_close(&mut self, frame: Option<CloseFrame>) -> Result<(), String> {
        let code = frame.as_ref().map(CloseFrame::code);
        self.close = Some(frame);
        if code == Some(CloseCode::GOING_AWAY) {
            return Ok(());
        }
        match (self.last, &self.closed_with) {
            (Last::Breaks(which), _) if self.is_said => match code == Some(BROKEN[which].1) {
                true => Ok(()),
                false => Err(format!("what no client may send is closed with {code:?}")),
            },
            (_, Some(ours)) if code != ours.as_ref().map(CloseFrame::code) => {
                Err(format!("a Close is answered with {code:?}"))
            }
            (_, Some(_)) if !self.pings.is_empty() => Err("a ping was not answered".into()),
            (_, Some(_)) => {
                self.as_expected = true;
                Ok(())
            }
            _ => Err(format!("the server closes with {code:?}, for no reason")),
        }
    }
}

/// What a client wants of compression: often nothing.
fn offer(random: &mut Random) -> DeflateOptions {
    let mut options = DeflateOptions::default();
    options.enabled = random.below(2) == 0;
    options.server_no_context_takeover = random.below(2) == 0;
    options.client_no_context_takeover = random.below(2) == 0;
    options.server_max_window_bits = 9 + random.below(7) as u8;
    options
}

/// Most messages are short, and some are longer than any buffer.
fn message(key: u64, number: u64, random: &mut Random) -> Message {
    let most = [0, 20, 20, 125, 127, 300, 300, 1_000, 1_000, 3_000, 10_000, 70_000][random.below(12)];
    let bytes = pattern(key.wrapping_add(number), random.next(), random.next() % (most + 1));
    match random.below(3) {
        0 => Message::from(bytes),
        // A fragment may end inside of a character.
        _ => Message::from(String::from_utf8_lossy(&bytes).replace('q', "ŵ").replace('x', "🍞")),
    }
}

fn shown(message: &Message) -> String {
    let bytes = message.as_bytes();
    let begin = crate::escape(&bytes[..bytes.len().min(40)]);
    format!("{} bytes of {:?}, {begin:?}", bytes.len(), message.kind())
}
