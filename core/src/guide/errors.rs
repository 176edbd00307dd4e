//! Errors: one type, one way out, and where to say what they look like.
//!
//! # `?` on anything
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::{App, Error, Query, Result, StatusCode, Text, get};
//! use std::collections::HashMap;
//!
//! async fn share(Query(query): Query<HashMap<String, String>>) -> Result<Text<String>> {
//!     let slices = query.get("slices").ok_or_else(|| Error::bad_request("how many slices?"))?;
//!     let slices: u32 = slices.parse()?;   // any `std::error::Error`: 500
//!     if slices == 0 {
//!         return Err(Error::new(StatusCode::IM_A_TEAPOT, "no cake").with_code("no-cake"));
//!     }
//!     Ok(Text((8 / slices).to_string()))
//! }
//!
//! let app = || App::new().route("/share", get(share));
//! let get = |target: &str, accept: &str| ask(app(), &format!("GET {target} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n\r\n"));
//!
//! assert!(get("/share", "*/*").ends_with("\r\n\r\nhow many slices?"));
//! let internal = get("/share?slices=many", "*/*");
//! assert!(internal.starts_with("HTTP/1.1 500 ") && internal.ends_with("\r\n\r\nInternal Server Error"));
//! let details = get("/share?slices=0", "application/json");
//! assert!(details.contains("\r\ncontent-type: application/problem+json\r\n"), "{details}");
//! assert!(details.contains("urn:bakestone:no-cake"), "{details}");
//! ```
//!
//! An [`Error`](crate::Error) is a status, a message **for the client**, a cause **for the logs**, fields and a code.
//! Whatever implements `std::error::Error` becomes one: with the status that it stands for where the toolkit knows it (a
//! body that is too long is 413, a full disk 507), else as 500 with the standard phrase, so that nothing of the inside
//! goes out. A [`Redirect`](crate::Redirect) leaves by `?`, too.
//!
//! Another status for an error of yours is said where it happens, `.map_err(|error| Error::conflict("sold").with_source(error))?`,
//! or once for all by a handler for its type.
//!
//! # One way out
//!
//! A handler's error, an argument's, a middleware's, the router's 404 and 405, a body that is too long, a request that is
//! no HTTP, a handler that panics or is too late: each is an `Error`, and each is rendered in the same place.
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::app::Failure;
//! use bakestone::{App, Error, Result, StatusCode, Text, get};
//! use std::num::ParseIntError;
//!
//! async fn no_number(failure: Failure<ParseIntError>) -> (StatusCode, Text<String>) {
//!     (StatusCode::BAD_REQUEST, Text(format!("a number, please: {}", *failure)))
//! }
//!
//! async fn nothing_here(failure: Failure<Error>) -> Text<String> {
//!     Text(format!("nothing at {}", failure.uri().map_or("?", |uri| uri.path())))
//! }
//!
//! async fn seven() -> Result<Text<String>> {
//!     Ok(Text("seven".parse::<u8>()?.to_string()))
//! }
//!
//! let app = || App::new().route("/", get(seven)).on_error(no_number).on_status(404, nothing_here);
//! assert!(ask(app(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 400 "));
//! let missing = ask(app(), "GET /cakes HTTP/1.1\r\nHost: a\r\n\r\n");
//! assert!(missing.starts_with("HTTP/1.1 404 ") && missing.ends_with("\r\n\r\nnothing at /cakes"));
//! ```
//!
//! [`on_error`](crate::App::on_error) is for a type, anywhere in the chain of causes; `Failure<Error>` is for all.
//! [`on_status`](crate::App::on_status) is for a status. The type speaks before the status, the status before the handler
//! for all, and a mount's own handlers before those around it. **The status stays** unless the handler sets one: a page
//! for a 404 is a 404.
//!
//! # Without a handler
//!
//! The client's `Accept` decides: a page, problem details (RFC 9457) or plain text, which is the default. All three say
//! the status, the message and the code, and no more. [`App::debug`](crate::App::debug) adds the causes and the request;
//! it is for development.
//!
//! # An API that speaks JSON only
//!
//! `curl` and most programs accept anything, and so they get text. An API that is to answer with problem details whatever
//! is accepted says so in a handler for all errors. Its own errors are a type, with a handler that knows their statuses;
//! and a [`Rejection`](crate::Rejection), which is 400 where a value does not fit, may be told as 422 in the same way.
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! # #[cfg(feature = "json")] {
//! use bakestone::app::Failure;
//! use bakestone::message::Reason;
//! use bakestone::{App, Error, HeaderValue, IntoResponse, Json, Path, Rejection, Response, Result, StatusCode, get, header};
//! use serde::Serialize;
//!
//! #[derive(Debug)]
//! enum CakeError {
//!     Missing(String),
//!     SoldOut,
//! }
//!
//! impl std::fmt::Display for CakeError {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//!         match self {
//!             Self::Missing(name) => write!(f, "there is no {name}"),
//!             Self::SoldOut => write!(f, "the last one was sold"),
//!         }
//!     }
//! }
//!
//! impl std::error::Error for CakeError {}
//!
//! #[derive(Serialize)]
//! struct Problem {
//!     r#type: String,
//!     status: u16,
//!     detail: String,
//! }
//!
//! fn problem(status: StatusCode, code: &str, detail: String) -> Result<Response> {
//!     let body = Problem { r#type: format!("urn:cakes:{code}"), status: status.as_u16(), detail };
//!     let content_type = HeaderValue::from_static("application/problem+json");
//!     Ok((status, Json(body)).into_response()?.with_header(header::CONTENT_TYPE, content_type))
//! }
//!
//! async fn cake_error(failure: Failure<CakeError>) -> Result<Response> {
//!     let (status, code) = match &*failure {
//!         CakeError::Missing(_) => (StatusCode::NOT_FOUND, "missing"),
//!         CakeError::SoldOut => (StatusCode::CONFLICT, "sold-out"),
//!     };
//!     problem(status, code, failure.to_string())
//! }
//!
//! async fn rejection(failure: Failure<Rejection>) -> Result<Response> {
//!     let status = match failure.reason() {
//!         Reason::Missing | Reason::Invalid | Reason::Unknown => StatusCode::UNPROCESSABLE_ENTITY,
//!         _ => failure.status(),
//!     };
//!     problem(status, failure.code(), failure.error().message().to_owned())
//! }
//!
//! async fn any_error(failure: Failure<Error>) -> Result<Response> {
//!     problem(failure.status(), failure.code().unwrap_or("error"), failure.message().to_owned())
//! }
//!
//! async fn cake(Path(name): Path<String>) -> Result<&'static str, CakeError> {
//!     Err(if name == "scone" { CakeError::SoldOut } else { CakeError::Missing(name) })
//! }
//!
//! async fn bake(Json(slices): Json<Vec<u8>>) -> Json<usize> {
//!     Json(slices.len())
//! }
//!
//! let app = || {
//!     App::new()
//!         .route("/cakes/{name}", get(cake).post(bake))
//!         .on_error(cake_error)
//!         .on_error(rejection)
//!         .on_error(any_error)
//! };
//! let post = "POST /cakes/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n[\"x\"]";
//! for (request, status) in [
//!     ("GET /cakes/scone HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 409 "),
//!     ("GET /cakes/eclair HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 "),
//!     ("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 "),
//!     (post, "HTTP/1.1 422 "),
//! ] {
//!     let answer = ask(app(), request);
//!     assert!(answer.starts_with(status), "{answer}");
//!     assert!(answer.contains("\r\ncontent-type: application/problem+json\r\n"), "{answer}");
//! }
//! # }
//! ```
//!
//! # What handlers of errors do not see
//!
//! A response that was returned as a value: `StatusCode::NOT_FOUND` is what it is. And what fails once the head has left:
//! the status is out, so the message is cut off, and the client knows that it is incomplete. Both are told to the
//! [observer](crate::session::Observer).
//!
//! # Panics
//!
//! A panic in a handler, a body, a middleware, a task or a hook is caught: 500 if nothing was sent, else the message is
//! cut. The connection and the server live on. With `panic = "abort"` nothing can be caught. A mutex that was locked is
//! poisoned, as anywhere.
//!
//! # Where to log
//!
//! Not in error handlers: they do not see everything. [`Event::Failed`](crate::session::Event::Failed) has each error that
//! became a response, with its causes, and [`Event::Panicked`](crate::session::Event::Panicked) each panic; the adapters'
//! `Tracing` makes lines of both. `{error:?}` and `{error:#}` print the causes as well.
//!
//! # What goes wrong
//!
//! | it says, or happens | because |
//! |---|---|
//! | `` `?` couldn't convert the error to `bakestone::Error` `` | what fails there is a `String`, a `Box<dyn Error>` or `anyhow::Error`, none of which implements `std::error::Error`: `.map_err(..)` |
//! | `` `String` is no error that a handler could be registered for `` | `Failure<E>` is for types that implement `std::error::Error`, and for `Error` |
//! | `expected a function of one Failure<E>` | the handler takes the error itself: it is the `Failure`, by reference |
//! | a handler for `std::io::Error` is not called | a type before it in the chain has a handler as well; or the cause is another type that only prints it |
//! | the client sees "Internal Server Error" and wants more | a message is for clients only if somebody said so: `with_message`, `on_error` |
//! | a 500, and the terminal stays silent | nothing is printed by itself: [`App::debug(true)`](crate::App::debug) shows the cause to the client while you develop, an [observer](super::deploying#observe) tells it |
//! | a 404 that no handler of the module renders | what is [merged](crate::App::merge) answers for its own routes; a path that nobody knows is the outer application's: put the handler there |
//! | 400 for JSON of the wrong type, where other toolkits say 422 | a [`Rejection`](crate::Rejection) is 400: a handler for it says another status, as above |
//! | a bare 500 | the error handler failed, or panicked |
