//! Bytes as the cases write them.

use std::path::Path;

/// The text of a file of cases.
pub(crate) fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/ws").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of the rows of the table in a file, without its head.
pub(crate) fn table(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
}

/// Printable ASCII as it is, a backslash twice, anything else as `\xNN`, or shorter.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let text: String = bytes.escape_ascii().map(char::from).collect();
    text.replace("\\\"", "\"").replace("\\'", "'")
}

/// What `text` stands for.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, &'static str> {
    const ESCAPES: [(u8, u8); 6] =
        [(b'r', b'\r'), (b'n', b'\n'), (b't', b'\t'), (b'0', 0), (b'\\', b'\\'), (b'{', b'{')];
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'\\', [b'x', high, low, tail @ ..]) => {
                bytes.extend(hex(&[*high, *low])?);
                tail
            }
            (b'\\', [escaped, tail @ ..]) => {
                let found = ESCAPES.iter().find(|(letter, _)| letter == escaped);
                bytes.push(found.ok_or("an escape that is none")?.1);
                tail
            }
            (b'{', tail) => {
                let end = tail.iter().position(|byte| *byte == b'}').ok_or("{ without }")?;
                let inside = std::str::from_utf8(&tail[..end]).map_err(|_| "no text")?;
                let (unit, number) = inside.rsplit_once('*').ok_or("no number")?;
                let number = number.parse().map_err(|_| "no number")?;
                bytes.extend(unescape(unit)?.repeat(number));
                &tail[end + 1..]
            }
            (b' '..=b'~', tail) => {
                bytes.push(*byte);
                tail
            }
            _ => return Err("what cannot be seen is written as \\xNN"),
        };
    }
    Ok(bytes)
}

/// Bytes of two hexadecimal digits each; spaces do not count.
pub(crate) fn hex(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let digits: Option<Vec<u32>> =
        text.iter().filter(|byte| **byte != b' ').map(|byte| char::from(*byte).to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or("bytes have two hexadecimal digits")?;
    Ok(digits.chunks(2).map(|two| (two[0] << 4 | two[1]) as u8).collect())
}
