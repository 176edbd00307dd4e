//! `idle`: what a connection costs in memory that does nothing, and how a server fares with many of them.
//!
//! The rule: each server is fresh, its memory is compared with what it had when it was warm, and all connections are
//! still open when it is read.

use std::path::Path;
use std::time::{Duration, Instant};

use bakestone_bench_client::crowd;
use bakestone_bench_client::process::{Process, Sample};

use crate::machine;
use crate::options::Options;
use crate::peers::{Kind, Peer};
use crate::running::Starter;
use crate::scratch::Scratch;
use crate::table::{self, Row};

/// Connections that come and go before.
const WARM_UP: usize = 50;
/// Connections that are opened beside those that are idle.
const FRESH: usize = 100;
/// How long a server may take to close what has gone.
const GOODBYE: Duration = Duration::from_secs(20);
/// How many threads open connections.
const THREADS: usize = 8;

/// What a server has shown.
struct Shown {
    /// How many connections were idle.
    count: usize,
    warm: Sample,
    full: Sample,
    /// How long fresh connections took, sorted.
    latencies: Vec<Duration>,
}

impl Shown {
    /// Bytes that each connection added to a figure that is in KiB.
    fn growth(&self, figure: fn(&Sample) -> u64) -> f64 {
        (figure(&self.full) as f64 - figure(&self.warm) as f64) * 1024.0 / self.count as f64
    }
}

/// Looks at one server after the other, and prints one table.
pub(crate) fn run(options: &Options, folder: &Path) -> Result<bool, String> {
    let scratch = Scratch::new()?;
    let starter = Starter { options, programs: folder, scratch: &scratch, wrapper: Vec::new() };
    Process(std::process::id()).has_room_for(options.connections as usize + WARM_UP)?;
    println!("{}; {} idle connections", machine::describe(), options.connections);
    machine::stay_on(options.client_core)?;
    let (mut right, mut shown) = (true, Vec::new());
    for peer in options.frameworks() {
        match look(&starter, peer, options.connections as usize) {
            Ok(seen) => shown.push((peer, seen)),
            Err(failure) => {
                println!("{} is left out: {failure}", peer.name);
                right = false;
            }
        }
    }
    print(&shown);
    Ok(right)
}

fn look(starter: &Starter<'_>, peer: &'static Peer, wanted: usize) -> Result<Shown, String> {
    let server = starter.start(peer, 1)?;
    let (process, address) = (server.process(), server.address);
    let open =
        |count| crowd::each(count, THREADS, || crowd::open(address)).map_err(|failure| failure.to_string());
    let before = process.fds()?;
    let few = open(WARM_UP)?;
    let count = wanted.min(room(process, before)?);
    drop(few);
    process.wait_for_fds(before, GOODBYE)?;
    let warm = process.settle(Duration::from_secs(5))?;
    let began = Instant::now();
    let held = open(count)?;
    // The last answer is written before its buffers are given back.
    std::thread::sleep(Duration::from_millis(300));
    let full = process.sample()?;
    let latencies = crowd::latencies(address, FRESH).map_err(|failure| failure.to_string())?;
    let lost = held.iter().filter(|stream| !crowd::is_open(stream)).count();
    if lost > 0 {
        return Err(format!("{lost} connections were closed within {:.1?}", began.elapsed()));
    }
    Ok(Shown { count, warm, full, latencies })
}

/// How many connections the process may have open, told from what those of the warm-up take: a server may take several
/// descriptors for each.
fn room(process: Process, before: usize) -> Result<usize, String> {
    let each = (process.fds()?.saturating_sub(before)).div_ceil(WARM_UP).max(1);
    let limit = process.fd_limit()?.unwrap_or(usize::MAX);
    Ok((limit.saturating_sub(before) / each).saturating_sub(FRESH))
}

fn print(shown: &[(&'static Peer, Shown)]) {
    let resident = |sample: &Sample| sample.status.rss;
    let others = shown.iter().filter(|(peer, _)| peer.kind == Kind::Other);
    let best = others.map(|(_, shown)| shown.growth(resident)).min_by(f64::total_cmp);
    let row = |(peer, shown): &(&'static Peer, Shown)| {
        let growth = shown.growth(resident);
        let cells = vec![
            shown.count.to_string(),
            format!("{growth:.0}"),
            format!("{:.0}", shown.growth(|sample| sample.status.rss_anon)),
            table::ratio(growth, best),
            shown.latencies[FRESH / 2].as_micros().to_string(),
            shown.latencies[FRESH - 1].as_micros().to_string(),
            shown.full.status.peak.to_string(),
            shown.full.status.threads.to_string(),
        ];
        Row { name: peer.name.to_owned(), cells }
    };
    let columns = [
        "connections",
        "bytes/connection",
        "of it anonymous",
        "x best peer",
        "a fresh one, median µs",
        "most µs",
        "peak KiB",
        "threads",
    ];
    table::print("server", &columns, &shown.iter().map(row).collect::<Vec<_>>());
}
