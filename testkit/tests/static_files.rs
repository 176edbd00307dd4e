//! Files as responses, and folders of them, from a request to what is on the wire.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

#[path = "static_files/alone.rs"]
mod alone;
#[path = "static_files/folders.rs"]
mod folders;
#[path = "static_files/responses.rs"]
mod responses;
#[path = "static_files/sending.rs"]
mod sending;

use std::time::Duration;

use bakestone::app::{AppService, StaticFiles};
use bakestone::effect::{FileAnswer, FileError, FileOp};
use bakestone::{App, Service, Session};
use bakestone_testkit::{Files, FolderFiles, MemoryFiles, Wire};

/// When the files of these tests were changed: an hour before the clock of a wire starts.
const CHANGED: Duration = Duration::from_secs(1_704_067_200 - 3600);
const CHANGED_TEXT: &str = "Sun, 31 Dec 2023 23:00:00 GMT";

/// A file system in memory with these files.
fn memory(files: &[(&str, &str)]) -> MemoryFiles {
    let memory = MemoryFiles::new();
    for (path, content) in files {
        memory.insert_modified(*path, *content, CHANGED);
    }
    memory
}

/// The answer to a request.
#[derive(Clone, Debug)]
struct Seen {
    status: u16,
    head: String,
    body: String,
}

impl Seen {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}"));
        let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The value of a field, or nothing.
    fn field(&self, name: &str) -> &str {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = fields.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let first = found.next().unwrap_or_default();
        assert_eq!(found.next(), None, "{name} is there twice: {}", self.head);
        first
    }
}

/// A request: the line without its version, and fields.
fn request(line: &str, fields: &[(&str, &str)]) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

fn on_wire<S: Service + 'static>(service: S, files: impl Files + 'static) -> Wire<Session<S>> {
    let mut wire = Wire::new(Session::new(service));
    wire.files(files);
    wire
}

/// The answer of `service` to one request on a connection of its own.
#[track_caller]
fn ask<S: Service + 'static>(
    service: S,
    files: &(impl Files + Clone + 'static),
    line: &str,
    fields: &[(&str, &str)],
) -> Seen {
    Seen::parse(&on_wire(service, files.clone()).feed(request(line, fields)).take_text())
}

fn built(app: App) -> AppService {
    app.build().unwrap()
}

/// What one static folder answers below `/static`.
fn folder(files: StaticFiles) -> AppService {
    built(App::new().files("/static", files))
}
