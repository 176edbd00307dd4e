//! When a session acts although nothing came.
//!
//! The rule: a deadline is a point in time that the clock decides, never a timer that fired; the earliest is
//! told to the driver, and acting on one removes it.

use http::StatusCode;

use crate::error::Error;
use crate::h1::CloseReason;
use crate::machine::{Io, Moment, Peer};
use crate::message::BodyError;
use crate::session::observe::{Deadline, Event};
use crate::session::pace::Pace;
use crate::session::service::Service;
use crate::session::session::{Sending, Session, Stage, Times};

/// The first of several deadlines; of two at the same moment, the one that was looked at first.
struct Earliest(Option<(Moment, Deadline)>);

impl Earliest {
    fn of(&mut self, at: Option<Moment>, which: Deadline) {
        let Some(at) = at else { return };
        if self.0.is_none_or(|(first, _)| at < first) {
            self.0 = Some((at, which));
        }
    }
}

impl<S: Service> Session<S> {
    /// The earliest point in time at which the session itself has something to do.
    pub(super) fn earliest(&self) -> Option<Moment> {
        let deadline = self.deadline().map(|(at, _)| at);
        let Sending::Socket(socket) = &self.sending else { return deadline };
        deadline.into_iter().chain(socket.ping_at()).min()
    }

    /// The earliest deadline.
    fn deadline(&self) -> Option<(Moment, Deadline)> {
        let limits = self.conn.limits();
        let times = &self.times;
        let head = match self.stage {
            Stage::Waiting => times.head_began_at.map(|at| at + limits.head_time),
            _ => None,
        };
        let idle = match self.stage {
            Stage::Waiting if head.is_none() && times.write.is_none() => times.idle_since,
            _ => None,
        };
        let handler_counts = match &self.sending {
            Sending::Nothing => true,
            // Nobody waits for a response any more, and the handler runs on all the same.
            Sending::Complete => self.peer == Peer::Gone,
            Sending::Writer | Sending::Stream(_) => false,
            Sending::Socket(socket) => socket.is_over(),
        };
        let called_at = times.called_at.filter(|_| handler_counts && self.handler.is_some());
        let handler_time = called_at.and_then(|_| self.handler_time());
        let handler = called_at.zip(handler_time).map(|(at, time)| at + time);
        let body = times.body.and_then(|pace| pace.deadline(limits.body_time, limits));
        let write = times.write.and_then(|pace| pace.deadline(limits.write_time, limits));
        let mut earliest = Earliest(None);
        earliest.of(head, Deadline::Head);
        earliest.of(idle.map(|at| at + limits.idle_time), Deadline::Idle);
        earliest.of(body, Deadline::Body);
        earliest.of(write, Deadline::Write);
        earliest.of(handler, Deadline::Handler);
        earliest.of(times.linger_ends_at, Deadline::Linger);
        earliest.of(times.drain_ends_at, Deadline::Drain);
        for (at, which) in self.socket_deadlines() {
            earliest.of(at, which);
        }
        earliest.0
    }

    /// Acts on a deadline that has passed; whether there was one.
    pub(super) fn expire(&mut self, io: &mut Io) -> bool {
        let Some((_, which)) = self.deadline().filter(|(at, _)| *at <= self.now.mono) else { return false };
        if which == Deadline::Idle && !(io.input.is_empty() && io.output.is_empty()) {
            // What came at the last moment came in time, and the time begins once the answer has left.
            return false;
        }
        self.observed.tell(Event::DeadlinePassed(which));
        match which {
            Deadline::Head => {
                self.times.head_began_at = None;
                self.conn.note_method();
                self.conn.close(CloseReason::TimedOut);
                self.refuse(
                    Error::new(StatusCode::REQUEST_TIMEOUT, "the request took too long to arrive"),
                    io,
                );
            }
            Deadline::Idle | Deadline::Linger => {
                self.conn.close(CloseReason::TimedOut);
                self.end(io);
            }
            Deadline::Body if matches!(self.sending, Sending::Socket(_)) => self.socket_timed_out(which, io),
            Deadline::Body => self.body_timed_out(),
            // The driver resets the connection, and says then that the peer is gone.
            Deadline::Write => self.abort_now(io),
            Deadline::Handler => {
                self.times.called_at = None;
                self.drop_handler();
                self.conn.close(CloseReason::TimedOut);
                if self.peer == Peer::Gone {
                    return true;
                }
                self.fail(Error::from_status(StatusCode::SERVICE_UNAVAILABLE), io);
            }
            Deadline::Pong | Deadline::CloseHandshake => self.socket_timed_out(which, io),
            Deadline::Drain => {
                self.times.drain_ends_at = None;
                self.drain_is_up(io);
            }
        }
        true
    }

    fn body_timed_out(&mut self) {
        self.times.body = None;
        self.conn.close(CloseReason::TimedOut);
        match self.stage {
            Stage::Discarding => self.stage = Stage::Closing,
            _ => self.exchange.end_body(Err(BodyError::TimedOut)),
        }
    }

    /// The server does not wait any longer.
    fn drain_is_up(&mut self, io: &mut Io) {
        if self.abort {
            // The message is to look cut, and an end would look like one.
            io.output.clear();
            return self.drop_handler();
        }
        let unsent = !io.output.is_empty() || self.stage == Stage::Exchange;
        self.drop_handler();
        self.drop_body();
        self.end_exchange();
        self.stage = Stage::Closing;
        match unsent {
            true => self.abort_now(io),
            false => self.end(io),
        }
    }

    /// The end, without anything more to say.
    pub(super) fn end(&mut self, io: &mut Io) {
        io.input.clear();
        self.end_exchange();
        self.start_after();
        self.tell_closed();
        self.times = Times::default();
        self.stage = Stage::Done;
        self.scope.close();
    }

    /// Starts and stops the clocks of the transfers, at the end of a step.
    pub(super) fn clock_transfers(&mut self, io: &Io) {
        let waited_for = match self.stage {
            // A tunnel may be silent: what it carries has rules of its own.
            Stage::Exchange => !self.conn.is_tunnel() && self.exchange.wants_body(),
            Stage::Discarding => true,
            _ => false,
        };
        match (&mut self.times.body, waited_for) {
            (Some(pace), true) => pace.resume(self.now.mono),
            (Some(pace), false) => pace.pause(self.now.mono),
            (None, true) => self.times.body = Some(Pace::start(self.now.mono)),
            (None, false) => {}
        }
        if !io.output.is_empty() {
            self.times.write.get_or_insert(Pace::start(self.now.mono));
        }
    }
}
