//! What came back over a connection, read as a client does who keeps to RFC 9112, section 6.3.

/// Names in small letters, and values.
type Fields = Vec<(String, Vec<u8>)>;

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The fields of its head.
    pub(crate) fields: Fields,
    /// The content, decoded.
    pub(crate) content: Vec<u8>,
}

/// All answers that are whole, and what is left behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replies {
    /// In their order.
    pub(crate) whole: Vec<Reply>,
    /// What is no whole answer: the beginning of one that was cut off, or something else.
    pub(crate) rest: Vec<u8>,
}

impl Replies {
    /// Reads all that is there. `has_content` says of the answer with this number, interim ones not counted,
    /// whether content may follow its head; with `ended` nothing more will come.
    pub(crate) fn read(mut bytes: &[u8], has_content: impl Fn(usize) -> bool, ended: bool) -> Self {
        let mut replies = Self::default();
        let mut number = 0;
        while let Some((reply, rest)) = Reply::read(bytes, has_content(number), ended) {
            number += usize::from(!reply.is_interim());
            replies.whole.push(reply);
            bytes = rest;
        }
        replies.rest = bytes.to_vec();
        replies
    }
}

impl Reply {
    /// Whether another answer to the same request has to follow.
    pub(crate) fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// Whether the request was taken.
    pub(crate) fn is_success(&self) -> bool {
        is_success(self.status)
    }

    /// The values of a field, joined.
    pub(crate) fn field(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<_> =
            self.fields.iter().filter(|(own, _)| own == name).map(|(_, value)| &value[..]).collect();
        (!values.is_empty()).then(|| values.join(&b", "[..]))
    }

    /// The answer at the front and what follows it; `None` if it is not whole, or cannot be read.
    fn read(bytes: &[u8], has_content: bool, ended: bool) -> Option<(Self, &[u8])> {
        let (start, rest) = line(bytes)?;
        let start = std::str::from_utf8(start).ok()?;
        let status = start.strip_prefix("HTTP/1.1 ").or_else(|| start.strip_prefix("HTTP/1.0 "))?;
        let status = status.get(..3)?.parse().ok()?;
        let (fields, rest) = fields(rest)?;
        let mut reply = Self { status, fields, content: Vec::new() };
        let rest = reply.read_content(rest, has_content, ended)?;
        Some((reply, rest))
    }

    fn read_content<'a>(&mut self, rest: &'a [u8], has_content: bool, ended: bool) -> Option<&'a [u8]> {
        if self.status == 101 {
            self.content = rest.to_vec();
            return Some(&[]);
        }
        if !has_content || self.status < 200 || self.status == 204 || self.status == 304 {
            return Some(rest);
        }
        if self.field("transfer-encoding").is_some() {
            return self.read_chunks(rest);
        }
        let length = match self.field("content-length") {
            Some(length) => std::str::from_utf8(&length).ok()?.parse().ok()?,
            None if ended => rest.len(),
            None => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.content = content.to_vec();
        Some(rest)
    }

    fn read_chunks<'a>(&mut self, mut rest: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            let (size, after) = line(rest)?;
            let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
            if size == 0 {
                return fields(after).map(|(_, rest)| rest);
            }
            let (data, after) = after.split_at_checked(size)?;
            self.content.extend_from_slice(data);
            rest = after.strip_prefix(b"\r\n")?;
        }
    }
}

/// Whether a request that got this status was taken; a switch of protocols and a redirect take it as well.
pub(crate) fn is_success(status: u16) -> bool {
    status < 400
}

/// The line at the front, without its CRLF, and what follows.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

/// Field lines up to the empty one.
fn fields(mut rest: &[u8]) -> Option<(Fields, &[u8])> {
    let mut fields = Vec::new();
    loop {
        let (content, after) = line(rest)?;
        rest = after;
        if content.is_empty() {
            return Some((fields, rest));
        }
        let colon = content.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(&content[..colon]).to_ascii_lowercase();
        fields.push((name, content[colon + 1..].trim_ascii().to_vec()));
    }
}
