//! All messages that one end of a connection sends.

use bakestone::Limits;
use bytes::Bytes;

use super::chunked::decode;
use super::fields::Field;
use super::request::Request;
use super::response::{Asked, Response};
use super::{Framing, Stop, request, response};

/// A message, or as much of it as there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<H> {
    /// Its head.
    pub head: H,
    /// Its content, decoded.
    pub content: Bytes,
    /// All its trailers, also those that a recipient drops.
    pub trailers: Vec<Field>,
    /// How many bytes it has on the wire, once it is whole; empty lines before it are its.
    pub length: Option<usize>,
}

/// Where the reading of a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The last message is not whole, or the next may come.
    More,
    /// What came is refused.
    Wrong {
        /// What a server answers, and 502 for a client.
        status: u16,
        /// The place in the message, where the reader tells.
        at: Option<usize>,
    },
    /// There was nothing more, where nothing is missing.
    Closed,
    /// The last message was the last: nothing that follows is read.
    Last,
}

/// Reads the requests that a client has sent; with `finished` nothing follows them.
pub fn requests(mut bytes: &[u8], limits: &Limits, finished: bool) -> (Vec<Message<Request>>, End) {
    let mut messages = Vec::new();
    loop {
        let read = request::read(bytes, limits).and_then(|(head, start)| {
            let (framing, persists) = (head.framing, head.persists);
            let end = content(bytes, start, framing, limits, begin(&mut messages, head))?;
            Ok((end, persists))
        });
        match read {
            Ok((end, true)) => bytes = &bytes[end..],
            Ok((_, false)) => return (messages, End::Last),
            Err(Stop::Wrong { status, at }) => return (messages, End::Wrong { status, at }),
            Err(Stop::More) if !finished => return (messages, End::More),
            // Empty lines are no message, so nothing is missing after them.
            Err(Stop::More) if bytes.chunks(2).all(|line| line == b"\r\n") => return (messages, End::Closed),
            Err(Stop::More) => return (messages, End::Wrong { status: 400, at: None }),
        }
    }
}

/// Reads the responses that a server has sent to what was `asked`; with `finished` nothing follows them.
pub fn responses(
    mut bytes: &[u8],
    asked: &[Asked],
    limits: &Limits,
    finished: bool,
) -> (Vec<Message<Response>>, End) {
    let mut messages = Vec::new();
    let mut answered = 0;
    while let Some(asked) = asked.get(answered) {
        let read = response::read(bytes, *asked, limits).and_then(|(head, start)| {
            let (framing, interim, persists) = (head.framing, head.is_interim(), head.persists);
            let message = begin(&mut messages, head);
            let end = match content(bytes, start, framing, limits, message) {
                Err(Stop::More) if finished && framing == Framing::UntilClose => bytes.len(),
                end => end?,
            };
            message.length = Some(end);
            Ok((end, interim, persists))
        });
        match read {
            Ok((_, _, false)) => break,
            Ok((end, interim, true)) => {
                bytes = &bytes[end..];
                answered += usize::from(!interim);
            }
            Err(Stop::More) if !finished => return (messages, End::More),
            Err(Stop::More) => return (messages, End::Wrong { status: 502, at: None }),
            Err(Stop::Wrong { at, .. }) => return (messages, End::Wrong { status: 502, at }),
        }
    }
    (messages, End::Last)
}

fn begin<H>(messages: &mut Vec<Message<H>>, head: H) -> &mut Message<H> {
    let at = messages.len();
    messages.push(Message { head, content: Bytes::new(), trailers: Vec::new(), length: None });
    &mut messages[at]
}

/// Reads the content that begins at `start`, and says where it ends.
fn content<H>(
    bytes: &[u8],
    start: usize,
    framing: Framing,
    limits: &Limits,
    message: &mut Message<H>,
) -> Result<usize, Stop> {
    let rest = &bytes[start..];
    let end = match framing {
        Framing::Length(length) if length <= rest.len() as u64 => {
            message.content = Bytes::copy_from_slice(&rest[..length as usize]);
            start + length as usize
        }
        Framing::Length(_) | Framing::UntilClose => {
            message.content = Bytes::copy_from_slice(rest);
            return Err(Stop::More);
        }
        Framing::Chunked => {
            let (decoded, end) = decode(bytes, start, limits);
            (message.content, message.trailers) = (decoded.data.into(), decoded.trailers);
            end?
        }
    };
    message.length = Some(end);
    Ok(end)
}
