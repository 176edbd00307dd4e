//! From the input to the handler.
//!
//! The rule: bytes are taken only for somebody: a head when the last exchange is over, a piece of a body when
//! its reader asks. What nobody asked for stays in the input, and soon in the socket.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};

use crate::error::{Disconnected, Error};
use crate::h1::{BodyLength, CloseReason, Event as WireEvent, Reason, ReceivedRequest, Refusal};
use crate::machine::{Io, Peer};
use crate::message::{Asked, Body, BodyError, Context, Request};
use crate::session::exchange::{Exchange, Switch};
use crate::session::observe::{AccessRecord, Entry, Event};
use crate::session::service::Service;
use crate::session::session::{Sending, Session, Stage};

impl<S: Service> Session<S> {
    /// Takes what is wanted from the input; whether anything came of it.
    pub(super) fn receive(&mut self, io: &mut Io) -> bool {
        match self.stage {
            Stage::Waiting => self.has_room(io) && self.receive_head(io),
            // A switch of protocols that was asked for comes before what is read by the new one.
            Stage::Exchange if matches!(self.sending, Sending::Socket(_)) => self.receive_socket(io),
            Stage::Exchange => self.send_written(io) | self.receive_body(io),
            Stage::Discarding => self.discard_body(io),
            Stage::Closing if !self.abort => {
                io.input.clear();
                false
            }
            Stage::Closing | Stage::Done => false,
        }
    }

    fn receive_head(&mut self, io: &mut Io) -> bool {
        if io.input.is_empty() && self.peer == Peer::Open {
            return false;
        }
        match self.conn.next(&mut io.input) {
            Ok(WireEvent::Head(head)) => self.begin(head, io),
            Ok(WireEvent::Closed) => self.stage = Stage::Closing,
            Ok(_) if io.input.is_empty() => return false,
            Ok(_) => {
                self.times.head_began_at.get_or_insert(self.now.mono);
                return false;
            }
            Err(refusal) => {
                self.observed.tell(Event::Refused(&refusal));
                self.refuse(Error::from(refusal), io);
            }
        }
        true
    }

    /// Hands a request to the service.
    fn begin(&mut self, mut head: ReceivedRequest, io: &mut Io) {
        if head.upgrade {
            // What it becomes may live long, and is not to keep the memory that its head was read into.
            head.detach();
        }
        self.times.head_began_at = None;
        self.times.idle_since = None;
        self.times.called_at = Some(self.now.mono);
        self.stage = Stage::Exchange;
        self.sending = Sending::Nothing;
        let switch = match head.upgrade {
            false => Switch::Never,
            true if head.method == Method::CONNECT => Switch::Successful,
            true => Switch::SwitchingProtocols,
        };
        let declared = match head.body {
            BodyLength::Exact(length) => Some(length),
            BodyLength::Unknown => None,
        };
        let bodiless = declared == Some(0);
        self.renew_exchange(switch, Some(Asked::of(&head)), bodiless);
        let body = match bodiless && !head.upgrade {
            true => Body::empty(),
            // After an upgrade the body has no end, so it has no length to tell.
            false => Body::incoming(self.exchange.clone(), declared.filter(|_| !bodiless)),
        };
        if bodiless {
            let _ = self.conn.next(&mut io.input);
        }

        if self.observed.0.is_some() {
            let (method, target) = (head.method.clone(), head.uri.clone());
            let mut record = AccessRecord::new(method, target, head.version, self.now.mono);
            record.written_before = io.output.taken() + io.output.len();
            self.observed.tell(Event::RequestStarted(&record));
            self.record = Some(Box::new(record));
        }
        let connection = io.connection.clone();
        let spawner = self.attached.as_ref().map(|attached| attached.spawner().clone());
        let context = Context::new(self.exchange.clone(), connection, spawner);
        let request = Request::received(head, body, context);

        let service = &self.service;
        match self.observed.guard(Entry::Handler, || service.call(request)) {
            Some(future) => self.handler.set(Some(future)),
            None => self.fail(super::service::panicked(), io),
        }
        self.poll_due = true;
    }

    /// Makes the exchange as new. If a part of it was kept, that part keeps the old one.
    fn renew_exchange(&mut self, switch: Switch, asked: Option<Asked>, bodiless: bool) {
        if let Some(exchange) = Arc::get_mut(&mut self.exchange) {
            return exchange.restart(switch, asked, bodiless);
        }
        let mut exchange = Exchange::unshared(self.scope.clone(), None, self.exchange.limits().clone());
        exchange.restart(switch, asked, bodiless);
        self.exchange = Arc::new(exchange);
    }

    pub(super) fn receive_body(&mut self, io: &mut Io) -> bool {
        if self.abort || self.peer == Peer::Gone || !self.exchange.wants_body() {
            return false;
        }
        let mut moved = false;
        if self.conn.expects_continue() && io.input.is_empty() {
            // Only now does somebody want it, and the client waits to be told (RFC 9110, section 10.1.1).
            moved = self.conn.send_continue(&mut io.output).is_ok();
        }
        match self.conn.next(&mut io.input) {
            Ok(WireEvent::Data(chunk)) => {
                self.note_body(&chunk);
                self.exchange.give_chunk(chunk);
            }
            Ok(WireEvent::End(trailers)) => self.exchange.end_body(Ok(trailers)),
            Ok(WireEvent::Paused) if self.is_about_to_write() => return moved,
            Ok(WireEvent::Closed | WireEvent::Paused) => self.exchange.end_body(Ok(None)),
            Ok(_) => return moved,
            Err(refusal) => self.body_broke(refusal),
        }
        true
    }

    /// Whether the handler began a response whose head still waits for room.
    fn is_about_to_write(&self) -> bool {
        matches!(self.sending, Sending::Nothing) && self.exchange.has_begun_writing()
    }

    fn note_body(&mut self, chunk: &Bytes) {
        if let Some(pace) = &mut self.times.body {
            pace.resume(self.now.mono);
            pace.progress(chunk.len() as u64, self.now.mono);
        }
    }

    /// The framing of the body is broken, or its end is missing: the reader is told, and answers.
    fn body_broke(&mut self, refusal: Refusal) {
        self.conn.close(CloseReason::Refused);
        let error = match refusal.reason {
            Reason::UnexpectedEnd => BodyError::Disconnected(Disconnected::Finished),
            _ => {
                self.observed.tell(Event::Refused(&refusal));
                BodyError::Refused(refusal)
            }
        };
        self.exchange.end_body(Err(error));
    }

    /// Reads on, for nobody, what is short enough to keep the connection for.
    fn discard_body(&mut self, io: &mut Io) -> bool {
        match self.conn.next(&mut io.input) {
            Ok(WireEvent::Data(chunk)) => self.note_body(&chunk),
            Ok(WireEvent::NeedInput) => return false,
            Ok(_) => self.turn_over(),
            Err(_) => self.stage = Stage::Closing,
        }
        true
    }

    /// Whether the unread rest of the request's body is worth reading to keep the connection.
    pub(super) fn is_drainable(&self) -> bool {
        let rest = self.conn.body_remaining();
        !self.conn.expects_continue()
            && rest.is_some_and(|rest| rest <= self.conn.limits().drained_body_bytes)
    }

    /// Renders an error in the place of a response to a request that could not be read.
    pub(super) fn refuse(&mut self, error: Error, io: &mut Io) {
        debug_assert!(error.status() != StatusCode::OK);
        self.conn.close(CloseReason::Refused);
        self.stage = Stage::Exchange;
        self.sending = Sending::Nothing;
        self.times.head_began_at = None;
        self.times.idle_since = None;
        self.renew_exchange(Switch::Never, None, false);
        self.exchange.lose(Disconnected::Over, true);
        self.fail(error, io);
    }
}
