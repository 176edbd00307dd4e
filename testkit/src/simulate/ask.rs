//! A request of a simulated client, and what its answer has to be.
//!
//! The rule: an answer proves which request it belongs to, by the field `x-ask` or by its content.

use std::fmt;

use bakestone::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::seed::Random;

/// The field that names a request; its answer has the same one.
pub const ASK: header::HeaderName = header::HeaderName::from_static("x-ask");

/// The choices of a simulated client: each is the same in every run of the same seed.
#[derive(Debug)]
pub struct Dice<'a>(pub(super) &'a mut Random);

impl Dice<'_> {
    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.number(&(0..end))
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0.next()
    }
}

/// A request, and what is expected of its answer.
///
/// ```
/// use bakestone::StatusCode;
/// use bakestone_testkit::simulate::Ask;
///
/// let ask = Ask::get("/cakes/7").expect(StatusCode::NOT_FOUND);
/// assert_eq!(ask.to_string(), "GET /cakes/7");
/// let ask = Ask::post("/echo").chunked(7, 100_000).expect_pattern(7, 100_000);
/// assert_eq!(ask.to_string(), "POST /echo with 100000 bytes in chunks");
/// ```
#[derive(Clone, Debug)]
pub struct Ask {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
    pub(super) status: StatusCode,
    pub(super) expected: Expected,
    pub(super) closes: bool,
    pub(super) breaks: bool,
}

/// The content of a request: a [pattern](super::pattern).
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) key: u64,
    pub(super) length: u64,
    pub(super) framing: Framing,
}

/// How the content of a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length,
    Chunks,
    /// After the answer has switched protocols.
    Tunnel,
    /// The same, as so many messages of a WebSocket.
    #[cfg(feature = "websocket")]
    Socket,
}

/// The content of an answer.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    Anything,
    Text(String),
    Pattern { key: u64, length: u64 },
}

impl Ask {
    /// A request without content, whose answer is 200 with any content.
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            headers: HeaderMap::new(),
            content: Content { key: 0, length: 0, framing: Framing::Length },
            status: StatusCode::OK,
            expected: Expected::Anything,
            closes: false,
            breaks: false,
        }
    }

    /// As [`new`](Self::new), with GET.
    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// As [`new`](Self::new), with POST.
    pub fn post(target: impl Into<String>) -> Self {
        Self::new(Method::POST, target)
    }

    /// With this field.
    #[must_use]
    pub fn field(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// With `length` bytes of the [pattern](super::pattern) of `key`, whose length is declared.
    #[must_use]
    pub fn content(mut self, key: u64, length: u64) -> Self {
        self.content = Content { key, length, framing: Framing::Length };
        self
    }

    /// As [`content`](Self::content), in chunks.
    #[must_use]
    pub fn chunked(mut self, key: u64, length: u64) -> Self {
        self.content = Content { key, length, framing: Framing::Chunks };
        self
    }

    /// Asks for `protocol`, sends `length` bytes of the [pattern](super::pattern) of `key` once it has it, and then a
    /// FIN. The answer is 101 and whatever is expected of the bytes after it.
    #[must_use]
    pub fn tunnel(mut self, protocol: HeaderValue, key: u64, length: u64) -> Self {
        self.content = Content { key, length, framing: Framing::Tunnel };
        self.field(header::UPGRADE, protocol).expect(StatusCode::SWITCHING_PROTOCOLS)
    }

    /// Asks for a WebSocket that echoes, and says `messages` messages of all kinds and sizes there, with pings between
    /// them: the answer is 101, each message once and in order, and a Close for a Close. What is said, how much of it
    /// is compressed, and how the client leaves, follows from `key`: it closes, or breaks off in one of several ways.
    ///
    /// ```
    /// use bakestone::{App, HeaderMap, Request, Result, get};
    /// use bakestone_testkit::simulate::{ASK, Ask, Simulation};
    ///
    /// async fn echo(request: Request) -> Result<()> {
    ///     let named = request.headers().get(ASK).map(|name| (ASK, name.clone()));
    ///     let mut socket = request.websocket()?.accept_with(None, HeaderMap::from_iter(named)).await?;
    ///     while let Some(message) = socket.receive().await? {
    ///         socket.send(message).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let echoes = Simulation::new(7)
    ///     .app(|| App::new().route("/echo", get(echo)))
    ///     .asks(|dice| Ask::get("/echo").talk(dice.any(), dice.below(10)))
    ///     .clients(20);
    /// assert!(echoes.run()?.heard > 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "websocket")]
    #[must_use]
    pub fn talk(mut self, key: u64, messages: u64) -> Self {
        self.content = Content { key, length: messages, framing: Framing::Socket };
        self.expect(StatusCode::SWITCHING_PROTOCOLS).may_close()
    }

    /// The answer has this status.
    #[must_use]
    pub fn expect(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The answer's content is this text.
    #[must_use]
    pub fn expect_text(mut self, text: impl Into<String>) -> Self {
        self.expected = Expected::Text(text.into());
        self
    }

    /// The answer's content is `length` bytes of the [pattern](super::pattern) of `key`.
    #[must_use]
    pub fn expect_pattern(mut self, key: u64, length: u64) -> Self {
        self.expected = Expected::Pattern { key, length };
        self
    }

    /// The answer breaks off: its end must not look like that of a message.
    #[must_use]
    pub fn expect_break(mut self) -> Self {
        self.breaks = true;
        self.may_close()
    }

    /// The server may close the connection after the answer, for reasons of its own: an upload that it did not read.
    #[must_use]
    pub fn may_close(mut self) -> Self {
        self.closes = true;
        self
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)?;
        match self.content {
            Content { length, framing: Framing::Chunks, .. } => write!(f, " with {length} bytes in chunks"),
            Content { length, framing: Framing::Tunnel, .. } => write!(f, " and {length} bytes behind it"),
            #[cfg(feature = "websocket")]
            Content { length, framing: Framing::Socket, .. } => {
                write!(f, " and {length} messages of a WebSocket")
            }
            Content { length: 0, .. } => Ok(()),
            Content { length, .. } => write!(f, " with {length} bytes"),
        }
    }
}

impl Expected {
    /// What is wrong with `bytes`, which stand at `place` of the answer's content.
    pub(super) fn differs(&self, place: u64, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Anything => None,
            Self::Text(text) => {
                let text = text.as_bytes().get(place as usize..).unwrap_or_default();
                let is_right = text.starts_with(bytes);
                (!is_right).then(|| format!("its content differs behind byte {place}"))
            }
            Self::Pattern { key, length } => match super::pattern::mismatch(*key, place, bytes) {
                Some(at) => Some(format!("its content differs at byte {at}")),
                None if place + bytes.len() as u64 > *length => {
                    Some(format!("its content is longer than {length} bytes"))
                }
                None => None,
            },
        }
    }

    /// What is wrong with content of this length.
    pub(super) fn falls_short(&self, length: u64) -> Option<String> {
        let expected = match self {
            Self::Anything => return None,
            Self::Text(text) => text.len() as u64,
            Self::Pattern { length, .. } => *length,
        };
        (length != expected).then(|| format!("its content has {length} bytes in place of {expected}"))
    }
}
