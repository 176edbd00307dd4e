//! The floor on epoll: the calls of the kernel that a server cannot do without.
//!
//! The rule: no runtime and no parser. It knows how long a request is, and never what one says.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use bakestone_bench_servers::{FixedAnswer, Flags};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// The event of the listener; a connection's is its descriptor.
const LISTENER: u64 = u64::MAX;

/// A connection, and how many bytes of a request have come.
struct Connection {
    stream: TcpStream,
    held: usize,
}

/// What all connections share.
struct Loop {
    input: Box<[u8]>,
    output: Vec<u8>,
    answer: FixedAnswer,
    request_bytes: usize,
}

impl Loop {
    /// Answers what has come; `false` at the end of the connection.
    fn converse(&mut self, connection: &mut Connection) -> io::Result<bool> {
        let count = match connection.stream.read(&mut self.input) {
            Ok(0) => return Ok(false),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        };
        connection.held += count;
        self.output.clear();
        while connection.held >= self.request_bytes {
            connection.held -= self.request_bytes;
            self.output.extend_from_slice(self.answer.bytes());
        }
        // A client that does not read its few answers is none for this program, and is broken off.
        connection.stream.write_all(&self.output).map(|()| true)
    }
}

fn accept(listener: &TcpListener, epoll: &impl std::os::fd::AsFd) -> io::Result<Option<(u64, Connection)>> {
    let (stream, _) = match listener.accept() {
        Ok(accepted) => accepted,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
        Err(error) => return Err(error),
    };
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let key = u64::from(stream.as_raw_fd().unsigned_abs());
    epoll::add(epoll, &stream, EventData::new_u64(key), EventFlags::IN)?;
    Ok(Some((key, Connection { stream, held: 0 })))
}

fn main() -> io::Result<()> {
    let flags = Flags::from_arguments();
    let listener = flags.listen()?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut connections: HashMap<u64, Connection> = HashMap::new();
    let mut shared = Loop {
        input: vec![0; 16 << 10].into(),
        output: Vec::new(),
        answer: FixedAnswer::new(),
        request_bytes: flags.request_bytes,
    };
    let mut events: Vec<Event> = Vec::with_capacity(1024);
    loop {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        shared.answer.refresh();
        for event in &events {
            let key = event.data.u64();
            if key == LISTENER {
                connections.extend(accept(&listener, &epoll)?);
            } else if let Some(connection) = connections.get_mut(&key) {
                // Dropping it closes it, which takes it out of the epoll.
                if !shared.converse(connection).unwrap_or(false) {
                    connections.remove(&key);
                }
            }
        }
    }
}
