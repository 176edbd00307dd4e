//! WebSockets: accepting them, two directions, many sockets, and what is done without you.
//!
//! With the feature `websocket`, which is on by default.
//!
//! # A handler
//!
//! ```
//! # mod wire { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/ask.rs")); }
//! # use wire::ask;
//! use bakestone::message::WebSocketUpgrade;
//! use bakestone::{App, Error, Query, Result, get};
//! use std::collections::HashMap;
//!
//! async fn echo(Query(query): Query<HashMap<String, String>>, mut upgrade: WebSocketUpgrade) -> Result<()> {
//!     if query.get("key").is_none_or(|key| key != "sesame") {
//!         return Err(Error::forbidden("the key is wrong"));
//!     }
//!     upgrade.options_mut().message_bytes = 64 << 10;
//!     let mut socket = upgrade.accept().await?;
//!     while let Some(message) = socket.receive().await? {
//!         socket.send(message).await?;
//!     }
//!     Ok(())
//! }
//!
//! let app = || App::new().route("/echo", get(echo));
//! let handshake = |target: &str, fields: &str| {
//!     ask(app(), &format!(
//!         "GET {target} HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n"
//!     ))
//! };
//! assert!(handshake("/echo?key=sesame", "").starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
//! assert!(handshake("/echo?key=sesame", "Origin: http://example.com\r\n").starts_with("HTTP/1.1 101 "));
//! assert!(handshake("/echo?key=sesame", "Origin: https://evil.example\r\n").starts_with("HTTP/1.1 403 "));
//! assert!(handshake("/echo", "").ends_with("\r\n\r\nthe key is wrong"));
//! assert!(ask(app(), "GET /echo?key=sesame HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 426 "));
//! ```
//!
//! Until it is [accepted](crate::message::WebSocketUpgrade::accept) it is a request like any other: arguments, middleware
//! and errors work, and to refuse it is to return a response. Once it is accepted the 101 is sent, and the connection is
//! the handler's for as long as that runs. Then the socket is closed: with 1000, with 1011 if the handler failed or
//! panicked, with 1001 when the server drains.
//!
//! `receive()` gives `None` after a proper close, and an error if the peer is gone, or broke the protocol. Both it and
//! `send` may be dropped at any point: a message is taken or is still there, is queued whole or not at all.
//!
//! # Two directions
//!
//! A socket that speaks by itself as well is [split](crate::message::WebSocket::split), one half for a task, or its
//! [`sender`](crate::message::WebSocket::sender) is handed to whoever has something to say.
//!
//! ```
//! use bakestone::message::WebSocketUpgrade;
//! use bakestone::{Context, Result};
//! use std::time::Duration;
//!
//! async fn clock(upgrade: WebSocketUpgrade, context: Context) -> Result<()> {
//!     let mut socket = upgrade.accept().await?;
//!     let sender = socket.sender();
//!     context.spawn(move |context| async move {
//!         let mut seconds = 0;
//!         while sender.send(format!("{seconds}")).await.is_ok() {   // an error once the socket is closed
//!             context.sleep(Duration::from_secs(1)).await;
//!             seconds += 1;
//!         }
//!     })?;
//!     while socket.receive().await?.is_some() {}
//!     Ok(())
//! }
//! # let _ = bakestone::get(clock);
//! ```
//!
//! Do not leave messages unreceived in a handler that only sends: what is behind them is not read either, the peer's
//! close and its pongs included. Split the socket and drop the receiver.
//!
//! # Many sockets
//!
//! A [`Group`](crate::message::Group) sends a message to all its members, and [`Rooms`](crate::message::Rooms) are groups
//! by name. A message is framed once for all of them, and compressed once for all that agree on how. Each member has a
//! queue with a bound, 64 KiB, and [`Overflow`](crate::message::Overflow) says what becomes of one that reads too slowly:
//! the sender waits, the oldest message goes, or the socket is closed with 1013. A server of several processes gives its
//! rooms a [`Relay`](crate::message::Relay).
//!
//! ```
//! use bakestone::message::{Overflow, Rooms, WebSocketUpgrade};
//! use bakestone::{App, Path, Result, State, get};
//!
//! async fn chat(
//!     State(rooms): State<Rooms>,
//!     Path((room, name)): Path<(String, String)>,
//!     upgrade: WebSocketUpgrade,
//! ) -> Result<()> {
//!     let mut socket = upgrade.accept().await?;
//!     let _member = rooms.join(&room, &socket.sender());   // it leaves when this is dropped
//!     while let Some(message) = socket.receive().await? {
//!         if let Some(text) = message.as_text() {
//!             rooms.send(&room, format!("{name}: {text}")).await;
//!         }
//!     }
//!     Ok(())
//! }
//!
//! let app = App::new().state(Rooms::new(Overflow::Close)).route("/rooms/{room}/{name}", get(chat));
//! # assert!(app.build().is_ok());
//! ```
//!
//! A test opens as many sockets as it likes; what one sends, the others have at once.
//!
//! ```ignore
//! let client = bakestone_testkit::Client::new(app());
//! let mut sian = client.websocket("/rooms/oven/sian").unwrap();
//! let mut huw = client.websocket("/rooms/oven/huw").unwrap();
//! let mut nia = client.websocket("/rooms/cellar/nia").unwrap();
//! sian.send("hello").expect("sian: hello");
//! huw.expect("sian: hello");
//! nia.expect_silence();
//! ```
//!
//! # What is done without you
//!
//! | what | by default | to change it |
//! |---|---|---|
//! | pages of other origins | 403 | [`origin`](crate::message::WebSocketOptions::origin) |
//! | messages of more than 16 MiB, inflated | closed with 1009 | [`message_bytes`](crate::message::WebSocketOptions::message_bytes) |
//! | text that is no UTF-8, frames that are wrong | closed with 1007, 1002 | |
//! | a ping each 30 s; nothing heard for 20 s after it | reset | [`ping_time`](crate::message::WebSocketOptions::ping_time) |
//! | the peer does not answer our close within 5 s | closed without | [`close_time`](crate::message::WebSocketOptions::close_time) |
//! | compression, where the client offers it | messages of 128 bytes and more | [`deflate`](crate::message::WebSocketOptions::deflate) |
//! | subprotocols | none | [`select_protocol`](crate::message::WebSocketUpgrade::select_protocol) |
//!
//! A page is of the same origin if its host and port are those of `Host`. A proxy that puts another `Host` in place of the
//! client's makes every page a stranger: [deploying](super::deploying#nginx).
//!
//! # What it costs
//!
//! A socket is a connection, and so a descriptor, and a handler that waits. An idle one owns no buffer. Compression takes
//! memory and time for each socket that uses it; a server with very many small messages may rather switch it off.
//!
//! # What goes wrong
//!
//! | it happens | because |
//! |---|---|
//! | 426 in a browser's address bar | that is a plain request; a route that has a page for it takes a `Result<WebSocketUpgrade>` and looks |
//! | 403, and the page is ours | the proxy changes `Host`, or the page is on another port: name its origin in the options |
//! | 426 through nginx | it leaves `Upgrade` out unless it is told not to: [its lines](super::deploying#nginx) |
//! | closed after a minute of silence | something on the way; pings go out each 30 s, so its limit is below that |
//! | the handler's future is not `Send` | a guard or an `Rc` is kept across `receive().await` |
//! | a field that middleware sets is not in the 101 | the 101 leaves at `accept`: [`accept_with`](crate::message::WebSocketUpgrade::accept_with) takes fields |
//! | the connection stays after the socket has ended | the handler goes on; it has the time of the close handshake, 5 s, and then it is dropped |
