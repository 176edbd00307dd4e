//! A small client of HTTP/1.1: connections, requests, and what their answers must be.
//!
//! The rule: it sends what it is told to, right or wrong, and never waits without end.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use crate::answers::{Answers, Failure, Head, PATIENCE};

/// A connection to the server.
pub struct Connection {
    answers: Answers<TcpStream>,
    host: SocketAddr,
}

/// One of the loopback's addresses to connect from, each in its turn, so that the ports of one are not used up
/// by connections in TIME_WAIT. `None` if the server is not on the loopback of IPv4.
fn next_source(addr: SocketAddr) -> Option<SocketAddr> {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let IpAddr::V4(ip) = addr.ip() else { return None };
    let last = (TURN.fetch_add(1, Ordering::Relaxed) % 8) as u8 + 1;
    ip.is_loopback().then(|| SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)))
}

impl Connection {
    /// Connects, from one of the loopback's addresses if the server is on it.
    pub fn open(addr: SocketAddr) -> Result<Self, Failure> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None);
        let socket = socket.map_err(Failure::io("making a socket"))?;
        if let Some(source) = next_source(addr) {
            // A port whose last connection is in TIME_WAIT is as good as a fresh one.
            socket.set_reuse_address(true).map_err(Failure::io("making a socket"))?;
            socket.bind(&source.into()).map_err(Failure::io("binding"))?;
        }
        socket.connect_timeout(&addr.into(), PATIENCE).map_err(Failure::io("connecting"))?;
        let stream = TcpStream::from(socket);
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
            .map_err(Failure::io("making a socket"))?;
        Ok(Self { answers: Answers::new(stream), host: addr })
    }

    /// The socket.
    pub fn stream(&self) -> &TcpStream {
        self.answers.source()
    }

    /// The answers, to be read by hand.
    pub fn answers(&mut self) -> &mut Answers<TcpStream> {
        &mut self.answers
    }

    /// Keeps the connection and gives its buffer back.
    pub fn into_stream(self) -> TcpStream {
        self.answers.into_source()
    }

    /// The head of a request; `fields` are whole lines.
    pub fn request(&self, method: &str, target: &str, fields: &str) -> Vec<u8> {
        format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", self.host).into_bytes()
    }

    /// Sends all of `bytes`.
    pub fn send(&self, bytes: &[u8]) -> Result<(), Failure> {
        send(self.stream(), bytes)
    }

    /// No more is sent; answers are still read.
    pub fn finish(&self) -> Result<(), Failure> {
        self.stream().shutdown(Shutdown::Write).map_err(Failure::io("half-closing"))
    }

    /// Closes with a reset.
    pub fn reset(self) -> Result<(), Failure> {
        let linger = SockRef::from(self.stream()).set_linger(Some(Duration::ZERO));
        linger.map_err(Failure::io("setting SO_LINGER"))
    }

    /// Reads an answer whole: its head and its body of at most `limit` bytes.
    pub fn answer(&mut self, limit: usize) -> Result<(Head, Vec<u8>), Failure> {
        let head = self.answers.head()?;
        let mut body = Vec::new();
        self.answers.body(&head, &mut |piece| {
            if body.len() + piece.len() > limit {
                return Err(Failure::unexpected("a body that is too long", piece));
            }
            body.extend_from_slice(piece);
            Ok(())
        })?;
        Ok((head, body))
    }

    /// Reads an answer that must be a 200 with this body.
    pub fn expect(&mut self, wanted: &[u8], after: After) -> Result<(), Failure> {
        let (head, body) = self.answer(wanted.len().max(4096))?;
        expect_ok(&head, after)?;
        if body != wanted {
            let at =
                body.iter().zip(wanted).position(|(a, b)| a != b).unwrap_or(body.len().min(wanted.len()));
            let what = format!("a body of {} bytes and not the {} wanted, at {at}", body.len(), wanted.len());
            return Err(Failure::unexpected(what, &body[at..]));
        }
        Ok(())
    }

    /// Sends a request and reads an answer that must be a 200 with this body.
    pub fn get(&mut self, target: &str, wanted: &[u8]) -> Result<(), Failure> {
        self.send(&self.request("GET", target, ""))?;
        self.expect(wanted, After::Kept)
    }

    /// Sends on one thread while the answer is read on another, as a server that streams needs it. If neither
    /// is well, the reader's failure is the one that tells why.
    pub fn exchange<T>(
        &mut self,
        sender: impl FnOnce(&TcpStream) -> Result<(), Failure> + Send,
        reader: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let stream = self.stream().try_clone().map_err(Failure::io("doubling a socket"))?;
        thread::scope(|scope| {
            let sending = scope.spawn(|| sender(&stream));
            let read = reader(self);
            if read.is_err() {
                // Wakes a sender that waits for room.
                let _ = self.stream().shutdown(Shutdown::Both);
            }
            let sent = sending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            read.and_then(|value| sent.map(|()| value))
        })
    }
}

/// Sends all of `bytes`.
pub fn send(mut stream: &TcpStream, bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes).map_err(Failure::io("sending"))
}

/// What an answer must say of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is kept.
    Kept,
    /// It is closed.
    Closed,
    /// Either is right.
    Any,
}

/// A 200 that says of its connection what it must.
pub fn expect_ok(head: &Head, after: After) -> Result<(), Failure> {
    if head.status != 200 {
        return Err(Failure::unexpected("a status that is not 200", head.status.to_string().as_bytes()));
    }
    let said = head.values("connection").next().unwrap_or_default();
    match (after, head.closes()) {
        (After::Kept, true) => Err(Failure::unexpected("the connection is not kept", said)),
        (After::Closed, false) => Err(Failure::unexpected("the close is not announced", said)),
        _ => Ok(()),
    }
}
