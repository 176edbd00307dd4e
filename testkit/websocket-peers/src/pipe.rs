//! A pipe in memory, for the peers that want a stream.
//!
//! The rule: it never makes anybody wait.

use std::cell::Cell;
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A pipe from which one frame is read again and again.
pub(crate) struct Pipe<'a> {
    frame: &'a [u8],
    at: usize,
    /// Shared with whoever counts.
    written: Rc<Cell<usize>>,
}

impl<'a> Pipe<'a> {
    /// A pipe, and the count of what is written to it.
    pub(crate) fn new(frame: &'a [u8]) -> (Self, Rc<Cell<usize>>) {
        let written = Rc::<Cell<usize>>::default();
        (Self { frame, at: 0, written: written.clone() }, written)
    }

    fn count(&self, written: usize) {
        self.written.set(self.written.get() + written);
    }

    fn piece(&mut self, most: usize) -> &[u8] {
        let begin = if self.at == self.frame.len() { 0 } else { self.at };
        self.at = self.frame.len().min(begin + most);
        &self.frame[begin..self.at]
    }
}

impl Read for Pipe<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let piece = self.piece(into.len());
        into[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.count(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Pipe<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let piece = self.piece(into.remaining());
        into.put_slice(piece);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = slices.iter().map(|slice| slice.len()).sum();
        self.count(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
