//! Level 1: one connection as a machine, and one server's background work as another.
//!
//! The rule: the session owns the handler's future and everything it waits for; a driver sees only bytes,
//! effects and wishes.

mod deadline;
pub(crate) mod exchange;
pub(crate) mod lifecycle;
mod observe;
mod pace;
mod receive;
pub(crate) mod scope;
mod send;
mod service;
#[allow(clippy::module_inception)]
mod session;
mod tasks;
#[cfg(feature = "websocket")]
pub(crate) mod websocket;
#[cfg(not(feature = "websocket"))]
#[path = "no_websocket.rs"]
pub(crate) mod websocket;

pub use lifecycle::{Lifecycle, Spawner, Stage, StartupError, TaskResult};
pub use observe::{AccessRecord, Deadline, Entry, Event, Observer};
pub use service::{Answer, AsItIs, AsyncFunction, Asynchronous, Function, IntoService, Service, Synchronous};
pub use session::Session;
