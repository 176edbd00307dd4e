//! The bytes of a file, or of parts of it, as a body.
//!
//! The rule: what was announced is sent or the message is cut off, whatever becomes of the file meanwhile: one that grew
//! ends where it ended, one that shrank is an error. One operation is in flight, at most one chunk is held, and to drop
//! the body closes the file.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::effect::FILE_CHUNK;
use crate::error::BoxError;
use crate::message::{Body, BodyStream, File};

/// Where a body's bytes are.
pub(super) enum Content {
    Bytes(Bytes),
    File(File),
}

/// A piece of a body.
pub(super) enum Piece {
    Text(Bytes),
    /// A part of the content.
    Part(Range<u64>),
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Part(part) => part.end.saturating_sub(part.start),
        }
    }
}

/// The body of `pieces`, which lie within the content.
pub(super) fn body(content: Content, pieces: Vec<Piece>) -> Body {
    match (content, &pieces[..]) {
        (Content::Bytes(bytes), [Piece::Part(part)]) => Body::from(slice(&bytes, part)),
        (content, _) => {
            let length = pieces.iter().map(Piece::length).fold(0, u64::saturating_add);
            let pieces = pieces.into_iter().filter(|piece| piece.length() > 0).collect();
            Body::from_stream(FileBody { content, pieces, length, is_settled: false })
        }
    }
}

fn slice(bytes: &Bytes, part: &Range<u64>) -> Bytes {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(place(part.start)..place(part.end))
}

struct FileBody {
    content: Content,
    /// What is still to be sent. None is empty.
    pieces: VecDeque<Piece>,
    length: u64,
    /// Whether what the file was asked for before is over.
    is_settled: bool,
}

impl FileBody {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let Self { content, pieces, is_settled, .. } = self;
        let Some(piece) = pieces.front_mut() else { return Poll::Ready(None) };
        let part = match piece {
            Piece::Part(part) => part,
            Piece::Text(text) => {
                let text = std::mem::take(text);
                pieces.pop_front();
                return Poll::Ready(Some(Ok(text)));
            }
        };
        let data = match content {
            Content::Bytes(bytes) => slice(bytes, part),
            Content::File(file) => {
                if !*is_settled {
                    // Whatever it was, it has no say in this.
                    let _ = ready!(file.poll_settle(cx));
                    *is_settled = true;
                }
                match ready!(poll_read(file, part, cx)) {
                    Ok(data) => data,
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
        };
        part.start += data.len() as u64;
        if part.is_empty() {
            pieces.pop_front();
        }
        self.read_ahead();
        Poll::Ready(Some(Ok(data)))
    }

    /// The driver reads while the peer does.
    fn read_ahead(&mut self) {
        let next = self.pieces.iter().find_map(|piece| match piece {
            Piece::Part(part) => Some(part),
            Piece::Text(_) => None,
        });
        if let (Content::File(file), Some(part)) = (&mut self.content, next) {
            file.read_ahead(part.start, most(part));
        }
    }
}

/// The next bytes of a part, which is not empty: no more than it has, whatever the driver gives.
fn poll_read(file: &mut File, part: &Range<u64>, cx: &mut Context<'_>) -> Poll<Result<Bytes, BoxError>> {
    let most = most(part);
    file.read_ahead(part.start, most);
    let mut data = ready!(file.poll_read(most, cx))?;
    data.truncate(most);
    Poll::Ready(if data.is_empty() { Err(Shrunk.into()) } else { Ok(data) })
}

/// How many bytes of a part are read at once.
fn most(part: &Range<u64>) -> usize {
    usize::try_from(part.end - part.start).map_or(FILE_CHUNK, |left| left.min(FILE_CHUNK))
}

impl BodyStream for FileBody {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        self.poll_next(cx)
    }

    fn length(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// The file has fewer bytes than when its length was announced.
#[derive(Debug)]
struct Shrunk;

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file became shorter while it was sent")
    }
}

impl std::error::Error for Shrunk {}
