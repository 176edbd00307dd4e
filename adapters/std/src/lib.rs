//! Bakestone on plain threads: a thread a connection, no runtime.
//!
//! It is also where the parts live that every adapter on an operating system shares: the [clock](Clock), the
//! [code that touches files](files), and the [`Connection`] that moves bytes between a socket and a machine.
//! What differs between adapters is only how they wait.
#![forbid(unsafe_code)]

mod clock;
mod connection;
pub mod files;
mod serve;

pub use bakestone;
pub use clock::Clock;
pub use connection::{Connection, READ_AT_ONCE, Socket, Turn, read_from};
pub use serve::{ServeError, run, serve};
