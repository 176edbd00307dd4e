//! Middleware: what stands around handlers.
//!
//! # A function
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::app::Next;
//! use bakestone::{App, Context, Error, HeaderValue, Request, Response, Result, State, Text, get};
//!
//! async fn timed(context: Context, request: Request, next: Next) -> Response {
//!     let began = context.now().mono;
//!     let mut response = next.run(request).await;
//!     let time = context.now().mono.since(began).as_millis();
//!     response.headers.insert("server-timing", HeaderValue::from_str(&format!("app;dur={time}")).unwrap());
//!     response
//! }
//!
//! #[derive(Clone)]
//! struct Key(&'static str);
//!
//! #[derive(Clone)]
//! struct User(String);
//!
//! async fn signed_in(State(key): State<Key>, mut request: Request, next: Next) -> Result<Response> {
//!     let given = request.headers().get("x-key").and_then(|value| value.to_str().ok());
//!     if given != Some(key.0) {
//!         return Err(Error::unauthorized("the field x-key is needed"));
//!     }
//!     request.extensions_mut().insert(User("ann".to_owned()));
//!     Ok(next.run(request).await)
//! }
//!
//! async fn me(bakestone::Extension(User(name)): bakestone::Extension<User>) -> Text<String> {
//!     Text(name)
//! }
//!
//! let app = || {
//!     let account = App::new().middleware(signed_in).route("/me", get(me));
//!     App::new().state(Key("sesame")).middleware(timed).mount("/account", account).route("/", get(|| "hello"))
//! };
//! let refused = ask(app(), "GET /account/me HTTP/1.1\r\nHost: a\r\n\r\n");
//! assert!(refused.starts_with("HTTP/1.1 401 ") && refused.contains("\r\nserver-timing: app;dur=0\r\n"));
//! assert!(ask(app(), "GET /account/me HTTP/1.1\r\nHost: a\r\nX-Key: sesame\r\n\r\n").ends_with("\r\n\r\nann"));
//! assert!(ask(app(), "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").contains("\r\nserver-timing: "));
//! ```
//!
//! The last two arguments are the request and what comes next; any before them are [arguments](crate::app::FromParts) as a
//! handler has them. `next.run(request)` always gives a **response**: what failed behind it has been rendered by then, and
//! [`Response::error`](crate::Response::error) still has the error. To return an `Err` is to fail, as a handler may.
//!
//! # Where it stands
//!
//! | around | by | it sees |
//! |---|---|---|
//! | the application | [`App::middleware`](crate::App::middleware) | every request before routing, its 404 and 405 too |
//! | a mount | the same, on the application that is mounted | what leads into the mount |
//! | a route | [`MethodRouter::middleware`](crate::app::MethodRouter::middleware) | what that route's handlers are given; neither its 405 nor OPTIONS |
//!
//! The first that was registered is the outermost, whatever its kind; a mount's are within those of the application
//! around it. [`middleware_first`](crate::App::middleware_first) puts one around those that are there.
//!
//! **What guards a part of an application stands around that part.** A middleware around everything that compares the path
//! has to know all that the router knows of encodings and slashes, and will be passed by.
//!
//! # Changing the request
//!
//! Before the routes, the method and the target may be changed, and then decide which route answers. The body may be read
//! whole and is still there for the handler; or it may be [put in place of](crate::Request::set_body) by another.
//!
//! # Changing the response
//!
//! [`Response`](crate::Response) is a plain struct: `status`, `headers`, `body`, and `extensions`, which tell the middleware
//! further out. Leave `Content-Length` out: the session frames what the body is in the end. A handler that writes its
//! response by itself, or has switched protocols, has sent its head before middleware sees it; what is changed then
//! changes nothing.
//!
//! # A type
//!
//! A type with settings implements [`Middleware`](crate::app::Middleware) itself; its [example](crate::app::Middleware)
//! has one. The other classic, a [`Service`](crate::Service) around a `Service`, is [`App::wrap`](crate::App::wrap). For
//! hyper's and tower's there are the `http` crate's types: a [`Request`](crate::Request) becomes an
//! `http::Request<Body>` and comes back, and with the feature `http-body` the [`Body`](crate::Body) is theirs. There is no
//! adapter for tower's layers: [why](super::why#why-not-tower).
//!
//! # What is there already
//!
//! No middleware comes with the toolkit. What others do there is a setting here: limits and deadlines
//! ([`Limits`](crate::Limits), [per route](crate::app::RouteLimits)), static files, an access log
//! ([`Observer`](crate::session::Observer)), panics (caught), errors (rendered), request bodies (bounded). What is
//! missing, and left to you or to a proxy: compression of responses, CORS, sessions, authentication, rates.
//!
//! # What goes wrong
//!
//! | it says, or happens | because |
//! |---|---|
//! | `` `..` is not middleware ``, `` expected an `async fn(Request, Next) -> impl IntoResponse` `` | it is not asynchronous, or `Request` and `Next` are not its last arguments, in this order |
//! | `` takes `State<..>`, and the application has no such state `` | a middleware's states are looked for like a handler's |
//! | the handler's `Extension<T>` is 500 | the middleware stands around another part, or inserts another type |
//! | a field is set and does not arrive | the head had left: a writer, or a 101 |
//! | the time of a streamed response is nothing | `run` gives the response when its head is there; the body is sent later. [`AccessRecord::time`](crate::session::AccessRecord::time) counts to the end |
//! | it does not see a panic, or 503 by `handler_time` | these end the whole call, middleware and all; the session answers around it, through the error handlers |
