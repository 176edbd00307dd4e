//! The place of WebSockets among simulated clients in a kit that is built without them: nobody asks for one.
//!
//! The rule: what cannot be does nothing.

use bakestone::machine::{Moment, Output};
use bakestone::{HeaderMap, StatusCode};
use bytes::BytesMut;

use super::ask::Content;

#[allow(dead_code, reason = "nothing is heard")]
pub(super) enum Heard {
    NotYet,
    Closed { as_expected: bool },
    Cut,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) said: u64,
    pub(super) heard: u64,
}

/// What cannot be.
pub(super) enum Talk {}

impl Talk {
    pub(super) fn of(_: Content) -> Option<Box<Self>> {
        None
    }

    pub(super) fn headers(&self) -> HeaderMap {
        match *self {}
    }

    pub(super) fn is_polite(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_open(&self) -> bool {
        match *self {}
    }

    pub(super) fn is_closed(&self) -> bool {
        match *self {}
    }

    pub(super) fn has_said_all(&self) -> bool {
        match *self {}
    }

    pub(super) fn has_finished(&self) -> bool {
        match *self {}
    }

    pub(super) fn has_vanished(&self) -> bool {
        match *self {}
    }

    pub(super) fn has_left(&self) -> bool {
        match *self {}
    }

    pub(super) fn count(&self) -> Count {
        match *self {}
    }

    pub(super) fn wake_at(&self, _: Moment) -> Option<Moment> {
        match *self {}
    }

    pub(super) fn finish_input(&mut self) {
        match *self {}
    }

    pub(super) fn open(&mut self, _: StatusCode, _: &HeaderMap) -> Result<(), String> {
        match *self {}
    }

    pub(super) fn go_on(&mut self, _: Moment, _: &mut Output) -> Result<bool, String> {
        match *self {}
    }

    pub(super) fn receive(&mut self, _: &mut BytesMut) -> Result<Heard, String> {
        match *self {}
    }
}
