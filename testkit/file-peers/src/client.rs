//! A client on plain sockets, which reads what it must and no more.
//!
//! The rule: one request is on its way on a connection, and whatever comes after its answer is a fault.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::cases::{Case, Folder};
use crate::servers::Running;

/// The most that is read at a time.
const BLOCK: usize = 256 << 10;

/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What a client is told before the content.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The bytes of the content that came.
    pub(crate) length: u64,
    pub(crate) modified: Option<String>,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(server: &Running) -> Result<Self, String> {
        let connect = || {
            let stream = TcpStream::connect(server.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(Self { stream, buffer: vec![0; BLOCK] })
        };
        connect().map_err(|error: std::io::Error| format!("no connection: {error}"))
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<(), String> {
        self.stream.write_all(request).map_err(|error| format!("the request: {error}"))
    }

    /// Reads one answer; `take` is given its content, piece by piece.
    pub(crate) fn receive(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<Answer, String> {
        let (mut filled, end) = self.head()?;
        let head = std::str::from_utf8(&self.buffer[..end]).map_err(|_| "the head is no text")?;
        let answer = parse(head)?;
        let (mut left, mut start) = (answer.length, end);
        loop {
            let piece = &self.buffer[start..filled];
            left = left.checked_sub(piece.len() as u64).ok_or("more came than the content")?;
            take(piece)?;
            if left == 0 {
                return Ok(answer);
            }
            (start, filled) = (0, self.read(0)?);
        }
    }

    /// How much is in the buffer once the head is whole, and where the head ends.
    fn head(&mut self) -> Result<(usize, usize), String> {
        let mut filled = 0;
        while filled < self.buffer.len() {
            filled += self.read(filled)?;
            if let Some(end) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                return Ok((filled, end + 4));
            }
        }
        Err("the head has no end".to_owned())
    }

    fn read(&mut self, filled: usize) -> Result<usize, String> {
        match self.stream.read(&mut self.buffer[filled..]) {
            Ok(0) => Err("the connection was closed".to_owned()),
            Ok(count) => Ok(count),
            Err(error) => Err(format!("the answer: {error}")),
        }
    }
}

fn parse(head: &str) -> Result<Answer, String> {
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let mut answer = Answer { status: status.ok_or("no status")?, length: 0, modified: None };
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.parse().map_err(|_| "Content-Length is no number")?);
        } else if name.eq_ignore_ascii_case("last-modified") {
            answer.modified = Some(value.to_owned());
        }
    }
    // A 304 has no content, whatever length it tells.
    if answer.status != 304 {
        answer.length = length.ok_or("no Content-Length")?;
    }
    Ok(answer)
}

/// The request of a case, for which a condition is first asked for.
pub(crate) fn request(connection: &mut Connection, case: &Case) -> Result<Vec<u8>, String> {
    if !case.conditional {
        return Ok(case.request(None));
    }
    connection.send(&case.request(None))?;
    let modified = connection.receive(|_| Ok(()))?.modified.ok_or("no Last-Modified")?;
    Ok(case.request(Some(&modified)))
}

/// Asks once, and compares what comes with the file.
pub(crate) fn check(server: &Running, case: &Case, folder: &Folder) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the file: {error}");
    let mut connection = Connection::open(server)?;
    let request = request(&mut connection, case)?;
    // Twice, so that a connection that is not kept is found.
    for _ in 0..2 {
        let mut file = File::open(folder.file(case.file)).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut expected = vec![0; BLOCK];
        connection.send(&request)?;
        let answer = connection.receive(|piece| {
            let expected = &mut expected[..piece.len()];
            file.read_exact(expected).map_err(failed)?;
            if piece == expected { Ok(()) } else { Err("other bytes than the file's".to_owned()) }
        })?;
        let length = if case.conditional { 0 } else { length };
        if (answer.status, answer.length) != (case.status(), length) {
            return Err(format!("not {} with {length} bytes: {answer:?}", case.status()));
        }
    }
    Ok(())
}
