//! A client on plain sockets, which writes the bytes of its frames itself.
//!
//! The rule: what comes back is compared with what must, byte by byte; a server has one way to say it, since what it sends
//! is not masked (RFC 6455, section 5.1).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The most that is read at a time.
const BLOCK: usize = 256 << 10;

/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A binary message that is whole in one frame.
const BINARY: u8 = 0x82;

/// A frame as a client sends it: masked.
pub(crate) fn masked(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut frame = head(BINARY, payload.len(), 0x80);
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The same as a server sends it.
pub(crate) fn unmasked(payload: &[u8]) -> Vec<u8> {
    let mut frame = head(BINARY, payload.len(), 0);
    frame.extend(payload);
    frame
}

fn head(first: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut head = vec![first];
    match length {
        0..126 => head.push(mask | length as u8),
        126..0x1_0000 => {
            head.push(mask | 126);
            head.extend((length as u16).to_be_bytes());
        }
        _ => {
            head.push(mask | 127);
            head.extend((length as u64).to_be_bytes());
        }
    }
    head
}

/// The request for a socket; `extension` is a line of the head, or nothing.
pub(crate) fn handshake(path: &str, extension: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extension}\r\n"
    )
}

/// The line that asks for compression, of which no state is kept between messages.
pub(crate) const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; \
                                  server_no_context_takeover\r\n";

/// An open WebSocket.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects, and shakes hands.
    pub(crate) fn open(address: SocketAddr, extension: &str) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("no connection: {error}");
        let stream = TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        let mut connection = Self { stream, buffer: Vec::new() };
        connection.send(handshake("/", extension).as_bytes())?;
        let head = connection.receive_head()?;
        let agrees = head.contains("permessage-deflate") != extension.is_empty();
        if !head.starts_with("HTTP/1.1 101 ") || !head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") || !agrees {
            return Err(format!("not what accepts a WebSocket: {head:?}"));
        }
        Ok(connection)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).map_err(|error| format!("sending: {error}"))
    }

    /// Receives exactly what is expected.
    pub(crate) fn expect(&mut self, expected: &[u8]) -> Result<(), String> {
        self.buffer.resize(BLOCK.min(expected.len()), 0);
        let mut rest = expected;
        while !rest.is_empty() {
            let most = self.buffer.len().min(rest.len());
            let count = self.read(most)?;
            let (now, later) = rest.split_at(count);
            if self.buffer[..count] != *now {
                return Err(format!("other bytes than were sent, {} before the end", rest.len()));
            }
            rest = later;
        }
        Ok(())
    }

    /// Receives the head of a response and no more: a server says nothing before it is spoken to.
    fn receive_head(&mut self) -> Result<String, String> {
        let mut head = Vec::new();
        self.buffer.resize(1 << 10, 0);
        while !head.ends_with(b"\r\n\r\n") {
            let count = self.read(1 << 10)?;
            head.extend_from_slice(&self.buffer[..count]);
        }
        String::from_utf8(head).map_err(|error| error.to_string())
    }

    fn read(&mut self, most: usize) -> Result<usize, String> {
        match self.stream.read(&mut self.buffer[..most]) {
            Ok(0) => Err("the server has closed".to_owned()),
            Ok(count) => Ok(count),
            Err(error) => Err(format!("receiving: {error}")),
        }
    }
}
