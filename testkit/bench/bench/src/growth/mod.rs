//! `growth`: what a request costs as one thing about it grows.
//!
//! The rule: a series changes one number and nothing else, and is read on two logarithmic scales: the slope between two
//! points is 0 where the cost does not change, 1 where it grows as the number does, and more where it explodes.

mod ask;
mod routes;
mod series;
mod websocket;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use bakestone_bench_client::answers::Failure;

pub(crate) use series::{ALL, Series};

use crate::machine;
use crate::options::Options;
use crate::running::{Running, Starter};
use crate::scratch::Scratch;
use crate::table::{self, Row};

/// How long the server's time is not looked at.
const BLOCK: Duration = Duration::from_millis(20);
/// How long a server may take to close what the last sample had open.
const GOODBYE: Duration = Duration::from_secs(20);

/// The costs of each round, by the place of the server and the point.
type Costs = BTreeMap<(usize, u64), Vec<f64>>;

/// Whose it is, and the cost at each point.
type Curve = (&'static str, Vec<f64>);

/// Measures one series after the other, and prints each when it is done.
pub(crate) fn run(options: &Options, folder: &Path) -> Result<bool, String> {
    let scratch = Scratch::new()?;
    let starter = Starter { options, programs: folder, scratch: &scratch, wrapper: Vec::new() };
    let routers = match options.series.iter().any(|series| series.ask.is_none()) {
        true => Some(routes::program(options)?),
        false => None,
    };
    println!(
        "{}; {} rounds, {} ms of each server's time for a point",
        machine::describe(),
        options.rounds,
        options.milliseconds
    );
    machine::stay_on(options.client_core)?;
    let mut right = true;
    for series in &options.series {
        println!("\n### {}: {}\n\nLoad average before: {}.", series.name, series.about, machine::load());
        let measured = match (series.ask, &routers) {
            (None, Some(program)) => routes::run(series, program, &scratch),
            _ => measure(&starter, series),
        };
        if let Err(failure) = measured {
            println!("It is left out: {failure}");
            right = false;
        }
    }
    Ok(right)
}

/// Measures one series and prints it.
fn measure(starter: &Starter<'_>, series: &Series) -> Result<(), String> {
    let options = starter.options;
    let mut servers = Vec::new();
    for peer in options.frameworks().into_iter().filter(|peer| series.is_for(peer)) {
        servers.push(starter.start(peer, 1)?);
    }
    let mut costs = Costs::new();
    for round in 0..options.rounds as usize {
        for &point in series.points {
            for next in 0..servers.len() {
                let which = (next + round) % servers.len();
                let cost = sample(&servers[which], series, point, options.milliseconds)
                    .map_err(|failure| format!("{}, {point}: {failure}", servers[which].peer.name))?;
                costs.entry((which, point)).or_default().push(cost);
            }
        }
    }
    let curve = |(which, server): (usize, &Running)| {
        let cost = |point: &u64| table::median(costs[&(which, *point)].iter().copied());
        (server.peer.name, series.points.iter().map(cost).collect())
    };
    let curves: Vec<Curve> = servers.iter().enumerate().map(curve).collect();
    print(series, "CPU µs/request", &curves);
    for server in &servers {
        println!("\nPeak memory of {}: {} KiB.", server.peer.name, server.process().sample()?.status.peak);
    }
    print_aim(series, &curves);
    Ok(())
}

/// Microseconds of a processor for a request.
fn sample(server: &Running, series: &Series, point: u64, milliseconds: u64) -> Result<f64, String> {
    let told = |failure: Failure| failure.to_string();
    let process = server.process();
    let idle = process.fds()?;
    let start = series.ask.ok_or("it is not asked of a server")?;
    let mut ask = start(server.address, point).map_err(told)?;
    ask().map_err(told)?;
    let (before, enough) = (process.processor_time()?, Duration::from_millis(milliseconds));
    let (mut requests, mut spent) = (0, Duration::ZERO);
    while spent < enough {
        let began = Instant::now();
        while began.elapsed() < BLOCK {
            requests += ask().map_err(told)?;
        }
        spent = process.processor_time()?.saturating_sub(before);
    }
    drop(ask);
    process.wait_for_fds(idle, GOODBYE)?;
    Ok(spent.as_secs_f64() * 1e6 / requests as f64)
}

/// How steep the way is from one point to the next; `None` where one of them is at 0, which no such scale has.
fn slope(from: (u64, f64), to: (u64, f64)) -> Option<f64> {
    let slope = (to.1 / from.1).ln() / (to.0 as f64 / from.0 as f64).ln();
    (from.0 > 0 && slope.is_finite()).then_some(slope)
}

/// The slope to each point from the one before it.
fn slopes(points: &[u64], curve: &[f64]) -> Vec<Option<f64>> {
    let known: Vec<(u64, f64)> = points.iter().copied().zip(curve.iter().copied()).collect();
    let pairs = known.windows(2).map(|pair| slope(pair[0], pair[1]));
    std::iter::once(None).chain(pairs).collect()
}

fn print(series: &Series, what: &str, curves: &[Curve]) {
    let columns: Vec<String> =
        curves.iter().flat_map(|(name, _)| [format!("{name} {what}"), "slope".to_owned()]).collect();
    let slopes: Vec<_> = curves.iter().map(|(_, curve)| slopes(series.points, curve)).collect();
    let rows: Vec<Row> = series
        .points
        .iter()
        .enumerate()
        .map(|(at, point)| {
            let cells = curves.iter().zip(&slopes).flat_map(|((_, curve), slopes)| {
                let slope = slopes[at].map_or("-".to_owned(), |slope| format!("{slope:.2}"));
                [format!("{:.2}", curve[at]), slope]
            });
            Row { name: point.to_string(), cells: cells.collect() }
        })
        .collect();
    table::print(series.unit, &columns.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
}

/// What is aimed at, which is about the first of the curves, and whether it is met.
fn print_aim(series: &Series, curves: &[Curve]) {
    let Some((name, curve)) = curves.first() else { return };
    let slopes = slopes(series.points, curve);
    let counted = series.points.iter().zip(slopes).filter(|(point, _)| **point > series.from);
    let steepest = counted.filter_map(|(_, slope)| slope).fold(f64::MIN, f64::max);
    println!(
        "\nAim, {name} at most {:.2} steep above {}: {steepest:.2}, {}.",
        series.steepest,
        series.from,
        if steepest <= series.steepest { "met" } else { "missed" }
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_two_logarithmic_scales() {
        let points = [0, 1, 10, 100, 1000];
        let seen = slopes(&points, &[5.0, 5.0, 50.0, 50.0, 5000.0]);
        let rounded: Vec<_> = seen.iter().map(|slope| slope.map(|slope| (slope * 100.0).round())).collect();
        assert_eq!(rounded, [None, None, Some(100.0), Some(0.0), Some(200.0)]);
    }
}
