//! A naive reader of a request's head (RFC 9112, sections 3 to 6).

use bakestone::Limits;

use super::fields::{Field, elements, framing, has, is_tchar, named, persists};
use super::reader::Reader;
use super::target::{authority, is_good, is_target_byte};
use super::{Framing, Stop};

/// A request's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The target as it came.
    pub target: String,
    /// Whether it is HTTP/1.0, and not a later 1.x.
    pub is_10: bool,
    /// The fields in order.
    pub fields: Vec<Field>,
    /// The content that follows.
    pub framing: Framing,
    /// Whether the client keeps the connection.
    pub persists: bool,
    /// Whether the client waits for 100 (Continue).
    pub expects_continue: bool,
    /// Whether the connection may become another protocol's.
    pub upgrade: bool,
    /// Whether the client takes trailers.
    pub accepts_trailers: bool,
}

/// Reads the head at the front, and says where it ends.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<(Request, usize), Stop> {
    let mut reader = Reader::new(bytes, 0);
    reader.end = limits.head_bytes;
    let (method, target, version) = request_line(&mut reader, limits)?;
    let fields = reader.section(limits.head_fields)?;
    Ok((judge(method, target, version == b'0', fields)?, reader.at))
}

/// `method SP request-target SP HTTP-version CRLF`, and empty lines before it. The last digit stands for the version.
fn request_line(reader: &mut Reader<'_>, limits: &Limits) -> Result<(String, String, u8), Stop> {
    while reader.peek()? == b'\r' {
        reader.at += 1;
        reader.expect(b'\n')?;
    }
    let method = word(reader, is_tchar, (64, 501))?;
    let target = word(reader, is_target_byte, (limits.target_bytes, 414))?;
    reader.run_of(b"HTTP/")?;
    let major = digit(reader)?;
    reader.expect(b'.')?;
    let minor = digit(reader)?;
    reader.run_of(b"\r\n")?;
    // What kind of message it would be is only known once the line is whole.
    if major == b'1' { Ok((method, target, minor)) } else { Err(Stop::wrong(505)) }
}

/// One or more good bytes, at most so many, and the space after them.
fn word(
    reader: &mut Reader<'_>,
    good: impl Fn(u8) -> bool,
    (most, status): (usize, u16),
) -> Result<String, Stop> {
    let mut word = String::new();
    while good(reader.peek()?) {
        if word.len() == most {
            return reader.wrong(status);
        }
        word.push(char::from(reader.peek()?));
        reader.at += 1;
    }
    if word.is_empty() {
        return reader.wrong(400);
    }
    reader.expect(b' ')?;
    Ok(word)
}

/// `DIGIT`
pub(super) fn digit(reader: &mut Reader<'_>) -> Result<u8, Stop> {
    let byte = reader.peek()?;
    if !byte.is_ascii_digit() {
        return reader.wrong(400);
    }
    reader.at += 1;
    Ok(byte)
}

/// What the fields mean. What is malformed comes first (400), then a coding that is not known (501), then an
/// expectation that is not known (417).
fn judge(method: String, target: String, is_10: bool, fields: Vec<Field>) -> Result<Request, Stop> {
    let hosts = named(&fields, "host");
    let host = hosts.first().map(|host| authority(host).ok_or(Stop::wrong(400))).transpose()?;
    let named_once = hosts.len() == 1 || (hosts.is_empty() && is_10);
    if !named_once || !is_good(&method, target.as_bytes(), host.as_ref()) {
        return Err(Stop::wrong(400));
    }
    let framing = framing(&fields, is_10)?.unwrap_or(Framing::Length(0));
    let unknown = |expectation: &Vec<u8>| !expectation.is_empty() && expectation != b"100-continue";
    if !is_10 && elements(&fields, "expect").iter().any(unknown) {
        return Err(Stop::wrong(417));
    }
    let expects = has(&fields, "expect", "100-continue") && framing != Framing::Length(0);
    let names_protocol = named(&fields, "upgrade").iter().any(|value| !value.is_empty());
    let upgrades = names_protocol && has(&fields, "connection", "upgrade");
    let trailers = has(&fields, "te", "trailers") && has(&fields, "connection", "te");
    Ok(Request {
        framing,
        persists: persists(&fields, is_10),
        expects_continue: !is_10 && expects,
        upgrade: method == "CONNECT" || (!is_10 && upgrades),
        accepts_trailers: !is_10 && trailers,
        method,
        target,
        is_10,
        fields,
    })
}
