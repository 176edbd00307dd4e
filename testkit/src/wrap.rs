//! Machines over machines. `bakestone::tape` has another one, the recorder.
//!
//! The rule: a wrapper is a driver to what it wraps and a machine to who drives it, and owes the laws to both.

mod layer;
mod xor;

pub use xor::Xor;
