//! Prints what WebSockets cost each server: `bakestone-websocket-peers [OPTION]... [WHAT]`.
//!
//! The rule: what a server sends is looked at, byte by byte, before it is measured; and each server is a process of its
//! own, so that what it costs is its own.
#![forbid(unsafe_code)]

mod cases;
mod client;
mod echo;
mod idle;
mod measure;
mod memory;
mod pipe;
mod process;
mod room;
mod serve;
mod servers;
mod unmask;

use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
usage: bakestone-websocket-peers [OPTION]... [WHAT]

  echo            what an echo costs over sockets
  memory          what it costs without them
  unmask          how fast a payload is unmasked
  idle            the memory of idle sockets
  room            a room with one member who does not read
                  without one of them: all

  --check         look at what each server sends, and measure nothing
  --rounds 9      how often each case of an echo is measured on each server
  --time 300      milliseconds for each measurement
  --case NAME     only the case of this name
  --server NAME   only servers with this in their name
  --idle 9000     how many idle sockets
  --members 1000  how many are in the room
  --messages 1000 how many messages they get
";

/// The processor of the clients.
const PROCESSOR: usize = 0;

struct Options {
    what: Option<String>,
    echo: echo::Plan,
    idle: usize,
    members: usize,
    messages: u32,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (time, empty) = (Duration::from_millis(300), String::new);
        let echo = echo::Plan { check: false, rounds: 9, time, case: empty(), server: empty() };
        let mut options = Self { what: None, echo, idle: 9000, members: 1000, messages: 1000 };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "echo" | "memory" | "unmask" | "idle" | "room" => options.what = Some(argument),
                "--check" => options.echo.check = true,
                "--rounds" => options.echo.rounds = number(&value()?)?.max(1) as usize,
                "--time" => options.echo.time = Duration::from_millis(number(&value()?)?.into()),
                "--case" => options.echo.case = value()?,
                "--server" => options.echo.server = value()?,
                "--idle" => options.idle = number(&value()?)? as usize,
                "--members" => options.members = number(&value()?)?.max(2) as usize,
                "--messages" => options.messages = number(&value()?)?,
                _ => return Err(format!("{argument} is no option")),
            }
        }
        Ok(options)
    }

    fn does(&self, what: &str) -> bool {
        self.what.as_deref().is_none_or(|chosen| chosen == what)
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

/// Does what was asked for; what was not as it must be.
fn run(options: &Options) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    if options.does("echo") {
        wrong.extend(echo::run(&options.echo)?);
    }
    if options.does("memory") {
        wrong.extend(memory::run(options.echo.check)?);
    }
    if options.does("unmask") {
        wrong.extend(unmask::run(options.echo.check));
    }
    let (idle, members, messages) = match options.echo.check {
        true => (50, 50, 1000),
        false => (options.idle, options.members, options.messages),
    };
    if options.does("idle") {
        wrong.extend(idle::run(idle, &options.echo.server)?);
    }
    if options.does("room") {
        wrong.extend(room::run(members, messages)?);
    }
    Ok(wrong)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, server] = &arguments[..] {
        if command == serve::COMMAND {
            return serve::run(server);
        }
    }
    let options = match Options::parse(arguments.into_iter()) {
        Ok(options) => options,
        Err(mistake) => {
            eprint!("{mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if !process::pin(std::process::id(), PROCESSOR) {
        println!("without taskset: clients and servers share the processors");
    }
    match run(&options) {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            wrong.iter().for_each(|wrong| println!("WRONG: {wrong}"));
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
