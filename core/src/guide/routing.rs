//! Routing: which handler answers, and how the application says so.
//!
//! Routes are data. Which one takes a request follows from all of them together and never from their order, and what is
//! wrong with them is said when the application is built: before the first connection, all of it at once.
//!
//! # A table
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::{App, Path, Text, get};
//!
//! async fn list() -> Text<&'static str> { Text("all cakes") }
//! async fn add() -> Text<&'static str> { Text("one more") }
//! async fn show(Path(id): Path<u64>) -> Text<String> { Text(format!("cake {id}")) }
//! async fn newest() -> Text<&'static str> { Text("the newest cake") }
//! async fn file(Path(rest): Path<String>) -> Text<String> { Text(rest) }
//!
//! fn app() -> App {
//!     App::new()
//!         .route(["/cakes", "/gateaux"], get(list).post(add))
//!         .route("/cakes/{id:int}", get(show))
//!         .route("/cakes/newest", get(newest))
//!         .route("/files/{rest:path}", get(file))
//! }
//!
//! for (request, status, body) in [
//!     ("GET /gateaux", "200 OK", "all cakes"),
//!     ("GET /cakes/7", "200 OK", "cake 7"),
//!     ("GET /cakes/newest", "200 OK", "the newest cake"),
//!     ("GET /cakes/seven", "404 Not Found", "Not Found"),
//!     ("GET /cakes/", "404 Not Found", "Not Found"),
//!     ("GET /files/a/b%2Fc", "200 OK", "a/b/c"),
//!     ("PUT /cakes", "405 Method Not Allowed", "Method Not Allowed"),
//!     ("HEAD /cakes", "200 OK", ""),
//! ] {
//!     let answer = ask(app(), &format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n"));
//!     assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {answer}");
//!     assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{request}: {answer}");
//! }
//! let refused = ask(app(), "PUT /cakes HTTP/1.1\r\nHost: a\r\n\r\n");
//! assert!(refused.contains("\r\nallow: GET, HEAD, POST, OPTIONS\r\n"), "{refused}");
//! ```
//!
//! # Patterns
//!
//! A segment is text, a parameter `{name}`, a parameter of a kind (`{id:int}`, `float`, `uuid`, `str`), one that a
//! regular expression describes (`{code:[a-z]{3}}`), or several of these with text between them (`{name}-{id:int}.{ext}`).
//! `{rest:path}` takes all that is left, and may be empty. The [table](crate::router#patterns) has each with what it
//! takes. [`router::regex`](crate::router::regex()) is a pattern for the whole path.
//!
//! A path is cut at `/` as it was sent, and each segment is decoded once. So an encoded slash is a part of a segment, and
//! `/caf%C3%A9` is the route `/café`. Nothing is normalised: `//` has an empty segment, `..` is a name like any other.
//!
//! # Who wins
//!
//! The more specific one, segment by segment from the left: text before a kind, a kind before `{name}`, that before
//! `{rest:path}`; a [table](crate::router#precedence) says all of it. Two routes that cannot be told apart are an error,
//! with both places. Moving a line never changes an answer.
//!
//! # A kind, or a type in the handler
//!
//! Both refuse `/cakes/seven`. With `{id:int}` there is no such page: 404. With `{id}` and `Path<u64>` there is one, and
//! the client has asked for it wrongly: 400, with the name of the parameter and what it must be. Take the former for what
//! people type and follow, the latter for an API whose clients want to be told.
//!
//! # The last slash
//!
//! `/cakes` and `/cakes/` are two paths. [`App::slashes`](crate::App::slashes) makes them one
//! ([`Slashes::Trim`](crate::router::Slashes::Trim)), or sends the client to the one that is there
//! ([`Slashes::Redirect`](crate::router::Slashes::Redirect), 308 with the query).
//!
//! # Methods
//!
//! `get(..)`, `.post(..)` and the like, [`on("PURGE", ..)`](crate::app::on) for those of your own,
//! [`any(..)`](crate::any) for what is left. A handler for GET answers HEAD, without the content. OPTIONS and the field
//! `Allow` are made of what is there.
//!
//! # Several applications in one
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::app::Urls;
//! use bakestone::{App, Path, Result, Text, get};
//!
//! mod shop {
//!     use bakestone::{App, Path, Text, get};
//!
//!     pub fn routes() -> App {
//!         App::new().name("shop").route("/cakes/{id:int}", get(show).name("cake")).on_status(404, |_| Text("no such shelf"))
//!     }
//!
//!     async fn show(Path(id): Path<u64>) -> Text<String> { Text(format!("cake {id}")) }
//! }
//!
//! async fn index(urls: Urls) -> Result<Text<String>> {
//!     Ok(Text(urls.url_for("shop:cake", [("id", 7)])?))
//! }
//!
//! fn app() -> App {
//!     App::new().route("/", get(index)).mount("/shop", shop::routes())
//! }
//!
//! assert!(ask(app(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("\r\n\r\n/shop/cakes/7"));
//! assert!(ask(app(), "GET /shop/pies HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("\r\n\r\nno such shelf"));
//! assert!(ask(app(), "GET /shopping HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("\r\n\r\nNot Found"));
//! ```
//!
//! A [mount](crate::App::mount) has a prefix, and keeps its own middleware, error handlers, states and fallback; what it
//! does not have is that of the application around it. [`merge`](crate::App::merge) takes in the routes of another module
//! as they are. A [view](crate::app::View) is a type whose functions answer the methods of one resource. A
//! [host](crate::App::host) may be a condition of each of them.
//!
//! Links are made of [names](crate::app::MethodRouter::name), so that a path is written down once.
//!
//! # Why does it answer that?
//!
//! ```
//! # use bakestone::{App, Method, Uri, get};
//! let app = App::new().route("/cakes/{id:int}", get(|| "by number")).route("/cakes/{name}", get(|| "by name")).build()?;
//! let why = app.explain(&Method::GET, &Uri::from_static("/cakes/scone"), None).to_string();
//! assert!(why.contains("GET /cakes/{name}: takes it"), "{why}");
//! # Ok::<(), bakestone::app::BuildErrors>(())
//! ```
//!
//! [`explain`](crate::app::AppService::explain) tells of each route that came near why it does or does not answer, what
//! stands around the handler, and which limits it has. [`routes`](crate::app::AppService::routes) lists all of them.
//!
//! # What goes wrong
//!
//! Each line of what `main` prints begins with the file, the line and the column of your call.
//!
//! ```
//! use bakestone::{App, Path, State, get};
//!
//! async fn cake(Path((id, slice)): Path<(u64, u8)>) -> &'static str { "a slice" }
//! async fn shelf(State(shelf): State<String>) -> String { shelf }
//!
//! let app = App::new().route("/cakes/{id:number}", get(cake)).route("/cakes/{id}", get(cake)).route("/shelf", get(shelf));
//! let text = app.build().unwrap_err().to_string();
//! assert!(text.contains("there is no converter `number`, only `uuid`, `int`, `float`, `str` and `path`"), "{text}");
//! assert!(text.contains("the path has 1 of the 2 parameters that the handler"), "{text}");
//! assert!(text.contains("takes `State<alloc::string::String>`, and the application has no such state"), "{text}");
//! ```
//!
//! | it happens | because |
//! |---|---|
//! | the path of a mount's page is 404 with no error handler of the mount's | the prefix is of whole segments: `/shop` does not take `/shopping` |
//! | a guard that compares [`request.path()`](crate::Request::path) is passed by | an encoded slash is none to the router; let the guard stand in the mount or on the routes that it guards |
//! | `/{name}` gets what was meant for `/{id:int}` | the number does not fit a `u64`, or has a sign: it is text then |
//! | a brace in a path is an error | `{` and `}` begin and end parameters; a regular expression takes a brace itself |
//! | `on_status(404, ..)` does not see a handler's `StatusCode::NOT_FOUND` | it renders errors; a response that is returned as a value is left alone |
