//! One application on each driver, and clients for it.
//!
//! The rule: a test says what a client does and what it sees; whether that goes over a socket, or in memory on a
//! clock that is moved by hand, is decided here and nowhere else.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bakestone::app::AppService;
use bakestone::machine::Phase;
use bakestone::session::{Spawner, Stage};
use bakestone::{App, Lifecycle, Limits, Session};
use bakestone_std::{Handle, Server};
use bakestone_testkit::Wire;

use crate::readiness_loop;

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// What passes at once while a test waits.
const TICK: Duration = Duration::from_millis(10);

/// What moves the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Memory,
    Std,
    Tokio,
    Smol,
    /// The loop of `examples/src/readiness_loop`.
    Readiness,
}

impl Driver {
    pub(crate) const ALL: [Self; 5] = [Self::Memory, Self::Std, Self::Tokio, Self::Smol, Self::Readiness];
    pub(crate) const SOCKETS: [Self; 4] = [Self::Std, Self::Tokio, Self::Smol, Self::Readiness];
}

/// A server under test.
pub(crate) enum Host {
    Socket { address: String, handle: Handle, thread: JoinHandle<Result<(), String>> },
    Memory(Rc<Memory>),
}

/// A server in memory: every machine of it, on one clock.
pub(crate) struct Memory {
    service: Arc<AppService>,
    limits: Arc<Limits>,
    spawner: Spawner,
    lifecycle: RefCell<Wire<Lifecycle>>,
    connections: RefCell<Vec<Connection>>,
}

/// A session in memory, held by its client and by the clock.
type Connection = Rc<RefCell<Wire<Session<Arc<AppService>>>>>;

impl Host {
    /// Serves `app` under `limits`.
    pub(crate) fn start(driver: Driver, app: App, limits: &Limits) -> Self {
        Self::start_with(driver, app, Server::new().limits(limits.clone()), limits)
    }

    /// Serves `app` as `server` says, on a free port.
    pub(crate) fn start_with(driver: Driver, app: App, server: Server, limits: &Limits) -> Self {
        if driver == Driver::Memory {
            return Self::Memory(Rc::new(Memory::start(app, limits)));
        }
        let server = server.address("127.0.0.1:0").bind().expect("a free port");
        let address = server.local_addr().expect("an address").to_string();
        let handle = server.handle();
        let serve = move || {
            let served = match driver {
                Driver::Std => bakestone_std::serve(app, server),
                Driver::Smol => async_io::block_on(bakestone_smol::serve(app, server)),
                Driver::Tokio => {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(bakestone_tokio::serve(app, server))
                }
                Driver::Readiness => readiness_loop::serve(server, app),
                Driver::Memory => unreachable!("it has no thread"),
            };
            served.map_err(|error| error.to_string())
        };
        Self::Socket { address, handle, thread: thread::spawn(serve) }
    }

    pub(crate) fn connect(&self) -> Client {
        match self {
            Self::Socket { address, .. } => {
                let socket = TcpStream::connect(address).expect("a connection");
                socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
                socket.set_write_timeout(Some(PATIENCE)).expect("a time-out");
                Client::Socket(socket)
            }
            Self::Memory(memory) => Client::Memory(memory.clone(), memory.connect()),
        }
    }

    /// Asks the server to drain.
    pub(crate) fn shutdown(&self) {
        match self {
            Self::Socket { handle, .. } => handle.shutdown(),
            Self::Memory(memory) => {
                memory.lifecycle.borrow_mut().drain();
                for connection in memory.connections.borrow().iter() {
                    connection.borrow_mut().drain();
                }
            }
        }
    }

    /// Ends the server here and now.
    pub(crate) fn abort(&self) {
        match self {
            Self::Socket { handle, .. } => handle.abort(),
            Self::Memory(_) => unreachable!("what runs in memory is just dropped"),
        }
    }

    /// Lets time pass until `enough`; whether that came.
    pub(crate) fn wait(&self, enough: impl Fn() -> bool) -> bool {
        self.wait_for(PATIENCE, enough)
    }

    /// Lets a tenth of a second pass, or less if `enough` comes; whether that came.
    pub(crate) fn wait_a_little(&self, enough: impl Fn() -> bool) -> bool {
        self.wait_for(Duration::from_millis(100), enough)
    }

    fn wait_for(&self, time: Duration, enough: impl Fn() -> bool) -> bool {
        for _ in 0..time.as_millis() / TICK.as_millis() {
            if enough() {
                return true;
            }
            match self {
                Self::Socket { .. } => thread::sleep(TICK),
                Self::Memory(memory) => memory.pass(TICK),
            }
        }
        false
    }

    /// Waits for the end of a server that drains, and looks whether it came in good order.
    pub(crate) fn end(self) {
        match self {
            // That nobody listens at its address any more cannot be asked here: one of the many other servers may have
            // been given the same free port by now.
            Self::Socket { thread, .. } => {
                assert_eq!(thread.join().expect("the server does not panic"), Ok(()));
            }
            Self::Memory(memory) => {
                memory.pass(PATIENCE);
                assert_eq!(memory.lifecycle.borrow().machine().stage(), Stage::Over);
            }
        }
    }
}

impl Memory {
    fn start(app: App, limits: &Limits) -> Self {
        use bakestone::app::Application;
        let (service, lifecycle) = app.start().expect("the application is sound");
        let lifecycle = lifecycle.limits(limits);
        let spawner = lifecycle.spawner();
        let mut lifecycle = Wire::new(lifecycle);
        lifecycle.settle();
        assert_eq!(lifecycle.machine().stage(), Stage::Running);
        let (lifecycle, connections) = (RefCell::new(lifecycle), RefCell::default());
        Self { service: Arc::new(service), limits: Arc::new(limits.clone()), spawner, lifecycle, connections }
    }

    fn connect(&self) -> Connection {
        let session =
            Session::with_limits(self.service.clone(), self.limits.clone()).lifecycle(&self.spawner);
        let mut wire = Wire::new(session);
        wire.record(false).settle();
        let connection = Rc::new(RefCell::new(wire));
        self.connections.borrow_mut().push(connection.clone());
        connection
    }

    /// Lets the clock go on, for all machines alike. A session that is done is dropped, as a driver does.
    fn pass(&self, time: Duration) {
        for connection in self.connections.borrow().iter() {
            connection.borrow_mut().advance(time);
        }
        self.connections.borrow_mut().retain(|connection| !connection.borrow().is_done());
        self.lifecycle.borrow_mut().advance(time);
    }
}

/// A client's end of a connection.
pub(crate) enum Client {
    Socket(TcpStream),
    Memory(Rc<Memory>, Connection),
}

/// How a connection came to its end, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was closed in good order.
    Finished,
    /// It was reset.
    Reset,
    /// It is still open: the client had read enough.
    Open,
}

impl Client {
    /// Sends all of `request`, however much comes back meanwhile.
    pub(crate) fn send(&mut self, request: impl AsRef<[u8]>) {
        self.try_send(request.as_ref()).expect("the server goes on reading");
    }

    /// Sends what the server takes of `request`, and reads nothing meanwhile.
    ///
    /// # Errors
    ///
    /// The server has closed the connection before it took all.
    pub(crate) fn try_send(&mut self, request: &[u8]) -> io::Result<()> {
        match self {
            Self::Socket(socket) => socket.write_all(request),
            Self::Memory(memory, connection) => {
                let mut rest = request;
                for _ in 0..PATIENCE.as_millis() {
                    let fed = connection.borrow_mut().feed_politely(rest);
                    rest = &rest[fed..];
                    if rest.is_empty() {
                        return Ok(());
                    }
                    if connection.borrow().is_done() {
                        return Err(ErrorKind::BrokenPipe.into());
                    }
                    memory.pass(Duration::from_millis(1));
                }
                panic!("the server does not go on reading: {} bytes are left", rest.len());
            }
        }
    }

    /// Reads until `enough`, or to the end.
    pub(crate) fn receive(&mut self, enough: impl Fn(&[u8]) -> bool) -> (Vec<u8>, End) {
        let mut answer = Vec::new();
        match self {
            Self::Socket(socket) => {
                let mut piece = vec![0; 64 << 10];
                while !enough(&answer) {
                    match socket.read(&mut piece) {
                        Ok(0) => return (answer, End::Finished),
                        Ok(count) => answer.extend_from_slice(&piece[..count]),
                        Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                            return (answer, End::Reset);
                        }
                        Err(error) => panic!("no answer: {error}, after {:?}", text(&answer)),
                    }
                }
            }
            Self::Memory(memory, connection) => {
                for _ in 0..PATIENCE.as_millis() / TICK.as_millis() {
                    answer.append(&mut connection.borrow_mut().take());
                    if enough(&answer) {
                        return (answer, End::Open);
                    }
                    let fate = connection.borrow().fate();
                    if fate.reset_sent {
                        return (answer, End::Reset);
                    }
                    if fate.fin_sent || fate.phase == Phase::Done {
                        return (answer, End::Finished);
                    }
                    memory.pass(TICK);
                }
                panic!("no answer, after {:?}", text(&answer));
            }
        }
        (answer, End::Open)
    }

    /// What can be read within a moment, over a socket; `None` if there is nothing.
    pub(crate) fn try_receive(&mut self) -> Option<Vec<u8>> {
        let Self::Socket(socket) = self else { unreachable!("in memory nothing takes time") };
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
        let mut piece = vec![0; 1024];
        let read = socket.read(&mut piece).ok().map(|count| piece[..count].to_vec());
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        read
    }

    /// Sends all of `request` while it reads to the end.
    pub(crate) fn exchange(mut self, request: Vec<u8>) -> Vec<u8> {
        let writer = match &self {
            Self::Socket(socket) => {
                let mut writer = socket.try_clone().expect("a second handle");
                Some(thread::spawn(move || writer.write_all(&request).expect("the server goes on reading")))
            }
            Self::Memory(..) => {
                self.send(request);
                None
            }
        };
        let (answer, end) = self.receive(|_| false);
        assert_eq!(end, End::Finished, "after {} bytes", answer.len());
        writer.into_iter().for_each(|writer| writer.join().expect("the whole was written"));
        answer
    }

    /// Says that nothing more will be sent (FIN).
    pub(crate) fn finish(&mut self) {
        match self {
            Self::Socket(socket) => socket.shutdown(Shutdown::Write).expect("a FIN"),
            Self::Memory(_, connection) => drop(connection.borrow_mut().finish()),
        }
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        match self {
            Self::Socket(socket) => {
                socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("a reset");
            }
            Self::Memory(_, connection) => drop(connection.borrow_mut().reset()),
        }
    }
}

/// The beginning of what was read, as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.len().min(2000);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
