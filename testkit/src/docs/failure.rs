//! Testing failure.
//!
//! # The handler's own error
//!
//! A response says as little of an error as it says to anybody. Its test may ask further.
//!
//! ```
//! use bakestone::{App, Result, Text, get};
//! use bakestone_testkit::Client;
//!
//! async fn price() -> Result<Text<String>> {
//!     Ok(Text("x".parse::<u8>()?.to_string()))
//! }
//!
//! let app = App::new().route("/price", get(price)).route("/oven", get(|| -> &str { panic!("too hot") }));
//! let client = Client::new(app);
//!
//! let mut response = client.get("/price").send();
//! response.expect_status(500).expect_text("Internal Server Error");
//! assert!(response.error().unwrap().is::<std::num::ParseIntError>());
//!
//! let response = client.get("/oven").send();
//! assert_eq!(response.panic_message().as_deref(), Some("too hot"));
//! ```
//!
//! Where an expectation fails, the panic shows that error, and what went over the wire.
//!
//! # Clients that go away
//!
//! | a client that | is |
//! |---|---|
//! | hangs up while the handler runs | [`request.start().disconnect()`](crate::client::Pending::disconnect), or a drop |
//! | hangs up in the middle of a response | [`response.disconnect()`](crate::ClientResponse::disconnect), or a drop |
//! | finishes sending, and reads on | [`half_close`](crate::ClientRequest::half_close) |
//! | stops in the middle of its content | [`body_by_hand`](crate::ClientRequest::body_by_hand), and then [`half_close`](crate::client::Pending::half_close) |
//! | reads slowly | [`read_ahead(0)`](crate::ClientRequest::read_ahead), and then [`read_at_most`](crate::ClientResponse::read_at_most) |
//! | sends a request behind the other | [`client.pipeline(..)`](crate::Client::pipeline), [`try_pipeline`](crate::Client::try_pipeline) |
//! | sends on while the response comes | [`body_by_hand`](crate::ClientRequest::body_by_hand), and then [`response.write`](crate::ClientResponse::write) |
//! | sends no HTTP | a [`Wire`](crate::Wire), and bytes |
//!
//! ```
//! use bakestone::{App, Bytes, HeaderMap, Request, StatusCode, get};
//! use bakestone_testkit::Client;
//! use bakestone_testkit::client::Cause;
//! use std::time::Duration;
//!
//! async fn endless(request: Request) -> bakestone::Result<bakestone::message::Sent> {
//!     let mut writer = request.respond(StatusCode::OK, HeaderMap::new())?;
//!     loop {
//!         writer.write(Bytes::from_static(&[b'x'; 1000])).await?;
//!     }
//! }
//!
//! let client = Client::new(App::new().route("/", get(endless)));
//! let mut response = client.get("/").read_ahead(0).send();
//! // The server holds what its limit lets it, and waits.
//! assert!(response.waiting() < 100_000);
//! client.advance(Duration::from_secs(60));
//! assert_eq!(response.try_bytes().unwrap_err().cause, Cause::Reset);
//! ```
//!
//! # Disks
//!
//! Files come from [`MemoryFiles`](crate::MemoryFiles), from a folder, or from a closure that fails as a test likes.
//!
//! ```
//! use bakestone::effect::{FileError, FileErrorKind, FileOp, OpenMode};
//! use bakestone::{App, Context, Result, Text, post};
//! use bakestone_testkit::Client;
//!
//! async fn keep(context: Context) -> Result<Text<&'static str>> {
//!     context.open("/kept", OpenMode::CreateNew).await?;
//!     Ok(Text("kept"))
//! }
//!
//! let full = |_: FileOp| Err(FileError::new(FileErrorKind::StorageFull, "no room"));
//! let client = Client::setup().files(full).start(App::new().route("/", post(keep)));
//! client.post("/").send().expect_status(507);
//! ```
