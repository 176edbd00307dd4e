//! Server-sent events, as they are written (HTML Living Standard, section 9.2.6).
//!
//! The rule: what a client dispatches is what the event holds, and never more: a text that would end its line early, or
//! that every client ignores, is refused or becomes several lines; so no text of an event can make another one.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

/// In milliseconds: the longest that `setTimeout` waits for (HTML Living Standard, section 8.7, a `long`), by which clients
/// that are no browser connect again.
const LONGEST_RETRY: u128 = i32::MAX as u128;

/// One event of a stream of server-sent events.
///
/// Clients dispatch what has [`data`](Self::data), be it empty; an event without only sets the identifier or the time
/// to reconnect, or does nothing.
///
/// ```
/// use bakestone::Event;
///
/// let event = Event::data("two\nlines").event("tick").id("7");
/// assert_eq!(event.encode()?, "event: tick\nid: 7\ndata: two\ndata: lines\n\n");
/// assert_eq!(Event::comment("still here").encode()?, ": still here\n\n");
/// assert!(Event::data("1").event("tick\ndata: 2").encode().is_err());
/// # Ok::<(), bakestone::http::sse::EventError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What clients ignore. Each of its lines becomes one.
    pub comment: Option<Cow<'static, str>>,
    /// The name that listeners wait for; `message` without one. It is one line.
    pub event: Option<Cow<'static, str>>,
    /// What the client sends as `Last-Event-ID` when it connects again. It is one line without control characters, and
    /// comes back without the whitespace around it; an empty one forgets the last.
    pub id: Option<Cow<'static, str>>,
    /// How long the client waits before it connects again, in whole milliseconds; the rest is cut off. More than 24.8 days
    /// (2^31 - 1 milliseconds) goes out as that: behind it the timers of JavaScript wait for nothing at all, and what no
    /// 64 bits hold, browsers pass over. A client that is not to come back is told so by a 204.
    pub retry: Option<Duration>,
    /// The data. Of its lines, each begins anew behind CRLF, CR or LF; the client gets them with LF between them.
    pub data: Option<Cow<'static, str>>,
}

impl Event {
    /// An event with this data.
    pub fn data(data: impl Into<Cow<'static, str>>) -> Self {
        Self { data: Some(data.into()), ..Self::default() }
    }

    /// What clients ignore, and what keeps a connection from looking idle.
    pub fn comment(comment: impl Into<Cow<'static, str>>) -> Self {
        Self { comment: Some(comment.into()), ..Self::default() }
    }

    /// The same event under this name.
    #[must_use]
    pub fn event(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.event = Some(name.into());
        self
    }

    /// The same event with this identifier.
    #[must_use]
    pub fn id(mut self, id: impl Into<Cow<'static, str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same event, which lets the client wait this long before it connects again.
    #[must_use]
    pub fn retry(mut self, time: Duration) -> Self {
        self.retry = Some(time);
        self
    }

    /// The bytes of the event, and the empty line after it; nothing for an event that holds nothing.
    ///
    /// # Errors
    ///
    /// [`EventError`] for what cannot be written.
    pub fn encode(&self) -> Result<Bytes, EventError> {
        let event = one_line(self.event.as_deref(), EventError::NewlineInEvent)?;
        let id = one_line(self.id.as_deref(), EventError::NewlineInId)?;
        if id.is_some_and(|id| id.contains('\0')) {
            return Err(EventError::NulInId);
        }
        // It comes back as a field's value (RFC 9110, section 5.5), and a request with such a one is refused.
        if id.is_some_and(|id| id.bytes().any(|byte| byte != b'\t' && byte.is_ascii_control())) {
            return Err(EventError::ControlInId);
        }
        let mut text = String::with_capacity(self.room());
        lines("", self.comment.as_deref(), &mut text);
        lines("event", event, &mut text);
        lines("id", id, &mut text);
        if let Some(time) = self.retry {
            lines("retry", Some(&time.as_millis().min(LONGEST_RETRY).to_string()), &mut text);
        }
        lines("data", self.data.as_deref(), &mut text);
        if !text.is_empty() {
            text.push('\n');
        }
        Ok(text.into())
    }

    /// How many bytes it mostly becomes.
    fn room(&self) -> usize {
        let texts = [&self.comment, &self.event, &self.id, &self.data];
        texts
            .iter()
            .filter_map(|text| text.as_ref())
            .map(|text| text.len() + "event: \n".len())
            .sum::<usize>()
            + 32
    }
}

fn one_line(text: Option<&str>, error: EventError) -> Result<Option<&str>, EventError> {
    match text {
        Some(text) if text.contains(['\r', '\n']) => Err(error),
        _ => Ok(text),
    }
}

/// Writes a field once for each line of `text`: `field = 1*name-char [ colon [ space ] *any-char ] end-of-line`.
fn lines(name: &str, text: Option<&str>, into: &mut String) {
    let mut rest = text;
    while let Some(text) = rest {
        let (line, next) = match text.split_once(['\r', '\n']) {
            // The separator was CR, and with this LF it is one.
            Some((line, next)) if text[line.len()..].starts_with("\r\n") => (line, Some(&next[1..])),
            Some((line, next)) => (line, Some(next)),
            None => (text, None),
        };
        into.push_str(name);
        into.push(':');
        if !line.is_empty() {
            // A client takes one space away, so a line that begins with one keeps it.
            into.push(' ');
            into.push_str(line);
        }
        into.push('\n');
        rest = next;
    }
}

/// Why an event cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// The name of an event is one line.
    NewlineInEvent,
    /// An identifier is one line.
    NewlineInId,
    /// Clients ignore an identifier with NUL.
    NulInId,
    /// A client cannot send an identifier with another control character back.
    ControlInId,
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewlineInEvent => "the name of an event holds a line break",
            Self::NewlineInId => "the identifier of an event holds a line break",
            Self::NulInId => "the identifier of an event holds NUL",
            Self::ControlInId => "the identifier of an event holds a control character",
        })
    }
}

impl std::error::Error for EventError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_becomes_lines() {
        let second = Duration::from_millis(1500);
        for (event, expected) in [
            (Event::default(), ""),
            (Event::data(""), "data:\n\n"),
            (Event::data("a"), "data: a\n\n"),
            (Event::data(" a:b "), "data:  a:b \n\n"),
            (Event::data("a\nb\rc\r\nd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"),
            (Event::data("a\n\r\n\rb"), "data: a\ndata:\ndata:\ndata: b\n\n"),
            (Event::data("\n"), "data:\ndata:\n\n"),
            (Event::data("a\r\n"), "data: a\ndata:\n\n"),
            (Event::data("\u{feff}ä\0"), "data: \u{feff}ä\0\n\n"),
            (Event::comment(""), ":\n\n"),
            (Event::comment("a\r\nevent: b"), ": a\n: event: b\n\n"),
            (Event::default().id(""), "id:\n\n"),
            (Event::default().event(""), "event:\n\n"),
            (Event::default().retry(second), "retry: 1500\n\n"),
            (Event::default().retry(Duration::from_nanos(1)), "retry: 0\n\n"),
            (Event::default().retry(Duration::from_millis(2_147_483_647)), "retry: 2147483647\n\n"),
            (Event::default().retry(Duration::from_millis(2_147_483_648)), "retry: 2147483647\n\n"),
            (Event::default().retry(Duration::MAX), "retry: 2147483647\n\n"),
            (Event::data("d").event("e").id("i").retry(second), "event: e\nid: i\nretry: 1500\ndata: d\n\n"),
            (Event { comment: Some("c".into()), ..Event::data("d") }, ": c\ndata: d\n\n"),
        ] {
            assert_eq!(event.encode().as_deref(), Ok(expected.as_bytes()), "{event:?}");
        }
    }

    #[test]
    fn what_would_make_another_field_is_refused() {
        for (event, expected) in [
            (Event::data("d").event("a\nb"), EventError::NewlineInEvent),
            (Event::data("d").event("a\r"), EventError::NewlineInEvent),
            (Event::data("d").id("\nb"), EventError::NewlineInId),
            (Event::data("d").id("a\rb"), EventError::NewlineInId),
            (Event::data("d").id("a\0"), EventError::NulInId),
            (Event::data("d").id("\u{1}"), EventError::ControlInId),
            (Event::data("d").id("a\u{7f}"), EventError::ControlInId),
            (Event::data("d").id("\u{1b}[2J"), EventError::ControlInId),
        ] {
            assert_eq!(event.encode(), Err(expected), "{event:?}");
        }
    }
}
