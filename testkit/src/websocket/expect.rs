//! What a test expects of a WebSocket; whatever fails prints the transcript.

use bakestone::machine::Machine;
use bakestone::ws::{CloseCode, Message};

use super::{Received, WebSocketClient};

/// More characters than this of a message are not shown.
const SHOWN: usize = 200;

/// A message in a line, or its beginning.
pub(super) fn shown(message: &Message) -> String {
    let bytes = message.as_bytes();
    let begin = &bytes[..bytes.len().min(SHOWN)];
    let begin = match message {
        Message::Text(_) => format!("{:?}", String::from_utf8_lossy(begin)),
        Message::Binary(_) => format!("{begin:?}"),
    };
    if bytes.len() > SHOWN { format!("{begin} ... of {} bytes", bytes.len()) } else { begin }
}

impl<M: Machine> WebSocketClient<M> {
    /// The next message, whatever pings and pongs came before it, is this one.
    #[track_caller]
    pub fn expect(&mut self, expected: impl Into<Message>) -> &mut Self {
        let (got, expected) = (self.receive(), expected.into());
        if got.as_ref() != Some(&expected) {
            let got = got.as_ref().map_or_else(|| self.waiting(), shown);
            panic!(
                "expected {}\n-- but got {got}\n-- the transcript\n{}",
                shown(&expected),
                self.wire.transcript()
            );
        }
        self
    }

    /// Nothing waits but pings and pongs.
    #[track_caller]
    pub fn expect_silence(&mut self) -> &mut Self {
        self.skip_pings();
        self.require(self.events.is_empty(), "silence")
    }

    /// The next thing, whatever pings and pongs came before it, is a Close with this code.
    #[track_caller]
    pub fn expect_close(&mut self, code: impl Into<CloseCode>) -> &mut Self {
        self.skip_pings();
        let (code, next) = (code.into(), self.events.front());
        let matches = matches!(next, Some(Received::Close(Some(frame))) if frame.code() == code);
        self.require(matches, &format!("a Close with {code}"));
        self.events.pop_front();
        self
    }

    /// The next thing, whatever pings and pongs came before it, is this.
    #[track_caller]
    pub fn expect_event(&mut self, expected: &Received) -> &mut Self {
        self.read();
        let keeps = matches!(expected, Received::Ping(_) | Received::Pong(_));
        if !keeps {
            self.skip_pings();
        }
        self.require(self.events.front() == Some(expected), &format!("{expected:?}"));
        self.events.pop_front();
        self
    }

    /// Forgets the pings and pongs up to the next event of another kind.
    #[track_caller]
    pub(super) fn skip_pings(&mut self) {
        self.read();
        while let Some(Received::Ping(_) | Received::Pong(_)) = self.events.front() {
            self.events.pop_front();
        }
    }

    /// Whether anything waits but pings and pongs.
    #[track_caller]
    pub(crate) fn has_news(&mut self) -> bool {
        self.skip_pings();
        !self.events.is_empty()
    }

    /// What waits, in a line.
    fn waiting(&self) -> String {
        match self.events.front() {
            None => "nothing".to_owned(),
            Some(Received::Message(message)) => shown(message),
            Some(other) => format!("{other:?}"),
        }
    }

    #[track_caller]
    fn require(&mut self, holds: bool, what: &str) -> &mut Self {
        assert!(
            holds,
            "expected {what}\n-- but got {}\n-- the transcript\n{}",
            self.waiting(),
            self.wire.transcript()
        );
        self
    }
}
