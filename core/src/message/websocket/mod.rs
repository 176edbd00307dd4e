//! WebSockets in a handler (RFC 6455).
//!
//! The rule: the states of a socket are types. What has not been accepted can be refused with any response and cannot
//! send; what was accepted sends and receives; and what is over says how it ended, again and again. Pings, pongs and
//! the closing handshake go on without the handler.

mod error;
mod options;
mod rooms;
mod socket;
mod upgrade;

pub use error::WebSocketError;
pub use options::WebSocketOptions;
pub use rooms::{Group, Member, Relay, Rooms};
#[cfg(feature = "json")]
pub use socket::IterJson;
pub use socket::{Iter, WebSocket, WebSocketReceiver, WebSocketSender};
pub use upgrade::WebSocketUpgrade;
