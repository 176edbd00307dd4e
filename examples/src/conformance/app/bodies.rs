//! The rows about bodies: read, echoed, streamed and written.
//!
//! The rule: what a client can make the server hold is bounded by a number that stands here; what is longer goes
//! out in pieces, as fast as the client takes them.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use bakestone::error::BoxError;
use bakestone::header::CONTENT_TYPE;
use bakestone::message::{BodyStream, Sent, Sleep};
use bakestone::{
    Body, Bytes, Context, HeaderMap, HeaderValue, Json, Request, Response, Result, StatusCode, Text, Uri,
};

use super::MOST_MS;
use super::query::number;

/// The piece of which `/big` is made.
static PIECE: [u8; 64 << 10] = [b'x'; 64 << 10];

/// What `/big` gives at most: 64 GiB.
const MOST_BYTES: u64 = 64 << 30;
/// How many chunks a client may ask for.
const MOST_CHUNKS: u64 = 1_000_000;
/// The largest chunk of `/stream`, which one response holds once.
const MOST_CHUNK_BYTES: usize = 1 << 20;
/// What `/limit` reads at most.
const LIMIT: usize = 1_000;

/// The content type is the client's word, so it comes back with the body; one without any has none.
pub(super) fn echo(request: Request) -> Response {
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let response = Response::new(request.into_body());
    match content_type {
        Some(content_type) => response.with_header(CONTENT_TYPE, content_type),
        None => response,
    }
}

pub(super) async fn body(mut request: Request) -> Result<Text<String>> {
    Ok(Text(request.bytes().await?.len().to_string()))
}

pub(super) async fn limit(mut request: Request) -> Result<Text<String>> {
    Ok(Text(request.bytes_within(LIMIT).await?.len().to_string()))
}

pub(super) fn noread() -> Text<&'static str> {
    Text("noread")
}

pub(super) fn json_echo(Json(value): Json<serde_json::Value>) -> Json<serde_json::Value> {
    Json(value)
}

pub(super) fn big(uri: Uri) -> Result<Text<Body>> {
    let left = number(&uri, "size", 5_000_000, MOST_BYTES)?;
    Ok(Text(Body::from_stream(Big { left })))
}

/// So many bytes, of which none is held for the response alone.
struct Big {
    left: u64,
}

impl BodyStream for Big {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        let size = PIECE.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= size as u64;
        Poll::Ready((size > 0).then(|| Ok(Bytes::from_static(&PIECE[..size]))))
    }

    fn length(&self) -> Option<u64> {
        Some(self.left)
    }
}

pub(super) fn stream(context: Context, uri: Uri) -> Result<Text<Body>> {
    let mut left = number(&uri, "chunks", 10, MOST_CHUNKS)?;
    let chunk = Bytes::from(vec![b'x'; number(&uri, "size", 10, MOST_CHUNK_BYTES)?]);
    let pause = Duration::from_millis(number(&uri, "ms", 0, MOST_MS)?);
    let mut pausing: Option<Sleep> = None;
    Ok(Text(Body::from_fn(move |cx| {
        if let Some(sleep) = &mut pausing {
            ready!(Pin::new(sleep).poll(cx));
            pausing = None;
        }
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        if left > 0 && !pause.is_zero() {
            pausing = Some(context.sleep(pause));
        }
        Poll::Ready(Some(Ok(chunk.clone())))
    })))
}

pub(super) async fn writer(request: Request) -> Result<Sent> {
    let chunks = number(request.uri(), "chunks", 10, MOST_CHUNKS)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let mut response = request.respond(StatusCode::OK, headers)?;
    for place in 1..=chunks {
        response.write(format!("chunk {place}\n")).await?;
    }
    Ok(response.finish().await?)
}

/// A body that fails after two chunks.
pub(super) fn late(context: Context) -> Body {
    /// A reset overtakes what is still to be written, so that goes out first.
    const HEAD_START: Duration = Duration::from_millis(20);
    let mut chunks = [Bytes::from_static(b"one\n"), Bytes::from_static(b"two\n")].into_iter();
    let mut waiting: Option<Sleep> = None;
    Body::from_fn(move |cx| {
        if let Some(chunk) = chunks.next() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        ready!(Pin::new(waiting.get_or_insert_with(|| context.sleep(HEAD_START))).poll(cx));
        Poll::Ready(Some(Err("the third chunk was never to be".into())))
    })
}
