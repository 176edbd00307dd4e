//! From the handler to the output.
//!
//! The rule: a head is sent once; after it an error can only cut the message off, and before it every error
//! becomes a response. The next piece of a body is asked for only while there is room for it.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::error::{Disconnected, Error};
use crate::h1::{BodyLength, CloseReason, Misuse, ResponseHead};
use crate::machine::{Io, Peer};
use crate::message::{Body, BodyError, IntoResponse, Response, body::Inner, spare};
use crate::session::exchange::{WriteStage, Written, WrittenHead};
use crate::session::observe::{Entry, Event};
use crate::session::service::{Answer, Service, panicked};
use crate::session::session::{Sending, Session, Stage};

impl<S: Service> Session<S> {
    /// Moves the response on; whether it did.
    pub(super) fn send(&mut self, io: &mut Io) -> bool {
        match self.stage {
            Stage::Exchange => {
                // What the handler writes now is sent in the next round, before anything is received.
                let moved = self.poll_handler(io) | self.send_stream(io) | self.send_socket(io);
                self.measure_response(io);
                moved | self.finish_exchange()
            }
            Stage::Closing => self.close(io),
            _ => false,
        }
    }

    fn poll_handler(&mut self, io: &mut Io) -> bool {
        if self.handler.is_none() || !std::mem::take(&mut self.poll_due) {
            return false;
        }
        let (handler, waker) = (&mut self.handler, &self.waker);
        let poll = self.observed.guard(Entry::Handler, || {
            let future = handler.as_mut().as_pin_mut()?;
            match future.poll(&mut TaskContext::from_waker(waker)) {
                Poll::Ready(value) => Some(value.into_response().unwrap_or_else(Error::into_response)),
                Poll::Pending => None,
            }
        });
        match poll {
            Some(None) => return true,
            Some(Some(response)) => {
                self.drop_handler();
                self.respond(response, io);
            }
            None => {
                self.drop_handler();
                self.fail(panicked(), io);
            }
        }
        true
    }

    /// Renders an error with the service's own means. An error of that is rendered without them.
    pub(super) fn fail(&mut self, error: Error, io: &mut Io) {
        if let Sending::Socket(socket) = &self.sending {
            return socket.fail();
        }
        if self.has_begun() {
            self.observed.tell(Event::Failed(&Arc::new(error)));
            return self.abort(io);
        }
        let status = error.status();
        if std::mem::replace(&mut self.failing, true) {
            return self.send_error(Error::from_status(status).into_response(), io);
        }
        let (service, exchange) = (&self.service, &self.exchange);
        match self.observed.guard(Entry::ErrorHandler, || service.fail(error, exchange.asked())) {
            Some(Answer::Ready(response)) => self.send_error(response, io),
            Some(Answer::Future(future)) => {
                // Nobody but this future answers any more, and its time begins now.
                self.exchange.lose(Disconnected::Over, true);
                self.times.called_at = Some(self.now.mono);
                self.handler.set(Some(future));
                self.poll_due = true;
            }
            None => self.send_error(Error::from_status(status).into_response(), io),
        }
    }

    fn send_error(&mut self, response: Response, io: &mut Io) {
        self.tell_failure(&response);
        self.send_response(response, io);
    }

    /// Whether a head is on its way already.
    fn has_begun(&self) -> bool {
        !matches!(self.sending, Sending::Nothing)
    }

    /// Sends what the handler returned.
    fn respond(&mut self, response: Response, io: &mut Io) {
        self.tell_failure(&response);
        if matches!(self.sending, Sending::Socket(_)) {
            return self.leave_socket(response);
        }
        if self.peer == Peer::Gone || self.abort {
            self.sending = Sending::Complete;
            self.observed.guard(Entry::Drop, || drop(response));
            return;
        }
        // What was written up to the return counts.
        self.send_written(io);
        if matches!(self.sending, Sending::Socket(_)) {
            return self.leave_socket(response);
        }
        match (&response.body.0, &self.sending) {
            (Inner::Sent, Sending::Complete) => {}
            (Inner::Sent, Sending::Nothing | Sending::Writer) if self.exchange.has_finished_writing() => {}
            (Inner::Sent, _) => {
                self.observed.tell(Event::SentByAnother);
                self.fail(Error::internal(), io);
            }
            (_, Sending::Nothing) => self.send_response(response, io),
            // The handler began a response, left it, and returned another.
            (_, _) => {
                self.observed.guard(Entry::Drop, || drop(response));
                self.abort(io);
            }
        }
    }

    /// Sends the head of `response`, and of its body what is there.
    fn send_response(&mut self, response: Response, io: &mut Io) {
        let Response { status, headers, mut body, extensions } = response;
        self.observed.guard(Entry::Drop, || drop(extensions));
        self.exchange.refuse_writing();
        let Some(length) = self.observed.guard(Entry::Body, || body.length()) else {
            self.observed.guard(Entry::Drop, || drop(body));
            return self.fail(panicked(), io);
        };
        let sends = self.will_send_body(status);
        let streams = sends && matches!(body.0, Inner::Stream(_) | Inner::Incoming(_) | Inner::Ended(_));
        let mut first = None;
        if streams {
            // An error that is there at once can still become a response of its own.
            match self.poll_body(&mut body) {
                Some(Poll::Ready(Ok(Some(chunk)))) => first = Some(chunk),
                Some(Poll::Ready(Ok(None))) => body.tell_end_again(),
                Some(Poll::Pending) => {}
                Some(Poll::Ready(Err(error))) => return self.fail(error.into_error(), io),
                None => {
                    self.observed.guard(Entry::Drop, || drop(body));
                    return self.fail(panicked(), io);
                }
            }
        }
        let length = match &body.0 {
            // Over before it began: what it announced decides whether that is well, unless it announced nothing.
            Inner::Ended(ended) if ended.trailers.is_none() => length.or(Some(0)),
            _ => length,
        };
        self.announce_close(!streams || matches!(body.0, Inner::Ended(_)));
        if let Err(misuse) = self.send_head(status, &headers, length, io) {
            self.observed.tell(Event::Misused(&misuse));
            self.observed.guard(Entry::Drop, || drop(body));
            return self.fail(Error::internal(), io);
        }
        spare::give(headers);
        self.send_body(body, first, io);
    }

    /// Tells of the error that a response was made of, if it was.
    fn tell_failure(&self, response: &Response) {
        if let Some(error) = response.extensions.get() {
            self.observed.tell(Event::Failed(error));
        }
    }

    /// Sends what there is of a body whose head was sent, and of which `first` was taken already.
    fn send_body(&mut self, body: Body, first: Option<Bytes>, io: &mut Io) {
        if !self.conn.sends_body() {
            self.observed.guard(Entry::Drop, || drop(body));
            return self.end_body(Ok(()), None, io);
        }
        let sent = first.map_or(Ok(()), |first| self.conn.send_data(first, &mut io.output));
        let mut trailers = None;
        let sent = match body.0 {
            Inner::Bytes(bytes) => self.conn.send_data(bytes, &mut io.output),
            Inner::Owned(bytes) => self.conn.send_data(bytes, &mut io.output),
            Inner::Ended(ended) => {
                trailers = ended.trailers;
                sent
            }
            Inner::Empty | Inner::Sent => sent,
            inner @ (Inner::Stream(_) | Inner::Incoming(_)) => {
                self.sending = Sending::Stream(Body(inner));
                self.poll_due = true;
                if let Err(misuse) = sent {
                    self.observed.tell(Event::Misused(&misuse));
                    self.abort(io);
                }
                return;
            }
        };
        self.end_body(sent, trailers.as_deref(), io);
    }

    /// Ends the message, if all before went well.
    fn end_body(&mut self, sent: Result<(), Misuse>, trailers: Option<&HeaderMap>, io: &mut Io) {
        let ended = sent.and_then(|()| self.conn.send_end(trailers, &mut io.output));
        if let Err(misuse) = ended {
            self.observed.tell(Event::Misused(&misuse));
            return self.abort(io);
        }
        self.sending = Sending::Complete;
    }

    fn send_head(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        length: Option<u64>,
        io: &mut Io,
    ) -> Result<(), Misuse> {
        if self.conn.expects_continue() {
            // Asked for before the head, so the client is still to be told to go on before it.
            self.receive_body(io);
        }
        let length = length.map_or(BodyLength::Unknown, BodyLength::Exact);
        let lent = io.lent.get_or_insert_default();
        lent.date.refresh(self.now.wall);
        let head = ResponseHead { status, headers, date: Some(&lent.date) };
        let written_before = io.output.taken() + io.output.len();
        self.conn.send_head(head, length, &mut io.output)?;
        if let Some(record) = &mut self.record {
            (record.status, record.written_before) = (Some(status), written_before);
        }
        Ok(())
    }

    /// Says that the connection closes while it can still be said: with a response that is complete, or of which no
    /// part holds the request, a request body that is unread and too long to drain will never be read.
    fn announce_close(&mut self, complete: bool) {
        let complete = complete || Arc::get_mut(&mut self.exchange).is_some();
        if complete && !self.conn.has_received_all() && !self.is_drainable() {
            self.conn.close(CloseReason::UnreadBody);
        }
    }

    /// Whether this status, in answer to this request, carries a body (RFC 9112, section 6.3).
    fn will_send_body(&self, status: StatusCode) -> bool {
        let none = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED];
        self.method() != Some(&Method::HEAD) && !status.is_informational() && !none.contains(&status)
    }

    /// Polls a body of the application's; `None` if it panicked.
    fn poll_body(&mut self, body: &mut Body) -> Option<Poll<Result<Option<Bytes>, BodyError>>> {
        let waker = &self.waker;
        self.observed.guard(Entry::Body, || body.poll_chunk(&mut TaskContext::from_waker(waker)))
    }

    /// Takes the next piece of a streamed body.
    fn send_stream(&mut self, io: &mut Io) -> bool {
        if !matches!(self.sending, Sending::Stream(_)) || !self.has_room(io) {
            return false;
        }
        if !std::mem::take(&mut self.poll_due) {
            return false;
        }
        let Sending::Stream(mut body) = std::mem::take(&mut self.sending) else { return false };
        match self.poll_body(&mut body) {
            Some(Poll::Pending) => self.sending = Sending::Stream(body),
            Some(Poll::Ready(Ok(Some(chunk)))) => {
                let sent = self.conn.send_data(chunk, &mut io.output);
                self.sending = Sending::Stream(body);
                self.poll_due = true;
                if let Err(misuse) = sent {
                    self.observed.tell(Event::Misused(&misuse));
                    self.abort(io);
                }
            }
            Some(Poll::Ready(Ok(None))) => {
                let trailers = body.trailers();
                self.end_body(Ok(()), trailers.as_ref(), io);
            }
            Some(Poll::Ready(Err(error))) => {
                self.observed.tell(Event::BodyFailed(&error));
                self.observed.guard(Entry::Drop, || drop(error));
                self.sending = Sending::Stream(body);
                self.abort(io);
            }
            None => {
                self.sending = Sending::Stream(body);
                self.abort(io);
            }
        }
        true
    }

    /// Sends what the handler has written by itself, while there is room.
    pub(super) fn send_written(&mut self, io: &mut Io) -> bool {
        if self.abort || self.peer == Peer::Gone || !self.exchange.has_written() || !self.has_room(io) {
            return false;
        }
        if !matches!(self.sending, Sending::Nothing | Sending::Writer) {
            return false;
        }
        let Written { head, data, stage } = self.exchange.take_written();
        let moved = head.is_some() || !data.is_empty() || stage != WriteStage::Open;
        if let Some(mut head) = head {
            if stage == WriteStage::Unused {
                self.inform(&head, io);
                return true;
            }
            if let Some(before) = head.before.take() {
                self.inform(&before, io);
            }
            if stage == WriteStage::Abandoned {
                // Nothing has been sent, so the handler's answer may still be another.
                self.exchange.forget_writing();
                return true;
            }
            // A handler that is through reads no more, so it is known by now whether the connection can be kept.
            self.announce_close(self.handler.is_none() && matches!(stage, WriteStage::Finished(_)));
            if let Err(misuse) = self.begin_written(*head, io) {
                self.observed.tell(Event::Misused(&misuse));
                self.exchange.lose(Disconnected::Over, true);
                self.drop_handler();
                self.fail(Error::internal(), io);
                return true;
            }
        }
        let sent = data.into_iter().try_for_each(|data| self.conn.send_data(data, &mut io.output));
        match stage {
            WriteStage::Finished(trailers) => self.end_body(sent, trailers.as_deref(), io),
            WriteStage::Abandoned => self.abandon(io),
            _ if sent.is_err() => self.abandon(io),
            _ => {}
        }
        moved
    }

    /// Sends an informational head. What it must not say is left out, as all of it may be: nobody counts on it.
    fn inform(&mut self, head: &WrittenHead, io: &mut Io) {
        if let Err(misuse) = self.conn.send_informational(head.status, &head.headers, &mut io.output) {
            self.observed.tell(Event::Misused(&misuse));
        }
    }

    fn begin_written(&mut self, head: WrittenHead, io: &mut Io) -> Result<(), Misuse> {
        self.send_head(head.status, &head.headers, head.length, io)?;
        self.sending = match head.socket {
            Some(mut socket) => {
                socket.start(self.now.mono, self.draining);
                Sending::Socket(socket)
            }
            None => Sending::Writer,
        };
        Ok(())
    }

    /// The handler left its own response in the middle.
    fn abandon(&mut self, io: &Io) {
        self.drop_handler();
        self.abort(io);
    }

    /// Ends the exchange once the handler and the response are through.
    fn finish_exchange(&mut self) -> bool {
        if self.stage != Stage::Exchange || self.handler.is_some() || !self.has_sent_all() {
            return false;
        }
        self.end_exchange();
        if self.peer == Peer::Gone || self.abort {
            self.stage = Stage::Closing;
        } else if self.conn.has_received_all() {
            self.turn_over();
        } else if self.conn.close_reason().is_none() && self.is_drainable() {
            self.stage = Stage::Discarding;
        } else {
            self.stage = Stage::Closing;
        }
        true
    }

    /// Both messages are complete: on to the next request, if there may be one.
    pub(super) fn turn_over(&mut self) {
        self.times.body = None;
        // The time for the next request begins now, though the response may have been read long ago; if it is
        // still to be read, the time begins anew once it is.
        self.times.idle_since = Some(self.now.mono);
        self.stage = match self.conn.reuse() {
            Ok(()) => Stage::Waiting,
            Err(_) => Stage::Closing,
        };
    }

    /// Waits for the peer to have read all, and then for it to go, or for `linger_time`.
    fn close(&mut self, io: &mut Io) -> bool {
        self.times.body = None;
        if self.abort && self.peer != Peer::Gone {
            return false;
        }
        if !io.output.is_empty() {
            return false;
        }
        let is_cut = matches!(&self.sending, Sending::Socket(socket) if socket.is_cut());
        if self.peer != Peer::Open || is_cut {
            self.end(io);
            return true;
        }
        self.times.linger_ends_at.get_or_insert(self.now.mono + self.conn.limits().linger_time);
        false
    }
}
