//! What the fuzz targets share: naive readers to compare with, scripts, and events that can be compared.
//!
//! The rule: what both ends of a connection do under a script is written once, and what they do differently
//! stands in the target. The naive readers are those of the testkit's own tests.
#![forbid(unsafe_code)]

pub mod events;
pub mod fields;
#[path = "../../tests/naive/mod.rs"]
pub mod naive;
#[path = "../../tests/deflate/naive.rs"]
pub mod naive_deflate;
#[path = "../../tests/multipart/naive.rs"]
pub mod naive_multipart;
#[path = "../../tests/ws_frames/naive.rs"]
pub mod naive_ws;
pub mod records;
pub mod run;
pub mod ws;
