//! One long `POST /echo`: a body that streams through the server, with both directions busy.
//!
//! The rule: every byte that comes back is compared with the one that was sent, and neither side ever holds
//! the body.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::random::Pattern;
use bakestone_bench_client::answers::Failure;
use bakestone_bench_client::connection::{After, Connection, expect_ok, send};
use bakestone_bench_client::flags::Server;
use bakestone_bench_client::process::{self, Process};

/// Bytes of one chunk of the request.
const CHUNK: usize = 64 << 10;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
/// A body of so many bytes shows in the server's memory if it is kept.
const TELLING: u64 = 64 * MIB;

pub(crate) fn run(server: Server, bytes: u64) -> Result<Vec<String>, String> {
    let process = Process(server.pid);
    println!("echo: {bytes} bytes through {}, process {}\n\n{}", server.addr, server.pid, process::HEADER);
    let before = process.settle(Duration::from_secs(5))?;
    println!("{}", process::row("before", &before));
    let began = Instant::now();
    let result = echo(server, bytes);
    let took = began.elapsed();
    process.wait_for_fds(before.fds, Duration::from_secs(20))?;
    let after = process.settle(Duration::from_secs(5))?;
    println!("{}", process::row("after", &after));

    let mut broken = Vec::new();
    match result {
        Ok(()) => println!(
            "\n{bytes} bytes there and back in {took:.2?}: {:.0} MiB/s",
            bytes as f64 / MIB as f64 / took.as_secs_f64()
        ),
        Err(failure) => broken.push(failure.to_string()),
    }
    let (low, high) = (before.status.peak, after.status.peak);
    println!("peak RSS {low} KiB before and {high} KiB after: {} KiB more", high.saturating_sub(low));
    if bytes >= TELLING && high.saturating_sub(low) * KIB > bytes / 2 {
        broken.push("the server kept the body".to_owned());
    }
    if after.fds > before.fds {
        broken.push(format!("{} descriptors before and {} after", before.fds, after.fds));
    }
    Ok(broken)
}

fn echo(server: Server, bytes: u64) -> Result<(), Failure> {
    let pattern = Pattern::new(1);
    let mut connection = Connection::open(server.addr)?;
    let head = connection.request("POST", "/echo", "Transfer-Encoding: chunked\r\n");
    let sender = |stream: &TcpStream| {
        send(stream, &head)?;
        send_pattern(stream, &pattern, bytes)
    };
    connection.exchange(sender, |connection| check_pattern(connection, &pattern, bytes))?;
    connection.answers().expect_nothing_more()
}

fn send_pattern(stream: &TcpStream, pattern: &Pattern, bytes: u64) -> Result<(), Failure> {
    let mut sent = 0;
    while sent < bytes {
        let chunk = pattern.at(sent, CHUNK.min(usize::try_from(bytes - sent).unwrap_or(CHUNK)));
        sent += chunk.len() as u64;
        let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
        send(stream, &framed)?;
    }
    send(stream, b"0\r\n\r\n")
}

fn check_pattern(connection: &mut Connection, pattern: &Pattern, bytes: u64) -> Result<(), Failure> {
    let head = connection.answers().head()?;
    expect_ok(&head, After::Kept)?;
    let mut seen = 0;
    let total = connection.answers().body(&head, &mut |piece| {
        if let Some(at) = pattern.mismatch(seen, piece) {
            return Err(Failure::unexpected(format!("byte {} is wrong", seen + at as u64), &piece[at..]));
        }
        seen += piece.len() as u64;
        Ok(())
    })?;
    if total != bytes {
        return Err(Failure::unexpected(format!("{total} bytes came back of {bytes}"), &[]));
    }
    Ok(())
}
