//! A connection that has left HTTP, between its pieces and the slices of a runtime's readers and writers.
//!
//! The rule: one piece at most is read ahead of who reads, and nothing is written that was not taken.
//!
//! There is no blocking stream of it. Its reads take as long as the other end likes, and with a worker of the pool kept for
//! each connection files and other blocking work would wait for them.

use std::io::{Error, ErrorKind, Result};
use std::task::{Context, Poll, ready};

use bakestone::error::Disconnected;
use bakestone::message::{Sent, UpgradedReader, UpgradedWriter};
use bytes::{Buf, Bytes};

/// The most that is taken of one write, in bytes: it is copied, and copied again if there is no room yet.
const WRITE: usize = 16 << 10;

/// What is read of a connection that has left HTTP, in slices.
#[derive(Debug)]
pub struct UpgradedSource {
    reader: UpgradedReader,
    /// What was read, and not consumed.
    rest: Bytes,
}

impl UpgradedSource {
    /// What `reader` reads.
    pub fn new(reader: UpgradedReader) -> Self {
        Self { reader, rest: Bytes::new() }
    }

    /// What comes next, until it is [consumed](Self::consume); nothing at the end.
    ///
    /// # Errors
    ///
    /// [`Disconnected`], as [`ErrorKind::ConnectionReset`] if the client is gone, else as [`ErrorKind::BrokenPipe`].
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        if self.rest.is_empty() {
            let read = ready!(self.reader.poll_read(cx)).map_err(error)?;
            self.rest = read.unwrap_or_default();
        }
        Poll::Ready(Ok(&self.rest))
    }

    /// Passes over `count` bytes of what comes next, or over all of that.
    pub fn consume(&mut self, count: usize) {
        self.rest.advance(count.min(self.rest.len()));
    }
}

/// What is written to a connection that has left HTTP, in slices.
#[derive(Debug)]
#[must_use = "one that is dropped resets the connection"]
pub struct UpgradedSink {
    writer: UpgradedWriter,
}

impl UpgradedSink {
    /// What `writer` writes.
    pub fn new(writer: UpgradedWriter) -> Self {
        Self { writer }
    }

    /// Writes the front of `data`, once there is room, and says how much that was. Nobody has to flush.
    ///
    /// # Errors
    ///
    /// As [`UpgradedSource::poll_fill`]; [`ErrorKind::BrokenPipe`] too if it was finished.
    pub fn poll_write(&mut self, data: &[u8], cx: &mut Context<'_>) -> Poll<Result<usize>> {
        let front = &data[..data.len().min(WRITE)];
        let written = self.writer.poll_write(&mut Bytes::copy_from_slice(front), cx);
        written.map_ok(|()| front.len()).map_err(error)
    }

    /// Finishes this direction.
    ///
    /// # Errors
    ///
    /// As [`UpgradedSource::poll_fill`].
    pub fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.writer.poll_finish(cx).map_err(error)
    }

    /// Finishes this direction, if that was not done before, and gives what the handler returns.
    ///
    /// # Errors
    ///
    /// [`Disconnected`].
    pub async fn finish(self) -> std::result::Result<Sent, Disconnected> {
        self.writer.finish().await
    }
}

fn error(why: Disconnected) -> Error {
    let kind = match why {
        Disconnected::Gone => ErrorKind::ConnectionReset,
        _ => ErrorKind::BrokenPipe,
    };
    Error::new(kind, why)
}
