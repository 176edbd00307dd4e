//! The text of one tape, as it is written.
//!
//! The rule: it never grows past its bound, and it ends with a line that says whether all is there.

use std::sync::Arc;
use std::time::Duration;

use super::line::Line;
use super::sink::{Sink, SinkError, Track, guarded};
use super::text::time;
use super::{Head, VERSION, limits, text};
use crate::machine::{Address, Moment};
use crate::session::Observer;

/// So much text is handed on at a time.
const PIECE: usize = 16 << 10;

/// Text waits so long at most while the connection is stepped.
const WAIT: Duration = Duration::from_secs(1);

/// What the line that says why a tape is cut may take.
const LAST: u64 = 128;

/// Writes one tape.
pub(super) struct Writer {
    track: Option<Box<dyn Track>>,
    observer: Option<Arc<dyn Observer>>,
    /// What was not handed on yet.
    text: String,
    /// How much more may be written.
    room: u64,
    limit: u64,
    handed_at: Moment,
}

impl Writer {
    /// Begins a tape of at most `limit` bytes.
    pub(super) fn open(
        sink: &dyn Sink,
        observer: Option<Arc<dyn Observer>>,
        head: &Head,
        limit: u64,
    ) -> Self {
        let (room, handed_at) = (limit.saturating_sub(LAST), head.mono);
        let mut writer = Self { track: None, observer, text: String::new(), room, limit, handed_at };
        match guarded(|| sink.open(head)) {
            Ok(track) => writer.track = track,
            Err(error) => writer.lose(&error),
        }
        writer.push(&head_text(head));
        writer
    }

    /// Whether nothing more is written.
    pub(super) fn is_over(&self) -> bool {
        self.track.is_none()
    }

    /// A step begins on the tape.
    pub(super) fn step(&mut self, at: Duration, wall: Option<Duration>) {
        match wall {
            None => self.push(&format!("@ {}\n", time(at))),
            Some(wall) => self.push(&format!("@ {}, wall {}\n", time(at), time(wall))),
        }
    }

    pub(super) fn line(&mut self, line: &Line) {
        if !self.is_over() {
            self.push(&format!("{line}\n"));
        }
    }

    /// Hands on what there is, if that is much or has waited long.
    pub(super) fn rest(&mut self, now: Moment) {
        if self.text.len() >= PIECE || now.since(self.handed_at) >= WAIT {
            self.handed_at = now;
            self.hand_on();
        }
    }

    /// Hands on what there is.
    pub(super) fn hand_on(&mut self) {
        let text = std::mem::take(&mut self.text);
        let Some(track) = self.track.as_mut().filter(|_| !text.is_empty()) else { return };
        if let Err(error) = guarded(|| track.append(text)) {
            self.lose(&error);
        }
    }

    /// Nothing more is written, and the tape says why.
    pub(super) fn cut(&mut self, reason: &str) {
        self.text.push_str(&format!("# cut: {reason}\n"));
        self.close();
    }

    /// The tape is whole.
    pub(super) fn end(&mut self) {
        self.text.push_str("# end\n");
        self.close();
    }

    fn close(&mut self) {
        self.hand_on();
        self.track = None;
    }

    fn push(&mut self, text: &str) {
        if self.is_over() {
            return;
        }
        if self.fits(text.len() as u64) {
            self.room -= text.len() as u64;
            self.text.push_str(text);
        }
    }

    /// Whether there is room for so many bytes more; if not, the tape is cut.
    pub(super) fn fits(&mut self, count: u64) -> bool {
        if !self.is_over() && count > self.room {
            self.cut(&format!("a tape holds at most {} bytes", self.limit));
        }
        !self.is_over()
    }

    fn lose(&mut self, error: &SinkError) {
        self.track = None;
        self.text = String::new();
        error.tell(self.observer.as_deref());
    }
}

/// The lines before the first step.
pub(super) fn head_text(head: &Head) -> String {
    let mut lines = vec![
        format!("tape {VERSION}"),
        format!("wall {}", time(head.wall)),
        format!("mono {}", time(head.mono.since_epoch())),
    ];
    let connection = &head.connection;
    for (name, address) in [("peer", &connection.peer), ("local", &connection.local)] {
        lines.extend(address.as_ref().map(|address| format!("{name} {}", address_text(address))));
    }
    if connection.secure {
        lines.push("secure".to_owned());
    }
    lines.extend(connection.alpn.as_ref().map(|alpn| format!("alpn {}", text::escape_line(alpn))));
    lines.push(format!("seed {}", connection.seed));
    lines.extend(
        limits::changed(&head.limits).into_iter().map(|(name, value)| format!("limit {name} {value}")),
    );
    lines.extend(limits::lenient(&head.limits.leniency).map(|name| format!("lenient {name}")));
    let names = head.redaction.names();
    if !names.is_empty() {
        lines.push(format!("redact {}", names.join(" ")));
    }
    if head.redaction.hides_bodies() {
        lines.push("hide bodies".to_owned());
    }
    lines.push("\n".to_owned());
    lines.join("\n")
}

fn address_text(address: &Address) -> String {
    text::escape_line(address.to_string().as_bytes())
}
