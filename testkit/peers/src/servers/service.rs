//! What the servers have in common: the service of the cases, without any server's types.

/// A buffered body may have so many bytes, as with `bakestone_testkit::cases::limits`.
pub(super) const BUFFERED: usize = 4096;

/// Content that is longer is said by its beginning.
const SHOWN: usize = 60;

/// The methods that every path takes.
pub(super) const ALLOWED: &str = "GET, HEAD, POST, PUT, DELETE, OPTIONS";

/// What a method that no handler takes is answered with.
pub(super) fn turned_away(method: &str) -> Option<u16> {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "DELETE" => None,
        "OPTIONS" => Some(204),
        "PATCH" | "TRACE" | "CONNECT" => Some(405),
        _ => Some(501),
    }
}

/// Printable ASCII as it is, all else as `%XX`.
fn readable(bytes: &[u8]) -> String {
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(shown).collect()
}

/// Says the method, the target, the content and the trailers.
pub(super) fn understood<'a>(
    method: &str,
    target: &str,
    content: &[u8],
    trailers: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> String {
    let mut text = format!("{method} {target} and ");
    text += &match content {
        [] => "no content".to_owned(),
        [byte] => format!("1 byte: {}", readable(&[*byte])),
        bytes if bytes.len() > SHOWN => format!("{} bytes: {}...", bytes.len(), readable(&bytes[..SHOWN])),
        bytes => format!("{} bytes: {}", bytes.len(), readable(bytes)),
    };
    for (name, value) in trailers {
        text += &format!(", then {name}: {}", readable(value));
    }
    text
}

/// Says the fields.
pub(super) fn fields<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    fields.map(|(name, value)| format!("{name}: {}", readable(value))).collect::<Vec<_>>().join("; ")
}

/// Without its escapes.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let mut value = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
                value.push(digit(high) << 4 | digit(low));
                tail
            }
            _ => {
                value.push(*byte);
                tail
            }
        };
    }
    value
}
