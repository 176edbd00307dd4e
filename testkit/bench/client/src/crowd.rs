//! Many connections: some that stay, some that come and go.
//!
//! The rule: one counts only if its answer was whole and right, and so was what became of it afterwards.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::answers::Failure;
use crate::connection::{After, Connection};

const HELLO: &[u8] = b"Hello, World!";

/// Opens a connection that has had one answer to `/plaintext`, and keeps it.
pub fn open(addr: SocketAddr) -> Result<TcpStream, Failure> {
    let mut connection = Connection::open(addr)?;
    connection.get("/plaintext", HELLO)?;
    connection.answers().expect_nothing_more()?;
    Ok(connection.into_stream())
}

/// Opens a connection, asks for `/plaintext` with `Connection: close`, and reads to the server's close.
pub fn come_and_go(addr: SocketAddr) -> Result<(), Failure> {
    let mut connection = Connection::open(addr)?;
    connection.send(&connection.request("GET", "/plaintext", "Connection: close\r\n"))?;
    connection.expect(HELLO, After::Closed)?;
    connection.answers().expect_end()
}

/// Does something `count` times on so many threads; what came of it, or the first failure.
pub fn each<T: Send>(
    count: usize,
    threads: usize,
    one: impl Fn() -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    let share = |index: usize| count / threads + usize::from(index < count % threads);
    thread::scope(|scope| {
        let one = &one;
        let workers: Vec<_> = (0..threads)
            .map(|index| scope.spawn(move || (0..share(index)).map(|_| one()).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut all = Vec::with_capacity(count);
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}

/// How long fresh connections take from their opening to their answer, sorted.
pub fn latencies(addr: SocketAddr, count: usize) -> Result<Vec<Duration>, Failure> {
    let mut all = each(count, 1, || {
        let began = Instant::now();
        open(addr).map(|_| began.elapsed())
    })?;
    all.sort_unstable();
    Ok(all)
}

/// Whether the server has neither closed nor sent anything.
pub fn is_open(stream: &TcpStream) -> bool {
    let waits = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    waits.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_is_done_as_often_as_it_must() {
        for (count, threads) in [(0, 3), (1, 3), (7, 3), (9, 3), (5, 1)] {
            let done = AtomicUsize::new(0);
            let all = each(count, threads, || Ok(done.fetch_add(1, Ordering::Relaxed)));
            let mut all = all.expect("none fails");
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>(), "{count} on {threads}");
        }
        assert!(each(3, 2, || Err::<(), _>(Failure::Enough)).is_err());
    }
}
