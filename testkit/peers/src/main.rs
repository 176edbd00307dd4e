//! Runs the wire cases of `testkit/cases` against other HTTP/1.1 servers over loopback, and prints what differs.
//!
//! The rule: every server gets the same bytes and the same handlers, and is judged by the same comparer, which
//! Bakestone itself must pass: the exit code is 1 if it does not.
#![forbid(unsafe_code)]

mod client;
mod reply;
mod servers;
mod table;
mod verdict;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use bakestone_testkit::cases::{self, Case};

use servers::Server;
use table::Column;
use verdict::{Verdict, judge};

/// So many cases run at a time.
const AT_A_TIME: usize = 16;

const USAGE: &str = "\
usage: peers [--all]

  Prints Markdown: tables of verdicts, and each case that a server misreads, takes or keeps open.
  --all   each case that differs in any way
";

/// The cases with the default leniency: those with a line `With:` switch some of it on, which others cannot.
fn default_cases() -> Result<Vec<Case>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/h1");
    let mut cases = cases::read(&folder).map_err(|error| error.to_string())?;
    let mut skipped: BTreeSet<(String, usize)> = BTreeSet::new();
    for file in cases.iter().map(|case| case.file.clone()).collect::<BTreeSet<_>>() {
        let text = std::fs::read_to_string(folder.join(&file)).map_err(|error| error.to_string())?;
        let mut heading = 0;
        for (index, line) in text.lines().enumerate() {
            if line.starts_with('#') {
                heading = index + 1;
            }
            if line.starts_with("With:") {
                skipped.insert((file.clone(), heading));
            }
        }
    }
    cases.retain(|case| !skipped.contains(&(case.file.clone(), case.line)));
    Ok(cases)
}

/// Runs all cases against one server.
fn run(server: Server, cases: &[Case]) -> std::io::Result<Column> {
    let address = server.start()?;
    let left = Mutex::new(cases.iter().enumerate());
    let take = || left.lock().ok()?.next();
    let work = || {
        let mut results = Vec::new();
        while let Some((index, case)) = take() {
            let asked = server.can_be_asked(case).then(|| client::converse(address, case));
            let judged = asked.map(|asked| match asked {
                Ok(outcome) => Ok((judge(case, &outcome, server.tells_trailers()), outcome)),
                Err(error) => Err(error.to_string()),
            });
            results.push((index, judged));
        }
        results
    };
    let mut results = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().flat_map(|worker| worker.join().expect("a failure is a result"));
        done.collect::<Vec<_>>()
    });
    results.sort_by_key(|(index, _)| *index);
    Ok(Column { server, results: results.into_iter().map(|(_, result)| result).collect() })
}

fn compare(verdicts: &[Verdict]) -> Result<bool, String> {
    let cases = default_cases()?;
    let columns: Result<Vec<_>, _> = Server::ALL.into_iter().map(|server| run(server, &cases)).collect();
    let columns = columns.map_err(|error| error.to_string())?;
    println!("{} cases\n", cases.len());
    println!("{}", table::by_verdict(&columns));
    println!("{}", table::by_file(&cases, &columns));
    for verdict in verdicts {
        println!("### {}\n\n{}", verdict.name(), table::list(&cases, &columns, *verdict));
    }
    Ok(columns.iter().all(|column| column.server != Server::Bakestone || column.is_as_told()))
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let verdicts = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => &[Verdict::Misread, Verdict::Lenient, Verdict::KeepsOpen][..],
        ["--all"] => &Verdict::ALL[1..],
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match compare(verdicts) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("Bakestone did something other than its cases tell");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
