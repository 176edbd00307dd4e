//! What the servers have in common: their flags, and the values that they answer with.
//!
//! The rule: whatever is not the framework's is done here, once, so that what differs is the framework.

pub mod forms;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// The body of `/plaintext`.
pub const HELLO: &str = "Hello, World!";

/// The body of `/html`.
pub const PAGE: &str = "<b>HTML OK</b>";

/// The media type of text.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// How many connections may wait to be accepted, where a server lets one say it.
pub const BACKLOG: u32 = 4096;

/// How long a connection may be idle, where a server lets one say it. Bakestone's are told the same.
pub const IDLE: Duration = Duration::from_secs(60);

/// What a server is told: `--addr HOST:PORT`, `--root DIR`, and for a floor `--request-bytes N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Where to listen.
    pub address: SocketAddr,
    /// How long each request is, in bytes. A floor does not look for the end of one.
    pub request_bytes: usize,
    /// The folder below `/static`; this one if nobody says.
    pub root: PathBuf,
}

impl Flags {
    /// Reads the arguments of this process, and ends it with 2 where they make no sense.
    #[must_use]
    pub fn from_arguments() -> Self {
        Self::parse(std::env::args().skip(1)).unwrap_or_else(|mistake| {
            eprintln!("{mistake}\nusage: SERVER --addr HOST:PORT [--root DIR] [--request-bytes N]");
            std::process::exit(2)
        })
    }

    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut address, mut request_bytes, mut root) = (None, 1, PathBuf::from("."));
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let bad = || format!("{value} is no value for {flag}");
            match flag.as_str() {
                "--addr" => address = Some(value.parse().map_err(|_| bad())?),
                "--root" => root = value.into(),
                "--request-bytes" => {
                    request_bytes = value.parse().ok().filter(|&bytes| bytes > 0).ok_or_else(bad)?;
                }
                _ => return Err(format!("there is no flag {flag}")),
            }
        }
        Ok(Self { address: address.ok_or("--addr HOST:PORT is needed")?, request_bytes, root })
    }

    /// A listener that does not block, for servers that take one.
    ///
    /// # Errors
    ///
    /// The address is taken, or not this machine's.
    pub fn listen(&self) -> std::io::Result<TcpListener> {
        let listener = TcpListener::bind(self.address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

/// The value that `/json` answers with.
#[must_use]
pub fn message() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([("message", HELLO)])
}

/// The value that `/api/users/{user}/records/{record}` answers with.
#[must_use]
pub fn record((user, record): (u64, u64), query: Vec<(String, String)>, data: &Value) -> Value {
    let query: Map<String, Value> = query.into_iter().map(|(name, value)| (name, value.into())).collect();
    json!({"params": {"user": user, "record": record}, "query": query, "data": data})
}

/// The body of `/users/{id}/posts/{post}`.
#[must_use]
pub fn user_post(id: &str, post: &str) -> String {
    format!("{id} {post}")
}

/// The value of `x-time`: seconds since the Unix epoch.
#[must_use]
pub fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// The answer of a floor, whose `Date` is brought up to date once a second.
#[derive(Debug)]
pub struct FixedAnswer {
    bytes: Vec<u8>,
    second: u64,
}

impl FixedAnswer {
    /// An answer of now.
    #[must_use]
    pub fn new() -> Self {
        let mut answer = Self { bytes: Vec::new(), second: 0 };
        answer.refresh();
        answer
    }

    /// The bytes of the answer as it was last refreshed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes the date anew if the second is another one.
    pub fn refresh(&mut self) {
        let second = seconds();
        if self.second != second {
            self.second = second;
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
            let length = HELLO.len();
            self.bytes = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {TEXT}\r\nContent-Length: {length}\r\nDate: {date}\r\n\r\n{HELLO}"
            )
            .into_bytes();
        }
    }
}

impl Default for FixedAnswer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read() {
        let parse = |line: &str| Flags::parse(line.split_whitespace().map(str::to_owned));
        let flags = parse("--addr 127.0.0.1:80 --request-bytes 40 --root /srv").expect("they are known");
        assert_eq!((flags.address.port(), flags.request_bytes, flags.root), (80, 40, "/srv".into()));
        for line in ["", "--addr", "--addr here", "--addr 127.0.0.1:80 --request-bytes 0", "--port 80"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_fixed_answer_is_whole() {
        let answer = FixedAnswer::new();
        let text = String::from_utf8_lossy(answer.bytes()).into_owned();
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with(" GMT\r\n\r\nHello, World!"),
            "{text}"
        );
    }
}
