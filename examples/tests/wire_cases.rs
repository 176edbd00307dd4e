//! Every wire case of `testkit/cases` on every driver: whole, and over sockets cut in three random places as well.
//!
//! The rule: what came back for a case that was sent whole is the same on every driver, in memory and over real
//! sockets, byte for byte but for the values of `Date`; and so is what became of its connection.

#[path = "../src/readiness_loop/serve.rs"]
mod readiness_loop;

#[allow(dead_code, reason = "made for more than is needed here")]
#[path = "drivers/host.rs"]
mod host;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use bakestone_testkit::cases::{
    self, Case, Difference, End, Failure, NEXT, NEXT_ANSWER, Way, check_half, cut_at_random,
};
use bakestone_testkit::escape;

use host::{Client, Driver, Host};

/// The random cuts follow from it, and from each case's place.
const SEED: u64 = 0x50c4_e75e_ca5e_0000;

/// What a piece is ahead of the next one, so that most of them arrive apart.
const AHEAD: Duration = Duration::from_millis(1);

/// How many connections a driver has at a time. Each has a server of its own, since a `Host` stays in its thread.
const AT_A_TIME: usize = 4;

/// Fewer cases than this are not all of them.
const CASES: usize = 367;

/// How long the one form is that the value of `Date` has (RFC 9110, section 5.6.7).
const DATE_LENGTH: usize = "Mon, 01 Jan 2024 00:00:00 GMT".len();

#[test]
fn every_case_on_every_driver() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/cases/h1");
    let cases = cases::read(folder).unwrap_or_else(|error| panic!("{error}"));
    let all = &cases;
    let shares: Vec<Share> = thread::scope(|scope| {
        let shares =
            Driver::ALL.into_iter().flat_map(|driver| (0..AT_A_TIME).map(move |share| (driver, share)));
        let running: Vec<_> =
            shares.map(|(driver, share)| scope.spawn(move || Share::run(driver, share, all))).collect();
        running.into_iter().map(|share| share.join().expect("failures are caught")).collect()
    });
    let runs: usize = shares.iter().map(|share| share.runs).sum();
    let (alike, unlike) = compare(&cases, &shares);
    let failures: Vec<String> = shares.into_iter().flat_map(|share| share.failures).chain(unlike).collect();
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let told = format!(
        "{} cases, {runs} connections, random cuts with the seed {SEED:#x}; {alike} cases alike on {} drivers\n",
        cases.len(),
        Driver::ALL.len()
    );
    std::io::stderr().write_all(told.as_bytes()).expect("somebody reads it");
    assert!(failures.is_empty(), "{} of {runs} runs failed\n\n{}", failures.len(), failures.join("\n\n"));
    assert!(alike == cases.len() && alike >= CASES, "only {alike} of {} cases were compared", cases.len());
}

/// Holds what came back on each driver against what came back in memory: how many cases are alike on all of them,
/// and how the others differ. A case that failed by itself is in neither.
fn compare(cases: &[Case], shares: &[Share]) -> (usize, Vec<String>) {
    let mut alike = 0;
    let mut unlike = Vec::new();
    for name in cases.iter().map(name) {
        let outcomes: Vec<(Driver, &Outcome)> =
            shares.iter().filter_map(|share| Some((share.driver, share.outcomes.get(&name)?))).collect();
        let Some((_, memory)) = outcomes.iter().find(|(driver, _)| *driver == Driver::Memory) else {
            continue;
        };
        let before = unlike.len();
        for (driver, outcome) in outcomes.iter().filter(|(_, outcome)| outcome != memory) {
            unlike.push(format!("{name}\n  in memory: {memory}\n  on {driver:?}: {outcome}"));
        }
        alike += usize::from(outcomes.len() == Driver::ALL.len() && unlike.len() == before);
    }
    (alike, unlike)
}

fn name(case: &Case) -> String {
    format!("{}:{}: {}", case.file, case.line, case.title)
}

/// What came back for a case, and what was seen of its connection after each turn and at last.
#[derive(Clone, PartialEq, Eq)]
struct Outcome {
    /// Without the values of `Date`.
    received: Vec<u8>,
    ends: Vec<End>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = escape(&self.received);
        write!(f, "{:?}\n    {}", self.ends, text.trim_end().replace('\n', "\n    "))
    }
}

/// The same without the values of `Date`, which the clock decides on. Whether they are well-formed was seen before.
fn without_dates(received: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = b"\r\ndate: ";
    let mut rest = received;
    let mut kept = Vec::with_capacity(received.len());
    while let Some(at) = rest.windows(FIELD.len()).position(|piece| piece == FIELD) {
        let (before, value) = rest.split_at(at + FIELD.len());
        kept.extend_from_slice(before);
        rest = match value.split_at_checked(DATE_LENGTH) {
            Some((date, after)) if date.ends_with(b" GMT") && after.starts_with(b"\r\n") => after,
            _ => value,
        };
    }
    kept.extend_from_slice(rest);
    kept
}

/// One thread's share of the cases, and what came of it.
struct Share {
    driver: Driver,
    runs: usize,
    failures: Vec<String>,
    /// Of the cases that were sent whole, by name.
    outcomes: BTreeMap<String, Outcome>,
}

impl Share {
    fn new(driver: Driver) -> Self {
        Self { driver, runs: 0, failures: Vec::new(), outcomes: BTreeMap::new() }
    }

    fn run(driver: Driver, share: usize, cases: &[Case]) -> Self {
        let mut groups: Vec<Vec<&Case>> = Vec::new();
        for case in cases.iter().skip(share).step_by(AT_A_TIME) {
            match groups.iter_mut().find(|group| group[0].leniency == case.leniency) {
                Some(group) => group.push(case),
                None => groups.push(vec![case]),
            }
        }
        let mut share = Self::new(driver);
        groups.iter().for_each(|group| share.run_group(group));
        share
    }

    /// Cases of one leniency, on a server of their own.
    fn run_group(&mut self, cases: &[&Case]) {
        let host = Host::start(self.driver, cases::app(), &cases[0].limits());
        for case in cases {
            self.run_case(&host, case, Way::Whole);
            // In memory the cuts are tried by the testkit itself.
            if self.driver != Driver::Memory {
                self.run_case(&host, case, Way::Random(SEED ^ (case.line as u64) << 8));
            }
        }
        host.shutdown();
        host.end();
    }

    fn run_case(&mut self, host: &Host, case: &Case, way: Way) {
        self.runs += 1;
        let failure = match catch_unwind(AssertUnwindSafe(|| run(host, case, way))) {
            Ok(Ok(outcome)) => {
                if way == Way::Whole {
                    self.outcomes.insert(name(case), outcome);
                }
                return;
            }
            Ok(Err(failure)) => failure.to_string(),
            // What a client waits for in vain it says by itself, and panics.
            Err(_) => format!("{}: sent {way}, the client gave up", name(case)),
        };
        self.failures.push(format!("on {:?}, {failure}", self.driver));
    }
}

/// One case on one connection.
fn run(host: &Host, case: &Case, way: Way) -> Result<Outcome, Box<Failure>> {
    let mut client = host.connect();
    let mut conversation = Conversation::default();
    let held = conversation.hold(&mut client, case, way);
    let Conversation { pieces, received, ends, .. } = conversation;
    match held {
        Ok(()) => Ok(Outcome { received: without_dates(&received), ends }),
        Err(difference) => Err(Box::new(Failure::new(case, way, &pieces, &received, difference))),
    }
}

/// What was sent, in its pieces, what came back, and what was seen of the connection meanwhile.
#[derive(Default)]
struct Conversation<'a> {
    pieces: Vec<&'a [u8]>,
    received: Vec<u8>,
    /// Whether a write was told of a reset; a read is not told again.
    was_reset: bool,
    ends: Vec<End>,
}

impl<'a> Conversation<'a> {
    fn hold(&mut self, client: &mut Client, case: &'a Case, way: Way) -> Result<(), Difference> {
        for turn in &case.turns {
            let pieces = match way {
                Way::Random(seed) => cut_at_random(&turn.request, 4, seed),
                _ => vec![&turn.request[..]],
            };
            for (index, piece) in pieces.iter().enumerate() {
                if index > 0 {
                    thread::sleep(AHEAD);
                }
                self.was_reset |= client.try_send(piece).is_err();
            }
            self.pieces.extend(pieces);
            // All of an answer has come, or something that no further byte can mend.
            let is_enough = |received: &[u8]| match turn.check(received, End::Open, true) {
                Err(difference) => turn.end.seen() == End::Open && !difference.may_be_mended(),
                Ok(()) => true,
            };
            let (received, seen) = self.receive(client, is_enough);
            turn.check(&received, seen, true)?;
        }
        match case.end() {
            End::Open => self.go_on(client),
            End::Waits => {
                client.finish();
                let (more, _) = self.receive(client, |_| false);
                check_half(&more)
            }
            End::Tunnel => {
                client.finish();
                match self.receive(client, |_| false) {
                    (more, End::Closed) if more.is_empty() => Ok(()),
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
        let (received, end) = self.receive(client, |_| false);
        let text = host::text(&received);
        match end == End::Closed && text.starts_with("HTTP/1.1 200 ") && text.ends_with(NEXT_ANSWER) {
            true => Ok(()),
            false => Err(Difference::Surplus(received)),
        }
    }

    /// Reads until `enough`, or to the end, and notes what it has read and what is seen of the connection.
    fn receive(&mut self, client: &mut Client, enough: impl Fn(&[u8]) -> bool) -> (Vec<u8>, End) {
        let (received, end) = client.receive(enough);
        let seen = match end {
            _ if self.was_reset => End::Reset,
            host::End::Open => End::Open,
            host::End::Finished => End::Closed,
            host::End::Reset => End::Reset,
        };
        self.received.extend_from_slice(&received);
        self.ends.push(seen);
        (received, seen)
    }
}

/// A comparison that finds nothing would prove nothing.
#[test]
fn what_is_not_alike_is_noticed() {
    let text = "## A\nTraps: 1.\n```request\n```\n```answer\nopen\n```\n";
    let cases = cases::parse("x.md", text).unwrap_or_else(|error| panic!("{error}"));
    let outcome = |text: &str, end| Outcome { received: without_dates(text.as_bytes()), ends: vec![end] };
    let of = |driver, outcome: Option<Outcome>| Share {
        outcomes: outcome.into_iter().map(|outcome| (name(&cases[0]), outcome)).collect(),
        ..Share::new(driver)
    };
    let answer = |value: &str| format!("HTTP/1.1 200 OK\r\n{value}\r\n\r\n");
    let known = outcome(&answer("date: Mon, 01 Jan 2024 00:00:00 GMT"), End::Open);
    for (on_smol, expected) in [
        (Some((answer("date: Sun, 31 Dec 2023 23:59:59 GMT"), End::Open)), (1, 0)),
        (Some((answer("date: Sun, 31 Dec 2023 23:59:59 GMT"), End::Reset)), (0, 1)),
        (Some((answer("date: Sunday"), End::Open)), (0, 1)),
        (Some((answer("etag: Mon, 01 Jan 2024 00:00:00 GMT"), End::Open)), (0, 1)),
        (None, (0, 0)),
    ] {
        let shares = Driver::ALL.map(|driver| match driver {
            Driver::Smol => of(driver, on_smol.as_ref().map(|(text, end)| outcome(text, *end))),
            _ => of(driver, Some(known.clone())),
        });
        let (alike, unlike) = compare(&cases, &shares);
        assert_eq!((alike, unlike.len()), expected, "{on_smol:?}: {unlike:?}");
        assert!(unlike.iter().all(|text| text.starts_with("x.md:1: A\n") && text.contains("on Smol: ")));
    }
}
