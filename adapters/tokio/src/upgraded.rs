//! A connection that has left HTTP, as tokio reads and writes one.
//!
//! The rule: it is what core gives, and no more: what is written needs no flush, a shutdown is this direction's FIN, and who
//! drops it before that resets the connection.

use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bakestone::error::Disconnected;
use bakestone::message::{Sent, Upgraded};
use bakestone_std::{UpgradedSink, UpgradedSource};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that has left HTTP, by [`Request::upgrade`](bakestone::Request::upgrade) or
/// [`accept_tunnel`](bakestone::Request::accept_tunnel), to read and to write.
///
/// A client that is gone is [`ConnectionReset`](std::io::ErrorKind::ConnectionReset), and a connection whose handler has
/// returned [`BrokenPipe`](std::io::ErrorKind::BrokenPipe).
///
/// ```
/// use bakestone_tokio::bakestone::{Request, Result, message::Sent};
/// use bakestone_tokio::UpgradedStream;
/// use tokio::io::copy_bidirectional;
/// use tokio::net::TcpStream;
///
/// async fn tunnel(mut request: Request) -> Result<Sent> {
///     let mut server = TcpStream::connect("ovens.example:7").await?;
///     let mut client = UpgradedStream::new(request.accept_tunnel()?);
///     copy_bidirectional(&mut client, &mut server).await?;
///     Ok(client.finish().await?)
/// }
/// # let _ = bakestone_tokio::bakestone::Session::new(tunnel);
/// ```
#[derive(Debug)]
#[must_use = "one that is dropped resets the connection"]
pub struct UpgradedStream {
    reader: UpgradedReadHalf,
    writer: UpgradedWriteHalf,
}

/// What a client sends over a connection that has left HTTP, from [`UpgradedStream::split`].
#[derive(Debug)]
pub struct UpgradedReadHalf(UpgradedSource);

/// What is sent over a connection that has left HTTP, from [`UpgradedStream::split`].
#[derive(Debug)]
#[must_use = "one that is dropped resets the connection"]
pub struct UpgradedWriteHalf(UpgradedSink);

impl UpgradedStream {
    /// `connection` as a stream.
    pub fn new(connection: Upgraded) -> Self {
        let (reader, writer) = connection.split();
        let reader = UpgradedReadHalf(UpgradedSource::new(reader));
        Self { reader, writer: UpgradedWriteHalf(UpgradedSink::new(writer)) }
    }

    /// Parts the directions; see [`Upgraded::split`].
    pub fn split(self) -> (UpgradedReadHalf, UpgradedWriteHalf) {
        (self.reader, self.writer)
    }

    /// Finishes this direction, if that was not done before, and gives what the handler returns; see [`Upgraded::finish`].
    ///
    /// # Errors
    ///
    /// [`Disconnected`] if the client is gone, or the exchange is over.
    pub async fn finish(self) -> std::result::Result<Sent, Disconnected> {
        self.writer.finish().await
    }
}

impl UpgradedWriteHalf {
    /// As [`UpgradedStream::finish`].
    ///
    /// # Errors
    ///
    /// As [`UpgradedStream::finish`].
    pub async fn finish(self) -> std::result::Result<Sent, Disconnected> {
        self.0.finish().await
    }
}

impl AsyncRead for UpgradedReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let data = ready!(self.0.poll_fill(cx))?;
        let count = data.len().min(buffer.remaining());
        buffer.put_slice(&data[..count]);
        self.0.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for UpgradedWriteHalf {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize>> {
        self.0.poll_write(data, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.poll_finish(cx)
    }
}

impl AsyncRead for UpgradedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, buffer)
    }
}

impl AsyncWrite for UpgradedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    use bakestone::app::Next;
    use bakestone::{App, IntoResponse, Request, Response};
    use bakestone_std::Server;
    use tokio::io::copy_bidirectional;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A proxy: it connects to wherever it is told.
    async fn proxy(mut request: Request, next: Next) -> bakestone::Result<Response> {
        let Some(authority) = request.uri().authority().filter(|_| request.method() == "CONNECT") else {
            return Ok(next.run(request).await);
        };
        let mut server = tokio::net::TcpStream::connect(authority.as_str()).await?;
        let mut client = UpgradedStream::new(request.accept_tunnel()?);
        copy_bidirectional(&mut client, &mut server).await?;
        client.finish().await?.into_response()
    }

    #[test]
    fn a_proxy_tunnels_both_ways_to_both_ends() {
        let behind = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = behind.local_addr().unwrap();
        let echo = thread::spawn(move || {
            let mut socket = behind.accept().unwrap().0;
            std::io::copy(&mut socket.try_clone().unwrap(), &mut socket).unwrap();
            socket.write_all(b"that was all").unwrap();
        });
        let server = Server::new().address("127.0.0.1:0").bind().unwrap();
        let (address, handle) = (server.local_addr().unwrap().to_string(), server.handle());
        let serving = thread::spawn(move || crate::run(App::new().middleware(proxy), server).is_ok());

        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let data: Vec<u8> = (0..1_000_000_u32).map(|number| (number / 7) as u8).collect();
        let mut writer = client.try_clone().unwrap();
        let sent = data.clone();
        let writing = thread::spawn(move || {
            write!(writer, "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\nearly").unwrap();
            writer.write_all(&sent).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).unwrap();
        writing.join().unwrap();
        echo.join().unwrap();
        let head = heard.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
        assert!(heard.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(heard[head..] == [b"early", &data[..], b"that was all"].concat());
        handle.shutdown();
        assert!(serving.join().unwrap());
    }
}
