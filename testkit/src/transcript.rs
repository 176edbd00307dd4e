//! What went over the wire, as a person reads it.
//!
//! The rule: whatever fails prints its transcript, and a transcript holds nothing that changes from run to
//! run.

use std::fmt::{self, Write as _};

use bakestone::machine::{Moment, Phase, Read, Wants};
pub use bakestone::tape::escape;

/// More bytes than this of one piece are shown by their beginning and their end.
const SHOWN: usize = 2 << 10;
/// More lines than this are shown by the first and the last ones.
const LINES: usize = 400;

/// Something that happened between a driver and a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Bytes from the peer.
    Fed(Vec<u8>),
    /// The peer finished sending.
    Finished,
    /// The peer is gone.
    Gone,
    /// The server began to drain.
    Drain,
    /// Bytes that left for the peer.
    Output(Vec<u8>),
    /// The driver sent a FIN, as the machine wished.
    FinSent,
    /// The driver reset the connection, as the machine wished.
    ResetSent,
    /// The machine was done.
    Closed,
    /// What the machine wanted, where that changed.
    Wants(Wants),
    /// An effect, and what became of it.
    Effect(String),
}

/// The events between a driver and a machine, with their times.
///
/// As text it looks like this, `>` being what the machine was fed and `<` what it answered:
///
/// ```text
/// @ 0s
/// > hello\r\n
///   wants Need until @10s
/// < HELLO\r\n
/// @ 10s
/// ! closed
/// ```
#[derive(Clone, Debug)]
pub struct Transcript {
    start: Moment,
    entries: Vec<(Moment, Event)>,
    muted: bool,
}

impl Transcript {
    /// An empty one, whose times are shown as the time since `start`.
    pub fn new(start: Moment) -> Self {
        Self { start, entries: Vec::new(), muted: false }
    }

    /// The events, in order.
    pub fn entries(&self) -> &[(Moment, Event)] {
        &self.entries
    }

    /// All the bytes that left for the peer.
    pub fn output(&self) -> Vec<u8> {
        let outputs = self.entries.iter().filter_map(|(_, event)| match event {
            Event::Output(bytes) => Some(&bytes[..]),
            _ => None,
        });
        outputs.collect::<Vec<_>>().concat()
    }

    /// What the peer could see, and when: pieces that left at one moment are one.
    pub(crate) fn seen_by_peer(&self) -> Vec<(Moment, Event)> {
        let mut seen: Vec<(Moment, Event)> = Vec::new();
        for (at, event) in &self.entries {
            match (event, seen.last_mut()) {
                (Event::Output(more), Some((last, Event::Output(bytes)))) if last == at => {
                    bytes.extend_from_slice(more)
                }
                (Event::Output(_) | Event::FinSent | Event::ResetSent | Event::Closed, _) => {
                    seen.push((*at, event.clone()));
                }
                _ => {}
            }
        }
        seen
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    pub(crate) fn push(&mut self, at: Moment, event: Event) {
        if self.muted {
            return;
        }
        match (event, self.entries.last_mut()) {
            (Event::Output(more), Some((last, Event::Output(bytes)))) if *last == at => bytes.extend(more),
            (event, _) => self.entries.push((at, event)),
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut clock = None;
        for (at, event) in &self.entries {
            if clock.replace(*at) != Some(*at) {
                lines.push(format!("@ {:?}", at.since(self.start)));
            }
            lines.extend(render(event, self.start).lines().map(str::to_owned));
        }
        lines
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        let (first, last) = match lines.len() > LINES {
            true => (LINES / 2, lines.len() - LINES / 2),
            false => (lines.len(), lines.len()),
        };
        for line in &lines[..first] {
            writeln!(f, "{line}")?;
        }
        if last > first {
            writeln!(f, "  ... {} lines left out ...", last - first)?;
        }
        lines[last..].iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn render(event: &Event, start: Moment) -> String {
    match event {
        Event::Fed(bytes) => marked("> ", bytes),
        Event::Output(bytes) => marked("< ", bytes),
        Event::Finished => "! the peer sent FIN".into(),
        Event::Gone => "! the peer is gone".into(),
        Event::Drain => "! drain".into(),
        Event::FinSent => "! FIN".into(),
        Event::ResetSent => "! reset".into(),
        Event::Closed => "! closed".into(),
        Event::Effect(text) => format!("* {text}"),
        Event::Wants(wants) => format!("  wants {}", wanted(wants, start)),
    }
}

pub(crate) fn wanted(wants: &Wants, start: Moment) -> String {
    let mut text = match wants.read {
        Read::Pause => "Pause",
        Read::Watch => "Watch",
        Read::Need => "Need",
    }
    .to_owned();
    if let Some(at) = wants.wake_at {
        let _ = write!(text, " until @{:?}", at.since(start));
    }
    if wants.phase != Phase::Open {
        let _ = write!(text, ", {:?}", wants.phase);
    }
    text
}

fn marked(mark: &str, bytes: &[u8]) -> String {
    let shown = if bytes.len() > SHOWN {
        let (begin, end) = (&bytes[..SHOWN / 2], &bytes[bytes.len() - SHOWN / 2..]);
        format!("{}\n... {} bytes ...\n{}", escape(begin), bytes.len() - SHOWN, escape(end))
    } else {
        escape(bytes)
    };
    let lines =
        shown.lines().enumerate().map(|(i, line)| format!("{}{line}", if i == 0 { mark } else { "  " }));
    lines.collect::<Vec<_>>().join("\n")
}

/// Two texts in two columns, long lines broken.
pub(crate) fn side_by_side(left: &str, right: &str) -> String {
    const WIDTH: usize = 58;
    let broken = |text: &str| -> Vec<String> {
        // Broken by characters: a note may hold more than ASCII.
        let pieces = text.lines().flat_map(|line| {
            let line: Vec<char> = line.chars().collect();
            let pieces: Vec<String> = line.chunks(WIDTH).map(|piece| piece.iter().collect()).collect();
            if pieces.is_empty() { vec![String::new()] } else { pieces }
        });
        pieces.collect()
    };
    let (left, right) = (broken(left), broken(right));
    let line = |lines: &[String], i: usize| lines.get(i).cloned().unwrap_or_default();
    let rows = (0..left.len().max(right.len()))
        .map(|i| format!("{:<WIDTH$} | {}", line(&left, i), line(&right, i)).trim_end().to_owned());
    rows.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_transcript_reads_as_it_happened() {
        let start = Moment::from_epoch(Duration::from_secs(50));
        let mut transcript = Transcript::new(start);
        let wants =
            Wants { read: Read::Need, wake_at: Some(start + Duration::from_secs(11)), phase: Phase::Open };
        transcript.push(start, Event::Fed(b"a\r\nb".to_vec()));
        transcript.push(start, Event::Wants(wants));
        transcript.push(start, Event::Output(b"A".to_vec()));
        transcript.push(start, Event::Output(b"B".to_vec()));
        transcript.push(start + Duration::from_millis(1_500), Event::FinSent);
        assert_eq!(
            transcript.to_string(),
            "@ 0ns\n> a\\r\\n\n  b\n  wants Need until @11s\n< AB\n@ 1.5s\n! FIN\n"
        );
        assert_eq!(transcript.output(), b"AB");
    }

    #[test]
    fn long_pieces_and_long_transcripts_are_cut_in_the_middle() {
        let mut transcript = Transcript::new(Moment::ZERO);
        transcript.push(Moment::ZERO, Event::Fed(vec![b'x'; 10_000]));
        assert!(transcript.to_string().contains("\n  ... 7952 bytes ...\n"));
        for _ in 0..1_000 {
            transcript.push(Moment::ZERO, Event::FinSent);
        }
        assert!(transcript.to_string().lines().count() <= LINES + 1);
    }

    #[test]
    fn columns_keep_their_rows() {
        assert_eq!(side_by_side("a\nb", "c"), format!("a{} | c\nb{} |", " ".repeat(57), " ".repeat(57)));
    }
}
