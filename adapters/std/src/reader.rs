//! What blocks while it reads, as a body.
//!
//! The rule: it is read where blocking harms nobody, one chunk at a time and only when the client has room for it; a body
//! that is dropped lets the read that runs come to its end, and then drops the reader.

use std::io::{ErrorKind, Read, Result};
use std::pin::Pin;
use std::task::{self, Poll, ready};

use bakestone::effect::BlockingError;
use bakestone::error::BoxError;
use bakestone::message::BodyStream;
use bakestone::{Body, Context};
use bytes::Bytes;

/// The most that is read at once, in bytes, unless the caller says otherwise.
const CHUNK: usize = 64 << 10;

/// The body that `reader` gives, to its end: of a process, a decoder, an archive. It is read in the driver's pool of
/// what blocks, so on every adapter alike; an error of the reader's cuts the message off.
///
/// A read that never ends keeps a worker of that pool, also when the client has gone; with all of them kept, files and other
/// blocking work wait. A source that may be quiet for long is better read by an asynchronous reader.
///
/// ```
/// use bakestone_std::bakestone::{Context, Response};
/// use std::process::{Command, Stdio};
///
/// async fn uptime(context: Context) -> std::io::Result<Response> {
///     let mut child = Command::new("uptime").stdout(Stdio::piped()).spawn()?;
///     let output = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
///     Ok(Response::new(bakestone_std::body_from_reader(&context, output)))
/// }
/// ```
pub fn body_from_reader(context: &Context, reader: impl Read + Send + 'static) -> Body {
    body_from_reader_with(context, reader, CHUNK)
}

/// The most that is read at once.
const MOST_CHUNK_BYTES: usize = 16 << 20;

/// As [`body_from_reader`], with at most `chunk_bytes` read at once: one at least, 16 MiB at most.
pub fn body_from_reader_with(
    context: &Context,
    reader: impl Read + Send + 'static,
    chunk_bytes: usize,
) -> Body {
    let reading = read(context.clone(), reader, chunk_bytes.clamp(1, MOST_CHUNK_BYTES));
    Body::from_stream(ReaderBody {
        context: context.clone(),
        chunk_bytes: chunk_bytes.clamp(1, MOST_CHUNK_BYTES),
        reading,
    })
}

struct ReaderBody<R> {
    context: Context,
    chunk_bytes: usize,
    /// Not begun before it is polled.
    reading: Reading<R>,
}

/// A read in the pool, which takes the reader with it and gives it back.
type Reading<R> =
    Pin<Box<dyn Future<Output = std::result::Result<(R, Result<Bytes>), BlockingError>> + Send>>;

fn read<R: Read + Send + 'static>(context: Context, mut reader: R, chunk_bytes: usize) -> Reading<R> {
    Box::pin(async move {
        let work = move || {
            let chunk = read_chunk(&mut reader, chunk_bytes);
            (reader, chunk)
        };
        context.blocking(work).await
    })
}

/// What the next read gives; empty at the end.
fn read_chunk(reader: &mut impl Read, chunk_bytes: usize) -> Result<Bytes> {
    let mut chunk = vec![0; chunk_bytes];
    let count = loop {
        match reader.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if count < chunk_bytes / 2 {
        // A little is not to keep the whole buffer.
        return Ok(Bytes::copy_from_slice(&chunk[..count]));
    }
    chunk.truncate(count);
    Ok(chunk.into())
}

impl<R: Read + Send + 'static> BodyStream for ReaderBody<R> {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<std::result::Result<Bytes, BoxError>>> {
        let (reader, chunk) = ready!(self.reading.as_mut().poll(cx))?;
        let chunk = chunk?;
        if chunk.is_empty() {
            return Poll::Ready(None);
        }
        self.reading = read(self.context.clone(), reader, self.chunk_bytes);
        Poll::Ready(Some(Ok(chunk)))
    }
}
