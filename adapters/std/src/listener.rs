//! Where connections come from: a listening socket, TCP or unix.
//!
//! The rule: a port or a path that somebody listens on is never taken over in silence.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bakestone::machine::{Address, ConnectionInfo};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::Stream;

/// How many connections the operating system keeps until they are accepted; it has a bound of its own, too.
const BACKLOG: i32 = 4096;

/// A listening socket that does not block. Its clones are the same socket.
#[derive(Clone, Debug)]
pub struct Listener(Arc<Inner>);

/// A listener of the standard library's.
#[derive(Debug)]
pub enum StdListener {
    /// One for TCP.
    Tcp(TcpListener),
    /// One for unix sockets.
    Unix(UnixListener),
}

#[derive(Debug)]
struct Inner {
    socket: Socket,
    address: Address,
    /// The path of a unix socket that was made here, and goes with it.
    made: Option<PathBuf>,
    seeds: RandomState,
    accepted: AtomicU64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            // Whoever has removed it already has done what is to be done.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Listener {
    /// Listens on a TCP address: the first that can be listened on, if a name has several.
    ///
    /// # Errors
    ///
    /// Those of the operating system: the address is taken, is not one of this machine's, or no address at all.
    pub fn tcp(address: impl ToSocketAddrs, reuse_port: bool) -> io::Result<Self> {
        let mut result = Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no address"));
        for address in address.to_socket_addrs()? {
            result = listen_tcp(address, reuse_port);
            if result.is_ok() {
                break;
            }
        }
        Self::new(result?, None)
    }

    /// Listens on a unix socket. A socket file that is left over, with nobody listening behind it, is replaced;
    /// the file is removed with the last clone.
    ///
    /// # Errors
    ///
    /// Those of the operating system; `AddrInUse` if somebody listens there, or the path is no socket.
    pub fn unix(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let is_socket = |path: &Path| path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket());
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if is_socket(path) && UnixStream::connect(path).is_err_and(refused) {
            std::fs::remove_file(path)?;
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        socket.listen(BACKLOG)?;
        Self::new(socket, Some(path.to_owned()))
    }

    fn new(socket: Socket, made: Option<PathBuf>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr().ok().and_then(|address| address_of(&address));
        let address = address.ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, "it is neither a TCP nor a unix socket")
        })?;
        let (seeds, accepted) = (RandomState::new(), AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { socket, address, made, seeds, accepted })))
    }

    /// A second socket on the same TCP address, among which the operating system shares out the connections;
    /// of any other listener, a clone.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    pub(crate) fn twin(&self) -> io::Result<Self> {
        match &self.0.address {
            Address::Ip(address) if self.0.socket.reuse_port()? => {
                Self::new(listen_tcp(*address, true)?, None)
            }
            _ => Ok(self.clone()),
        }
    }

    /// The address that it listens on; a port 0 has become the one that was given.
    pub fn address(&self) -> &Address {
        &self.0.address
    }

    /// Takes the next connection.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; for the others see [`is_of_one_connection`](crate::is_of_one_connection).
    pub fn accept(&self) -> io::Result<(Stream, ConnectionInfo)> {
        let (socket, peer) = self.0.socket.accept()?;
        // A socket that listens on every address has another one for each connection.
        let local = socket.local_addr().ok().and_then(|address| address_of(&address));
        Ok((Stream::new(socket)?, self.info(address_of(&peer), local)))
    }

    /// What is known of a connection that was accepted here by other means.
    pub fn info(&self, peer: Option<Address>, local: Option<Address>) -> ConnectionInfo {
        let mut info = ConnectionInfo::new(peer, local);
        info.seed = self.0.seeds.hash_one(self.0.accepted.fetch_add(1, Ordering::Relaxed));
        info
    }

    /// The same socket under the standard library's name, for a runtime that has listeners of its own.
    ///
    /// # Errors
    ///
    /// Those of the operating system: no descriptors are left.
    pub fn to_std(&self) -> io::Result<StdListener> {
        let socket = self.0.socket.try_clone()?;
        Ok(match &self.0.address {
            Address::Ip(_) => StdListener::Tcp(socket.into()),
            _ => StdListener::Unix(socket.into()),
        })
    }
}

fn listen_tcp(address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A restart must not wait for the connections of the last run to be forgotten. On Unix this takes no port
    // from anyone.
    socket.set_reuse_address(true)?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn address_of(address: &SockAddr) -> Option<Address> {
    match address.as_socket() {
        Some(address) => Some(Address::Ip(address)),
        None if address.is_unix() => Some(Address::Unix(address.as_pathname().map(Arc::from))),
        None => None,
    }
}

impl TryFrom<TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: TcpListener) -> io::Result<Self> {
        Self::new(listener.into(), None)
    }
}

impl TryFrom<UnixListener> for Listener {
    type Error = io::Error;

    /// The socket's file stays when the listener goes: whoever made it removes it.
    fn try_from(listener: UnixListener) -> io::Result<Self> {
        Self::new(listener.into(), None)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.0.socket.as_raw_fd()
    }
}
