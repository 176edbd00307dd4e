//! What came of all cases, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use bakestone_testkit::cases::Case;

use crate::client::{Fate, Outcome};
use crate::reply::Reply;
use crate::servers::Server;
use crate::verdict::Verdict;

/// So many bytes are shown of what came.
const SHOWN: usize = 45;

/// One server, and what came of each case.
pub(crate) struct Column {
    pub(crate) server: Server,
    /// In the order of the cases; `None` where it cannot be asked, `Err` if there was no connection.
    pub(crate) results: Vec<Option<Result<(Verdict, Outcome), String>>>,
}

impl Column {
    /// What came of the case with this number; whoever takes no connection is silent.
    fn verdict(&self, index: usize) -> Option<Verdict> {
        let result = self.results[index].as_ref()?;
        Some(result.as_ref().map_or(Verdict::Silent, |(verdict, _)| *verdict))
    }

    /// Whether all cases came out as they are told.
    pub(crate) fn is_as_told(&self) -> bool {
        (0..self.results.len()).all(|index| self.verdict(index) == Some(Verdict::AsTold))
    }

    /// `2 lenient, 1 strict`, the worst first, for the cases that `is_counted`.
    fn counts(&self, is_counted: impl Fn(usize) -> bool) -> String {
        let mut counts: BTreeMap<Option<Verdict>, usize> = BTreeMap::new();
        for index in (0..self.results.len()).filter(|index| is_counted(*index)) {
            *counts.entry(self.verdict(index)).or_default() += 1;
        }
        let shown = counts.iter().rev().filter(|(verdict, _)| **verdict != Some(Verdict::AsTold));
        let shown: Vec<_> = shown.map(|(verdict, count)| format!("{count} {}", name(*verdict))).collect();
        match shown.is_empty() {
            true => "-".to_owned(),
            false => shown.join(", "),
        }
    }
}

fn name(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("not asked", Verdict::name)
}

/// The name of a server and its version, from this workspace's lock file.
fn heading(server: Server) -> String {
    let name = format!("name = \"{}\"\nversion = \"", server.package());
    let version =
        include_str!("../Cargo.lock").split_once(&name).and_then(|(_, rest)| rest.split('"').next());
    format!("{} {}", server.package(), version.unwrap_or("?"))
}

/// Files against servers: what did not come out as told.
pub(crate) fn by_file(cases: &[Case], columns: &[Column]) -> String {
    let mut text = row("file (cases)", columns.iter().map(|column| heading(column.server)));
    text += &row("---", columns.iter().map(|_| "---".to_owned()));
    let mut files: Vec<&str> = cases.iter().map(|case| &case.file[..]).collect();
    files.dedup();
    for file in files {
        let is_counted = |index: usize| cases[index].file == file;
        let count = (0..cases.len()).filter(|index| is_counted(*index)).count();
        text += &row(&format!("{file} ({count})"), columns.iter().map(|column| column.counts(is_counted)));
    }
    text
}

/// Verdicts against servers.
pub(crate) fn by_verdict(columns: &[Column]) -> String {
    let mut text = row("verdict", columns.iter().map(|column| heading(column.server)));
    text += &row("---", columns.iter().map(|_| "---:".to_owned()));
    for verdict in Verdict::ALL.into_iter().map(Some).chain([None]) {
        let count = |column: &Column| {
            (0..column.results.len()).filter(|index| column.verdict(*index) == verdict).count().to_string()
        };
        text += &row(name(verdict), columns.iter().map(count));
    }
    text
}

fn row(first: &str, rest: impl Iterator<Item = String>) -> String {
    format!("| {first} | {} |\n", rest.collect::<Vec<_>>().join(" | "))
}

/// Each case with such a verdict, and what each server with it did.
pub(crate) fn list(cases: &[Case], columns: &[Column], verdict: Verdict) -> String {
    let mut text = String::new();
    for (index, case) in cases.iter().enumerate() {
        // Servers that did the same stand on one line.
        let mut deeds: Vec<(String, Vec<&str>)> = Vec::new();
        for column in columns.iter().filter(|column| column.verdict(index) == Some(verdict)) {
            let deed = match &column.results[index] {
                Some(Ok((_, outcome))) => deed(outcome),
                Some(Err(error)) => error.clone(),
                None => continue,
            };
            let name = column.server.package();
            match deeds.iter_mut().find(|(known, _)| *known == deed) {
                Some((_, names)) => names.push(name),
                None => deeds.push((deed, vec![name])),
            }
        }
        if !deeds.is_empty() {
            let _ = writeln!(text, "- {} ({})", case.title, case.file);
        }
        for (deed, names) in deeds {
            let _ = writeln!(text, "  - {}: {deed}", names.join(", "));
        }
    }
    text
}

/// What a server did: its answers, and what became of the connection.
fn deed(outcome: &Outcome) -> String {
    // The answer to the next request, if it is right, says no more than that the connection is open.
    let late = (outcome.fate != Fate::Open).then_some(&outcome.late);
    let turns = outcome.turns.iter().chain(late);
    let mut deeds = Vec::new();
    for replies in turns {
        deeds.extend(replies.whole.iter().map(shown));
        if !replies.rest.is_empty() {
            deeds.push(format!("no whole answer `{}`", escaped(&replies.rest)));
        }
    }
    deeds.push(
        match outcome.fate {
            Fate::Open => "open",
            Fate::Astray => "the next request was not answered as itself",
            Fate::Waits => "waits",
            Fate::Closed => "closed",
        }
        .to_owned(),
    );
    deeds.join("; ")
}

/// The status; and what was understood, where the request was taken.
fn shown(reply: &Reply) -> String {
    let framing = if reply.field("transfer-encoding").is_some() { " in chunks" } else { "" };
    match reply.content.is_empty() || !reply.is_success() {
        true => format!("{}{framing}", reply.status),
        false => format!("{}{framing} `{}`", reply.status, escaped(&reply.content)),
    }
}

/// The beginning of `bytes`.
fn escaped(bytes: &[u8]) -> String {
    match bytes.split_at_checked(SHOWN) {
        Some((begin, [_, ..])) => format!("{}...", begin.escape_ascii()),
        _ => bytes.escape_ascii().to_string(),
    }
}
