//! Prints how fast each server gives files away: `bakestone-file-peers [OPTION]...`.
//!
//! The rule: what a server sends is looked at, byte by byte, before it is measured; and each server is a process of its
//! own, so that what it costs is its own.
#![forbid(unsafe_code)]

mod cases;
mod client;
mod measure;
mod process;
mod serve;
mod servers;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use cases::{Case, Folder};
use servers::{Kind, Running};

const USAGE: &str = "\
usage: bakestone-file-peers [OPTION]...

  --check           look at what each server sends, and measure nothing
  --rounds 9        how often each case is measured on each server
  --time 400        milliseconds for each measurement, four times that for the large file
  --connections 16  how many at a time, but for the large file, of which there is one download at a time
  --case NAME       only cases with this in their name
  --server NAME     only servers with this in their name
";

struct Options {
    check: bool,
    rounds: usize,
    time: Duration,
    connections: usize,
    case: String,
    server: String,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            check: false,
            rounds: 9,
            time: Duration::from_millis(400),
            connections: 16,
            case: String::new(),
            server: String::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--check" => options.check = true,
                "--rounds" => options.rounds = number(&value()?)?.max(1),
                "--time" => options.time = Duration::from_millis(number(&value()?)? as u64),
                "--connections" => options.connections = number(&value()?)?.clamp(1, 1000),
                "--case" => options.case = value()?,
                "--server" => options.server = value()?,
                _ => return Err(format!("{argument} is no option")),
            }
        }
        Ok(options)
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

/// Starts the servers, looks at what they send, and measures them; says whether all of it was right.
fn run(options: &Options) -> Result<bool, String> {
    let folder = Folder::new().map_err(|error| format!("the folder of files: {error}"))?;
    let cases: Vec<Case> =
        cases::all().into_iter().filter(|case| case.name.contains(&options.case)).collect();
    let mut running = Vec::new();
    let mut right = true;
    for kind in Kind::ALL.into_iter().filter(|kind| kind.name().contains(&options.server)) {
        let Some(server) = Running::start(kind, &folder)? else {
            println!("{}: not installed, left out", kind.name());
            continue;
        };
        for case in &cases {
            if let Err(wrong) = client::check(&server, case, &folder) {
                println!("{}, {}: {wrong}", kind.name(), case.name);
                right = false;
            }
        }
        running.push(server);
    }
    if options.check || !right {
        println!("{}", if right { "each server sends what it must" } else { "not measured" });
        return Ok(right);
    }
    for case in &cases {
        let results = measure::rounds(&running, case, options.rounds, options.time, options.connections)?;
        table::print(case, &results);
    }
    Ok(true)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, server, folder] = &arguments[..] {
        if command == serve::COMMAND {
            return serve::run(server, folder.into());
        }
    }
    let options = match Options::parse(arguments.into_iter()) {
        Ok(options) => options,
        Err(mistake) => {
            eprint!("{mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
