//! What smol and its relatives read, as a body.
//!
//! The rule: one chunk at most is read ahead of the client, what waits for its reader holds no room, and to drop the body
//! drops the reader.

use std::pin::Pin;
use std::task::{Context, Poll};

use bakestone::Body;
use bakestone::error::BoxError;
use bakestone::message::BodyStream;
use bytes::Bytes;
use futures_io::AsyncRead;

/// The most that is read at once, in bytes, unless the caller says otherwise.
const CHUNK: usize = 64 << 10;

/// The body that `reader` gives, to its end: of a pipe, a process, another server. An error of the reader's cuts the
/// message off. What reads the file system comes better through [`FileResponse`](bakestone::message::FileResponse), which
/// knows its length.
///
/// ```
/// use bakestone_smol::bakestone::Response;
///
/// async fn output() -> Response {
///     Response::new(bakestone_smol::body_from_reader(smol::io::Cursor::new("of something")))
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
        buffer: Vec::new(),
        chunk_bytes: chunk_bytes.clamp(1, MOST_CHUNK_BYTES),
    };
    Body::from_stream(reader)
}

struct ReaderBody<R> {
    reader: Pin<Box<R>>,
    /// Of `chunk_bytes`; none while the reader has nothing.
    buffer: Vec<u8>,
    chunk_bytes: usize,
}

impl<R: AsyncRead> BodyStream for ReaderBody<R> {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let this = &mut *self;
        this.buffer.resize(this.chunk_bytes, 0);
        let Poll::Ready(read) = this.reader.as_mut().poll_read(cx, &mut this.buffer) else {
            this.buffer = Vec::new();
            return Poll::Pending;
        };
        Poll::Ready(match read {
            Ok(0) => None,
            Ok(count) => Some(Ok(take(&mut this.buffer, count))),
            Err(error) => Some(Err(error.into())),
        })
    }
}

/// Takes out the `count` bytes that were read. A little is copied, so that it does not keep the whole buffer.
fn take(buffer: &mut Vec<u8>, count: usize) -> Bytes {
    if count < buffer.len() / 2 {
        return Bytes::copy_from_slice(&buffer[..count]);
    }
    let mut chunk = std::mem::take(buffer);
    chunk.truncate(count);
    chunk.into()
}

#[cfg(test)]
mod tests {
    use smol::io::Cursor;

    use super::*;

    #[test]
    fn all_that_is_read_is_sent_in_chunks_of_the_size() {
        let data: Vec<u8> = (0..10_000_u32).map(|number| number as u8).collect();
        for (chunk_bytes, most) in [(0, 1), (1, 1), (1000, 1000), (1 << 20, 10_000)] {
            let mut body = body_from_reader_with(Cursor::new(data.clone()), chunk_bytes);
            let mut sent = Vec::new();
            while let Some(chunk) = smol::block_on(body.chunk()).unwrap() {
                assert!(chunk.len() <= most, "{chunk_bytes}");
                sent.extend_from_slice(&chunk);
            }
            assert!(sent == data, "{chunk_bytes}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_comes_is_sent_at_once_and_the_reader_goes_with_the_body() {
        use smol::io::AsyncWriteExt;
        let (theirs, ours) = std::os::unix::net::UnixStream::pair().unwrap();
        let (reader, writer) = (smol::Async::new(theirs).unwrap(), smol::Async::new(ours).unwrap());
        let mut body = body_from_reader(reader);
        smol::block_on(async {
            for word in ["one", "two"] {
                (&writer).write_all(word.as_bytes()).await.unwrap();
                assert_eq!(body.chunk().await.unwrap().unwrap(), word);
            }
            drop(body);
            assert!((&writer).write_all(b"three").await.is_err());
        });
    }

    #[test]
    fn what_waits_for_its_reader_holds_no_room() {
        /// Gives a little at each second time.
        struct Slow(usize);
        impl AsyncRead for Slow {
            fn poll_read(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                into: &mut [u8],
            ) -> Poll<std::io::Result<usize>> {
                assert_eq!(into.len(), CHUNK);
                self.0 += 1;
                if self.0 % 2 == 1 { Poll::Pending } else { Poll::Ready(Ok(3)) }
            }
        }
        let mut body = ReaderBody { reader: Box::pin(Slow(0)), buffer: Vec::new(), chunk_bytes: CHUNK };
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        for _ in 0..3 {
            assert!(Pin::new(&mut body).poll_chunk(cx).is_pending());
            assert_eq!(body.buffer.capacity(), 0);
            assert!(
                matches!(Pin::new(&mut body).poll_chunk(cx), Poll::Ready(Some(Ok(chunk))) if chunk.len() == 3)
            );
        }
    }

    #[test]
    fn an_error_of_the_reader_is_one_of_the_body() {
        struct Broken;
        impl AsyncRead for Broken {
            fn poll_read(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
                _: &mut [u8],
            ) -> Poll<std::io::Result<usize>> {
                Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()))
            }
        }
        assert!(smol::block_on(body_from_reader(Broken).chunk()).is_err());
    }
}
