//! A first application: from an empty folder to a tested server.
//!
//! # Two packages and a file
//!
//! `bakestone` is the application's side; it opens no socket. An adapter moves the bytes: `bakestone-tokio`,
//! `bakestone-smol` or `bakestone-std`, which is plain threads. Take the one whose runtime the rest of the program uses,
//! and if there is none, tokio's.
//!
//! ```toml
//! [dependencies]
//! bakestone = "0.1"
//! bakestone-tokio = "0.1"
//!
//! [dev-dependencies]
//! bakestone-testkit = "0.1"
//! ```
//!
//! From a clone they are dependencies by path: `bakestone` is in `core`, the adapters are in `adapters/tokio`,
//! `adapters/smol` and `adapters/std`, the testkit is in `testkit`.
//!
//! An adapter needs none of its runtime's macros, and you need no runtime in the dependencies until a handler uses one.
//!
//! ```ignore
//! use bakestone::{App, Path, Text, get};
//!
//! async fn hello(Path(name): Path<String>) -> Text<String> {
//!     Text(format!("Hello, {name}!\n"))
//! }
//!
//! fn app() -> App {
//!     App::new().route("/", get(|| Text("Try /hello/world\n"))).route("/hello/{name}", get(hello))
//! }
//!
//! fn main() -> Result<(), bakestone_tokio::ServeError> {
//!     bakestone_tokio::run(app(), "127.0.0.1:8000")
//! }
//! ```
//!
//! `run` starts a runtime of its own, listens, and comes back after Ctrl-C, once what runs has come to its end. Nothing is
//! printed: [what a server tells](super::deploying#observe) goes to an observer. A `main` that is asynchronous already
//! takes `serve` in place of `run`.
//!
//! # Three things to know of it
//!
//! **A handler is a function.** Each [argument](crate::app::FromParts) is made of the request before it is called: here
//! the parameter of the path, decoded. What it returns [becomes the response](crate::IntoResponse). It may be
//! asynchronous, like `hello`, or not, like the closure, which then must not block.
//!
//! **A bare `&str` or `String` is HTML.** So what came from the client goes out through [`Text`](crate::Text) or
//! [`Json`](crate::Json), which no browser takes for markup. Text that is put into a page has to be escaped before.
//!
//! **`app` is a function of its own.** `main` serves what it gives, and so does every test.
//!
//! # A test
//!
//! A test needs no port and no runtime. `bakestone-testkit` has a client that speaks to the application in memory, on a
//! clock that the test moves; [testing](super::testing) tells more.
//!
//! ```ignore
//! #[test]
//! fn it_greets() {
//!     let client = bakestone_testkit::Client::new(app());
//!     client.get("/hello/world").send().expect_status(200).expect_text("Hello, world!\n");
//! }
//! ```
//!
//! # Without any of it
//!
//! Nothing is hidden behind that client. An application is a state machine between two queues of bytes, and one call of
//! [`step`](crate::machine::Machine::step) makes all the progress that can be made:
//!
//! ```
#![doc = include_str!("ask.rs")]
//! # use bakestone::{App, Path, Text, get};
//! # async fn hello(Path(name): Path<String>) -> Text<String> { Text(format!("Hello, {name}!\n")) }
//! # fn app() -> App { App::new().route("/hello/{name}", get(hello)) }
//!
//! let answer = ask(app(), "GET /hello/world HTTP/1.1\r\nHost: a\r\n\r\n");
//! assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
//! assert!(answer.ends_with("\r\n\r\nHello, world!\n"));
//! ```
//!
//! The examples of this guide ask their applications with this very function; it is left out of what you see.
//!
//! # Where things go
//!
//! | for | take |
//! |---|---|
//! | what an application says | the crate itself: `bakestone::{App, Json, Path, ..}`, one line of imports mostly |
//! | what few handlers need | [`app`](crate::app), [`message`](crate::message), [`http`](mod@crate::http) |
//! | the types of the `http` crate | `bakestone::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header}` |
//! | limits and deadlines | [`Limits`](crate::Limits), given to the server |
//!
//! The next chapter but one, [requests](super::requests), has all arguments; [responses](super::responses) has all that
//! may be returned.
//!
//! # What goes wrong
//!
//! | it says | it means |
//! |---|---|
//! | `` `..` is not a handler `` | the function takes what is no argument, returns what is no response, or has more than twelve arguments; the notes below say which |
//! | `type annotations needed` (E0283) at a closure | a closure writes the types of its arguments out: `\|request: Request\| ..` |
//! | `` `..` cannot be made of a request without its body `` | what reads the body (`Request`, `Json`, `Form`, `String` ..) comes last, and once |
//! | `` `..` is not an application to serve `` | `run` was given a handler with arguments; it needs a route |
//! | `future cannot be sent between threads safely`, `` `Rc<..>` `` | a value that must stay on its thread is kept across an `await`; an `Arc` may move, and so may a block that ends before |
//! | the server does not start, and `main` prints lines with `src/main.rs:12:20` | what is wrong with the routes, all at once, each with its place: see [routing](super::routing#what-goes-wrong) |
//! | `Address already in use` | another process has the port; a server never shares one without `Server::reuse_port` |
