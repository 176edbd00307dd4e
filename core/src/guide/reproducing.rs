//! Reproducing a production bug: record the connection where it fails, replay it where it can be looked at.
//!
//! A server with Bakestone knows the world only by what its driver tells it. Written down, that is a [tape](crate::tape):
//! a text that a person reads, and that a test replays, byte for byte and in no time.
//!
//! # Record
//!
//! With the feature `tape` of the adapter, a server records some of its connections:
//!
//! ```ignore
//! use bakestone::tape::{Recording, Redaction};
//! use bakestone_tokio::{Server, TapeFolder};
//!
//! let recording = Recording::new(TapeFolder::new("/var/lib/bakery/tapes")?)
//!     .one_in(1_000)
//!     .redaction(Redaction::default().field("x-api-key"));
//! bakestone_tokio::run(app(), Server::new().address("0.0.0.0:8000").record(recording))?;
//! ```
//!
//! Each tape is a file of its own. What it costs:
//!
//! | | |
//! |---|---|
//! | without the feature | nothing |
//! | with it, on a connection that is not recorded | a word of memory, and a branch a step |
//! | on one that is | a copy of what passes, as text: up to 16 KiB wait for the disk, and about 700 bytes besides |
//! | on the disk | at most 1 MiB a connection, unless [`Recording::bytes`](crate::tape::Recording::bytes) says otherwise, and 1 GiB in all, unless `TapeFolder::bytes` does; nothing removes old tapes |
//! | if the disk is full or slow, or all that may be written is | tapes end early, connections go on; the observer hears of [`TapeLost`](crate::session::Event::TapeLost) |
//!
//! [`Recording::only`](crate::tape::Recording::only) records by address: that of the client who has the bug.
//!
//! # What is hidden
//!
//! The values of `Authorization`, `Cookie`, `Proxy-Authorization` and `Set-Cookie` never reach a tape, nor those of the fields
//! that [`Redaction::field`](crate::tape::Redaction::field) names; [`Redaction::bodies`](crate::tape::Redaction::bodies) hides all content as well. Each byte
//! is replaced by an `x`, so that lengths stay what they were and the tape still replays; answers hide the same in the
//! replay. What an application makes of a hidden value it cannot make again: a tape of a request that was logged in shows a
//! client that is not. Two ways out: let the test's application take `xxxx` for a good session, or write another value into
//! the tape by hand.
//!
//! In doubt a byte is hidden. That may end a replay: behind content whose last line looks like such a field and has no line
//! end, the next request's first line is hidden as well; and where all content is, a WebSocket's frames are, of which no
//! replay makes anything.
//!
//! Targets of requests are not hidden, queries and all; neither are the paths of files, and the addresses of clients. A tape
//! is personal data like an access log. A token in a query is a reason to record with
//! [`Recording::only`](crate::tape::Recording::only), or not at all.
//!
//! # Read
//!
//! ```
//! let tape = bakestone::tape::Tape::parse(r"tape 1
//! wall 1704067200s
//! mono 83.2s
//! peer 192.0.2.7:40022
//! seed 0
//! limit idle_time 5s
//!
//! @ 0s
//! @ 12.5ms
//! > GET /bread HTTP/1.1\r\n
//!   Host: a\r\n
//!   \r\n
//! ? 1 open bread.txt (Read)
//! @ 13.1ms
//! + 1 failed NotFound: No such file or directory (os error 2)
//! < HTTP/1.1 404 Not Found\r\n
//!   content-length: 0\r\n
//!   \r\n
//! ## end
//! ")?;
//! assert_eq!((tape.steps.len(), tape.end), (3, bakestone::tape::End::Whole));
//! # Ok::<(), bakestone::tape::ParseError>(())
//! ```
//!
//! Each `@` is a step of the machine; what stands below it came before the step, or came of it. The
//! [format](crate::tape) has a line for everything.
//!
//! # Replay
//!
//! ```ignore
//! #[test]
//! fn the_bread_that_was_not_there() {
//!     bakestone_testkit::tape::replay("tests/bread.tape", app()).unwrap();
//! }
//! ```
//!
//! As long as the bug is there, the replay comes to its end: the application does what it did. A debugger, a log and a
//! `dbg!` find it as it was in production, as often as one likes. File operations are answered from the tape
//! (`Replay::files` puts files in their place), blocking jobs run again, timers follow the clock of the tape.
//!
//! Once the bug is mended, the replay names the first difference, and that is where the answer is another one now:
//!
//! ```text
//! the replay differs at 13.1ms (the step on line 14 of the tape), at byte 9 of the output:
//!   after     `HTTP/1.1 `
//!   expected  `404 Not Found\r\ncontent-length: 0\r\n\r\n`
//!   got       `200 OK\r\ncontent-length: 5\r\n\r\nbread`
//! ```
//!
//! Write into the tape what is right, and the test keeps it so.
//!
//! # Cut it down
//!
//! A tape of an hour is cut in an editor. Lines may go from the end: without `# end` the last answer may go on. The last
//! line needs its line end, since one without it is what a crash has left, and is passed over. A request in
//! the middle may go with all the steps that it caused, from the `@` before its `>` to the last one before the next
//! request. Remarks begin with `#`.
//!
//! # What a tape cannot repeat
//!
//! A future that is not the toolkit's: a runtime's own timer, a database, a channel that another connection fills. A step
//! that was made because such a one woke the handler is marked `~ wake`, and a divergence behind it says so. Let the test's
//! application have in its place what answers at once. The same holds for randomness and for clocks that are not the
//! context's; [`ConnectionInfo::seed`](crate::machine::ConnectionInfo::seed) is on the tape.
//!
//! A driver that sends files by itself has bytes sent that no tape sees. No adapter here does.
//!
//! A wall clock that is set while a connection runs is on the tape. What it was off by less than a tenth of a second
//! at one step or another is not: a machine that is recorded is given a clock that runs evenly.
