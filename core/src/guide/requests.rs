//! Requests: what a handler may ask for, and how.
//!
//! Everything is there twice: as an argument, which is made before the handler is called and answers for itself if it
//! cannot be, and as a method of [`Request`](crate::Request), for who would rather look.
//!
//! # Arguments
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! # #[cfg(feature = "json")] {
//! use bakestone::{App, Json, Path, Query, Result, State, get};
//! use serde::{Deserialize, Serialize};
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Clone, Default)]
//! struct Shelf(Arc<Mutex<Vec<String>>>);
//!
//! #[derive(Deserialize)]
//! struct Page {
//!     from: Option<usize>,
//! }
//!
//! #[derive(Deserialize, Serialize)]
//! struct Cake {
//!     name: String,
//! }
//!
//! async fn list(State(shelf): State<Shelf>, Query(page): Query<Page>) -> String {
//!     let cakes = shelf.0.lock().unwrap();
//!     format!("{} cakes", cakes.len() - page.from.unwrap_or(0).min(cakes.len()))
//! }
//!
//! async fn put(Path(place): Path<usize>, State(shelf): State<Shelf>, Json(cake): Json<Cake>) -> Result<Json<Cake>> {
//!     shelf.0.lock().unwrap().insert(0, cake.name.clone());
//!     Ok(Json(cake))
//! }
//!
//! let app = || App::new().state(Shelf::default()).route("/cakes", get(list)).route("/cakes/{place}", bakestone::put(put));
//! assert!(ask(app(), "GET /cakes?from=x HTTP/1.1\r\nHost: a\r\n\r\n").contains("query's `from` must be"));
//!
//! let put = |kind: &str| format!("PUT /cakes/1 HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 16\r\n\r\n");
//! let scone = put("application/json") + r#"{"name":"scone"}"#;
//! assert!(ask(app(), &scone).ends_with(r#"{"name":"scone"}"#));
//! let form = put("text/plain") + r#"{"name":"scone"}"#;
//! assert!(ask(app(), &form).starts_with("HTTP/1.1 415 "));
//! # }
//! ```
//!
//! All but the last leave the body alone: [`FromParts`](crate::app::FromParts) has the list. The last may read it:
//! [`FromRequest`](crate::app::FromRequest). A type of your own implements one of them, with an ordinary function or an
//! `async fn`; there is no macro.
//!
//! What fails answers with its status and a text that names the field. A handler that would rather say it itself takes a
//! `Result<Query<Page>, Rejection>`; an `Option` is `None` in place of the failure, whatever that was.
//!
//! # The body
//!
//! | wanted | as an argument | on the request |
//! |---|---|---|
//! | all of it | `Bytes`, `String`, [`Json<T>`](crate::message), [`Form<T>`](crate::Form), [`FormData`](crate::FormData) | `bytes()`, `text()`, `json()`, `form()` |
//! | all of it, and longer than usual | | [`bytes_within(limit)`](crate::Request::bytes_within) |
//! | whatever it is, by its content type | | [`data()`](crate::Request::data) |
//! | piece by piece | [`Body`](crate::Body), [`Multipart`](crate::Multipart) | [`chunk()`](crate::Request::chunk) |
//! | as it is, on its way back or elsewhere | `Body` | [`into_body()`](crate::Request::into_body) |
//!
//! What is read whole has a bound: 2 MiB, or
//! what [the route](crate::app::MethodRouter::buffered_body_bytes) or the [application](crate::App::buffered_body_bytes)
//! says. Past it the answer is 413, and a body that announces its length is refused before it is sent. What is read piece
//! by piece has none, since nothing piles up: bytes that nobody asks for stay in the socket, and the client waits.
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::{App, Request, Result, Text, post};
//!
//! async fn count(mut request: Request) -> Result<Text<String>> {
//!     let mut lines = 0;
//!     while let Some(piece) = request.chunk().await? {
//!         lines += piece.iter().filter(|byte| **byte == b'\n').count();
//!     }
//!     Ok(Text(lines.to_string()))
//! }
//!
//! let app = App::new().route("/lines", post(count));
//! let chunked = "POST /lines HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na\nb\n\r\n2\r\nc\n\r\n0\r\n\r\n";
//! assert!(ask(app, chunked).ends_with("\r\n\r\n3"));
//! ```
//!
//! A body that breaks off is an error, never a short body. One that was read whole may be read again, by middleware and
//! then by the handler; one that was read in part is
//! [`AlreadyConsumed`](crate::message::BodyError::AlreadyConsumed), so that nobody takes the rest for the whole.
//! `Expect: 100-continue` is answered when the handler first asks for the body.
//!
//! # The context
//!
//! [`Context`](crate::Context) is an argument, too, and [`request.context()`](crate::Request::context): time
//! (`sleep`, `timeout`, `now`), files, blocking work, background work, and what became of the client. It means the same
//! on every driver, and a test decides what it finds. A handler may await its runtime's own futures as well; it runs on
//! that runtime's driver only, then, and a test has to stand in for them.
//!
//! # Who asks
//!
//! [`request.peer()`](crate::Request::peer) is the other end of the connection, and behind a proxy that is the proxy.
//! Nothing here reads `X-Forwarded-For` or `Forwarded`: [deploying](super::deploying#the-clients-address) says why, and
//! shows a middleware that does.
//!
//! # What it costs
//!
//! A [`Request`](crate::Request) is a pointer. The map behind [`headers()`](crate::Request::headers) is made on the first
//! look; who wants one or two fields takes [`field_values`](crate::Request::field_values) or an argument for them, and
//! no map is made. `query()` and `cookies()` parse anew at each call: keep what they give.
//!
//! # What goes wrong
//!
//! | it says, or happens | because |
//! |---|---|
//! | `` `Json<..>` cannot be made of a request without its body `` | it is not the last argument, or another one takes the body as well |
//! | `` `&Request` cannot be made of a request `` | no argument is a reference: take the `Request` |
//! | `` `Path<Cake>` cannot be made of a request `` | the `T` of `Path`, `Query`, `Form` and `Json` needs `#[derive(Deserialize)]`, and borrows nothing |
//! | 415 for JSON that is right | `Json<T>` wants `Content-Type: application/json` or `..+json`, so that no form of another site can send it; `request.json()` does not look |
//! | 400 for a checkbox that is not ticked | it sends nothing: `#[serde(default)]`, or an `Option` |
//! | 408 in the middle of an upload | the client was silent for 30 s, or slower than 100 bytes a second on average once 10 s have passed, which a body that stops at its first bytes is at once: [`Limits::body_time`](crate::Limits::body_time), [`minimum_rate`](crate::Limits::minimum_rate) |
//! | an `Extension<T>` is 500 | nothing attached one; that depends on the middleware, so it cannot be seen when the application is built, as a [`State`](crate::State) can |
//! | the lock's guard is not `Send` | a `std` mutex's guard is kept across an `await`; end its block before |
