//! `http`: what a request costs each server.
//!
//! The rule: the servers take turns, and who is first changes with the round, so that what disturbs the machine disturbs
//! all of them.

use std::path::Path;

use crate::check;
use crate::machine;
use crate::options::Options;
use crate::peers::{FLOOR, Kind, MEASURED, Peer};
use crate::programs;
use crate::running::{Running, Starter};
use crate::scenarios::Scenario;
use crate::scratch::Scratch;
use crate::table::{self, Row};
use crate::wrk::Wrk;

/// Seconds before the first round in which whatever is made once is made.
const WARM_UP: u64 = 1;

/// What one round gave.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Requests in a second.
    rate: f64,
    /// Microseconds of a processor for each request.
    cost: f64,
    /// Microseconds that half of the answers took.
    median: f64,
    /// The same of 99 in 100.
    late: f64,
}

/// Whose processor time is to be at most the best peer's.
const AIMED_AT_THE_BEST: [&str; 5] = ["plaintext", "json", "params", "html", "api"];
/// Where the floor is to be near, and how near.
const AIMED_AT_THE_FLOOR: (&str, f64) = ("plaintext", 1.15);

/// A server in its turn.
struct Turn {
    server: Running,
    samples: Vec<Sample>,
    /// Why it is measured no more.
    failure: Option<String>,
}

impl Turn {
    /// The median of a figure.
    fn median(&self, figure: fn(&Sample) -> f64) -> f64 {
        table::median(self.samples.iter().map(figure))
    }

    /// The median of what a request costs.
    fn cost(&self) -> f64 {
        self.median(|sample| sample.cost)
    }

    /// Loads the server once more, unless that has failed before.
    fn take(&mut self, wrk: &Wrk<'_>, seconds: u64) -> Option<Sample> {
        if self.failure.is_some() {
            return None;
        }
        sample(wrk, &self.server, seconds).map_err(|failure| self.failure = Some(failure)).ok()
    }
}

/// Measures every scenario, one after the other, and prints each when it is done.
pub(crate) fn run(options: &Options, folder: &Path) -> Result<bool, String> {
    programs::expect_installed("wrk")?;
    let scratch = Scratch::with_files(&options.scenarios)?;
    let starter = Starter { options, programs: folder, scratch: &scratch, wrapper: Vec::new() };
    println!("{}; {} rounds of {} s", machine::describe(), options.rounds, options.seconds);
    let mut right = true;
    for scenario in &options.scenarios {
        let load = machine::load();
        let mut turns = start(&starter, scenario)?;
        let wrk = Wrk::new(options, scenario, &scratch)?;
        rounds(&starter, &wrk, &mut turns)?;
        println!("\n### {}: {}\n\nLoad average before: {load}.", scenario.name, scenario.about);
        for Turn { server, failure, .. } in &turns {
            if let Some(failure) = failure {
                println!("{} is left out: {failure}", server.peer.name);
                right = false;
            }
        }
        turns.retain(|turn| turn.failure.is_none());
        print(&turns, &options.lacking(scenario))?;
        print_aims(scenario, &turns);
    }
    Ok(right)
}

/// The servers of a scenario; one that does not answer as it must has failed already.
fn start(starter: &Starter<'_>, scenario: &Scenario) -> Result<Vec<Turn>, String> {
    let mut turns = Vec::new();
    for peer in starter.options.peers_of(scenario) {
        let server = starter.start(peer, scenario.request_bytes())?;
        let failure = check::check(&server, scenario).err().map(|failure| failure.to_string());
        turns.push(Turn { server, samples: Vec::new(), failure });
    }
    Ok(turns)
}

fn rounds(starter: &Starter<'_>, wrk: &Wrk<'_>, turns: &mut [Turn]) -> Result<(), String> {
    for turn in &mut *turns {
        turn.take(wrk, WARM_UP);
    }
    for round in 0..starter.options.rounds {
        for next in 0..turns.len() {
            let which = (next + round as usize) % turns.len();
            let sample = turns[which].take(wrk, starter.options.seconds);
            turns[which].samples.extend(sample);
            starter.scratch.remove_uploads()?;
        }
    }
    Ok(())
}

fn sample(wrk: &Wrk<'_>, server: &Running, seconds: u64) -> Result<Sample, String> {
    let before = server.process().processor_time()?;
    let run = wrk.run(server, seconds)?;
    let spent = server.process().processor_time()?.saturating_sub(before);
    let requests = run.requests as f64;
    Ok(Sample {
        rate: requests / run.seconds,
        cost: spent.as_secs_f64() * 1e6 / requests,
        median: run.median as f64,
        late: run.late as f64,
    })
}

fn print(turns: &[Turn], lacking: &[&'static Peer]) -> Result<(), String> {
    let (best, floor) = (best(turns).map(Turn::cost), named(turns, FLOOR).map(Turn::cost));
    let mut rows = Vec::new();
    for turn in turns {
        let cost = turn.cost();
        let cells = vec![
            format!("{cost:.2}"),
            table::spread(turn.samples.iter().map(|sample| sample.cost)),
            table::ratio(cost, best),
            table::ratio(cost, floor),
            format!("{:.0}", turn.median(|sample| sample.rate)),
            format!("{:.0}", turn.median(|sample| sample.median)),
            format!("{:.0}", turn.median(|sample| sample.late)),
            turn.server.process().sample()?.status.peak.to_string(),
        ];
        rows.push(Row { name: turn.server.peer.name.to_owned(), cells });
    }
    let columns = [
        "CPU µs/request",
        "from - to",
        "x best peer",
        "x floor",
        "requests/s",
        "median µs",
        "99 % µs",
        "peak KiB",
    ];
    rows.extend(lacking.iter().map(|peer| table::dashes(peer.name, columns.len())));
    table::print("server", &columns, &rows);
    Ok(())
}

fn named<'a>(turns: &'a [Turn], name: &str) -> Option<&'a Turn> {
    turns.iter().find(|turn| turn.server.peer.name == name)
}

/// The other framework that takes the least.
fn best(turns: &[Turn]) -> Option<&Turn> {
    let others = turns.iter().filter(|turn| turn.server.peer.kind == Kind::Other);
    others.min_by(|one, other| one.cost().total_cmp(&other.cost()))
}

/// What is aimed at in the scenario, and whether it is met.
fn print_aims(scenario: &Scenario, turns: &[Turn]) {
    let Some(own) = named(turns, MEASURED) else { return };
    let (floored, near) = AIMED_AT_THE_FLOOR;
    let best = best(turns).filter(|_| AIMED_AT_THE_BEST.contains(&scenario.name)).map(|best| (best, 1.0));
    let floor = named(turns, FLOOR).filter(|_| scenario.name == floored).map(|floor| (floor, near));
    for (turn, most) in best.into_iter().chain(floor) {
        let ratio = own.cost() / turn.cost();
        let verdict = if ratio <= most { "met" } else { "missed" };
        println!(
            "\nAim, {MEASURED} at most {most:.2} times the processor time of {}: {ratio:.2}, {verdict}.",
            turn.server.peer.name
        );
    }
}
