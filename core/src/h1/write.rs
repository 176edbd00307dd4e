//! Heads on their way out: what a caller's fields say, and how a head is written.
//!
//! The rule: framing and persistence are decided by the connection. A field that says the same is dropped and
//! written anew; one that says something else is a [`Misuse`].

use ::http::header::{CONNECTION, CONTENT_LENGTH, DATE, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::BytesMut;

use super::error::Misuse;
use super::grammar::{Decimal, decimal, elements};
use super::target::Authority;

/// What the caller's fields say of framing and of the connection.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) content_length: Option<u64>,
    /// `Connection: close`.
    pub(super) close: bool,
    /// `Connection: upgrade`.
    pub(super) connection_upgrade: bool,
    /// `Connection: te`.
    pub(super) connection_te: bool,
    pub(super) upgrade: bool,
    pub(super) te: bool,
    pub(super) date: bool,
    /// Exactly one `Host`, and a valid one.
    pub(super) host: bool,
}

impl Given {
    /// Reads the fields of a head.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Misuse> {
        let mut given = Self::default();
        let mut hosts = 0;
        for (name, value) in headers {
            if *name == CONTENT_LENGTH {
                let length = decimal(value.as_bytes());
                if length.is_none() || given.content_length.is_some() {
                    return Err(Misuse::FramingField(CONTENT_LENGTH));
                }
                given.content_length = length;
            } else if *name == TRANSFER_ENCODING {
                return Err(Misuse::FramingField(TRANSFER_ENCODING));
            } else if *name == CONNECTION {
                given.connection(value)?;
            } else if *name == DATE {
                given.date = true;
            } else if *name == UPGRADE {
                given.upgrade = true;
            } else if *name == TE {
                given.te = true;
            } else if *name == HOST {
                hosts += 1;
                given.host = hosts == 1 && Authority::parse(value.as_bytes()).is_some();
            }
        }
        Ok(given)
    }

    fn connection(&mut self, value: &HeaderValue) -> Result<(), Misuse> {
        for option in elements(value.as_bytes()) {
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.connection_upgrade = true;
            } else if option.eq_ignore_ascii_case(b"te") {
                self.connection_te = true;
            } else {
                return Err(Misuse::FramingField(CONNECTION));
            }
        }
        Ok(())
    }
}

/// The field that declares the length of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LengthField {
    None,
    ContentLength(u64),
    Chunked,
}

impl LengthField {
    pub(super) fn write(self, out: &mut BytesMut) {
        match self {
            Self::None => {}
            Self::ContentLength(length) => {
                out.extend_from_slice(b"content-length: ");
                out.extend_from_slice(Decimal::new(length).as_bytes());
                out.extend_from_slice(b"\r\n");
            }
            Self::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        }
    }
}

/// The options of the `Connection` field that this end writes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) upgrade: bool,
    pub(super) te: bool,
}

impl Options {
    pub(super) fn write(self, out: &mut BytesMut) {
        if !(self.close || self.keep_alive || self.upgrade || self.te) {
            return;
        }
        let options = [
            (self.close, "close"),
            (self.keep_alive, "keep-alive"),
            (self.upgrade, "upgrade"),
            (self.te, "te"),
        ];
        let mut before: &[u8] = b"connection: ";
        for (_, option) in options.into_iter().filter(|(wanted, _)| *wanted) {
            out.extend_from_slice(before);
            out.extend_from_slice(option.as_bytes());
            before = b", ";
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Writes the caller's fields, without those that the connection writes by itself.
pub(super) fn fields(headers: &HeaderMap, out: &mut BytesMut) {
    for (name, value) in headers {
        if *name != CONTENT_LENGTH && *name != CONNECTION {
            field(name, value.as_bytes(), out);
        }
    }
}

pub(super) fn field(name: &HeaderName, value: &[u8], out: &mut BytesMut) {
    let name = name.as_str().as_bytes();
    out.reserve(name.len() + value.len() + b": \r\n".len());
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// `HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112, section 4).
pub(super) fn status_line(status: StatusCode, out: &mut BytesMut) {
    let line: &[u8] = match status.as_u16() {
        200 => b"HTTP/1.1 200 OK\r\n",
        201 => b"HTTP/1.1 201 Created\r\n",
        204 => b"HTTP/1.1 204 No Content\r\n",
        206 => b"HTTP/1.1 206 Partial Content\r\n",
        302 => b"HTTP/1.1 302 Found\r\n",
        303 => b"HTTP/1.1 303 See Other\r\n",
        304 => b"HTTP/1.1 304 Not Modified\r\n",
        400 => b"HTTP/1.1 400 Bad Request\r\n",
        401 => b"HTTP/1.1 401 Unauthorized\r\n",
        403 => b"HTTP/1.1 403 Forbidden\r\n",
        404 => b"HTTP/1.1 404 Not Found\r\n",
        500 => b"HTTP/1.1 500 Internal Server Error\r\n",
        _ => {
            out.extend_from_slice(b"HTTP/1.1 ");
            out.extend_from_slice(status.as_str().as_bytes());
            out.extend_from_slice(b" ");
            out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
            b"\r\n"
        }
    };
    out.extend_from_slice(line);
}
