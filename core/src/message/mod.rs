//! What handlers hold: the request, the response, their bodies, and the context that stands for the world.
//!
//! The rule: these are plain structs without type parameters, the same at every level and under every driver.

mod asked;
pub(crate) mod body;
mod context;
mod file;
#[cfg(feature = "http-body")]
mod http_body;
mod into_response;
mod multi_map;
mod redirect;
mod rejection;
mod request;
mod response;
mod writer;

pub use asked::Asked;
pub use body::{Body, BodyError, BodyStream};
pub use context::{Context, Disconnect, Draining, Elapsed, OnDisconnect, Sleep, SpawnError, Timeout};
pub use file::File;
#[cfg(feature = "json")]
pub use into_response::Json;
pub use into_response::{Html, IntoResponse, Text};
pub use multi_map::MultiMap;
pub use redirect::Redirect;
pub use rejection::{Reason, Rejection};
pub use request::Request;
pub use response::Response;
pub use writer::{ResponseWriter, Sent, WriteError};
