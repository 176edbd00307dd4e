//! Coming from axum (0.8): the same thing, side by side.
//!
//! Handlers, extractors and `IntoResponse` work alike, and mostly have the same names. What differs most: nothing has a
//! type parameter for the state, middleware is a function, errors are one type, and the server is not tied to a runtime.
//!
//! # An application
//!
//! ```ignore
//! use axum::{Json, Router, extract::{Path, State}, http::StatusCode, routing::get};
//!
//! #[derive(Clone)]
//! struct Shelf(Arc<Mutex<Vec<String>>>);
//!
//! async fn show(State(shelf): State<Shelf>, Path(place): Path<usize>) -> Result<Json<String>, StatusCode> {
//!     let cake = shelf.0.lock().unwrap().get(place).cloned();
//!     cake.map(Json).ok_or(StatusCode::NOT_FOUND)
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let app = Router::new().route("/cakes/{place}", get(show)).with_state(Shelf(Default::default()));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
//!     axum::serve(listener, app).await
//! }
//! ```
//!
//! ```
//! # #[cfg(feature = "json")] {
//! use bakestone::{App, Error, Json, Path, Result, State, get};
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Clone, Default)]
//! struct Shelf(Arc<Mutex<Vec<String>>>);
//!
//! async fn show(State(shelf): State<Shelf>, Path(place): Path<usize>) -> Result<Json<String>> {
//!     let cake = shelf.0.lock().unwrap().get(place).cloned();
//!     cake.map(Json).ok_or_else(Error::not_found)
//! }
//!
//! fn app() -> App {
//!     App::new().route("/cakes/{place}", get(show)).state(Shelf::default())
//! }
//!
//! // fn main() -> Result<(), bakestone_tokio::ServeError> { bakestone_tokio::run(app(), "127.0.0.1:8000") }
//! # assert!(app().build().is_ok());
//! # }
//! ```
//!
//! # Names
//!
//! | axum | here |
//! |---|---|
//! | `Router<S>` | [`App`](crate::App), without a parameter |
//! | `.with_state(s)`, `FromRef` for its parts | [`.state(a).state(b)`](crate::App::state), each by its type; a missing one is an error of `build` |
//! | `.nest("/shop", shop)`, `.merge(other)` | [`.mount("/shop", shop)`](crate::App::mount), [`.merge(other)`](crate::App::merge) |
//! | `.fallback(handler)` | [`.fallback(handler)`](crate::App::fallback) |
//! | `/{*rest}` | `/{rest:path}`, which may be empty |
//! | `OriginalUri`, `MatchedPath` | [`request.uri()`](crate::Request::uri), which a mount leaves as it is; [`request.route()`](crate::Request::route) |
//! | a panic at start for routes that overlap | all conflicts at once, as an error with both places |
//! | `FromRequestParts<S>` with a `Rejection` type | [`FromParts`](crate::app::FromParts), not asynchronous, with [`Error`](crate::Error) |
//! | `FromRequest<S>` | [`FromRequest`](crate::app::FromRequest), asynchronous |
//! | `Option<Query<T>>`, `Result<Query<T>, QueryRejection>` | the same, with [`Rejection`](crate::Rejection) |
//! | `Form<T>`; `Multipart` | [`Form<T>`](crate::Form) takes both kinds, files and all; [`Multipart`](crate::Multipart) |
//! | `DefaultBodyLimit::max(n)`, 2 MB | [`.buffered_body_bytes(n)`](crate::App::buffered_body_bytes), of a route too; 2 MiB |
//! | `ConnectInfo<SocketAddr>` | [`request.peer()`](crate::Request::peer), always there |
//! | `Extension<T>` | [`Extension<T>`](crate::Extension) |
//! | `(StatusCode, [(name, value)], body)` | `(StatusCode, HeaderMap, body)`, or [`.with_header(name, value)`](crate::Response::with_header) |
//! | 422 for JSON of another type | 400, as for whatever does not fit: [how to say 422](super::super::errors#an-api-that-speaks-json-only) |
//! | a bare `String` is `text/plain` | **it is HTML**: [`Text`](crate::Text) |
//! | `Html("..")`, `Redirect::to` (303) | [`Html`](crate::Html); [`Redirect::see_other`](crate::Redirect::see_other): **`Redirect::to` is 307** |
//! | `Body::from_stream(stream)` | [`Body::from_items`](crate::Body) (the feature `stream`), [`Body::written`](crate::Body::written) |
//! | `Sse::new(stream).keep_alive(..)` | [`Sse::from_items`](crate::Sse), [`Sse::written`](crate::Sse::written); it keeps alive by itself |
//! | `ServeDir` of tower-http | [`StaticFiles`](crate::StaticFiles) |
//! | `TraceLayer`, `TimeoutLayer`, `CatchPanicLayer` of tower-http | an [`Observer`](crate::session::Observer); [`handler_time`](crate::App::handler_time); panics are caught |
//! | `CorsLayer`, `CompressionLayer` | nothing: a middleware of yours, a proxy |
//! | `#[debug_handler]` | nothing: the errors are written to be read |
//! | `.with_graceful_shutdown(signal)` | `run` drains at signals; `server.handle().shutdown()` for `serve` |
//! | `tokio::spawn` in a handler | [`context.spawn`](crate::Context::spawn), which is awaited in the drain |
//! | `app.oneshot(request)` in a test | `bakestone_testkit::Client`, down to the bytes |
//!
//! # Middleware
//!
//! ```ignore
//! use axum::{extract::Request, middleware::{self, Next}, response::Response};
//!
//! async fn stamp(request: Request, next: Next) -> Response {
//!     let mut response = next.run(request).await;
//!     response.headers_mut().insert("x-stamp", HeaderValue::from_static("seen"));
//!     response
//! }
//!
//! let app = Router::new().route("/", get(root)).layer(middleware::from_fn(stamp));
//! ```
//!
//! ```
//! use bakestone::app::Next;
//! use bakestone::{App, HeaderValue, Request, Response, get};
//!
//! async fn stamp(request: Request, next: Next) -> Response {
//!     let mut response = next.run(request).await;
//!     response.headers.insert("x-stamp", HeaderValue::from_static("seen"));
//!     response
//! }
//!
//! let app = App::new().middleware(stamp).route("/", get(|| "hello"));
//! # assert!(app.build().is_ok());
//! ```
//!
//! It stands around all of the application, wherever the call stands, and sees the 404. The **first** is the outermost;
//! with `layer` it is the last. Around some routes it is middleware of a mount, of what is merged, or of the route.
//!
//! # Errors
//!
//! ```ignore
//! struct AppError(anyhow::Error);
//!
//! impl IntoResponse for AppError {
//!     fn into_response(self) -> Response {
//!         (StatusCode::INTERNAL_SERVER_ERROR, "try again later").into_response()
//!     }
//! }
//!
//! impl<E: Into<anyhow::Error>> From<E> for AppError {
//!     fn from(error: E) -> Self { Self(error.into()) }
//! }
//! ```
//!
//! ```
//! use bakestone::{App, Result, Text, get};
//!
//! async fn number() -> Result<Text<String>> {
//!     Ok(Text("seven".parse::<u8>()?.to_string()))
//! }
//!
//! let app = App::new().route("/", get(number)).on_status(500, |_| Text("try again later"));
//! # assert!(app.build().is_ok());
//! ```
//!
//! # WebSockets
//!
//! ```ignore
//! async fn chat(upgrade: WebSocketUpgrade) -> Response {
//!     upgrade.on_upgrade(|mut socket| async move {
//!         while let Some(Ok(message)) = socket.recv().await {
//!             if socket.send(message).await.is_err() {
//!                 break;
//!             }
//!         }
//!     })
//! }
//! ```
//!
//! ```
//! # #[cfg(feature = "websocket")] {
//! use bakestone::Result;
//! use bakestone::message::WebSocketUpgrade;
//!
//! async fn chat(upgrade: WebSocketUpgrade) -> Result<()> {
//!     let mut socket = upgrade.accept().await?;
//!     while let Some(message) = socket.receive().await? {
//!         socket.send(message).await?;
//!     }
//!     Ok(())
//! }
//! # let _ = bakestone::get(chat);
//! # }
//! ```
//!
//! The handler *is* the socket's task; messages are text or binary only, since pings and closes are answered; pages of other
//! origins are refused.
//!
//! # What you give up
//!
//! tower's layers and the crates around axum; HTTP/2; a state whose absence the compiler sees; years on the net.
