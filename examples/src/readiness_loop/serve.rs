//! A readiness loop: one thread, many connections, [mio] and no async runtime.
//!
//! It shows what it takes to bring Bakestone to an event loop that it has never heard of: everything that a
//! server on tokio does is here, the drain and the background tasks included. Not here are unix sockets,
//! a second thread, and any lock around the application: nothing of it need be [`Send`].
//!
//! A reader may take [`serve`] as it is, or put its parts into a loop that exists already:
//!
//! - [`Calls`] is how a waker of any thread reaches the loop; it is the one thing here that is shared.
//! - [`Timers`] are the deadlines of all.
//! - [`Stream`] is what a socket has to be able to do.
//! - [`Loop`] brings them together. The server's life, each listener and each connection has a number, and has
//!   its turn when its number is called: by an event, by a deadline or by a waker, it does not matter which,
//!   since a turn without cause is harmless.
//!
//! The rule that makes this right with edge-triggered events: a turn tries everything that is wanted, and
//! leaves off only where the socket says `WouldBlock`, from where on there will be an event. If it leaves off
//! for any other reason, it sees to it that its number is called again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, ErrorKind, IoSlice, Write as _};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bakestone::app::Application;
use bakestone::effect::Effect;
use bakestone::machine::{Address, ConnectionInfo};
use bakestone::session::{Service, Stage};
use bakestone_std::{
    BACK_OFF, Connection, Driven, Listen, Listener, Place, Pool, ServeError, Socket, Start, StdListener,
    Stop, Turn, Watch, is_of_one_connection, read_from,
};
use bytes::BytesMut;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Token};
use socket2::SockRef;

#[path = "calls.rs"]
mod calls;
#[path = "timers.rs"]
mod timers;

use calls::Calls;
use timers::Timers;

/// The number of the server's life.
const LIFE: usize = 0;
/// The number of the bell, which calls nobody by itself.
const BELL: usize = 1;
/// The first number of a listener or a connection. None is given twice, so that an event, a deadline or a wake
/// that comes late finds nobody, and not somebody else.
const FIRST: usize = 2;

/// How long a thread of the pool waits for more.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections a listener lets in before the others have their turn.
const AT_ONCE: usize = 64;

/// Serves `app` from the calling thread until the [handle](bakestone_std::Server::handle) of the server says otherwise; then it
/// drains, and returns.
///
/// # Errors
///
/// [`ServeError`]: the application is not sound, a start-up hook failed, or the address is taken or not a TCP one.
pub(crate) fn serve<M, A: Application<M>>(at: impl Listen, app: A) -> Result<(), ServeError> {
    let start = at.into_server().start(app, PATIENCE)?;
    let _guard = start.serving.handle.shutdown_on_drop();
    let mut server = Loop::new(start).map_err(ServeError::System)?;
    // Whatever may fail does so before the hooks run, which would else have to be undone.
    let doors = server.doors()?;
    server.run(Stage::Running).map_err(ServeError::System)?;
    if let Err(error) = server.start.life.started() {
        server.run(Stage::Over).map_err(ServeError::System)?;
        return Err(error);
    }
    server.open(doors);
    server.run(Stage::Over).map_err(ServeError::System)?;
    server.let_go().map_err(ServeError::System)
}

/// The loop, and everybody who has turns.
struct Loop<S: Service> {
    poll: mio::Poll,
    events: Events,
    calls: Arc<Calls>,
    timers: Timers,
    start: Start<S>,
    life: Waker,
    doors: BTreeMap<usize, Door>,
    guests: HashMap<usize, Guest<S>>,
    next: usize,
}

/// A listener, from the start-up to the drain.
struct Door {
    socket: TcpListener,
    listener: Listener,
    watch: Watch,
    waker: Waker,
}

/// A connection. The place comes last, so that it is free only when the rest is gone.
struct Guest<S: Service> {
    connection: Connection<Driven<S>, Stream>,
    waker: Waker,
    /// An event has told of an error, which a turn that did not read has not seen.
    broken: bool,
    place: Place,
}

impl<S: Service> Loop<S> {
    fn new(start: Start<S>) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let bell = mio::Waker::new(poll.registry(), Token(BELL))?;
        // It fails only on a descriptor that is none, and this one lives as long as the calls.
        let calls = Calls::new(move || drop(bell.wake()));
        let (life, events, timers) = (calls.waker(LIFE), Events::with_capacity(1024), Timers::default());
        let (doors, guests) = (BTreeMap::new(), HashMap::new());
        Ok(Self { poll, events, calls, timers, start, life, doors, guests, next: FIRST })
    }

    /// Goes round until the life has reached `stage`.
    fn run(&mut self, stage: Stage) -> io::Result<()> {
        self.calls.call(LIFE);
        while !self.round(stage)? {}
        Ok(())
    }

    /// Waits, and gives a turn to everybody who was called; whether the life has reached `stage`.
    fn round(&mut self, stage: Stage) -> io::Result<bool> {
        let mut reached = false;
        for id in self.wait()? {
            match id {
                LIFE => reached = self.live(stage),
                id if self.doors.contains_key(&id) => self.accept(id),
                id => self.turn(id),
            }
        }
        Ok(reached)
    }

    /// Waits until somebody is called.
    fn wait(&mut self) -> io::Result<BTreeSet<usize>> {
        let clock = self.start.serving.clock;
        let timeout = match self.calls.sleep() {
            true => self.timers.next_at().map(|at| at.since(clock.now().mono)),
            false => Some(Duration::ZERO),
        };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => result?,
        }
        let mut called = self.calls.take();
        for event in &self.events {
            let id = event.token().0;
            if let Some(guest) = self.guests.get_mut(&id) {
                guest.broken |= event.is_error();
            }
            called.insert(id);
        }
        let now = clock.now().mono;
        called.extend(std::iter::from_fn(|| self.timers.due(now)));
        Ok(called)
    }

    /// The turn of the server's life; whether it has reached `stage`.
    fn live(&mut self, stage: Stage) -> bool {
        let cx = &mut Context::from_waker(&self.life);
        let wants = self.start.life.step(stage, cx, perform);
        let Some(wants) = wants else { return true };
        self.timers.arm(LIFE, wants.wake_at);
        false
    }

    /// The turn of a listener: it lets in whoever waits. The listener is edge-triggered as well.
    fn accept(&mut self, id: usize) {
        let Some(door) = self.doors.get_mut(&id) else { return };
        let handle = &self.start.serving.handle;
        for _ in 0..AT_ONCE {
            let place = match door.watch.poll_place(&Context::from_waker(&door.waker)) {
                Poll::Ready(Some(place)) => Some(place),
                // Whom the operating system has let in before a drain, and whose request may be there, is answered.
                Poll::Ready(None) if handle.stopping() == Stop::Drain => handle.try_place(),
                Poll::Ready(None) => None,
                // The waker is woken when there is a place again.
                Poll::Pending => return,
            };
            let Some(place) = place else { return self.close(id) };
            let (registry, serving) = (self.poll.registry(), &self.start.serving);
            match door.next(registry, Token(self.next)) {
                Ok((stream, info)) => {
                    let (connection, waker) = (serving.connection(stream, info), self.calls.waker(self.next));
                    waker.wake_by_ref();
                    self.guests.insert(self.next, Guest { connection, waker, broken: false, place });
                    self.next += 1;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) if handle.stopping() != Stop::No => return self.close(id),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // There is no event when descriptors are free again.
                Err(_) => return self.timers.arm(id, Some(serving.clock.now().mono + BACK_OFF)),
            }
        }
        door.waker.wake_by_ref();
    }

    /// The turn of a connection; of nobody, if it is over.
    fn turn(&mut self, id: usize) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        let cx = &mut Context::from_waker(&guest.waker);
        let (stop, serving) = (guest.place.poll(cx), &self.start.serving);
        let turn = match stop {
            Stop::Now => Turn::Over,
            _ => {
                let (now, drain) = (|| serving.clock.now(), stop == Stop::Drain);
                guest.connection.turn(now, drain, cx, |effect| perform(&serving.pool, effect))
            }
        };
        match turn {
            Turn::Over => {
                self.timers.forget(id);
                self.guests.remove(&id);
            }
            Turn::Again => guest.waker.wake_by_ref(),
            // It did not read, or it would know. Whatever had arrived before the error has been read by now, or
            // is more than is read ahead.
            Turn::Wait { .. } if guest.broken && guest.connection.socket().is_some() => {
                guest.connection.lose();
                guest.waker.wake_by_ref();
            }
            // The socket is watched for everything all the time: what is not wanted costs a harmless turn.
            Turn::Wait { until, .. } => self.timers.arm(id, until),
        }
    }
}

/// Its beginning and its end.
impl<S: Service> Loop<S> {
    /// The listeners as sockets of the loop.
    fn doors(&mut self) -> Result<BTreeMap<usize, Door>, ServeError> {
        let mut doors = BTreeMap::new();
        for listener in &self.start.listeners {
            let (id, watch) = (self.next, self.start.serving.handle.watch());
            let door = Door::new(listener, watch, self.calls.waker(id), self.poll.registry(), Token(id));
            let address = || listener.address().to_string();
            doors.insert(id, door.map_err(|source| ServeError::Listen { address: address(), source })?);
            self.next += 1;
        }
        Ok(doors)
    }

    /// Accepts from now on.
    fn open(&mut self, doors: BTreeMap<usize, Door>) {
        self.start.ready();
        self.start.listeners.clear();
        self.doors = doors;
        self.doors.keys().for_each(|id| self.calls.call(*id));
    }

    /// Accepts from this listener no more.
    fn close(&mut self, id: usize) {
        self.timers.forget(id);
        let Some(mut door) = self.doors.remove(&id) else { return };
        // Another process may hold the same socket, which then would not be forgotten by being closed here.
        let _ = self.poll.registry().deregister(&mut door.socket);
    }

    /// The life is over: the last connections have a moment to say how they end.
    fn let_go(&mut self) -> io::Result<()> {
        let clock = self.start.serving.clock;
        let until = self.start.life.let_go_at();
        while !self.guests.is_empty() && clock.now().mono < until {
            self.timers.arm(LIFE, Some(until));
            self.round(Stage::Over)?;
        }
        Ok(())
    }
}

impl Door {
    fn new(
        listener: &Listener,
        watch: Watch,
        waker: Waker,
        registry: &mio::Registry,
        token: Token,
    ) -> io::Result<Self> {
        let StdListener::Tcp(socket) = listener.to_std()? else {
            return Err(io::Error::new(ErrorKind::Unsupported, "this loop serves TCP alone"));
        };
        let mut socket = TcpListener::from_std(socket);
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, listener: listener.clone(), watch, waker })
    }

    /// Takes the next connection into the loop.
    fn next(&self, registry: &mio::Registry, token: Token) -> io::Result<(Stream, ConnectionInfo)> {
        let (mut socket, peer) = self.socket.accept()?;
        // An answer that waits for an acknowledgement of the last one is a slow answer.
        let _ = socket.set_nodelay(true);
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        let local = socket.local_addr().ok().map(Address::Ip);
        Ok((Stream(socket), self.listener.info(Some(Address::Ip(peer)), local)))
    }
}

/// A connected socket. With its only descriptor it leaves the poll, so nothing takes it out of there.
struct Stream(TcpStream);

impl Socket for Stream {
    const WAITS_BY_LEVEL: bool = false;

    fn read(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        read_from(&mut self.0, into, most)
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn finish(&mut self) {
        // If the peer is gone already, the next read says so.
        let _ = self.0.shutdown(Shutdown::Write);
    }

    fn reset(&mut self) {
        // Without it the close is an orderly one, which is the most that can still be done.
        let _ = SockRef::from(&self.0).set_linger(Some(Duration::ZERO));
    }
}

/// The pool's threads answer effects: a file that is slow must not keep the loop.
fn perform(pool: &Arc<Pool>, effect: Effect) {
    pool.submit(effect, |worker| {
        // Without a thread the effect is dropped, and so unanswered.
        let _ = thread::Builder::new().name("blocking".into()).spawn(move || worker.run());
    });
}
