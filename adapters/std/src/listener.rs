//! Where connections come from: a listening socket, TCP or unix.
//!
//! The rule: a port or a path that somebody listens on is never taken over in silence.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bakestone::machine::{Address, ConnectionInfo};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::Stream;

/// How many connections the operating system keeps until they are accepted; it has a bound of its own, too.
const BACKLOG: i32 = 4096;

/// How long to wait before looking again whether it is one's turn at a path.
const TURN: Duration = Duration::from_millis(10);

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
    _made: Option<MadeFile>,
    seeds: RandomState,
    accepted: AtomicU64,
}

/// The file of a unix socket that was made here, and goes with it.
#[derive(Debug)]
struct MadeFile {
    path: PathBuf,
    /// The file system and the file: whatever else stands at the path later is somebody else's.
    identity: (u64, u64),
}

impl MadeFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)? })
    }
}

impl Drop for MadeFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // Whoever has removed it meanwhile has done what is to be done.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    path.symlink_metadata().map(|file| (file.dev(), file.ino()))
}

/// Whether a socket's file stands at `path`, and nobody listens behind it.
fn is_left_over(path: &Path) -> io::Result<bool> {
    if !path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket()) {
        return Ok(false);
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Somebody who listens, and accepts nothing at the moment, must not keep us waiting.
    probe.set_nonblocking(true)?;
    let connected = probe.connect(&SockAddr::unix(path)?);
    Ok(connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}

/// Waits for the turn to look at `path` and to listen there; it is over when the socket is dropped. Linux has names
/// for sockets beside the file system, which are given to one at a time; elsewhere whoever starts two servers on
/// one path at the same moment has to see to it.
fn unix_turn(path: &Path) -> io::Result<Option<Socket>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let mut hasher = DefaultHasher::new();
    std::path::absolute(path)?.hash(&mut hasher);
    let name = SockAddr::unix(format!("\0bakestone-{:x}", hasher.finish()))?;
    for _ in 0..100 {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        match socket.bind(&name) {
            Ok(()) => return Ok(Some(socket)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => std::thread::sleep(TURN),
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
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
    /// the file is removed with the last clone, if it is still the same.
    ///
    /// # Errors
    ///
    /// Those of the operating system; `AddrInUse` if somebody listens there, or the path is no socket.
    pub fn unix(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no path"));
        }
        // Two that start at once must not both find the same file left over.
        let _turn = unix_turn(path)?;
        if is_left_over(path)? {
            std::fs::remove_file(path)?;
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        socket.listen(BACKLOG)?;
        Self::new(socket, Some(MadeFile::new(path)?))
    }

    fn new(socket: Socket, made: Option<MadeFile>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr().ok().and_then(|address| address_of(&address));
        let address = address.ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, "it is neither a TCP nor a unix socket")
        })?;
        if let Address::Ip(_) = address {
            bound_unsent(&socket);
        }
        let (seeds, accepted) = (RandomState::new(), AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { socket, address, _made: made, seeds, accepted })))
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

/// What the kernel takes of a connection's output before the peer has room for it, in bytes.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
const UNSENT: u32 = 128 << 10;

/// Lets the kernel hold little that it cannot send yet, on every connection that is accepted here. Otherwise it takes
/// megabytes at once, and then nothing for longer than the write deadline from a peer that reads slowly and steadily.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn bound_unsent(socket: &Socket) {
    // A kernel that does not know it serves all the same.
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn bound_unsent(_: &Socket) {}

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
