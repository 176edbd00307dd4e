//! The answers of an HTTP/1.1 server, from the bytes on.
//!
//! The rule: it is strict. Whatever a server of the contract has no reason to send is a failure that shows the
//! bytes, and a body that is not whole is never taken for one that is.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

/// How long a server may be silent, or take nothing, before it counts as stuck.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of a line of a head or a chunk; a whole buffer of answers has no more.
const BUFFER: usize = 16 << 10;
const FIELDS: usize = 100;

/// Why something did not go as it must.
#[derive(Debug)]
pub enum Failure {
    /// The system said no.
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The server closed where it must not.
    Closed {
        /// What was being done.
        doing: &'static str,
    },
    /// The client itself has had enough, on purpose.
    Enough,
    /// The server sent what it must not.
    Unexpected {
        /// What is wrong with it.
        what: Cow<'static, str>,
        /// Where it begins to be wrong.
        seen: Vec<u8>,
    },
}

impl Failure {
    /// Makes a failure of an error that came while doing that.
    pub fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io { doing, error }
    }

    /// Something that must not be there; `seen` is cut to what a person reads.
    pub fn unexpected(what: impl Into<Cow<'static, str>>, seen: &[u8]) -> Self {
        Self::Unexpected { what: what.into(), seen: seen[..seen.len().min(120)].to_vec() }
    }

    /// What failures are counted by.
    pub fn kind(&self) -> String {
        match self {
            Self::Io { doing, error } => format!("{doing}: {:?}", error.kind()),
            Self::Closed { doing } => format!("{doing}: closed"),
            Self::Enough => self.to_string(),
            Self::Unexpected { what, .. } => what.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, error } if is_timeout(error) => {
                write!(f, "{doing}: nothing for {} s", PATIENCE.as_secs())
            }
            Self::Io { doing, error } => write!(f, "{doing}: {error}"),
            Self::Closed { doing } => write!(f, "{doing}: the server closed the connection"),
            Self::Enough => f.write_str("the client has had enough"),
            Self::Unexpected { what, seen } => write!(f, "{what}: \"{}\"", seen.escape_ascii()),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    fields: Vec<(String, Vec<u8>)>,
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
}

impl Head {
    /// The values of a field, whose name is given in lower case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| &value[..])
    }

    /// The value of a field that may be there once.
    fn value(&self, name: &'static str) -> Result<Option<&[u8]>, Failure> {
        let mut values = self.values(name);
        let first = values.next();
        match values.next() {
            Some(second) => Err(Failure::unexpected(format!("{name} is there twice"), second)),
            None => Ok(first),
        }
    }

    /// Whether the server says that it closes after this answer.
    pub fn closes(&self) -> bool {
        let is_close = |option: &[u8]| option.trim_ascii().eq_ignore_ascii_case(b"close");
        self.values("connection").any(|value| value.split(|&byte| byte == b',').any(is_close))
    }

    /// The framing of an answer to GET or POST (RFC 9112, 6.3). One that only the close ends is refused:
    /// nobody could tell it from a broken one.
    fn framing(&self) -> Result<Framing, Failure> {
        match (self.value("content-length")?, self.value("transfer-encoding")?) {
            (Some(length), None) => {
                let number = number(length, 10);
                number.map(Framing::Length).ok_or_else(|| Failure::unexpected("content-length", length))
            }
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            (None, Some(coding)) => Err(Failure::unexpected("transfer-encoding", coding)),
            (Some(_), Some(coding)) => {
                Err(Failure::unexpected("content-length and transfer-encoding", coding))
            }
            (None, None) => {
                Err(Failure::unexpected("an answer without a length", self.status.to_string().as_bytes()))
            }
        }
    }
}

/// Digits and nothing else.
fn number(text: &[u8], radix: u32) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(|&byte| char::from(byte).is_digit(radix));
    digits
        .then(|| std::str::from_utf8(text).ok())
        .flatten()
        .and_then(|text| u64::from_str_radix(text, radix).ok())
}

/// `HTTP/1.1 200 OK` (RFC 9112, 4).
fn parse_status_line(line: &[u8]) -> Result<u16, Failure> {
    let refused = || Failure::unexpected("status line", line);
    let rest = line.strip_prefix(b"HTTP/1.1 ").ok_or_else(refused)?;
    let (code, reason) = rest.split_at_checked(3).ok_or_else(refused)?;
    let status = number(code, 10).and_then(|code| u16::try_from(code).ok()).ok_or_else(refused)?;
    let reason = reason.strip_prefix(b" ").ok_or_else(refused)?;
    // No interim answer was ever asked for.
    let sound = (200..600).contains(&status) && reason.iter().all(|&byte| is_text(byte));
    sound.then_some(status).ok_or_else(refused)
}

/// `Name: value` (RFC 9112, 5); the name comes back in lower case.
fn parse_field(line: &[u8]) -> Result<(String, Vec<u8>), Failure> {
    let refused = || Failure::unexpected("field line", line);
    let colon = line.iter().position(|&byte| byte == b':').ok_or_else(refused)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let value = value.trim_ascii();
    if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) || !value.iter().all(|&byte| is_text(byte))
    {
        return Err(refused());
    }
    Ok((String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec()))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What a field's value and a reason are made of.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Takes the pieces of a body; its error ends the reading.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Failure>;

/// The answers that come from a source of bytes.
pub struct Answers<R> {
    source: R,
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
}

impl<R: Read> Answers<R> {
    /// Reads from the source, from where it is.
    pub fn new(source: R) -> Self {
        Self { source, buffer: vec![0; BUFFER].into(), from: 0, to: 0 }
    }

    /// The source.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// Gives the source back; what was read ahead is lost.
    pub fn into_source(self) -> R {
        self.source
    }

    /// Reads the head of an answer.
    pub fn head(&mut self) -> Result<Head, Failure> {
        let status = parse_status_line(self.line("reading a status line")?)?;
        let mut fields = Vec::new();
        loop {
            let line = self.line("reading a head")?;
            if line.is_empty() {
                return Ok(Head { status, fields });
            }
            fields.push(parse_field(line)?);
            if fields.len() > FIELDS {
                return Err(Failure::unexpected("too many fields", &[]));
            }
        }
    }

    /// Reads the body that belongs to a head, piece by piece. How many bytes it had.
    pub fn body(&mut self, head: &Head, sink: Sink<'_>) -> Result<u64, Failure> {
        match head.framing()? {
            Framing::Length(length) => self.piece(length, sink).map(|()| length),
            Framing::Chunked => self.chunks(sink),
        }
    }

    /// RFC 9112, 7.1. Nobody asked for extensions or trailers.
    fn chunks(&mut self, sink: Sink<'_>) -> Result<u64, Failure> {
        let mut total = 0;
        loop {
            let line = self.line("reading a chunk's size")?;
            let size = number(line, 16).ok_or_else(|| Failure::unexpected("chunk size", line))?;
            self.piece(size, sink)?;
            let end = self.line("reading a chunk's end")?;
            if !end.is_empty() {
                return Err(Failure::unexpected("a chunk's end", end));
            }
            if size == 0 {
                return Ok(total);
            }
            total += size;
        }
    }

    /// Reads `length` bytes.
    fn piece(&mut self, length: u64, sink: Sink<'_>) -> Result<(), Failure> {
        let mut left = length;
        while left > 0 {
            if self.from == self.to && !self.fill("reading a body")? {
                return Err(Failure::Closed { doing: "reading a body" });
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(self.to - self.from);
            let piece = &self.buffer[self.from..self.from + count];
            self.from += count;
            left -= count as u64;
            sink(piece)?;
        }
        Ok(())
    }

    /// Reads to a CRLF and gives what stands before it. A bare CR or LF is neither an end nor text.
    fn line(&mut self, doing: &'static str) -> Result<&[u8], Failure> {
        let mut seen = 0;
        loop {
            let held = &self.buffer[self.from..self.to];
            if let Some(at) = held[seen..].iter().position(|&byte| byte == b'\n') {
                let end = self.from + seen + at;
                let line = &self.buffer[self.from..end];
                let Some(line) = line.strip_suffix(b"\r").filter(|line| !line.contains(&b'\r')) else {
                    return Err(Failure::unexpected("a line that no CRLF ends", line));
                };
                self.from = end + 1;
                return Ok(line);
            }
            seen = held.len();
            if seen == self.buffer.len() {
                return Err(Failure::unexpected("a line without end", held));
            }
            if !self.fill(doing)? {
                let held = &self.buffer[self.from..self.to];
                return Err(match held {
                    [] => Failure::Closed { doing },
                    held => Failure::unexpected("a line broken off by the close", held),
                });
            }
        }
    }

    /// Reads what there is behind what is held; `false` at the end.
    fn fill(&mut self, doing: &'static str) -> Result<bool, Failure> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        loop {
            match self.source.read(&mut self.buffer[self.to..]) {
                Ok(count) => {
                    self.to += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::Io { doing, error }),
            }
        }
    }

    /// An error if more than the answers has come.
    pub fn expect_nothing_more(&self) -> Result<(), Failure> {
        match &self.buffer[self.from..self.to] {
            [] => Ok(()),
            more => Err(Failure::unexpected("bytes behind the answer", more)),
        }
    }

    /// Reads to the end of the connection, where nothing more may come.
    pub fn expect_end(&mut self) -> Result<(), Failure> {
        self.expect_nothing_more()?;
        self.fill("waiting for the close")?;
        self.expect_nothing_more()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `step` bytes at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// The status, the body and whether the connection closes, of every answer of `bytes` to its end.
    fn read(bytes: &[u8], step: usize) -> Result<Vec<(u16, Vec<u8>, bool)>, Failure> {
        let mut answers = Answers::new(Dribble(bytes, step));
        let mut all = Vec::new();
        while answers.from < answers.to || answers.fill("testing")? {
            let head = answers.head()?;
            let mut body = Vec::new();
            let count = answers.body(&head, &mut |piece| {
                body.extend_from_slice(piece);
                Ok(())
            })?;
            assert_eq!(count, body.len() as u64);
            all.push((head.status, body, head.closes()));
        }
        Ok(all)
    }

    fn refused(bytes: &str) -> String {
        let whole = read(bytes.as_bytes(), usize::MAX).unwrap_err().to_string();
        assert!(read(bytes.as_bytes(), 1).is_err(), "{bytes:?} a byte at a time");
        whole
    }

    #[test]
    fn answers_are_read_at_every_cut() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello\
                      HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n\
                      HTTP/1.1 400 Bad Request\r\nContent-Length:0\r\nConnection: x, Close\r\n\r\n";
        let wanted = vec![
            (200, b"hello".to_vec(), false),
            (200, b"abc0123456789".to_vec(), false),
            (400, Vec::new(), true),
        ];
        for step in 1..bytes.len() {
            assert_eq!(read(bytes, step).unwrap(), wanted, "{step} at a time");
        }
    }

    #[test]
    fn a_body_longer_than_the_buffer_is_read() {
        let body = vec![b'x'; 3 * BUFFER + 1];
        let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(&body);
        assert_eq!(read(&bytes, usize::MAX).unwrap(), [(200, body, false)]);
    }

    #[test]
    fn odd_status_lines_are_refused() {
        for line in
            ["HTTP/1.0 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 200", "HTTP/1.1  200 OK", "http/1.1 200 OK"]
        {
            let seen = refused(&format!("{line}\r\nContent-Length: 0\r\n\r\n"));
            assert_eq!(seen, format!("status line: \"{line}\""));
        }
        assert!(refused("HTTP/1.1 100 Continue\r\n\r\n").starts_with("status line"));
    }

    #[test]
    fn odd_fields_are_refused() {
        for field in ["NoColon", ": x", "A : x", " A: x", "A: \x01", "A: x\x7f"] {
            let seen = refused(&format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n"));
            assert!(seen.starts_with("field line: "), "{field:?}: {seen}");
        }
        assert!(refused("HTTP/1.1 200 OK\nContent-Length: 0\n\n").starts_with("a line that no CRLF ends"));
        assert!(refused("HTTP/1.1 200 OK\r\nA: \rb\r\n\r\n").starts_with("a line that no CRLF ends"));
        assert!(refused(&format!("HTTP/1.1 200 {}", "x".repeat(BUFFER))).starts_with("a line without end"));
    }

    #[test]
    fn odd_framing_is_refused() {
        for (fields, wanted) in [
            ("", "an answer without a length: \"200\""),
            ("Content-Length: 1\r\nContent-Length: 1\r\n", "content-length is there twice: \"1\""),
            ("Content-Length: +1\r\n", "content-length: \"+1\""),
            ("Content-Length: \r\n", "content-length: \"\""),
            ("Transfer-Encoding: gzip\r\n", "transfer-encoding: \"gzip\""),
            (
                "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                "content-length and transfer-encoding: \"chunked\"",
            ),
        ] {
            assert_eq!(refused(&format!("HTTP/1.1 200 OK\r\n{fields}\r\nx")), wanted);
        }
    }

    #[test]
    fn odd_chunks_are_refused() {
        for (body, wanted) in [
            ("x\r\n", "chunk size: \"x\""),
            ("1;a=b\r\n", "chunk size: \"1;a=b\""),
            ("\r\n", "chunk size: \"\""),
            ("1\r\nab\r\n", "a chunk's end: \"b\""),
            ("0\r\nA: b\r\n\r\n", "a chunk's end: \"A: b\""),
        ] {
            assert_eq!(
                refused(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}")),
                wanted
            );
        }
    }

    #[test]
    fn what_is_broken_off_is_never_whole() {
        let sized: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let chunked: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        for bytes in [sized, chunked] {
            assert!(read(bytes, usize::MAX).is_ok());
            for cut in 1..bytes.len() {
                assert!(read(&bytes[..cut], usize::MAX).is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn the_end_is_the_end() {
        let whole: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let mut answers = Answers::new(whole);
        answers.head().unwrap();
        answers.expect_end().unwrap();
        let more = [whole, b"x"].concat();
        let mut answers = Answers::new(&more[..]);
        answers.head().unwrap();
        assert_eq!(answers.expect_end().unwrap_err().to_string(), "bytes behind the answer: \"x\"");
    }
}
