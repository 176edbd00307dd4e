//! A WebSocket from its other end: a client without a socket, in a test's own time.
//!
//! The rule: it speaks by the codec's client role, so that what it hears is held to the protocol, and by
//! [frames](Frame) where a test wants to break it. It never waits: what has not come when all has come to rest, does
//! not come.
//!
//! As browsers do, it answers a ping with a pong and a Close with a Close, by itself and at once, unless it is told
//! [not to](WebSocketClient::answer).
//!
//! ```
//! use bakestone::message::WebSocketUpgrade;
//! use bakestone::{App, Result, get};
//! use bakestone_testkit::WebSocketClient;
//! use std::time::Duration;
//!
//! async fn echo(upgrade: WebSocketUpgrade) -> Result<()> {
//!     let mut socket = upgrade.accept().await?;
//!     while let Some(message) = socket.receive().await? {
//!         socket.send(message).await?;
//!     }
//!     Ok(())
//! }
//!
//! let mut client = WebSocketClient::connect(App::new().route("/echo", get(echo)), "/echo").unwrap();
//! client.send("bara brith").expect("bara brith").expect_silence();
//! // Pings come and go, and an hour takes no time.
//! client.advance(Duration::from_secs(3600)).send(vec![1, 2, 3]).expect(vec![1, 2, 3]);
//! client.close(1000, "thank you").expect_close(1000);
//! ```

mod expect;
mod frame;
mod handshake;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bakestone::machine::{Machine, Output, Peer};
use bakestone::ws::{CloseCode, CloseFrame, Conn, Event, Message, MessageKind};
use bakestone::{Bytes, HeaderMap};
use bytes::{Buf, BytesMut};

pub use frame::Frame;
pub use handshake::{Connected, Denied, IntoMachine, WebSocketRequest};

use crate::wire::Wire;

/// A client at the other end of a [`Wire`].
///
/// [The module](self) shows one. Whatever fails panics, and prints the transcript.
pub struct WebSocketClient<M> {
    wire: Wire<M>,
    conn: Conn,
    headers: HeaderMap,
    protocol: Option<String>,
    input: BytesMut,
    /// What came, as frames are read from it.
    raw: BytesMut,
    frames: VecDeque<Frame>,
    events: VecDeque<Received>,
    close: Option<Option<CloseFrame>>,
    /// The end of the connection was seen.
    ended: bool,
    answers: bool,
    holds_output: bool,
}

/// Something that a client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// A whole message.
    Message(Message),
    /// A ping.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// A Close; the first one is all that comes.
    Close(Option<CloseFrame>),
    /// The server has closed its direction of the connection, with a FIN, or all of it.
    Finished,
    /// The server has reset the connection.
    Reset,
}

impl<M: Machine> WebSocketClient<M> {
    /// Connects to `server`, be it an [`App`](bakestone::App), a service, a function or a
    /// [`Session`](bakestone::Session), at `path`. A [`WebSocketRequest`] asks for more.
    ///
    /// # Errors
    ///
    /// The response, if the server does not switch protocols.
    ///
    /// # Panics
    ///
    /// If the application cannot be built, or there is no answer yet.
    #[track_caller]
    pub fn connect<K>(
        server: impl IntoMachine<K, Machine = M>,
        path: impl Into<String>,
    ) -> Result<Self, Box<Denied<M>>> {
        WebSocketRequest::new(path).connect(server)
    }

    #[track_caller]
    fn new(wire: Wire<M>, conn: Conn, headers: HeaderMap, protocol: Option<String>, rest: &[u8]) -> Self {
        let mut client = Self {
            wire,
            conn,
            headers,
            protocol,
            input: BytesMut::new(),
            raw: BytesMut::new(),
            frames: VecDeque::new(),
            events: VecDeque::new(),
            close: None,
            ended: false,
            answers: true,
            holds_output: false,
        };
        client.take_in(rest);
        client.read();
        client
    }

    /// The subprotocol that the server has chosen.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// The extensions that are agreed on, as the server's response has them; empty if there are none.
    pub fn extensions(&self) -> &str {
        let value = self.headers.get("sec-websocket-extensions").and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// The fields of the response that switched protocols.
    pub fn response_headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether it answers pings and Closes by itself, which it does until it is told otherwise.
    pub fn answer(&mut self, answers: bool) -> &mut Self {
        self.answers = answers;
        self
    }

    /// Sends a message in one frame; compressed, if that was agreed on and it is long enough.
    ///
    /// # Panics
    ///
    /// If this end has closed, or is gone.
    #[track_caller]
    pub fn send(&mut self, message: impl Into<Message>) -> &mut Self {
        let message = message.into();
        self.say(|conn, output| conn.send(&message, output))
    }

    /// Sends `value` as JSON, in a message of text.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send); and if JSON cannot hold the value.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn send_json<T: serde_core::Serialize + ?Sized>(&mut self, value: &T) -> &mut Self {
        let text = serde_json::to_string(value).expect("a value that JSON can hold");
        self.send(text)
    }

    /// Sends a message in as many frames as there are parts of it, uncompressed; the first one says of what kind it is.
    /// Of no parts, nothing is sent.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_fragments(&mut self, parts: impl IntoIterator<Item = impl Into<Message>>) -> &mut Self {
        let parts: Vec<Message> = parts.into_iter().map(Into::into).collect();
        let mut begins = parts.first().map(Message::kind);
        let last = parts.len().saturating_sub(1);
        for (i, part) in parts.into_iter().enumerate() {
            let begins: Option<MessageKind> = begins.take();
            self.say(|conn, output| conn.send_fragment(begins, i == last, part.into_bytes(), output));
        }
        self
    }

    /// Sends bytes as they are, and knows nothing of what they mean.
    ///
    /// # Panics
    ///
    /// If this end is gone.
    #[track_caller]
    pub fn send_raw(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.feed(bytes.as_ref());
        self.read()
    }

    /// Sends a ping with at most 125 bytes.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn ping(&mut self, payload: impl AsRef<[u8]>) -> &mut Self {
        self.say(|conn, output| conn.send_ping(payload.as_ref(), output))
    }

    /// Sends a pong with at most 125 bytes, asked for or not.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn pong(&mut self, payload: impl AsRef<[u8]>) -> &mut Self {
        self.say(|conn, output| conn.send_pong(payload.as_ref(), output))
    }

    /// Closes with a code that may be sent, and a reason of at most 123 bytes.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send); and for another code, or a longer reason.
    #[track_caller]
    pub fn close(&mut self, code: impl Into<CloseCode>, reason: &str) -> &mut Self {
        let frame = CloseFrame::with_reason(code.into(), reason).expect("a Close that may be sent");
        self.say(|conn, output| conn.send_close(Some(&frame), output))
    }

    /// Closes without a code.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn close_without_code(&mut self) -> &mut Self {
        self.say(|conn, output| conn.send_close(None, output))
    }

    /// The next message that has come, whatever pings and pongs came before it; `None` if none waits, or the server
    /// closed first.
    #[track_caller]
    pub fn receive(&mut self) -> Option<Message> {
        self.skip_pings();
        match self.events.pop_front()? {
            Received::Message(message) => Some(message),
            other => {
                self.events.push_front(other);
                None
            }
        }
    }

    /// The next message as JSON; `None` if none waits.
    ///
    /// # Panics
    ///
    /// If it is no JSON, or not what a `T` is made of.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn receive_json<T: serde_core::de::DeserializeOwned>(&mut self) -> Option<T> {
        let message = self.receive()?;
        match serde_json::from_slice(message.as_bytes()) {
            Ok(value) => Some(value),
            Err(error) => panic!("{error} in {}\n{}", expect::shown(&message), self.wire.transcript()),
        }
    }

    /// The next thing that has come, whatever it is; `None` if nothing waits.
    #[track_caller]
    pub fn next_event(&mut self) -> Option<Received> {
        self.read();
        self.events.pop_front()
    }

    /// The next frame that has come, as it was sent; `None` if none waits. All that comes is there both as frames and
    /// as events.
    #[track_caller]
    pub fn next_frame(&mut self) -> Option<Frame> {
        self.read();
        self.frames.pop_front()
    }

    /// What the server has closed with; `None` if it has not, or without a code.
    pub fn close_frame(&self) -> Option<&CloseFrame> {
        self.close.as_ref()?.as_ref()
    }

    /// Whether a Close of the server's has come.
    pub fn is_closed(&self) -> bool {
        self.close.is_some()
    }

    /// Lets the clock go on by `time`, with a stop at each deadline on the way, where pings are answered.
    #[track_caller]
    pub fn advance(&mut self, time: Duration) -> &mut Self {
        let target = self.wire.now().mono + time;
        while let Some(at) = self.wire.next_deadline().filter(|at| *at <= target) {
            self.wire.advance(at.since(self.wire.now().mono));
            self.read();
        }
        self.wire.advance(target.since(self.wire.now().mono));
        self.read()
    }

    /// The server begins to stop.
    #[track_caller]
    pub fn drain(&mut self) -> &mut Self {
        self.wire.drain();
        self.read()
    }

    /// This end finishes sending (FIN), closed or not.
    #[track_caller]
    pub fn finish(&mut self) -> &mut Self {
        self.wire.finish();
        self.read()
    }

    /// This end is gone: the connection was reset.
    #[track_caller]
    pub fn disconnect(&mut self) -> &mut Self {
        self.wire.reset();
        self
    }

    /// Whether this end reads nothing until it is told [how much](Self::read_at_most): a slow reader. It answers no
    /// ping that it has not read.
    #[track_caller]
    pub fn hold_output(&mut self, hold: bool) -> &mut Self {
        self.holds_output = hold;
        self.wire.hold_output(hold);
        self.read()
    }

    /// Reads at most `count` bytes, held or not; how many there were.
    #[track_caller]
    pub fn read_at_most(&mut self, count: usize) -> usize {
        let bytes = self.wire.take_at_most(count);
        self.take_in(&bytes);
        self.note_end();
        bytes.len()
    }

    /// Lets the server run, after something happened elsewhere: in another connection, or in a lifecycle.
    #[track_caller]
    pub fn settle(&mut self) -> &mut Self {
        self.wire.settle();
        self.read()
    }

    /// The connection below.
    pub fn wire(&self) -> &Wire<M> {
        &self.wire
    }

    /// The connection below, to do with as a test likes. What is taken from there this client has not seen.
    pub fn wire_mut(&mut self) -> &mut Wire<M> {
        &mut self.wire
    }

    /// The connection below, with nothing more read from it.
    pub fn into_wire(self) -> Wire<M> {
        self.wire
    }

    /// Sends what the codec makes.
    #[track_caller]
    fn say<E: fmt::Display>(
        &mut self,
        say: impl FnOnce(&mut Conn, &mut Output) -> Result<(), E>,
    ) -> &mut Self {
        let mut output = Output::default();
        if let Err(misuse) = say(&mut self.conn, &mut output) {
            panic!("{misuse}\n{}", self.wire.transcript());
        }
        self.feed(&output.copy_to_bytes(output.remaining()));
        self.read()
    }

    #[track_caller]
    fn feed(&mut self, bytes: &[u8]) {
        self.wire.feed(bytes);
    }

    /// Reads all that there is, unless it is held.
    #[track_caller]
    fn read(&mut self) -> &mut Self {
        while !self.holds_output {
            let bytes = self.wire.take();
            if bytes.is_empty() {
                break;
            }
            self.take_in(&bytes);
        }
        self.note_end();
        self
    }

    #[track_caller]
    fn take_in(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        while let Some(frame) = Frame::take(&mut self.raw) {
            self.frames.push_back(frame);
        }
        self.input.extend_from_slice(bytes);
        let mut answers = Output::default();
        while self.take_event(&mut answers) {}
        let answers = answers.copy_to_bytes(answers.remaining());
        if !answers.is_empty() && self.wire.io().peer == Peer::Open {
            self.feed(&answers);
        }
    }

    /// Takes an event from the input; whether there was one.
    #[track_caller]
    fn take_event(&mut self, answers: &mut Output) -> bool {
        let event = match self.conn.next(&mut self.input) {
            Ok(Event::NeedInput) => return false,
            Ok(Event::Closed) => {
                let ended = self.input.is_empty();
                assert!(ended, "the server has sent more after its Close\n{}", self.wire.transcript());
                return false;
            }
            Ok(Event::Message(message)) => Received::Message(message),
            Ok(Event::Ping(payload)) => {
                _ = self.answers && self.conn.answer_ping(answers);
                Received::Ping(payload)
            }
            Ok(Event::Pong(payload)) => Received::Pong(payload),
            Ok(Event::Close(frame)) => {
                if self.answers && !self.conn.has_sent_close() {
                    let echo = frame.as_ref().map(|frame| CloseFrame::new(frame.code()));
                    let _ = self.conn.send_close(echo.as_ref(), answers);
                }
                self.close = Some(frame.clone());
                Received::Close(frame)
            }
            Ok(event) => panic!("an event that is not known here: {event:?}"),
            Err(error) => panic!("the server broke the protocol: {error}\n{}", self.wire.transcript()),
        };
        self.events.push_back(event);
        true
    }

    /// The end comes behind all that was said.
    fn note_end(&mut self) {
        let fate = self.wire.fate();
        let end = match fate.reset_sent {
            true => Received::Reset,
            false if fate.fin_sent || self.wire.is_done() => Received::Finished,
            false => return,
        };
        if !std::mem::replace(&mut self.ended, true) {
            self.events.push_back(end);
        }
    }
}

impl<M> fmt::Debug for WebSocketClient<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketClient")
            .field("protocol", &self.protocol)
            .field("events", &self.events.len())
            .field("close", &self.close)
            .finish_non_exhaustive()
    }
}
