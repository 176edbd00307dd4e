//! The header fields of a received message, as they stand in its head.
//!
//! The rule: whoever makes one has [checked](super::fields) every line of it, so that reading them cannot fail; and a
//! map, which costs more than all the rest of a head, is made only for whoever asks for one.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use memchr::{memchr, memchr_iter};

use super::grammar::trim;

/// The header fields of a received message (RFC 9110, section 5): a [`HeaderMap`] that is made on the first look at it.
///
/// [`values`](Self::values) looks at one name without making it.
///
/// ```
/// use bakestone::h1::FieldSection;
/// use http::{HeaderMap, HeaderValue, header};
///
/// let map = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("example.com"))]);
/// let mut fields = FieldSection::from(map);
/// assert_eq!(fields.values(&header::HOST).next(), Some(&b"example.com"[..]));
/// fields.insert("x-cake", HeaderValue::from_static("bara brith"));
/// assert_eq!(fields["x-cake"], "bara brith");
/// ```
#[derive(Clone, Default)]
pub struct FieldSection {
    /// The checked field lines; empty for a map that was never lines.
    lines: Bytes,
    /// In a box, since it is large, and seldom there.
    map: OnceLock<Box<HeaderMap>>,
}

impl FieldSection {
    /// The fields of `lines`, which were checked, and are fewer than fill a map.
    pub(super) fn of_lines(lines: Bytes) -> Self {
        Self { lines, map: OnceLock::new() }
    }

    /// The values of all fields of this name, in their order.
    pub fn values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let map = self.map.get();
        let lines = if map.is_none() { &self.lines[..] } else { &[] };
        let name_text = name.as_str().as_bytes();
        let named = Lines(lines).filter(move |line| line.name.eq_ignore_ascii_case(name_text));
        let entries = map.into_iter().flat_map(move |map| map.get_all(name));
        named.map(|line| line.value).chain(entries.map(HeaderValue::as_bytes))
    }

    /// The elements of all fields of this name as one list (RFC 9110, section 5.3). `None` if there is none, or they are no
    /// text.
    pub(crate) fn list(&self, name: &HeaderName) -> Option<String> {
        let fields: Option<Vec<&str>> =
            self.values(name).map(|value| std::str::from_utf8(value).ok()).collect();
        fields.filter(|fields| !fields.is_empty()).map(|fields| fields.join(", "))
    }

    /// The map, to be kept.
    pub fn into_map(mut self) -> HeaderMap {
        std::mem::take(&mut *self)
    }

    /// Copies what is slices of the bytes that were read, so that it keeps no more of them than it is.
    pub(super) fn detach(&mut self) {
        let lines = Bytes::copy_from_slice(&self.lines);
        *self = Self::of_lines(lines);
    }

    fn read(&self) -> Box<HeaderMap> {
        let count = memchr_iter(b'\n', &self.lines).count();
        let mut map = Box::new(HeaderMap::try_with_capacity(count).unwrap_or_default());
        for line in Lines(&self.lines) {
            let name = HeaderName::from_bytes(line.name);
            let value = HeaderValue::from_maybe_shared(self.lines.slice_ref(line.value));
            debug_assert!(name.is_ok() && value.is_ok(), "the lines were checked");
            if let (Ok(name), Ok(value)) = (name, value) {
                // It has room, since the lines are few enough.
                let _ = map.try_append(name, value);
            }
        }
        map
    }
}

impl Deref for FieldSection {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        self.map.get_or_init(|| self.read())
    }
}

impl DerefMut for FieldSection {
    fn deref_mut(&mut self) -> &mut HeaderMap {
        let map = self.map.take().unwrap_or_else(|| self.read());
        // What the lines say holds no longer.
        self.lines = Bytes::new();
        let _ = self.map.set(map);
        self.map.get_mut().unwrap_or_else(|| unreachable!("it was set just now"))
    }
}

impl From<HeaderMap> for FieldSection {
    fn from(map: HeaderMap) -> Self {
        Self { lines: Bytes::new(), map: OnceLock::from(Box::new(map)) }
    }
}

impl From<FieldSection> for HeaderMap {
    fn from(fields: FieldSection) -> Self {
        fields.into_map()
    }
}

impl fmt::Debug for FieldSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// One field line, without what stands around its value.
struct Line<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

/// The lines of a checked section.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let end = memchr(b'\n', self.0)?;
        let (line, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // The empty line ends the section.
        let colon = memchr(b':', line)?;
        Some(Line { name: &line[..colon], value: trim(&line[colon + 1..]) })
    }
}
