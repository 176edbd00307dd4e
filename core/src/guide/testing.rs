//! Testing: applications, time, failure and tapes, without sockets and without waiting.
//!
//! An application and its server know the world only by what the driver tells them. In a test the test is the driver. So
//! a test runs the very code that production runs, from the bytes of the request line on, and nothing in it waits.
//!
//! `bakestone-testkit` is a package of its own, for `[dev-dependencies]`; its documentation has a chapter on each of these
//! matters, with examples that run: `docs::application`, `docs::time`, `docs::failure`, `docs::beside_others`.
//!
//! # An application
//!
//! ```ignore
//! use bakestone_testkit::Client;
//!
//! #[test]
//! fn a_cake_is_made_and_shown() {
//!     let client = Client::new(app());
//!     let cake: Cake = client.post("/cakes").json(&Cake::new("bara brith")).send().expect_status(201).json();
//!     client.get(&format!("/cakes/{}", cake.id)).send().expect_status(200).expect_json(&cake);
//!     client.get("/cakes/0").send().expect_status(404);
//! }
//! ```
//!
//! The client keeps cookies, follows redirects to the hosts that are the application's, sends forms and files, opens
//! WebSockets, and runs hooks, tasks and periodic ones. An `expect_..` that fails shows what went over the wire and the
//! handler's own error. Each test has an application and a clock of its own, so tests run side by side.
//!
//! # Time
//!
//! The clock stands still while anything can move, and leaps to the next deadline when a test waits. An hour takes no
//! time, and a time-out is tested at the very nanosecond.
//!
//! ```ignore
//! let client = Client::setup().timeout(Duration::from_secs(7200)).start(app());
//! let dough = client.get("/dough").start();
//! client.advance(Duration::from_secs(3599));
//! assert!(!dough.is_answered());
//! client.advance(Duration::from_secs(1));
//! dough.response().expect_text("risen");
//! ```
//!
//! The server's own deadlines hold as well, with the limits of the client's `setup()`. A body that stops in the middle is
//! written by hand:
//!
//! ```ignore
//! let mut limits = Limits::default();
//! limits.handler_time = Some(Duration::from_secs(5));
//! let client = Client::setup().limits(&limits).start(app());
//! client.get("/an-hour").send().expect_status(503);
//!
//! let mut upload = client.post("/upload").body_by_hand().start();
//! upload.write("the first piece");        // and no other
//! upload.response().expect_status(408);   // waiting lets the time pass
//! ```
//!
//! That holds for what waits by the [context](crate::Context). A `tokio::time::sleep` waits for tokio; the testkit says of
//! such a handler that nothing moves any more, and fails at once.
//!
//! # Failure
//!
//! | what | how |
//! |---|---|
//! | a client that goes away, or reads slowly | `disconnect()`, `half_close()`, `read_ahead(0)`; a `Wire` for each byte |
//! | a body that breaks off | `body_by_hand` |
//! | a full disk, a file that is not there | `MemoryFiles`, or a closure that answers each operation |
//! | a panic, an error deep inside | the response has the status; `error()` and `panic_message()` have the reason |
//! | a bad network, many clients | `Net`, and `simulate`, from a seed that a failure prints |
//! | every cut of the input, every law of a machine | `laws` |
//!
//! # Bytes
//!
//! Below the client there is `Wire`: one connection, fed and read by hand.
//!
//! ```ignore
//! let mut wire = Wire::new(Session::new(app().build().unwrap()));
//! wire.feed("GET / HTTP/1.1\r\nHo").expect_silence();
//! wire.advance(Duration::from_secs(10));      // the head's time is up
//! assert!(wire.take_text().starts_with("HTTP/1.1 408 "));
//! ```
//!
//! The same, with nothing but the crate itself, is a loop of a few lines; [driving](super::driving) writes it.
//!
//! ```
//! use bakestone::machine::{Io, Machine, Moment, Now};
//! use bakestone::{Session, Text};
//! use bytes::Buf;
//! use std::task::{Context, Waker};
//! use std::time::Duration;
//!
//! let mut session = Session::new(|_| Text("hello"));
//! let mut io = Io::default();
//! let mut at = |io: &mut Io, seconds| {
//!     let now = Now::new(Moment::from_epoch(Duration::from_secs(seconds)), Duration::ZERO);
//!     session.step(now, io, &mut Context::from_waker(Waker::noop()))
//! };
//! io.input.extend_from_slice(b"GET / HTTP/1.1\r\nHo");
//! let wants = at(&mut io, 0);
//! assert_eq!(wants.wake_at, Some(Moment::from_epoch(Duration::from_secs(10))));
//! let _ = at(&mut io, 10);
//! assert!(io.output.chunk().starts_with(b"HTTP/1.1 408 Request Timeout\r\n"));
//! ```
//!
//! # Tapes
//!
//! A server with the feature `tape` writes some of its connections down, and a test replays them byte for byte:
//! `bakestone_testkit::tape::replay("tests/bug.tape", app())`. The chapter `reproducing`, which is there with that
//! feature, tells how.
//!
//! # A function, without any server
//!
//! A handler is a function, so a test may call it. [`Request::new`](crate::Request::new) makes a request whose context
//! nobody stands behind: sleeps are over at once, files are unsupported.
//!
//! # What needs a socket
//!
//! Little: that the port is bound, that signals drain, what the operating system does to a listener. Keep one such test.
//! What a database or another server does is not the toolkit's matter; give the application a state that a test can
//! replace.
//!
//! # What goes wrong
//!
//! | it says, or happens | because |
//! |---|---|
//! | `nothing moves any more, and there is no deadline to wait for` | the handler waits for a runtime, a thread or a real socket; or for the test itself |
//! | a test of an endless stream never ends | it does, at the client's time-out, 10 s of its clock; read pieces in place of the whole |
//! | two tests disturb each other | a global of the application's: give it as a [`State`](crate::State) |
//! | the error is "Internal Server Error" | look at the response's `error()`, or at the transcript |
//! | a `#[tokio::test]` is needed | it is for tokio's own futures; the client itself needs none, and may be awaited all the same |
