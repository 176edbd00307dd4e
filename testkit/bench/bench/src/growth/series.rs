//! The series: what grows, through which points, and how steep the cost may be.
//!
//! The rule: every point is within the limits that a server has by itself.

use std::net::SocketAddr;

use bakestone_bench_client::answers::Failure;

use super::{ask, websocket};
use crate::peers::{Kind, Peer};

/// Asks once; how many requests that were.
pub(crate) type Ask = Box<dyn FnMut() -> Result<u64, Failure>>;

/// Makes what asks, at one point of a series.
type Start = fn(SocketAddr, u64) -> Result<Ask, Failure>;

/// One thing that grows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// What the points count.
    pub(crate) unit: &'static str,
    pub(crate) points: &'static [u64],
    /// What is asked of a server; what is not asked is counted in memory.
    pub(crate) ask: Option<Start>,
    /// The most that the cost may grow by, as a slope.
    pub(crate) steepest: f64,
    /// Up to this point it may be steeper.
    pub(crate) from: u64,
    /// Whether only Bakestone's servers can be asked.
    own: bool,
}

impl Series {
    /// Whether the server can be asked.
    pub(crate) fn is_for(&self, peer: &Peer) -> bool {
        peer.kind == Kind::Own || !self.own
    }
}

/// As many times the cost as the number, and what a measurement is off.
const LINEAR: f64 = 1.15;
/// Always the same, and what a measurement is off.
const FLAT: f64 = 0.15;

const TENFOLD: [u64; 6] = [1, 10, 100, 1000, 10_000, 100_000];

const fn linear(
    name: &'static str,
    about: &'static str,
    unit: &'static str,
    points: &'static [u64],
    start: Start,
) -> Series {
    Series { name, about, unit, points, ask: Some(start), steepest: LINEAR, from: 0, own: false }
}

/// All of them, in the order of the tables.
pub(crate) static ALL: [Series; 8] = [
    Series {
        steepest: FLAT,
        // Fewer are fewer requests at a time, of which each then wakes the server.
        from: 100,
        ..linear(
            "connections",
            "plaintext, sixteen requests at a time, on each of so many connections in turn",
            "connections",
            TENFOLD.split_at(5).0,
            ask::connections,
        )
    },
    linear("fields", "plaintext with so many header fields", "fields", TENFOLD.split_at(3).0, ask::fields),
    linear(
        "body",
        "echo of so many bytes, with a length",
        "bytes",
        &[0, 1 << 10, 1 << 15, 1 << 20, 1 << 25, 1 << 30],
        ask::body,
    ),
    linear("chunks", "echo of 1 MiB in so many chunks", "chunks", &TENFOLD, ask::chunks),
    linear(
        "parts",
        "a form of so many fields of 64 bytes, which are counted",
        "parts",
        TENFOLD.split_at(4).0,
        ask::parts,
    ),
    Series {
        own: true,
        ..linear(
            "frames",
            "the echo of a message of 64 KiB that comes in so many frames",
            "frames",
            TENFOLD.split_at(5).0,
            websocket::frames,
        )
    },
    Series {
        own: true,
        ..linear(
            "messages",
            "the echo of so many messages of 64 bytes, sent at once",
            "messages",
            TENFOLD.split_at(5).0,
            websocket::messages,
        )
    },
    Series {
        name: "routes",
        about: "a look-up among so many routes, in memory",
        unit: "routes",
        points: TENFOLD.split_at(5).0,
        ask: None,
        steepest: FLAT,
        from: 1,
        own: true,
    },
];
