//! Machines over machines.
//!
//! The rule: a wrapper is a driver to what it wraps and a machine to who drives it, and owes the laws to both.

mod layer;
mod recorder;
mod xor;

pub use recorder::Recorder;
pub use xor::Xor;
