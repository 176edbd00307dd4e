//! Bakestone's decoder of forms beside other parsers.
//!
//! The rule: all read the same bodies in the same pieces, in one run, and are measured only if they find the same.

pub mod arrival;
pub mod bodies;
pub mod parsers;
