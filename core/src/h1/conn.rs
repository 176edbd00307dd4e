//! One end of an HTTP/1 connection: its receiving half, and what both halves share.
//!
//! The rule: every fact has one owner. The states are [`States`]'s, the wish to close is `close`, the framing
//! of each direction is that direction's, and what the request settled stands in [`Facts`].

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};

use super::chunked::{Decoder, Piece};
use super::error::{CloseReason, Fault, Misuse, Reason, Refusal};
use super::head::{BodyLength, Facts, Follows};
use super::role::{Client, Role, Server};
use super::scan::HeadScan;
use super::transitions::{Side, State, States, Step};
use crate::limits::Limits;

/// The most that one [`Event::Data`] carries, however much there is: whoever handles it does bounded work.
pub(super) const PIECE: usize = 64 << 10;

/// What was taken from the input.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<H> {
    /// Nothing can be taken before there is more input.
    NeedInput,
    /// A head. A client may get several: those of 1xx come before the final one.
    Head(H),
    /// A piece of the content, or of the tunnelled protocol; never empty. It shares the input's memory.
    Data(Bytes),
    /// The end of the message, with its trailers if it had any that may be passed on.
    End(Option<HeaderMap>),
    /// The message is over. What follows it stays in the input until [`Conn::reuse`].
    Paused,
    /// Nothing comes any more, and nothing is missing.
    Closed,
}

/// The framing of what is received.
#[derive(Debug)]
enum Incoming {
    Length(u64),
    Chunked(Decoder),
    UntilClose,
}

/// The framing of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// The message has no content on the wire: what is given is dropped.
    Discard,
    Length(u64),
    Chunked,
    UntilClose,
}

/// One end of an HTTP/1 connection, without the connection: bytes in, events out, and the way back.
///
/// The life of an exchange, and its states, stand at the head of [this module](super).
pub struct Conn<R: Role> {
    pub(super) limits: Arc<Limits>,
    pub(super) states: States,
    pub(super) facts: Facts,
    pub(super) close: Option<CloseReason>,
    pub(super) outgoing: Outgoing,
    incoming: Incoming,
    scan: HeadScan,
    /// Bytes of the current message that were taken.
    offset: u64,
    refusal: Option<Refusal>,
    input_ended: bool,
    role: PhantomData<fn() -> R>,
}

/// The server's end.
pub type ServerConn = Conn<Server>;

/// The client's end.
pub type ClientConn = Conn<Client>;

impl<R: Role> Conn<R> {
    /// A new connection's end.
    pub fn new(limits: Arc<Limits>) -> Self {
        Self {
            limits,
            states: States::new(),
            facts: Facts::default(),
            close: None,
            outgoing: Outgoing::Discard,
            incoming: Incoming::Length(0),
            scan: R::scan(),
            offset: 0,
            refusal: None,
            input_ended: false,
            role: PhantomData,
        }
    }

    /// Takes the next event from the front of `input`.
    ///
    /// What is consumed is split off; a head stays in `input` until it is complete, so the caller must leave
    /// it there and append. The same bytes give the same events however they are cut, but for where content
    /// is cut.
    ///
    /// # Errors
    ///
    /// What the peer sent breaks HTTP, or a limit. From then on every call gives the same refusal; a server
    /// may still send a response, which announces the close.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Event<R::Received>, Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        let event = match self.states.of(R::RECEIVES) {
            State::Idle => self.next_head(input),
            State::Body => self.next_content(input),
            State::Done => Ok(Event::Paused),
            State::Tunnel => Ok(self.next_tunnelled(input)),
            State::Closed | State::Failed => Ok(Event::Closed),
        };
        event.map_err(|fault| self.refuse(fault))
    }

    fn next_head(&mut self, input: &mut BytesMut) -> Result<Event<R::Received>, Fault> {
        if !input.is_empty() && R::RECEIVES == Side::Response && self.states.of(Side::Request) == State::Idle
        {
            return Err(Fault::new(Reason::UnsolicitedResponse, 0));
        }
        match self.scan.advance(input, &self.limits)? {
            Some(end) => {
                let mut block = input.split_to(end);
                self.scan.section.unfold(&mut block)?;
                self.judge(block.freeze()).map(Event::Head)
            }
            None if !self.input_ended => Ok(Event::NeedInput),
            // A client that waits for a response misses it; otherwise this is where a connection may end.
            None if !self.scan.has_begun() && self.states.of(Side::Request) == State::Idle => {
                input.clear();
                self.states.take(R::RECEIVES, Step::Close);
                Ok(Event::Closed)
            }
            None => Err(Fault::new(Reason::UnexpectedEnd, input.len())),
        }
    }

    fn judge(&mut self, block: Bytes) -> Result<R::Received, Fault> {
        let length = block.len() as u64;
        let judged = R::judge(block, &self.scan, &mut self.facts, &self.limits)?;
        if judged.follows == Follows::Tunnel && !self.switch() {
            return Err(Fault::new(Reason::UnexpectedUpgrade, 0));
        }
        self.scan = R::scan();
        self.offset += length;
        if let Some(reason) = judged.close {
            self.close(reason);
        }
        let (step, incoming) = match judged.follows {
            Follows::Length(length) => (Step::Head, Incoming::Length(length)),
            Follows::Chunked => (Step::Head, Incoming::Chunked(Decoder::new())),
            Follows::UntilClose => (Step::Head, Incoming::UntilClose),
            Follows::AnotherHead => {
                // The next head is a message of its own.
                self.offset = 0;
                (Step::Informational, Incoming::Length(0))
            }
            Follows::Tunnel => return Ok(judged.head),
        };
        self.incoming = incoming;
        self.states.take(R::RECEIVES, step);
        Ok(judged.head)
    }

    fn next_content(&mut self, input: &mut BytesMut) -> Result<Event<R::Received>, Fault> {
        if !input.is_empty() {
            // Whoever sends has stopped waiting, even where there is nothing yet but a chunk's size.
            self.facts.expects_continue = false;
        }
        let piece = match &mut self.incoming {
            Incoming::Length(0) => Piece::End(None),
            _ if input.is_empty() => Piece::Nothing,
            Incoming::Length(remaining) => {
                let piece = input.len().min(PIECE);
                let taken = usize::try_from(*remaining).map_or(piece, |remaining| remaining.min(piece));
                *remaining -= taken as u64;
                self.offset += taken as u64;
                Piece::Data(input.split_to(taken).freeze())
            }
            Incoming::Chunked(decoder) => decoder.next(input, &mut self.offset, &self.limits)?,
            Incoming::UntilClose => {
                let taken = input.len().min(PIECE);
                self.offset += taken as u64;
                Piece::Data(input.split_to(taken).freeze())
            }
        };
        match piece {
            Piece::Data(data) => Ok(Event::Data(data)),
            Piece::End(trailers) => Ok(self.end_received(trailers)),
            Piece::Nothing if !self.input_ended => Ok(Event::NeedInput),
            Piece::Nothing if matches!(self.incoming, Incoming::UntilClose) => Ok(self.end_received(None)),
            Piece::Nothing => Err(Fault::new(Reason::UnexpectedEnd, input.len())),
        }
    }

    fn end_received(&mut self, trailers: Option<HeaderMap>) -> Event<R::Received> {
        self.facts.expects_continue = false;
        self.states.take(R::RECEIVES, Step::End);
        Event::End(trailers)
    }

    fn next_tunnelled(&mut self, input: &mut BytesMut) -> Event<R::Received> {
        if !input.is_empty() {
            let taken = input.len().min(PIECE);
            self.offset += taken as u64;
            return Event::Data(input.split_to(taken).freeze());
        }
        if !self.input_ended {
            return Event::NeedInput;
        }
        self.states.take(R::RECEIVES, Step::Close);
        Event::Closed
    }

    /// The answer to a HEAD has no content even if its fields were refused, or never came.
    pub(crate) fn note_method(&mut self) {
        self.facts.is_head |= R::RECEIVES == Side::Request && self.scan.is_head;
    }

    fn refuse(&mut self, fault: Fault) -> Refusal {
        self.note_method();
        self.states.take(R::RECEIVES, Step::Fail);
        self.close(CloseReason::Refused);
        let offset = self.offset + fault.at as u64;
        let refusal = Refusal { status: R::status(fault.reason), reason: fault.reason, offset };
        self.refusal = Some(refusal);
        refusal
    }

    /// Hands both directions to another protocol, if the request is over; whether it is. A request without
    /// content is over even if nobody has taken its end.
    pub(super) fn switch(&mut self) -> bool {
        if !self.is_request_over() {
            return false;
        }
        self.states.take(Side::Request, Step::End);
        self.close(CloseReason::Switched);
        self.states.take(Side::Request, Step::Switch) && self.states.take(Side::Response, Step::Switch)
    }

    pub(super) fn is_request_over(&self) -> bool {
        let nothing_left = match R::RECEIVES {
            Side::Request => matches!(self.incoming, Incoming::Length(0)),
            Side::Response => matches!(self.outgoing, Outgoing::Length(0) | Outgoing::Discard),
        };
        match self.states.of(Side::Request) {
            State::Done => true,
            State::Body => nothing_left,
            _ => false,
        }
    }

    /// Says that the peer has finished sending: nothing follows what is in the input.
    pub fn finish_input(&mut self) {
        self.input_ended = true;
    }

    /// Where the request and the response stand, in this order.
    pub fn states(&self) -> (State, State) {
        (self.states.of(Side::Request), self.states.of(Side::Response))
    }

    /// Goes on to the next exchange, if both messages are complete and nobody closes.
    ///
    /// # Errors
    ///
    /// Why there is no next exchange, or not yet ([`CloseReason::UnreadBody`], [`CloseReason::Unfinished`]).
    /// Nothing has changed then.
    pub fn reuse(&mut self) -> Result<(), CloseReason> {
        if let Some(reason) = self.close {
            return Err(reason);
        }
        if self.states.of(R::SENDS) != State::Done {
            return Err(CloseReason::Unfinished);
        }
        if self.states.of(R::RECEIVES) != State::Done {
            return Err(CloseReason::UnreadBody);
        }
        self.states.take(Side::Request, Step::Reuse);
        self.states.take(Side::Response, Step::Reuse);
        self.facts = Facts::default();
        self.incoming = Incoming::Length(0);
        self.outgoing = Outgoing::Discard;
        self.offset = 0;
        Ok(())
    }

    /// Says that this exchange is the last: a head that is sent from now on announces it with
    /// `Connection: close` (RFC 9112, section 9.6). The first reason stays.
    pub fn close(&mut self, reason: CloseReason) {
        self.close.get_or_insert(reason);
    }

    /// Why this exchange is the last, if it is known to be.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.close
    }

    /// Bytes of the declared length that were not taken yet; `Some(0)` after the end. `None` if no length was
    /// declared, or there is no message.
    pub fn body_remaining(&self) -> Option<u64> {
        match (self.states.of(R::RECEIVES), &self.incoming) {
            (State::Done, _) => Some(0),
            (State::Body, Incoming::Length(remaining)) => Some(*remaining),
            _ => None,
        }
    }

    /// How much of the content being received is still to come, as far as it is known.
    pub fn incoming_length(&self) -> BodyLength {
        self.body_remaining().map_or(BodyLength::Unknown, BodyLength::Exact)
    }

    /// Whether the peer's message was received up to its end, and [`Event::End`] was taken.
    pub fn has_received_all(&self) -> bool {
        matches!(self.states.of(R::RECEIVES), State::Done | State::Closed)
    }

    /// Whether what is given to [`send_data`](Self::send_data) now goes out: a head was sent, and neither the
    /// request's method nor the status forbids content.
    pub fn sends_body(&self) -> bool {
        match self.states.of(R::SENDS) {
            State::Body => self.outgoing != Outgoing::Discard,
            State::Tunnel => true,
            _ => false,
        }
    }

    /// Whether the connection belongs to another protocol, in at least one direction.
    pub fn is_tunnel(&self) -> bool {
        self.states.of(Side::Request) == State::Tunnel || self.states.of(Side::Response) == State::Tunnel
    }

    /// Bytes of the message being received that were taken so far, skipped empty lines included.
    pub fn message_offset(&self) -> u64 {
        self.offset
    }

    /// The limits that it is under.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn illegal(&self, side: Side, step: Step) -> Misuse {
        Misuse::IllegalStep { side, state: self.states.of(side), step }
    }
}

impl<R: Role> fmt::Debug for Conn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn")
            .field("receives", &R::RECEIVES)
            .field("states", &self.states())
            .field("close", &self.close)
            .field("incoming", &self.incoming)
            .field("outgoing", &self.outgoing)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
