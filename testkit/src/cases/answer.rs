//! What came back, read strictly and held against what must come back.
//!
//! The rule: this reader shares no code with the server, and takes nothing that a strict client would not.

use super::{Answer, Content, Difference, End, Turn};

/// A response as it came.
#[derive(Debug, Default)]
pub(super) struct Response {
    status: u16,
    fields: Fields,
    content: Vec<u8>,
    trailers: Fields,
}

/// Why no response could be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// More has to come.
    Incomplete,
    Malformed(String),
}

type Read<T> = Result<T, Fault>;

/// Names in small letters, and values.
type Fields = Vec<(String, Vec<u8>)>;

fn malformed<T>(what: impl Into<String>) -> Read<T> {
    Err(Fault::Malformed(what.into()))
}

/// The line at the front, without its CRLF, and what follows.
fn line(bytes: &[u8]) -> Read<(&[u8], &[u8])> {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return Err(Fault::Incomplete) };
    match bytes[..end].strip_suffix(b"\r") {
        Some(line) if !line.contains(&b'\r') => Ok((line, &bytes[end + 1..])),
        _ => malformed("a line does not end with CRLF"),
    }
}

/// Field lines up to the empty one.
fn fields(mut rest: &[u8]) -> Read<(Fields, &[u8])> {
    let mut fields = Vec::new();
    loop {
        let (content, after) = line(rest)?;
        rest = after;
        if content.is_empty() {
            return Ok((fields, rest));
        }
        let shown = content.escape_ascii();
        let Some(colon) = content.iter().position(|byte| *byte == b':') else {
            return malformed(format!("a field line has no colon: {shown}"));
        };
        let name = &content[..colon];
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)) {
            return malformed(format!("a field has a strange name: {shown}"));
        }
        let value = content[colon + 1..].trim_ascii();
        if value.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return malformed(format!("a field has a control character: {shown}"));
        }
        fields.push((String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec()));
    }
}

impl Response {
    /// Reads the response at the front; without `content` none follows its head. With `ended` nothing follows
    /// what is there.
    fn read(bytes: &[u8], content: bool, ended: bool) -> Read<(Self, &[u8])> {
        const START: &[u8] = b"HTTP/1.1 ";
        let known = bytes.len().min(START.len());
        if bytes[..known] != START[..known] {
            return malformed("what came does not begin with HTTP/1.1");
        }
        let (start, rest) = line(bytes)?;
        let status = match &start[START.len()..] {
            [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..] => {
                [a, b, c].iter().fold(0, |status, digit| status * 10 + u16::from(**digit - b'0'))
            }
            _ => return malformed("the status line has no status"),
        };
        let (fields, rest) = fields(rest)?;
        let mut response = Self { status, fields, ..Self::default() };
        let rest = response.read_content(rest, content, ended)?;
        Ok((response, rest))
    }

    fn read_content<'a>(&mut self, rest: &'a [u8], content: bool, ended: bool) -> Read<&'a [u8]> {
        if self.status == 101 {
            self.content = rest.to_vec();
            return Ok(&[]);
        }
        if !content || self.status < 200 || self.status == 204 || self.status == 304 {
            return Ok(rest);
        }
        match (self.field("transfer-encoding"), self.field("content-length")) {
            (Some(_), Some(_)) => malformed("Content-Length and Transfer-Encoding stand side by side"),
            (Some(coding), None) if coding == b"chunked" => self.read_chunks(rest),
            (Some(coding), None) => malformed(format!("the transfer coding is {}", coding.escape_ascii())),
            (None, Some(length)) => {
                let text = std::str::from_utf8(&length).unwrap_or_default();
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let Some(length) = text.parse::<usize>().ok().filter(|_| digits) else {
                    return malformed(format!("Content-Length is {}", length.escape_ascii()));
                };
                if rest.len() < length {
                    return Err(Fault::Incomplete);
                }
                self.content = rest[..length].to_vec();
                Ok(&rest[length..])
            }
            (None, None) if ended => {
                self.content = rest.to_vec();
                Ok(&[])
            }
            (None, None) => Err(Fault::Incomplete),
        }
    }

    fn read_chunks<'a>(&mut self, mut rest: &'a [u8]) -> Read<&'a [u8]> {
        loop {
            let (size, after) = line(rest)?;
            let text = std::str::from_utf8(size).unwrap_or_default();
            let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let Some(size) = usize::from_str_radix(text, 16).ok().filter(|_| digits) else {
                return malformed(format!("a chunk size is {}", size.escape_ascii()));
            };
            if size == 0 {
                let (trailers, after) = fields(after)?;
                self.trailers = trailers;
                return Ok(after);
            }
            let Some((data, end)) = after.split_at_checked(size) else { return Err(Fault::Incomplete) };
            self.content.extend_from_slice(data);
            rest = match end {
                [b'\r', b'\n', rest @ ..] => rest,
                [] | [b'\r'] => return Err(Fault::Incomplete),
                _ => return malformed("a chunk does not end with CRLF"),
            };
        }
    }

    /// All values of a name, joined.
    fn field(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<_> =
            self.fields.iter().filter(|(own, _)| own == name).map(|(_, value)| &value[..]).collect();
        (!values.is_empty()).then(|| values.join(&b", "[..]))
    }

    fn says_close(&self) -> bool {
        let options = self.field("connection").unwrap_or_default();
        options.split(|byte| *byte == b',').any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
    }

    /// What every response must keep to, whatever it answers.
    fn broken_rule(&self) -> Option<&'static str> {
        let count = |name: &str| self.fields.iter().filter(|(own, _)| own == name).count();
        let is_framed = count("content-length") + count("transfer-encoding") > 0;
        match self.status {
            100..200 | 204 if is_framed => {
                Some("1xx and 204 have neither Content-Length nor Transfer-Encoding")
            }
            200.. if count("date") != 1 => Some("a final response has one Date"),
            _ if count("content-length") > 1 => Some("Content-Length is said once"),
            _ if self.field("date").is_some_and(|date| !is_date(&date)) => Some("Date has one form"),
            _ => None,
        }
    }
}

/// `Mon, 01 Jan 2024 00:00:00 GMT`, the form that is to be sent (RFC 9110, section 5.6.7).
fn is_date(date: &[u8]) -> bool {
    const FORM: &[u8; 29] = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    date.len() == FORM.len()
        && FORM.iter().zip(date).all(|(form, byte)| match form {
            b'0' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            b'a' => byte.is_ascii_lowercase(),
            form => form == byte,
        })
}

impl Turn {
    /// Holds what came back, and what a client sees of the connection, against what must come back. With
    /// `interim` a 100 (Continue) that is not told may come: how the bytes were cut decides whether it does.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub fn check(&self, received: &[u8], seen: End, interim: bool) -> Result<(), Difference> {
        let ended = seen != End::Open;
        let mut rest = received;
        let mut closes = false;
        for (index, expected) in self.answers.iter().enumerate() {
            let number = index + 1;
            loop {
                let has_content = expected.content != Content::None;
                let (response, after) = match Response::read(rest, has_content, ended) {
                    Ok(read) => read,
                    Err(Fault::Incomplete) => {
                        return Err(Difference::Missing { answer: number, got: rest.to_vec(), ended });
                    }
                    Err(Fault::Malformed(what)) => {
                        return Err(Difference::Malformed { answer: number, what });
                    }
                };
                rest = after;
                if let Some(rule) = response.broken_rule() {
                    return Err(Difference::Rule { answer: number, rule });
                }
                if interim && response.status == 100 && expected.status != 100 {
                    continue;
                }
                if !ended && expected.is_beginning(&response) {
                    return Err(Difference::Missing { answer: number, got: response.content, ended });
                }
                expected.check(&response, number)?;
                if closes {
                    return Err(Difference::Rule {
                        answer: number,
                        rule: "nothing follows the answer that says close",
                    });
                }
                closes = response.says_close();
                break;
            }
        }
        self.check_rest(rest, interim)?;
        if self.end.seen() != seen {
            return Err(Difference::End { expected: self.end, got: seen });
        }
        match (self.end, closes) {
            (End::Open | End::Tunnel, true) => Err(Difference::Rule {
                answer: self.answers.len(),
                rule: "who says close does not stay open",
            }),
            (End::Closed, false) if !self.answers.is_empty() => {
                Err(Difference::Rule { answer: self.answers.len(), rule: "who will close says so" })
            }
            _ => Ok(()),
        }
    }

    /// Nothing may be left, but for a message that was cut off.
    fn check_rest(&self, mut rest: &[u8], interim: bool) -> Result<(), Difference> {
        let mut next = Response::read(rest, true, false);
        while let Ok((response, after)) = next {
            if !interim || response.status != 100 {
                break;
            }
            rest = after;
            next = Response::read(rest, true, false);
        }
        let is_cut =
            self.end == End::Reset && matches!(Response::read(rest, true, false), Err(Fault::Incomplete));
        match rest.is_empty() || is_cut {
            true => Ok(()),
            false => Err(Difference::Surplus(rest.to_vec())),
        }
    }
}

impl Answer {
    /// Whether more may come of what another protocol says, which has no end that could be seen.
    fn is_beginning(&self, got: &Response) -> bool {
        let expected = match &self.content {
            Content::Is(text) => text,
            _ => return false,
        };
        got.status == 101 && got.content.len() < expected.len() && expected.starts_with(&got.content)
    }

    fn check(&self, got: &Response, answer: usize) -> Result<(), Difference> {
        if got.status != self.status {
            return Err(Difference::Status { answer, expected: self.status, got: got.status });
        }
        for (name, expected) in &self.fields {
            let value = got.field(name);
            if value != *expected {
                let (name, expected) = (name.clone(), expected.clone());
                return Err(Difference::Field { answer, name, expected, got: value });
            }
        }
        let (content, is_good) = match &self.content {
            Content::Untold => (&[][..], true),
            Content::None => (&[][..], got.content.is_empty()),
            Content::Is(text) => (&text[..], got.content == *text),
            Content::Begins(text) => (&text[..], got.content.starts_with(text)),
            Content::Has(text) => {
                (&text[..], got.content.windows(text.len().max(1)).any(|piece| piece == text))
            }
        };
        if !is_good {
            let expected = content.to_vec();
            return Err(Difference::Content { answer, expected, got: got.content.clone() });
        }
        match got.trailers == self.trailers {
            true => Ok(()),
            false => Err(Difference::Trailers {
                answer,
                expected: self.trailers.clone(),
                got: got.trailers.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ended: bool) -> String {
        match Response::read(text.as_bytes(), true, ended) {
            Ok((response, rest)) => format!(
                "{} {} {} {}",
                response.status,
                response.content.escape_ascii(),
                response.trailers.len(),
                rest.escape_ascii()
            ),
            Err(Fault::Incomplete) => "incomplete".to_owned(),
            Err(Fault::Malformed(what)) => what,
        }
    }

    #[test]
    fn responses_are_read_strictly() {
        let head = "HTTP/1.1 200 OK\r\n";
        for (text, ended, expected) in [
            ("content-length: 2\r\n\r\nabrest", false, "200 ab 0 rest"),
            ("content-length: 3\r\n\r\nab", true, "incomplete"),
            ("content-length: +2\r\n\r\nab", true, "Content-Length is +2"),
            (
                "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
                true,
                "Content-Length and Transfer-Encoding stand side by side",
            ),
            ("transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx: y\r\n\r\nrest", false, "200 ab 1 rest"),
            ("transfer-encoding: chunked\r\n\r\n2\r\nab", true, "incomplete"),
            ("transfer-encoding: chunked\r\n\r\n2 \r\nab", true, "a chunk size is 2 "),
            ("transfer-encoding: chunked\r\n\r\n1\r\nab\r\n", true, "a chunk does not end with CRLF"),
            ("\r\nall of it", true, "200 all of it 0 "),
            ("\r\nall of it", false, "incomplete"),
            ("a b: c\r\n\r\n", false, "a field has a strange name: a b: c"),
            ("a: b\n\r\n", false, "a line does not end with CRLF"),
        ] {
            assert_eq!(read(&format!("{head}{text}"), ended), expected, "{text:?}");
        }
        assert_eq!(read("HTTP/1.0 200 OK\r\n\r\n", true), "what came does not begin with HTTP/1.1");
        assert_eq!(read("HTT", true), "incomplete");
    }
}
