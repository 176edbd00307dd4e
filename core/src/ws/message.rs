//! A message, as an application sends and receives it.
//!
//! The rule: a message is whole, and a text is UTF-8; frames, fragments and compression are not seen any more (RFC 6455,
//! section 5.6).

use bytes::Bytes;

use super::utf8::Utf8Bytes;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

/// A message. Clones share its memory.
///
/// ```
/// use bakestone::ws::Message;
///
/// assert_eq!(Message::from("bara brith").as_text(), Some("bara brith"));
/// assert_eq!(Message::from(vec![0xff]).as_text(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// UTF-8.
    Text(Utf8Bytes),
    /// Any bytes.
    Binary(Bytes),
}

impl Message {
    /// Whether it is a text, or binary.
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// Whether it is a text.
    pub fn is_text(&self) -> bool {
        self.kind() == MessageKind::Text
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The content, whatever its kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The content, whatever its kind, with the memory that it shares.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The length of the content, in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether it has no content. Such a message is a message all the same.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The content, which shares this message's memory.
    pub(super) fn to_bytes(&self) -> Bytes {
        match self {
            Self::Text(text) => text.to_bytes(),
            Self::Binary(bytes) => bytes.clone(),
        }
    }

    /// The same message, in the memory of `same`, which holds the same bytes.
    pub(super) fn with_memory(self, same: Bytes) -> Self {
        match self {
            Self::Text(text) => Self::Text(Utf8Bytes::try_from(same).unwrap_or(text)),
            Self::Binary(_) => Self::Binary(same),
        }
    }
}

impl From<&str> for Message {
    /// A copy of it.
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Utf8Bytes> for Message {
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}
