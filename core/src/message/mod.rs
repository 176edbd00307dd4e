//! What handlers hold: the request, the response, their bodies, and the context that stands for the world.
//!
//! The rule: these are plain structs without type parameters, the same at every level and under every driver.

mod asked;
pub(crate) mod body;
mod body_error;
mod charset;
mod context;
mod file;
mod file_body;
mod file_response;
mod form;
#[cfg(feature = "http-body")]
mod http_body;
mod into_response;
mod multi_map;
mod multipart;
mod reading;
mod redirect;
mod rejection;
mod request;
mod response;
mod upload;
mod writer;

pub use asked::Asked;
pub use body::{Body, BodyStream};
pub use body_error::BodyError;
pub use context::{Context, Disconnect, Draining, Elapsed, OnDisconnect, Sleep, SpawnError, Timeout};
pub use file::File;
pub use file_response::FileResponse;
pub use form::{FormData, FormOptions};
#[cfg(feature = "json")]
pub use into_response::Json;
pub use into_response::{Html, IntoResponse, Text};
pub use multi_map::MultiMap;
pub use multipart::{Multipart, Part, Progress};
pub use reading::Data;
pub use redirect::Redirect;
pub use rejection::{Reason, Rejection};
pub use request::Request;
pub use response::Response;
pub use upload::UploadedFile;
pub use writer::{ResponseWriter, Sent, WriteError};
