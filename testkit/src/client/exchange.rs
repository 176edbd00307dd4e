//! One request and its response, from a client's side.
//!
//! The rule: each exchange has an [end of its own](ClientConn), so that several can be on their way on one connection;
//! and no more of a response is taken than somebody has room for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bakestone::h1::{BodyLength, ClientConn, Event, Misuse, Reason, ReceivedResponse, Refusal, RequestHead};
use bakestone::machine::Output;
use bakestone::{Bytes, HeaderMap, HeaderValue, Limits, Method, StatusCode, Version, header};
use bytes::BytesMut;

use super::error::Cause;
use super::seen::SharedBehind;
use crate::transcript::Transcript;

/// How much of a response is read before anybody asks for it, unless told.
pub(super) const READ_AHEAD: usize = 256 << 10;
/// The most that is taken from a connection at a time.
const TAKEN_AT_ONCE: usize = 16 << 10;
/// The most that a client writes ahead of what its server reads.
const WRITE_AHEAD: u64 = 64 << 10;
/// How many informational responses are kept.
const INFORMATIONAL: usize = 100;

/// What follows the head of a request.
pub(super) enum Content {
    Whole(Bytes),
    Pieces(Box<dyn Iterator<Item = Bytes>>),
    /// The test gives the pieces as it goes.
    ByHand,
}

/// A request, ready to be sent.
pub(super) struct Message {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

/// The head of a response.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
}

impl From<ReceivedResponse> for Head {
    fn from(head: ReceivedResponse) -> Self {
        Self { status: head.status, version: head.version, headers: head.headers }
    }
}

/// How far the request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Nothing,
    /// The server is to say 100 (Continue) first.
    Head,
    Body,
    All,
}

pub(super) type SharedExchange = Rc<RefCell<Exchange>>;

/// A request on its way, and what has come back.
pub(super) struct Exchange {
    conn: ClientConn,
    message: Message,
    sent: Sent,
    /// What the test gave by hand, and the end with its trailers.
    given: VecDeque<Bytes>,
    given_end: Option<Option<HeaderMap>>,
    /// Nothing more is sent than what was given.
    is_stopped: bool,
    pub(super) informational: Vec<Head>,
    pub(super) head: Option<Head>,
    /// When the head came, since the Unix epoch.
    pub(super) head_at: Option<Duration>,
    chunks: VecDeque<Bytes>,
    buffered: usize,
    pub(super) read_ahead: usize,
    /// Somebody waits for the next piece.
    pub(super) is_wanted: bool,
    pub(super) end: Option<Result<Option<HeaderMap>, Cause>>,
    /// Nobody reads the rest.
    pub(super) is_abandoned: bool,
    /// The client is to finish sending once the request is out.
    pub(super) half_close: bool,
    pub(super) behind: Option<SharedBehind>,
    /// What went over the wire, once that is another's.
    pub(super) transcript: Option<Rc<Transcript>>,
}

impl Exchange {
    pub(super) fn new(message: Message, read_ahead: usize) -> Self {
        Self {
            conn: ClientConn::new(Arc::new(generous())),
            message,
            sent: Sent::Nothing,
            given: VecDeque::new(),
            given_end: None,
            is_stopped: false,
            informational: Vec::new(),
            head: None,
            head_at: None,
            chunks: VecDeque::new(),
            buffered: 0,
            read_ahead,
            is_wanted: false,
            end: None,
            is_abandoned: false,
            half_close: false,
            behind: None,
            transcript: None,
        }
    }

    /// The request in a line.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.message.method, self.message.target)
    }

    /// Whether nothing more comes.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// Whether nothing more is sent.
    pub(super) fn has_sent_all(&self) -> bool {
        let is_stopped = self.is_stopped && (self.given.is_empty() || self.sent == Sent::Head);
        self.sent == Sent::All || is_stopped
    }

    /// Sends no more than what was given so far.
    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Whether the connection may serve another exchange after this one.
    pub(super) fn keeps_connection(&mut self) -> bool {
        !self.half_close && matches!(self.end, Some(Ok(_))) && self.conn.reuse().is_ok()
    }

    /// Gives a piece of the request's content, or of what the connection was switched to. Where all is over, as after a
    /// refusal, it goes nowhere.
    #[track_caller]
    pub(super) fn give(&mut self, bytes: Bytes) {
        if !self.is_over() {
            self.expect_open();
            if !self.conn.is_tunnel() {
                self.expect_by_hand();
            }
            self.given.push_back(bytes);
        }
    }

    #[track_caller]
    pub(super) fn give_end(&mut self, trailers: Option<HeaderMap>) {
        if !self.is_over() {
            self.expect_open();
            self.expect_by_hand();
            self.given_end = Some(trailers);
        }
    }

    #[track_caller]
    fn expect_open(&self) {
        assert!(!self.is_stopped, "{}: this end has finished sending", self.label());
    }

    #[track_caller]
    fn expect_by_hand(&self) {
        let is_by_hand = matches!(self.message.content, Content::ByHand);
        assert!(is_by_hand, "{}: its content is not `body_by_hand`", self.label());
        let has_ended = self.given_end.is_some() || self.sent == Sent::All;
        assert!(!has_ended, "{}: its content has ended", self.label());
    }

    /// Writes what can be written; whether the request is out.
    pub(super) fn send(&mut self, output: &mut Output) -> Result<bool, Misuse> {
        if self.sent == Sent::Nothing {
            self.send_head(output)?;
        }
        if self.sent == Sent::Head {
            let goes_on = self.informational.iter().any(|response| response.status.as_u16() == 100);
            if goes_on && self.head.is_none() {
                self.sent = Sent::Body;
            }
        }
        while self.sent == Sent::Body && output.len() < WRITE_AHEAD {
            if !self.send_piece(output)? {
                break;
            }
        }
        if self.conn.is_tunnel() {
            for bytes in self.given.drain(..) {
                self.conn.send_data(bytes, output)?;
            }
        }
        Ok(self.sent == Sent::All)
    }

    fn send_head(&mut self, output: &mut Output) -> Result<(), Misuse> {
        let Message { method, target, headers, content } = &self.message;
        let declared =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let length = match content {
            Content::Whole(bytes) => BodyLength::Exact(bytes.len() as u64),
            _ => declared.map_or(BodyLength::Unknown, BodyLength::Exact),
        };
        self.conn.send_head(RequestHead::new(method, target, headers), length, output)?;
        let waits = headers.get(header::EXPECT).is_some_and(is_continue);
        self.sent = if waits && length != BodyLength::Exact(0) { Sent::Head } else { Sent::Body };
        Ok(())
    }

    /// Writes the next piece of the content, or its end; whether there was one.
    fn send_piece(&mut self, output: &mut Output) -> Result<bool, Misuse> {
        let next = match &mut self.message.content {
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(std::mem::take(bytes)),
            Content::Pieces(_) if self.is_stopped => return Ok(false),
            Content::Pieces(pieces) => pieces.next(),
            Content::ByHand => match self.given.pop_front() {
                None if self.given_end.is_none() => return Ok(false),
                piece => piece,
            },
        };
        match next {
            Some(piece) => self.conn.send_data(piece, output)?,
            None => {
                let trailers = self.given_end.take().flatten();
                self.conn.send_end(trailers.as_ref(), output)?;
                self.sent = Sent::All;
            }
        }
        Ok(true)
    }

    /// How many bytes of the connection may be taken for this exchange now.
    pub(super) fn room(&self) -> usize {
        match self.head {
            _ if self.is_over() => 0,
            // A slow reader takes no byte behind the head.
            None if self.read_ahead == 0 => 1,
            None => TAKEN_AT_ONCE,
            Some(_) if self.is_wanted && self.chunks.is_empty() => TAKEN_AT_ONCE,
            Some(_) => TAKEN_AT_ONCE.min(self.read_ahead.saturating_sub(self.buffered)),
        }
    }

    /// Takes in what has come.
    pub(super) fn receive(&mut self, input: &mut BytesMut) {
        while !self.is_over() {
            match self.conn.next(input) {
                Ok(Event::Head(head)) if head.status.is_informational() && head.status.as_u16() != 101 => {
                    if self.informational.len() < INFORMATIONAL {
                        self.informational.push(head.into());
                    }
                }
                Ok(Event::Head(head)) => self.head = Some(head.into()),
                Ok(Event::Data(piece)) => {
                    self.buffered += piece.len();
                    self.chunks.push_back(piece);
                }
                Ok(Event::End(trailers)) => self.end = Some(Ok(trailers)),
                Ok(Event::Closed | Event::Paused) => self.end = Some(Ok(None)),
                Ok(_) => return,
                Err(Refusal { reason: Reason::UnexpectedEnd, .. }) => {
                    self.end = Some(Err(if self.head.is_some() { Cause::Cut } else { Cause::Closed }));
                }
                Err(refusal) => self.end = Some(Err(Cause::Malformed(refusal))),
            }
        }
    }

    /// Notes when the head came, if it just did.
    pub(super) fn note_time(&mut self, now: Duration) {
        if self.head.is_some() {
            self.head_at.get_or_insert(now);
        }
    }

    /// Nothing more comes on this connection.
    pub(super) fn finish_input(&mut self, input: &mut BytesMut) {
        self.conn.finish_input();
        self.receive(input);
    }

    pub(super) fn fail(&mut self, cause: Cause) {
        self.end.get_or_insert(Err(cause));
    }

    /// The next piece of the content that has come.
    pub(super) fn next_chunk(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.pop_front()?;
        self.buffered -= chunk.len();
        Some(chunk)
    }
}

/// Whether it is what RFC 9110, section 10.1.1, defines.
fn is_continue(expect: &HeaderValue) -> bool {
    expect.as_bytes().eq_ignore_ascii_case(b"100-continue")
}

/// What a client takes: a test says itself what is too much.
fn generous() -> Limits {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.head_fields) = (1 << 20, 10_000);
    (limits.trailer_bytes, limits.trailer_fields) = (1 << 20, 10_000);
    limits
}
