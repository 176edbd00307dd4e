//! A reader of whole forms, written to be read and not to be fast.
//!
//! The rule: it shares nothing with the decoder, and looks for what the grammar says line by line and from the front,
//! as often as it likes.

/// One part: its name, its file name, its fields and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `name`.
    pub name: String,
    /// `filename`, or `filename*` without one.
    pub filename: Option<String>,
    /// All fields, their values without whitespace around them.
    pub fields: Vec<(String, Vec<u8>)>,
    /// What is between the head and the next boundary.
    pub data: Vec<u8>,
}

/// The parts of `body`; or those before the fault that makes it no form, without the one that is at fault.
pub fn read(boundary: &str, body: &[u8]) -> (Vec<Part>, bool) {
    let mut parts = Vec::new();
    let Some(mut mark) = next_mark(boundary, body, 0) else { return (parts, false) };
    if mark.is_last {
        return (parts, mark.begin == 0);
    }
    while !mark.is_last {
        let Some((fields, data_at)) = head(body, mark.end) else { return (parts, false) };
        let Some((name, filename)) = names(&fields) else { return (parts, false) };
        let Some(next) = next_mark(boundary, body, data_at) else { return (parts, false) };
        let data = body[data_at..next.begin].to_vec();
        parts.push(Part { name, filename, fields, data });
        mark = next;
    }
    (parts, true)
}

/// A line that separates parts.
struct Mark {
    /// Where it begins, its CRLF in front included.
    begin: usize,
    end: usize,
    is_last: bool,
}

/// The first mark from `from` on, where a line begins.
fn next_mark(boundary: &str, body: &[u8], from: usize) -> Option<Mark> {
    for begin in from..body.len() {
        let rest = &body[begin..];
        let has_crlf = rest.starts_with(b"\r\n");
        if !has_crlf && begin != from {
            continue;
        }
        let line = if has_crlf { begin + 2 } else { begin };
        let mark = ["--", boundary].concat();
        let Some(after) = body[line..].strip_prefix(mark.as_bytes()) else { continue };
        let after_at = line + mark.len();
        if after.starts_with(b"--") {
            return Some(Mark { begin, end: after_at + 2, is_last: true });
        }
        let padding = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if padding > 64 {
            return None;
        }
        if after[padding..].starts_with(b"\r\n") {
            return Some(Mark { begin, end: after_at + padding + 2, is_last: false });
        }
    }
    None
}

type Fields = Vec<(String, Vec<u8>)>;

/// The fields of the head at `at`, and where it ends.
fn head(body: &[u8], mut at: usize) -> Option<(Fields, usize)> {
    let mut fields = Vec::new();
    loop {
        let length = body[at..].windows(2).position(|two| two == b"\r\n")?;
        let line = &body[at..at + length];
        at += length + 2;
        if line.is_empty() {
            return Some((fields, at));
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() || !name.iter().all(|byte| is_token_char(*byte)) {
            return None;
        }
        if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return None;
        }
        fields.push((String::from_utf8(name.to_vec()).ok()?, trim(value).to_vec()));
    }
}

fn trim(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let Some(begin) = value.iter().position(is_text) else { return &[] };
    let end = value.iter().rposition(is_text).map_or(begin, |last| last + 1);
    &value[begin..end]
}

fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte)
}

/// The name and the file name, if all that names a part is well-formed and there once.
fn names(fields: &Fields) -> Option<(String, Option<String>)> {
    let all = |wanted: &str| -> Vec<&Vec<u8>> {
        let named = fields.iter().filter(|(name, _)| name.to_lowercase() == wanted);
        named.map(|(_, value)| value).collect()
    };
    let [disposition] = all("content-disposition")[..] else { return None };
    if all("content-type").len() > 1 {
        return None;
    }
    let mut pieces = pieces(disposition)?.into_iter();
    if !pieces.next()?.eq_ignore_ascii_case(b"form-data") {
        return None;
    }
    let mut parameters: Vec<(String, String)> = Vec::new();
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        parameters.push(parameter(&piece)?);
    }
    let once = |wanted: &str| -> Option<Option<String>> {
        let mut values = parameters.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let value = values.next();
        values.next().is_none().then_some(value)
    };
    let is_extended =
        |name: &String| name != "filename*" && (name.starts_with("name*") || name.starts_with("filename*"));
    if parameters.iter().any(|(name, _)| is_extended(name)) {
        return None;
    }
    let (name, filename, extended) = (once("name")??, once("filename")?, once("filename*")?);
    Some((name, filename.or(extended)))
}

/// What is between semicolons that are in no quotes.
fn pieces(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut pieces = vec![Vec::new()];
    let (mut is_quoted, mut at) = (false, 0);
    while at < value.len() {
        let is_escape = is_quoted && matches!(value[at..], [b'\\', b'"' | b'\\', ..]);
        let length = if is_escape { 2 } else { 1 };
        match value[at] {
            b';' if !is_quoted => pieces.push(Vec::new()),
            byte => {
                is_quoted ^= byte == b'"';
                pieces.last_mut()?.extend(&value[at..at + length]);
            }
        }
        at += length;
    }
    (!is_quoted).then(|| pieces.iter().map(|piece| trim(piece).to_vec()).collect())
}

fn parameter(piece: &[u8]) -> Option<(String, String)> {
    let equals = piece.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (&piece[..equals], &piece[equals + 1..]);
    if name.is_empty() || !name.iter().all(|byte| is_token_char(*byte)) {
        return None;
    }
    let name = String::from_utf8(name.to_ascii_lowercase()).ok()?;
    let is_token = !value.is_empty() && value.iter().all(|byte| is_token_char(*byte));
    if name == "filename*" {
        return Some((name, extended(std::str::from_utf8(value).ok().filter(|_| is_token)?)?));
    }
    if is_token {
        return Some((name, String::from_utf8(value.to_vec()).ok()?));
    }
    let quoted = value.strip_prefix(b"\"")?;
    let mut text = Vec::new();
    let mut rest = quoted;
    loop {
        let (byte, length) = match rest {
            [] => return None,
            [b'"'] => return Some((name, String::from_utf8_lossy(&text).into_owned())),
            [b'"', ..] => return None,
            [b'\\', byte @ (b'"' | b'\\'), ..] => (*byte, 2),
            _ if rest.starts_with(b"%22") => (b'"', 3),
            _ if rest.starts_with(b"%0D") => (b'\r', 3),
            _ if rest.starts_with(b"%0A") => (b'\n', 3),
            [byte, ..] => (*byte, 1),
        };
        text.push(byte);
        rest = &rest[length..];
    }
}

fn extended(value: &str) -> Option<String> {
    let pieces: Vec<&str> = value.split('\'').collect();
    let [charset, language, value] = pieces[..] else { return None };
    if !language.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let length = if first == '%' { 3 } else { 1 };
        let piece = rest.get(..length)?;
        bytes.push(match first {
            '*' => return None,
            '%' if piece[1..].chars().all(|digit| digit.is_ascii_hexdigit()) => {
                u8::from_str_radix(&piece[1..], 16).ok()?
            }
            '%' => return None,
            _ => piece.as_bytes()[0],
        });
        rest = &rest[length..];
    }
    let text = match &charset.to_lowercase()[..] {
        "utf-8" => String::from_utf8(bytes).ok()?,
        "iso-8859-1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    (!text.chars().any(char::is_control)).then_some(text)
}
