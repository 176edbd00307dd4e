//! Compares the instructions that Bakestone takes for a request with those of a pinned peer, and with what is committed.
//!
//! The rule: both are built by the same compiler in the same program, and only their ratio is judged: a new toolchain
//! moves both.

#[path = "../../tests/browser/mod.rs"]
mod browser;
mod callgrind;
mod ours;
mod peers;
mod ratios;
mod scenarios;
mod sides;
mod wire;

use std::fmt;
use std::process::ExitCode;

use callgrind::Counts;
use ratios::Verdict;
use scenarios::Scenario;

const USAGE: &str = "usage: guard check | write | run (ours | peer) SCENARIO TURNS";

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ratios.txt");

/// What the program ends with, if it is not what it was asked for.
struct Failure(String);

impl<T: fmt::Display> From<T> for Failure {
    fn from(error: T) -> Self {
        Self(error.to_string())
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match *arguments {
        ["check"] => check(),
        ["write"] => write(),
        ["run", which, name, turns] => run(which, name, turns),
        _ => Err(USAGE.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// What the counted process does.
fn run(which: &str, name: &str, turns: &str) -> Result<(), Failure> {
    let scenarios = scenarios::all();
    let scenario = scenarios.iter().find(|scenario| scenario.name == name);
    let scenario = scenario.ok_or_else(|| format!("there is no scenario {name:?}"))?;
    sides::run(which.parse()?, scenario, turns.parse()?);
    Ok(())
}

/// Counts every scenario, and tells `each` of them.
fn count_all(mut each: impl FnMut(&Scenario, Counts)) -> Result<(), Failure> {
    println!("{:<10} {:>9} {:>9} {:>7} {:>9}", "scenario", "ours", "peer", "ratio", "committed");
    for scenario in scenarios::all() {
        let counts = callgrind::count(&scenario)?;
        print!("{:<10} {:>9.0} {:>9.0} {:>7.3}", scenario.name, counts.ours, counts.peer, counts.ratio());
        each(&scenario, counts);
    }
    Ok(())
}

fn check() -> Result<(), Failure> {
    let file = std::fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    let mut ratios = ratios::parse(&file).map_err(|error| format!("{FILE}: {error}"))?;
    let mut failed = Vec::new();
    count_all(|scenario, counts| {
        let committed = ratios.remove(scenario.name);
        let verdict = Verdict::new(counts.ratio(), committed);
        let committed = committed.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}"));
        println!(" {committed:>9}  {verdict}");
        if verdict.fails() {
            failed.push(scenario.name.to_owned());
        }
    })?;
    failed.extend(ratios.into_keys().map(|name| format!("{name} (no scenario)")));
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("not as committed: {}", failed.join(", ")).into()),
    }
}

fn write() -> Result<(), Failure> {
    let mut measured = Vec::new();
    count_all(|scenario, counts| {
        println!();
        measured.push((scenario.name, counts.ratio()));
    })?;
    Ok(std::fs::write(FILE, ratios::render(&measured)).map_err(|error| format!("{FILE}: {error}"))?)
}
