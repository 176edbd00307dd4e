//! A network between many clients and one server: a machine that consists of machines.
//!
//! The rule: everything in it happens at a moment that follows from the seed, and the clock goes from each to the next;
//! so hours pass at once, and the same seed is the same run.
//!
//! Each connection is a client's machine, a server's machine and two [links](Weather): bytes are delayed, cut anew,
//! held up, and lost only by a reset. Each end is driven as an adapter drives it, by a driver that steps only for a
//! cause. A [`Lifecycle`] stands beside the connections, and a disk answers what they ask for, late or not at all.
//!
//! What is seen of a machine that no driver could bear (the [laws](mod@crate::laws) that can be seen from outside) stops
//! the network, and stands in [`Net::broken`].

mod bell;
mod connection;
mod disk;
mod end;
mod link;
mod stand_in;
mod weather;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;

use bakestone::Lifecycle;
use bakestone::machine::{ConnectionInfo, Io, Machine, Moment, Now, Phase, Read, Wants};
use bakestone::session::Stage;
use bakestone::tape::{Recorder, Recording};

use crate::files::Files;
use crate::laws::Law;
use crate::seed::Random;
use crate::transcript::Transcript;
use crate::wire::Breach;
use bell::{Bell, Board};
use connection::Connection;
use disk::Disk;
use end::{Desk, End};
use link::Link;
use stand_in::{Refuses, Shared};
use weather::Way;

pub use connection::Faults;
pub use weather::{DiskWeather, Weather};

/// The bell that is the lifecycle's.
const LIFECYCLE: usize = usize::MAX;

/// Looks at machines at one moment after which they are held to wake each other for ever: so many, and these for each connection.
const PATIENCE: usize = 1 << 16;
const PATIENCE_EACH: usize = 64;

/// A law that was seen broken, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// Which law.
    pub law: Law,
    /// What was seen.
    pub what: String,
    /// On which connection, in the order of [`Net::connect_at`]; none for the lifecycle.
    pub connection: Option<usize>,
    /// When.
    pub at: Moment,
    /// The seed of the network.
    pub seed: u64,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { law, what, connection, at, seed } = self;
        write!(f, "broken: law {law}: {what}; seed {seed}, {:?} on its clock", at.since(Moment::ZERO))?;
        connection.map_or(Ok(()), |connection| write!(f, ", connection {connection}"))
    }
}

/// A connection that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// Which one, in the order of [`Net::connect_at`].
    pub connection: usize,
    /// What went wrong on it that is nobody's bug.
    pub faults: Faults,
    /// The server's machine was over before the client's.
    pub server_was_first: bool,
}

/// Makes the server's machine of a connection.
type Accept = Box<dyn FnMut(ConnectionInfo) -> Box<dyn Machine>>;

/// Many connections to one server, on one clock.
///
/// It is a [`Machine`] itself: [`Wants::wake_at`] is the moment of the next event, `drain` reaches the server's
/// machines, and it is [done](Phase::Done) once the server was drained and nothing is left.
///
/// ```
/// use bakestone::machine::{Io, Machine, Moment, Now, Phase, Read, Wants};
/// use bakestone::{Request, Session, Text};
/// use bakestone_testkit::Wire;
/// use bakestone_testkit::net::{Net, Weather};
/// use std::task::Context;
/// use std::time::Duration;
///
/// /// Asks once, and reads to the end.
/// struct Asker(bool);
///
/// impl Machine for Asker {
///     fn step(&mut self, _: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
///         if !std::mem::replace(&mut self.0, true) {
///             io.output.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
///         }
///         match io.peer {
///             bakestone::machine::Peer::Open => Wants { read: Read::Need, wake_at: None, phase: Phase::Open },
///             _ => {
///                 assert!(io.input.ends_with(b"hello"));
///                 Wants::DONE
///             }
///         }
///     }
/// }
///
/// let mut net = Net::new(7, Weather::calm(), |_| Box::new(Session::new(|_: Request| Text("hello"))));
/// for second in 0..100 {
///     net.connect_at(Moment::from_epoch(Duration::from_secs(2_000 + second)), Asker(false));
/// }
/// let mut wire = Wire::new(net);
/// while wire.advance_to_next_deadline() {}
/// wire.drain();
/// assert!(wire.is_done());
/// assert_eq!(wire.machine_mut().take_ended().len(), 100);
/// ```
pub struct Net {
    seed: u64,
    random: Random,
    weather: Weather,
    accept: Accept,
    lifecycle: Option<(Rc<RefCell<Lifecycle>>, End)>,
    disk: Option<Disk>,
    board: Arc<Board>,
    connections: Vec<Option<Box<Connection>>>,
    /// Clients that have not connected yet, and when they do.
    clients: Vec<Option<Box<dyn Machine>>>,
    /// Those that came before the server had started.
    early: VecDeque<usize>,
    events: BinaryHeap<Reverse<(Moment, usize)>>,
    /// Connections with a client, or a server, that is not over.
    open: usize,
    /// Those of them that are still to come.
    awaited: usize,
    ended: Vec<Ended>,
    desks: [Desk; 2],
    lifecycle_armed_at: Option<Moment>,
    drain: bool,
    recorded: Option<(usize, Transcript)>,
    taped: Option<(usize, Recording)>,
    broken: Option<Broken>,
}

impl Net {
    /// A network with this seed and this weather, before a server that answers each connection by the machine that
    /// `accept` makes.
    pub fn new(
        seed: u64,
        weather: Weather,
        accept: impl FnMut(ConnectionInfo) -> Box<dyn Machine> + 'static,
    ) -> Self {
        let mut desks = [(); 2].map(|()| Desk::default());
        for desk in &mut desks {
            desk.read_ahead = bakestone::Limits::default().read_ahead;
        }
        Self {
            seed,
            random: Random::new(seed),
            weather,
            accept: Box::new(accept),
            lifecycle: None,
            disk: None,
            board: Arc::default(),
            connections: Vec::new(),
            clients: Vec::new(),
            early: VecDeque::new(),
            events: BinaryHeap::new(),
            open: 0,
            awaited: 0,
            ended: Vec::new(),
            desks,
            lifecycle_armed_at: None,
            drain: false,
            recorded: None,
            taped: None,
            broken: None,
        }
    }

    /// The server's life: clients are accepted once it has started, and it ends before the network does.
    #[must_use]
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        let lifecycle = Rc::new(RefCell::new(lifecycle));
        let end = End::alone(Box::new(Shared(lifecycle.clone())), Bell::new(LIFECYCLE, self.board.clone()));
        self.lifecycle = Some((lifecycle, end));
        self
    }

    /// Answers the server's effects from `files`, in this weather. Without that they are the driver's of this machine.
    #[must_use]
    pub fn disk(mut self, files: impl Files + 'static, weather: DiskWeather) -> Self {
        self.disk = Some(Disk::new(Box::new(files), weather, self.random.next()));
        self
    }

    /// Holds the server's machines to at most so many bytes of input and output.
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.desks[1].max_buffered = Some(bytes);
        self
    }

    /// Lets `client` connect at `at`; its number, which counts from 0.
    pub fn connect_at(&mut self, at: Moment, client: impl Machine + 'static) -> usize {
        let number = self.clients.len();
        self.clients.push(Some(Box::new(client)));
        self.connections.push(None);
        self.events.push(Reverse((at, number)));
        self.open += 1;
        self.awaited += 1;
        number
    }

    /// Keeps the transcript of this connection, as its server sees it, with its times as those since `start`.
    pub fn record(&mut self, connection: usize, start: Moment) {
        self.recorded = Some((connection, Transcript::new(start)));
    }

    /// The transcript of the connection that is recorded.
    pub fn transcript(&self) -> Option<&Transcript> {
        self.recorded.as_ref().map(|(_, transcript)| transcript)
    }

    /// Writes the [tape](crate::tape) of this connection, as its server sees it, with whatever this recording hides and
    /// wherever it keeps it. The tape is whole once the connection is over, or the network is dropped.
    pub fn tape(&mut self, connection: usize, recording: Recording) {
        self.taped = Some((connection, recording));
    }

    /// The connections that are over since the last call.
    pub fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ended)
    }

    /// The first law that was seen broken; it stops the network.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// How many connections are not over, those that are still to come included.
    pub fn open(&self) -> usize {
        self.open
    }

    /// How many connections there are now.
    pub fn connected(&self) -> usize {
        self.open - self.awaited
    }

    /// A connection on which the server is not over.
    pub fn serving(&self) -> Option<usize> {
        let is_served = |connection: &Option<Box<Connection>>| {
            connection.as_ref().is_some_and(|connection| !connection.server.is_over())
        };
        self.connections.iter().position(is_served)
    }

    /// A connection whose server has made the most steps of those that are not over.
    pub(crate) fn busiest(&self) -> Option<usize> {
        let connections = self.connections.iter().enumerate();
        let steps =
            connections.filter_map(|(place, connection)| Some((connection.as_ref()?.server.steps(), place)));
        steps.max().map(|(_, place)| place)
    }

    /// Whether the server's life is over, or there is none.
    pub fn lifecycle_is_over(&self) -> bool {
        self.lifecycle.as_ref().is_none_or(|(_, end)| end.is_over())
    }

    /// How many steps all machines have made.
    pub fn steps(&self) -> u64 {
        self.desks.iter().map(|desk| desk.steps).sum()
    }

    fn stage(&self) -> Stage {
        self.lifecycle.as_ref().map_or(Stage::Running, |(lifecycle, _)| lifecycle.borrow().stage())
    }

    /// Looks at whatever is due, or rang, until nothing is.
    fn settle(&mut self, now: Now, io: &mut Io) -> Result<(), Broken> {
        let most = PATIENCE + PATIENCE_EACH * self.connections.len();
        for _ in 0..most {
            if let Some(disk) = &mut self.disk {
                disk.answer(now.mono);
            }
            if let Some(place) = self.board.take() {
                self.look(place, now, io)?;
                continue;
            }
            match self.events.peek() {
                Some(Reverse((at, place))) if *at <= now.mono => {
                    let place = *place;
                    self.events.pop();
                    self.look(place, now, io)?;
                }
                _ if self.disk.as_ref().and_then(Disk::next_at).is_some_and(|at| at <= now.mono) => {}
                _ => return Ok(()),
            }
        }
        let what = format!("machines wake each other, and do not rest after {most} looks at one moment");
        let connection = self.board.take().filter(|place| *place != LIFECYCLE);
        Err(Broken { law: Law::Bounded, what, connection, at: now.mono, seed: self.seed })
    }

    fn look(&mut self, place: usize, now: Now, io: &mut Io) -> Result<(), Broken> {
        let breach = match place {
            LIFECYCLE => self.turn_lifecycle(now),
            _ if self.clients[place].is_some() => {
                self.connect(place, now);
                self.turn(place, now)
            }
            _ => self.turn(place, now),
        };
        self.take_effects(place, now, io);
        let connection = Some(place).filter(|place| *place != LIFECYCLE);
        let (at, seed) = (now.mono, self.seed);
        breach.map_err(|Breach { law, what }| Broken { law, what, connection, at, seed })
    }

    fn take_effects(&mut self, place: usize, now: Now, io: &mut Io) {
        for effect in self.desks.iter_mut().flat_map(|desk| desk.effects.drain(..)) {
            let Some(disk) = &mut self.disk else {
                io.effects.push(effect);
                continue;
            };
            if disk.ask(now.mono, effect) {
                if let Some(Some(connection)) = self.connections.get_mut(place) {
                    connection.faults.disk = true;
                }
            }
        }
    }

    /// A client's turn to connect has come.
    fn connect(&mut self, place: usize, now: Now) {
        if self.stage() == Stage::Starting && !self.drain {
            return self.early.push_back(place);
        }
        let Some(client) = self.clients[place].take() else { return };
        self.awaited -= 1;
        let mut random = Random::new(self.random.next());
        let mut info = ConnectionInfo::default();
        info.seed = random.next();
        let links = [(); 2].map(|()| {
            let way = Way::draw(&self.weather, &mut random);
            Link::new(way, Random::new(random.next()))
        });
        let refused = self.drain || self.stage() != Stage::Running;
        let machine: Box<dyn Machine> = match refused {
            true => Box::new(Refuses),
            false => (self.accept)(info.clone()),
        };
        let machine = match &self.taped {
            Some((taped, recording)) if *taped == place => {
                Box::new(Recorder::new(machine, recording.clone()))
            }
            _ => machine,
        };
        let bell = || Bell::new(place, self.board.clone());
        let (client, server) =
            (End::new(client, ConnectionInfo::default(), bell()), End::new(machine, info, bell()));
        let mut connection = Box::new(Connection::new(client, server, links));
        connection.faults.refused = refused;
        connection.armed_at = Some(now.mono);
        self.connections[place] = Some(connection);
    }

    fn turn(&mut self, place: usize, now: Now) -> Result<(), Breach> {
        let Some(connection) = &mut self.connections[place] else { return Ok(()) };
        let log = self.recorded.as_mut().filter(|(recorded, _)| *recorded == place);
        let [client, server] = &mut self.desks;
        connection.turn(now, [client, server], log.map(|(_, transcript)| transcript))?;
        if connection.is_over() {
            let (faults, server_was_first) = (connection.faults, connection.server_was_first);
            self.ended.push(Ended { connection: place, faults, server_was_first });
            self.connections[place] = None;
            self.open -= 1;
            return Ok(());
        }
        // An earlier look does no harm: it finds nothing to do, and then this is asked again.
        if let Some(at) = connection.next_at(now.mono) {
            if connection.armed_at.is_none_or(|armed| armed <= now.mono || at < armed) {
                connection.armed_at = Some(at);
                self.events.push(Reverse((at, place)));
            }
        }
        Ok(())
    }

    fn turn_lifecycle(&mut self, now: Now) -> Result<(), Breach> {
        let Some((_, end)) = &mut self.lifecycle else { return Ok(()) };
        let way = || Way::draw(&Weather::calm(), &mut Random::new(0));
        let nowhere = || Link::new(way(), Random::new(0));
        end.turn(now, (&mut nowhere(), &mut nowhere()), &mut self.desks[1], None)?;
        if let Some(at) = end.wake_at() {
            if self.lifecycle_armed_at.is_none_or(|armed| armed <= now.mono || at < armed) {
                self.lifecycle_armed_at = Some(at);
                self.events.push(Reverse((at, LIFECYCLE)));
            }
        }
        if self.stage() > Stage::Starting {
            self.events.extend(self.early.drain(..).map(|place| Reverse((now.mono, place))));
        }
        Ok(())
    }

    /// The server begins to stop.
    fn begin_drain(&mut self, now: Now, io: &mut Io) -> Result<(), Broken> {
        self.drain = true;
        if let Some((_, end)) = &mut self.lifecycle {
            end.drain();
        }
        for place in 0..self.connections.len() {
            if let Some(connection) = &mut self.connections[place] {
                connection.server.drain();
                connection.faults.drained = true;
                self.look(place, now, io)?;
            }
        }
        self.look(LIFECYCLE, now, io)
    }

    fn is_over(&self) -> bool {
        let disk_is_idle = self.disk.as_ref().is_none_or(|disk| disk.next_at().is_none());
        let all_over = self.drain && self.open == 0 && self.lifecycle_is_over() && disk_is_idle;
        all_over || self.broken.is_some()
    }
}

impl Machine for Net {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        if self.is_over() {
            return Wants::DONE;
        }
        let begun = match (io.drain && !self.drain, &self.lifecycle_armed_at, &self.lifecycle) {
            (true, ..) => self.begin_drain(now, io),
            (false, None, Some(_)) => self.look(LIFECYCLE, now, io),
            _ => Ok(()),
        };
        self.broken = begun.and_then(|()| self.settle(now, io)).err();
        if self.is_over() {
            return Wants::DONE;
        }
        self.board.tell(cx.waker());
        let event = self.events.peek().map(|Reverse((at, _))| *at);
        let wake_at = event.into_iter().chain(self.disk.as_ref().and_then(Disk::next_at)).min();
        Wants { read: Read::Pause, wake_at, phase: Phase::Open }
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net")
            .field("seed", &self.seed)
            .field("open", &self.open)
            .field("drain", &self.drain)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}
