//! Drives Bakestone's machines by hand, on a clock that stands still, and holds them to their laws.
//!
//! A [`Machine`](bakestone::machine::Machine) knows the world only by what its driver tells it. Here a test is
//! the driver: no socket, no thread, no waiting, and every run is like the last.
//!
//! | module | what |
//! |---|---|
//! | [`client`] | [`Client`]: what a browser does, and more, to a whole application |
//! | `docs` | longer reading: how an application, time and failure are tested |
//! | [`wire`] | [`Wire`]: one machine, fed and read by hand |
//! | [`transcript`] | what went over a wire, as text |
//! | [`cases`] | what a client sends and what must come back, as text |
//! | [`files`] | files for a wire: [`MemoryFiles`], [`FolderFiles`] |
//! | [`script`] | [`Script`]: what a peer does, as data |
//! | [`splits`](mod@splits) | the ways in which a network may cut bytes |
//! | [`laws`](mod@laws) | the nine laws, as one call |
//! | [`net`] | [`Net`]: many clients and one server on a bad network |
//! | [`simulate`](mod@simulate) | thousands of clients' lives in seconds, from a seed |
//! | [`events`] | server-sent events, as a client reads them |
//! | [`websocket`] | [`WebSocketClient`]: the other end of a WebSocket; [`Frame`]: frames by hand |
//! | [`view`] | what two streams of HTTP/1 responses have in common |
//! | [`wrap`] | machines over machines: [`Xor`] |
//! | [`tape`] | connections recorded as text, here or in production, and replayed: [`Replay`] |
//!
//! ```
//! use bakestone::machine::{Io, Machine, Moment, Now, Peer, Phase, Read, Wants};
//! use bakestone_testkit::{Wire, laws};
//! use std::task::Context;
//! use std::time::Duration;
//!
//! /// Answers the first byte with itself, if it comes within ten seconds.
//! #[derive(Default)]
//! struct Knock {
//!     deadline: Option<Moment>,
//!     over: bool,
//! }
//!
//! impl Machine for Knock {
//!     fn step(&mut self, now: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
//!         let deadline = *self.deadline.get_or_insert(now.mono + Duration::from_secs(10));
//!         if !self.over && !io.input.is_empty() {
//!             io.output.extend_from_slice(&io.input.split_to(1));
//!             self.over = true;
//!         }
//!         self.over |= now.mono >= deadline || io.drain || io.peer > Peer::Open;
//!         match self.over && (io.output.is_empty() || io.peer == Peer::Gone) {
//!             true => Wants::DONE,
//!             false if self.over => Wants { read: Read::Pause, wake_at: None, phase: Phase::Open },
//!             false => Wants { read: Read::Need, wake_at: Some(deadline), phase: Phase::Open },
//!         }
//!     }
//! }
//!
//! let mut wire = Wire::new(Knock::default());
//! wire.advance(Duration::from_secs(9)).expect_open();
//! wire.feed("knock").expect("k").expect_closed();
//!
//! let mut wire = Wire::new(Knock::default());
//! wire.advance(Duration::from_secs(10)).expect_silence().expect_closed();
//!
//! laws(Knock::default, "knock");
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod cases;
pub mod client;
#[cfg(any(doc, doctest))]
pub mod docs;
pub mod events;
pub mod files;
pub mod laws;
pub mod net;
pub mod script;
mod seed;
pub mod simulate;
pub mod splits;
pub mod tape;
pub mod transcript;
pub mod view;
#[cfg(feature = "websocket")]
pub mod websocket;
pub mod wire;
pub mod wrap;

pub use client::{Client, ClientError, ClientRequest, ClientResponse, CookieJar, MultipartBody};
pub use events::{EventReader, ReceivedEvent};
pub use files::{Files, FolderFiles, MemoryFiles};
pub use laws::{Bounds, Law, Violation, check, laws, laws_within};
pub use net::Net;
pub use script::{Op, Script};
pub use simulate::{Simulation, simulate};
pub use splits::{splits, splits_seeded};
pub use tape::Replay;
pub use transcript::{Event, Transcript, escape};
pub use view::http1_view;
#[cfg(feature = "websocket")]
pub use websocket::{Denied, Frame, Received, WebSocketClient, WebSocketRequest};
pub use wire::{Fate, Wire};
pub use wrap::Xor;
