//! Tokio's sockets, TCP or unix, without waiting.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bakestone::machine::{Address, ConnectionInfo};
use bakestone_std::{Listener, Socket, StdListener, read_from};
use bytes::{BufMut, BytesMut};
use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A connected socket.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Does the same to either socket.
macro_rules! either {
    ($stream:expr, $socket:ident => $do:expr) => {
        match $stream {
            Stream::Tcp($socket) => $do,
            Stream::Unix($socket) => $do,
        }
    };
}

impl Stream {
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, socket => socket.poll_read_ready(cx))
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, socket => socket.poll_write_ready(cx))
    }

    /// Whether the peer has reset the connection, though nobody reads.
    pub(crate) fn is_broken(&self) -> bool {
        either!(self, socket => !matches!(socket.take_error(), Ok(None)))
    }
}

impl Socket for Stream {
    fn read(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        let mut into = into.limit(most);
        // Unlike `try_read_buf` it takes a read that was not filled for the end of what there is, which saves the
        // second one. Nobody waits yet: whoever will polls for readiness then, with a waker of its own.
        let cx = &mut Context::from_waker(Waker::noop());
        match either!(self, socket => pin!(socket.read_buf(&mut into)).poll(cx)) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn look(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        either!(self, socket => read_from(&mut &*SockRef::from(&*socket), into, most))
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [one] => either!(self, socket => socket.try_write(one)),
            slices => either!(self, socket => socket.try_write_vectored(slices)),
        }
    }

    fn finish(&mut self) {
        // If the peer is gone already, the next read says so.
        let _ = either!(self, socket => SockRef::from(&*socket).shutdown(Shutdown::Write));
    }

    fn reset(&mut self) {
        if let Self::Tcp(socket) = self {
            // Without it the close is an orderly one, which is the most that can still be done.
            let _ = socket.set_zero_linger();
        }
    }
}

/// A listening socket.
pub(crate) struct Accept {
    listener: Listener,
    socket: Listening,
}

enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Accept {
    pub(crate) fn new(listener: Listener) -> io::Result<Self> {
        let socket = match listener.to_std()? {
            StdListener::Tcp(socket) => Listening::Tcp(TcpListener::from_std(socket)?),
            StdListener::Unix(socket) => Listening::Unix(UnixListener::from_std(socket)?),
        };
        Ok(Self { listener, socket })
    }

    /// A connection that the operating system has let in, though tokio has not heard of it yet.
    pub(crate) fn look(&self) -> Option<(Stream, ConnectionInfo)> {
        let (stream, info) = self.listener.accept().ok()?;
        let socket = OwnedFd::from(stream);
        let stream = match &self.socket {
            Listening::Tcp(_) => TcpStream::from_std(socket.into()).map(Stream::Tcp),
            Listening::Unix(_) => UnixStream::from_std(socket.into()).map(Stream::Unix),
        };
        Some((stream.ok()?, info))
    }

    /// The next connection.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Stream, ConnectionInfo)>> {
        let (stream, peer, local) = match &self.socket {
            Listening::Tcp(socket) => {
                let (stream, peer) = ready!(socket.poll_accept(cx))?;
                // An answer that waits for an acknowledgement of the last one is a slow answer.
                let _ = stream.set_nodelay(true);
                let local = stream.local_addr().ok().map(Address::Ip);
                (Stream::Tcp(stream), Address::Ip(peer), local)
            }
            Listening::Unix(socket) => {
                let (stream, peer) = ready!(socket.poll_accept(cx))?;
                let peer = Address::Unix(peer.as_pathname().map(Arc::from));
                (Stream::Unix(stream), peer, Some(self.listener.address().clone()))
            }
        };
        Poll::Ready(Ok((stream, self.listener.info(Some(peer), local))))
    }
}
