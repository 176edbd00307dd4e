//! Bakestone on smol: its reactor, its executor, its pool for what blocks.
//!
//! ```no_run
//! use bakestone_smol::bakestone::{App, Path, Text, get};
//!
//! async fn hello(Path(name): Path<String>) -> Text<String> {
//!     Text(format!("Hello, {name}!"))
//! }
//!
//! fn main() -> Result<(), bakestone_smol::ServeError> {
//!     bakestone_smol::run(App::new().route("/hello/{name}", get(hello)), "127.0.0.1:8000")
//! }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod drive;
mod reader;
mod serve;
mod upgraded;

pub use bakestone;
#[cfg(feature = "tape")]
pub use bakestone_std::TapeFolder;
#[cfg(feature = "tracing")]
pub use bakestone_std::Tracing;
pub use bakestone_std::{Handle, Listen, ServeError, Server};
pub use reader::{body_from_reader, body_from_reader_with};
pub use serve::{run, serve};
pub use upgraded::{UpgradedReadHalf, UpgradedStream, UpgradedWriteHalf};
