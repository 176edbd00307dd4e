//! A naive reader of a response's head (RFC 9112, sections 4 to 6).

use bakestone::Limits;
use bytes::Bytes;

use super::fields::{Field, framing, is_text, persists};
use super::reader::Reader;
use super::request::digit;
use super::{Framing, Stop};

/// What was asked, as far as the answer's form depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// With GET, or with anything that is nothing special.
    Get,
    /// With HEAD.
    Head,
    /// With CONNECT.
    Connect,
    /// With GET, for another protocol.
    Upgrade,
}

/// A response's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The reason phrase.
    pub reason: Bytes,
    /// Whether it is HTTP/1.0, and not a later 1.x.
    pub is_10: bool,
    /// The fields in order.
    pub fields: Vec<Field>,
    /// The content that follows.
    pub framing: Framing,
    /// Whether the server keeps the connection.
    pub persists: bool,
    /// Whether the connection is another protocol's from here on.
    pub tunnel: bool,
}

impl Response {
    /// Whether another head follows to the same request.
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && !self.tunnel
    }
}

/// Reads the head at the front, and says where it ends. A client has no status to answer with: it is 502 for
/// whatever is wrong.
pub fn read(bytes: &[u8], asked: Asked, limits: &Limits) -> Result<(Response, usize), Stop> {
    head(bytes, asked, limits).map_err(|stop| match stop {
        Stop::More => Stop::More,
        Stop::Wrong { at, .. } => Stop::Wrong { status: 502, at },
    })
}

fn head(bytes: &[u8], asked: Asked, limits: &Limits) -> Result<(Response, usize), Stop> {
    let mut reader = Reader::new(bytes, 0);
    reader.end = limits.head_bytes;
    let (is_10, status, reason) = status_line(&mut reader)?;
    let fields = reader.section(limits.head_fields)?;
    Ok((judge(asked, is_10, status, reason, fields)?, reader.at))
}

/// `HTTP-version SP 3DIGIT SP [ reason-phrase ] CRLF`; a status begins with 1 to 9.
fn status_line(reader: &mut Reader<'_>) -> Result<(bool, u16, Bytes), Stop> {
    reader.run_of(b"HTTP/1.")?;
    let is_10 = digit(reader)? == b'0';
    reader.expect(b' ')?;
    let mut status = 0;
    for place in 0..3 {
        if place == 0 && reader.peek()? == b'0' {
            return reader.wrong(502);
        }
        status = status * 10 + u16::from(digit(reader)? - b'0');
    }
    reader.expect(b' ')?;
    let reason = Bytes::copy_from_slice(reader.run(is_text)?);
    reader.run_of(b"\r\n")?;
    Ok((is_10, status, reason))
}

/// RFC 9112, section 6.3.
fn judge(
    asked: Asked,
    is_10: bool,
    status: u16,
    reason: Bytes,
    fields: Vec<Field>,
) -> Result<Response, Stop> {
    let declared = framing(&fields, is_10)?;
    let tunnel = match (status, asked) {
        (101, Asked::Upgrade) | (200..300, Asked::Connect) => true,
        (101, _) => return Err(Stop::wrong(502)),
        _ => false,
    };
    let no_content = matches!(status, 100..200 | 204 | 304) || asked == Asked::Head || tunnel;
    let framing = match declared {
        _ if no_content => Framing::Length(0),
        None => Framing::UntilClose,
        Some(framing) => framing,
    };
    let kept = framing != Framing::UntilClose && !tunnel && persists(&fields, is_10);
    // What an interim response says of the connection counts for nothing: the final one is still to come.
    let persists = kept || (status < 200 && !tunnel);
    Ok(Response { status, reason, is_10, fields, framing, persists, tunnel })
}
