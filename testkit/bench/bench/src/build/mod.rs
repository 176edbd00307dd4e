//! `build`: what a hello world costs its compiler and its disk.
//!
//! The rule: nothing is compiled before that is measured, nothing is downloaded while it is, and a program counts only if
//! it answers.

mod hello;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bakestone_bench_client::crowd;

pub(crate) use hello::{ALL, Hello};

use crate::machine;
use crate::options::Options;
use crate::programs;
use crate::scratch::Scratch;
use crate::table::{self, Row};

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The seconds of one round.
#[derive(Clone, Copy)]
struct Sample {
    debug: f64,
    release: f64,
    touched: f64,
    touched_release: f64,
}

/// A package in its turn.
struct Turn {
    hello: Hello,
    folder: PathBuf,
    crates: usize,
    samples: Vec<Sample>,
    /// Bytes of the program, of debug and of release.
    sizes: (u64, u64),
}

/// Builds all of them, and prints one table.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let scratch = Scratch::on_disk()?;
    println!("{}; {} rounds; load average before: {}", machine::describe(), options.rounds, machine::load());
    let mut turns = Vec::new();
    for &hello in &options.hellos {
        turns.push(Turn::start(hello, scratch.path().join(hello.name))?);
    }
    for round in 0..options.rounds as usize {
        for next in 0..turns.len() {
            let which = (next + round) % turns.len();
            turns[which].take().map_err(|failure| format!("{}: {failure}", turns[which].hello.name))?;
        }
    }
    print(&turns);
    Ok(true)
}

impl Turn {
    /// Makes the package, and downloads what it needs.
    fn start(hello: Hello, folder: PathBuf) -> Result<Self, String> {
        hello.write(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        cargo(&folder, &["fetch"])?;
        let tree = cargo(&folder, &["tree", "--edges", "normal", "--prefix", "none", "--offline"])?;
        Ok(Self { hello, crates: count_crates(&tree), folder, samples: Vec::new(), sizes: (0, 0) })
    }

    /// Builds all there is to build, from nothing.
    fn take(&mut self) -> Result<(), String> {
        let target = self.folder.join("target");
        let sample = Sample {
            debug: self.build(&[])?,
            touched: self.touch().and_then(|()| self.build(&[]))?,
            release: self.build(&["--release"])?,
            touched_release: self.touch().and_then(|()| self.build(&["--release"]))?,
        };
        let (debug, release) = (target.join("debug/hello"), target.join("release/hello"));
        self.sizes = (expect_answer(&debug)?, expect_answer(&release)?);
        self.samples.push(sample);
        fs::remove_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))
    }

    /// Seconds that a build takes.
    fn build(&self, flags: &[&str]) -> Result<f64, String> {
        let began = Instant::now();
        cargo(&self.folder, &[&["build", "--offline"], flags].concat())?;
        Ok(began.elapsed().as_secs_f64())
    }

    /// Saves the source anew, as it is.
    fn touch(&self) -> Result<(), String> {
        let path = self.folder.join("src/main.rs");
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::read(&path).and_then(|source| fs::write(&path, source)).map_err(failed)
    }
}

/// Runs cargo as it runs for somebody who has set nothing, and gives back what it writes.
fn cargo(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = programs::cargo();
    for variable in ["CARGO_INCREMENTAL", "CARGO_TARGET_DIR", "RUSTFLAGS"] {
        command.env_remove(variable);
    }
    let output = command.current_dir(folder).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo {}: {}\n{said}", arguments.join(" "), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The packages of a tree without the program itself; one that is there more than once has a mark behind it.
fn count_crates(tree: &str) -> usize {
    let packages: std::collections::BTreeSet<_> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    packages.len().saturating_sub(1)
}

/// A program that is killed when this is dropped.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the program and asks it; how long its file is.
fn expect_answer(program: &Path) -> Result<u64, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    // The port is free when it is asked for, and most likely still a moment later.
    let address =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(failed)?;
    let child = Command::new(program).arg(address.to_string()).stdin(Stdio::null()).spawn();
    let started = Started(child.map_err(failed)?);
    let began = Instant::now();
    while let Err(failure) = crowd::open(address) {
        if began.elapsed() > PATIENCE {
            return Err(format!("{}: {failure}", program.display()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(started);
    fs::metadata(program).map(|file| file.len()).map_err(failed)
}

fn print(turns: &[Turn]) {
    let row = |turn: &Turn| {
        let seconds =
            |figure: fn(&Sample) -> f64| format!("{:.2}", table::median(turn.samples.iter().map(figure)));
        let cells = vec![
            turn.crates.to_string(),
            seconds(|sample| sample.debug),
            seconds(|sample| sample.release),
            seconds(|sample| sample.touched),
            seconds(|sample| sample.touched_release),
            (turn.sizes.0 >> 10).to_string(),
            (turn.sizes.1 >> 10).to_string(),
        ];
        Row { name: turn.hello.name.to_owned(), cells }
    };
    let columns = [
        "crates",
        "debug s",
        "release s",
        "debug, touched s",
        "release, touched s",
        "debug KiB",
        "release KiB",
    ];
    table::print("hello world", &columns, &turns.iter().map(row).collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_once_and_the_program_does_not() {
        let tree = "hello v0.0.0 (/tmp/hello)\nbytes v1.0.0\nhttp v1.0.0\nbytes v1.0.0 (*)\n\n";
        assert_eq!(count_crates(tree), 2);
    }
}
