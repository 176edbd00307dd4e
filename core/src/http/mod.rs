//! The values of HTTP: dates, media types, cookies, urlencoded fields, entity tags, conditions, ranges,
//! server-sent events.
//!
//! The rule: a value is made from arguments alone, and what it prints is what the wire carries.

mod accept;
mod accept_encoding;
mod conditional;
mod content_disposition;
pub mod cookie;
pub(crate) mod date;
mod etag;
mod file_type;
mod media_type;
pub(crate) mod parameters;
pub(crate) mod percent;
pub mod range;
pub mod sse;
pub mod urlencoded;

pub use accept::Accept;
pub use accept_encoding::AcceptEncoding;
pub use conditional::{Conditional, Precondition, Validators};
pub use content_disposition::ContentDisposition;
pub use date::HttpDate;
pub use etag::ETag;
pub(crate) use etag::{fnv, telling};
pub use file_type::media_type_of;
pub use media_type::MediaType;
