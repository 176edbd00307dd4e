//! One request on its way out, and its answer on its way in.
//!
//! The rule: an answer is read by the client's own codec, strictly, and held against what was asked for byte by byte.

use std::sync::Arc;
use std::time::Duration;

use bakestone::h1::{BodyLength, ClientConn, Event, Misuse, Reason, ReceivedResponse, RequestHead};
use bakestone::machine::{Moment, Output};
use bakestone::{HeaderValue, Limits, Method, StatusCode, header};
use bytes::BytesMut;

use super::ask::{ASK, Ask, Content, Expected, Framing};
use super::pattern::pattern;
use super::talk::{Count, Heard, Talk};

/// How long a client waits for 100 (Continue) before it sends its content all the same.
const CONTINUE_TIME: Duration = Duration::from_secs(1);

/// Output past which no more of a request is made.
const MARK: u64 = 32 << 10;

/// What reading came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// There is more to come.
    NotYet,
    /// The answer is complete; whether it is what was expected.
    Whole { as_expected: bool },
    /// The connection ended before the answer did, and it looks so.
    Cut,
}

/// A request and its answer.
pub(super) struct Exchange {
    pub(super) ask: Ask,
    id: String,
    conn: ClientConn,
    /// The WebSocket that it asks for.
    talk: Option<Box<Talk>>,
    sent: u64,
    pub(super) sent_all: bool,
    continues_at: Option<Moment>,
    /// From when on the server knows of it, but for the time that its bytes take.
    owed_since: Option<Moment>,
    status: Option<StatusCode>,
    received: u64,
    as_expected: bool,
    /// The request is none: any refusal is the right answer.
    broken: bool,
}

impl Exchange {
    /// Begins to send `ask`.
    pub(super) fn begin(
        ask: Ask,
        id: String,
        now: Moment,
        limits: Arc<Limits>,
        output: &mut Output,
    ) -> Result<Self, String> {
        let mut exchange = Self {
            talk: Talk::of(ask.content),
            ask,
            id,
            conn: ClientConn::new(limits),
            sent: 0,
            sent_all: false,
            continues_at: None,
            owed_since: None,
            status: None,
            received: 0,
            as_expected: true,
            broken: false,
        };
        exchange.send_head(now, output).map_err(|misuse| misuse.to_string())?;
        exchange.go_on(now, output)?;
        let Content { length, framing, .. } = exchange.ask.content;
        let has_content = length > 0 && matches!(framing, Framing::Length | Framing::Chunks);
        exchange.owed_since = Some(now).filter(|_| !has_content);
        Ok(exchange)
    }

    fn send_head(&mut self, now: Moment, output: &mut Output) -> Result<(), Misuse> {
        let Ask { method, target, headers, content, .. } = &mut self.ask;
        headers.extend(self.talk.iter().flat_map(|talk| talk.headers()));
        headers.insert(header::HOST, HeaderValue::from_static("simulated"));
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            headers.insert(ASK, id);
        }
        let waits = headers.contains_key(header::EXPECT);
        self.continues_at = waits.then(|| now + CONTINUE_TIME);
        let length = match content.framing {
            Framing::Length => BodyLength::Exact(content.length),
            Framing::Chunks => BodyLength::Unknown,
            _ => BodyLength::Exact(0),
        };
        self.conn.send_head(RequestHead::new(method, target, headers), length, output)?;
        match content.framing {
            Framing::Length | Framing::Chunks => Ok(()),
            _ => self.conn.send_end(None, output),
        }
    }

    /// Sends what is no request, or nothing, and awaits the refusal.
    pub(super) fn broken(bytes: &[u8], limits: Arc<Limits>, output: &mut Output) -> Result<Self, String> {
        let mut unsent = Output::default();
        let ask = Ask::new(Method::GET, "/");
        let mut exchange = Self::begin(ask, String::new(), Moment::ZERO, limits, &mut unsent)?;
        output.extend_from_slice(bytes);
        exchange.broken = true;
        Ok(exchange)
    }

    /// Sends what there is room for; whether that was anything.
    pub(super) fn go_on(&mut self, now: Moment, output: &mut Output) -> Result<bool, String> {
        match &mut self.talk {
            None => self.send_content(now, output).map_err(|misuse| misuse.to_string()),
            Some(talk) => {
                let moved = talk.go_on(now, output)?;
                self.sent_all = talk.has_said_all();
                Ok(moved)
            }
        }
    }

    fn send_content(&mut self, now: Moment, output: &mut Output) -> Result<bool, Misuse> {
        let Content { key, length, .. } = self.ask.content;
        let is_told = match self.is_tunnel() {
            true => self.status == Some(StatusCode::SWITCHING_PROTOCOLS),
            false => self.continues_at.is_none_or(|at| at <= now),
        };
        let mut moved = false;
        while !self.sent_all && is_told && output.len() < MARK {
            moved = true;
            if self.sent < length {
                // Of all lengths, so that chunks are.
                let piece = 1 + (key ^ self.sent) % 9_000;
                let piece = pattern(key, self.sent, piece.min(length - self.sent));
                self.sent += piece.len() as u64;
                self.conn.send_data(piece, output)?;
            } else {
                self.conn.send_end(None, output)?;
                self.sent_all = true;
            }
        }
        Ok(moved)
    }

    /// Whether it asks for another protocol.
    pub(super) fn is_tunnel(&self) -> bool {
        self.ask.content.framing == Framing::Tunnel
    }

    /// Whether a FIN is to follow what was sent.
    pub(super) fn has_finished(&self) -> bool {
        self.is_tunnel() && self.sent_all || self.talk.as_ref().is_some_and(|talk| talk.has_finished())
    }

    /// Whether a reset is.
    pub(super) fn has_vanished(&self) -> bool {
        self.talk.as_ref().is_some_and(|talk| talk.has_vanished())
    }

    /// Whether it has gone without a word, so that its answer may end so too.
    pub(super) fn has_left(&self) -> bool {
        self.talk.as_ref().is_some_and(|talk| talk.has_left())
    }

    /// Whether it gives the server no reason to break off.
    pub(super) fn is_polite(&self) -> bool {
        !self.ask.breaks && self.talk.as_ref().is_none_or(|talk| talk.is_polite())
    }

    /// What was said on its WebSocket, if it is for one.
    pub(super) fn count(&self) -> Option<Count> {
        self.talk.as_ref().map(|talk| talk.count())
    }

    /// When something is to be sent without an answer.
    pub(super) fn wake_at(&self, now: Moment) -> Option<Moment> {
        let continues = self.continues_at.filter(|at| *at > now && !self.sent_all);
        continues.or(self.talk.as_ref().and_then(|talk| talk.wake_at(now)))
    }

    /// Whether the server has said that this answer is its last.
    pub(super) fn closes(&self) -> bool {
        self.conn.close_reason().is_some() || !self.sent_all
    }

    /// Nothing follows what is in the input.
    pub(super) fn finish_input(&mut self) {
        self.conn.finish_input();
        if let Some(talk) = &mut self.talk {
            talk.finish_input();
        }
    }

    /// Reads what is there of the answer.
    pub(super) fn receive(&mut self, input: &mut BytesMut) -> Result<Answered, String> {
        loop {
            if self.talk.as_ref().is_some_and(|talk| talk.is_open()) {
                return self.hear(input);
            }
            match self.conn.next(input) {
                Ok(Event::NeedInput) => return Ok(Answered::NotYet),
                Ok(Event::Head(head)) => self.receive_head(&head)?,
                Ok(Event::Data(data)) => self.receive_data(&data)?,
                Ok(Event::End(_)) => return self.end(),
                Ok(_) if self.has_finished() && self.as_expected => return self.end(),
                Ok(_) => return Ok(Answered::Cut),
                Err(refusal) if refusal.reason == Reason::UnexpectedEnd => return Ok(Answered::Cut),
                Err(refusal) => return Err(self.complain(&format!("has an answer that is none: {refusal}"))),
            }
        }
    }

    /// Reads what is there of the WebSocket.
    fn hear(&mut self, input: &mut BytesMut) -> Result<Answered, String> {
        let Some(talk) = &mut self.talk else { return Ok(Answered::Cut) };
        match talk.receive(input) {
            Ok(Heard::NotYet) => Ok(Answered::NotYet),
            Ok(Heard::Closed { as_expected }) => Ok(Answered::Whole { as_expected }),
            Ok(Heard::Cut) => Ok(Answered::Cut),
            Err(what) => Err(self.complain(&what)),
        }
    }

    fn receive_head(&mut self, head: &ReceivedResponse) -> Result<(), String> {
        if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
            self.continues_at = None;
            return Ok(());
        }
        self.status = Some(head.status);
        let named = head.headers.get(ASK).map(|value| value.as_bytes());
        if named.is_some_and(|named| named != self.id.as_bytes()) {
            let named = String::from_utf8_lossy(named.unwrap_or_default()).into_owned();
            return Err(self.complain(&format!("has the answer to {named}")));
        }
        let expected = match self.broken {
            true => head.status.is_client_error() || head.status.is_server_error(),
            false => head.status == self.ask.status,
        };
        self.as_expected = expected;
        if expected && named.is_none() && !self.broken {
            return Err(self.complain("has an answer that does not name it"));
        }
        if !expected && !head.status.is_client_error() && !head.status.is_server_error() {
            return Err(self.complain(&format!("is answered with {}", head.status)));
        }
        match self.talk.as_mut().filter(|_| expected) {
            Some(talk) => talk.open(head.status, &head.headers).map_err(|what| self.complain(&what)),
            None => Ok(()),
        }
    }

    fn receive_data(&mut self, data: &[u8]) -> Result<(), String> {
        let place = self.received;
        self.received += data.len() as u64;
        match self.expected().differs(place, data) {
            Some(what) => Err(self.complain(&what)),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<Answered, String> {
        if self.ask.breaks && self.as_expected {
            return Err(self.complain("ends as if it were whole"));
        }
        let bodiless = self.ask.method == Method::HEAD;
        match self.expected().falls_short(self.received).filter(|_| !bodiless) {
            Some(what) => Err(self.complain(&what)),
            None => Ok(Answered::Whole { as_expected: self.as_expected }),
        }
    }

    fn expected(&self) -> &Expected {
        match self.as_expected && !self.broken {
            true => &self.ask.expected,
            false => &Expected::Anything,
        }
    }

    /// Whether its answer was begun.
    pub(super) fn is_begun(&self) -> bool {
        self.status.is_some()
    }

    /// Since when the server owes an answer, though it drains: a request without content is known to it at once, and one
    /// that it has begun to answer in any case. To a WebSocket it owes a Close; another protocol has no end that is known.
    pub(super) fn owed_since(&self) -> Option<Moment> {
        let is_closed = self.talk.as_ref().is_some_and(|talk| talk.is_closed());
        match self.ask.content.framing {
            _ if !self.is_begun() => self.owed_since,
            Framing::Tunnel => None,
            _ => Some(Moment::ZERO).filter(|_| !is_closed),
        }
    }

    pub(super) fn complain(&self, what: &str) -> String {
        let answer = self.status.map_or_else(|| "no answer yet".to_owned(), |status| status.to_string());
        format!("{} ({}; {answer}): {what}", self.id, self.ask)
    }
}
