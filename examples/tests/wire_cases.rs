//! Every wire case of `testkit/cases` over real sockets, on every driver: whole, and cut in three random places.

#[path = "../src/readiness_loop/serve.rs"]
mod readiness_loop;

#[allow(dead_code, reason = "made for more than is needed here")]
#[path = "drivers/host.rs"]
mod host;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bakestone_testkit::cases::{
    self, Case, Difference, End, Failure, NEXT, NEXT_ANSWER, Way, check_half, cut_at_random,
};

use host::{Client, Driver, Host};

/// The random cuts follow from it, and from each case's place.
const SEED: u64 = 0x50c4_e75e_ca5e_0000;

/// What a piece is ahead of the next one, so that most of them arrive apart.
const AHEAD: Duration = Duration::from_millis(1);

/// How many connections a driver has at a time. Each has a server of its own, since a `Host` stays in its thread.
const AT_A_TIME: usize = 4;

#[test]
fn every_case_on_every_driver() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/cases/h1");
    let cases = cases::read(folder).unwrap_or_else(|error| panic!("{error}"));
    let runs = AtomicUsize::new(0);
    let (all, count) = (&cases, &runs);
    let failures: Vec<String> = thread::scope(|scope| {
        let shares =
            Driver::SOCKETS.into_iter().flat_map(|driver| (0..AT_A_TIME).map(move |share| (driver, share)));
        let running: Vec<_> =
            shares.map(|(driver, share)| scope.spawn(move || run_share(driver, share, all, count))).collect();
        running.into_iter().flat_map(|share| share.join().expect("failures are caught")).collect()
    });
    let runs = runs.into_inner();
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let told = format!("{} cases, {runs} connections, random cuts with the seed {SEED:#x}\n", cases.len());
    std::io::stderr().write_all(told.as_bytes()).expect("somebody reads it");
    assert!(!cases.is_empty());
    assert!(failures.is_empty(), "{} of {runs} runs failed\n\n{}", failures.len(), failures.join("\n\n"));
}

/// One thread's share of the cases.
fn run_share(driver: Driver, share: usize, cases: &[Case], runs: &AtomicUsize) -> Vec<String> {
    let mut groups: Vec<Vec<&Case>> = Vec::new();
    for case in cases.iter().skip(share).step_by(AT_A_TIME) {
        match groups.iter_mut().find(|group| group[0].leniency == case.leniency) {
            Some(group) => group.push(case),
            None => groups.push(vec![case]),
        }
    }
    groups.iter().flat_map(|group| run_group(driver, group, runs)).collect()
}

/// Cases of one leniency, on a server of their own.
fn run_group(driver: Driver, cases: &[&Case], runs: &AtomicUsize) -> Vec<String> {
    let host = Host::start(driver, cases::app(), &cases[0].limits());
    let mut failures = Vec::new();
    for case in cases {
        for way in [Way::Whole, Way::Random(SEED ^ (case.line as u64) << 8)] {
            runs.fetch_add(1, Ordering::Relaxed);
            let ran = catch_unwind(AssertUnwindSafe(|| run(&host, case, way)));
            let failure = match ran {
                Ok(Ok(())) => continue,
                Ok(Err(failure)) => failure.to_string(),
                // What a client waits for in vain it says by itself, and panics.
                Err(_) => {
                    format!("{}:{}: {}: sent {way}, the client gave up", case.file, case.line, case.title)
                }
            };
            failures.push(format!("on {driver:?}, {failure}"));
        }
    }
    host.shutdown();
    host.end();
    failures
}

/// One case on one connection.
fn run(host: &Host, case: &Case, way: Way) -> Result<(), Box<Failure>> {
    let mut client = host.connect();
    let mut conversation = Conversation { pieces: Vec::new(), received: Vec::new() };
    let held = conversation.hold(&mut client, case, way);
    held.map_err(|difference| {
        let Conversation { pieces, received } = conversation;
        Box::new(Failure::new(case, way, &pieces, &received, difference))
    })
}

/// What was sent, in its pieces, and what came back.
struct Conversation<'a> {
    pieces: Vec<&'a [u8]>,
    received: Vec<u8>,
}

impl<'a> Conversation<'a> {
    fn hold(&mut self, client: &mut Client, case: &'a Case, way: Way) -> Result<(), Difference> {
        let mut was_reset = false;
        for turn in &case.turns {
            let pieces = match way {
                Way::Random(seed) => cut_at_random(&turn.request, 4, seed),
                _ => vec![&turn.request[..]],
            };
            for (index, piece) in pieces.iter().enumerate() {
                if index > 0 {
                    thread::sleep(AHEAD);
                }
                was_reset |= !send(client, piece);
            }
            self.pieces.extend(pieces);
            // All of an answer has come, or something that no further byte can mend.
            let is_enough = |received: &[u8]| match turn.check(received, End::Open, true) {
                Err(difference) => turn.end.seen() == End::Open && !difference.may_be_mended(),
                Ok(()) => true,
            };
            let (received, end) = client.receive(is_enough);
            self.received.extend_from_slice(&received);
            let seen = if was_reset { End::Reset } else { seen(end) };
            turn.check(&received, seen, true)?;
        }
        match case.end() {
            End::Open => self.go_on(client),
            End::Waits => {
                client.finish();
                let (more, _) = client.receive(|_| false);
                self.received.extend_from_slice(&more);
                check_half(&more)
            }
            End::Tunnel => {
                client.finish();
                match client.receive(|_| false) {
                    (more, host::End::Finished) if more.is_empty() => Ok(()),
                    (more, _) => Err(Difference::Surplus(more)),
                }
            }
            _ => Ok(()),
        }
    }

    /// The next request, which is the last, is answered as itself.
    fn go_on(&mut self, client: &mut Client) -> Result<(), Difference> {
        client.send(NEXT);
        client.finish();
        let (received, end) = client.receive(|_| false);
        self.received.extend_from_slice(&received);
        let text = host::text(&received);
        match end == host::End::Finished && text.starts_with("HTTP/1.1 200 ") && text.ends_with(NEXT_ANSWER) {
            true => Ok(()),
            false => Err(Difference::Surplus(received)),
        }
    }
}

/// Sends `piece`; false if there is nobody any more who could take it. Whoever is told so by a write is not told
/// again by a read.
fn send(client: &mut Client, piece: &[u8]) -> bool {
    let Client::Socket(socket) = client else { unreachable!("every driver here has sockets") };
    socket.write_all(piece).is_ok()
}

/// What a client sees of the end that it was told of.
fn seen(end: host::End) -> End {
    match end {
        host::End::Open => End::Open,
        host::End::Finished => End::Closed,
        host::End::Reset => End::Reset,
    }
}
