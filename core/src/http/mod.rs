//! The values of HTTP: dates, media types, cookies, urlencoded fields.
//!
//! The rule: a value is made from arguments alone, and what it prints is what the wire carries.

mod accept;
pub mod cookie;
mod date;
mod media_type;
pub(crate) mod percent;
pub mod urlencoded;

pub use accept::Accept;
pub use date::HttpDate;
pub use media_type::MediaType;
