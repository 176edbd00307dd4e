//! Thousands of clients, good and bad, against one application, on a network that is none too good.
//!
//! The rule: one seed is one run. What is found is told with the seed, the client, the moment and the transcript of
//! that client's connection, and is kept as a [tape](crate::tape).
//!
//! A simulation lives through minutes. Each of them is a server's whole life: it starts, clients come for a minute,
//! and at some moment it drains. Clients ask one request after the other or several ahead, upload, wait for 100
//! (Continue), stop in the middle, read slowly or not at all, reset, or talk nonsense. Some open a WebSocket, and say
//! things there that are to be echoed. These [rules](Rule) are held:
//!
//! - Each request is answered once and in order, by its own answer, or the connection is seen to break. Where neither
//!   the client nor the network nor the disk gives a reason, it must not break. Each message of a WebSocket is echoed
//!   likewise, and a Close is answered.
//! - A server that drains still gives the answers that it owes.
//! - The laws of every machine that can be seen from outside, memory among them.
//! - A drain ends in time.
//! - What is over leaves nothing behind.

mod app;
mod ask;
mod book;
mod client;
mod exchange;
mod finding;
mod life;
mod pattern;
#[cfg_attr(not(feature = "websocket"), path = "simulate/no_talk.rs")]
mod talk;

use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bakestone::machine::Machine;
use bakestone::tape::{Recording, Redaction, Tapes};
use bakestone::{App, Limits};

use crate::files::{Files, MemoryFiles};
use crate::net::{DiskWeather, Weather};
use app::{Running, name_answers};
use client::Asker;
use life::Life;

pub use ask::{ASK, Ask, Dice};
pub use book::Summary;
pub use finding::{Finding, Rule};
pub use pattern::pattern;

/// What a minute may leave behind in memory: what is made once and kept.
const LEFT_BYTES: usize = 256 << 10;

/// Makes the application of one server.
type Make = Rc<dyn Fn(Running) -> App>;
/// Makes the files of one server, and a count of those without a name that are open.
type MakeFiles = Rc<dyn Fn() -> (Box<dyn Files>, Box<dyn Fn() -> usize>)>;
/// Puts something around the machine of each connection.
type Around = Rc<dyn Fn(Box<dyn Machine>) -> Box<dyn Machine>>;

/// Simulates so many minutes against the kit's own application, which does whatever handlers can do, in rough weather.
///
/// # Panics
///
/// If a rule is broken, with the seed, the client, the moment and the transcript.
///
/// ```
/// let summary = bakestone_testkit::simulate(7, 1);
/// assert!(summary.answered > 100);
/// ```
#[track_caller]
pub fn simulate(seed: u64, minutes: u64) -> Summary {
    match Simulation::new(seed).minutes(minutes).run() {
        Ok(summary) => summary,
        Err(finding) => panic!("{finding}"),
    }
}

/// The seeds to try: those that are given, or that of the environment's `NET_SEED` alone, which a failure prints.
///
/// # Panics
///
/// If `NET_SEED` is no number.
pub fn seeds(default: &[u64]) -> Vec<u64> {
    match std::env::var("NET_SEED") {
        Ok(seed) => vec![seed.parse().unwrap_or_else(|_| panic!("NET_SEED={seed} is no number"))],
        Err(_) => default.to_vec(),
    }
}

/// What is simulated.
///
/// ```
/// use bakestone::{App, Path, Text, get};
/// use bakestone_testkit::net::Weather;
/// use bakestone_testkit::simulate::{Ask, Simulation};
///
/// async fn cake(Path(name): Path<String>) -> Text<String> {
///     Text(format!("{name} is ready"))
/// }
///
/// let bakery = Simulation::new(7)
///     .app(|| App::new().route("/cakes/{name}", get(cake)))
///     .asks(|dice| {
///         let number = dice.below(1_000);
///         Ask::get(format!("/cakes/{number}")).expect_text(format!("{number} is ready"))
///     })
///     .clients(50)
///     .weather(Weather::calm());
/// let summary = bakery.run().unwrap();
/// assert_eq!(summary.clients, 50);
/// ```
#[derive(Clone)]
pub struct Simulation {
    seed: u64,
    minutes: u64,
    clients: u64,
    weather: Weather,
    disk: DiskWeather,
    limits: Arc<Limits>,
    make: Make,
    files: MakeFiles,
    asker: Asker,
    around: Around,
    memory: Option<fn() -> usize>,
}

impl Simulation {
    /// A minute of the kit's own application, with 400 clients, in rough weather.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            minutes: 1,
            clients: 400,
            weather: Weather::rough(),
            disk: DiskWeather::rough(),
            limits: Arc::default(),
            make: Rc::new(app::app),
            files: Rc::new(|| {
                let files = app::files();
                (Box::new(files.clone()), Box::new(move || files.temporaries()))
            }),
            asker: Rc::new(app::ask),
            around: Rc::new(|machine| machine),
            memory: None,
        }
    }

    /// So many minutes.
    #[must_use]
    pub fn minutes(mut self, minutes: u64) -> Self {
        self.minutes = minutes;
        self
    }

    /// So many clients in each minute.
    #[must_use]
    pub fn clients(mut self, clients: u64) -> Self {
        self.clients = clients;
        self
    }

    /// Another weather on the network.
    #[must_use]
    pub fn weather(mut self, weather: Weather) -> Self {
        self.weather = weather;
        self
    }

    /// Another weather on the disk.
    #[must_use]
    pub fn disk(mut self, weather: DiskWeather) -> Self {
        self.disk = weather;
        self
    }

    /// Calm weather everywhere: every client that behaves is answered.
    #[must_use]
    pub fn calm(self) -> Self {
        self.weather(Weather::calm()).disk(DiskWeather::calm())
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Arc::new(limits);
        self
    }

    /// Another application, which is made for each minute; it goes with other [requests](Self::asks). Around it stands
    /// a middleware that puts [`ASK`] into the answers; a handler that writes its answer by itself has to do that too.
    #[must_use]
    pub fn app(mut self, make: impl Fn() -> App + 'static) -> Self {
        self.make = Rc::new(move |_| make());
        self
    }

    /// Other files, which are made for each minute. Of [`MemoryFiles`] none without a name may be left open.
    #[must_use]
    pub fn files<F: Files + 'static>(mut self, make: impl Fn() -> F + 'static) -> Self {
        self.files = Rc::new(move || {
            let files = make();
            let counted = (&files as &dyn Any).downcast_ref::<MemoryFiles>().cloned();
            let opened = move || counted.as_ref().map_or(0, MemoryFiles::temporaries);
            (Box::new(files), Box::new(opened))
        });
        self
    }

    /// Other requests.
    #[must_use]
    pub fn asks(mut self, ask: impl Fn(&mut Dice<'_>) -> Ask + 'static) -> Self {
        self.asker = Rc::new(ask);
        self
    }

    /// Puts a machine around that of each connection.
    #[must_use]
    pub fn around(mut self, around: impl Fn(Box<dyn Machine>) -> Box<dyn Machine> + 'static) -> Self {
        self.around = Rc::new(around);
        self
    }

    /// Tells how many bytes of memory are in use, from a test's own allocator: after each minute it must be what it
    /// was before, and during it the connections stay within their bounds together.
    #[must_use]
    pub fn memory(mut self, memory: fn() -> usize) -> Self {
        self.memory = Some(memory);
        self
    }

    /// Runs it.
    ///
    /// # Errors
    ///
    /// The first rule that was seen broken.
    pub fn run(&self) -> Result<Summary, Box<Finding>> {
        let mut summary = Summary::default();
        for minute in 0..self.minutes {
            summary += self.run_minute(minute)?;
        }
        Ok(summary)
    }

    fn look_at_memory(&self, minute: u64, before: Option<usize>) -> Result<(), Box<Finding>> {
        let left = self.memory.zip(before).map_or(0, |(memory, before)| memory().saturating_sub(before));
        if left <= LEFT_BYTES {
            return Ok(());
        }
        Err(Box::new(Finding {
            rule: Rule::Finished,
            what: format!("{left} bytes of memory are left"),
            seed: self.seed,
            minute,
            client: None,
            at: Duration::ZERO,
            transcript: String::new(),
            tape: String::new(),
            kept: None,
        }))
    }

    /// The application as it is simulated, with what makes its answers name their requests: the one that the
    /// [tape](Finding::tape) of a finding is of.
    ///
    /// ```
    /// use bakestone::{App, get};
    /// use bakestone_testkit::simulate::{Ask, Simulation};
    /// use bakestone_testkit::{Replay, tape};
    ///
    /// let simulation = Simulation::new(7)
    ///     .app(|| App::new().route("/", get(|| "bread")))
    ///     .asks(|_| Ask::get("/").expect_text("cake"));
    /// let finding = simulation.run().unwrap_err();
    /// let replayed = Replay::parse(&finding.tape)?.app(simulation.application())?;
    /// assert!(replayed.output.ends_with(b"bread"));
    /// # Ok::<(), tape::ReplayError>(())
    /// ```
    pub fn application(&self) -> App {
        self.application_beside(Running::default())
    }

    fn application_beside(&self, running: Running) -> App {
        (self.make)(running).middleware_first(name_answers)
    }

    /// A minute; what it finds is looked at in a second run, which keeps a transcript and a tape.
    fn run_minute(&self, minute: u64) -> Result<Summary, Box<Finding>> {
        let before = self.memory.map(|memory| memory());
        let found = match Life::new(self, minute).run() {
            Err(finding) => finding,
            Ok(summary) => return self.look_at_memory(minute, before).map(|()| summary),
        };
        let Some(client) = found.client else { return Err(found) };
        // With a recorder in between, each answer to an effect wakes by itself: a wake that is lost is seen without one.
        let again =
            [true, false].into_iter().find_map(|is_taped| self.find_again(minute, client, is_taped, &found));
        Err(again.unwrap_or_else(|| {
            let what = format!("{}; the same seed has not shown it again", found.what);
            Box::new(Finding { what, ..*found })
        }))
    }

    /// The same finding with the transcript of its client's connection, and maybe its tape.
    fn find_again(
        &self,
        minute: u64,
        client: usize,
        is_taped: bool,
        found: &Finding,
    ) -> Option<Box<Finding>> {
        let tapes = Tapes::new();
        let mut life = Life::new(self, minute);
        life.record(client);
        if is_taped {
            let recording = Recording::new(tapes.clone()).redaction(Redaction::nothing()).bytes(u64::MAX);
            life.tape(client, recording.limits(self.limits.clone()));
        }
        let again = life.run().err()?;
        let is_same = (again.client, &again.what) == (Some(client), &found.what);
        is_same.then(|| Box::new(again.taped(tapes.texts().concat())))
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("seed", &self.seed)
            .field("minutes", &self.minutes)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}
