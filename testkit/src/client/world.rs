//! All machines of one client, on one clock.
//!
//! The rule: a machine runs when it has cause, and time passes only where this is told so; so a run depends on nothing but
//! what the test does.

use std::cell::{Ref, RefCell, RefMut};
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bakestone::machine::{Address, ConnectionInfo, Moment, Now};
use bakestone::session;
use bakestone::session::{Lifecycle, Observer, Stage};

use super::connection::{Connection, Key, Served};
use super::error::Cause;
use super::exchange::SharedExchange;
use super::seen::Seen;
use super::url::Url;
use crate::files::Files;
use crate::seed::Random;
use crate::transcript::wanted;
#[cfg(feature = "websocket")]
use crate::websocket::WebSocketClient;
use crate::wire::{START, Wire};

/// Rounds at one moment after which the machines are held never to come to rest.
const PATIENCE: usize = 100_000;
/// Deadlines after which a span of time is held never to end: a year has half a million minutes.
const DEADLINES: usize = 1_000_000;
/// Deadlines after which nobody waits any longer.
const WAITED: usize = 200_000;

/// The world, to those who share it.
#[derive(Clone)]
pub(super) struct Shared(Rc<RefCell<World>>);

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Rc::new(RefCell::new(world)))
    }

    #[track_caller]
    pub(super) fn borrow(&self) -> Ref<'_, World> {
        let Ok(world) = self.0.try_borrow() else { panic!("{IN_USE}") };
        world
    }

    #[track_caller]
    pub(super) fn borrow_mut(&self) -> RefMut<'_, World> {
        let Ok(world) = self.0.try_borrow_mut() else { panic!("{IN_USE}") };
        world
    }

    pub(super) fn try_borrow_mut(&self) -> Option<RefMut<'_, World>> {
        self.0.try_borrow_mut().ok()
    }
}

/// What whoever asks for more in the middle of something is told.
const IN_USE: &str =
    "a client was asked for something by what it runs itself: a handler, a file, a piece of a content";

/// What holds for all that goes on.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) holds_clock: bool,
    pub(super) records: bool,
    /// So many bytes in one piece, or at one moment, are held never to end.
    pub(super) most: usize,
}

/// A WebSocket that was opened, and whose server is not through with it.
#[cfg(feature = "websocket")]
struct OpenSocket {
    path: String,
    client: Rc<RefCell<WebSocketClient<Served>>>,
}

/// Makes the machine of a new connection.
pub(super) type Serve = Box<dyn Fn(Arc<dyn Observer>) -> Served>;

pub(super) struct World {
    serve: Serve,
    pub(super) lifecycle: Wire<Lifecycle>,
    pub(super) lifecycle_seen: Arc<Seen>,
    observer: Option<Arc<dyn session::Observer>>,
    connections: Vec<Connection>,
    #[cfg(feature = "websocket")]
    sockets: Vec<OpenSocket>,
    /// The WebSocket whose handshake is on its way, and its path.
    #[cfg(feature = "websocket")]
    pub(super) opening: Option<(String, Wire<Served>)>,
    files: Option<Rc<RefCell<Box<dyn Files>>>>,
    pub(super) settings: Settings,
    random: Random,
    /// Connections so far, and users.
    opened: u64,
    users: u64,
    pub(super) is_draining: bool,
}

impl World {
    pub(super) fn new(
        serve: Serve,
        lifecycle: Wire<Lifecycle>,
        lifecycle_seen: Arc<Seen>,
        observer: Option<Arc<dyn Observer>>,
        settings: Settings,
        seed: u64,
    ) -> Self {
        Self {
            serve,
            lifecycle,
            lifecycle_seen,
            observer,
            connections: Vec::new(),
            #[cfg(feature = "websocket")]
            sockets: Vec::new(),
            #[cfg(feature = "websocket")]
            opening: None,
            files: None,
            settings,
            random: Random::new(seed),
            opened: 0,
            users: 0,
            is_draining: false,
        }
    }

    pub(super) fn set_files(&mut self, files: Box<dyn Files>) {
        let files = Rc::new(RefCell::new(files));
        let lent = files.clone();
        self.lifecycle.files(move |op| lent.borrow_mut().answer(op));
        self.files = Some(files);
    }

    pub(super) fn now(&self) -> Now {
        self.lifecycle.now()
    }

    pub(super) fn random(&mut self) -> u64 {
        self.random.next()
    }

    /// The number of a new user.
    pub(super) fn next_user(&mut self) -> u64 {
        self.users += 1;
        self.users
    }

    /// A new connection for requests to `url`.
    pub(super) fn connect(&mut self, key: &Key, url: &Url) -> (Wire<Served>, Arc<Seen>) {
        self.opened += 1;
        // The ports that a system gives away by itself.
        let port = 49_152 + (self.opened % 16_384) as u16;
        let peer = key.peer.clone().unwrap_or_else(|| Address::Ip(([127, 0, 0, 1], port).into()));
        let local = Address::Ip(([127, 0, 0, 1], url.port()).into());
        let mut info = ConnectionInfo::new(Some(peer), Some(local));
        (info.secure, info.seed) = (key.secure, self.random.next());
        let seen = Arc::new(Seen::new(self.observer.clone()));
        let mut wire = Wire::connected((self.serve)(seen.clone()), info).begun_at(self.now());
        wire.record(self.settings.records);
        if let Some(files) = self.files.clone() {
            wire.files(move |op| files.borrow_mut().answer(op));
        }
        if self.is_draining {
            wire.drain();
        }
        (wire, seen)
    }

    /// The number of a connection that serves a request of this key: an idle one, or a new one.
    pub(super) fn connection_for(&mut self, key: &Key, url: &Url) -> u64 {
        self.run();
        let idle = self.connections.iter().find(|connection| connection.key == *key && connection.is_idle());
        if let Some(connection) = idle {
            return connection.id;
        }
        let (mut wire, seen) = self.connect(key, url);
        wire.hold_output(true);
        self.connections.push(Connection::new(self.opened, key.clone(), wire, seen, self.settings.most));
        self.opened
    }

    pub(super) fn connection(&mut self, id: u64) -> Option<&mut Connection> {
        self.connections.iter_mut().find(|connection| connection.id == id)
    }

    pub(super) fn push(&mut self, id: u64, exchange: SharedExchange) {
        if let Some(connection) = self.connection(id) {
            connection.push(exchange);
        }
    }

    /// How many connections are open.
    pub(super) fn open_connections(&self) -> usize {
        self.connections.len()
    }

    #[cfg(feature = "websocket")]
    pub(super) fn add_socket(&mut self, path: &str, client: Rc<RefCell<WebSocketClient<Served>>>) {
        self.sockets.push(OpenSocket { path: path.to_owned(), client });
    }

    /// Runs all machines until nothing moves.
    pub(super) fn run(&mut self) {
        for _ in 0..PATIENCE {
            if !self.run_once() {
                return;
            }
        }
        panic!("no rest after {PATIENCE} rounds at one moment\n{}", self.waits());
    }

    fn run_once(&mut self) -> bool {
        let mut moved = self.lifecycle.has_cause();
        if moved {
            self.lifecycle.settle();
        }
        for connection in &mut self.connections {
            moved |= connection.pump();
        }
        self.bury();
        #[cfg(feature = "websocket")]
        {
            moved |= self.run_sockets();
        }
        moved
    }

    /// Forgets connections that are over.
    fn bury(&mut self) {
        self.connections.retain_mut(|connection| {
            if connection.is_over() {
                connection.hand_over_transcript();
            }
            !connection.is_over()
        });
    }

    #[cfg(feature = "websocket")]
    fn run_sockets(&mut self) -> bool {
        let mut moved = false;
        self.each_socket(|socket| {
            let runs = socket.wire().has_cause();
            if runs {
                socket.settle();
            }
            moved |= runs;
        });
        if let Some((_, wire)) = self.opening.as_mut().filter(|(_, wire)| wire.has_cause()) {
            wire.settle();
            moved = true;
        }
        // Whom nobody holds any more still comes to its end.
        self.sockets.retain(|socket| !socket.client.borrow().wire().is_over());
        moved
    }

    #[cfg(feature = "websocket")]
    fn each_socket(&self, mut work: impl FnMut(&mut WebSocketClient<Served>)) {
        for socket in &self.sockets {
            work(&mut socket.client.borrow_mut());
        }
    }

    /// The next moment at which a machine wants to be stepped.
    pub(super) fn next_deadline(&mut self) -> Option<Moment> {
        let connections = self.connections.iter().filter_map(|connection| connection.wire.next_deadline());
        let next = self.lifecycle.next_deadline().into_iter().chain(connections).min();
        #[cfg(feature = "websocket")]
        let next = {
            let opening = self.opening.iter().filter_map(|(_, wire)| wire.next_deadline());
            let mut next = next.into_iter().chain(opening).min();
            self.each_socket(|socket| next = next.into_iter().chain(socket.wire().next_deadline()).min());
            next
        };
        next
    }

    /// Lets the clock go on to `at`, before which there is no deadline, and runs.
    pub(super) fn reach(&mut self, at: Moment) {
        self.tell_time(at);
        // A deadline comes before what was sent at its moment.
        self.lifecycle.settle();
        for connection in &mut self.connections {
            connection.wire.settle();
        }
        self.run();
    }

    /// All machines have the new time before the first of them runs: it may wake the others.
    fn tell_time(&mut self, at: Moment) {
        self.lifecycle.tell_time(at);
        for connection in &mut self.connections {
            connection.wire.tell_time(at);
        }
        #[cfg(feature = "websocket")]
        {
            self.opening.iter_mut().for_each(|(_, wire)| wire.tell_time(at));
            self.each_socket(|socket| socket.wire_mut().tell_time(at));
        }
    }

    /// Lets the clock go on by `time`, with a stop at every deadline on the way.
    pub(super) fn advance(&mut self, time: Duration) {
        let target = self.now().mono + time;
        self.run();
        for _ in 0..DEADLINES {
            match self.next_deadline().filter(|at| *at <= target) {
                Some(at) => self.reach(at),
                None => return self.reach(target),
            }
        }
        panic!("{DEADLINES} deadlines within {time:?}\n{}", self.waits());
    }

    /// Lets the clock go on until `stage` is reached; whether it was.
    pub(super) fn reach_stage(&mut self, stage: Stage, time: Duration) -> bool {
        let until = self.now().mono + time;
        self.run();
        for _ in 0..WAITED {
            if self.lifecycle.machine().stage() >= stage {
                return true;
            }
            match self.next_deadline().filter(|at| *at <= until) {
                Some(at) => self.reach(at),
                None => return false,
            }
        }
        false
    }

    /// The server begins to stop.
    pub(super) fn drain(&mut self) {
        self.is_draining = true;
        self.lifecycle.drain();
        for connection in &mut self.connections {
            connection.wire.drain();
        }
        #[cfg(feature = "websocket")]
        self.each_socket(|socket| {
            socket.drain();
        });
        self.run();
    }

    /// What every machine waits for, a line each.
    pub(super) fn waits(&mut self) -> String {
        let mut text = format!("at {:?} of the clock wait:\n", self.now().mono.since(START));
        for connection in &self.connections {
            let _ = writeln!(text, "- {}", connection.waits_for());
        }
        #[cfg(feature = "websocket")]
        {
            if let Some((path, wire)) = &self.opening {
                let wants = wanted(&wire.wants(), START);
                let _ = writeln!(text, "- a WebSocket at {path}, which does not open; it wants {wants}");
            }
            for OpenSocket { path, client } in &self.sockets {
                let wants = wanted(&client.borrow().wire().wants(), START);
                let _ = writeln!(text, "- a WebSocket at {path}; it wants {wants}");
            }
        }
        let lifecycle = self.lifecycle.machine();
        let (stage, tasks) = (lifecycle.stage(), lifecycle.spawner().tasks());
        let wants = wanted(&self.lifecycle.wants(), START);
        let _ = writeln!(text, "- the lifecycle: {stage:?}, with {tasks} tasks; it wants {wants}");
        text
    }

    /// All that is known where something failed.
    pub(super) fn report(&mut self, connection: u64, exchange: &SharedExchange) -> String {
        let mut text = self.waits();
        for note in self.lifecycle_seen.notes() {
            let _ = writeln!(text, "- the lifecycle told: {note}");
        }
        let transcript = self.transcript(connection, exchange);
        let _ = writeln!(text, "-- the transcript of connection {connection}\n{transcript}");
        text
    }

    /// What went over the connection of an exchange while it was that of this exchange.
    pub(super) fn transcript(&self, id: u64, exchange: &SharedExchange) -> String {
        if let Some(transcript) = &exchange.borrow().transcript {
            return transcript.to_string();
        }
        let open = self.connections.iter().find(|connection| connection.id == id);
        open.map(|connection| connection.wire.transcript().to_string()).unwrap_or_default()
    }
}

/// Lets time pass until `ready` gives something, for at most `timeout`.
pub(super) fn wait<T>(
    world: &Shared,
    timeout: Duration,
    mut ready: impl FnMut(&mut World) -> Option<T>,
) -> Result<T, Cause> {
    let until = world.borrow().now().mono + timeout;
    world.borrow_mut().run();
    for _ in 0..WAITED {
        let mut world = world.borrow_mut();
        if let Some(value) = ready(&mut world) {
            return Ok(value);
        }
        if world.settings.holds_clock {
            return Err(Cause::ClockHeld);
        }
        match world.next_deadline() {
            None => return Err(Cause::Deadlock),
            Some(at) if at > until => {
                world.reach(until);
                return ready(&mut world).ok_or(Cause::TimedOut(timeout));
            }
            Some(at) => world.reach(at),
        }
    }
    Err(Cause::Restless(WAITED))
}

impl Drop for World {
    /// The server stops as it would in earnest, unless the test has failed already.
    fn drop(&mut self) {
        let stage = self.lifecycle.machine().stage();
        if !std::thread::panicking() && stage > Stage::Starting && stage < Stage::Over {
            self.drain();
            self.reach_stage(Stage::Over, STOP_TIME);
        }
    }
}

/// How long a server may take to stop, or to start.
pub(super) const STOP_TIME: Duration = Duration::from_secs(86_400);
