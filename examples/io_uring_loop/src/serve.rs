//! A completion loop: one thread, one ring, many connections, and one entry into the kernel a round for all of them.
//!
//! It is the readiness loop's counterpart: what differs is that the kernel is told what to do, and not asked what can be
//! done. Everything that a server on tokio does is here, the drain and the background tasks included. Not here are unix
//! sockets, a second thread, and any lock around the application: nothing of it need be [`Send`].
//!
//! - [`Ring`] is the only part that talks to the kernel about it, and the only one with `unsafe` in it.
//! - [`Channel`] makes of completions what a [`Connection`] asks of a socket.
//! - [`Calls`] is how a waker of any thread reaches the loop, and [`Timers`] are the deadlines of all.
//! - [`Loop`] brings them together. The server's life, each listener and each connection has a number, and has its turn
//!   when its number is called: by a completion, by a deadline or by a waker. A turn without cause is harmless.
//!
//! The rule: after a turn whatever the connection waits for is under way, so that its completion calls the number again.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind, Write as _};
use std::mem;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use bakestone::app::Application;
use bakestone::effect::Effect;
use bakestone::machine::{Address, ConnectionInfo};
use bakestone::session::{Service, Stage};
use bakestone_std::{
    BACK_OFF, Connection, Driven, Listen, Place, Pool, ServeError, Start, StdListener, Stop, Turn,
};
use socket2::SockRef;

use crate::calls::Calls;
use crate::channel::{Channel, Stream};
use crate::door::Door;
use crate::ring::{Completion, Descriptor, Ring};
use crate::timers::Timers;

/// The number of the server's life.
const LIFE: usize = 0;
/// The number of the bell, which calls nobody by itself.
const BELL: usize = 1;
/// The first number of a listener or a connection. None is given twice, so that a completion, a deadline or a wake that
/// comes late finds nobody, and not somebody else.
const FIRST: usize = 2;

/// How long a thread of the pool waits for more.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the loop looks for what had arrived before the server stopped, if there is more each time.
const LOOKS: usize = 1000;

/// Serves `app` from the calling thread until the [handle](bakestone_std::Server::handle) of the server says otherwise; then it
/// drains, and returns.
///
/// # Errors
///
/// [`ServeError`]: the application is not sound, a start-up hook failed, or the address is taken or not a TCP one.
pub(crate) fn serve<M, A: Application<M>>(ring: Ring, at: impl Listen, app: A) -> Result<(), ServeError> {
    let start = at.into_server().start(app, PATIENCE)?;
    let _guard = start.serving.handle.shutdown_on_drop();
    let mut server = Loop::new(ring, start).map_err(ServeError::System)?;
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
    timers: Timers,
    start: Start<S>,
    life: Waker,
    doors: BTreeMap<usize, Door>,
    guests: HashMap<usize, Guest<S>>,
    next: usize,
    /// How far the end had come when the ring was looked into last.
    stop: Stop,
    /// Whose turn comes in this round.
    turns: Vec<usize>,
    completions: Vec<Completion>,
    calls: Arc<Calls>,
    /// The end of the bell that is listened at.
    ears: Descriptor,
    /// It goes last: it waits for what is under way, and by then nobody wants it any more.
    ring: Ring,
}

/// A connection. The place comes last, so that it is free only when the rest is gone.
struct Guest<S: Service> {
    connection: Connection<Driven<S>, Stream>,
    channel: Rc<Channel>,
    waker: Waker,
    /// It is among the turns.
    called: bool,
    _place: Place,
}

impl<S: Service> Loop<S> {
    fn new(mut ring: Ring, start: Start<S>) -> io::Result<Self> {
        // A byte in it ends the loop's sleep: its other end is received from.
        let (bell, ears) = UnixStream::pair()?;
        // If it is full it rings already.
        bell.set_nonblocking(true)?;
        // It fails only where it is full, or where nobody listens any more.
        let calls = Calls::new(move || drop((&bell).write(&[0])));
        let (life, ears) = (calls.waker(LIFE), Rc::new(OwnedFd::from(ears)));
        ring.receive(BELL, &ears);
        Ok(Self {
            timers: Timers::default(),
            start,
            life,
            doors: BTreeMap::new(),
            guests: HashMap::new(),
            next: FIRST,
            stop: Stop::No,
            turns: Vec::new(),
            completions: Vec::new(),
            calls,
            ears,
            ring,
        })
    }

    /// Goes round until the life has reached `stage`.
    fn run(&mut self, stage: Stage) -> io::Result<()> {
        self.turns.push(LIFE);
        while !self.round(stage)? {}
        Ok(())
    }

    /// Waits, and gives a turn to everybody who was called; whether the life has reached `stage`.
    fn round(&mut self, stage: Stage) -> io::Result<bool> {
        self.hear_of_the_end()?;
        self.wait()?;
        let mut reached = false;
        let mut turns = mem::take(&mut self.turns);
        for id in turns.drain(..) {
            match id {
                LIFE => reached = self.live(stage),
                id if self.doors.contains_key(&id) => self.accept(id),
                id => self.turn(id),
            }
        }
        // Whoever was called meanwhile has the next round's.
        turns.append(&mut self.turns);
        self.turns = turns;
        Ok(reached)
    }

    /// Waits until somebody is called.
    fn wait(&mut self) -> io::Result<()> {
        let timeout = match self.turns.is_empty() && self.calls.sleep() {
            true => {
                let now = self.start.serving.clock.now().mono;
                self.timers.next_at().map(|at| at.since(now))
            }
            false => Some(Duration::ZERO),
        };
        self.look(timeout)?;
        for id in self.calls.take() {
            self.call(id);
        }
        let now = self.start.serving.clock.now().mono;
        while let Some(id) = self.timers.due(now) {
            self.call(id);
        }
        Ok(())
    }

    /// Gives the kernel what was asked for, and takes in what has come; whether anything has.
    fn look(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        let mut completions = mem::take(&mut self.completions);
        let waited = self.ring.wait(timeout, &mut completions);
        let any = !completions.is_empty();
        completions.drain(..).for_each(|completion| self.complete(completion));
        self.completions = completions;
        waited.map(|()| any)
    }

    fn complete(&mut self, completion: Completion) {
        let id = completion.owner;
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.channel.complete(completion);
        } else if let Some(door) = self.doors.get_mut(&id) {
            door.complete(completion);
        } else if id == BELL {
            self.ring.receive(BELL, &self.ears);
        }
        self.call(id);
    }

    /// A turn for `id` in this round, or in the next if this one's are being given.
    fn call(&mut self, id: usize) {
        let called = self.guests.get_mut(&id).map(|guest| mem::replace(&mut guest.called, true));
        if called != Some(true) {
            self.turns.push(id);
        }
    }

    /// If the server has been told to stop, everybody has a turn that knows of it. A request that had arrived before is
    /// one to be answered: what the kernel has by now is taken in first.
    fn hear_of_the_end(&mut self) -> io::Result<()> {
        let stop = self.start.serving.handle.stopping();
        if stop == self.stop {
            return Ok(());
        }
        self.stop = stop;
        for _ in 0..LOOKS {
            if !self.look(Some(Duration::ZERO))? {
                break;
            }
        }
        let everybody: Vec<usize> = self.doors.keys().chain(self.guests.keys()).copied().collect();
        everybody.into_iter().for_each(|id| self.call(id));
        Ok(())
    }

    /// The turn of the server's life; whether it has reached `stage`.
    fn live(&mut self, stage: Stage) -> bool {
        let cx = &mut Context::from_waker(&self.life);
        let wants = self.start.life.step(stage, cx, perform);
        let Some(wants) = wants else { return true };
        self.timers.arm(LIFE, wants.wake_at);
        false
    }

    /// The turn of a connection; of nobody, if it is over.
    fn turn(&mut self, id: usize) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        guest.called = false;
        let cx = &mut Context::from_waker(&guest.waker);
        let serving = &self.start.serving;
        let turn = match self.stop {
            Stop::Now => Turn::Over,
            stop => {
                let (now, drain) = (|| serving.clock.now(), stop == Stop::Drain);
                guest.connection.turn(now, drain, cx, |effect| perform(&serving.pool, effect))
            }
        };
        let mut again = turn == Turn::Again;
        match turn {
            Turn::Over => return self.remove(id),
            Turn::Again => guest.channel.send(id, &mut self.ring),
            // It did not read, or it would know. Whatever had arrived before the error has been read by now, or
            // is more than is read ahead.
            Turn::Wait { .. } if guest.channel.is_broken() && guest.connection.socket().is_some() => {
                guest.connection.lose();
                again = true;
            }
            Turn::Wait { readable, until, .. } => {
                self.timers.arm(id, until);
                guest.channel.wait(id, readable, &mut self.ring);
            }
        }
        if again {
            self.call(id);
        }
    }

    fn remove(&mut self, id: usize) {
        self.timers.forget(id);
        if let Some(guest) = self.guests.remove(&id) {
            guest.channel.close(&mut self.ring);
        }
    }
}

/// Who comes in.
impl<S: Service> Loop<S> {
    /// The turn of a listener: it lets in whoever was accepted, and goes on accepting while there is room.
    fn accept(&mut self, id: usize) {
        let Some(mut door) = self.doors.remove(&id) else { return };
        match self.stop {
            Stop::No => {
                while let Some(place) = door.poll_place() {
                    self.admit(&mut door, place);
                }
                if door.go_on(id, &mut self.ring) {
                    self.timers.arm(id, Some(self.start.serving.clock.now().mono + BACK_OFF));
                }
            }
            // Whom the operating system has let in before a drain, and whose request may be there, is answered.
            Stop::Drain if door.rest(&mut self.ring) => {
                while let Some((place, accepted)) = self.start.serving.handle.try_place().zip(door.last()) {
                    self.settle_in(accepted, &door, place);
                }
                return self.timers.forget(id);
            }
            Stop::Drain => {}
            Stop::Now => {
                door.rest(&mut self.ring);
                return self.timers.forget(id);
            }
        }
        self.doors.insert(id, door);
    }

    fn admit(&mut self, door: &mut Door, place: Place) {
        if let Some(accepted) = door.arrived.pop_front() {
            self.settle_in(accepted, door, place);
        }
    }

    /// Makes a connection of an accepted socket.
    fn settle_in(&mut self, accepted: OwnedFd, door: &Door, place: Place) {
        let id = self.next;
        self.next += 1;
        let info = info(&accepted, door);
        let channel = Channel::new(Rc::new(accepted));
        let connection = self.start.serving.connection(channel.stream(), info);
        let waker = self.calls.waker(id);
        self.guests.insert(id, Guest { connection, channel, waker, called: false, _place: place });
        self.call(id);
    }
}

fn info(accepted: &OwnedFd, door: &Door) -> ConnectionInfo {
    let socket = SockRef::from(accepted);
    // An answer that waits for an acknowledgement of the last one is a slow answer.
    let _ = socket.set_tcp_nodelay(true);
    let ip = |address: io::Result<socket2::SockAddr>| address.ok()?.as_socket().map(Address::Ip);
    door.listener.info(ip(socket.peer_addr()), ip(socket.local_addr()))
}

/// Its beginning and its end.
impl<S: Service> Loop<S> {
    /// The listeners as sockets of the loop.
    fn doors(&mut self) -> Result<BTreeMap<usize, Door>, ServeError> {
        let mut doors = BTreeMap::new();
        for listener in &self.start.listeners {
            let door = match listener.to_std() {
                Ok(StdListener::Tcp(socket)) => Ok(socket),
                Ok(_) => Err(io::Error::new(ErrorKind::Unsupported, "this loop serves TCP alone")),
                Err(error) => Err(error),
            };
            let address = || listener.address().to_string();
            let socket = door.map_err(|source| ServeError::Listen { address: address(), source })?;
            let watch = self.start.serving.handle.watch();
            doors.insert(self.next, Door::new(socket, listener.clone(), watch, self.calls.waker(self.next)));
            self.next += 1;
        }
        Ok(doors)
    }

    /// Accepts from now on.
    fn open(&mut self, doors: BTreeMap<usize, Door>) {
        self.start.ready();
        self.start.listeners.clear();
        self.turns.extend(doors.keys());
        self.doors = doors;
    }

    /// The life is over: the last connections have a moment to say how they end.
    fn let_go(&mut self) -> io::Result<()> {
        let clock = self.start.serving.clock;
        let until = self.start.life.let_go_at();
        while !(self.guests.is_empty() && self.doors.is_empty()) && clock.now().mono < until {
            self.timers.arm(LIFE, Some(until));
            self.round(Stage::Over)?;
        }
        Ok(())
    }
}

/// The pool's threads answer effects: a file that is slow must not keep the loop.
fn perform(pool: &Arc<Pool>, effect: Effect) {
    pool.submit(effect, |worker| {
        // Without a thread the effect is dropped, and so unanswered.
        let _ = thread::Builder::new().name("blocking".into()).spawn(move || worker.run());
    });
}
