//! Cases as data: what goes in, and in a short notation what comes out.
//!
//! The rule: every case runs whole, at every cut in two, and byte by byte, and gives the same each time.

mod leniency;
mod persistence;
mod requests;
mod responses;
mod send;
mod states;
mod totality;

use std::fmt::Write;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use bytes::{Buf, Bytes, BytesMut};

use super::*;
use crate::limits::Limits;
use crate::output::Output;

/// Stands in a case's bytes where its fault is to be found.
const MARK: char = '¦';

/// A name, bytes with a mark if they are refused, and the events in short.
type Case = (&'static str, &'static str, &'static str);

/// The events of a run, in short: a head; `=content`; `.` or `.{trailers}` at the end; `!status code` when
/// refused; `closed`; `need`.
#[derive(Default)]
struct Log {
    text: String,
    content: Vec<u8>,
    refused_at: Option<u64>,
}

impl Log {
    fn add(&mut self, entry: &str) {
        if !self.content.is_empty() {
            let content = std::mem::take(&mut self.content);
            self.add(&format!("={}", content.escape_ascii()));
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(entry);
    }
}

fn version(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "1.0" } else { "1.1" }
}

fn length(body: BodyLength) -> String {
    match body {
        BodyLength::Exact(length) => length.to_string(),
        BodyLength::Unknown => "?".into(),
    }
}

fn fields(map: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, value) in map {
        let _ = write!(text, "{{{name}: {}}}", value.as_bytes().escape_ascii());
    }
    text
}

fn request_head(head: &ReceivedRequest) -> String {
    let upgrade = if head.upgrade { " upgrade" } else { "" };
    format!("{} {} {} {}{upgrade}", head.method, head.uri, version(head.version), length(head.body))
}

fn response_head(head: &ReceivedResponse) -> String {
    let reason = head.reason.escape_ascii();
    format!("{} {} {reason} {}", version(head.version), head.status.as_u16(), length(head.body))
}

/// Takes all events there are.
fn take<R: Role>(
    conn: &mut Conn<R>,
    input: &mut BytesMut,
    log: &mut Log,
    describe: fn(&R::Received) -> String,
    turn: fn(&mut Conn<R>) -> bool,
) {
    loop {
        match conn.next(input) {
            Ok(Event::Head(head)) => log.add(&describe(&head)),
            Ok(Event::Data(data)) => {
                assert!(!data.is_empty());
                log.content.extend_from_slice(&data);
            }
            Ok(Event::End(trailers)) => {
                log.add(&format!(".{}", trailers.as_ref().map(fields).unwrap_or_default()));
            }
            Ok(Event::Paused) if turn(conn) => {}
            Ok(Event::Closed) => return log.add("closed"),
            Ok(_) => return,
            Err(refusal) => {
                assert_eq!(conn.next(input).unwrap_err(), refusal);
                log.refused_at = Some(refusal.offset);
                return log.add(&format!("!{} {}", refusal.status.as_u16(), refusal.code()));
            }
        }
    }
}

/// Feeds `bytes` in pieces that end at `cuts`, then a FIN if `fin`.
fn run<R: Role>(
    mut conn: Conn<R>,
    (bytes, cuts, fin): (&[u8], &[usize], bool),
    describe: fn(&R::Received) -> String,
    turn: fn(&mut Conn<R>) -> bool,
) -> (String, Option<u64>) {
    let (mut input, mut log, mut start) = (BytesMut::new(), Log::default(), 0);
    for end in cuts.iter().copied().chain([bytes.len()]) {
        input.extend_from_slice(&bytes[start..end]);
        start = end;
        take(&mut conn, &mut input, &mut log, describe, turn);
        if log.refused_at.is_some() || log.text.ends_with("closed") {
            return (log.text, log.refused_at);
        }
    }
    if fin {
        conn.finish_input();
        take(&mut conn, &mut input, &mut log, describe, turn);
    } else {
        log.add("need");
    }
    (log.text, log.refused_at)
}

/// Runs a case under all cuts.
fn check(case: &Case, fin: bool, run: impl Fn((&[u8], &[usize], bool)) -> (String, Option<u64>)) {
    let (name, text, expected) = case;
    let mark = text.find(MARK);
    let bytes = text.replace(MARK, "").into_bytes();
    let whole = run((&bytes, &[], fin));
    assert_eq!(whole.0, *expected, "{name}: {text:?}");
    assert_eq!(whole.1, mark.map(|mark| mark as u64), "{name}: where {text:?} is refused");
    for cut in 1..bytes.len() {
        assert_eq!(run((&bytes, &[cut], fin)), whole, "{name}: cut at {cut}");
    }
    let each: Vec<usize> = (1..bytes.len()).collect();
    assert_eq!(run((&bytes, &each, fin)), whole, "{name}: byte by byte");
}

/// Answers with nothing and goes on.
fn answer(conn: &mut ServerConn) -> bool {
    let mut out = Output::default();
    let headers = HeaderMap::new();
    if conn.send_head(ResponseHead::new(StatusCode::OK, &headers), BodyLength::Exact(0), &mut out).is_ok() {
        conn.send_end(None, &mut out).unwrap();
    }
    conn.reuse().is_ok()
}

fn check_requests(limits: &Limits, cases: &[Case], fin: bool) {
    let limits = Arc::new(limits.clone());
    for case in cases {
        check(case, fin, |feed| run(ServerConn::new(limits.clone()), feed, request_head, answer));
    }
}

fn host() -> HeaderMap {
    headers(&[("host", "h")])
}

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        map.append(*name, HeaderValue::from_static(value));
    }
    map
}

fn written(out: &mut Output) -> String {
    let bytes = out.copy_to_bytes(out.remaining());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A server's end that has received `request` whole.
fn served(request: &str) -> ServerConn {
    let mut conn = ServerConn::new(Arc::default());
    let mut input = BytesMut::from(request);
    while !matches!(conn.next(&mut input), Ok(Event::Paused | Event::NeedInput) | Err(_)) {}
    conn
}
