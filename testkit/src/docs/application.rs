//! Testing an application.
//!
//! A test makes the application, and a [`Client`](crate::Client) of it. No port is opened, no runtime is needed, and a
//! thousand requests take a tenth of a second.
//!
//! ```
//! use bakestone::{App, Json, Path, Result, StatusCode, get};
//! use bakestone_testkit::Client;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, Serialize)]
//! struct Cake {
//!     name: String,
//! }
//!
//! async fn show(Path(name): Path<String>) -> Json<Cake> {
//!     Json(Cake { name })
//! }
//!
//! async fn bake(Json(cake): Json<Cake>) -> Result<(StatusCode, Json<Cake>)> {
//!     Ok((StatusCode::CREATED, Json(cake)))
//! }
//!
//! fn app() -> App {
//!     App::new().route("/cakes/{name}", get(show)).route("/cakes", bakestone::post(bake))
//! }
//!
//! let client = Client::new(app());
//! client.get("/cakes/scone").send().expect_status(200).expect_json(&Cake { name: "scone".into() });
//!
//! let cake: Cake = client.post("/cakes").json(&Cake { name: "bara brith".into() }).send().expect_status(201).json();
//! assert_eq!(cake.name, "bara brith");
//! ```
//!
//! # What goes out
//!
//! | a request with | is |
//! |---|---|
//! | any method | [`client.get(path)`](crate::Client::get) and the like, [`client.request("PROPFIND", path)`](crate::Client::request) |
//! | a query, a form | [`query(&value)`](crate::ClientRequest::query), [`form(&value)`](crate::ClientRequest::form): a struct, a map, pairs |
//! | fields, cookies | [`header`](crate::ClientRequest::header), [`bearer`](crate::ClientRequest::bearer), [`cookie`](crate::ClientRequest::cookie) |
//! | content | [`json`](crate::ClientRequest::json), [`text`](crate::ClientRequest::text), [`body`](crate::ClientRequest::body), [`multipart`](crate::ClientRequest::multipart) |
//! | content in pieces | [`body_stream`](crate::ClientRequest::body_stream), [`body_by_hand`](crate::ClientRequest::body_by_hand) |
//! | another host | an absolute URL in the place of the path: all hosts are the application's |
//! | another user | [`client.another()`](crate::Client::another): cookies and connections of its own |
//!
//! What is said last counts, so `json(..)` and then `body(..)` is content of which nothing is said. A redirect is followed
//! to the host that it came from and to that of the base URL; to any other it is the response.
//!
//! What every request is to have is said once, before the start, by [`Client::setup`](crate::Client::setup), or later by
//! [`set_header`](crate::Client::set_header).
//!
//! # A session with cookies
//!
//! Cookies are kept and sent as a browser does it, with their domains, paths, ends and `Secure`. A cookie that is `Secure`
//! needs a secure client: `https` is a word here, and costs nothing.
//!
//! ```
//! use bakestone::{App, Cookies, Redirect, SetCookie, Text, get, post};
//! use bakestone_testkit::Client;
//!
//! let app = App::new()
//!     .route("/login", post(|| (SetCookie::new("__Host-id", "7").path("/").secure(true), Redirect::see_other("/"))))
//!     .route("/", get(|Cookies(cookies): Cookies| Text(format!("{:?}", cookies.get("__Host-id")))));
//!
//! let client = Client::setup().base_url("https://cakes.example").start(app);
//! let mut home = client.post("/login").send();
//! home.expect_text("Some(\"7\")");
//! assert_eq!((home.url().path(), home.history()[0].path()), ("/", "/login"));
//! ```
//!
//! # What comes back
//!
//! `expect_..` fails with the transcript and with the handler's own error. [`text`](crate::ClientResponse::text),
//! [`json`](crate::ClientResponse::json) and the like give what came, and [`snapshot`](crate::ClientResponse::snapshot) all
//! of it as one text, the same in every run, for a tool that keeps snapshots.
//!
//! # Sockets
//!
//! [`client.websocket(path)`](crate::Client::websocket) opens a WebSocket on the client's clock, with its cookies; several of
//! them hear each other, and the requests beside them.
//!
//! ```
//! use bakestone::message::WebSocketUpgrade;
//! use bakestone::{App, Result, get};
//! use bakestone_testkit::{Client, WebSocketRequest};
//!
//! async fn echo(mut upgrade: WebSocketUpgrade) -> Result<()> {
//!     upgrade.select_protocol(["v1"]);
//!     let mut socket = upgrade.accept().await?;
//!     while let Some(message) = socket.receive().await? {
//!         socket.send(message).await?;
//!     }
//!     Ok(())
//! }
//!
//! let client = Client::new(App::new().route("/echo", get(echo)));
//! let mut socket = client.websocket(WebSocketRequest::new("/echo").protocols(["v1"])).unwrap();
//! assert_eq!(socket.protocol().as_deref(), Some("v1"));
//! socket.send("hello").expect("hello").close(1000, "").expect_close(1000);
//! ```
//!
//! # What the server starts with, and ends with
//!
//! Start-up hooks have run when there is a client; [`Client::try_start`](crate::Client::try_start) gives the error of one
//! that fails. Shut-down hooks run with [`shutdown`](crate::Client::shutdown), or with the last handle of the client.
//!
//! ```
//! use bakestone::{App, Error};
//! use bakestone_testkit::Client;
//!
//! let app = App::new().on_startup(async |_| Err::<(), _>(Error::conflict("the oven is cold")));
//! assert!(Client::try_start(app).unwrap_err().to_string().contains("the oven is cold"));
//! ```
//!
//! # In an asynchronous test
//!
//! `client.get("/").await` is the same as `client.get("/").send()`, so a test that is asynchronous for other reasons reads
//! as the others do. The response is there before anything is awaited; no runtime moves the server.
