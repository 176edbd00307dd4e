//! What an echo costs each server, over sockets.
//!
//! The rule: a ratio of more than 1 is better than the best peer; the aim is no less, and what is asserted leaves room
//! for a machine that others use as well.

use std::time::Duration;

use crate::cases::{CASES, Case};
use crate::measure::{self, Sample};
use crate::servers::{Kind, Running};

/// The least ratio that is no failure.
const LEAST: f64 = 0.4;

/// How it is measured.
pub(crate) struct Plan {
    pub(crate) check: bool,
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
    pub(crate) case: String,
    pub(crate) server: String,
}

/// Looks at each server, measures them, and prints a table for each case; what was not as it must be.
pub(crate) fn run(plan: &Plan) -> Result<Vec<String>, String> {
    let kinds = Kind::ECHOES.into_iter().filter(|kind| kind.name().contains(&plan.server));
    let servers = kinds.map(Running::start).collect::<Result<Vec<_>, String>>()?;
    let is_asked_for = |case: &&Case| plan.case.is_empty() || case.name == plan.case;
    let cases: Vec<&Case> = CASES.iter().filter(is_asked_for).collect();
    let mut wrong = Vec::new();
    for case in &cases {
        for server in takers(&servers, case) {
            if let Err(failure) = measure::check(server, case) {
                wrong.push(format!("{}, {}: {failure}", server.kind.name(), case.name));
            }
        }
    }
    if plan.check || !wrong.is_empty() {
        return Ok(wrong);
    }
    for case in cases {
        let servers = takers(&servers, case);
        let samples = measure::rounds(&servers, case, plan.rounds, plan.time)?;
        wrong.extend(print(case, &servers, &samples));
    }
    Ok(wrong)
}

/// No peer compresses.
fn takers<'a>(servers: &'a [Running], case: &Case) -> Vec<&'a Running> {
    servers.iter().filter(|server| server.kind.is_own() || !case.compressed).collect()
}

/// Prints a table; the aims that were missed by far.
fn print(case: &Case, servers: &[&Running], samples: &[Sample]) -> Vec<String> {
    println!("\n| {} | messages/s | CPU µs/message | x best peer |\n|---|---|---|---|", case.name);
    let peers = servers.iter().zip(samples).filter(|(server, _)| !server.kind.is_own());
    let best = peers.map(|(_, sample)| sample.cost).min_by(f64::total_cmp);
    let mut missed = Vec::new();
    for (server, sample) in servers.iter().zip(samples) {
        let ratio = best.map(|best| best / sample.cost);
        let shown = ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        let (name, cost) = (server.kind.name(), sample.cost * 1e6);
        println!("| {name} | {:.0} | {cost:.2} | {shown} |", sample.rate);
        if server.kind == Kind::Tokio && ratio.is_some_and(|ratio| ratio < LEAST) {
            missed.push(format!("{name}, {}: {shown} of the best peer", case.name));
        }
    }
    missed
}
