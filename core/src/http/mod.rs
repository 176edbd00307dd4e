//! The values of HTTP: dates.
//!
//! The rule: a value is made from arguments alone, and what it prints is what the wire carries.

mod date;

pub use date::HttpDate;
