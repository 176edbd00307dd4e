//! Testing time.
//!
//! The clock of a [`Client`](crate::Client) begins at 2024-01-01T00:00:00Z and stands still while anything can move. Whoever
//! waits lets it go on, from deadline to deadline, so that no test sleeps.
//!
//! ```
//! use bakestone::{App, Context, Text, get};
//! use bakestone_testkit::Client;
//! use std::time::Duration;
//!
//! async fn proves(context: Context) -> Text<&'static str> {
//!     context.sleep(Duration::from_secs(3600)).await;
//!     Text("risen")
//! }
//!
//! let client = Client::setup().timeout(Duration::from_secs(7200)).start(App::new().route("/dough", get(proves)));
//! client.get("/dough").send().expect_text("risen");
//! ```
//!
//! # When exactly
//!
//! A request that is [started](crate::ClientRequest::start) lets no time pass; the test does.
//!
//! ```
//! # use bakestone::{App, Context, Text, get};
//! # use bakestone_testkit::Client;
//! # use std::time::Duration;
//! # async fn proves(context: Context) -> Text<&'static str> {
//! #     context.sleep(Duration::from_secs(3600)).await;
//! #     Text("risen")
//! # }
//! # let client = Client::new(App::new().route("/dough", get(proves)));
//! let dough = client.get("/dough").start();
//! client.advance(Duration::from_secs(3599));
//! assert!(!dough.is_answered());
//! assert_eq!(client.advance_to_next_deadline(), Some(Duration::from_secs(1)));
//! dough.response().expect_text("risen");
//! ```
//!
//! Whatever a deadline sets off, in whichever machine, happens at its moment: one that is woken by another reads the same
//! clock. [`hold_clock`](crate::Client::hold_clock) has every wait of a client fail that would need the clock.
//!
//! # What never comes
//!
//! A wait ends at once where nothing can come any more, and otherwise after 10 seconds of the clock, or after 200,000
//! deadlines. Either way the test is told what every machine waits for:
//!
//! ```text
//! GET /stuck at http://localhost: nothing moves any more, and there is no deadline to wait for
//! at 0ns of the clock wait:
//! - connection 1 to localhost: GET /stuck: its handler has not answered; it wants Watch
//! - the lifecycle: Running, with 0 tasks; it wants Pause
//! -- the transcript of connection 1
//! ...
//! ```
//!
//! What works elsewhere is not waited for: a handler that waits for a thread of its own, or for a runtime's socket, is stuck
//! here. Jobs of [`blocking`](bakestone::app::blocking()) handlers and files are answered on the spot.
//!
//! # The server's own deadlines
//!
//! They hold here, too: idle connections close, slow readers are cut off, a drain ends. The
//! [`Limits`](bakestone::Limits) are those of [`ClientSetup::limits`](crate::client::ClientSetup::limits).
//!
//! ```
//! use bakestone::{App, Context, Limits, Text, get};
//! use bakestone_testkit::Client;
//! use std::time::Duration;
//!
//! let mut limits = Limits::default();
//! limits.handler_time = Some(Duration::from_secs(5));
//! let app = App::new().route("/", get(|context: Context| async move {
//!     context.sleep(Duration::from_secs(6)).await;
//!     Text("too late")
//! }));
//! Client::setup().limits(&limits).start(app).get("/").send().expect_status(503);
//! ```
//!
//! A body that stops in the middle is written by hand, and never ended. Of its two deadlines the earlier one comes: a
//! body of a few bytes is below the [minimum rate](bakestone::Limits::minimum_rate) after 10 seconds, and so is not
//! waited for until [`body_time`](bakestone::Limits::body_time) is over, which is 30.
//!
//! ```
//! use bakestone::{App, Text, post};
//! use bakestone_testkit::Client;
//! use std::time::Duration;
//!
//! let app = App::new().route("/", post(|body: String| async move { Text(body) }));
//! let client = Client::new(app);
//! let mut upload = client.post("/").body_by_hand().start();
//! upload.write("half a ");
//! client.advance(Duration::from_secs(10));
//! assert!(!upload.is_answered());
//! client.advance(Duration::from_secs(1));
//! upload.response().expect_status(408);
//! ```
