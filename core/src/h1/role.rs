//! The two ends of a connection, and what they do differently.
//!
//! The rule: what does not depend on the end is not here.
#![allow(private_interfaces, reason = "the sealed trait is public in name only")]

use std::fmt;

use ::http::StatusCode;
use bytes::Bytes;

use super::error::{Fault, Reason};
use super::head::{self, Facts, Judged, ReceivedRequest, ReceivedResponse};
use super::scan::HeadScan;
use super::transitions::Side;
use crate::limits::Limits;

use sealed::Codec;

mod sealed {
    use super::*;

    /// What the two roles do differently.
    pub trait Codec: Sized {
        type Head;
        const RECEIVES: Side;
        const SENDS: Side;
        fn scan() -> HeadScan;
        fn judge(
            block: Bytes,
            scan: &HeadScan,
            facts: &mut Facts,
            limits: &Limits,
        ) -> Result<Judged<Self::Head>, Fault>;
        fn status(reason: Reason) -> StatusCode;
    }
}

/// Which end of a connection a [`Conn`](super::Conn) is: [`Server`] or [`Client`]. There are no others.
pub trait Role: sealed::Codec<Head = Self::Received> {
    /// The head that this end receives.
    type Received: fmt::Debug;
}

/// The end that receives requests and sends responses.
#[derive(Clone, Copy, Debug)]
pub enum Server {}

/// The end that sends requests and receives responses.
#[derive(Clone, Copy, Debug)]
pub enum Client {}

impl Role for Server {
    type Received = ReceivedRequest;
}

impl Role for Client {
    type Received = ReceivedResponse;
}

impl Codec for Server {
    type Head = ReceivedRequest;
    const RECEIVES: Side = Side::Request;
    const SENDS: Side = Side::Response;

    fn scan() -> HeadScan {
        HeadScan::request()
    }

    fn judge(
        block: Bytes,
        scan: &HeadScan,
        facts: &mut Facts,
        limits: &Limits,
    ) -> Result<Judged<Self::Head>, Fault> {
        head::request(block, scan, facts, limits)
    }

    fn status(reason: Reason) -> StatusCode {
        reason.status()
    }
}

impl Codec for Client {
    type Head = ReceivedResponse;
    const RECEIVES: Side = Side::Response;
    const SENDS: Side = Side::Request;

    fn scan() -> HeadScan {
        HeadScan::response()
    }

    fn judge(
        block: Bytes,
        scan: &HeadScan,
        facts: &mut Facts,
        limits: &Limits,
    ) -> Result<Judged<Self::Head>, Fault> {
        head::response(block, scan, facts, limits)
    }

    fn status(_: Reason) -> StatusCode {
        StatusCode::BAD_GATEWAY
    }
}
