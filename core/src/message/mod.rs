//! What handlers hold: the request, the response, their bodies, and the context that stands for the world.
//!
//! The rule: these are plain structs without type parameters, the same at every level and under every driver.

mod asked;
pub(crate) mod body;
mod body_error;
mod broadcast;
mod channel;
mod charset;
mod context;
mod empty;
mod file;
mod file_body;
mod file_response;
mod form;
#[cfg(feature = "http-body")]
mod http_body;
mod into_response;
#[cfg(feature = "stream")]
mod items;
#[cfg(all(feature = "json", feature = "stream"))]
mod json_lines;
mod multi_map;
mod multipart;
mod reading;
mod redirect;
mod rejection;
mod request;
mod response;
pub(crate) mod spare;
mod sse;
mod upgrade;
mod upload;
#[cfg(feature = "websocket")]
mod websocket;
mod writer;
mod written;

pub use asked::Asked;
pub use body::{Body, BodyStream};
pub use body_error::BodyError;
pub use broadcast::{Broadcast, Full, Overflow, ReceiveError, Receiver};
pub use channel::BodySender;
pub use charset::CharsetError;
pub use context::{Context, Disconnect, Draining, Elapsed, OnDisconnect, Sleep, SpawnError, Timeout};
pub use empty::Empty;
pub use file::File;
pub use file_response::FileResponse;
pub use form::{FormData, FormOptions};
#[cfg(feature = "json")]
pub use into_response::Json;
pub use into_response::{Html, IntoResponse, Text};
#[cfg(feature = "stream")]
pub use items::IntoChunk;
#[cfg(all(feature = "json", feature = "stream"))]
pub use json_lines::JsonLines;
pub use multi_map::MultiMap;
pub use multipart::{Multipart, Part, Progress};
pub use reading::Data;
pub use redirect::Redirect;
pub use rejection::{Reason, Rejection};
pub use request::Request;
pub use response::Response;
#[cfg(feature = "stream")]
pub use sse::IntoEvent;
pub use sse::{EventSender, SendEventError, Sse};
pub use upgrade::{UpgradeError, Upgraded, UpgradedReader, UpgradedWriter};
pub use upload::UploadedFile;
#[cfg(all(feature = "json", feature = "websocket"))]
pub use websocket::IterJson;
#[cfg(feature = "websocket")]
pub use websocket::{
    Group, Iter, Member, Relay, Rooms, WebSocket, WebSocketError, WebSocketOptions, WebSocketReceiver,
    WebSocketSender, WebSocketUpgrade,
};
pub use writer::{ResponseWriter, Sent, WriteError};
