//! What tokio reads, as a body.
//!
//! The rule: one chunk at most is read ahead of the client, and to drop the body drops the reader.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bakestone::Body;
use bakestone::error::BoxError;
use bakestone::message::BodyStream;
use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most that is read at once, in bytes, unless the caller says otherwise.
const CHUNK: usize = 64 << 10;

/// The body that `reader` gives, to its end: of a pipe, a process, another server. An error of the reader's cuts the
/// message off. What reads the file system comes better through [`FileResponse`](bakestone::message::FileResponse), which
/// knows its length.
///
/// ```
/// use bakestone_tokio::bakestone::Response;
///
/// async fn output() -> Response {
///     let (reader, writer) = tokio::io::duplex(1024);
///     drop(writer);   // something else writes
///     Response::new(bakestone_tokio::body_from_reader(reader))
/// }
/// ```
pub fn body_from_reader(reader: impl AsyncRead + Send + 'static) -> Body {
    body_from_reader_with(reader, CHUNK)
}

/// The most that is read at once.
const MOST_CHUNK_BYTES: usize = 16 << 20;

/// As [`body_from_reader`], with at most `chunk_bytes` read at once: one at least, 16 MiB at most.
pub fn body_from_reader_with(reader: impl AsyncRead + Send + 'static, chunk_bytes: usize) -> Body {
    let reader = ReaderBody {
        reader: Box::pin(reader),
        buffer: BytesMut::new(),
        chunk_bytes: chunk_bytes.clamp(1, MOST_CHUNK_BYTES),
    };
    Body::from_stream(reader)
}

struct ReaderBody<R> {
    reader: Pin<Box<R>>,
    /// Empty between the reads.
    buffer: BytesMut,
    chunk_bytes: usize,
}

impl<R: AsyncRead> BodyStream for ReaderBody<R> {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let this = &mut *self;
        this.buffer.reserve(this.chunk_bytes);
        let mut room = (&mut this.buffer).limit(this.chunk_bytes);
        let count = match ready!(pin!(this.reader.read_buf(&mut room)).poll(cx)) {
            Ok(count) => count,
            Err(error) => return Poll::Ready(Some(Err(error.into()))),
        };
        if count == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(take(&mut this.buffer, this.chunk_bytes))))
    }
}

/// Takes out what was read. A little is copied, so that it does not keep the whole buffer.
fn take(buffer: &mut BytesMut, chunk_bytes: usize) -> Bytes {
    if buffer.len() >= chunk_bytes / 2 {
        return buffer.split().freeze();
    }
    let chunk = Bytes::copy_from_slice(buffer);
    buffer.clear();
    chunk
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn all_that_is_read_is_sent_in_chunks_of_the_size() {
        let data: Vec<u8> = (0..10_000_u32).map(|number| number as u8).collect();
        for (chunk_bytes, most) in [(0, 1), (1, 1), (1000, 1000), (1 << 20, 10_000)] {
            let mut body = body_from_reader_with(std::io::Cursor::new(data.clone()), chunk_bytes);
            let mut sent = Vec::new();
            while let Some(chunk) = body.chunk().await.unwrap() {
                assert!(chunk.len() <= most, "{chunk_bytes}");
                sent.extend_from_slice(&chunk);
            }
            assert!(sent == data, "{chunk_bytes}");
        }
    }

    #[tokio::test]
    async fn what_comes_is_sent_at_once_and_the_reader_goes_with_the_body() {
        let (reader, mut writer) = tokio::io::duplex(100);
        let mut body = body_from_reader(reader);
        for word in ["one", "two"] {
            writer.write_all(word.as_bytes()).await.unwrap();
            assert_eq!(body.chunk().await.unwrap().unwrap(), word);
        }
        drop(body);
        assert!(writer.write_all(b"three").await.is_err());
    }

    #[tokio::test]
    async fn an_error_of_the_reader_is_one_of_the_body() {
        struct Broken;
        impl AsyncRead for Broken {
            fn poll_read(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
                _: &mut tokio::io::ReadBuf<'_>,
            ) -> Poll<std::io::Result<()>> {
                Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()))
            }
        }
        assert!(body_from_reader(Broken).chunk().await.is_err());
    }
}
