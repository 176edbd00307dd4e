//! Loads an HTTP/1.1 server over loopback and measures its process: `load idle|storm|soak|echo`.
//!
//! The rule: what must hold is checked while it is measured, and the exit code says whether it did: 0 all of
//! it, 1 not all, 2 the command could not be understood.
#![forbid(unsafe_code)]

mod echo;
mod idle;
mod kinds;
mod random;
mod soak;
mod storm;

use std::process::ExitCode;

use bakestone_bench_client::flags::Flags;

const USAGE: &str = "\
usage: load COMMAND --addr HOST:PORT --pid PID [FLAGS]

  idle    keep-alive connections that do nothing: memory for each, and how fast the server still answers
            --count 9000    connections
            --threads 8     threads that open them
  storm   short connections, one request each
            --count 100000  connections
            --threads 8     how many at a time
  soak    a mix of good, slow, broken and hostile clients, each answer checked
            --seconds 600   how long
            --threads 16    how many clients at a time
            --seed N        repeats the choices of a run; printed by each
  echo    one long POST /echo, sent and checked at the same time
            --bytes 1073741824

The server speaks the contract of SERVER.md and is process PID of this machine. The exit code is 1 if anything
that must hold did not.
";

/// How a command ended that ran to its end: what did not hold.
type Broken = Vec<String>;

fn run(args: &[String]) -> Result<Option<Result<Broken, String>>, String> {
    let Some((command, flags)) = args.split_first() else { return Ok(None) };
    if matches!(&command[..], "help" | "--help" | "-h") {
        return Ok(None);
    }
    let mut flags = Flags::parse(flags)?;
    let server = flags.server()?;
    let task: Box<dyn FnOnce() -> Result<Broken, String>> = match &command[..] {
        "idle" => {
            let plan = idle::Plan::from_flags(&mut flags)?;
            Box::new(move || idle::run(server, plan))
        }
        "storm" => {
            let plan = storm::Plan::from_flags(&mut flags)?;
            Box::new(move || storm::run(server, plan))
        }
        "soak" => {
            let plan = soak::Plan::from_flags(&mut flags)?;
            Box::new(move || soak::run(server, plan))
        }
        "echo" => {
            let bytes = flags.number("bytes", 1 << 30)?;
            Box::new(move || echo::run(server, bytes))
        }
        _ => return Err(format!("{command:?} is not a command")),
    };
    flags.finish()?;
    Ok(Some(task()))
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let broken = match run(&args) {
        Ok(Some(Ok(broken))) => broken,
        Ok(Some(Err(error))) => vec![error],
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::from(if args.is_empty() { 2 } else { 0 });
        }
        Err(mistake) => {
            eprint!("load: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if broken.is_empty() {
        println!("\nall that must hold did");
        return ExitCode::SUCCESS;
    }
    for line in &broken {
        println!("\nFAILED: {line}");
    }
    ExitCode::FAILURE
}
