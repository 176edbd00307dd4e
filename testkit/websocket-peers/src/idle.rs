//! What an idle socket costs a server.
//!
//! The rule: memory is compared with that of a server that is warm, and every socket is still open when it is read, and
//! answers afterwards; no ping has been due by then.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Connection, masked, unmasked};
use crate::process;
use crate::servers::{Kind, Running};

/// Sockets that come and go before.
const WARM_UP: usize = 50;

/// When the first ping is due.
const PING: Duration = Duration::from_secs(30);

/// The most that an idle socket of Bakestone's may cost without that being a failure, in bytes; the aim is half of it.
const MOST: u64 = 6 << 10;

/// Prints the table; what was not as it must be.
pub(crate) fn run(count: usize, server: &str) -> Result<Vec<String>, String> {
    println!(
        "\n| {count} idle sockets | RSS before, KiB | RSS with them, KiB | bytes a socket |\n|---|---|---|---|"
    );
    let mut wrong = Vec::new();
    for kind in Kind::ECHOES.into_iter().filter(|kind| kind.name().contains(server)) {
        let name = kind.name();
        let cost = measure(&Running::start(kind)?, count).map_err(|error| format!("{name}: {error}"))?;
        if kind.is_own() && cost > MOST {
            wrong.push(format!("{name}: {cost} bytes for an idle socket"));
        }
    }
    Ok(wrong)
}

fn open(server: &Running, count: usize) -> Result<Vec<Connection>, String> {
    let opened = (0..count).map(|index| {
        let connection = Connection::open(server.address, "");
        connection.map_err(|error| format!("the connection {index} (see ulimit -n): {error}"))
    });
    let mut connections = opened.collect::<Result<Vec<_>, _>>()?;
    connections.iter_mut().try_for_each(echo)?;
    Ok(connections)
}

fn echo(connection: &mut Connection) -> Result<(), String> {
    connection.send(&masked(b"still there?", [9, 8, 7, 6]))?;
    connection.expect(&unmasked(b"still there?"))
}

/// Prints a row; the bytes of memory for each socket.
fn measure(server: &Running, count: usize) -> Result<u64, String> {
    drop(open(server, WARM_UP)?);
    thread::sleep(Duration::from_millis(500));
    let before = process::memory(server.id())?.resident;
    let began = Instant::now();
    let mut connections = open(server, count)?;
    // The last answer is written before its buffers are given back.
    thread::sleep(Duration::from_millis(300));
    let after = process::memory(server.id())?.resident;
    connections.iter_mut().try_for_each(echo)?;
    if began.elapsed() > PING {
        return Err(format!("a ping was due: it took {:?}", began.elapsed()));
    }
    let cost = after.saturating_sub(before) / count.max(1) as u64;
    println!("| {} | {} | {} | {cost} |", server.kind.name(), before >> 10, after >> 10);
    Ok(cost)
}
