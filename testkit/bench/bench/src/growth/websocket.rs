//! What is asked over a WebSocket at a point of a series.
//!
//! The rule: what comes back is read frame by frame, and its length and the number of its messages must be those that
//! were sent.

use std::io::{BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use bakestone_bench_client::answers::Failure;
use bakestone_bench_client::connection::{self, Connection};

use super::series::Ask;
use crate::scenarios;

/// The example of RFC 6455, 1.3: a key, and what a server makes of it.
const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Bytes of the message that comes in frames.
const MESSAGE: usize = 64 << 10;
/// Bytes of each of many messages.
const SMALL: usize = 64;

const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A frame of a client (RFC 6455, 5.2). Its masking key is 0, so that its bytes are as they were.
fn frame(first: u8, payload: &[u8], into: &mut Vec<u8>) {
    into.push(first);
    match payload.len() {
        length @ 0..126 => into.push(MASKED | length as u8),
        length @ 126..0x1_0000 => {
            into.push(MASKED | 126);
            into.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            into.push(MASKED | 127);
            into.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    into.extend_from_slice(&[0; 4]);
    into.extend_from_slice(payload);
}

/// Sends one message in so many frames.
pub(super) fn frames(address: SocketAddr, count: u64) -> Result<Ask, Failure> {
    let (message, count) = (scenarios::filler(MESSAGE), count as usize);
    let mut bytes = Vec::new();
    for at in 0..count {
        let (from, to) = (MESSAGE * at / count, MESSAGE * (at + 1) / count);
        let opcode = if at == 0 { BINARY } else { CONTINUATION };
        let fin = if at + 1 == count { FIN } else { 0 };
        frame(fin | opcode, &message[from..to], &mut bytes);
    }
    start(address, bytes, (1, MESSAGE as u64))
}

/// Sends so many messages.
pub(super) fn messages(address: SocketAddr, count: u64) -> Result<Ask, Failure> {
    let (message, mut bytes) = (scenarios::filler(SMALL), Vec::new());
    for _ in 0..count {
        frame(FIN | BINARY, &message, &mut bytes);
    }
    start(address, bytes, (count, count * SMALL as u64))
}

/// Sends the bytes over and over, for which so many messages with so many bytes must come back.
fn start(address: SocketAddr, bytes: Vec<u8>, expected: (u64, u64)) -> Result<Ask, Failure> {
    let connection = Connection::open(address)?;
    connection.send(&connection.request("GET", "/ws", UPGRADE))?;
    let mut stream = BufReader::new(connection.into_stream());
    expect_upgrade(&mut stream)?;
    Ok(Box::new(move || {
        let writer = stream.get_ref().try_clone().map_err(Failure::io("doubling a socket"))?;
        thread::scope(|scope| {
            let sending = scope.spawn(|| connection::send(&writer, &bytes));
            let read = expect_messages(&mut stream, expected);
            let sent = sending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            read.and(sent).map(|()| 1)
        })
    }))
}

fn expect_upgrade(stream: &mut BufReader<TcpStream>) -> Result<(), Failure> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).map_err(Failure::io("reading a head"))?;
        head.extend_from_slice(&byte);
    }
    let text = String::from_utf8_lossy(&head);
    let right = text.starts_with("HTTP/1.1 101 ") && text.contains(ACCEPT);
    if right { Ok(()) } else { Err(Failure::unexpected("no upgrade", &head)) }
}

/// Reads frames of a server, which are not masked, until so many messages and bytes have come.
fn expect_messages(stream: &mut impl Read, expected: (u64, u64)) -> Result<(), Failure> {
    let (mut messages, mut bytes) = (0, 0);
    while messages < expected.0 {
        let [first, length] = read(stream)?;
        if !matches!(first & 0x7f, CONTINUATION | BINARY) {
            return Err(Failure::unexpected("another frame", &[first, length]));
        }
        let length = match length {
            127 => u64::from_be_bytes(read(stream)?),
            126 => u64::from(u16::from_be_bytes(read(stream)?)),
            length => u64::from(length),
        };
        let copied = std::io::copy(&mut stream.take(length), &mut std::io::sink());
        bytes += copied.map_err(Failure::io("reading a frame"))?;
        messages += u64::from(first & FIN != 0);
    }
    let seen = (messages, bytes);
    if seen == expected { Ok(()) } else { Err(Failure::unexpected(format!("{seen:?} came back"), &[])) }
}

fn read<const LENGTH: usize>(stream: &mut impl Read) -> Result<[u8; LENGTH], Failure> {
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes).map_err(Failure::io("reading a frame"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        for (length, head) in [
            (0, &[0x82, 0x80][..]),
            (125, &[0x82, 0xfd]),
            (126, &[0x82, 0xfe, 0, 126]),
            (0xffff, &[0x82, 0xfe, 0xff, 0xff]),
            (0x1_0000, &[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut bytes = Vec::new();
            frame(FIN | BINARY, &vec![b'x'; length], &mut bytes);
            assert_eq!((&bytes[..head.len()], bytes.len()), (head, head.len() + 4 + length));
        }
    }

    #[test]
    fn messages_are_counted_with_their_bytes() {
        let bytes = [&[0x02, 3][..], b"abc", &[0x80, 1], b"d", &[0x82, 126, 0, 2], b"ef"].concat();
        for (expected, right) in [((2, 6), true), ((2, 5), false), ((3, 6), false)] {
            assert_eq!(expect_messages(&mut &bytes[..], expected).is_ok(), right, "{expected:?}");
        }
        assert!(expect_messages(&mut &[0x88, 0][..], (1, 0)).is_err());
    }
}
