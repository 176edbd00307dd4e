//! What is asked over HTTP at a point of a series.
//!
//! The rule: every answer is looked at, and what is sent was made before.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use bakestone_bench_client::answers::Failure;
use bakestone_bench_client::connection::{self, After, Connection};
use bakestone_bench_client::crowd;
use serde_json::Value;

use super::series::Ask;
use crate::scenarios;

/// How many threads open connections.
const THREADS: usize = 8;
/// Requests at a time.
const WINDOW: usize = 16;
/// Bytes of all chunks.
const CHUNKED: usize = 1 << 20;
/// How far [`scenarios::filler`] is to where it begins anew.
const PERIOD: u64 = 23;
/// Bytes that are sent at once: whole periods.
const BLOCK: usize = PERIOD as usize * 2849;

/// Asks for `/plaintext` on each of the connections in turn.
pub(super) fn connections(address: SocketAddr, count: u64) -> Result<Ask, Failure> {
    let streams = crowd::each(count as usize, THREADS, || crowd::open(address))?;
    let request = b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut length = None;
    let mut next = 0;
    Ok(Box::new(move || {
        let window: Vec<&TcpStream> =
            (0..streams.len().min(WINDOW)).map(|at| &streams[(next + at) % streams.len()]).collect();
        for stream in &window {
            connection::send(stream, request)?;
        }
        for stream in &window {
            // All answers are as long as the first: they differ in their dates alone.
            let length = match length {
                Some(length) => length,
                None => *length.insert(first(stream)?),
            };
            expect_hello(stream, length)?;
        }
        next = (next + window.len()) % streams.len();
        Ok(window.len() as u64)
    }))
}

const HELLO: &[u8] = b"Hello, World!";

/// How long the answer is that waits.
fn first(stream: &TcpStream) -> Result<usize, Failure> {
    let (mut buffer, mut length) = ([0; 1024], 0);
    while !buffer[..length].ends_with(HELLO) {
        length = stream.peek(&mut buffer).map_err(Failure::io("peeking"))?;
    }
    Ok(length)
}

fn expect_hello(mut stream: &TcpStream, length: usize) -> Result<(), Failure> {
    let mut buffer = [0; 1024];
    let answer = &mut buffer[..length];
    stream.read_exact(answer).map_err(Failure::io("reading an answer"))?;
    let right = answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(HELLO);
    if right { Ok(()) } else { Err(Failure::unexpected("another answer", answer)) }
}

/// Asks for `/plaintext` with so many fields, of which `Host` is one.
pub(super) fn fields(address: SocketAddr, count: u64) -> Result<Ask, Failure> {
    let mut connection = Connection::open(address)?;
    let more: String = (1..count).map(|at| format!("X-Field-{at}: a value of some length\r\n")).collect();
    let request = connection.request("GET", "/plaintext", &more);
    Ok(Box::new(move || {
        connection.send(&request)?;
        connection.expect(HELLO, After::Kept).map(|()| 1)
    }))
}

/// Sends so many bytes to `/echo`, and looks at what comes back while they are on their way.
pub(super) fn body(address: SocketAddr, length: u64) -> Result<Ask, Failure> {
    let mut connection = Connection::open(address)?;
    let fields = format!("Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n");
    let head = connection.request("POST", "/echo", &fields);
    let block = scenarios::filler(BLOCK + PERIOD as usize);
    Ok(Box::new(move || {
        let sender = |stream: &TcpStream| {
            connection::send(stream, &head)?;
            let mut left = length;
            while left > 0 {
                let count = BLOCK.min(usize::try_from(left).unwrap_or(BLOCK));
                connection::send(stream, &block[..count])?;
                left -= count as u64;
            }
            Ok(())
        };
        exchange(&mut connection, &block, length, length <= WITHOUT_A_THREAD, sender)
    }))
}

/// What fits into the buffers of both sockets, so that nobody waits for room while nobody reads.
const WITHOUT_A_THREAD: u64 = 16 << 10;

/// Sends, and reads an answer of so many bytes of the filler, at the same time if it has to be.
fn exchange(
    connection: &mut Connection,
    block: &[u8],
    length: u64,
    is_short: bool,
    sender: impl FnOnce(&TcpStream) -> Result<(), Failure> + Send,
) -> Result<u64, Failure> {
    let read = |connection: &mut Connection| expect_filler(connection, block, length);
    if is_short {
        sender(connection.stream())?;
        read(connection)
    } else {
        connection.exchange(sender, read)
    }
}

fn expect_filler(connection: &mut Connection, block: &[u8], length: u64) -> Result<u64, Failure> {
    let head = connection.answers().head()?;
    connection::expect_ok(&head, After::Kept)?;
    let mut seen = 0;
    connection.answers().body(&head, &mut |piece| {
        let begin = (seen % PERIOD) as usize;
        if block.get(begin..begin + piece.len()) != Some(piece) {
            return Err(Failure::unexpected("another body", piece));
        }
        seen += piece.len() as u64;
        Ok(())
    })?;
    let short = || Failure::unexpected(format!("{seen} bytes came back of {length}"), &[]);
    (seen == length).then_some(1).ok_or_else(short)
}

/// Sends 1 MiB in so many chunks to `/echo`.
pub(super) fn chunks(address: SocketAddr, count: u64) -> Result<Ask, Failure> {
    let mut connection = Connection::open(address)?;
    let fields = "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n";
    let mut request = connection.request("POST", "/echo", fields);
    let (all, count) = (scenarios::filler(CHUNKED), count as usize);
    for at in 0..count {
        let chunk = &all[CHUNKED * at / count..CHUNKED * (at + 1) / count];
        request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        request.extend_from_slice(chunk);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    Ok(Box::new(move || {
        let sender = |mut stream: &TcpStream| stream.write_all(&request).map_err(Failure::io("sending"));
        exchange(&mut connection, &all, CHUNKED as u64, false, sender)
    }))
}

/// Sends a form of so many fields to `/multipart-count`.
pub(super) fn parts(address: SocketAddr, count: u64) -> Result<Ask, Failure> {
    let mut connection = Connection::open(address)?;
    let value = String::from_utf8_lossy(&scenarios::filler(64)).into_owned();
    let part =
        |at| format!("--boundary\r\nContent-Disposition: form-data; name=\"field-{at}\"\r\n\r\n{value}\r\n");
    let form: String = (0..count).map(part).chain(["--boundary--\r\n".to_owned()]).collect();
    let length = form.len();
    let fields =
        format!("Content-Type: multipart/form-data; boundary=boundary\r\nContent-Length: {length}\r\n");
    let mut request = connection.request("POST", "/multipart-count", &fields);
    request.extend_from_slice(form.as_bytes());
    Ok(Box::new(move || {
        let read = |connection: &mut Connection| expect_parts(connection, count);
        connection.exchange(|stream| connection::send(stream, &request), read)
    }))
}

fn expect_parts(connection: &mut Connection, count: u64) -> Result<u64, Failure> {
    let (head, body) = connection.answer(4096 + 256 * count as usize)?;
    connection::expect_ok(&head, After::Kept)?;
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let seen = value["parts"].as_array().map_or(0, Vec::len);
    let wrong = || Failure::unexpected(format!("{seen} parts of {count}"), &body);
    (seen as u64 == count).then_some(1).ok_or_else(wrong)
}
