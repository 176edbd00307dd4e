//! A long run of a mix of clients: whether the server answers each of them right, and what is left of them.
//!
//! The rule: the server is as it was, once all of them have gone.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::kinds::{self, Client, KINDS};
use crate::random::{Pattern, Random};
use bakestone_bench_client::flags::{Flags, Server};
use bakestone_bench_client::process::{self, HEADER, Process, Sample};

const EVERY: Duration = Duration::from_secs(30);
const GOODBYE: Duration = Duration::from_secs(20);
/// Failures that are printed.
const SHOWN: u64 = 20;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    time: Duration,
    threads: u64,
    seed: u64,
}

impl Plan {
    pub(crate) fn from_flags(flags: &mut Flags) -> Result<Self, String> {
        Ok(Self {
            time: Duration::from_secs(flags.number("seconds", 600)?),
            threads: flags.number("threads", 16)?,
            seed: flags.optional("seed")?.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32),
        })
    }
}

/// What the workers share.
struct Shared {
    server: Server,
    plan: Plan,
    pattern: Pattern,
    stop: AtomicBool,
    answers: AtomicU64,
    failed: AtomicU64,
}

/// How the clients of one kind fared.
#[derive(Clone, Copy, Default)]
struct Fared {
    ok: u64,
    failed: u64,
    answers: u64,
    longest: Duration,
}

pub(crate) fn run(server: Server, plan: Plan) -> Result<Vec<String>, String> {
    let process = Process(server.pid);
    println!(
        "soak: {} clients at a time for {:?} at {}, process {}; --seed {}\n\n  elapsed   answers    failed\n{HEADER}",
        plan.threads, plan.time, server.addr, server.pid, plan.seed
    );
    let before = process.settle(Duration::from_secs(5))?;
    println!("{}", process::row("before", &before));
    let shared = Shared {
        server,
        plan,
        pattern: Pattern::new(plan.seed),
        stop: AtomicBool::new(false),
        answers: AtomicU64::new(0),
        failed: AtomicU64::new(0),
    };
    let (fared, marks) = thread::scope(|scope| {
        let shared = &shared;
        let workers: Vec<_> =
            (0..plan.threads).map(|number| scope.spawn(move || work(shared, number))).collect();
        let marks = watch(shared, process);
        shared.stop.store(true, Ordering::Relaxed);
        let mut fared = vec![Fared::default(); KINDS.len()];
        for worker in workers {
            let seen = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            fared.iter_mut().zip(seen).for_each(|(all, one)| add(all, one));
        }
        (fared, marks)
    });
    print_table(&fared);
    let (_, gone) = process.wait_for_fds(before.fds, GOODBYE)?;
    let after = process.settle(Duration::from_secs(5))?;

    println!("\n{HEADER}\n{}", process::row("before", &before));
    for (percent, mark) in marks? {
        println!("{}", process::row(&format!("at {percent} % of the time"), &mark));
    }
    println!("{}\n\nall connections gone after {gone:.1?}", process::row("all gone", &after));

    let mut broken = Vec::new();
    let failed: u64 = fared.iter().map(|fared| fared.failed).sum();
    if failed > 0 {
        broken.push(format!("{failed} clients did not get what they must; --seed {}", plan.seed));
    }
    if let Some((kind, _)) = KINDS.iter().zip(&fared).find(|(_, fared)| fared.ok + fared.failed == 0) {
        println!("too short a run: no client of the kind {:?} came", kind.name);
    }
    if after.fds > before.fds {
        broken.push(format!("{} descriptors before and {} after {GOODBYE:?}", before.fds, after.fds));
    }
    Ok(broken)
}

fn add(all: &mut Fared, one: Fared) {
    all.ok += one.ok;
    all.failed += one.failed;
    all.answers += one.answers;
    all.longest = all.longest.max(one.longest);
}

fn print_table(fared: &[Fared]) {
    println!("\n{:<22} {:>10} {:>10} {:>10} {:>10}", "kind", "ok", "failed", "answers", "longest");
    let line = |name: &str, fared: &Fared| {
        let longest = format!("{:.2} s", fared.longest.as_secs_f64());
        println!("{name:<22} {:>10} {:>10} {:>10} {longest:>10}", fared.ok, fared.failed, fared.answers);
    };
    let mut all = Fared::default();
    for (kind, fared) in KINDS.iter().zip(fared) {
        line(kind.name, fared);
        add(&mut all, *fared);
    }
    line("all", &all);
}

/// One worker: plays one kind after the other.
fn work(shared: &Shared, number: u64) -> Vec<Fared> {
    let Shared { server, plan, pattern, .. } = shared;
    let mut client =
        Client { addr: server.addr, random: Random::new(plan.seed, number), pattern, answers: 0 };
    let mut all = vec![Fared::default(); KINDS.len()];
    while !shared.stop.load(Ordering::Relaxed) {
        let which = kinds::choose(&mut client.random);
        let began = Instant::now();
        let result = (KINDS[which].run)(&mut client);
        let answers = std::mem::take(&mut client.answers);
        shared.answers.fetch_add(answers, Ordering::Relaxed);
        let failed = u64::from(result.is_err());
        add(&mut all[which], Fared { ok: 1 - failed, failed, answers, longest: began.elapsed() });
        if let Err(failure) = result {
            if shared.failed.fetch_add(1, Ordering::Relaxed) < SHOWN {
                println!(
                    "  FAILED, {} of worker {number}, after {answers} answers: {failure}",
                    KINDS[which].name
                );
            }
            // A server that is gone is not to be asked a thousand times a second.
            thread::sleep(Duration::from_millis(100));
        }
    }
    all
}

/// Looks at the server until the time is up: a line now and then, and samples at 10, 50 and 100 percent of it.
fn watch(shared: &Shared, process: Process) -> Result<Vec<(u32, Sample)>, String> {
    let (began, time) = (Instant::now(), shared.plan.time);
    let mut next_line = EVERY;
    let mut marks = Vec::new();
    let mut wanted = [10, 50, 100].into_iter().peekable();
    while let Some(&percent) = wanted.peek() {
        thread::sleep(Duration::from_millis(50));
        let elapsed = began.elapsed();
        if elapsed >= time * percent / 100 {
            marks.push((percent, process.sample()?));
            wanted.next();
        }
        if elapsed >= next_line {
            next_line += EVERY;
            let (answers, failed) =
                (shared.answers.load(Ordering::Relaxed), shared.failed.load(Ordering::Relaxed));
            let name = format!("{:>6} s {answers:>9} {failed:>3}", elapsed.as_secs());
            println!("{}", process::row(&name, &process.sample()?));
        }
    }
    Ok(marks)
}
