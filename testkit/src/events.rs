//! Server-sent events, as a client reads them (HTML Living Standard, section 9.2.6).
//!
//! The rule: it is the standard's own algorithm, step by step, and knows nothing of how events are written.

use std::time::Duration;

/// Reads a stream of server-sent events, however it is cut.
///
/// ```
/// use bakestone::Event;
/// use bakestone_testkit::EventReader;
///
/// let mut reader = EventReader::default();
/// let bytes = Event::data("two\nlines").event("tick").id("7").encode()?;
/// let events = reader.feed(&bytes);
/// assert_eq!((&*events[0].event, &*events[0].data), ("tick", "two\nlines"));
/// assert_eq!(reader.last_event_id(), "7");
/// # Ok::<(), bakestone::http::sse::EventError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    /// The last byte was CR, so LF belongs to it.
    after_return: bool,
    /// The first line, which may begin with a byte order mark, was read.
    begun: bool,
    data: String,
    event: String,
    id: String,
    last_event_id: String,
    retry: Option<Duration>,
    comments: Vec<String>,
}

/// An event that was dispatched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedEvent {
    /// Its name; `message` unless it has another.
    pub event: String,
    /// Its data, with LF between the lines.
    pub data: String,
    /// The last identifier that was sent, by this event or before it.
    pub last_event_id: String,
}

impl EventReader {
    /// Takes in what came, and gives what a client would dispatch. A line is over only with its end, an event with the
    /// empty line.
    pub fn feed(&mut self, bytes: impl AsRef<[u8]>) -> Vec<ReceivedEvent> {
        let mut events = Vec::new();
        for &byte in bytes.as_ref() {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\r' | b'\n' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
        }
        events
    }

    /// What the client would send as `Last-Event-ID`.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// How long the client waits before it connects again, if it was told.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// The comments so far, each without its colon.
    pub fn comments(&self) -> &[String] {
        &self.comments
    }

    fn end_line(&mut self) -> Option<ReceivedEvent> {
        let line = std::mem::take(&mut self.line);
        let mark: &[u8] = if self.begun { b"" } else { "\u{feff}".as_bytes() };
        self.begun = true;
        let line = String::from_utf8_lossy(line.strip_prefix(mark).unwrap_or(&line)).into_owned();
        if line.is_empty() {
            return self.dispatch();
        }
        match line.split_once(':') {
            Some(("", comment)) => self.comments.push(comment.to_owned()),
            Some((name, value)) => self.field(name, value.strip_prefix(' ').unwrap_or(value)),
            None => self.field(&line, ""),
        }
        None
    }

    fn field(&mut self, name: &str, value: &str) {
        match name {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Option<ReceivedEvent> {
        self.last_event_id.clone_from(&self.id);
        let (event, mut data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
        data.pop()?;
        let event = if event.is_empty() { "message".to_owned() } else { event };
        Some(ReceivedEvent { event, data, last_event_id: self.last_event_id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a stream as text, and the last identifier.
    fn read(stream: &str) -> (String, String) {
        let mut reader = EventReader::default();
        let show = |event: ReceivedEvent| format!("{}={:?};", event.event, event.data);
        (reader.feed(stream).into_iter().map(show).collect(), reader.last_event_id)
    }

    #[test]
    fn the_examples_of_the_standard_mean_what_it_says() {
        for (stream, events, id) in [
            ("data: YHOO\ndata: +2\ndata: 10\n\n", "message=\"YHOO\\n+2\\n10\";", ""),
            (
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
                "message=\"first event\";message=\"second event\";",
                "",
            ),
            ("data\n\ndata\ndata\n\ndata:\n", "message=\"\";message=\"\\n\";", ""),
            ("data:test\n\ndata: test\n\n", "message=\"test\";message=\"test\";", ""),
            (
                "event: add\ndata: 73857293\n\nevent: remove\n\ndata: 2\n\n",
                "add=\"73857293\";message=\"2\";",
                "",
            ),
            (
                "\u{feff}data: 1\r\rdata: 2\r\n\r\nid: 3\u{0}\nid: 4\nnone: 5\n\n",
                "message=\"1\";message=\"2\";",
                "4",
            ),
        ] {
            assert_eq!(read(stream), (events.to_owned(), id.to_owned()), "{stream:?}");
        }
    }

    #[test]
    fn a_time_to_reconnect_is_digits_alone() {
        let mut reader = EventReader::default();
        for (line, expected) in
            [("retry: x1", None), ("retry:", None), ("retry: 07", Some(7)), ("retry: +1", Some(7))]
        {
            reader.feed(format!("{line}\n"));
            assert_eq!(reader.retry(), expected.map(Duration::from_millis), "{line}");
        }
    }
}
