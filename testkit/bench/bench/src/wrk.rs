//! The client of `http`: wrk, which sends the same bytes on many connections for some seconds.
//!
//! The rule: a run with one error in it is no measurement.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::options::Options;
use crate::running::Running;
use crate::scenarios::Scenario;
use crate::scratch::Scratch;

/// What wrk runs.
const SCRIPT: &[u8] = include_bytes!("request.lua");

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// Microseconds within which half of the answers came.
    pub(crate) median: u64,
    /// The same of 99 in 100.
    pub(crate) late: u64,
}

/// wrk, ready for one scenario.
pub(crate) struct Wrk<'a> {
    options: &'a Options,
    script: PathBuf,
    request: PathBuf,
    connections: usize,
}

impl<'a> Wrk<'a> {
    pub(crate) fn new(options: &'a Options, scenario: &Scenario, scratch: &Scratch) -> Result<Self, String> {
        Ok(Self {
            options,
            script: scratch.write("request.lua", SCRIPT)?,
            request: scratch.write("request", &scenario.request)?,
            connections: scenario.connections,
        })
    }

    /// Loads the server for so many seconds.
    pub(crate) fn run(&self, running: &Running, seconds: u64) -> Result<Run, String> {
        let mut command = Command::new("taskset");
        command.args(["-c", &self.options.client_core.to_string(), "wrk", "--threads", "1"]);
        command.args([
            "--timeout",
            "30s",
            "--connections",
            &self.connections.to_string(),
            "--duration",
            &format!("{seconds}s"),
        ]);
        let url = format!("http://{}/", running.address);
        command.args([OsStr::new("--script"), self.script.as_ref(), url.as_ref(), "--".as_ref()]);
        let output = command.arg(&self.request).output().map_err(|error| format!("taskset: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        parse(&text)
            .map_err(|failure| format!("{failure}\n{text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Reads the line of numbers that the script writes.
fn parse(text: &str) -> Result<Run, String> {
    let line = text.lines().find_map(|line| line.strip_prefix("bench ")).ok_or("wrk said nothing")?;
    let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
    let numbers = numbers.map_err(|error| format!("{line}: {error}"))?;
    let [requests, micros, connect, read, write, status, timeout, median, late] = numbers[..] else {
        return Err(format!("odd numbers: {line}"));
    };
    if requests == 0 || connect + read + write + status + timeout > 0 {
        return Err(format!(
            "{requests} answers, and failures: {connect} of connecting, {read} of reading, {write} of writing, \
             {status} by status, {timeout} by timeout"
        ));
    }
    Ok(Run { requests, seconds: micros as f64 / 1e6, median, late })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read() {
        let run = Run { requests: 100, seconds: 0.5, median: 20, late: 30 };
        for (text, expected) in [
            ("Running 1s test\nbench 100 500000 0 0 0 0 0 20 30\n", Some(run)),
            ("bench 100 500000 0 0 0 1 0 20 30\n", None),
            ("bench 0 500000 0 0 0 0 0 0 0\n", None),
            ("bench 100\n", None),
            ("bench a b\n", None),
            ("", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
    }
}
