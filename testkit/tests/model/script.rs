//! What a client means to say, and how it goes over the wire.

use std::time::Duration;

use bakestone_testkit::Wire;

use bakestone::machine::{Machine, Peer};

use crate::seed::Random;

/// The client's method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
}

/// What the handler does with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    /// Reads all, and says it.
    Echo,
    /// Reads all, and says it in pieces, of which it does not tell how many bytes they are.
    Stream,
    /// Sends back what comes, as it comes.
    Back,
    /// Reads nothing.
    Unread,
    /// Reads nothing, and answers a little later.
    Slow,
    /// Reads nothing, and has nothing to say.
    Empty,
    /// Reads nothing, and fails.
    Fail,
}

/// A request's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    None,
    Length(String),
    Chunks(Vec<String>),
}

/// How the client waits for 100 (Continue).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// It does not say that it does.
    No,
    /// It says so, and sends its content at once.
    Hasty,
    /// It sends its content only then.
    Patient,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) handler: Handler,
    pub(crate) content: Content,
    pub(crate) is_10: bool,
    /// `Connection: close`, or `keep-alive`, or nothing.
    pub(crate) keep: Option<bool>,
    pub(crate) expect: Expect,
}

/// What follows the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing more.
    Silence,
    /// It finishes (FIN).
    Finish,
    /// It sends what is no request.
    Garbage(&'static str),
    /// It finishes within the last head, after so many bytes of it, or of all but one.
    CutHead(usize),
    /// It finishes within the last content, after so many bytes of it, or of all but one.
    CutContent(usize),
    /// The last content's first chunk has no size.
    BadChunk,
}

#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) asks: Vec<Ask>,
    pub(crate) ending: Ending,
    /// Where the bytes are cut, and how long the pauses are.
    pub(crate) seed: u64,
}

impl Content {
    /// All of it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Length(text) => text.clone(),
            Self::Chunks(chunks) => chunks.concat(),
        }
    }

    pub(crate) fn is_chunked(&self) -> bool {
        matches!(self, Self::Chunks(_))
    }

    /// Whether its end comes after the head's.
    pub(crate) fn has_bytes(&self) -> bool {
        self.is_chunked() || !self.text().is_empty()
    }

    /// As much of it as is sent with such an ending.
    pub(crate) fn arrived(&self, ending: Ending) -> String {
        match (self, ending) {
            (_, Ending::BadChunk) => String::new(),
            (Self::Length(text), Ending::CutContent(length)) => text[..length.min(text.len() - 1)].to_owned(),
            (Self::Chunks(chunks), Ending::CutContent(length)) => {
                let (mut arrived, mut left) = (String::new(), length);
                for chunk in chunks {
                    left = left.saturating_sub(format!("{:x}\r\n", chunk.len()).len());
                    arrived += &chunk[..left.min(chunk.len())];
                    left = left.saturating_sub(chunk.len() + "\r\n".len());
                }
                arrived
            }
            _ => self.text(),
        }
    }

    fn wire(&self) -> String {
        let chunk = |chunk: &String| format!("{:x}\r\n{chunk}\r\n", chunk.len());
        match self {
            Self::Chunks(chunks) => chunks.iter().map(chunk).collect::<String>() + "0\r\n\r\n",
            content => content.text(),
        }
    }
}

/// What is no request, whatever follows.
const GARBAGE: [&str; 4] = ["\x16\x03\x01", "GET\r\n", " GET / HTTP/1.1\r\n", "GET / HTTP/1.1\n"];

/// Some content, often about as long as what is still read for nobody.
fn text(random: &mut Random) -> String {
    const SIZES: [usize; 9] = [0, 1, 5, 7, 8, 9, 10, 40, 300];
    "content\r\n".repeat(40)[..SIZES[random.below(SIZES.len())]].to_owned()
}

impl Ask {
    fn any(random: &mut Random) -> Self {
        const METHODS: [Method; 4] = [Method::Get, Method::Post, Method::Head, Method::Post];
        // What reads all comes more often, since it keeps the connection.
        const HANDLERS: [Handler; 10] = [
            Handler::Echo,
            Handler::Echo,
            Handler::Stream,
            Handler::Stream,
            Handler::Back,
            Handler::Back,
            Handler::Unread,
            Handler::Slow,
            Handler::Empty,
            Handler::Fail,
        ];
        let is_10 = random.below(6) == 0;
        let method = METHODS[random.below(METHODS.len())];
        let content = match random.below(6) {
            0..3 => Content::Length(text(random)),
            3 | 4 if !is_10 => {
                let mut chunks: Vec<_> = (0..random.below(4)).map(|_| text(random)).collect();
                chunks.retain(|chunk| !chunk.is_empty());
                Content::Chunks(chunks)
            }
            _ => Content::None,
        };
        let handler = HANDLERS[random.below(HANDLERS.len())];
        let may_expect = !is_10 && content.has_bytes();
        let expect = match random.below(6) {
            0 if may_expect => Expect::Hasty,
            1 if may_expect => Expect::Patient,
            _ => Expect::No,
        };
        let keep = match random.below(12) {
            0 => Some(false),
            1 => Some(true),
            // Most clients of HTTP/1.0 that go on say so.
            2..10 if is_10 => Some(true),
            _ => None,
        };
        Self { method, handler, content, is_10, keep, expect }
    }

    fn head(&self) -> String {
        let (method, handler) = (format!("{:?}", self.method).to_uppercase(), self.handler);
        let mut head = format!("{method} /{handler:?} HTTP/1.{}\r\nHost: h\r\n", u8::from(!self.is_10));
        match &self.content {
            Content::None => {}
            Content::Length(text) => head += &format!("Content-Length: {}\r\n", text.len()),
            Content::Chunks(_) => head += "Transfer-Encoding: chunked\r\n",
        }
        if let Some(keep) = self.keep {
            head += if keep { "Connection: keep-alive\r\n" } else { "Connection: close\r\n" };
        }
        if self.expect != Expect::No {
            head += "Expect: 100-continue\r\n";
        }
        head + "\r\n"
    }
}

impl Script {
    pub(crate) fn any(random: &mut Random) -> Self {
        let asks: Vec<Ask> = (0..=random.below(6)).map(|_| Ask::any(random)).collect();
        let content = asks.last().map(|ask| &ask.content);
        let ending = match random.below(12) {
            0..4 => Ending::Silence,
            4 => Ending::Garbage(GARBAGE[random.below(GARBAGE.len())]),
            5 => Ending::CutHead(1 + random.below(60)),
            6..8 if content.is_some_and(Content::is_chunked) => Ending::BadChunk,
            6..11 if content.is_some_and(Content::has_bytes) => Ending::CutContent(random.below(30)),
            _ => Ending::Finish,
        };
        Self { asks, ending, seed: random.next() }
    }

    /// What is sent, in parts; the client waits for 100 (Continue) before each but the first.
    fn parts(&self) -> Vec<String> {
        let mut parts = vec![String::new()];
        for (index, ask) in self.asks.iter().enumerate() {
            let (mut head, mut content) = (ask.head(), ask.content.wire());
            let ending = if index + 1 == self.asks.len() { self.ending } else { Ending::Silence };
            match ending {
                Ending::CutHead(length) => head.truncate(length.min(head.len() - 1)),
                Ending::CutContent(length) => content.truncate(length.min(content.len() - 1)),
                Ending::BadChunk => content.insert_str(0, "zz\r\n"),
                _ => {}
            }
            let last = parts.len() - 1;
            parts[last] += &head;
            match ending {
                Ending::CutHead(_) => {}
                _ if ask.expect == Expect::Patient => parts.push(content),
                _ => parts[last] += &content,
            }
        }
        if let Ending::Garbage(garbage) = self.ending {
            let last = parts.len() - 1;
            parts[last] += garbage;
        }
        parts
    }

    /// Says all to a server, cut at random and with pauses that are shorter than every deadline; what came back.
    pub(crate) fn play<M: Machine>(&self, wire: &mut Wire<M>) -> Vec<u8> {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        const LONGER_THAN_ALL_SLOW_HANDLERS: Duration = Duration::from_millis(300);
        let mut random = Random::new(self.seed);
        let mut received = Vec::new();
        let mut is_told = true;
        for (index, part) in self.parts().iter().enumerate() {
            if index > 0 {
                wire.advance(LONGER_THAN_ALL_SLOW_HANDLERS);
                let answer = wire.take();
                is_told = answer.windows(CONTINUE.len()).any(|window| window == CONTINUE);
                received.extend(answer);
            }
            if !is_told {
                break;
            }
            feed(wire, part.as_bytes(), &mut random);
        }
        if matches!(self.ending, Ending::Finish | Ending::CutHead(_) | Ending::CutContent(_)) {
            wire.finish();
        }
        wire.advance(LONGER_THAN_ALL_SLOW_HANDLERS);
        received.extend(wire.take());
        received
    }
}

fn feed<M: Machine>(wire: &mut Wire<M>, mut bytes: &[u8], random: &mut Random) {
    const PIECES: usize = 30;
    let longest = 1 + random.below(bytes.len()) + bytes.len() / PIECES;
    while !bytes.is_empty() && wire.io().peer == Peer::Open && !wire.is_done() {
        let piece;
        (piece, bytes) = bytes.split_at((1 + longest / 2 + random.below(longest)).min(bytes.len()));
        wire.feed(piece);
        if random.below(3) == 0 {
            wire.advance(Duration::from_millis(random.below(20) as u64));
        }
    }
}
