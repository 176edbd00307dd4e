//! The kinds of clients of a soak: what each does, and what it must get for it.
//!
//! The rule: a kind checks all that it gets, and its choices come from its worker's generator alone. What a
//! server is free to do is no failure, so a kind that resets checks only that it could come so far.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::random::{Pattern, Random};
use bakestone_bench_client::answers::Failure;
use bakestone_bench_client::connection::{After, Connection, expect_ok, send};

/// A kind of client.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// How often it comes, as a share of all weights.
    weight: usize,
    pub(crate) run: fn(&mut Client<'_>) -> Result<(), Failure>,
}

pub(crate) const KINDS: &[Kind] = &[
    Kind { name: "keep-alive", weight: 20, run: keep_alive },
    Kind { name: "pipelined", weight: 12, run: pipelined },
    Kind { name: "echo, length", weight: 12, run: |client| echo(client, false) },
    Kind { name: "echo, chunked", weight: 12, run: |client| echo(client, true) },
    Kind { name: "reset in a head", weight: 5, run: reset_in_head },
    Kind { name: "reset in a body", weight: 5, run: reset_in_body },
    Kind { name: "reset in an answer", weight: 5, run: reset_in_answer },
    Kind { name: "reset while it waits", weight: 3, run: reset_while_waiting },
    Kind { name: "half-close", weight: 6, run: half_close },
    Kind { name: "slow reader", weight: 3, run: slow_reader },
    Kind { name: "slow writer", weight: 3, run: slow_writer },
    Kind { name: "sleep", weight: 6, run: sleep },
    Kind { name: "idle, then on", weight: 3, run: idle },
    Kind { name: "bad request", weight: 8, run: bad_request },
];

/// The place in [`KINDS`] of the one that comes next.
pub(crate) fn choose(random: &mut Random) -> usize {
    let all: usize = KINDS.iter().map(|kind| kind.weight).sum();
    let mut drawn = random.between(1, all);
    KINDS
        .iter()
        .position(|kind| {
            let here = drawn <= kind.weight;
            drawn = drawn.saturating_sub(kind.weight);
            here
        })
        .unwrap_or_default()
}

/// One worker, whatever kind it plays.
pub(crate) struct Client<'a> {
    pub(crate) addr: SocketAddr,
    pub(crate) random: Random,
    pub(crate) pattern: &'a Pattern,
    /// Answers that were whole and right.
    pub(crate) answers: u64,
}

const HELLO: &[u8] = b"Hello, World!";

/// A request whose whole answer is known.
struct Exchange {
    request: Vec<u8>,
    wanted: Vec<u8>,
}

impl Client<'_> {
    fn open(&self) -> Result<Connection, Failure> {
        Connection::open(self.addr)
    }

    fn get(&mut self, connection: &mut Connection, target: &str, wanted: &[u8]) -> Result<(), Failure> {
        connection.get(target, wanted)?;
        self.answers += 1;
        Ok(())
    }

    /// Up to `most` milliseconds.
    fn pause(&mut self, most: usize) {
        thread::sleep(Duration::from_millis(self.random.between(0, most) as u64));
    }

    /// Some of the endless body.
    fn some_bytes(&mut self, most: usize) -> Vec<u8> {
        // As often short as long.
        let scale = self.random.between(0, most.ilog2() as usize);
        let length = self.random.between(0, (2 << scale).min(most));
        let position = self.random.next() >> 32;
        self.pattern.bytes(position, length)
    }

    /// A body as the bytes of a request, behind its fields, in chunks of any size or with its length.
    fn post(&mut self, connection: &Connection, target: &str, body: &[u8], chunked: bool) -> Vec<u8> {
        if !chunked {
            let length = format!("Content-Length: {}\r\n", body.len());
            return [connection.request("POST", target, &length), body.to_vec()].concat();
        }
        let mut request = connection.request("POST", target, "Transfer-Encoding: chunked\r\n");
        let mut rest = body;
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(piece(&mut self.random, rest.len()));
            request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            request.extend_from_slice(chunk);
            request.extend_from_slice(b"\r\n");
            rest = later;
        }
        request.extend_from_slice(b"0\r\n\r\n");
        request
    }
}

/// The length of the next piece of `left` bytes, short ones as often as long ones.
fn piece(random: &mut Random, left: usize) -> usize {
    let scale = random.between(0, 16);
    random.between(1, 1 << scale).min(left)
}

/// Sends in pieces of any size.
fn send_in_pieces(stream: &TcpStream, mut bytes: &[u8], mut random: Random) -> Result<(), Failure> {
    while !bytes.is_empty() {
        let (now, later) = bytes.split_at(piece(&mut random, bytes.len()));
        send(stream, now)?;
        if random.chance(2) {
            thread::sleep(Duration::from_millis(1));
        }
        bytes = later;
    }
    Ok(())
}

/// Reads an answer of `length` bytes that need not be known.
fn expect_length(connection: &mut Connection, length: u64, after: After) -> Result<(), Failure> {
    let head = connection.answers().head()?;
    expect_ok(&head, after)?;
    match connection.answers().body(&head, &mut |_| Ok(()))? {
        seen if seen == length => Ok(()),
        seen => Err(Failure::unexpected(format!("a body of {seen} bytes and not {length}"), &[])),
    }
}

fn keep_alive(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    for _ in 0..client.random.between(1, 50) {
        match client.random.between(1, 10) {
            1..=6 => client.get(&mut connection, "/plaintext", HELLO)?,
            7 | 8 => {
                let (chunks, size) = (client.random.between(0, 20), client.random.between(1, 2000));
                let target = format!("/stream?chunks={chunks}&size={size}");
                client.get(&mut connection, &target, &vec![b'x'; chunks * size])?;
            }
            _ => {
                let size = client.random.between(0, 200_000);
                connection.send(&connection.request("GET", &format!("/big?size={size}"), ""))?;
                expect_length(&mut connection, size as u64, After::Kept)?;
                client.answers += 1;
            }
        }
    }
    connection.answers().expect_nothing_more()
}

fn pipelined(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    let mut burst = Vec::new();
    for _ in 0..client.random.between(2, 32) {
        burst.push(if client.random.chance(60) {
            Exchange { request: connection.request("GET", "/plaintext", ""), wanted: HELLO.to_vec() }
        } else {
            let (wanted, chunked) = (client.some_bytes(2048), client.random.chance(50));
            Exchange { request: client.post(&connection, "/echo", &wanted, chunked), wanted }
        });
    }
    let bytes: Vec<u8> = burst.iter().flat_map(|exchange| exchange.request.clone()).collect();
    let random = Random::new(client.random.next(), 0);
    let in_pieces = client.random.chance(50);
    let sender = |stream: &TcpStream| match in_pieces {
        true => send_in_pieces(stream, &bytes, random),
        false => send(stream, &bytes),
    };
    connection.exchange(sender, |connection| {
        burst.iter().try_for_each(|exchange| {
            connection.expect(&exchange.wanted, After::Kept)?;
            client.answers += 1;
            Ok(())
        })
    })?;
    connection.answers().expect_nothing_more()
}

fn echo(client: &mut Client<'_>, chunked: bool) -> Result<(), Failure> {
    let mut connection = client.open()?;
    for _ in 0..client.random.between(1, 3) {
        let body = client.some_bytes(256 << 10);
        let request = client.post(&connection, "/echo", &body, chunked);
        let random = Random::new(client.random.next(), 0);
        connection.exchange(
            |stream| send_in_pieces(stream, &request, random),
            |connection| connection.expect(&body, After::Kept),
        )?;
        client.answers += 1;
    }
    connection.answers().expect_nothing_more()
}

fn reset_in_head(client: &mut Client<'_>) -> Result<(), Failure> {
    let connection = client.open()?;
    let head =
        connection.request("GET", "/plaintext", "X-Long: 0123456789012345678901234567890123456789\r\n");
    connection.send(&head[..client.random.between(0, head.len() - 1)])?;
    client.pause(50);
    connection.reset()
}

fn reset_in_body(client: &mut Client<'_>) -> Result<(), Failure> {
    let connection = client.open()?;
    let target = if client.random.chance(50) { "/echo" } else { "/body" };
    let (body, chunked) = (client.some_bytes(64 << 10), client.random.chance(50));
    let request = client.post(&connection, target, &body, chunked);
    // At least the head, and never the last byte.
    let head = request.len().saturating_sub(body.len() + 8).clamp(1, request.len() - 1);
    connection.send(&request[..client.random.between(head, request.len() - 1)])?;
    client.pause(50);
    connection.reset()
}

fn reset_in_answer(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    connection.send(&connection.request("GET", "/big?size=5000000", ""))?;
    let (mut left, whole) = (client.random.between(0, 1 << 20), 5_000_000);
    let head = connection.answers().head()?;
    expect_ok(&head, After::Kept)?;
    let read = connection.answers().body(&head, &mut |piece| {
        left = left.checked_sub(piece.len()).ok_or(Failure::Enough)?;
        Ok(())
    });
    match read {
        Err(Failure::Enough) => connection.reset(),
        Err(failure) => Err(failure),
        Ok(seen) => Err(Failure::unexpected(format!("a body of {seen} bytes and not {whole}"), &[])),
    }
}

fn reset_while_waiting(client: &mut Client<'_>) -> Result<(), Failure> {
    let connection = client.open()?;
    connection.send(&connection.request("GET", "/sleep/200", ""))?;
    client.pause(150);
    connection.reset()
}

fn half_close(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    if client.random.chance(30) {
        let size = client.random.between(0, 2_000_000);
        connection.send(&connection.request("GET", &format!("/big?size={size}"), ""))?;
        connection.finish()?;
        expect_length(&mut connection, size as u64, After::Any)?;
    } else {
        let (body, chunked) = (client.some_bytes(64 << 10), client.random.chance(50));
        let request = client.post(&connection, "/echo", &body, chunked);
        let sender = |stream: &TcpStream| {
            send(stream, &request)?;
            stream.shutdown(std::net::Shutdown::Write).map_err(Failure::io("half-closing"))
        };
        connection.exchange(sender, |connection| connection.expect(&body, After::Any))?;
    }
    client.answers += 1;
    connection.answers().expect_end()
}

fn slow_reader(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    // So that the server soon has no room to write. Less than a segment of the loopback (64 KiB) would leave each
    // read to wait for TCP's probes of a closed window, which is no fault of the server's.
    let small = SockRef::from(connection.stream()).set_recv_buffer_size(256 << 10);
    small.map_err(Failure::io("setting SO_RCVBUF"))?;
    let size = client.random.between(1 << 20, 8 << 20);
    connection.send(&connection.request("GET", &format!("/big?size={size}"), ""))?;
    let head = connection.answers().head()?;
    expect_ok(&head, After::Kept)?;
    let (mut seen, mut pause_at) = (0, client.random.between(0, size / 2));
    let leaves = client.random.chance(50);
    let read = connection.answers().body(&head, &mut |piece| {
        seen += piece.len();
        if seen > pause_at {
            client.pause(2000);
            pause_at = usize::MAX;
            return if leaves { Err(Failure::Enough) } else { Ok(()) };
        }
        Ok(())
    });
    match read {
        Err(Failure::Enough) => connection.reset(),
        Err(failure) => Err(failure),
        Ok(read) if read == size as u64 => {
            client.answers += 1;
            connection.answers().expect_nothing_more()
        }
        Ok(read) => Err(Failure::unexpected(format!("a body of {read} bytes and not {size}"), &[])),
    }
}

fn slow_writer(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    let (body, chunked) = (client.some_bytes(8 << 10), client.random.chance(50));
    let (target, wanted) = match client.random.chance(50) {
        true => ("/echo", body.clone()),
        false => ("/body", body.len().to_string().into_bytes()),
    };
    let request = client.post(&connection, target, &body, chunked);
    let drops = client.random.between(2, 20);
    for drop in request.chunks(request.len().div_ceil(drops)) {
        connection.send(drop)?;
        client.pause(2000 / drops);
    }
    connection.expect(&wanted, After::Kept)?;
    client.answers += 1;
    connection.answers().expect_nothing_more()
}

fn sleep(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    let began = Instant::now();
    client.get(&mut connection, "/sleep/50", b"slept")?;
    let took = began.elapsed();
    if took < Duration::from_millis(50) {
        return Err(Failure::unexpected(format!("50 ms took {took:?}"), &[]));
    }
    connection.answers().expect_nothing_more()
}

fn idle(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    client.get(&mut connection, "/plaintext", HELLO)?;
    client.pause(3000);
    client.get(&mut connection, "/plaintext", HELLO)?;
    connection.answers().expect_nothing_more()
}

/// What RFC 9112 wants a 400 for. `$` stands for the right Host field.
const BAD: &[&[u8]] = &[
    b"GET /plaintext HTTP/1.1\r\n\r\n",
    b"GET /plaintext HTTP/1.1\r\n$$\r\n",
    b"GET /plaintext HTTP/1.1\r\n$X-Space : x\r\n\r\n",
    b"GET /plaintext HTTP/1.1\r\n$No colon\r\n\r\n",
    b"GET /plaintext HTTP/1.1\r\n$X-Nul: a\0b\r\n\r\n",
    b"G(T /plaintext HTTP/1.1\r\n$\r\n",
    b"POST /echo HTTP/1.1\r\n$Content-Length: 1x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\n$Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST /body HTTP/1.1\r\n$Transfer-Encoding: chunked\r\n\r\nx\r\n",
];

fn bad_bytes(which: usize, addr: SocketAddr) -> Vec<u8> {
    let host = format!("Host: {addr}\r\n").into_bytes();
    BAD[which].iter().flat_map(|&byte| if byte == b'$' { host.clone() } else { vec![byte] }).collect()
}

fn bad_request(client: &mut Client<'_>) -> Result<(), Failure> {
    let mut connection = client.open()?;
    let which = client.random.between(0, BAD.len() - 1);
    if client.random.chance(30) {
        client.get(&mut connection, "/plaintext", HELLO)?;
    }
    connection.send(&bad_bytes(which, client.addr))?;
    let (head, body) = connection.answer(64 << 10)?;
    if head.status != 400 || !head.closes() {
        let what = format!("{} and not 400 with a close for bad request {which}", head.status);
        return Err(Failure::unexpected(what, &body));
    }
    client.answers += 1;
    connection.answers().expect_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_by_its_weight() {
        let mut random = Random::new(3, 0);
        let mut counts = vec![0; KINDS.len()];
        (0..100_000).for_each(|_| counts[choose(&mut random)] += 1);
        let all: usize = KINDS.iter().map(|kind| kind.weight).sum();
        for (kind, count) in KINDS.iter().zip(counts) {
            let wanted = 100_000 * kind.weight / all;
            assert!(
                (wanted * 9 / 10..wanted * 11 / 10).contains(&count),
                "{}: {count} of {wanted}",
                kind.name
            );
        }
    }

    #[test]
    fn chunks_make_up_the_body() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let pattern = Pattern::new(1);
        let mut client = Client { addr, random: Random::new(1, 1), pattern: &pattern, answers: 0 };
        let connection = client.open().unwrap();
        let body = pattern.bytes(7, 100_000);
        let request = client.post(&connection, "/echo", &body, true);
        // Behind its head, a chunked request is what a chunked answer is.
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let split = request.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        let answer = [head, &request[split..]].concat();
        let mut answers = bakestone_bench_client::answers::Answers::new(&answer[..]);
        let (head, mut seen) = (answers.head().unwrap(), Vec::new());
        answers
            .body(&head, &mut |piece| {
                seen.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
        assert!(seen == body);
    }

    #[test]
    fn a_bad_request_names_the_right_host() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 80));
        let bytes = bad_bytes(1, addr);
        assert!(bytes.ends_with(b"\r\nHost: 127.0.0.1:80\r\nHost: 127.0.0.1:80\r\n\r\n"));
    }
}
