//! The cases in `testkit/cases/ws`: what one end receives, and what must be read.
//!
//! The rule: a line that is not understood is an error with its place; one that is skipped would never be tried.

use std::io::Write as _;
use std::path::Path;

use bakestone::ws::{Config, DeflateParams, Event, Message, Reason, Role};
use bakestone_testkit::splits;

use crate::text::{escape, file, hex, unescape};
use crate::wire::Wire;
use crate::{CLIENT, End, Read, read};

/// The files that are no cases, or tables.
const OTHERS: [&str; 3] = ["README.md", "close-codes.md", "utf8.md"];

struct Case {
    place: String,
    config: Config,
    ends: Vec<Role>,
    frames: Vec<String>,
    /// What is to be read, as it is told.
    events: Vec<String>,
}

#[test]
fn every_case_at_both_ends_however_it_is_cut() {
    let cases = all();
    let (mut failures, mut ways) = (Vec::new(), 0);
    for (case, role) in cases.iter().flat_map(|case| case.ends.iter().map(move |role| (case, *role))) {
        let wire = case.wire(role);
        let whole = read(role, &case.config, [&wire.bytes[..]]);
        let told = tell(&whole, &wire);
        let expected: Vec<String> = case.events.iter().map(|line| complete(line)).collect();
        let begins: Vec<String> = expected.iter().map(|line| line.chars().take(200).collect()).collect();
        if told != expected {
            let told: Vec<String> = told.iter().map(|line| line.chars().take(200).collect()).collect();
            failures.push(format!("{} at {role:?}\nread: {told:#?}\nand not {begins:#?}", case.place));
            continue;
        }
        is_early(role, case, &wire, &whole);
        for pieces in splits(&wire.bytes) {
            ways += 1;
            if read(role, &case.config, pieces.iter().copied()) != whole {
                let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
                failures.push(format!("{} at {role:?}, cut to {lengths:?}", case.place));
                break;
            }
        }
    }
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let counts = format!("{} cases in {ways} ways\n", cases.len());
    std::io::stderr().write_all(counts.as_bytes()).unwrap();
    assert!(failures.is_empty(), "{} failed\n\n{}", failures.len(), failures.join("\n\n"));
    assert!(cases.len() > 120);
}

#[test]
fn every_reason_has_a_case() {
    let cases = all();
    for reason in Reason::ALL.iter().filter(|reason| **reason != Reason::InvalidUtf8) {
        let refused = format!("refused {} {} at", reason.name(), reason.close_code());
        let is_there = cases.iter().any(|case| case.events.iter().any(|line| line.starts_with(&refused)));
        assert!(is_there, "no case is {refused}");
    }
}

/// A refusal comes with the byte that it names, and not before.
fn is_early(role: Role, case: &Case, wire: &Wire, whole: &Read) {
    let End::Refused(error) = whole.end else { return };
    // Of a compressed message, the frame is named.
    if case.config.deflate.is_some() && wire.places.iter().any(|(begin, _)| *begin as u64 == error.offset()) {
        return;
    }
    let at = error.offset() as usize;
    assert!(at < wire.bytes.len(), "{}: {error}", case.place);
    let before = read(role, &case.config, [&wire.bytes[..at]]);
    assert!(!matches!(before.end, End::Refused(_)), "{}: refused before byte {at}", case.place);
    assert_eq!(read(role, &case.config, [&wire.bytes[..=at]]), *whole, "{}: at byte {at}", case.place);
}

/// The lines of what was read, as a case tells them.
fn tell(read: &Read, wire: &Wire) -> Vec<String> {
    let mut lines: Vec<String> = read.events.iter().map(tell_event).collect();
    lines.push(match read.end {
        End::Idle => "idle".to_owned(),
        End::Waits => "waits".to_owned(),
        End::Closed => "closed".to_owned(),
        End::Refused(error) => {
            let place = tell_place(error.offset() as usize, wire);
            format!("refused {} {} at {place}", error.kind().name(), error.code())
        }
    });
    lines
}

fn tell_event(event: &Event) -> String {
    let (what, data) = match event {
        Event::Message(Message::Text(text)) => ("text", escape(text.as_bytes())),
        Event::Message(Message::Binary(bytes)) => ("binary", escape(bytes)),
        Event::Ping(payload) => ("ping", escape(payload)),
        Event::Pong(payload) => ("pong", escape(payload)),
        Event::Close(None) => ("close", String::new()),
        Event::Close(Some(frame)) => {
            ("close", format!("{} {}", frame.code(), escape(frame.reason().as_bytes())))
        }
        other => panic!("{other:?} is no event of a stream"),
    };
    format!("{what} {data}").trim_end().to_owned()
}

fn tell_place(offset: usize, wire: &Wire) -> String {
    let frame = wire.places.iter().rposition(|(begin, _)| *begin <= offset).unwrap();
    let (begin, payload) = wire.places[frame];
    match begin == payload {
        true => format!("byte {offset}"),
        false if offset < payload => format!("head {} of frame {}", offset - begin, frame + 1),
        false => format!("payload {} of frame {}", offset - payload, frame + 1),
    }
}

/// A line with its repetitions written out.
fn complete(line: &str) -> String {
    escape(&unescape(line).unwrap_or_else(|what| panic!("{line}: {what}")))
}

impl Case {
    fn wire(&self, role: Role) -> Wire {
        let mut wire = Wire::to(role);
        for line in &self.frames {
            let problem = |what| panic!("{}: {line}: {what}", self.place);
            let hex = |text: &str| hex(text.as_bytes()).unwrap_or_else(problem);
            match (line.strip_prefix("raw "), line.split_once('|')) {
                (Some(bytes), _) => wire.raw(&hex(bytes)),
                (None, None) => wire.put(&hex(line), None),
                (None, Some((head, payload))) => {
                    let payload = payload.strip_prefix(' ').unwrap_or(payload);
                    wire.put(&hex(head), Some(&unescape(payload).unwrap_or_else(problem)));
                }
            }
        }
        wire
    }

    /// Takes in a line that says how the case is set up.
    fn set(&mut self, line: &str) -> Option<()> {
        match line.trim_end_matches('.').split_once(": ")? {
            ("End", "server") => self.ends = vec![Role::Server],
            ("End", "client") => self.ends = vec![CLIENT],
            ("Deflate", "takeover") => self.config.deflate = Some(DeflateParams::default()),
            ("Deflate", "fresh") => self.config.deflate = Some(fresh()),
            ("Limits", limits) => {
                for limit in limits.split(", ") {
                    match limit.split_once(' ')? {
                        ("message_bytes", value) => self.config.message_bytes = value.parse().ok()?,
                        ("frame_bytes", value) => self.config.frame_bytes = value.parse().ok()?,
                        _ => return None,
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// Messages are compressed without those before them.
pub(crate) fn fresh() -> DeflateParams {
    let mut params = DeflateParams::default();
    (params.server_no_context_takeover, params.client_no_context_takeover) = (true, true);
    params
}

fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/ws");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| !OTHERS.contains(&&**name));
    names.sort();
    names.iter().flat_map(|name| parse(name, &file(name))).collect()
}

fn parse(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let place = format!("{file}:{number}: {}", line.trim_start_matches("## "));
        let mut block = || -> Vec<String> {
            lines.by_ref().map(|(_, line)| line.to_owned()).take_while(|line| line != "```").collect()
        };
        match (line, cases.last_mut()) {
            (line, _) if line.starts_with("## ") => cases.push(Case {
                place,
                config: Config::default(),
                ends: vec![Role::Server, CLIENT],
                frames: Vec::new(),
                events: Vec::new(),
            }),
            ("```frames", Some(case)) => case.frames = block(),
            ("```events", Some(case)) => case.events = block(),
            (line, Some(case))
                if ["End: ", "Deflate: ", "Limits: "].iter().any(|set| line.starts_with(set)) =>
            {
                case.set(line).unwrap_or_else(|| panic!("{place}"));
            }
            (line, _) => assert!(!line.starts_with("```"), "{place}"),
        }
    }
    for case in &cases {
        assert!(
            !case.frames.is_empty() && !case.events.is_empty(),
            "{}: there is a part missing",
            case.place
        );
    }
    cases
}
