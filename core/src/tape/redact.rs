//! What a tape does not tell.
//!
//! The rule: a byte that is hidden is replaced by an `x`, so that every offset and every length stays; and in doubt
//! a byte is hidden.

use std::sync::Arc;

use super::bodies::{Bodies, Direction};
use super::fields::FieldScanner;

/// The fields that carry secrets by their nature.
const SECRET: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

/// Which bytes are hidden: the values of these fields, both ways, and, if that is wanted, all bodies.
///
/// By default the fields are `Authorization`, `Cookie`, `Proxy-Authorization` and `Set-Cookie`. A field is looked for
/// at the beginning of every line, be it of a head or of a body: what only looks like one is hidden, too. Nothing
/// looks into the target of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    names: Arc<[String]>,
    bodies: bool,
}

impl Default for Redaction {
    fn default() -> Self {
        SECRET.into_iter().fold(Self::nothing(), Self::field)
    }
}

impl Redaction {
    /// Nothing is hidden.
    pub fn nothing() -> Self {
        Self { names: Arc::default(), bodies: false }
    }

    /// Hides the values of this field as well.
    ///
    /// What can be no part of a name (RFC 9110, section 5.6.2) stands between several.
    ///
    /// ```
    /// use bakestone::tape::Redaction;
    ///
    /// let redaction = Redaction::nothing().field(" X-Key:").field("x-user, x-key");
    /// assert_eq!(redaction.names(), ["x-key", "x-user"]);
    /// ```
    #[must_use]
    pub fn field(mut self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref().to_ascii_lowercase();
        for name in name.split(|character| !is_in_token(character)).filter(|name| !name.is_empty()) {
            if !self.names.iter().any(|known| known == name) {
                self.names = self.names.iter().cloned().chain([name.to_owned()]).collect();
            }
        }
        self
    }

    /// Hides all content as well: that of messages, whatever follows a change of protocol, and what is read from
    /// files.
    ///
    /// A protocol that was changed to is hidden with its framing: what a WebSocket says is not replayed.
    #[must_use]
    pub fn bodies(mut self) -> Self {
        self.bodies = true;
        self
    }

    /// The names of the fields, in lower case.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether content is hidden.
    pub fn hides_bodies(&self) -> bool {
        self.bodies
    }
}

/// Whether a token may hold it (RFC 9110, section 5.6.2).
fn is_in_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

/// Hides what is to be hidden of one connection's bytes, as they come.
#[derive(Debug)]
pub(super) struct Redactor {
    inward: FieldScanner,
    outward: FieldScanner,
    bodies: Option<Box<Bodies>>,
}

impl Redactor {
    pub(super) fn new(redaction: &Redaction) -> Self {
        let scanner = || FieldScanner::new(redaction.names.clone());
        let bodies = redaction.bodies.then(Box::default);
        Self { inward: scanner(), outward: scanner(), bodies }
    }

    pub(super) fn inward(&mut self, bytes: &mut [u8]) {
        // The framing is read before the fields are hidden.
        let hidden = self.bodies.as_mut().map(|bodies| bodies.find(Direction::In, bytes));
        self.inward.hide(bytes);
        hide_ranges(bytes, hidden);
    }

    pub(super) fn outward(&mut self, bytes: &mut [u8]) {
        let hidden = self.bodies.as_mut().map(|bodies| bodies.find(Direction::Out, bytes));
        self.outward.hide(bytes);
        hide_ranges(bytes, hidden);
    }

    /// What was read from a file.
    pub(super) fn data(&self, bytes: &mut [u8]) {
        if self.bodies.is_some() {
            bytes.fill(b'x');
        }
    }
}

fn hide_ranges(bytes: &mut [u8], hidden: Option<Vec<std::ops::Range<usize>>>) {
    hidden.unwrap_or_default().into_iter().for_each(|range| bytes[range].fill(b'x'));
}
