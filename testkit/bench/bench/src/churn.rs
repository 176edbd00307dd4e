//! `churn`: what a connection costs that is opened for one request, and what is left of it.
//!
//! The rule: the servers take turns, each connection's answer and its close are looked at, and a descriptor that is left
//! is a failure.

use std::path::Path;
use std::time::{Duration, Instant};

use bakestone_bench_client::crowd;
use bakestone_bench_client::process::Sample as Memory;

use crate::machine;
use crate::options::Options;
use crate::peers::{Kind, Peer};
use crate::running::{Running, Starter};
use crate::scratch::Scratch;
use crate::table::{self, Row};

/// What this is called where a server lacks it.
const NAME: &str = "churn";
/// How many connections are open at a time.
const AT_A_TIME: usize = 8;
/// How long a server may take to give back what it had.
const GOODBYE: Duration = Duration::from_secs(20);

/// What one round gave.
#[derive(Clone, Copy)]
struct Sample {
    /// Microseconds of a processor for each connection.
    cost: f64,
    /// Connections in a second.
    rate: f64,
    after: Memory,
}

/// A server in its turn.
struct Turn {
    server: Running,
    /// Before the first round.
    before: Memory,
    samples: Vec<Sample>,
    failure: Option<String>,
}

impl Turn {
    fn start(starter: &Starter<'_>, peer: &'static Peer) -> Result<Self, String> {
        let server = starter.start(peer, 1)?;
        let failure = crowd::come_and_go(server.address).err().map(|failure| failure.to_string());
        let before = server.process().settle(Duration::from_secs(5))?;
        Ok(Self { server, before, samples: Vec::new(), failure })
    }

    /// Opens connections once more, unless that has failed before.
    fn take(&mut self, count: u64) {
        if self.failure.is_none() {
            match self.sample(count) {
                Ok(sample) => self.samples.push(sample),
                Err(failure) => self.failure = Some(failure),
            }
        }
    }

    fn sample(&self, count: u64) -> Result<Sample, String> {
        let process = self.server.process();
        let (before, began) = (process.processor_time()?, Instant::now());
        let address = self.server.address;
        crowd::each(count as usize, AT_A_TIME, || crowd::come_and_go(address))
            .map_err(|failure| failure.to_string())?;
        let seconds = began.elapsed().as_secs_f64();
        let (left, _) = process.wait_for_fds(self.before.fds, GOODBYE)?;
        if left > self.before.fds {
            return Err(format!("{} descriptors before, and {left} after {GOODBYE:?}", self.before.fds));
        }
        let spent = process.processor_time()?.saturating_sub(before);
        let cost = spent.as_secs_f64() * 1e6 / count as f64;
        Ok(Sample { cost, rate: count as f64 / seconds, after: process.sample()? })
    }

    fn cost(&self) -> f64 {
        table::median(self.samples.iter().map(|sample| sample.cost))
    }

    fn row(&self, best: Option<f64>) -> Row {
        let memory = |sample: Option<&Sample>| sample.map_or(0, |sample| sample.after.status.rss);
        let cells = vec![
            format!("{:.2}", self.cost()),
            table::spread(self.samples.iter().map(|sample| sample.cost)),
            table::ratio(self.cost(), best),
            format!("{:.0}", table::median(self.samples.iter().map(|sample| sample.rate))),
            self.before.status.rss.to_string(),
            memory(self.samples.first()).to_string(),
            memory(self.samples.last()).to_string(),
        ];
        Row { name: self.server.peer.name.to_owned(), cells }
    }
}

/// Measures all servers, and prints one table.
pub(crate) fn run(options: &Options, folder: &Path) -> Result<bool, String> {
    let scratch = Scratch::new()?;
    let starter = Starter { options, programs: folder, scratch: &scratch, wrapper: Vec::new() };
    println!(
        "{}; {} rounds of {} connections, {AT_A_TIME} at a time; load average before: {}",
        machine::describe(),
        options.rounds,
        options.connections,
        machine::load()
    );
    machine::stay_on(options.client_core)?;
    let (able, lacking): (Vec<_>, Vec<_>) =
        options.frameworks().into_iter().partition(|peer| !peer.lacks.contains(&NAME));
    let mut turns = able.iter().map(|peer| Turn::start(&starter, peer)).collect::<Result<Vec<_>, _>>()?;
    for round in 0..options.rounds as usize {
        for next in 0..turns.len() {
            let which = (next + round) % turns.len();
            turns[which].take(options.connections);
        }
    }
    let mut right = true;
    for turn in &turns {
        if let Some(failure) = &turn.failure {
            println!("{} is left out: {failure}", turn.server.peer.name);
            right = false;
        }
    }
    turns.retain(|turn| turn.failure.is_none());
    print(&turns, &lacking);
    Ok(right)
}

fn print(turns: &[Turn], lacking: &[&'static Peer]) {
    let others = turns.iter().filter(|turn| turn.server.peer.kind == Kind::Other);
    let best = others.map(Turn::cost).min_by(f64::total_cmp);
    let columns = [
        "CPU µs/connection",
        "from - to",
        "x best peer",
        "connections/s",
        "KiB before",
        "after the first round",
        "after the last",
    ];
    let mut rows: Vec<Row> = turns.iter().map(|turn| turn.row(best)).collect();
    rows.extend(lacking.iter().map(|peer| table::dashes(peer.name, columns.len())));
    table::print("server", &columns, &rows);
}
