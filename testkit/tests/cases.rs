//! Every wire case, in memory and in every way; and every trap of the list, by a case or by a test that is named.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;

use bakestone::Leniency;
use bakestone_testkit::cases::{self, Case, parse, parse_traps};

/// The random cuts follow from it, and from each case's place.
const SEED: u64 = 0xba4e_570e_ca5e_0000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

fn all() -> Vec<Case> {
    cases::read(folder().join("h1")).unwrap_or_else(|error| panic!("{error}"))
}

/// How many ways a case was run in, or how it failed.
fn outcome(case: &Case) -> Result<usize, String> {
    match catch_unwind(AssertUnwindSafe(|| cases::run(case, SEED))) {
        Ok(ran) => ran.map_err(|failure| failure.to_string()),
        Err(_) => Err(format!("{}:{}: {}\n  the server panicked", case.file, case.line, case.title)),
    }
}

#[test]
fn every_case_in_every_way() {
    const THREADS: usize = 4;
    let cases = all();
    let run_share = |share| cases.iter().skip(share).step_by(THREADS).map(outcome).collect::<Vec<_>>();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let shares: [_; THREADS] = std::array::from_fn(|share| scope.spawn(move || run_share(share)));
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    let ways: usize = outcomes.iter().flatten().sum();
    let failures: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let told = format!("{} cases in {ways} ways, random cuts with the seed {SEED:#x}\n", cases.len());
    std::io::stderr().write_all(told.as_bytes()).unwrap();
    assert!(!cases.is_empty(), "there are no cases in {}", folder().display());
    let count = failures.len();
    assert!(failures.is_empty(), "{count} of {} cases failed\n\n{}", cases.len(), failures.join("\n\n"));
}

#[test]
fn every_trap_has_a_case_or_a_test_or_a_reason() {
    let text = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let traps = parse_traps("README.md", &text).unwrap_or_else(|error| panic!("{error}"));
    let mut cases: BTreeMap<u32, usize> = BTreeMap::new();
    for trap in all().iter().flat_map(|case| &case.traps) {
        *cases.entry(*trap).or_default() += 1;
    }
    let known: BTreeSet<u32> = traps.iter().map(|trap| trap.number).collect();
    let unknown: Vec<_> = cases.keys().filter(|number| !known.contains(number)).collect();
    assert!(unknown.is_empty(), "cases name traps that the list does not have: {unknown:?}");

    let mut faults = Vec::new();
    for trap in &traps {
        let count = cases.get(&trap.number).copied().unwrap_or_default();
        for test in &trap.tests {
            if !is_test(test) {
                faults.push(format!("trap {}: there is no test `{test}`", trap.number));
            }
        }
        match &trap.untested {
            Some(why) if count + trap.tests.len() == 0 => {
                eprintln!("trap {} is untested: {why}", trap.number)
            }
            Some(_) => faults.push(format!("trap {} is called untested, and is tested", trap.number)),
            None if count + trap.tests.len() == 0 => {
                faults
                    .push(format!("trap {} has no case, no test and no reason: {}", trap.number, trap.text));
            }
            None => {}
        }
    }
    assert!(traps.len() >= 72, "the list has {} traps", traps.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether `path::function`, from the root of the repository, is a test.
fn is_test(name: &str) -> bool {
    let Some((path, function)) = name.rsplit_once("::") else { return false };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let source = std::fs::read_to_string(path).unwrap_or_default();
    let head = format!("fn {function}() {{");
    let mut follows_attribute = false;
    for line in source.lines().map(str::trim_start) {
        if follows_attribute && line.trim_start_matches("pub(crate) ").starts_with(&head) {
            return true;
        }
        // Other attributes may stand between it and the function.
        follows_attribute = line == "#[test]" || (follows_attribute && line.starts_with("#["));
    }
    false
}

#[test]
fn what_is_not_understood_is_an_error_with_its_line() {
    let case = |request: &str, answer: &str| {
        format!("## A\n\nTraps: 1.\n\n```request\n{request}\n```\n\n```answer\n{answer}\n```\n")
    };
    for (text, what) in [
        ("```request\n```\n".to_owned(), "1: the block stands before the first heading"),
        ("## A\n\n```request\n".to_owned(), "3: the block has no end"),
        ("## A\n```sh\n```\n".to_owned(), "2: a block is a request or an answer, and not `sh`"),
        ("## A\nTraps: one.\n".to_owned(), "2: the traps are no numbers"),
        ("## A\nWith: bare_lf, bare_cr.\n".to_owned(), "2: there is no leniency `bare_cr`"),
        ("## A\n".to_owned(), "1: the case names no trap (`Traps: 1, 2.`)"),
        ("## A\nTraps: 1.\n".to_owned(), "1: the case has no request"),
        ("## A\nTraps: 1.\n```request\n```\n".to_owned(), "1: the last request of the case has no answer"),
        ("## A\nTraps: 1.\n```answer\nopen\n```\n".to_owned(), "3: the answer has no request"),
        (case("a ", "open"), "6: a space at the end of a line is written as \\x20"),
        (case("\\q", "open"), "6: `\\q` is no escape"),
        (case("é", "open"), "6: byte 0xc3 is to be written as \\xc3"),
        (case("{a*}", "open"), "6: a repetition is written {text*number}"),
        (case("{aaaa*10000000}", "open"), "6: the repetition is too long"),
        (case("a", "200"), "9: the answer does not say: open, closed, reset, waits or tunnel"),
        (case("a", "open\n200"), "11: what becomes of the connection is said last"),
        (case("a", "a: b\nopen"), "10: an answer begins with its status"),
        (case("a", "200\nnonsense\nopen"), "11: this is neither a field nor anything else that is known"),
    ] {
        let error = parse("x.md", &text).unwrap_err();
        assert_eq!(error.to_string(), format!("x.md:{what}"), "{text}");
    }
    let error = parse_traps("x.md", "1. One.\n3. Three.\n").unwrap_err();
    assert_eq!(error.to_string(), "x.md:2: trap 3 stands where 2 should");
}

#[test]
fn a_block_stands_for_its_bytes() {
    let text = "## A\nTraps: 1, 20.\n```request\n{ab*3}\\t\\\\\\\n\\x00\\{\n\n```\n```answer\nopen\n```\n";
    let cases = parse("x.md", text).unwrap();
    assert_eq!(cases[0].turns[0].request, b"ababab\t\\\0{\r\n\r\n");
    assert_eq!((cases[0].line, &cases[0].traps[..]), (1, &[1, 20][..]));
}

#[test]
fn a_case_has_its_own_leniency() {
    let cases =
        parse("x.md", "## A\nWith: bare_lf, raw_target.\nTraps: 1.\n```request\n```\n```answer\nopen\n```\n");
    let case = &cases.unwrap()[0];
    let mut leniency = Leniency::default();
    (leniency.bare_lf, leniency.raw_target) = (true, true);
    assert_eq!((case.leniency, case.limits().leniency), (leniency, leniency));
}

#[test]
fn every_leniency_has_cases_on_both_sides() {
    let cases = all();
    let has = |leniency, is_taken| {
        let mut alike = cases.iter().filter(|case| case.leniency == leniency);
        alike.any(|case| (case.turns[0].answers[0].status == 200) == is_taken)
    };
    for name in Leniency::NAMES {
        let (mut alone, mut others) = (Leniency::default(), Leniency::default());
        assert!(alone.switch_on(name));
        assert!(Leniency::NAMES.iter().filter(|other| *other != name).all(|other| others.switch_on(other)));
        assert!(has(alone, true), "{name}: no case shows what it opens");
        assert!(has(alone, false), "{name}: no case shows what stays refused beside it");
        assert!(has(others, false), "{name}: no case shows that the others do not open it");
    }
}

/// A runner that never fails would prove nothing.
#[test]
fn a_wrong_expectation_is_noticed() {
    let get = |target: &str| format!("GET {target} HTTP/1.1\nHost: a\n");
    for (request, answer, difference) in [
        (get("/"), "404\nopen", "answer 1 has the status 200, and must have 404"),
        (get("/"), "200\nbody is GET / and 1 byte: x\nopen", "the content of answer 1 is"),
        (get("/"), "200\nallow: GET\nopen", "allow of answer 1 is absent, and must be `GET`"),
        (
            get("/"),
            "200\nno date\nopen",
            "date of answer 1 is `Mon, 01 Jan 2024 00:00:00 GMT`, and must be absent",
        ),
        (get("/"), "200\nclosed", "the connection is Open, and must be Closed"),
        (get("/"), "200\n200\nopen", "answer 2 did not come"),
        (get("/"), "open", "more came than was told:"),
        (get("/"), "200\ntrailer x: y\nopen", "the trailers of answer 1 are none, and must be x: y"),
        (get("/\\x01"), "400\nopen", "the connection is Closed, and must be Open"),
        (get("/a b"), "waits", "more came than was told:"),
        (get("/short"), "200\nreset", "answer 1 is not whole"),
    ] {
        let text = format!("## A\nTraps: 1.\n```request\n{request}\n```\n```answer\n{answer}\n```\n");
        let failure = cases::run(&parse("x.md", &text).unwrap()[0], SEED).unwrap_err().to_string();
        assert!(failure.starts_with("x.md:1: A\n  "), "{failure}");
        assert!(failure.contains(difference), "{failure}\n-- has not: {difference}");
    }
}
