//! The servers that are measured.
//!
//! The rule: each is a program of its own that is told where to listen and nothing that makes it another server.

/// What a server is measured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of Bakestone's drivers below the conformance server.
    Own,
    /// Another framework.
    Other,
    /// What no server can be below: fixed bytes, and no look at a request.
    Floor,
}

/// A server.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The file of its program.
    pub(crate) program: &'static str,
    /// What it is told besides its address.
    pub(crate) arguments: &'static [&'static str],
    /// Whether it says its name in a `Server` field and cannot be told not to.
    pub(crate) names_itself: bool,
}

const fn own(name: &'static str, arguments: &'static [&'static str]) -> Peer {
    Peer { name, kind: Kind::Own, program: "conformance", arguments, names_itself: false }
}

const fn other(name: &'static str, program: &'static str) -> Peer {
    Peer { name, kind: Kind::Other, program, arguments: &[], names_itself: false }
}

/// The server that the aims are about.
pub(crate) const MEASURED: &str = "bakestone-tokio";

/// The floor that the aims are about.
pub(crate) const FLOOR: &str = "floor-tokio";

/// All of them, in the order of the tables.
pub(crate) const PEERS: [Peer; 11] = [
    own(MEASURED, &["--runtime", "tokio"]),
    own("bakestone-smol", &["--runtime", "smol"]),
    own("bakestone-std", &["--runtime", "std"]),
    other("hyper", "hyper"),
    other("axum", "axum"),
    other("actix", "actix"),
    other("ntex", "ntex"),
    other("xitca", "xitca"),
    Peer { names_itself: true, ..other("may_minihttp", "may_minihttp") },
    Peer { kind: Kind::Floor, ..other(FLOOR, "floor_tokio") },
    Peer { kind: Kind::Floor, ..other("floor-epoll", "floor_epoll") },
];
