//! How fast a server sends back what it is sent, and what that costs it.
//!
//! The rule: all servers take turns, and who is first changes with the round, so that what disturbs the machine disturbs
//! all of them; and every echo that is counted was compared.

use std::time::{Duration, Instant};

use crate::cases::{Case, Wire};
use crate::client::Connection;
use crate::process::processor_time;
use crate::servers::Running;

/// What one measurement gave, or the medians of several.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Messages in a second.
    pub(crate) rate: f64,
    /// The processor time of the server in seconds, for each message.
    pub(crate) cost: f64,
}

/// Measures each server so many times; the medians, in the order of the servers.
pub(crate) fn rounds(
    servers: &[&Running],
    case: &Case,
    rounds: usize,
    time: Duration,
) -> Result<Vec<Sample>, String> {
    let wire = case.wire()?;
    let mut samples = vec![Vec::with_capacity(rounds); servers.len()];
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let turn = (turn + round) % servers.len();
            let sample = measure(servers[turn], case, &wire, time);
            let name = servers[turn].kind.name();
            samples[turn].push(sample.map_err(|error| format!("{name}, {}: {error}", case.name))?);
        }
    }
    let medians = |samples: &Vec<Sample>| Sample {
        rate: median(samples.iter().map(|sample| sample.rate)),
        cost: median(samples.iter().map(|sample| sample.cost)),
    };
    Ok(samples.iter().map(medians).collect())
}

/// The one in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Sends a few messages, and compares what comes back.
pub(crate) fn check(server: &Running, case: &Case) -> Result<(), String> {
    let wire = case.wire()?;
    let mut connection = Connection::open(server.address, case.extension())?;
    for _ in 0..3 {
        connection.send(&wire.request)?;
        connection.expect(&wire.answer)?;
    }
    Ok(())
}

/// Keeps messages on their way on each connection, for the time that is given.
fn measure(server: &Running, case: &Case, wire: &Wire, time: Duration) -> Result<Sample, String> {
    let opened = (0..case.connections).map(|_| Connection::open(server.address, case.extension()));
    let mut connections = opened.collect::<Result<Vec<_>, String>>()?;
    // Whatever is made for a first message is made now.
    for connection in &mut connections {
        connection.send(&wire.request)?;
        connection.expect(&wire.answer)?;
    }
    let (began, cost) = (Instant::now(), processor_time(server.id())?);
    let mut count = 0;
    connections.iter_mut().try_for_each(|connection| connection.send(&wire.request))?;
    while began.elapsed() < time {
        for connection in &mut connections {
            connection.expect(&wire.answer)?;
            connection.send(&wire.request)?;
            count += case.at_once;
        }
    }
    for connection in &mut connections {
        connection.expect(&wire.answer)?;
        count += case.at_once;
    }
    let cost = processor_time(server.id())?.saturating_sub(cost);
    Ok(Sample { rate: count as f64 / began.elapsed().as_secs_f64(), cost: cost.as_secs_f64() / count as f64 })
}
