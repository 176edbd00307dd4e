//! Lifespan and background work: what begins before the first request and ends after the last.
//!
//! A server has one [`Lifecycle`](crate::Lifecycle): a machine of its own, beside those of the connections, with the hooks,
//! the tasks and the periodic ones. An [`App`](crate::App) fills it, and every adapter drives it.
//!
//! # Start and end
//!
//! ```
//! use bakestone::{App, Context, Error, Result, State, Text, get};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! struct Pool;
//! # impl Pool {
//! #     async fn connect(_: &str) -> Result<Self, std::io::Error> { Ok(Pool) }
//! #     async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) }
//! #     async fn close(&self) {}
//! # }
//!
//! async fn connect(context: Context) -> Result<Arc<Pool>> {
//!     let pool = context.timeout(Duration::from_secs(5), Pool::connect("the database")).await??;
//!     Ok(Arc::new(pool))
//! }
//!
//! async fn health(State(pool): State<Arc<Pool>>) -> Result<Text<&'static str>> {
//!     pool.ping().await?;
//!     Ok(Text("fine"))
//! }
//!
//! let app = App::new()
//!     .state_from(connect)
//!     .on_shutdown(|_| async { println!("the last one is gone") })
//!     .route("/health", get(health));
//! # assert!(app.build().is_ok());
//! ```
//!
//! Start-up hooks run in their order before the first connection is accepted. **If one fails, the server does not start**,
//! and `run` returns the error with the place of the hook: an application that is half there answers wrongly.
//! [`ignore_startup_errors`](crate::App::ignore_startup_errors) is for those who know better.
//! [`state_from`](crate::App::state_from) is a hook that makes a state. Shut-down hooks run in reverse order, once all
//! connections and tasks are over, also if the start failed half-way; together they have `drain_time`, too.
//!
//! Hooks of mounts run as well, after those of the application around them.
//!
//! # Background work
//!
//! | when | by |
//! |---|---|
//! | now, and beyond this connection | [`context.spawn(\|context\| async ..)`](crate::Context::spawn) |
//! | once the response has left | [`context.after_response(..)`](crate::Context::after_response) |
//! | every so often | [`App::every`](crate::App::every) |
//! | a computation that blocks | [`context.blocking(..)`](crate::Context::blocking), or a whole handler: [`blocking`](crate::app::blocking()) |
//!
//! ```
//! use bakestone::{App, Context, Result, StatusCode, post};
//! use std::time::Duration;
//!
//! async fn order(context: Context) -> Result<StatusCode> {
//!     context.after_response(|context| async move {
//!         context.sleep(Duration::from_secs(60)).await;
//!         println!("the cake is done");
//!     })?;
//!     Ok(StatusCode::ACCEPTED)
//! }
//!
//! async fn sweep(_: Context) -> Result<()> {
//!     println!("sweeping");
//!     Ok(())
//! }
//!
//! let app = App::new().route("/orders", post(order)).every(Duration::from_secs(3600), sweep);
//! # assert!(app.build().is_ok());
//! ```
//!
//! A task gets a context of its own, since that of the request ends with the connection. There are at most 10,000 at a
//! time ([`Limits::tasks`](crate::Limits::tasks)); one more is an error, 503 as a response. A failure or a panic is told to the observer, and a
//! periodic task goes on with its next tick. No tick comes while the last still runs.
//!
//! **Tasks are not a queue.** They live in the process: when the drain's time is up, or the process is killed, they are
//! gone. What must happen is written down first, in a database or a broker.
//!
//! A task of the runtime (`tokio::spawn`) works on that runtime's adapter, and is nobody's here: the server does not wait
//! for it, and a test does not see it.
//!
//! # The end
//!
//! ```text
//! Starting --> Running --drain--> Draining --all over, or drain_time--> Stopping --hooks--> Over
//! ```
//!
//! `run` drains at SIGINT and SIGTERM, `serve` when the server's handle says so. No connection is accepted any more, idle
//! ones are closed, what runs comes to its end and says `Connection: close`, streams of events and WebSockets are ended.
//! After [`drain_time`](crate::Limits::drain_time), 10 s, what is left is cut off. A handler that would go on for ever asks
//! [`context.draining()`](crate::Context::draining).
//!
//! # With a handler in hand
//!
//! What happens to a handler whose client has gone: it is dropped at its `await`, if the method is a safe one, and runs to
//! its end otherwise; [`OnDisconnect`](crate::message::OnDisconnect) says it for a route or from inside. Every future of
//! the toolkit may be dropped: reading loses nothing, writing takes the whole or nothing.
//!
//! # What goes wrong
//!
//! | it says, or happens | because |
//! |---|---|
//! | `a background task cannot end with i32` | a task ends with `()` or a `Result<(), E>` |
//! | `the start-up hook of src/main.rs:9:10 failed: ..` | and so the server did not start |
//! | `the server runs no lifecycle, so it has no background tasks` | the driver is your own and drives only connections: [driving](super::driving#the-servers-life); or the request was made by hand |
//! | the process ends ten seconds late | something did not end by itself: a handler without end, a task that sleeps |
//! | everybody waits for one request | a handler blocks the thread: `std::thread::sleep`, a synchronous database; `blocking` |
//! | `there is no reactor running` | a future of tokio's is polled on another driver |
