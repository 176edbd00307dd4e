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
    /// A toolkit of Python, in a process of uvicorn.
    Python,
    /// What no server can be below: fixed bytes, and no look at a request.
    Floor,
}

/// A server.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The file of its program, or the module of its application in Python.
    pub(crate) program: &'static str,
    /// What it is told besides its address.
    pub(crate) arguments: &'static [&'static str],
    /// Whether it says its name in a `Server` field and cannot be told not to.
    pub(crate) names_itself: bool,
    /// The scenarios that neither it nor what is made for it can do.
    pub(crate) lacks: &'static [&'static str],
}

/// Milliseconds that a connection may be idle, so that all of `idle` has room in them. The peers have as many.
const IDLE: &str = "60000";

const fn own(name: &'static str, arguments: &'static [&'static str]) -> Peer {
    Peer { name, kind: Kind::Own, program: "conformance", arguments, names_itself: false, lacks: &[] }
}

const fn other(name: &'static str, program: &'static str) -> Peer {
    Peer { name, kind: Kind::Other, program, arguments: &[], names_itself: false, lacks: &[] }
}

/// The server that the aims are about.
pub(crate) const MEASURED: &str = "bakestone-tokio";

/// The floor that the aims are about.
pub(crate) const FLOOR: &str = "floor-tokio";

/// The scenarios of files.
const FILES: [&str; 2] = ["static-1k", "static-100m"];

/// All of them, in the order of the tables.
pub(crate) const PEERS: [Peer; 14] = [
    own(MEASURED, &["--runtime", "tokio", "--idle-time", IDLE]),
    own("bakestone-smol", &["--runtime", "smol", "--idle-time", IDLE]),
    own("bakestone-std", &["--runtime", "std", "--idle-time", IDLE]),
    Peer { lacks: &FILES, ..other("hyper", "hyper") },
    other("axum", "axum"),
    other("actix", "actix"),
    other("ntex", "ntex"),
    other("xitca", "xitca"),
    Peer {
        names_itself: true,
        lacks: &["upload", "multipart", FILES[0], FILES[1], "churn"],
        ..other("may_minihttp", "may_minihttp")
    },
    Peer { kind: Kind::Python, ..other("muffin", "app_muffin") },
    Peer { kind: Kind::Python, ..other("starlette", "app_starlette") },
    Peer { kind: Kind::Python, ..other("fastapi", "app_fastapi") },
    Peer { kind: Kind::Floor, ..other(FLOOR, "floor_tokio") },
    Peer { kind: Kind::Floor, ..other("floor-epoll", "floor_epoll") },
];
