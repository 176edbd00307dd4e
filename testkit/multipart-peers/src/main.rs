//! Prints how long each parser takes for each body: `bakestone-multipart-peers [OPTION]...`.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use bakestone_multipart_peers::bodies::{self, Body};
use bakestone_multipart_peers::parsers::{self, Parser};

/// What a browser of the WebKit family sends.
const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

struct Options {
    boundary: String,
    rounds: usize,
    /// What must stand in a body's name.
    body: String,
    /// What must stand in a parser's name.
    parser: String,
}

fn options() -> Result<Options, String> {
    let mut options =
        Options { boundary: BOUNDARY.to_owned(), rounds: 41, body: String::new(), parser: String::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--check" => options.rounds = 1,
            "--boundary" => options.boundary = value()?,
            "--rounds" => {
                let rounds: usize = value()?.parse().map_err(|error| format!("--rounds: {error}"))?;
                options.rounds = rounds.max(1);
            }
            "--body" => options.body = value()?,
            "--parser" => options.parser = value()?,
            _ => return Err(format!("{argument} is none of --check --boundary --rounds --body --parser")),
        }
    }
    Ok(options)
}

/// The median of each parser's times, in microseconds; that of the bare search comes first.
///
/// Who comes first changes from round to round, so that what disturbs the machine disturbs all.
fn measure(body: &Body, parsers: &[Parser], rounds: usize) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(rounds); parsers.len() + 1];
    // A small body takes less than a clock can tell.
    let repeats = (1 << 20) / body.length() + 1;
    for round in 0..rounds {
        for index in 0..times.len() {
            let index = (index + round) % times.len();
            // What arrives is there before it is parsed; to make it is nobody's work here.
            let arrived = vec![body.pieces.clone(); repeats];
            let begun = Instant::now();
            for pieces in arrived {
                match index.checked_sub(1) {
                    None => _ = black_box(parsers::memmem(black_box(body), pieces)),
                    Some(index) => _ = black_box(parsers[index].1(black_box(body), pieces)),
                }
            }
            times[index].push(begun.elapsed().as_secs_f64() * 1e6 / repeats as f64);
        }
    }
    times.iter_mut().map(|times| median(times)).collect()
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The rows of one body; whether every parser found in it what it holds.
fn report(body: &Body, options: &Options) -> bool {
    let parsers = parsers::ALL.into_iter().filter(|(name, _)| name.contains(&options.parser));
    let (right, wrong): (Vec<Parser>, Vec<Parser>) = parsers
        .partition(|(_, parser)| parser(body, body.pieces.clone()).is_ok_and(|found| found == body.holds));
    let times = measure(body, &right, options.rounds);
    let peers = right.iter().zip(&times[1..]).filter(|((name, _), _)| *name != "bakestone");
    let best = peers.map(|(_, time)| *time).fold(f64::INFINITY, f64::min);
    println!("| {} | memmem | {} | | |", body.name, speed(body, times[0]));
    for ((name, _), time) in right.iter().zip(&times[1..]) {
        println!("| | {name} | {} | {:.2} | {:.2} |", speed(body, *time), times[0] / time, best / time);
    }
    for (name, parser) in &wrong {
        match parser(body, body.pieces.clone()) {
            Ok(found) => println!("| | {name} | found {found:?} instead of {:?} | | | |", body.holds),
            Err(error) => println!("| | {name} | gave up: {error} | | | |"),
        }
    }
    wrong.is_empty()
}

fn speed(body: &Body, time: f64) -> String {
    format!("{time:.1} | {:.2}", body.length() as f64 / time / 1e3)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    println!("| body | parser | us | GB/s | of memmem | of the best peer |");
    println!("|---|---|---|---|---|---|");
    let mut exit_code = ExitCode::SUCCESS;
    for body in bodies::all(&options.boundary).iter().filter(|body| body.name.contains(&options.body)) {
        if !report(body, &options) {
            exit_code = ExitCode::FAILURE;
        }
    }
    exit_code
}
