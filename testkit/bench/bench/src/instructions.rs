//! `instructions`: how many instructions and allocations a request takes in user space, counted by callgrind.
//!
//! The rule: a figure is the slope of two runs, of N and of 2N requests over one connection, so that what a server does
//! once is not in it.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use bakestone_bench_client::answers::Failure;
use bakestone_bench_client::connection::{self, Connection};

use crate::check;
use crate::machine;
use crate::options::Options;
use crate::peers::{FLOOR, Kind, Peer};
use crate::programs;
use crate::running::Starter;
use crate::scenarios::Scenario;
use crate::scratch::Scratch;
use crate::table::{self, Row};

/// The functions of the C library that memory comes from. An allocator above it, if any, is not counted.
const ALLOCATIONS: [&str; 5] = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"];

/// The most that is sent in the shorter of the two runs, so that large requests are fewer.
const MOST_BYTES: u64 = 64 << 20;

/// What was counted, in a run or for a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) instructions: f64,
    allocations: f64,
}

/// Counts in every scenario, one after the other, and prints each when it is done.
pub(crate) fn run(options: &Options, folder: &Path) -> Result<bool, String> {
    programs::expect_installed("valgrind")?;
    let scratch = Scratch::with_files(&options.scenarios)?;
    println!("{}; the slope of {} and twice as many requests", machine::describe(), options.requests);
    let mut right = true;
    for scenario in &options.scenarios {
        println!("\n### {}: {}", scenario.name, scenario.about);
        let mut counted = Vec::new();
        for peer in options.peers_of(scenario) {
            match slope(options, folder, &scratch, peer, scenario) {
                Ok(counts) => counted.push((peer, counts)),
                Err(failure) => {
                    println!("{} is left out: {failure}", peer.name);
                    right = false;
                }
            }
        }
        print(&counted, &options.lacking(scenario));
    }
    Ok(right)
}

/// What each request takes.
fn slope(
    options: &Options,
    folder: &Path,
    scratch: &Scratch,
    peer: &'static Peer,
    scenario: &Scenario,
) -> Result<Counts, String> {
    let out = scratch.path().join("callgrind.out");
    let wrapper = ["valgrind".into(), "-q".into(), "--tool=callgrind".into(), {
        let mut flag = std::ffi::OsString::from("--callgrind-out-file=");
        flag.push(&out);
        flag
    }];
    let starter = Starter { options, programs: folder, scratch, wrapper: wrapper.into() };
    let requests = options.requests.min(MOST_BYTES / scenario.moved_bytes() as u64).max(1);
    let exchanges = requests.div_ceil(scenario.pipelined as u64);
    let count = |exchanges: u64| {
        let running = starter.start(peer, scenario.request_bytes())?;
        check::check(&running, scenario)
            .and_then(|()| ask(&running.address, scenario, exchanges))
            .map_err(|failure| failure.to_string())?;
        running.stop()?;
        scratch.remove_uploads()?;
        let text = fs::read_to_string(&out).map_err(|error| format!("callgrind left nothing: {error}"))?;
        fs::remove_file(&out).map_err(|error| error.to_string())?;
        parse(&text).ok_or_else(|| "callgrind counted nothing".to_owned())
    };
    let (once, twice) = (count(exchanges)?, count(2 * exchanges)?);
    let requests = exchanges as f64 * scenario.pipelined as f64;
    Ok(Counts {
        instructions: (twice.instructions - once.instructions) / requests,
        allocations: (twice.allocations - once.allocations) / requests,
    })
}

/// Sends what the scenario sends so many times over one connection, and reads the answers in between.
fn ask(address: &std::net::SocketAddr, scenario: &Scenario, exchanges: u64) -> Result<(), Failure> {
    let mut connection = Connection::open(*address)?;
    for _ in 0..exchanges {
        let read = |connection: &mut Connection| {
            (0..scenario.pipelined).try_for_each(|_| {
                let head = connection.answers().head()?;
                connection.answers().body(&head, &mut |_| Ok(())).map(drop)
            })
        };
        // A thread to send with is needed only where both sides could wait for each other.
        if scenario.request.len() > 16 << 10 {
            connection.exchange(|stream| connection::send(stream, &scenario.request), read)?;
        } else {
            connection.send(&scenario.request)?;
            read(&mut connection)?;
        }
    }
    Ok(())
}

/// Reads the totals of callgrind's output, and the calls of those functions that allocate. A name is written once,
/// behind a number that stands for it from then on: `cfn=(12) malloc`, and the line after it is `calls=COUNT ...`.
pub(crate) fn parse(text: &str) -> Option<Counts> {
    let (mut allocating, mut is_allocation) = (HashSet::new(), false);
    let (mut instructions, mut allocations) = (None, 0.0);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
            let (number, name) = name.split_once(' ').unwrap_or((name, ""));
            if ALLOCATIONS.contains(&name) {
                allocating.insert(number);
            }
            is_allocation = line.starts_with('c') && allocating.contains(number);
        } else if let Some(calls) = line.strip_prefix("calls=") {
            if is_allocation {
                allocations += calls.split_whitespace().next()?.parse::<f64>().ok()?;
            }
        } else if let Some(total) = line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")) {
            instructions = Some(total.split_whitespace().next()?.parse().ok()?);
        }
    }
    Some(Counts { instructions: instructions?, allocations })
}

fn print(counted: &[(&Peer, Counts)], lacking: &[&'static Peer]) {
    let others = counted.iter().filter(|(peer, _)| peer.kind == Kind::Other);
    let best = others.map(|(_, counts)| counts.instructions).min_by(f64::total_cmp);
    let floor = counted.iter().find(|(peer, _)| peer.name == FLOOR).map(|(_, counts)| counts.instructions);
    let rows: Vec<Row> = counted
        .iter()
        .map(|(peer, counts)| Row {
            name: peer.name.to_owned(),
            cells: vec![
                format!("{:.0}", counts.instructions),
                table::ratio(counts.instructions, best),
                table::ratio(counts.instructions, floor),
                format!("{:.2}", counts.allocations),
            ],
        })
        .collect();
    let columns = ["instructions/request", "x best peer", "x floor", "allocations/request"];
    let lacking = lacking.iter().map(|peer| table::dashes(peer.name, columns.len()));
    table::print("server", &columns, &rows.into_iter().chain(lacking).collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_and_calls_are_found() {
        let text = "events: Ir\nfn=(1) main\n16 400\ncfn=(2) malloc\ncalls=3 50\n16 400\ncfn=(3) free\ncalls=9 1\n1 1\n\
                    fn=(2)\n1 100\nfn=(4) other\ncfn=(2)\ncalls=2 50\n16 400\ncfn=(1)\ncalls=7 1\n1 1\ntotals: 1234\n";
        assert_eq!(parse(text), Some(Counts { instructions: 1234.0, allocations: 5.0 }));
        assert_eq!(parse("fn=(1) main\n"), None);
    }
}
