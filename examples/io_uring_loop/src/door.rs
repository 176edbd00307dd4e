//! A listener, from the start-up to the drain.
//!
//! The rule: it accepts only while there is room for one connection more. What one operation has accepted beyond that
//! waits here, and is no more than the operating system would have kept in its backlog.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bakestone_std::{Listener, Place, Watch, is_of_one_connection};

use crate::ring::{Completion, Descriptor, Event, Ring, Ticket};

/// A listener.
pub(crate) struct Door {
    socket: Descriptor,
    /// The same socket, as the server knows it.
    pub(crate) listener: Listener,
    watch: Watch,
    waker: Waker,
    accepting: Option<Ticket>,
    /// A cancellation of it is on its way.
    cancelled: bool,
    /// Who was accepted and has no place yet.
    pub(crate) arrived: VecDeque<OwnedFd>,
    /// Accepting has failed in a way that passes when others end: there is no event of that.
    failed: bool,
}

impl Door {
    /// A listener that does not accept yet.
    pub(crate) fn new(socket: TcpListener, listener: Listener, watch: Watch, waker: Waker) -> Self {
        let socket = Rc::new(OwnedFd::from(socket));
        let (accepting, cancelled, arrived, failed) = Default::default();
        Self { socket, listener, watch, waker, accepting, cancelled, arrived, failed }
    }

    /// Takes in what came of accepting.
    pub(crate) fn complete(&mut self, completion: Completion) {
        if completion.last {
            (self.accepting, self.cancelled) = (None, false);
        }
        match completion.event {
            Event::Accepted(Ok(socket)) => self.arrived.push_back(socket),
            Event::Accepted(Err(error)) => {
                let cancelled = error.raw_os_error() == Some(libc::ECANCELED);
                self.failed |= !cancelled && !is_of_one_connection(&error);
            }
            _ => {}
        }
    }

    /// A place for whoever is next; the waker is woken when there is one again.
    pub(crate) fn poll_place(&mut self) -> Option<Place> {
        if self.arrived.is_empty() {
            return None;
        }
        match self.watch.poll_place(&Context::from_waker(&self.waker)) {
            Poll::Ready(place) => place,
            Poll::Pending => None,
        }
    }

    /// Accepts while there is room, and only then; whether it is to be tried again later.
    pub(crate) fn go_on(&mut self, id: usize, ring: &mut Ring) -> bool {
        let room = self.watch.poll_room(&Context::from_waker(&self.waker)) == Poll::Ready(true);
        if !room || !self.arrived.is_empty() {
            self.rest(ring);
        } else if std::mem::take(&mut self.failed) {
            return true;
        } else if self.accepting.is_none() {
            self.accepting = Some(ring.accept(id, &self.socket));
        }
        false
    }

    /// Accepts no more; whether that is so already.
    pub(crate) fn rest(&mut self, ring: &mut Ring) -> bool {
        let Some(ticket) = self.accepting else { return true };
        if !std::mem::replace(&mut self.cancelled, true) {
            ring.cancel(ticket);
        }
        false
    }

    /// Once it rests: whoever was accepted, then whoever waits in the backlog.
    pub(crate) fn last(&mut self) -> Option<OwnedFd> {
        if let Some(accepted) = self.arrived.pop_front() {
            return Some(accepted);
        }
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Some(stream.into()),
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => return None,
            }
        }
    }
}
