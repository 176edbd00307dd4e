//! What a server is to be: where it listens, and how much it takes on.
//!
//! The rule: it says what is wanted, once, for every adapter; what each makes of it stands at the setting.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bakestone::Limits;
use bakestone::app::Application;
use bakestone::machine::Address;
use bakestone::session::Observer;

use crate::serving::{Life, OnReady, Serving, Start};
use crate::{Clock, Handle, Listener, Pool, ServeError};

/// A server, as it is wanted: what `run` and `serve` of an adapter take, where an address alone says too little.
///
/// ```
/// use bakestone_std::Server;
/// use std::time::Duration;
///
/// let server = Server::new()
///     .address("127.0.0.1:0")
///     .connections(2_000)
///     .drain_time(Duration::from_secs(3))
///     .bind()?;
/// let handle = server.handle();   // `handle.shutdown()`, from any thread, ends what is given to `serve`
/// println!("listening on http://{}", server.local_addrs()[0]);
/// # Ok::<(), bakestone_std::ServeError>(())
/// ```
///
/// | setting | default |
/// |---|---|
/// | [`address`](Self::address), [`unix`](Self::unix), [`listener`](Self::listener), `inherited` | none: one is needed |
/// | [`connections`](Self::connections) | 10,000 |
/// | [`workers`](Self::workers) | 1 |
/// | [`blocking`](Self::blocking) | 128 |
/// | [`reuse_port`](Self::reuse_port) | no |
/// | [`limits`](Self::limits), [`drain_time`](Self::drain_time) | those of [`Limits`] |
#[must_use = "a server serves once it is given to `run` or `serve`"]
pub struct Server {
    places: Vec<Place>,
    reuse_port: bool,
    workers: usize,
    blocking: usize,
    limits: Limits,
    handle: Handle,
    on_ready: Option<OnReady>,
    observer: Option<Arc<dyn Observer>>,
    #[cfg(feature = "tape")]
    recording: Option<bakestone::tape::Recording>,
}

/// Where to listen.
#[derive(Debug)]
enum Place {
    Tcp(String),
    Unix(PathBuf),
    Bound(Listener),
    /// It could not be had; it is said when the server binds.
    Failed(ServeError),
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// A server that listens nowhere yet.
    pub fn new() -> Self {
        Self {
            places: Vec::new(),
            reuse_port: false,
            workers: 1,
            blocking: 128,
            limits: Limits::default(),
            handle: Handle::new(10_000),
            on_ready: None,
            observer: None,
            #[cfg(feature = "tape")]
            recording: None,
        }
    }

    /// Listens on `address` as well: `host:port`, where port 0 is any free one, or `unix:path`. A port that is
    /// taken is an error. `[::]` takes IPv4 as well, where the operating system says so, and then there is no room
    /// for `0.0.0.0` beside it.
    pub fn address(mut self, address: impl fmt::Display) -> Self {
        let address = address.to_string();
        self.places.push(match address.strip_prefix("unix:") {
            Some(path) => Place::Unix(path.into()),
            None => Place::Tcp(address),
        });
        self
    }

    /// Listens on a unix socket as well. A socket file with nobody behind it is replaced, one with somebody
    /// behind it is an error; the file goes with the server.
    pub fn unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.places.push(Place::Unix(path.into()));
        self
    }

    /// Takes connections from a listener of the standard library's, too: a `TcpListener` or a `UnixListener`.
    pub fn listener(mut self, listener: impl TryInto<Listener, Error = std::io::Error>) -> Self {
        self.places.push(match listener.try_into() {
            Ok(listener) => Place::Bound(listener),
            Err(source) => Place::Failed(ServeError::Listen { address: "a listener".to_owned(), source }),
        });
        self
    }

    /// Takes connections from the listeners that a service manager has opened and handed over (`LISTEN_FDS`, as
    /// systemd does), too. It is an error if there are none. They are given once in the life of a process.
    #[cfg(feature = "inherit")]
    pub fn inherited(mut self) -> Self {
        let mut found = listenfd::ListenFd::from_env();
        let count = found.len();
        let none = || std::io::Error::new(std::io::ErrorKind::NotFound, "none was handed over (LISTEN_FDS)");
        for index in 0..count.max(1) {
            let listener = match found.take_tcp_listener(index) {
                Ok(Some(listener)) => listener.try_into(),
                Ok(None) => Err(none()),
                Err(_) => found
                    .take_unix_listener(index)
                    .and_then(|listener| listener.ok_or_else(none).and_then(Listener::try_from)),
            };
            let address = || "an inherited listener".to_owned();
            let failed = |source| Place::Failed(ServeError::Listen { address: address(), source });
            self.places.push(listener.map_or_else(failed, Place::Bound));
        }
        self
    }

    /// Gives each worker a socket of its own on the same port, among which the operating system shares out the
    /// connections (`SO_REUSEPORT`). Another process that asks for the same may then listen there as well.
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// How many threads `run` serves with: on tokio each is an event loop of its own, on smol all run one
    /// executor. Plain threads have one a connection anyway, and under `serve` the threads are your runtime's.
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count.max(1);
        self
    }

    /// How many connections may be open. With so many, accepting stops until one of them ends; further ones
    /// wait in the operating system's backlog.
    pub fn connections(self, count: usize) -> Self {
        self.handle.set_limit(count);
        self
    }

    /// How many effects (operations on files, blocking jobs) are answered at a time; further ones stand in line.
    pub fn blocking(mut self, count: usize) -> Self {
        self.blocking = count;
        self
    }

    /// The limits and deadlines of the connections.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets [`Limits::drain_time`] alone.
    pub fn drain_time(mut self, time: Duration) -> Self {
        self.limits.drain_time = time;
        self
    }

    /// Calls `tell` once start-up is through and connections are accepted, with the addresses.
    pub fn on_ready(mut self, tell: impl FnOnce(&[Address]) + Send + 'static) -> Self {
        self.on_ready = Some(Box::new(tell));
        self
    }

    /// Tells `observer` what happens, on each connection and in the server's life.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Records connections as text, to be replayed under a test's clock.
    ///
    /// ```
    /// use bakestone_std::{Server, TapeFolder};
    /// use bakestone_std::bakestone::tape::Recording;
    ///
    /// # let folder = std::env::temp_dir().join(format!("bakestone-tapes-{}", std::process::id()));
    /// let tapes = TapeFolder::new(&folder)?;
    /// let server = Server::new().address("127.0.0.1:0").record(Recording::new(tapes).one_in(1_000));
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "tape")]
    pub fn record(mut self, recording: bakestone::tape::Recording) -> Self {
        self.recording = Some(recording);
        self
    }

    /// What stops the server.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Binds the addresses now, so that they are known. `run` and `serve` do it for a server that has not.
    ///
    /// # Errors
    ///
    /// [`ServeError::Listen`] for the first that cannot be listened on, or if there is none.
    pub fn bind(mut self) -> Result<Self, ServeError> {
        if self.places.is_empty() {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "no address was given");
            return Err(ServeError::Listen { address: "nothing".to_owned(), source });
        }
        let reuse_port = self.reuse_port;
        let bound = std::mem::take(&mut self.places).into_iter().map(|place| {
            let (address, result) = match place {
                Place::Bound(listener) => return Ok(Place::Bound(listener)),
                Place::Failed(error) => return Err(error),
                Place::Tcp(address) => {
                    let listener = Listener::tcp(&address, reuse_port);
                    (address, listener)
                }
                Place::Unix(path) => (format!("unix:{}", path.display()), Listener::unix(path)),
            };
            result.map(Place::Bound).map_err(|source| ServeError::Listen { address, source })
        });
        self.places = bound.collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The addresses that are bound, in the order in which they were given.
    pub fn local_addrs(&self) -> Vec<Address> {
        self.listeners().map(|listener| listener.address().clone()).collect()
    }

    /// The first address that is bound.
    pub fn local_addr(&self) -> Option<Address> {
        self.local_addrs().into_iter().next()
    }

    /// How many threads `run` is to serve with.
    pub fn worker_count(&self) -> usize {
        self.workers
    }

    fn listeners(&self) -> impl Iterator<Item = &Listener> {
        self.places.iter().filter_map(|place| match place {
            Place::Bound(listener) => Some(listener),
            _ => None,
        })
    }

    /// Begins to serve `app`, for an adapter: what it needs to go on by itself. `patience` is that of its
    /// [pool](crate::Pool::new).
    ///
    /// # Errors
    ///
    /// [`ServeError`]: the application is not sound, or an address cannot be listened on.
    pub fn start<M, A: Application<M>>(
        self,
        app: A,
        patience: Duration,
    ) -> Result<Start<A::Service>, ServeError> {
        let (service, lifecycle) = app.start().map_err(ServeError::Build)?;
        let mut lifecycle = lifecycle.limits(&self.limits);
        if let Some(observer) = &self.observer {
            lifecycle = lifecycle.observer(observer.clone());
        }
        let server = self.bind()?;
        let limits = Arc::new(server.limits.clone());
        let serving = Serving {
            service: Arc::new(service),
            #[cfg(feature = "tape")]
            recording: server.recording.clone().map(|recording| {
                let recording = recording.limits(limits.clone());
                server.observer.iter().cloned().fold(recording, bakestone::tape::Recording::observer)
            }),
            limits,
            spawner: lifecycle.spawner(),
            clock: Clock::start(),
            handle: server.handle.clone(),
            pool: Pool::new(server.blocking, patience),
            observer: server.observer.clone(),
        };
        let (listeners, addresses) = (server.listeners().cloned().collect(), server.local_addrs());
        let life = Life::new(lifecycle, &serving);
        Ok(Start { serving: Arc::new(serving), life, listeners, addresses, on_ready: server.on_ready })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("places", &self.places)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

/// Where a server listens: an address, a listener of the standard library's, or a [`Server`].
#[diagnostic::on_unimplemented(
    message = "a server cannot listen on `{Self}`",
    label = "this is not an address, a listener or a `Server`",
    note = "an address is `\"host:port\"`, `\"unix:path\"` or a `SocketAddr`",
    note = "a listener of a runtime's becomes one of the standard library's: `into_std()?` on tokio, `into_inner()?` on smol"
)]
pub trait Listen {
    /// The server that listens there.
    fn into_server(self) -> Server;
}

impl Listen for Server {
    fn into_server(self) -> Server {
        self
    }
}

macro_rules! listen {
    ($($place:ty => $method:ident),* $(,)?) => {$(
        impl Listen for $place {
            fn into_server(self) -> Server {
                Server::new().$method(self)
            }
        }
    )*};
}

listen!(&str => address, String => address, &String => address, SocketAddr => address,
    TcpListener => listener, UnixListener => listener);
