//! The program that third-party suites, load generators and benches are pointed at.
//!
//! `cargo run --release --bin conformance -- --runtime tokio --addr 127.0.0.1:0`; `--help` lists the flags. It prints
//! one line, `listening on http://HOST:PORT`, on standard output once it accepts; logs go to standard error.

mod app;
mod profiles;
#[cfg(test)]
mod tapes;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bakestone::Limits;
use bakestone::app::Application;
use bakestone::session::Service;
use bakestone_std::{ServeError, Server};

use app::{NativeSleep, Sleeping};

const USAGE: &str = "\
usage: conformance [FLAG VALUE]...
  --runtime tokio|smol|std   which adapter drives the application   (tokio)
  --addr HOST:PORT           where to listen; port 0 is any free one (127.0.0.1:8000)
  --threads N                event loops, or threads of the executor (1)
  --root DIR                 the folder behind /file and /static  (fixtures of this program)
  --profile echo|inspect     any request is answered with its body, or with what was understood of it
  --head-time MS  --idle-time MS  --body-time MS  --write-time MS  --drain-time MS
                             the deadlines of these names            (the toolkit's)";

/// The folder that is served unless another one is named.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// What the flags say.
#[derive(Debug)]
struct Flags {
    runtime: Runtime,
    address: String,
    threads: usize,
    root: PathBuf,
    profile: Option<Profile>,
    limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runtime {
    Tokio,
    Smol,
    Std,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    Echo,
    Inspect,
}

/// A flag that is not known, or whose value is none of its values.
#[derive(Debug, PartialEq, Eq)]
struct BadFlag(String);

impl fmt::Display for BadFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n{USAGE}", self.0)
    }
}

impl Flags {
    fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, BadFlag> {
        let mut flags = Self {
            runtime: Runtime::Tokio,
            address: "127.0.0.1:8000".to_owned(),
            threads: 1,
            root: FIXTURES.into(),
            profile: None,
            limits: Limits::default(),
        };
        let mut words = words.into_iter();
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| BadFlag(format!("{flag} needs a value")))?;
            flags.set(&flag, &value)?;
        }
        Ok(flags)
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<(), BadFlag> {
        let bad = || BadFlag(format!("{value} is no value for {flag}"));
        let time = || value.parse().map(Duration::from_millis).map_err(|_| bad());
        match flag {
            "--runtime" => {
                self.runtime = match value {
                    "tokio" => Runtime::Tokio,
                    "smol" => Runtime::Smol,
                    "std" => Runtime::Std,
                    _ => return Err(bad()),
                }
            }
            "--addr" => self.address = value.to_owned(),
            "--threads" => self.threads = value.parse().map_err(|_| bad())?,
            "--root" => {
                self.root = Some(PathBuf::from(value)).filter(|root| root.is_dir()).ok_or_else(bad)?
            }
            "--profile" => {
                self.profile = match value {
                    "echo" => Some(Profile::Echo),
                    "inspect" => Some(Profile::Inspect),
                    _ => return Err(bad()),
                }
            }
            "--head-time" => self.limits.head_time = time()?,
            "--idle-time" => self.limits.idle_time = time()?,
            "--body-time" => self.limits.body_time = time()?,
            "--write-time" => self.limits.write_time = time()?,
            "--drain-time" => self.limits.drain_time = time()?,
            _ => return Err(BadFlag(format!("there is no flag {flag}"))),
        }
        Ok(())
    }

    /// The server that the flags ask for.
    fn server(&self) -> Server {
        Server::new()
            .address(&self.address)
            .workers(self.threads)
            // As many as a load generator opens; what the process may have is said by `ulimit -n`.
            .connections(100_000)
            .limits(self.limits.clone())
            .on_ready(|addresses| {
                // Whoever does not read it has the address already.
                let _ = writeln!(std::io::stdout(), "listening on http://{}", addresses[0]);
            })
    }

    /// The runtime's own timer. On plain threads that is a blocking job that sleeps.
    fn native_sleep(&self) -> NativeSleep {
        let runtime = self.runtime;
        NativeSleep(Arc::new(move |context, time| -> Sleeping {
            match runtime {
                Runtime::Tokio => Box::pin(tokio::time::sleep(time)),
                Runtime::Smol => Box::pin(async move {
                    async_io::Timer::after(time).await;
                }),
                Runtime::Std => Box::pin(async move {
                    // A job that is not run is no sleep, and the answer is early.
                    let _ = context.blocking(move || std::thread::sleep(time)).await;
                }),
            }
        }))
    }
}

/// Serves `app` with the driver that was asked for.
fn run<M, A>(runtime: Runtime, app: A, server: Server) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
    <A::Service as Service>::Future: Send,
    <A::Service as Service>::Response: Send,
{
    match runtime {
        Runtime::Tokio => bakestone_tokio::run(app, server),
        Runtime::Smol => bakestone_smol::run(app, server),
        Runtime::Std => bakestone_std::run(app, server),
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help") {
        eprintln!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let flags = match Flags::parse(words) {
        Ok(flags) => flags,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let (runtime, server) = (flags.runtime, flags.server());
    let served = match flags.profile {
        None => run(runtime, app::app(flags.native_sleep(), &std::env::temp_dir(), &flags.root), server),
        Some(Profile::Echo) => run(runtime, profiles::echo, server),
        Some(Profile::Inspect) => run(runtime, profiles::inspect, server),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Flags, BadFlag> {
        Flags::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_read() {
        let flags = parse("--runtime smol --addr [::1]:0 --threads 4 --profile inspect --drain-time 500");
        let flags = flags.expect("they are known");
        assert_eq!((flags.runtime, flags.threads, flags.profile), (Runtime::Smol, 4, Some(Profile::Inspect)));
        assert_eq!(
            (flags.address.as_str(), flags.limits.drain_time),
            ("[::1]:0", Duration::from_millis(500))
        );
    }

    #[test]
    fn a_flag_that_makes_no_sense_is_said() {
        for (line, says) in [
            ("--runtime", "--runtime needs a value"),
            ("--root /nowhere/at/all", "/nowhere/at/all is no value for --root"),
            ("--runtime rocket", "rocket is no value for --runtime"),
            ("--idle-time soon", "soon is no value for --idle-time"),
            ("--idle 1", "there is no flag --idle"),
        ] {
            assert_eq!(parse(line).err(), Some(BadFlag(says.to_owned())));
        }
    }
}
