//! Field lines, and what the fields say of framing and of the connection.

use bytes::Bytes;

use super::{Framing, Stop};

/// A field: its name in lower case, and its value.
pub type Field = (String, Bytes);

/// `field-line = field-name ":" OWS field-value OWS` (RFC 9112, section 5), without its line end.
pub fn field(line: &[u8]) -> Option<Field> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let good = is_token(name) && value.iter().all(|byte| is_text(*byte));
    good.then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), Bytes::copy_from_slice(trim(value))))
}

/// `tchar` (RFC 9110, section 5.6.2).
pub fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `token = 1*tchar`
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_tchar(*byte))
}

/// `HTAB / SP / VCHAR / obs-text`
pub fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Without spaces and tabs around it.
pub fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The values of all fields of that name.
pub fn named<'a>(fields: &'a [Field], name: &str) -> Vec<&'a [u8]> {
    fields.iter().filter(|(other, _)| other == name).map(|(_, value)| &value[..]).collect()
}

/// The elements of all lists of that name, in lower case, empty ones included.
pub fn elements(fields: &[Field], name: &str) -> Vec<Vec<u8>> {
    let lists = named(fields, name).into_iter();
    lists
        .flat_map(|list| list.split(|byte| *byte == b','))
        .map(|one| trim(one).to_ascii_lowercase())
        .collect()
}

/// Whether one of the elements of that name is `element`.
pub fn has(fields: &[Field], name: &str, element: &str) -> bool {
    elements(fields, name).iter().any(|one| one == element.as_bytes())
}

/// `1*DIGIT`, below 2^63.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    let good = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number: u64 = std::str::from_utf8(digits).ok().filter(|_| good)?.parse().ok()?;
    (number < 1 << 63).then_some(number)
}

/// What frames the message: one length in digits, or `chunked` alone and only in HTTP/1.1, or nothing. A coding
/// that is well-formed and not known is 501, all else that is wrong 400.
pub fn framing(fields: &[Field], is_10: bool) -> Result<Option<Framing>, Stop> {
    match &named(fields, "content-length")[..] {
        [] => {}
        [digits] if named(fields, "transfer-encoding").is_empty() => {
            return decimal(digits).map(Framing::Length).map(Some).ok_or(Stop::wrong(400));
        }
        _ => return Err(Stop::wrong(400)),
    }
    let codings = elements(fields, "transfer-encoding");
    let names: Vec<&[u8]> = codings.iter().map(|coding| coding_name(coding)).collect();
    let chunked_before_the_last = codings.iter().rev().skip(1).any(|coding| coding == b"chunked");
    let chunked_with_more = names.iter().zip(&codings).any(|(name, all)| *name == b"chunked" && name != all);
    match &codings[..] {
        [] => Ok(None),
        _ if is_10 || chunked_before_the_last || chunked_with_more => Err(Stop::wrong(400)),
        _ if !names.iter().all(|name| is_token(name)) => Err(Stop::wrong(400)),
        [only] if only == b"chunked" => Ok(Some(Framing::Chunked)),
        _ => Err(Stop::wrong(501)),
    }
}

/// `transfer-coding = token *( OWS ";" OWS transfer-parameter )` (RFC 9112, section 7): the token.
fn coding_name(coding: &[u8]) -> &[u8] {
    trim(coding.split(|byte| *byte == b';').next().unwrap_or_default())
}

/// Whether the sender keeps the connection (RFC 9112, section 9.3).
pub fn persists(fields: &[Field], is_10: bool) -> bool {
    !has(fields, "connection", "close") && (!is_10 || has(fields, "connection", "keep-alive"))
}

/// Whether a recipient drops a trailer of that name (RFC 9110, section 6.5.1); `None` if the reader has no opinion.
pub fn is_dropped_trailer(name: &str) -> Option<bool> {
    const NEVER: [&str; 11] = [
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
    ];
    match name {
        _ if NEVER.contains(&name) => Some(true),
        _ if name.starts_with("x-") && !name.starts_with("x-forwarded-") => Some(false),
        _ => None,
    }
}
