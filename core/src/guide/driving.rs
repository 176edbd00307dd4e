//! Driving the core yourself: your own loop in place of an adapter, or one level in place of all.
//!
//! There is one boundary, and it is on [one page](crate::machine). A [`Machine`](crate::machine::Machine) is a connection, or
//! the life of a server. It knows the world by [`Now`](crate::machine::Now) and [`Io`](crate::machine::Io), and says what it
//! wants by `Io` and [`Wants`](crate::machine::Wants). A driver moves bytes, tells the time, and steps. It has no callbacks,
//! and there is no order of calls to get wrong: a step without cause is harmless.
//!
//! # One connection
//!
//! Beside `bakestone` a driver depends on `bytes`: what goes out is a [`bytes::Buf`], and that trait has to be in scope for
//! `chunk`, `advance` and `copy_to_bytes`.
//!
//! ```
//! use bakestone::machine::{Io, Machine, Moment, Now, Peer, Phase, Read, Wants};
//! use bakestone::{Context, Session, Text};
//! use bytes::Buf;
//! use std::task::Waker;
//! use std::time::Duration;
//!
//! async fn slow(request: bakestone::Request) -> Text<&'static str> {
//!     request.context().sleep(Duration::from_secs(3)).await;
//!     Text("done")
//! }
//!
//! let (mut session, mut io) = (Session::new(slow), Io::default());
//! let mut step = |io: &mut Io, seconds| {
//!     let now = Now::new(Moment::from_epoch(Duration::from_secs(seconds)), Duration::from_secs(1_700_000_000 + seconds));
//!     session.step(now, io, &mut std::task::Context::from_waker(Waker::noop()))
//! };
//! let written = |io: &mut Io| io.output.copy_to_bytes(io.output.remaining());
//!
//! // Nothing has come: it needs bytes, and by the tenth second a head.
//! let wants = step(&mut io, 0);
//! assert_eq!((wants.read, wants.wake_at), (Read::Need, Some(Moment::from_epoch(Duration::from_secs(10)))));
//!
//! // Bytes: the handler sleeps until the fifth second; of the socket only a hang-up matters.
//! io.input.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//! let wants = step(&mut io, 2);
//! assert_eq!((wants.read, wants.wake_at), (Read::Watch, Some(Moment::from_epoch(Duration::from_secs(5)))));
//! assert!(io.output.is_empty());
//!
//! // Time: there is an answer.
//! let wants = step(&mut io, 5);
//! assert!(written(&mut io).ends_with(b"\r\n\r\ndone"));
//! assert_eq!((wants.read, wants.phase), (Read::Need, Phase::Open));
//!
//! // The server stops: an idle connection ends, and is closed.
//! io.drain = true;
//! assert_eq!(step(&mut io, 6).phase, Phase::Lingering);
//! io.peer = Peer::Finished;
//! assert_eq!(step(&mut io, 6), Wants::DONE);
//! ```
//!
//! # The loop
//!
//! | after a step | do |
//! |---|---|
//! | `io.output` holds something | write it, take off what was written; whoever waits for room is stepped again |
//! | `io.effects` holds something | run it, or hand it to a pool; the answer wakes |
//! | [`Phase::Lingering`](crate::machine::Phase::Lingering) | shut down sending once the output is empty, and go on reading |
//! | [`Phase::Abort`](crate::machine::Phase::Abort), [`Done`](crate::machine::Phase::Done) | reset; close |
//! | [`Read::Need`](crate::machine::Read::Need) | read into `io.input` |
//! | [`Read::Watch`](crate::machine::Read::Watch) | read, if you are told of a hang-up no other way |
//! | [`Read::Pause`](crate::machine::Read::Pause) | leave the bytes in the socket: this is what holds a fast client back |
//! | `wake_at` | step at this moment at the latest |
//! | the waker was woken | step |
//! | a read gave nothing; an error | `io.peer` is `Finished`; `Gone`, and drop the output |
//!
//! That is all of it. The README has a loop for a blocking socket in some thirty lines, with what it cannot do said above
//! it (`cargo run --bin own-loop`); the example `readiness-loop` has one for many connections on one thread, with a timer
//! heap. `bakestone-std` without its default features has the parts that loops on an operating system share: a clock, the
//! code that touches files, a pool.
//!
//! A driver may be as lazy as it likes: stepping only when there is a cause gives the same as stepping always. It reads at
//! most 64 KiB at a time, or the bound of [`Limits::max_buffered`](crate::Limits::max_buffered) does not hold. It may
//! [lend](crate::machine::Io::lend) its memory to the connection whose turn it is, so that idle ones own none.
//!
//! # Effects
//!
//! A handler that opens a file asks the driver for it.
//!
//! ```
//! use bakestone::effect::{Effect, FileError, FileErrorKind};
//! use bakestone::machine::{Io, Machine, Now};
//! use bakestone::{Context, Result, Session, Text};
//! use bytes::Buf;
//! use std::task::Waker;
//!
//! async fn answer(request: bakestone::Request) -> Result<Text<String>> {
//!     Ok(Text(request.context().blocking(|| 6 * 7).await?.to_string()))
//! }
//!
//! let (mut session, mut io) = (Session::new(answer), Io::default());
//! let mut step = |io: &mut Io| session.step(Now::default(), io, &mut std::task::Context::from_waker(Waker::noop()));
//! io.input.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//! let _ = step(&mut io);
//! for effect in std::mem::take(&mut io.effects) {
//!     match effect {
//!         Effect::Blocking(job) => job.run(),
//!         Effect::File(_, reply) => reply.send(Err(FileError::new(FileErrorKind::Unsupported, "no files here"))),
//!         _ => {}   // dropped: whoever asked is told that nobody answers
//!     }
//! }
//! let _ = step(&mut io);
//! assert!(io.output.copy_to_bytes(io.output.remaining()).ends_with(b"\r\n\r\n42"));
//! ```
//!
//! # The server's life
//!
//! Hooks and tasks are a machine of their own, with an `Io` that carries no bytes.
//!
//! ```
//! use bakestone::app::Application;
//! use bakestone::machine::{Io, Machine, Now, Phase};
//! use bakestone::session::Stage;
//! use bakestone::{App, Context, Result, Session, Text, get};
//! use std::task::Waker;
//!
//! async fn begin(context: Context) -> Result<Text<&'static str>> {
//!     context.spawn(|_| async { println!("on its own") })?;
//!     Ok(Text("begun"))
//! }
//!
//! let app = App::new().on_startup(|_| async { println!("warming up") }).route("/", get(begin));
//! let (service, mut lifecycle) = app.start()?;
//! let (mut life, mut cx) = (Io::default(), std::task::Context::from_waker(Waker::noop()));
//! let _ = lifecycle.step(Now::default(), &mut life, &mut cx);
//! assert_eq!(lifecycle.stage(), Stage::Running);   // now connections may be accepted; else `take_failure()` has the reason
//!
//! let (mut session, mut io) = (Session::new(service).lifecycle(&lifecycle.spawner()), Io::default());
//! io.input.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
//! let _ = session.step(Now::default(), &mut io, &mut cx);
//!
//! // At the end `drain` is set everywhere at the same moment, and this machine is done last.
//! (io.drain, life.drain) = (true, true);
//! drop(session);
//! while lifecycle.step(Now::default(), &mut life, &mut cx).phase != Phase::Done {}
//! # Ok::<(), bakestone::app::BuildErrors>(())
//! ```
//!
//! # One level alone
//!
//! | for | take |
//! |---|---|
//! | HTTP/1.1 in either role, without futures or clocks | [`h1::Conn`](crate::h1::Conn) |
//! | a connection, with a closure for a service | [`Session`](crate::Session) |
//! | WebSocket frames and messages | `ws::Conn`, with the feature `websocket` |
//! | `multipart/form-data` from any source of bytes | [`multipart::Decoder`](crate::multipart::Decoder) |
//! | routes to anything | [`router`](crate::router) |
//! | cookies, ranges, conditions, media types, events, forms | [`http`](mod@crate::http) |
//!
//! Each says at its head what its input and its rule are.
//!
//! # What goes wrong
//!
//! | it happens | because |
//! |---|---|
//! | ``no method named `chunk` found for .. `Output` `` (E0599), and a path that is private is suggested | `bytes` in the dependencies, and `use bytes::Buf;` |
//! | a connection stands still | the waker given last was not woken through: it must lead to a step of this connection; or `wake_at` was forgotten |
//! | a loop turns at full speed | it steps on `wake_at` that lies at `now` to the driver's rounding: sleep at least to it, not before |
//! | a slow reader costs memory | bytes are read although `read` is `Pause` |
//! | the end of a response is lost | the socket was closed at `Lingering`: send a FIN, and read on until `Done` |
//! | an aborted response looks complete | at `Abort` the socket has to be reset, or the client takes a FIN for the end |
//! | `spawn` is an error | the session knows no lifecycle: [`Session::lifecycle`](crate::Session::lifecycle) |
//! | a deadline comes at once | each connection has an epoch of its own; one serves them all |
