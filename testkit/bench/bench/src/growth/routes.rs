//! What a look-up costs among more and more routes.
//!
//! The rule: it is counted in memory, by callgrind, in the program that compares routers; what it takes to build one is
//! taken off.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Series;
use crate::instructions;
use crate::options::Options;
use crate::programs;
use crate::scratch::Scratch;

/// The routers that are looked at.
const ROUTERS: [&str; 2] = ["bakestone", "matchit"];
/// Look-ups at each point.
const LOOK_UPS: u64 = 10_000;
/// Of so many routes the program looks one up.
const EVERY: u64 = 97;

/// Where the program is.
pub(super) fn program(options: &Options) -> Result<PathBuf, String> {
    programs::expect_installed("valgrind")?;
    programs::routers(options)
}

/// Counts and prints.
pub(super) fn run(series: &Series, program: &Path, scratch: &Scratch) -> Result<(), String> {
    let mut curves = Vec::new();
    for router in ROUTERS {
        let curve: Result<Vec<f64>, String> =
            series.points.iter().map(|&routes| look_up(program, scratch, router, routes)).collect();
        curves.push((router, curve?));
    }
    super::print(series, "instructions/look-up", &curves);
    super::print_aim(series, &curves);
    Ok(())
}

/// Instructions of one look-up.
fn look_up(program: &Path, scratch: &Scratch, router: &str, routes: u64) -> Result<f64, String> {
    let times = LOOK_UPS / routes.div_ceil(EVERY);
    let count = |times: u64| {
        let out = scratch.path().join("callgrind.out");
        let mut flag = OsString::from("--callgrind-out-file=");
        flag.push(&out);
        let mut command = Command::new("valgrind");
        command.args(["-q", "--tool=callgrind"]).arg(flag).arg(program);
        command.args(["count", router, &routes.to_string(), &times.to_string()]);
        let said = command.output().map_err(|error| format!("valgrind: {error}"))?;
        let text = fs::read_to_string(&out).map_err(|error| format!("callgrind left nothing: {error}"))?;
        let counts = instructions::parse(&text).ok_or("callgrind counted nothing")?;
        let look_ups = look_ups(&String::from_utf8_lossy(&said.stdout)).ok_or("it told no look-ups")?;
        Ok::<_, String>((counts.instructions, look_ups))
    };
    let ((none, _), (some, look_ups)) = (count(0)?, count(times)?);
    Ok((some - none) / look_ups)
}

/// `N look-ups, ...`.
fn look_ups(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}
