//! The memory between a side and whoever drives it.
//!
//! The rule: bytes that are written are counted, as a kernel would take them; they are kept only where they are looked at.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};

use hyper::rt::ReadBufCursor;

/// What a side has written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// How many bytes it was.
    pub(crate) count: usize,
    /// The bytes themselves, if they are kept.
    pub(crate) kept: Option<Vec<u8>>,
}

impl Written {
    /// Takes all of them.
    pub(crate) fn take(&mut self, slices: &[IoSlice<'_>]) -> usize {
        let count = slices.iter().map(|slice| slice.len()).sum();
        self.count += count;
        if let Some(kept) = &mut self.kept {
            slices.iter().for_each(|slice| kept.extend_from_slice(slice));
        }
        count
    }
}

/// One end of a connection in memory, with what waits to be read there.
#[derive(Debug, Default)]
struct Ends {
    input: &'static [u8],
    written: Written,
}

/// A connection in memory: a peer holds a clone of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Rc<RefCell<Ends>>);

impl Wire {
    /// Gives the other end something to read.
    pub(crate) fn feed(&self, input: &'static [u8]) {
        self.0.borrow_mut().input = input;
    }

    /// Whether all of it was read.
    pub(crate) fn is_read(&self) -> bool {
        self.0.borrow().input.is_empty()
    }

    /// Has the other end write to `written` from now on, and gives back where it wrote before.
    pub(crate) fn exchange(&self, written: &mut Written) {
        std::mem::swap(&mut self.0.borrow_mut().written, written);
    }
}

impl io::Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ends = self.0.borrow_mut();
        if ends.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        io::Read::read(&mut ends.input, buffer)
    }
}

impl io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.borrow_mut().written.take(&[IoSlice::new(bytes)]))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl hyper::rt::Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut ends = self.0.borrow_mut();
        if ends.input.is_empty() {
            return Poll::Pending;
        }
        let (now, later) = ends.input.split_at(buffer.remaining().min(ends.input.len()));
        buffer.put_slice(now);
        ends.input = later;
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.0.borrow_mut().written.take(&[IoSlice::new(bytes)])))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.0.borrow_mut().written.take(slices)))
    }
}

/// Whether a side has asked for another go.
#[derive(Debug, Default)]
pub(crate) struct Woken(AtomicBool);

impl Woken {
    /// Whether it has, since this was asked last.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
