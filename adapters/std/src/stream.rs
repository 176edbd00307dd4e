//! A connected socket, the same for every adapter: TCP or unix, never blocking.

use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use bytes::BytesMut;

use crate::connection::{Socket, read_from};

/// A connected socket that does not block.
#[derive(Debug)]
pub struct Stream {
    socket: socket2::Socket,
}

impl Stream {
    /// Takes over a connected socket.
    ///
    /// # Errors
    ///
    /// The socket cannot be told not to block.
    pub fn new(socket: impl Into<OwnedFd>) -> io::Result<Self> {
        let socket = socket2::Socket::from(socket.into());
        socket.set_nonblocking(true)?;
        // An answer that waits for an acknowledgement of the last one is a slow answer. A unix socket knows no
        // such delay, and says so.
        let _ = socket.set_tcp_nodelay(true);
        Ok(Self { socket })
    }

    /// Reads what is there, as [`Socket::read`].
    ///
    /// # Errors
    ///
    /// `WouldBlock`, or that the peer is gone.
    pub fn receive(&self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        read_from(&mut &self.socket, into, most)
    }

    /// Writes, as [`Socket::write`].
    ///
    /// # Errors
    ///
    /// `WouldBlock`, or that the peer is gone.
    pub fn send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [one] => (&self.socket).write(one),
            slices => (&self.socket).write_vectored(slices),
        }
    }

    /// Sends a FIN.
    pub fn shut_down(&self) {
        // If the peer is gone already, the next read says so.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Lets the close that follows be a reset.
    pub fn reset_on_close(&self) {
        // Without it the close is an orderly one, which is the most that can still be done.
        let _ = self.socket.set_linger(Some(Duration::ZERO));
    }

    /// Whether the socket has met an error that nobody has read: the peer has reset it.
    pub fn is_broken(&self) -> bool {
        !matches!(self.socket.take_error(), Ok(None))
    }
}

impl Socket for Stream {
    fn read(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        self.receive(into, most)
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send(slices)
    }

    fn finish(&mut self) {
        self.shut_down();
    }

    fn reset(&mut self) {
        self.reset_on_close();
    }
}

impl From<Stream> for OwnedFd {
    /// The socket itself.
    fn from(stream: Stream) -> Self {
        stream.socket.into()
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
