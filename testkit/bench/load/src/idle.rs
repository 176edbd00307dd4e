//! Keep-alive connections that do nothing: what each costs the server, and how it fares with all of them.
//!
//! The rule: memory is compared with that of a server that is warm, and every connection is still open when
//! it is read; so all of it has to fit into the server's idle time.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use bakestone_bench_client::crowd;
use bakestone_bench_client::flags::{Flags, Server};
use bakestone_bench_client::process::{self, Process, Sample};

const WARM_UP: usize = 50;
const FRESH: usize = 100;
/// How long the server may take to see that its clients are gone.
const GOODBYE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    count: usize,
    threads: usize,
}

impl Plan {
    pub(crate) fn from_flags(flags: &mut Flags) -> Result<Self, String> {
        Ok(Self {
            count: flags.number("count", 9000)? as usize,
            threads: flags.number("threads", 8)? as usize,
        })
    }
}

pub(crate) fn run(server: Server, plan: Plan) -> Result<Vec<String>, String> {
    let process = Process(server.pid);
    process.has_room_for(plan.count + WARM_UP)?;
    Process(std::process::id()).has_room_for(plan.count + WARM_UP)?;
    let show = |name: &str, sample: &Sample| println!("{}", process::row(name, sample));

    println!(
        "idle: {} connections to {}, process {}\n\n{}",
        plan.count,
        server.addr,
        server.pid,
        process::HEADER
    );
    let before = process.settle(Duration::from_secs(5))?;
    show("before", &before);
    drop(open(server.addr, WARM_UP, plan.threads)?);
    process.wait_for_fds(before.fds, GOODBYE)?;
    let warm = process.settle(Duration::from_secs(5))?;
    show(&format!("{WARM_UP} came and went"), &warm);

    let began = Instant::now();
    let held = open(server.addr, plan.count, plan.threads).map_err(|error| with_limit(process, error))?;
    let opening = began.elapsed();
    // The last answer is written before its buffers are given back.
    thread::sleep(Duration::from_millis(300));
    let full = process.sample()?;
    show("all open", &full);
    let latencies =
        crowd::latencies(server.addr, FRESH).map_err(|failure| format!("a fresh request: {failure}"))?;
    let lost = held.iter().filter(|stream| !crowd::is_open(stream)).count();
    let held_for = began.elapsed();
    drop(held);
    let (_, closing) = process.wait_for_fds(before.fds, GOODBYE)?;
    let after = process.settle(Duration::from_secs(5))?;
    show("all closed", &after);

    report_growth(plan.count, &warm, &full);
    println!(
        "a fresh connection and its request, while all are open: median {:.0?}, max {:.0?} of {FRESH}",
        latencies[FRESH / 2],
        latencies[FRESH - 1],
    );
    println!("opened in {opening:.1?}, held for {held_for:.1?}, all gone after {closing:.1?}");

    let mut broken = Vec::new();
    if lost > 0 {
        broken
            .push(format!("{lost} of {} idle connections did not stay open for {held_for:.1?}", plan.count));
    }
    if full.sockets < before.sockets + plan.count {
        broken.push(format!("the server had {} sockets open, not {} more", full.sockets, plan.count));
    }
    if after.fds > before.fds {
        broken.push(format!("{} descriptors before and {} after {GOODBYE:?}", before.fds, after.fds));
    }
    Ok(broken)
}

/// Says with an error what the server's limit is, since it may take several descriptors for a connection.
fn with_limit(process: Process, error: String) -> String {
    match process.fd_limit() {
        Ok(Some(limit)) => format!("{error} (the server may have {limit} descriptors open: ulimit -n)"),
        _ => error,
    }
}

fn report_growth(count: usize, warm: &Sample, full: &Sample) {
    /// No server keeps a connection in less.
    const LEAST: f64 = 512.0;
    let per_connection = |after: u64, before: u64| (after as f64 - before as f64) * 1024.0 / count as f64;
    let growth = per_connection(full.status.rss, warm.status.rss);
    let anon = per_connection(full.status.rss_anon, warm.status.rss_anon);
    println!("\ngrowth per connection: {growth:.0} bytes of RSS, {anon:.0} of it anonymous");
    if growth < LEAST || warm.status.peak > warm.status.rss * 5 / 4 {
        println!(
            "NOTE: the server held more before (peak RSS {} KiB) and may still have that memory: this is not what \
             a connection costs, start a fresh one",
            warm.status.peak
        );
    }
}

/// Opens `count` connections, each of which has had one answer.
fn open(addr: SocketAddr, count: usize, threads: usize) -> Result<Vec<TcpStream>, String> {
    crowd::each(count, threads, || crowd::open(addr))
        .map_err(|failure| format!("opening a connection: {failure}"))
}
