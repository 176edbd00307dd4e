//! Bakestone on plain threads: a thread a connection, no runtime.
//!
//! It is also where the parts live that every adapter on an operating system shares: the [clock](Clock), the
//! [code that touches files](files), and the [`Connection`] that moves bytes between a socket and a machine.
//! What differs between adapters is only how they wait.
//!
//! # Features
//!
//! `serve` (on by default): the server itself; without it the shared parts remain. `json` (on by default): JSON
//! values as request and response bodies.
#![forbid(unsafe_code)]

mod clock;
mod connection;
mod error;
pub mod files;
#[cfg(feature = "serve")]
mod serve;

pub use bakestone;
pub use clock::Clock;
pub use connection::{Connection, READ_AT_ONCE, Socket, Turn, read_from};
pub use error::{ServeError, is_of_one_connection};
#[cfg(feature = "serve")]
pub use serve::{run, serve};
