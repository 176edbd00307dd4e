//! Naive readers of HTTP/1: they have all the bytes, read them one by one, and know nothing of cuts.
//!
//! The rule: a naive reader is slow and obvious, shares no code with what it is compared with, and follows
//! the grammar of the RFCs line by line. Where the codec is stricter than they are, the reader says so. What
//! is here is shared by the tests and by the fuzz targets, which are a workspace of their own.
#![allow(dead_code, unreachable_pub, reason = "whoever includes it uses a part")]

pub mod chunked;
pub mod connection;
pub mod fields;
pub mod reader;
pub mod request;
pub mod response;
pub mod target;

/// How a message's content is delimited (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; 0 if nothing is declared and so there is none.
    Length(u64),
    /// In chunks.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

/// Why a reader has not come to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The bytes may still become a message.
    More,
    /// They cannot.
    Wrong {
        /// What a server answers.
        status: u16,
        /// The first byte after which no continuation is valid; none where the reader does not tell.
        at: Option<usize>,
    },
}

impl Stop {
    /// Bytes that are wrong, somewhere.
    pub fn wrong(status: u16) -> Self {
        Self::Wrong { status, at: None }
    }
}
