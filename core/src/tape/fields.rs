//! The values of secret fields, found in a stream of bytes however it is cut.
//!
//! The rule: it knows lines and nothing of framing, so that no message can be framed in a way that shows a secret. A
//! line ends with CR or with LF, but what is hidden goes on behind a CR alone; one that begins with whitespace goes on
//! with the one before it (obs-fold, RFC 9112, section 5.2).

use std::sync::Arc;

/// Hides the values of some fields.
#[derive(Debug)]
pub(super) struct FieldScanner {
    names: Arc<[String]>,
    longest: usize,
    place: Place,
    /// The name so far, in lower case.
    name: Vec<u8>,
}

/// Where in a line the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At its beginning, perhaps behind a line that was hidden.
    Start { after_hidden: bool },
    /// In what may be a name.
    Name,
    /// In what is shown to its end.
    Shown,
    /// In the whitespace before a value that is hidden.
    Gap,
    /// In a value that is hidden.
    Hidden,
    /// Behind a CR in it, which ends it if an LF follows.
    HiddenEnd,
}

impl FieldScanner {
    pub(super) fn new(names: Arc<[String]>) -> Self {
        let longest = names.iter().map(String::len).max().unwrap_or(0);
        Self { names, longest, place: Place::Start { after_hidden: false }, name: Vec::new() }
    }

    /// Hides, in the next bytes of the stream, what is to be hidden.
    pub(super) fn hide(&mut self, bytes: &mut [u8]) {
        if self.names.is_empty() {
            return;
        }
        let mut rest = bytes;
        loop {
            if self.place == Place::Shown {
                let shown = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                rest = &mut rest[shown..];
            }
            let [byte, tail @ ..] = rest else { return };
            self.place = self.next(*byte);
            if self.place == Place::Hidden {
                *byte = b'x';
            }
            rest = tail;
        }
    }

    /// Where `byte` stands, or what follows it.
    fn next(&mut self, byte: u8) -> Place {
        let is_space = matches!(byte, b' ' | b'\t');
        match (self.place, byte) {
            (Place::Start { after_hidden }, b'\r' | b'\n') => Place::Start { after_hidden },
            (Place::Gap | Place::Hidden | Place::HiddenEnd, b'\r') => Place::HiddenEnd,
            (Place::Gap | Place::Hidden | Place::HiddenEnd, b'\n') => Place::Start { after_hidden: true },
            (_, b'\r' | b'\n') => Place::Start { after_hidden: false },
            (Place::Start { after_hidden: true }, _) if is_space => Place::Gap,
            (Place::Start { .. }, _) if is_space => self.place,
            (Place::Start { .. }, _) => {
                self.name.clear();
                self.in_name(byte)
            }
            (Place::Name, _) => self.in_name(byte),
            (Place::Gap, _) if is_space => Place::Gap,
            (Place::Gap | Place::Hidden | Place::HiddenEnd, _) => Place::Hidden,
            (Place::Shown, _) => Place::Shown,
        }
    }

    fn in_name(&mut self, byte: u8) -> Place {
        if byte == b':' {
            let name = self.name.trim_ascii_end();
            let is_secret = self.names.iter().any(|secret| secret.as_bytes() == name);
            return if is_secret { Place::Gap } else { Place::Shown };
        }
        let is_space = matches!(byte, b' ' | b'\t');
        if !is_space || self.name.last() != Some(&b' ') {
            self.name.push(if is_space { b' ' } else { byte.to_ascii_lowercase() });
        }
        // One more for the whitespace that may stand before the colon.
        if self.name.len() > self.longest + 1 { Place::Shown } else { Place::Name }
    }
}
