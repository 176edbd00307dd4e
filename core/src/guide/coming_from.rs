//! Coming from elsewhere: the same thing, side by side. From [axum] and from [actix-web](actix) in chapters of their
//! own, and from asgi-tools, muffin and asgikit here.
//!
//! What those toolkits give is here, under names that are mostly the same. What differs, differs on purpose: it is
//! listed [below](#what-is-different-on-purpose).
//!
//! # An application
//!
//! ```python
//! from asgi_tools import App
//!
//! app = App(debug=True)
//!
//! @app.route("/", "/hello/{name}")
//! async def hello(request):
//!     return f"Hello, {request.path_params.get('name', 'you')}!"
//! ```
//!
//! ```
//! use bakestone::{App, Path, Text, get};
//!
//! async fn hello(name: Option<Path<String>>) -> Text<String> {
//!     let name = name.map_or("you".to_owned(), |Path(name)| name);
//!     Text(format!("Hello, {name}!"))
//! }
//!
//! let app = App::new().debug(true).route(["/", "/hello/{name}"], get(hello));
//! # assert!(app.build().is_ok());
//! ```
//!
//! A bare string is HTML, as in the toolkits; `Text` is plain text, and the right choice for whatever came with the
//! request.
//!
//! # Routes
//!
//! | Python | here |
//! |---|---|
//! | `app.route("/a", "/b")(handler)` | [`app.route(["/a", "/b"], get(handler))`](crate::App::route) |
//! | `app.route("/x", methods=["PUT", "POST"])` | `put(handler).post(handler)`, or [`any(handler)`](crate::any) |
//! | `app.route(re.compile(r"/week-\d+/?"))` | [`app.route(router::regex(r"/week-\d+/?"), ..)`](crate::router::regex()) |
//! | `App(trim_last_slash=True)` | [`app.slashes(Slashes::Trim)`](crate::App::slashes), or `Slashes::Redirect` |
//! | a look at `request.headers["host"]` | [`app.host("api.example.com")`](crate::App::host), or that of a route |
//! | a path that is put together by hand | [`get(show).name("show")`](crate::app::MethodRouter::name), and [`urls.url_for("show", [("id", 7)])?`](crate::app::Urls::url_for) |
//! | why is this 404? | [`app.explain(..)`](crate::app::AppService::explain) |
//!
//! # What a handler may return
//!
//! | Python | here |
//! |---|---|
//! | `return "text"`, `return b"bytes"` | the same: `text/html` |
//! | `return {"a": 1}`, `[1]`, `5`, `True`, `None` | `Json(value)`; `serde_json::Value`, integers, `bool` and `()` as they are |
//! | `return 201, "made"` | `(StatusCode::CREATED, "made")` |
//! | `return 201, headers, "made"` | `(StatusCode::CREATED, headers, "made")` |
//! | `return ResponseText("..")`, `ResponseHTML`, `ResponseJSON` | [`Text`](crate::Text), [`Html`](crate::Html), `Json` |
//! | `return ResponseRedirect("/x")`, `raise` it | [`Redirect::to("/x")`](crate::Redirect), or `?` on it |
//! | `raise ResponseError.NOT_FOUND("..")` | `Err(Error::new(StatusCode::NOT_FOUND, ".."))`, or `?` on any error |
//! | `return ResponseStream(generator())` | `Response::new(Body::written(..))`, or [`Body::channel`](crate::Body::channel), or `Body::from_items(stream)` |
//! | `return ResponseSSE(generator())`, a `dict` each | [`Sse::written(..)`](crate::Sse), an [`Event`](crate::Event) each, or `Sse::channel`, or `Sse::from_items(stream)` |
//! | asgikit: `await request.respond_empty()` | [`Empty`](crate::message::Empty) |
//! | asgikit: `await request.respond("..")`, `async with response_writer(..)` | [`Request::respond`](crate::Request::respond) and its writer |
//!
//! # The request
//!
//! | Python | on the request | as an argument |
//! |---|---|---|
//! | `request.url`, `request.path`, `request.raw_path` | the same: `url()`, `path()`, `raw_path()` | `Uri` |
//! | `request.path_params["id"]` | `request.params().get("id")` | [`Path<u64>`](crate::Path) |
//! | `request.url.query["q"]` | `request.query()` | [`Query<T>`](crate::app::Query) |
//! | `request.headers["x-key"]` | `request.headers().get("x-key")` | `HeaderMap` |
//! | `request.headers.get("last-event-id")` | `request.last_event_id()` | [`LastEventId`](crate::app::LastEventId) |
//! | `request.cookies` | `request.cookies()` | [`Cookies`](crate::app::Cookies) |
//! | `await request.body()`, `text()`, `json()`, `form()` | the same | `Bytes`, `String`, `Json<T>`, [`Form<T>`](crate::app::Form) |
//! | `async for chunk in request.stream()` | `request.chunk().await?` | [`Body`](crate::Body) |
//! | `await request.data()` | `request.data()`, an [enum](crate::message::Data) | |
//! | `request.charset`, `request.content_type`, `request.media` | the same: `charset()`, `content_type()`, `media_type()` | |
//! | asgikit: `request.body.is_consumed` | `request.is_consumed()` | |
//! | `request["user"] = user`, `request.user` | `request.extensions_mut().insert(user)` | [`Extension<User>`](crate::Extension) |
//! | `request.app`, closures | | [`State<T>`](crate::State) |
//!
//! # Forms and uploads
//!
//! ```python
//! form = await request.form(max_size=50 << 20, upload_to=lambda name: f"/var/cakes/{name}")
//! name, picture = form["name"], form["picture"]
//! ```
//!
//! ```
//! use bakestone::{FormOptions, Request, Result, Text};
//! use std::path::Path;
//!
//! async fn bake(mut request: Request) -> Result<Text<String>> {
//!     let options = FormOptions::new()
//!         .form_bytes(50 << 20)
//!         .upload_to(|part| Some(Path::new("/var/cakes").join(part.safe_filename()?)));
//!     let mut form = request.form_with(options).await?;
//!     let picture = form.file("picture")?;
//!     Ok(Text(format!("{} in {} bytes\n", form.get("name").unwrap_or("a cake"), picture.size())))
//! }
//! # let _ = bakestone::post(bake);
//! ```
//!
//! | Python | here |
//! |---|---|
//! | `form["name"]`, `form.getall("name")` | `form.get("name")`, `form.get_all("name")`; as a type: [`Form<T>`](crate::Form), [`form.field::<u8>("age")?`](crate::FormData::field) |
//! | `file.name`, `file.content_type` | `filename()`, of which `safe_filename()` is fit for a path; `content_type()` |
//! | `file.read()`, `await file.copy_to(path)` | [`file.read(limit).await?`](crate::UploadedFile::read), [`file.copy_to(path).await?`](crate::UploadedFile::copy_to), [`file.persist(path).await?`](crate::UploadedFile::persist) |
//! | `form(file_memory_limit=..)` | [`FormOptions::file_memory_bytes`](crate::FormOptions::file_memory_bytes) |
//! | the parts of a form as they arrive | [`Multipart`](crate::Multipart) |
//!
//! # Cookies and files
//!
//! | Python | here |
//! |---|---|
//! | `response.cookies["a"] = "1"` | `(SetCookie::new("a", "1"), "made")`, or [`response.set_cookie(..)`](crate::Response::set_cookie) |
//! | `ResponseFile(path, filename="a.pdf")` | [`request.file(path).await?`](crate::Request::file), `.attachment("a.pdf")` |
//! | `App(static_folders=["static"], static_url_prefix="/static")` | [`app.files("/static", StaticFiles::folder("static"))`](crate::App::files) |
//!
//! # Views
//!
//! ```python
//! class Notes(HTTPView):
//!     async def get(self, request): ...
//!     async def post(self, request): ...
//!
//! app.route("/notes")(Notes)
//! ```
//!
//! ```
//! use bakestone::app::{MethodRouter, View};
//! use bakestone::{App, Text, get};
//! use std::sync::Arc;
//!
//! struct Notes;
//!
//! impl Notes {
//!     async fn list(self: Arc<Self>) -> Text<&'static str> {
//!         Text("none yet")
//!     }
//!
//!     async fn add(self: Arc<Self>, note: String) -> Text<String> {
//!         Text(note)
//!     }
//! }
//!
//! impl View for Notes {
//!     fn methods() -> MethodRouter {
//!         get(Self::list).post(Self::add)
//!     }
//! }
//!
//! let app = App::new().view("/notes", Notes);
//! # assert!(app.build().is_ok());
//! ```
//!
//! There is one instance for all requests. The methods are written down, so a request with another one is 405 with
//! `Allow`; `@Handler.route("/more")` is [`View::routes`](crate::app::View::routes).
//!
//! # Middleware
//!
//! ```python
//! @app.middleware
//! async def stamp(app, request, receive, send):
//!     response = await app(request, receive, send)
//!     response.headers["x-stamp"] = "seen"
//!     return response
//! ```
//!
//! ```
//! use bakestone::app::Next;
//! use bakestone::{App, HeaderValue, Request, Response};
//!
//! async fn stamp(request: Request, next: Next) -> Response {
//!     let mut response = next.run(request).await;
//!     response.headers.insert("x-stamp", HeaderValue::from_static("seen"));
//!     response
//! }
//!
//! let app = App::new().middleware(stamp);
//! # assert!(app.build().is_ok());
//! ```
//!
//! The classic kind, a function from an application to an application, is [`App::wrap`](crate::App::wrap). Both are
//! ordered alike: the first registered is the outermost.
//!
//! # Errors
//!
//! ```python
//! @app.on_error(DatabaseError)
//! async def no_database(request, exc):
//!     return 503, "try again later"
//! ```
//!
//! ```
//! use bakestone::app::Failure;
//! use bakestone::{App, StatusCode};
//! # #[derive(Debug)]
//! # struct DatabaseError;
//! # impl std::fmt::Display for DatabaseError {
//! #     fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) }
//! # }
//! # impl std::error::Error for DatabaseError {}
//!
//! async fn no_database(_: Failure<DatabaseError>) -> (StatusCode, &'static str) {
//!     (StatusCode::SERVICE_UNAVAILABLE, "try again later")
//! }
//!
//! let app = App::new().on_error(no_database).on_status(404, |_| "nothing here");
//! # assert!(app.build().is_ok());
//! ```
//!
//! # WebSockets
//!
//! ```python
//! @app.route("/chat")
//! async def chat(request):
//!     async with ResponseWebSocket(request) as ws:
//!         while True:
//!             message = await ws.receive()
//!             await ws.send(f"you said {message}")
//! ```
//!
//! ```
//! # #[cfg(feature = "websocket")] {
//! use bakestone::message::WebSocketUpgrade;
//! use bakestone::{App, Result, get};
//!
//! async fn chat(upgrade: WebSocketUpgrade) -> Result<()> {
//!     let mut socket = upgrade.accept().await?;
//!     while let Some(message) = socket.receive().await? {
//!         if let Some(text) = message.as_text() {
//!             socket.send(format!("you said {text}")).await?;
//!         }
//!     }
//!     Ok(())
//! }
//!
//! let app = App::new().route("/chat", get(chat));
//! # assert!(app.build().is_ok());
//! # }
//! ```
//!
//! asgikit's `NEW`, `ACCEPTED` and `CLOSED` are types: the upgrade, the socket, and the end that each call tells.
//! `receive_json`, `send_json`, `iter` and `iter_json` have the same names; `write` and `read` are `send` and `receive`.
//! To refuse is to return any response.
//!
//! # Mounts, modules, lifespan, background
//!
//! | Python | here |
//! |---|---|
//! | `app.route("/shop")(shop)` | [`app.mount("/shop", shop)`](crate::App::mount) |
//! | `app.import_submodules()` | each module has a `fn routes() -> App`, and the application [merges](crate::App::merge) it |
//! | `@app.on_startup`, `@app.on_shutdown` | [`on_startup`](crate::App::on_startup), [`on_shutdown`](crate::App::on_shutdown), the latter in reverse order |
//! | a value kept on the application at start-up | [`App::state_from`](crate::App::state_from) |
//! | `app.run_after_response(task())` | [`context.after_response(|_| task())`](crate::Context::after_response) |
//! | `BackgroundMiddleware.set_task(task())` | the same, without anything ambient |
//! | a loop that sleeps | [`App::every`](crate::App::every) |
//! | `trio`, `curio`, `asyncio` | `bakestone_tokio`, `bakestone_smol`, `bakestone_std`: one line differs |
//! | `ASGITestClient(app)` | `bakestone_testkit::Client`: the whole application, without a socket, in a test's own time |
//!
//! # What is different on purpose
//!
//! | there | here | why |
//! |---|---|---|
//! | a failing start-up hook is logged, and the server runs | the server does not start ([`ignore_startup_errors`](crate::Lifecycle::ignore_startup_errors) for the old way) | a half-made application answers wrongly |
//! | the handler of a 404 answers 200 unless told otherwise | the error's status stays | whoever reads statuses is lied to |
//! | middleware does not see a 404 | it sees every response | headers, times and logs must cover all of them |
//! | internal middleware: first is outermost; classic: last is | one order | nobody remembers two |
//! | the first route that matches wins | the more specific one does, and what cannot be told apart is an error at the start | moving a line changes nothing |
//! | no `Allow`, no HEAD, no OPTIONS | all three | RFC 9110 |
//! | `/sub` takes `/submarine` | whole segments only | |
//! | `/sub` is 404, `/sub/` is the mount | both are the mount | |
//! | a mount's hooks, error handlers and outer middleware do not run | they do | |
//! | a body has no bound | 2 MiB unless [told otherwise](crate::app::MethodRouter::buffered_body_bytes) | memory |
//! | a client that goes away in the middle of a body leaves a short body | an error | half an order is none |
//! | so does a form without its last boundary, and one that is too long | an error, 400 and 413 | |
//! | a second reading of a body is empty, or an error that depends on the first one | what was read whole is kept; what was read piece by piece is [consumed](crate::message::BodyError::AlreadyConsumed) | |
//! | `;` separates fields, a trailing name without a value is dropped | only `&`, and the name has an empty value | the URL Standard |
//! | any body is a form | 415 unless it says so | |
//! | files of a form are in memory, or at their path while they arrive | in a file without a name past 1 MiB, and at their path once all is there | a client that is gone leaves nothing |
//! | an error after the response has begun sends a second one | the message is cut | |
//! | a stream that fails at its first item has sent a 200 | it is a 500, since the first item is asked for before the head leaves | |
//! | a line break in an event's data begins another field | its lines are lines of the data; in its name or identifier it is an error | no text makes events of its own |
//! | a stream of events is silent between them, and holds a stopping server up | comments fill its silence, and it ends when the server stops | proxies close what is idle; clients reconnect |
//! | a WebSocket handler that fails closes with 1000 | with 1011 | |
//! | binary messages are decoded as text, an empty one is a dictionary or nothing | a message is what was sent | |
//! | a plain request to a WebSocket's route is a 500, a refusal of a WebSocket too | 426, and any response | |
//! | pings, limits, compression and origins are the server's, if it has them | on by default | [`WebSocketOptions`](crate::message::WebSocketOptions) |
//! | a synchronous handler blocks everybody | [`blocking`](crate::app::blocking) | |

pub mod actix;
pub mod axum;
