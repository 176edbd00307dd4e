//! The server behind the cases.
//!
//! The rule: it says what it has understood, so that a request which was framed wrongly is seen in an answer.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bakestone::error::BoxError;
use bakestone::message::{BodyStream, Sent};
use bakestone::{
    App, Body, Bytes, HeaderMap, HeaderValue, Limits, Path, Request, Response, Result, StatusCode, Text, get,
    header, post,
};

/// Content that is longer is said by its beginning.
const SHOWN: usize = 60;

/// The application that every case talks to; `testkit/cases/README.md` lists its paths.
pub fn app() -> App {
    App::new()
        .route("/{rest:path}", get(understood).post(understood).put(understood).delete(understood))
        .route("/fields", get(fields))
        .route("/unread", get(unread).post(unread))
        .route("/early", post(early))
        .route("/written", post(written))
        .route("/back", post(back))
        .route("/status/{code}", get(status))
        .route("/split", get(split))
        .route("/close", get(close))
        .route("/stream", get(|| Response::new(Stream::body(None, &["one", "", "two"]))))
        .route("/short", get(|| Response::new(Stream::body(Some(10), &["four"]))))
        .route("/long", get(|| Response::new(Stream::body(Some(3), &["four"]))))
        .route("/trailers", get(|| Response::new(Stream::body(None, &["sum"]))))
        .route("/upgrade", get(upgrade).post(upgrade_later))
}

/// Its limits: the default ones, but for two that would take megabytes to reach.
pub fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.buffered_body_bytes = 4096;
    limits.drained_body_bytes = 1024;
    limits
}

/// Printable ASCII as it is, all else as `%XX`.
fn readable(bytes: &[u8]) -> String {
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(shown).collect()
}

/// Says the method, the target, the content and the trailers.
async fn understood(mut request: Request) -> Result<Text<String>> {
    let content = request.bytes().await?;
    let trailers = request.body().trailers().unwrap_or_default();
    let mut text = format!("{} {} and ", request.method(), request.uri());
    text += &match &content[..] {
        [] => "no content".to_owned(),
        [byte] => format!("1 byte: {}", readable(&[*byte])),
        bytes if bytes.len() > SHOWN => format!("{} bytes: {}...", bytes.len(), readable(&bytes[..SHOWN])),
        bytes => format!("{} bytes: {}", bytes.len(), readable(bytes)),
    };
    for (name, value) in &trailers {
        text += &format!(", then {name}: {}", readable(value.as_bytes()));
    }
    Ok(Text(text))
}

/// Says the fields.
async fn fields(request: Request) -> Text<String> {
    let field = |(name, value): (&header::HeaderName, &HeaderValue)| {
        format!("{name}: {}", readable(value.as_bytes()))
    };
    Text(request.headers().iter().map(field).collect::<Vec<_>>().join("; "))
}

/// Answers without a look at the content.
async fn unread(request: Request) -> Text<String> {
    Text(format!("{} unread", request.uri()))
}

/// Writes its whole answer, and then reads.
async fn early(mut request: Request) -> Result<Sent> {
    let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
    response.write("early").await?;
    let sent = response.finish().await?;
    while request.chunk().await?.is_some() {}
    Ok(sent)
}

/// Writes its whole answer by itself, and never reads.
async fn written(request: Request) -> Result<Sent> {
    let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
    response.write("written").await?;
    Ok(response.finish().await?)
}

/// Sends the content back, as it comes.
async fn back(request: Request) -> Response {
    Response::new(request.into_body())
}

/// Answers with the status that the path names, and with content, whether that goes with it or not.
async fn status(Path(code): Path<String>) -> Result<Response> {
    let status = StatusCode::from_bytes(code.as_bytes())?;
    Ok(Response::text(status, "some content"))
}

/// Puts the query, decoded, into a field, as one does who trusts it.
async fn split(request: Request) -> Result<Response> {
    let query = request.raw_query().unwrap_or_default().as_bytes();
    let mut value = Vec::new();
    let mut rest = query;
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
                value.push(digit(high) << 4 | digit(low));
                tail
            }
            _ => {
                value.push(*byte);
                tail
            }
        };
    }
    let value = HeaderValue::from_bytes(&value)?;
    Ok(Response::text(StatusCode::OK, "whole").with_header(header::LOCATION, value))
}

/// Wants to close.
async fn close() -> Response {
    Response::text(StatusCode::OK, "bye").with_header(header::CONNECTION, HeaderValue::from_static("close"))
}

/// Switches to a protocol that says everything back in capitals.
async fn upgrade(request: Request) -> Result<Sent> {
    shout(request, Bytes::new()).await
}

/// Reads the content, switches then, and begins with what it has read.
async fn upgrade_later(mut request: Request) -> Result<Sent> {
    let content = request.bytes().await?;
    shout(request, content).await
}

async fn shout(mut request: Request, first: Bytes) -> Result<Sent> {
    let mut headers = HeaderMap::new();
    headers.insert(header::UPGRADE, HeaderValue::from_static("shout"));
    let mut tunnel = request.respond(StatusCode::SWITCHING_PROTOCOLS, headers)?;
    tunnel.write(first.to_ascii_uppercase()).await?;
    while let Some(data) = request.chunk().await? {
        tunnel.write(data.to_ascii_uppercase()).await?;
    }
    Ok(tunnel.finish().await?)
}

/// Content in pieces, with a trailer field after it.
struct Stream {
    length: Option<u64>,
    pieces: VecDeque<&'static str>,
}

impl Stream {
    fn body(length: Option<u64>, pieces: &[&'static str]) -> Body {
        Body::from_stream(Self { length, pieces: pieces.iter().copied().collect() })
    }
}

impl BodyStream for Stream {
    fn poll_chunk(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))))
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    fn trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        Some(HeaderMap::from_iter([(
            header::HeaderName::from_static("x-sum"),
            HeaderValue::from_static("7"),
        )]))
    }
}
