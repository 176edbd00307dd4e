//! Longer reading: there is no code here but that of the examples.

pub mod coming_from;
#[cfg(feature = "tape")]
pub mod reproducing;
