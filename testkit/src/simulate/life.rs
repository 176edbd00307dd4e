//! One minute of a simulation: a server's life.
//!
//! The rule: the clock goes from each event to the next, and after each of them it is asked what was seen.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bakestone::Session;
use bakestone::app::Application;
use bakestone::machine::{Io, Machine, Moment, Now, Phase};
use bakestone::session::Spawner;
use bakestone::tape::Recording;

use super::app::Running;
use super::book::{Account, Book, Summary};
use super::client::Client;
use super::finding::{Finding, Rule};
use super::{LEFT_BYTES, Simulation};
use crate::laws::Law;
use crate::net::{Ended, Faults, Net, Weather};
use crate::seed::Random;

const START: Moment = Moment::from_epoch(Duration::from_secs(1_000));
const START_WALL: Duration = Duration::from_secs(1_704_067_200);

/// For how long clients come.
const MINUTE: Duration = Duration::from_secs(60);
/// When the server drains, from the start: in every other life in the thick of it, and else once all clients are gone,
/// however long the last of them waits.
const DRAIN: std::ops::Range<Duration> = Duration::from_secs(5)..MINUTE;
const LONGEST: Duration = Duration::from_secs(3_600);
/// Steps for each client after which the server is held never to come to rest; about 100 are usual.
const STEPS: u64 = 100_000;
/// How late a drain may be told: a driver first reads what is there.
const GRACE: Duration = Duration::from_millis(10);
/// How long it takes to send a request without content.
const SENDING: Duration = Duration::from_millis(100);

pub(super) struct Life<'a> {
    simulation: &'a Simulation,
    minute: u64,
    net: Net,
    book: Rc<RefCell<Book>>,
    running: Running,
    /// Tells how many files without a name are open.
    opened: Box<dyn Fn() -> usize>,
    spawner: Spawner,
    /// Tells how much is in use, if that is looked at.
    memory: Option<fn() -> usize>,
    drains_at: Moment,
    now: Moment,
    /// What went wrong so far.
    summary: Summary,
}

impl<'a> Life<'a> {
    /// The life of this minute.
    pub(super) fn new(simulation: &'a Simulation, minute: u64) -> Self {
        let mut random = Random::new(simulation.seed ^ minute.wrapping_mul(0x9e37_79b9_97f4_a7c1));
        let (running, limits) = (Running::default(), simulation.limits.clone());
        let started = simulation.application_beside(running.clone()).start();
        let (service, lifecycle) =
            started.unwrap_or_else(|errors| panic!("the application is not sound: {errors}"));
        let (service, lifecycle) = (Arc::new(service), lifecycle.limits(&limits));
        let spawner = lifecycle.spawner();
        let (attached, around, bound) = (spawner.clone(), simulation.around.clone(), limits.max_buffered());
        let accept = move |_| {
            let session = Session::with_limits(service.clone(), limits.clone()).lifecycle(&attached);
            around(Box::new(session))
        };
        let (mut files, opened) = (simulation.files)();
        let mut net = Net::new(random.next(), simulation.weather.clone(), accept)
            .lifecycle(lifecycle)
            .disk(move |op| files.answer(op), simulation.disk.clone())
            .max_buffered(bound);
        let book = Rc::<RefCell<Book>>::default();
        for _ in 0..simulation.clients {
            let at = START + random.time(&(Duration::from_micros(1)..MINUTE));
            let (asker, limits) = (simulation.asker.clone(), simulation.limits.clone());
            net.connect_at(at, Client::new(random.next(), asker, book.clone(), limits));
        }
        let drains_at = match (simulation.seed ^ minute) % 2 {
            0 => START + random.time(&DRAIN),
            _ => START + LONGEST,
        };
        Self {
            simulation,
            minute,
            net,
            book,
            running,
            opened,
            spawner,
            drains_at,
            now: START,
            summary: Summary::default(),
            memory: simulation.memory,
        }
    }

    /// Keeps a transcript of this client's connection, and looks at memory no more: transcripts and tapes are long.
    pub(super) fn record(&mut self, client: usize) {
        self.memory = None;
        self.net.record(client, START);
    }

    /// Writes a tape of it.
    pub(super) fn tape(&mut self, client: usize, recording: Recording) {
        self.net.tape(client, recording);
    }

    /// Lives it.
    pub(super) fn run(mut self) -> Result<Summary, Box<Finding>> {
        let mut io = Io::default();
        let mut cx = Context::from_waker(Waker::noop());
        let before = self.memory.map(|memory| memory());
        loop {
            let wall = START_WALL + self.now.since(START);
            let wants = self.net.step(Now::new(self.now, wall), &mut io, &mut cx);
            self.look(before)?;
            if wants.phase == Phase::Done {
                return self.end();
            }
            if self.net.open() == 0 {
                self.drains_at = self.drains_at.min(self.now);
            }
            let drain = (!io.drain).then_some(self.drains_at.max(self.now));
            let next = wants.wake_at.into_iter().chain(drain).min();
            let Some(next) = next else {
                let what = "nothing moves any more, and not all is over";
                return Err(self.found(Rule::Drained, self.net.serving(), what));
            };
            self.now = next;
            io.drain |= self.now >= self.drains_at;
        }
    }

    /// Looks at what the last event has brought.
    fn look(&mut self, before: Option<usize>) -> Result<(), Box<Finding>> {
        if let Some(broken) = self.net.broken() {
            return Err(self.found(Rule::Law(broken.law), broken.connection, &broken.what));
        }
        if let Some((client, what)) = self.book.borrow_mut().complaint.take() {
            return Err(self.found(Rule::Answered, Some(client), &what));
        }
        for ended in self.net.take_ended() {
            self.judge(ended)?;
        }
        self.look_at_drain()?;
        if self.net.steps() > STEPS * self.simulation.clients.max(1) {
            let what = format!("there is no rest after {} steps", self.net.steps());
            return Err(self.found(Rule::Law(Law::Bounded), self.net.busiest(), &what));
        }
        match self.memory.zip(before) {
            Some((memory, before)) => self.look_at_memory(memory(), before),
            None => Ok(()),
        }
    }

    /// Whether a connection may have ended so.
    fn judge(&mut self, ended: Ended) -> Result<(), Box<Finding>> {
        let account = self.book.borrow().accounts[ended.connection];
        self.summary.count(ended.faults);
        if account.outlasts && !ended.server_was_first {
            let what = "the server waits for ever for a client that does not read";
            return Err(self.found(Rule::Answered, Some(ended.connection), what));
        }
        if account.polite && ended.faults == Faults::DRAINED && self.owes(account) {
            let what = "the server drains, and does not give the answer that it owes";
            return Err(self.found(Rule::Answered, Some(ended.connection), what));
        }
        if ended.faults.any() || !account.polite || account.answered == account.asked {
            return Ok(());
        }
        let what = format!(
            "{} requests, {} of them answered and {} refused, though nothing was wrong",
            account.asked, account.answered, account.refused
        );
        Err(self.found(Rule::Answered, Some(ended.connection), &what))
    }

    /// Whether the server knew of a request before it drained, and broke off before it had to.
    fn owes(&self, account: Account) -> bool {
        let Weather { latency, jitter, .. } = &self.simulation.weather;
        let way = latency.end + *jitter + SENDING;
        let ends_at = self.drains_at + self.simulation.limits.drain_time;
        account.owed.is_some_and(|owed| owed.since + way < self.drains_at && owed.until < ends_at)
    }

    fn look_at_drain(&self) -> Result<(), Box<Finding>> {
        let time = self.simulation.limits.drain_time;
        if self.now > self.drains_at + time + GRACE {
            if let Some(client) = self.net.serving() {
                return Err(self.found(Rule::Drained, Some(client), "its session outlives the drain"));
            }
        }
        if self.now > self.drains_at + 2 * time + GRACE && !self.net.lifecycle_is_over() {
            return Err(self.found(Rule::Drained, None, "the lifecycle outlives the drain"));
        }
        Ok(())
    }

    /// All connections together stay within their bounds together.
    fn look_at_memory(&self, used: usize, before: usize) -> Result<(), Box<Finding>> {
        // What a client and the network keep of a connection is about as much again.
        let bound = LEFT_BYTES + self.net.connected() * 2 * self.simulation.limits.max_buffered();
        match used.saturating_sub(before) {
            used if used > bound => {
                let law = Rule::Law(Law::Backpressure);
                Err(self.found(law, None, &format!("{used} bytes of memory, more than {bound}")))
            }
            _ => Ok(()),
        }
    }

    /// All is over: nothing may be left.
    fn end(self) -> Result<Summary, Box<Finding>> {
        let (tasks, running) = (self.spawner.tasks(), self.running.count());
        let opened = (self.opened)();
        if tasks + running + opened > 0 {
            let what = format!("{tasks} tasks have a place, {running} run on, {opened} files are open");
            return Err(self.found(Rule::Finished, None, &what));
        }
        let mut summary = self.summary;
        summary += self.book.borrow().summary();
        summary.steps = self.net.steps();
        Ok(summary)
    }

    fn found(&self, rule: Rule, client: Option<usize>, what: &str) -> Box<Finding> {
        Box::new(Finding {
            rule,
            what: what.to_owned(),
            seed: self.simulation.seed,
            minute: self.minute,
            client,
            at: self.now.since(START),
            transcript: self.net.transcript().map(ToString::to_string).unwrap_or_default(),
            tape: String::new(),
            kept: None,
        })
    }
}
