//! What an echo costs without sockets: a session that is stepped by hand beside the peers' codecs on a pipe in memory.
//!
//! The rule: each gets the same bytes by a copy, as a read would bring them, and what it writes is counted and let go.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bakestone_std::READ_AT_ONCE;
use bakestone_std::bakestone::machine::{Io, Machine, Memory, Now};
use bakestone_std::bakestone::{App, Session, get};
use bytes::Buf;
use fastwebsockets::{OpCode, Role as FastRole};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

use crate::cases::payload;
use crate::client::{handshake, masked, unmasked};
use crate::measure::median;
use crate::pipe::Pipe;
use crate::serve;

const SIZES: [(&str, usize); 3] = [("64 B", 64), ("16 KiB", 16 << 10), ("1 MiB", 1 << 20)];
const ROUNDS: usize = 7;

/// How long a measurement takes.
const TIME: Duration = Duration::from_millis(60);

/// The frames of a message: what is read, and how many bytes must be written for it.
struct Frames {
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// Prints the table; what was not as it must be.
pub(crate) fn run(check: bool) -> Result<Vec<String>, String> {
    println!("\n| without sockets, ns/message | bakestone, a session | fastwebsockets | tungstenite |");
    println!("|---|---|---|---|");
    for (name, length) in SIZES {
        let payload = payload(length);
        let frames = Frames { request: masked(&payload, [1, 2, 3, 4]), answer: unmasked(&payload) };
        let mut own = Own::new(&frames)?;
        let mut echoes: [Box<dyn FnMut() -> usize + '_>; 3] =
            [Box::new(move || own.echo()), Box::new(fast(&frames)), Box::new(tungstenite(&frames))];
        for echo in &mut echoes {
            let written = echo();
            if written != frames.answer.len() {
                return Ok(vec![format!("{name}: {written} bytes were written")]);
            }
        }
        if check {
            continue;
        }
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            echoes.iter_mut().zip(&mut times).for_each(|(echo, times)| times.push(time(echo)));
        }
        let [own, fast, tungstenite] = times.map(|times| median(times.into_iter()));
        println!("| {name} | {own:.0} | {fast:.0} | {tungstenite:.0} |");
    }
    Ok(Vec::new())
}

/// Nanoseconds for an echo.
fn time(echo: &mut dyn FnMut() -> usize) -> f64 {
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < TIME {
        (0..16).for_each(|_| _ = echo());
        count += 16;
    }
    began.elapsed().as_nanos() as f64 / f64::from(count)
}

/// A session with what a driver keeps for it.
struct Own<'a> {
    machine: Box<dyn Machine>,
    io: Io,
    memory: Memory,
    frames: &'a Frames,
}

impl<'a> Own<'a> {
    fn new(frames: &'a Frames) -> Result<Self, String> {
        let app = App::new().route("/", get(serve::echo)).build().map_err(|error| format!("{error:?}"))?;
        let machine = Box::new(Session::new(app));
        let mut own = Self { machine, io: Io::default(), memory: Memory::default(), frames };
        own.step(handshake("/", "").as_bytes());
        let head = own.io.output.copy_to_bytes(own.io.output.remaining());
        match head.starts_with(b"HTTP/1.1 101 ") {
            true => Ok(own),
            false => Err(format!("not what accepts a WebSocket: {head:?}")),
        }
    }

    fn step(&mut self, bytes: &[u8]) {
        self.io.lend(&mut self.memory);
        self.io.input.reserve(READ_AT_ONCE);
        self.io.input.extend_from_slice(bytes);
        let _ = self.machine.step(Now::default(), &mut self.io, &mut Context::from_waker(Waker::noop()));
    }

    fn echo(&mut self) -> usize {
        for piece in self.frames.request.chunks(READ_AT_ONCE) {
            self.step(piece);
            if !self.io.output.is_empty() {
                continue;
            }
            self.io.give_back(&mut self.memory);
        }
        let written = self.io.output.remaining();
        let mut same = self.frames.answer.len() == written;
        let mut rest = &self.frames.answer[..];
        while self.io.output.has_remaining() {
            let count = self.io.output.chunk().len();
            // The first and the last byte of a piece tell whether it is in its place.
            same &= rest.get(count - 1) == self.io.output.chunk().last();
            rest = rest.get(count..).unwrap_or_default();
            self.io.output.advance(count);
        }
        self.io.give_back(&mut self.memory);
        if same { written } else { 0 }
    }
}

/// What nothing makes wait is over when it is polled once.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn tungstenite(frames: &Frames) -> impl FnMut() -> usize + '_ {
    let (pipe, written) = Pipe::new(&frames.request);
    let mut socket = WebSocket::from_raw_socket(pipe, Role::Server, None);
    move || {
        let before = written.get();
        let sent = socket.read().and_then(|message| socket.send(message));
        if sent.is_ok() { written.get() - before } else { 0 }
    }
}

fn fast(frames: &Frames) -> impl FnMut() -> usize + '_ {
    let (pipe, written) = Pipe::new(&frames.request);
    let socket = fastwebsockets::WebSocket::after_handshake(pipe, FastRole::Server);
    let mut socket = fastwebsockets::FragmentCollector::new(socket);
    move || {
        let before = written.get();
        let echoed = now(async {
            let frame = socket.read_frame().await.ok().filter(|frame| frame.opcode == OpCode::Binary)?;
            socket.write_frame(frame).await.ok()
        });
        if echoed.flatten().is_some() { written.get() - before } else { 0 }
    }
}
