//! How fast a server is, and what that costs it.
//!
//! The rule: all servers take turns, and who is first changes with the round, so that what disturbs the machine disturbs
//! all of them.

use std::time::{Duration, Instant};

use crate::cases::Case;
use crate::client::{self, Connection};
use crate::process::processor_time;
use crate::servers::Running;

/// What one measurement gave.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Requests, or bytes of a large file, in a second.
    rate: f64,
    /// The processor time of the server in seconds, for each request or byte.
    cost: f64,
}

/// The medians of a server.
#[derive(Debug)]
pub(crate) struct Medians {
    pub(crate) name: &'static str,
    pub(crate) rate: f64,
    pub(crate) cost: f64,
}

/// Measures each server so many times.
pub(crate) fn rounds(
    servers: &[Running],
    case: &Case,
    rounds: usize,
    time: Duration,
    connections: usize,
) -> Result<Vec<Medians>, String> {
    // The ticks of the processor time are coarse beside a few downloads.
    let (connections, time) = if case.large { (1, time * 4) } else { (connections, time) };
    let mut samples = vec![Vec::with_capacity(rounds); servers.len()];
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let turn = (turn + round) % servers.len();
            let sample = measure(&servers[turn], case, time, connections);
            let name = servers[turn].kind.name();
            samples[turn].push(sample.map_err(|error| format!("{name}, {}: {error}", case.name))?);
        }
    }
    let medians = |(server, samples): (&Running, &Vec<Sample>)| Medians {
        name: server.kind.name(),
        rate: median(samples.iter().map(|sample| sample.rate)),
        cost: median(samples.iter().map(|sample| sample.cost)),
    };
    Ok(servers.iter().zip(&samples).map(medians).collect())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Keeps a request on its way on each connection, for the time that is given.
fn measure(server: &Running, case: &Case, time: Duration, connections: usize) -> Result<Sample, String> {
    let opened = (0..connections).map(|_| Connection::open(server));
    let mut connections = opened.collect::<Result<Vec<_>, String>>()?;
    let request = client::request(&mut connections[0], case)?;
    // Whatever is made for a first request is made now.
    connections.iter_mut().try_for_each(|connection| connection.send(&request))?;
    for connection in &mut connections {
        receive(connection, case)?;
    }
    let (began, cost) = (Instant::now(), processor_time(server.id())?);
    let mut count = 0;
    connections.iter_mut().try_for_each(|connection| connection.send(&request))?;
    while began.elapsed() < time {
        for connection in &mut connections {
            count += receive(connection, case)?;
            connection.send(&request)?;
        }
    }
    for connection in &mut connections {
        count += receive(connection, case)?;
    }
    let cost = processor_time(server.id())?.saturating_sub(cost);
    Ok(Sample { rate: count as f64 / began.elapsed().as_secs_f64(), cost: cost.as_secs_f64() / count as f64 })
}

/// Reads an answer; what it counts for.
fn receive(connection: &mut Connection, case: &Case) -> Result<u64, String> {
    let answer = connection.receive(|_| Ok(()))?;
    if answer.status != case.status() {
        return Err(format!("not {}: {answer:?}", case.status()));
    }
    Ok(if case.large { answer.length } else { 1 })
}
