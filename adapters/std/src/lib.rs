//! Bakestone on plain threads: a thread a connection, no runtime.
//!
//! It is also where the parts live that every adapter on an operating system shares: the [clock](Clock), the
//! [code that touches files](files), and the [`Connection`] that moves bytes between a socket and a machine.
//! What differs between adapters is only how they wait.
//!
//! # Features
//!
//! - `serve` (on by default): the server on threads; it takes in `net`.
//! - `net`: sockets, listeners and the [`Server`] settings, which every adapter on an operating system shares.
//! - `inherit` (on by default): listeners that a service manager hands over.
//! - `temporary-files` (on by default): files without a name, which are gone with their last handle.
//! - `tape`: connections recorded as text, in files of a folder.
//! - `tracing`: spans and events of `tracing`, an access log among them.
//! - `json` (on by default): JSON values as request and response bodies.
//! - `stream`: the streams of `futures-core` as bodies and as events.
//!
//! Without any, the clock, the files, the pool and the connection remain: enough for a loop of one's own.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "serve")]
mod alarm;
mod clock;
mod connection;
mod error;
pub mod files;
#[cfg(feature = "net")]
mod handle;
#[cfg(feature = "net")]
mod listener;
mod pool;
mod reader;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "net")]
mod server;
#[cfg(feature = "net")]
mod serving;
#[cfg(feature = "net")]
mod signals;
#[cfg(feature = "net")]
mod stream;
#[cfg(feature = "tape")]
mod tape;
#[cfg(feature = "tracing")]
mod trace;
mod upgraded;

pub use bakestone;
pub use clock::Clock;
pub use connection::{Connection, LOOK_AGAIN, READ_AT_ONCE, Socket, Turn, read_from};
pub use error::{BACK_OFF, ServeError, is_of_one_connection};
#[cfg(feature = "net")]
pub use handle::{Handle, Place, ShutdownOnDrop, Stop, Watch};
#[cfg(feature = "net")]
pub use listener::{Listener, StdListener};
pub use pool::{Pool, Worker};
pub use reader::{body_from_reader, body_from_reader_with};
#[cfg(feature = "serve")]
pub use serve::{run, serve};
#[cfg(feature = "net")]
pub use server::{Listen, Server};
#[cfg(feature = "net")]
pub use serving::{BoxFuture, Driven, Life, Serving, Start, join};
#[cfg(feature = "net")]
pub use signals::{StopAtSignals, stop_at_signals};
#[cfg(feature = "net")]
pub use stream::Stream;
#[cfg(feature = "tape")]
pub use tape::TapeFolder;
#[cfg(feature = "tracing")]
pub use trace::Tracing;
pub use upgraded::{UpgradedSink, UpgradedSource};
