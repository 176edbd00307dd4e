//! Whether a server answers what it must.
//!
//! The rule: it is asked twice over one connection, so that one that is not kept or answered too much is found.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bakestone_bench_client::answers::{Failure, Head};
use bakestone_bench_client::connection::{self, After, Connection};
use serde_json::Value;

use crate::options::Options;
use crate::running::{Running, Starter};
use crate::scenarios::{self, Body, Scenario};
use crate::scratch::Scratch;

/// The longest body that is read.
const LIMIT: usize = 128 << 20;

/// Seconds that a server's clock may be off, and be late.
const LATE: u64 = 5;

/// Checks every server in every scenario; whether all was right.
pub(crate) fn run(options: &Options, programs: &Path) -> Result<bool, String> {
    let scratch = Scratch::with_files(&options.scenarios)?;
    let starter = Starter { options, programs, scratch: &scratch, wrapper: Vec::new() };
    let mut right = true;
    for scenario in &options.scenarios {
        for peer in options.peers_of(scenario) {
            let running = starter.start(peer, scenario.request_bytes())?;
            match check(&running, scenario) {
                Ok(()) => println!("{}, {}: as it must be", scenario.name, peer.name),
                Err(wrong) => {
                    println!("{}, {}: {wrong}", scenario.name, peer.name);
                    right = false;
                }
            }
        }
    }
    Ok(right)
}

/// Sends what the scenario sends, twice, and looks at each answer.
pub(crate) fn check(running: &Running, scenario: &Scenario) -> Result<(), Failure> {
    let mut connection = Connection::open(running.address)?;
    for _ in 0..2 {
        connection.exchange(
            |stream| connection::send(stream, &scenario.request),
            |connection| {
                (0..scenario.pipelined).try_for_each(|_| {
                    let (head, body) = connection.answer(LIMIT)?;
                    examine(&head, &body, running, &scenario.body)
                })
            },
        )?;
        connection.answers().expect_nothing_more()?;
    }
    Ok(())
}

fn examine(head: &Head, body: &[u8], running: &Running, expected: &Body) -> Result<(), Failure> {
    connection::expect_ok(head, After::Kept)?;
    expect_date(head)?;
    if let Some(server) = head.values("server").next().filter(|_| !running.peer.names_itself) {
        return Err(Failure::unexpected("a Server field", server));
    }
    let right = match expected {
        Body::Text(text) => {
            expect_media_type(head, "text/plain")?;
            body == text.as_bytes()
        }
        Body::Filler(length) => {
            expect_media_type(head, "application/octet-stream")?;
            body == scenarios::filler(*length)
        }
        Body::Json(value) => {
            expect_media_type(head, "application/json")?;
            serde_json::from_slice::<Value>(body).is_ok_and(|seen| seen == *value)
        }
        Body::Page => {
            expect_media_type(head, "text/html")?;
            expect_time(head)?;
            body == b"<b>HTML OK</b>"
        }
        Body::Saved(length) => {
            expect_media_type(head, "text/plain")?;
            is_saved(body, &running.uploads, *length)
        }
    };
    if right { Ok(()) } else { Err(Failure::unexpected("another body", body)) }
}

/// Whether the body is the path of a file in the folder, with these contents.
fn is_saved(body: &[u8], folder: &Path, length: usize) -> bool {
    let Ok(path) = std::str::from_utf8(body).map(Path::new) else { return false };
    path.parent() == Some(folder) && fs::read(path).is_ok_and(|bytes| bytes == scenarios::filler(length))
}

fn expect_media_type(head: &Head, wanted: &str) -> Result<(), Failure> {
    let mut values = head.values("content-type");
    match (values.next(), values.next()) {
        (Some(seen), None) if seen.starts_with(wanted.as_bytes()) => Ok(()),
        (seen, _) => Err(Failure::unexpected(format!("not {wanted}"), seen.unwrap_or_default())),
    }
}

/// One `Date`, in the form that servers must send (RFC 9110, 5.6.7).
fn expect_date(head: &Head) -> Result<(), Failure> {
    let mut values = head.values("date");
    match (values.next(), values.next()) {
        (Some(date), None) if date.len() == 29 && date.ends_with(b" GMT") => Ok(()),
        (date, _) => Err(Failure::unexpected("not one Date", date.unwrap_or_default())),
    }
}

fn expect_time(head: &Head) -> Result<(), Failure> {
    let value = head.values("x-time").next().unwrap_or_default();
    let seen = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    match seen {
        Some(seen) if now.abs_diff(seen) <= LATE => Ok(()),
        _ => Err(Failure::unexpected("x-time is not now", value)),
    }
}
