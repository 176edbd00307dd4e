//! Longer reading: how to test what is built on Bakestone. There is no code here but that of the examples.
//!
//! | chapter | what it tells |
//! |---|---|
//! | [`application`] | requests, forms, cookies, states, sockets, and a server's start and end |
//! | [`time`] | sleeping handlers, deadlines, periodic tasks |
//! | [`failure`] | errors and panics, clients that go away, bodies that break off, disks that are full |
//! | [`beside_others`] | the test clients of other toolkits, row by row |

pub mod application;
pub mod beside_others;
pub mod failure;
pub mod time;
