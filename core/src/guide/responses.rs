//! Responses: what a handler may return, files, streams and server-sent events.
//!
//! # Values
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::{App, Error, HeaderMap, HeaderValue, IntoResponse, Path, Redirect, Response, Result, SetCookie, StatusCode, Text, get, header};
//!
//! async fn made() -> (StatusCode, Text<&'static str>) {
//!     (StatusCode::CREATED, Text("made"))
//! }
//!
//! async fn old() -> Redirect {
//!     Redirect::permanent("/made")
//! }
//!
//! async fn login() -> (SetCookie, Redirect) {
//!     (SetCookie::new("session", "7").path("/"), Redirect::see_other("/"))
//! }
//!
//! async fn cake(Path(id): Path<u64>) -> Result<Response> {
//!     if id != 7 {
//!         return Err(Error::not_found());
//!     }
//!     let language = HeaderValue::from_static("cy");
//!     Ok(Response::text(StatusCode::OK, "bara brith").with_header(header::CONTENT_LANGUAGE, language))
//! }
//!
//! let app = || {
//!     App::new().route("/made", get(made)).route("/old", get(old)).route("/login", get(login)).route("/cakes/{id}", get(cake))
//! };
//! for (path, part) in [
//!     ("/made", "HTTP/1.1 201 Created\r\n"),
//!     ("/old", "\r\nlocation: /made\r\n"),
//!     ("/login", "\r\nset-cookie: session=7; Path=/; HttpOnly; SameSite=Lax\r\n"),
//!     ("/cakes/7", "\r\ncontent-language: cy\r\n"),
//!     ("/cakes/8", "HTTP/1.1 404 Not Found\r\n"),
//! ] {
//!     let answer = ask(app(), &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
//!     assert!(answer.contains(part), "{path}: {answer}");
//! }
//! ```
//!
//! The [table](crate::IntoResponse) has all of them. Where a value needs one field more, another content type perhaps, it
//! is made a response first: `Json(value).into_response()?.with_header(name, value)`, in a handler that returns a
//! `Result<Response>`. Text and bytes without a wrapper are HTML; numbers, `bool` and `()`
//! are JSON. What came with the request goes out through [`Text`](crate::Text), `Json` or an escape of your template's.
//!
//! `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` are the session's to set: it frames the message by what
//! the body says of its length. Leave them out; one that contradicts what is sent is a 500.
//!
//! # Files
//!
//! [`request.file(path)`](crate::Request::file) is a file with its media type, its validators and what the request wants
//! of it: 304, 206, 412, 416. [`StaticFiles`](crate::StaticFiles) is a whole folder, and the one to take wherever a client
//! says the name. Files are read by the driver, where that blocks nobody, and sent in pieces of at most 64 KiB.
//!
//! # Streams
//!
//! | the bytes come | take |
//! |---|---|
//! | from code that runs with the response | [`Body::written`](crate::Body::written): a function that is given a sender |
//! | from a task, a thread, another request | [`Body::channel`](crate::Body::channel) |
//! | from a `Stream` | [`Body::from_items`](crate::Body) (the feature `stream`) |
//! | from a reader of a runtime's, or of the standard library's | `body_from_reader` of the adapter |
//! | from code that also decides how the handler goes on, or from what is not `Send` | [`request.respond(..)`](crate::Request::respond) and its writer |
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::{App, Body, Response, Text, get};
//!
//! async fn table() -> Text<Body> {
//!     Text(Body::written(|mut out| async move {
//!         for row in 1..=3 {
//!             out.send(format!("{row},{}\n", row * row)).await?;   // waits while the client reads slowly
//!         }
//!         Ok(())
//!     }))
//! }
//!
//! let answer = ask(App::new().route("/", get(table)), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//! assert!(answer.contains("\r\ntransfer-encoding: chunked\r\n"));
//! assert!(answer.ends_with("\r\n4\r\n1,1\n\r\n4\r\n2,4\n\r\n4\r\n3,9\n\r\n0\r\n\r\n"), "{answer}");
//! ```
//!
//! Each of them waits while 64 KiB are on their way to a client that reads slowly
//! ([`Limits::output_bytes`](crate::Limits::output_bytes)). Each is cut if it fails or is dropped before its end, so that
//! nobody takes a part for the whole; one that fails before its first piece is a 500. A client that takes nothing for 30 s,
//! or fewer than 100 bytes a second, is reset.
//!
//! # Server-sent events
//!
//! ```
//! use bakestone::{App, Context, Event, Sse, get};
//! use std::time::Duration;
//!
//! async fn ticks(context: Context) -> Sse {
//!     Sse::written(&context.clone(), move |mut events| async move {
//!         for tick in 0_u64.. {
//!             events.send(Event::data("tick").id(tick.to_string())).await?;
//!             context.sleep(Duration::from_secs(1)).await;
//!         }
//!         Ok(())
//!     })
//! }
//! # assert!(App::new().route("/ticks", get(ticks)).build().is_ok());
//! ```
//!
//! A comment fills each silence of 15 s, so that nothing on the way takes the connection for idle, and so that a client
//! that is gone is noticed. The stream ends when the server drains; clients connect again, and say by
//! [`LastEventId`](crate::app::LastEventId) which event was their last. One value for many clients is a
//! [`Broadcast`](crate::message::Broadcast), whose queues have a bound and a policy.
//!
//! # Before, and after
//!
//! [`request.inform(..)`](crate::Request::inform) sends 103 Early Hints while the page is still made.
//! [`context.after_response(..)`](crate::Context::after_response) runs a task when the response has left.
//!
//! # When the client goes away
//!
//! The handler of a safe method (GET, HEAD, OPTIONS) is dropped at the `await` where it stands; any other runs to its end.
//! [`on_disconnect`](crate::app::MethodRouter::on_disconnect) says otherwise for a route. A client that has only finished
//! sending is not gone: it still reads.
//!
//! # What is not done
//!
//! Responses are not compressed on the fly: [`StaticFiles::precompressed`](crate::StaticFiles::precompressed) sends files
//! that lie there compressed, and for the rest a proxy does it. There are no templates. HTTP/1.1 is spoken, so one
//! connection carries one response at a time.
//!
//! # What goes wrong
//!
//! | it says, or happens | because |
//! |---|---|
//! | `` `f32` is no answer of a handler `` | floating-point numbers, structs and maps say how they go out: `Json(value)`, `Text(value.to_string())` |
//! | `..or a Result of one whose error becomes a bakestone::Error` | the error is a `String` or the like, no `std::error::Error`: `Error::new(status, text)` |
//! | `` `(.., [..], Json<..>)` is no answer of a handler `` | fields stand in a `HeaderMap`, and behind a status: `(StatusCode, HeaderMap, value)` |
//! | a browser shows markup that a user typed | a bare string is HTML: `Text`, or escape it |
//! | 500, and the observer hears of `Misused` | what cannot be sent: a 1xx as the final status, a field that contradicts the framing, a length that is not kept |
//! | the client says that the response is incomplete | its source failed, was dropped without `finish()`, or panicked: the observer has the reason |
//! | 500 from a handler that has written its response | it has to return the [`Sent`](crate::message::Sent) that `finish()` gave |
//! | events arrive late, in lumps | a proxy buffers; nginx heeds the `X-Accel-Buffering` that `Sse` sends, others have a setting |
