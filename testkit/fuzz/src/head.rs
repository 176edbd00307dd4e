//! A naive reader of a request's head (RFC 9112, sections 3 to 6).
//!
//! It refuses whatever could be read in two ways, and says nothing of what a host or a target may be; for
//! those it only knows what is plainly good.

use bakestone::Limits;
use bakestone::h1::BodyLength;

use crate::chunked::{Field, field, is_tchar};

/// A head as the naive reader sees it.
#[derive(Debug)]
pub struct Head {
    /// The method.
    pub method: String,
    /// The target as it came.
    pub target: String,
    /// Whether it is HTTP/1.0, and not a later 1.x.
    pub is_10: bool,
    /// The fields in order.
    pub fields: Vec<Field>,
    /// The body that follows.
    pub body: BodyLength,
}

/// Reads a complete head, the empty line that ends it included; `None` if it must be refused.
pub fn read(block: &[u8], limits: &Limits) -> Option<Head> {
    let text = block.strip_suffix(b"\r\n\r\n")?;
    let mut lines = lines(text)?;
    while lines.first().is_some_and(|line| line.is_empty()) {
        lines.remove(0);
    }
    let (request_line, field_lines) = lines.split_first()?;
    let words: Vec<&[u8]> = request_line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else { return None };
    let is_method = !method.is_empty() && method.iter().all(|byte| is_tchar(*byte));
    let is_target = !target.is_empty() && target.iter().all(|byte| byte.is_ascii_graphic());
    let is_version = matches!(version, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9']);
    if !is_method || !is_target || !is_version {
        return None;
    }
    let is_10 = version.ends_with(b"0");
    let fields: Vec<Field> = field_lines.iter().map(|line| field(line)).collect::<Option<_>>()?;
    let hosts = named(&fields, "host").len();
    let is_host = hosts == 1 || (hosts == 0 && is_10);
    let within = block.len() <= limits.head_bytes
        && fields.len() <= limits.head_fields
        && target.len() <= limits.target_bytes
        && method.len() <= 64;
    let word = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let body = framing(&fields, is_10)?;
    (is_host && within).then(|| Head { method: word(method), target: word(target), is_10, fields, body })
}

/// The lines of `text`; `None` if a CR or an LF stands alone, or a NUL anywhere.
fn lines(text: &[u8]) -> Option<Vec<&[u8]>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for at in 0..text.len() {
        match text[at] {
            b'\0' => return None,
            b'\r' if text.get(at + 1) != Some(&b'\n') => return None,
            b'\n' if at == 0 || text[at - 1] != b'\r' => return None,
            b'\n' => {
                lines.push(&text[start..at - 1]);
                start = at + 1;
            }
            _ => {}
        }
    }
    lines.push(&text[start..]);
    Some(lines)
}

/// The values of all fields of that name.
pub fn named<'a>(fields: &'a [Field], name: &str) -> Vec<&'a [u8]> {
    fields.iter().filter(|(other, _)| other == name).map(|(_, value)| &value[..]).collect()
}

/// At most one field frames the message: one length in digits, or `chunked` alone and only in HTTP/1.1.
fn framing(fields: &[Field], is_10: bool) -> Option<BodyLength> {
    match (&named(fields, "content-length")[..], &named(fields, "transfer-encoding")[..]) {
        ([], []) => Some(BodyLength::Exact(0)),
        ([], [coding]) if !is_10 && coding.eq_ignore_ascii_case(b"chunked") => Some(BodyLength::Unknown),
        ([digits], []) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            let length: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
            (length < 1 << 63).then_some(BodyLength::Exact(length))
        }
        _ => None,
    }
}

impl Head {
    /// Whether nobody could refuse it: a target that is a path, a host that is a name, and no expectation.
    pub fn is_plainly_good(&self) -> bool {
        let path = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@?".contains(&byte);
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        let host = |host: &&[u8]| !host.is_empty() && host.iter().all(|byte| name(*byte));
        self.method != "CONNECT"
            && self.target.starts_with('/')
            && self.target.bytes().all(path)
            && named(&self.fields, "host").iter().all(host)
            && named(&self.fields, "expect").is_empty()
    }
}
