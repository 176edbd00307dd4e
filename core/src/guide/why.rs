//! Why it is as it is: each decision that a newcomer asks about, what it gives, and what it costs.
//!
//! # Why no runtime in the core?
//!
//! What an HTTP server does follows from the bytes that came, the time, and what its handlers gave. None of that is a
//! runtime's. With the runtime outside, one application runs on tokio, on smol, on threads and on a loop of yours; a test
//! is a driver, too, so that an hour's deadline takes no time and every run is like the last; and what happened in
//! production can be recorded and happens again.
//!
//! It costs a `step` between the socket and the handler, and an explicit [`Context`](crate::Context) for time, files and
//! tasks. A handler may still await what its runtime has; it then runs there only, and its tests are that runtime's.
//!
//! # Why no threads for the handlers of one connection?
//!
//! The session owns the handler's future and polls it where it stands: no task, no channel, no allocation a request for
//! them, and when the connection goes the handler goes. It costs parallelism within a connection, which HTTP/1.1 has none
//! of. A computation goes to [`blocking`](crate::app::blocking()), or it holds the others of its thread up.
//!
//! # Why an event loop for each worker?
//!
//! On tokio, `workers` are loops of one thread each, and a connection stays on its own. No work is stolen, so nothing is
//! moved between cores, and what is hot stays there. It costs evenness: few long requests may keep one loop busy while
//! another is idle. `serve` inside a runtime of yours has the runtime's threads share the connections, and smol's adapter has
//! one executor for all. Handlers are `Send` all the same, so that one application fits everywhere; on level 1 a
//! [`Session`](crate::Session) takes a closure that is not.
//!
//! # Why is the wire so strict?
//!
//! Where two readers of a message differ, one smuggles requests past the other (RFC 9112, section 11.2). So what can be
//! read in two ways is refused: both lengths, a length twice, a bare LF, a space before a colon, a folded line, a chunk size
//! with a sign. The answer is 400 (or 431, 414, 501, 505) with a reason, and the connection is closed. It costs clients that were
//! never right; for what some of them need and no RFC forbids there are switches, [`Leniency`](crate::Leniency), all off.
//!
//! # Why are deadlines on?
//!
//! A client that says nothing costs a descriptor for as long as it is let. Every wait for a peer has an end:
//! 10 s for a head, 30 s between two pieces of a body, 15 s between requests, and 100 bytes a second on the average. A server
//! without them is one that anybody can stop with a laptop. Only the handler has none, since nobody but you knows how long
//! it should take: [`Limits::handler_time`](crate::Limits::handler_time).
//!
//! # Why are bodies bounded?
//!
//! `Bytes`, `String`, `Json` and `Form` keep the body in memory. 2 MiB is more than most requests have, and little enough to
//! be sent ten thousand times. A route that needs more [says so](crate::app::MethodRouter::buffered_body_bytes), or reads piece
//! by piece.
//!
//! # Why HTTP/1.1 only?
//!
//! It is what a proxy speaks to a server behind it, and it is done before the next begins. The boundary and the
//! [session's](crate::session) parts know nothing of version 1: another machine can hold many exchanges. Until it is there,
//! HTTP/2, HTTP/3 and gRPC need another server; to browsers a proxy speaks them.
//!
//! # Why no TLS?
//!
//! It is another machine around this one, in which nothing of HTTP would change: [`Io::connection`](crate::machine::Io) has
//! room for what it finds out. It is not written yet, and never will be by hand. Behind a proxy none is needed; without
//! one, do not serve what is secret.
//!
//! # Why not tower?
//!
//! Its `Service` asks first whether it is ready, and takes `&mut self`; here there is nothing to be ready for, since
//! backpressure is bytes that are left in the socket. Its types name all layers, and so do the compiler's errors. One
//! [shape of middleware](super::middleware) does what most layers do, and does not see a type parameter. The cost is real:
//! tower-http's layers do not fit. The `http` crate's types go both ways, and with the feature `http-body` bodies do,
//! so a layer of value can be wrapped by hand.
//!
//! # Why no macros?
//!
//! A route is a call, an argument is a trait, a view names its functions. An editor follows them, an error points at them,
//! and nothing has to be read expanded. It costs a line here and there: a path stands beside the handler's name and not above
//! the handler.
//!
//! # Why are arguments checked when the application is built?
//!
//! A state that nobody gave, a parameter that the path has not: types cannot see these without a parameter on every
//! router and handler. So handlers say what they need, [`build`](crate::App::build) compares, and `main` ends before the first
//! connection, with all that is wrong. A test that makes the application finds it as well. It costs the compiler's word for
//! it; and an [`Extension`](crate::Extension), which middleware attaches to a request, is still found at the request only.
//!
//! # Why is a `Request` a pointer?
//!
//! It is moved through each middleware and each `async fn` into the handler, and every future in between would keep room
//! for all of it. A pointer is eight bytes in each. It costs one allocation a request.
//!
//! # Why is the map of the fields made late?
//!
//! Most handlers look at no field, or at one. Until someone asks for [`headers()`](crate::Request::headers), the fields stay in the
//! bytes that came, with a table beside them; the framing is read from there, too. After that the map is all there is.
//!
//! # Why one error type?
//!
//! A web application has many errors and one answer to them: a status and a text. [`Error`](crate::Error) is that answer with
//! the cause inside, `?` makes it of anything, and one place renders it. A type parameter for errors would go through every
//! handler, extractor and middleware. It does not implement `std::error::Error`, since then `?` could not take all that do;
//! that is what it costs: it is no cause of another.
//!
//! # Why does middleware see responses?
//!
//! A field that every response must have, a time, a log: each has to cover the 404 and the failure, or it is wrong where it
//! counts. So what fails is rendered before it comes back to the middleware around it, and
//! [`Response::error`](crate::Response::error) still says what it was.
//!
//! # Why is HEAD answered by GET's handler?
//!
//! RFC 9110, section 9.3.2, wants the same fields. The handler runs, and its body is left out, a stream is not even polled. It
//! costs the handler's work; where that matters, [`head(..)`](crate::head) on the route has its own.
//!
//! # Why is a bare string HTML?
//!
//! It is what the toolkits do that this one comes from, and what a page wants. What it costs is a rule to remember: what came
//! with the request goes out through [`Text`](crate::Text), `Json`, or an escape.
//!
//! # Why no sessions, CORS, templates, database?
//!
//! Each is a choice with many good answers, and none of them is about bytes. They are middleware, states and crates of
//! your choice. What is here is what every server needs to be safe on the open net, and what only the one who has the wire
//! can do.
//!
//! # Why no `unsafe`?
//!
//! `#![forbid(unsafe_code)]` stands in the core, the adapters and the testkit: a parser is where it does most harm. Some of the
//! dependencies have it, `bytes` and `httparse` among them. It costs a bounds check here and there.
//!
//! # Why names that are not shortened?
//!
//! Code is read more often than it is written, and by more people than those who know the abbreviation.
//!
//! # What is missing
//!
//! HTTP/2 and HTTP/3, TLS, Windows (the adapters run on Unix, and are tested on Linux), compression of responses, a client
//! (the testkit's is for tests), a setting of the adapters' `Server` for machines of your own. Version 0.1 may change with
//! each minor version. Servers that have been on the net for years have met clients that this one has not.
