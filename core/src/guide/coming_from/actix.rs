//! Coming from actix-web (4): the same thing, side by side.
//!
//! Handlers and extractors work alike. What differs most: there are no macros and no `HttpServer::new(|| ..)` that makes an
//! application for each worker, middleware is one function, and handlers are `Send`.
//!
//! # An application
//!
//! ```ignore
//! use actix_web::{App, HttpServer, Responder, error, get, web};
//!
//! struct Shelf(Mutex<Vec<String>>);
//!
//! #[get("/cakes/{place}")]
//! async fn show(place: web::Path<usize>, shelf: web::Data<Shelf>) -> actix_web::Result<impl Responder> {
//!     let cake = shelf.0.lock().unwrap().get(*place).cloned();
//!     Ok(web::Json(cake.ok_or_else(|| error::ErrorNotFound("no such cake"))?))
//! }
//!
//! #[actix_web::main]
//! async fn main() -> std::io::Result<()> {
//!     let shelf = web::Data::new(Shelf(Mutex::default()));
//!     HttpServer::new(move || App::new().app_data(shelf.clone()).service(show))
//!         .workers(2)
//!         .bind(("127.0.0.1", 8000))?
//!         .run()
//!         .await
//! }
//! ```
//!
//! ```
//! # #[cfg(feature = "json")] {
//! use bakestone::{App, Error, Json, Path, Result, State, StatusCode, get};
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Default)]
//! struct Shelf(Mutex<Vec<String>>);
//!
//! async fn show(Path(place): Path<usize>, State(shelf): State<Arc<Shelf>>) -> Result<Json<String>> {
//!     let cake = shelf.0.lock().unwrap().get(place).cloned();
//!     Ok(Json(cake.ok_or_else(|| Error::new(StatusCode::NOT_FOUND, "no such cake"))?))
//! }
//!
//! fn app() -> App {
//!     App::new().state(Arc::new(Shelf::default())).route("/cakes/{place}", get(show))
//! }
//!
//! // fn main() -> Result<(), bakestone_tokio::ServeError> {
//! //     bakestone_tokio::run(app(), Server::new().address("127.0.0.1:8000").workers(2))
//! // }
//! # assert!(app().build().is_ok());
//! # }
//! ```
//!
//! There is one application for all workers, and it is `Send + Sync`. actix-web starts a worker a core; here it is one
//! unless `Server::workers` says otherwise.
//!
//! # Names
//!
//! | actix-web | here |
//! |---|---|
//! | `#[get("/x")]`, `web::resource("/x").route(web::get().to(f))` | [`app.route("/x", get(f))`](crate::App::route) |
//! | `web::scope("/shop")` | [`app.mount("/shop", shop)`](crate::App::mount) |
//! | `cfg.configure(routes)` | a function `fn routes() -> App`, and [`app.merge(routes())`](crate::App::merge) |
//! | `{tail:.*}`, `{id:\d+}` | `{tail:path}`, `{id:int}`, `{id:\d+}` |
//! | the first that matches | the more specific; what cannot be told apart is an error |
//! | `guard::Host`, `guard::Header` | [`app.host(..)`](crate::App::host); others are a look in the handler, or middleware |
//! | `.default_service(..)` | [`.fallback(..)`](crate::App::fallback) |
//! | `req.url_for("name", ..)` | [`urls.url_for("name", ..)`](crate::app::Urls::url_for) |
//! | `web::Data<T>`, missing: 500 at the request | [`State<T>`](crate::State), missing: an error of `build` |
//! | `web::Path`, `web::Query`, `web::Json`, `web::Form` | [`Path`](crate::Path), [`Query`](crate::Query), `Json`, [`Form`](crate::Form), which takes files as well |
//! | `web::Payload`, `actix_multipart` | [`Body`](crate::Body), [`Multipart`](crate::Multipart), [`FormData`](crate::FormData) |
//! | `JsonConfig::limit`, `PayloadConfig`, `FormConfig` | [`.buffered_body_bytes(n)`](crate::App::buffered_body_bytes), [`.form_bytes(n)`](crate::App::form_bytes), of a route too |
//! | `HttpRequest`; `req.extensions_mut()` | [`Request`](crate::Request), which has the body; `request.extensions_mut()`, [`Extension<T>`](crate::Extension) |
//! | `req.peer_addr()`, `connection_info().realip_remote_addr()` | [`request.peer()`](crate::Request::peer); forwarded addresses are [yours to read](super::super::deploying#the-clients-address) |
//! | `HttpResponse::Created().json(v)` | `(StatusCode::CREATED, Json(v))` |
//! | a bare `&str` is `text/plain` | **it is HTML**: [`Text`](crate::Text) |
//! | `HttpResponse::Ok().streaming(stream)` | [`Body::from_items`](crate::Body) (the feature `stream`), [`Body::written`](crate::Body::written) |
//! | `actix_files::Files`, `NamedFile` | [`StaticFiles`](crate::StaticFiles), [`request.file(..)`](crate::Request::file) |
//! | `web::block(..)` | [`context.blocking(..)`](crate::Context::blocking), a handler in [`blocking`](crate::app::blocking()) |
//! | `actix_web::rt::spawn` | [`context.spawn`](crate::Context::spawn), which is awaited in the drain, and is `Send` |
//! | `impl ResponseError for E` | [`on_error`](crate::App::on_error) for `E`, wherever it is in the chain of causes |
//! | `ErrorHandlers` | [`on_status`](crate::App::on_status) |
//! | `middleware::Logger` | an [`Observer`](crate::session::Observer), or the adapters' `Tracing` |
//! | `middleware::NormalizePath` | [`app.slashes(..)`](crate::App::slashes) |
//! | `middleware::Compress`, `actix_cors`, `actix_session` | nothing: a middleware of yours, a proxy |
//! | `keep_alive`, `client_request_timeout` | [`Limits::idle_time`](crate::Limits::idle_time), [`head_time`](crate::Limits::head_time), and others beside them |
//! | `shutdown_timeout`, 30 s | [`Limits::drain_time`](crate::Limits::drain_time), 10 s |
//! | `test::init_service`, `TestRequest` | `bakestone_testkit::Client`, down to the bytes |
//!
//! # Middleware
//!
//! ```ignore
//! use actix_web::{Error, body::MessageBody, dev::{ServiceRequest, ServiceResponse}, middleware::{Next, from_fn}};
//!
//! async fn stamp(request: ServiceRequest, next: Next<impl MessageBody>) -> Result<ServiceResponse<impl MessageBody>, Error> {
//!     let mut response = next.call(request).await?;
//!     response.headers_mut().insert(HeaderName::from_static("x-stamp"), HeaderValue::from_static("seen"));
//!     Ok(response)
//! }
//!
//! let app = App::new().wrap(from_fn(stamp));
//! ```
//!
//! ```
//! use bakestone::app::Next;
//! use bakestone::{App, HeaderValue, Request, Response, Result};
//!
//! async fn stamp(request: Request, next: Next) -> Result<Response> {
//!     let mut response = next.run(request).await;
//!     response.headers.insert("x-stamp", HeaderValue::from_static("seen"));
//!     Ok(response)
//! }
//!
//! let app = App::new().middleware(stamp);
//! # assert!(app.build().is_ok());
//! ```
//!
//! Here the first is the outermost; with actix's `wrap` the last is. What fails behind it comes back as a response, and never
//! passes it by as an `Err`. [`App::wrap`](crate::App::wrap) is another thing here: a `Service` around a `Service`.
//!
//! # Errors
//!
//! ```ignore
//! impl ResponseError for SoldOut {
//!     fn status_code(&self) -> StatusCode { StatusCode::CONFLICT }
//! }
//! ```
//!
//! ```
//! use bakestone::app::Failure;
//! use bakestone::{App, Result, StatusCode, Text, get};
//!
//! #[derive(Debug)]
//! struct SoldOut;
//! # impl std::fmt::Display for SoldOut {
//! #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("the last one was sold") }
//! # }
//! impl std::error::Error for SoldOut {}
//!
//! async fn sold_out(failure: Failure<SoldOut>) -> (StatusCode, Text<String>) {
//!     (StatusCode::CONFLICT, Text(failure.to_string()))
//! }
//!
//! async fn buy() -> Result<Text<&'static str>> {
//!     Err(SoldOut)?
//! }
//!
//! let app = App::new().route("/buy", get(buy)).on_error(sold_out);
//! # assert!(app.build().is_ok());
//! ```
//!
//! An error that nobody says anything of is a 500 whose text stays inside; actix sends what `Display` prints.
//!
//! # `Send`
//!
//! Handlers of actix stay on their worker's thread, and may keep an `Rc` across an `await`. Here they are `Send`, so that one
//! application fits every driver. What really must stay on its thread goes a level down: a [`Session`](crate::Session) with a
//! closure, on a loop of your own.
//!
//! # What you give up
//!
//! HTTP/2, TLS inside the server, compression, the crates around it, and years on the net.
