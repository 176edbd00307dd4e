//! WebSocket as a codec (RFC 6455): bytes to messages and messages to bytes, for either end of a connection, with
//! compressed messages (RFC 7692).
//!
//! The rule: what the RFC forbids is refused at the byte that makes it certain ([`Error`]), what we are asked to send and
//! may not is an error ([`Misuse`]), and memory is set aside for what has come and not for what was announced.
//!
//! A [`Conn`] owns no socket, and as long as no message is under way no memory. [`Conn::next`] takes events from the front
//! of a buffer, the `send_*` methods append to an [`Output`](crate::machine::Output). A message that comes in one frame
//! is unmasked where it lies, and a long one is not copied.
//!
//! ```
//! use bakestone::machine::Output;
//! use bakestone::ws::{CloseCode, CloseFrame, Config, Conn, Event, Message, Role};
//! use bytes::{Buf, BytesMut};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut client = Conn::new(Role::Client { mask_seed: 7 }, Config::default());
//! let mut server = Conn::new(Role::Server, Config::default());
//! let mut wire = Output::default();
//!
//! // The client says something,
//! client.send(&Message::from("bara brith"), &mut wire)?;
//! client.send_ping(b"still there?", &mut wire)?;
//! client.send_close(Some(&CloseFrame::new(CloseCode::NORMAL)), &mut wire)?;
//!
//! // and the server hears it,
//! let mut input = BytesMut::from(&wire.copy_to_bytes(wire.remaining())[..]);
//! assert_eq!(server.next(&mut input)?, Event::Message("bara brith".into()));
//! assert_eq!(server.next(&mut input)?, Event::Ping("still there?".into()));
//! assert!(server.answer_ping(&mut wire));
//! let Event::Close(frame) = server.next(&mut input)? else { unreachable!() };
//! assert_eq!(server.next(&mut input)?, Event::Closed);
//!
//! // and answers.
//! server.send_close(frame.as_ref(), &mut wire)?;
//! assert_eq!(wire.copy_to_bytes(wire.remaining()), b"\x8a\x0cstill there?\x88\x02\x03\xe8"[..]);
//! # Ok(())
//! # }
//! ```

mod close;
mod compression;
mod conn;
#[cfg(feature = "permessage-deflate")]
pub mod deflate;
mod error;
pub mod extension;
mod frame;
mod handshake;
mod key;
mod mask;
mod message;
mod opening;
mod origin;
mod prepared;
mod send;
#[cfg(test)]
mod tests;
mod utf8;

pub use close::{CloseCode, CloseFrame};
pub use compression::Codecs;
pub use conn::{Config, Conn, Event, Role};
pub use error::{Error, Misuse, Reason};
pub use extension::{DeflateOptions, DeflateParams};
pub use handshake::{HandshakeError, Offer};
pub use message::{Message, MessageKind};
pub use opening::{Agreed, Opening, OpeningError};
pub use origin::{Origin, OriginPolicy};
pub use prepared::Prepared;
pub use utf8::Utf8Bytes;
