//! A message that is encoded once, for many receivers.
//!
//! The rule: what every server's connection would write is written once; what depends on the connection is left to it.

use std::sync::OnceLock;

use bytes::{Bytes, BytesMut};

use super::compression::Compression;
use super::frame::{Head, Opcode, Start};
use super::message::Message;

/// A message for many receivers: [`Conn::send_prepared`](super::Conn::send_prepared) copies nothing of it, and compresses
/// it once for all the connections that agreed on the largest window and keep none between messages.
///
/// ```
/// use bakestone::machine::Output;
/// use bakestone::ws::{Config, Conn, Prepared, Role};
/// use bytes::Buf;
///
/// let prepared = Prepared::new("cake!");
/// for _ in 0..3 {
///     let (mut conn, mut output) = (Conn::new(Role::Server, Config::default()), Output::default());
///     conn.send_prepared(&prepared, &mut output)?;
///     assert_eq!(output.chunk(), b"\x81\x05cake!");
/// }
/// # Ok::<(), bakestone::ws::Misuse>(())
/// ```
#[derive(Debug)]
pub struct Prepared {
    message: Message,
    frame: Bytes,
    /// The frame of the compressed message; nothing, if that is no shorter.
    compressed: OnceLock<Option<Bytes>>,
}

impl Prepared {
    /// Encodes a message. Its content is copied, this once.
    pub fn new(message: impl Into<Message>) -> Self {
        let message = message.into();
        let start = Start::whole(Opcode::Data(message.kind()));
        let frame = encode(start, message.as_bytes());
        let content = frame.slice(frame.len() - message.len()..);
        Self { message: message.with_memory(content), frame, compressed: OnceLock::new() }
    }

    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The frame that a server sends.
    pub(super) fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The frame that a server sends where messages are compressed one by one with the largest window.
    pub(super) fn compressed(&self, compression: &mut Compression) -> &Bytes {
        let compressed = self.compressed.get_or_init(|| {
            let start = Start { is_compressed: true, ..Start::whole(Opcode::Data(self.message.kind())) };
            compression.deflate(self.message.as_bytes()).map(|payload| encode(start, &payload))
        });
        compressed.as_ref().unwrap_or(&self.frame)
    }
}

impl<M: Into<Message>> From<M> for Prepared {
    fn from(message: M) -> Self {
        Self::new(message)
    }
}

fn encode(start: Start, payload: &[u8]) -> Bytes {
    let head = Head::new(start, payload.len(), None);
    let mut frame = BytesMut::with_capacity(head.as_bytes().len() + payload.len());
    frame.extend_from_slice(head.as_bytes());
    frame.extend_from_slice(payload);
    frame.freeze()
}
