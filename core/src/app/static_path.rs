//! Which file a path names.
//!
//! The rule: a path is split on `/` as it was sent, and each name is decoded once and judged then; what could mean more
//! to a file system than a name does not get there.

use std::borrow::Cow;

use crate::http::percent::escape;

/// The longest name that the usual file systems hold, in bytes.
const LONGEST_NAME: usize = 255;

/// The path of a file, or of a folder, that may be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StaticPath {
    /// Plain names with `/` between them; empty for the root of all.
    pub(super) name: String,
    /// Whether it ends with a slash, or is empty.
    pub(super) is_folder: bool,
}

impl StaticPath {
    /// The path in `raw`, which has no `/` at its start; `None` if a part of it is no plain name, or is hidden and
    /// `hidden` does not allow that.
    pub(super) fn parse(raw: &str, hidden: bool) -> Option<Self> {
        if raw.is_empty() {
            return Some(Self { name: String::new(), is_folder: true });
        }
        let (names, is_folder) = raw.strip_suffix('/').map_or((raw, false), |names| (names, true));
        let mut name = String::with_capacity(names.len());
        for part in names.split('/') {
            let part = decode(part).filter(|part| is_plain(part) && (hidden || !part.starts_with('.')))?;
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(&part);
        }
        Some(Self { name, is_folder })
    }

    /// The name of the file `file` in this folder.
    pub(super) fn join(&self, file: &str) -> String {
        match self.name.is_empty() {
            true => file.to_owned(),
            false => format!("{}/{file}", self.name),
        }
    }
}

/// Whether it is the name of one file on any system: neither a way up, nor one with separators in it, nor cut off early.
fn is_plain(name: &str) -> bool {
    let is_way = matches!(name, "" | "." | "..");
    !is_way && name.len() <= LONGEST_NAME && !name.contains(['/', '\\', '\0'])
}

/// The text with its escapes decoded; `None` if one is malformed, or it is not UTF-8 then.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    let Some(first) = text.find('%') else { return Some(Cow::Borrowed(text)) };
    let (plain, mut rest) = text.as_bytes().split_at(first);
    let mut decoded = plain.to_vec();
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = if byte == b'%' { escape(after)? } else { (byte, after) };
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x03_x06_x07_x08_paths_of_files() {
        let long = "x".repeat(256);
        for (raw, hidden, expected) in [
            ("", false, Some(("", true))),
            ("a.txt", false, Some(("a.txt", false))),
            ("a/b.txt", false, Some(("a/b.txt", false))),
            ("a/", false, Some(("a", true))),
            ("a%20b/%C3%A9", false, Some(("a b/\u{e9}", false))),
            ("a+b", false, Some(("a+b", false))),
            ("%2561", false, Some(("%61", false))),
            ("...", true, Some(("...", false))),
            (&long[1..], false, Some((&long[1..], false))),
            ("/", false, None),
            ("/a", false, None),
            ("a//b", false, None),
            ("a//", false, None),
            (".", true, None),
            ("..", true, None),
            ("%2e%2e/a", true, None),
            ("%2E%2E%2fa", true, None),
            ("a/../b", true, None),
            ("a/%2e/b", true, None),
            ("..%5ca", true, None),
            (r"..\a", true, None),
            (r"a\b", true, None),
            ("a%2fb", true, None),
            ("a%00", true, None),
            ("a\0", true, None),
            (&long, true, None),
            ("%", true, None),
            ("%4", true, None),
            ("%zz", true, None),
            ("%+1", true, None),
            ("%ff", true, None),
            ("%c0%ae%c0%ae/a", true, None),
            (".env", false, None),
            (".env", true, Some((".env", false))),
            ("a/.git/config", false, None),
            ("a/.git/config", true, Some(("a/.git/config", false))),
            ("%2egit", false, None),
        ] {
            let parsed = StaticPath::parse(raw, hidden);
            let found = parsed.as_ref().map(|path| (&*path.name, path.is_folder));
            assert_eq!(found, expected, "{raw:?}, hidden: {hidden}");
        }
    }
}
