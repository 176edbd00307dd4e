//! HTTP/1.1 as a codec: bytes to events and events to bytes, for either end of a connection.
//!
//! The rule: strict in both directions. What two readers could read in two ways is refused
//! ([`Refusal`]), what we are asked to send and may not is an error ([`Misuse`]), and nothing is mended
//! silently. A [`Leniency`](crate::Leniency) opens, one by one, what of the first can be taken all the same.
//!
//! A [`Conn`] owns no bytes and no socket. [`Conn::next`] takes events from the front of a buffer, the
//! `send_*` methods append to an [`Output`](crate::machine::Output); [`Conn::reuse`] goes on to the next
//! exchange or says why there is none ([`CloseReason`]). One exchange is under way at a time: what a client
//! sends ahead stays in the buffer.
//!
//! # The life of one request
//!
//! ```
//! use std::sync::Arc;
//!
//! use bakestone::Limits;
//! use bakestone::h1::{BodyLength, ClientConn, Event, RequestHead, ResponseHead, ServerConn};
//! use bakestone::machine::Output;
//! use bytes::{Buf, Bytes, BytesMut};
//! use http::{HeaderMap, HeaderValue, Method, StatusCode, header::HOST};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limits = Arc::new(Limits::default());
//! let (mut client, mut server) = (ClientConn::new(limits.clone()), ServerConn::new(limits));
//! let mut wire = Output::default();
//!
//! // The client asks, with five bytes of content,
//! let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("example.com"))]);
//! client.send_head(RequestHead::new(&Method::POST, "/echo", &headers), BodyLength::Exact(5), &mut wire)?;
//! client.send_data(Bytes::from_static(b"hello"), &mut wire)?;
//! client.send_end(None, &mut wire)?;
//!
//! // the server receives the head, the content and the end,
//! let mut input = BytesMut::from(&wire.copy_to_bytes(wire.remaining())[..]);
//! let Event::Head(request) = server.next(&mut input)? else { unreachable!() };
//! assert_eq!((request.method, request.uri.path()), (Method::POST, "/echo"));
//! let Event::Data(content) = server.next(&mut input)? else { unreachable!() };
//! assert!(matches!(server.next(&mut input)?, Event::End(None)));
//! assert!(matches!(server.next(&mut input)?, Event::Paused));
//!
//! // and answers with as much as there is.
//! let headers = HeaderMap::new();
//! server.send_head(ResponseHead::new(StatusCode::OK, &headers), BodyLength::Unknown, &mut wire)?;
//! server.send_data(content, &mut wire)?;
//! server.send_end(None, &mut wire)?;
//! assert_eq!(server.reuse(), Ok(()));
//!
//! let mut input = BytesMut::from(&wire.copy_to_bytes(wire.remaining())[..]);
//! assert_eq!(input, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
//! let Event::Head(response) = client.next(&mut input)? else { unreachable!() };
//! assert_eq!((response.status, response.body), (StatusCode::OK, BodyLength::Unknown));
//! assert!(matches!(client.next(&mut input)?, Event::Data(content) if content == "hello"));
//! assert!(matches!(client.next(&mut input)?, Event::End(None)));
//! assert_eq!(client.reuse(), Ok(()));
//!
//! // The client hangs up between two exchanges, where that harms nothing.
//! server.finish_input();
//! assert!(matches!(server.next(&mut BytesMut::new())?, Event::Closed));
//! # Ok(())
//! # }
//! ```
//!
//! # States
//!
//! The two messages of an exchange move by themselves. A step that is not drawn is a
//! [`Misuse::IllegalStep`] if a caller asks for it, and nothing that a peer does leads to it.
//!
#![doc = include_str!("states.md")]

mod chunked;
mod conn;
mod error;
mod field_section;
mod fields;
mod grammar;
mod head;
mod role;
mod scan;
mod send;
mod target;
mod transitions;
mod write;

#[cfg(test)]
mod tests;

pub use conn::{ClientConn, Conn, Event, ServerConn};
pub use error::{CloseReason, Misuse, Reason, Refusal};
pub use field_section::FieldSection;
pub use head::{BodyLength, ReceivedRequest, ReceivedResponse, RequestHead, ResponseHead};
pub use role::{Client, Role, Server};
#[cfg(feature = "websocket")]
pub(crate) use target::{Authority, is_scheme};
pub use transitions::{Side, State, Step};
