//! What a program that loads a server needs: connections, what their answers must be, the server's process, and flags.
//!
//! The rule: it is strict with the server and depends on nothing of Bakestone, so that a mistake in both cannot hide.
#![forbid(unsafe_code)]

pub mod answers;
pub mod connection;
pub mod crowd;
pub mod flags;
pub mod process;
