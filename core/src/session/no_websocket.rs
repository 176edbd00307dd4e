//! The place of WebSockets in a session that is built without them: there is no such connection.

use std::time::Duration;

use crate::error::Disconnected;
use crate::machine::{Io, Moment};
use crate::message::Response;
use crate::session::observe::Deadline;
use crate::session::service::Service;
use crate::session::session::Session;

/// What cannot be.
#[derive(Debug)]
pub(crate) enum Driver {}

impl Driver {
    pub(super) fn start(&mut self, _: Moment, _: bool) {
        match *self {}
    }

    pub(super) fn drain(&self) {
        match *self {}
    }

    pub(super) fn fail(&self) {
        match *self {}
    }

    pub(super) fn is_over(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_cut(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_complete(&self) -> bool {
        match *self {}
    }

    pub(super) fn reads(&self) -> bool {
        match *self {}
    }

    pub(super) fn ping_at(&self) -> Option<Moment> {
        match *self {}
    }
}

impl<S: Service> Session<S> {
    pub(super) fn receive_socket(&mut self, _: &mut Io) -> bool {
        false
    }

    pub(super) fn send_socket(&mut self, _: &mut Io) -> bool {
        false
    }

    pub(super) fn leave_socket(&mut self, _: Response) {}

    pub(super) fn lose_socket(&mut self, _: Disconnected) {}

    pub(super) fn socket_deadlines(&self) -> [(Option<Moment>, Deadline); 0] {
        []
    }

    pub(super) fn socket_timed_out(&mut self, _: Deadline, _: &mut Io) {}

    pub(super) fn handler_time(&self) -> Option<Duration> {
        self.exchange.handler_time(self.conn.limits().handler_time)
    }

    pub(super) fn clock_socket(&mut self, _: &Io) {}
}
