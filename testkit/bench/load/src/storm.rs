//! Short connections: connect, one request with `Connection: close`, its whole answer, the server's close.
//!
//! The rule: a connection counts only if its answer was whole and right and the close followed it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bakestone_bench_client::answers::Failure;
use bakestone_bench_client::crowd;
use bakestone_bench_client::flags::{Flags, Server};
use bakestone_bench_client::process::{self, Process};

const GOODBYE: Duration = Duration::from_secs(20);
/// So many failures, and the rest need not be tried.
const ENOUGH: u64 = 1000;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    count: u64,
    threads: usize,
}

impl Plan {
    pub(crate) fn from_flags(flags: &mut Flags) -> Result<Self, String> {
        Ok(Self { count: flags.number("count", 100_000)?, threads: flags.number("threads", 8)? as usize })
    }
}

/// What one thread has seen; together, what all have.
#[derive(Default)]
struct Tally {
    /// How long the good ones took, in microseconds.
    took: Vec<u32>,
    /// How many of each kind of failure, and the first of them.
    failures: BTreeMap<String, (u64, String)>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.took.extend(other.took);
        for (kind, (count, first)) in other.failures {
            self.failures.entry(kind).or_insert((0, first)).0 += count;
        }
    }

    fn failed(&self) -> u64 {
        self.failures.values().map(|(count, _)| count).sum()
    }
}

pub(crate) fn run(server: Server, plan: Plan) -> Result<Vec<String>, String> {
    let process = Process(server.pid);
    println!(
        "storm: {} connections to {}, process {}, {} at a time\n\n{}",
        plan.count,
        server.addr,
        server.pid,
        plan.threads,
        process::HEADER
    );
    let before = process.settle(Duration::from_secs(5))?;
    println!("{}", process::row("before", &before));
    let began = Instant::now();
    let mut tally = blow(server.addr, plan);
    let took = began.elapsed();
    process.wait_for_fds(before.fds, GOODBYE)?;
    let after = process.settle(Duration::from_secs(5))?;
    println!("{}", process::row("after", &after));
    report(&mut tally, took);

    let mut broken = Vec::new();
    if tally.took.len() as u64 != plan.count {
        broken.push(format!("{} of {} connections were good", tally.took.len(), plan.count));
    }
    if after.fds > before.fds {
        broken.push(format!("{} descriptors before and {} after {GOODBYE:?}", before.fds, after.fds));
    }
    Ok(broken)
}

fn report(tally: &mut Tally, took: Duration) {
    tally.took.sort_unstable();
    let good = tally.took.len();
    println!("\n{good} good in {took:.1?}: {:.0} per second", good as f64 / took.as_secs_f64());
    if let (Some(median), Some(max)) = (tally.took.get(good / 2), tally.took.last()) {
        let late = tally.took[good * 99 / 100];
        println!("from connect to close: median {median} us, 99 % within {late} us, max {max} us");
    }
    println!("{} failed", tally.failed());
    for (kind, (count, first)) in &tally.failures {
        println!("  {count:>8}  {kind}; the first: {first}");
    }
}

/// All connections, on all threads.
fn blow(addr: SocketAddr, plan: Plan) -> Tally {
    let (started, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let no_ports = AtomicBool::new(false);
    let worker = || {
        let mut tally = Tally::default();
        while started.fetch_add(1, Ordering::Relaxed) < plan.count
            && failed.load(Ordering::Relaxed) < ENOUGH
            && !no_ports.load(Ordering::Relaxed)
        {
            let began = Instant::now();
            let Err(failure) = crowd::come_and_go(addr) else {
                tally.took.push(began.elapsed().as_micros().try_into().unwrap_or(u32::MAX));
                continue;
            };
            failed.fetch_add(1, Ordering::Relaxed);
            let mut said = failure.to_string();
            if is_out_of_ports(&failure) {
                no_ports.store(true, Ordering::Relaxed);
                said += ": no local port is free on one of 127.0.0.1-8, most are in TIME_WAIT: wait a minute, \
                         or take a smaller --count";
            }
            tally.failures.entry(failure.kind()).or_insert((0, said)).0 += 1;
        }
        tally
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..plan.threads).map(|_| scope.spawn(worker)).collect();
        let mut all = Tally::default();
        for worker in workers {
            all.add(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    })
}

fn is_out_of_ports(failure: &Failure) -> bool {
    let Failure::Io { error, .. } = failure else { return false };
    // Binding says that the address is in use, connecting that it is not available.
    matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse)
}
