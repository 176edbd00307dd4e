//! Measures the conformance server beside its peers: `bench http|instructions|churn|idle|growth|build|check`.
//!
//! The rule: what a server answers is looked at before it is measured, all servers take turns, and a figure is printed
//! only beside those of the same run.
#![forbid(unsafe_code)]

mod build;
mod check;
mod churn;
mod growth;
mod idle;
mod instructions;
mod machine;
mod measure;
mod options;
mod peers;
mod programs;
mod running;
mod scenarios;
mod scratch;
mod table;
mod wrk;

use std::process::ExitCode;

use options::Options;

const USAGE: &str = "\
usage: bench COMMAND [FLAG VALUE]...

  http          the time of a processor that each request takes, the rate, the latency, and the memory
                --rounds 5          how often each server is measured; the medians are printed
                --seconds 3         how long each time
                --python VENV       with muffin, starlette and fastapi, which are installed there; also for check
  instructions  the instructions and the allocations of each request, counted by valgrind
                --requests 2000     the slope between so many and twice as many; large ones are fewer
  churn         the same time for a connection that is opened for one request, and what is left of it
                --connections 10000 --rounds 5
  idle          the memory of a connection that does nothing
                --connections 9000
  growth        the same time as one thing grows: connections, header fields, a body, chunks, parts, frames, messages;
                and the instructions of a look-up as routes do
                --series A,B        only these             (all)
                --rounds 5
                --milliseconds 500  of the server's time at each point
  build         how many crates a hello world has, how long it takes to compile, and how large it is
                --hello A,B         only these             (all)
                --rounds 1
  check         looks at what each server answers, and measures nothing

for http, instructions and check
  --scenario A,B      only these                     (all)

for all but build
  --peers A,B         only these servers             (all)
  --programs DIR      takes the servers from there, and builds nothing
  --server-core 0     the core that the servers are pinned to
  --client-core 1     the core that the clients are pinned to

The exit code is 1 if an answer is wrong or cannot be measured, 2 for a mistake in the command.
";

/// Does what the command says; whether all that was asked for could be done.
fn run(command: &str, options: &Options) -> Result<bool, String> {
    if command == "build" {
        return build::run(options);
    }
    let programs = programs::find(options)?;
    match command {
        "http" => measure::run(options, &programs),
        "instructions" => instructions::run(options, &programs),
        "churn" => churn::run(options, &programs),
        "idle" => idle::run(options, &programs),
        "growth" => growth::run(options, &programs),
        _ => check::run(options, &programs),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match arguments.split_first() {
        None => Err("a command is needed".to_owned()),
        Some((command, _)) if matches!(command.as_str(), "help" | "--help" | "-h") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some((command, flags)) => Options::parse(command, flags).map(|options| (command, options)),
    };
    let (command, options) = match parsed {
        Ok(parsed) => parsed,
        Err(mistake) => {
            eprint!("bench: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(command, &options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}
