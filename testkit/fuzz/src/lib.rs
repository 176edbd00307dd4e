//! What the fuzz targets share: naive readers to compare with, scripts, and events that can be compared.
//!
//! The rule: a naive reader is slow and obvious, shares no code with what it is compared with, and follows
//! the grammar of the RFC line by line.
#![forbid(unsafe_code)]

pub mod chunked;
pub mod events;
pub mod fields;
pub mod head;
pub mod records;
