//! Bakestone: a web toolkit with no I/O of its own.
//!
//! **A whole web application, from the bytes that arrive to the bytes that leave, is one deterministic state
//! machine**; a runtime (tokio, smol, plain threads, a loop of your own, a test) plugs in underneath.
//!
//! | level | what | where |
//! |---|---|---|
//! | the boundary | what a driver and a machine share, and the laws of every machine | [`machine`], [`effect`] |
//! | 0: codecs | bytes to events and back, without futures, clocks or locks | [`h1`], [`router`], [`multipart`], [`http`](mod@http) |
//! | 1: session | one connection; one server's background work | [`session`] |
//! | | what handlers hold | [`message`] |
//! | 2: application | routes, extractors, errors | [`app`] |
//!
//! Each level is useful alone, and an import goes down a level, never up.
//!
//! The [guide] is for reading, from the [first application](guide::first_app) on: routing, requests, forms, responses,
//! errors, middleware, tests, deployment, [coming from elsewhere](guide::coming_from), and [why](guide::why) it is as it is.
//!
//! # Features
//!
//! `json` (on by default): JSON values as request and response bodies.
//!
//! `charset`: bodies that are text in all character sets of the Encoding Standard.
//!
//! `http-body`: [`Body`] as the `http-body` crate's, for hyper, tower and what is built on them.
//!
//! `permessage-deflate` (on by default): compressed messages of WebSocket connections.
//!
//! `regex` (on by default): regular expressions in the patterns of routes.
//!
//! `stream`: the streams of `futures-core` as bodies and as events, and [`Body`] as such a stream.
//!
//! `tape`: connections recorded as text, and read back, to reproduce what went wrong in production.
//!
//! `websocket` (on by default): WebSocket connections.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod app;
pub mod effect;
pub mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod h1;
pub mod http;
pub mod leniency;
pub mod limits;
pub mod machine;
pub mod message;
pub mod multipart;
mod output;
pub mod router;
pub mod session;
#[cfg(feature = "tape")]
pub mod tape;
#[cfg(feature = "websocket")]
pub mod ws;

pub use ::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header};
pub use app::{
    App, Cookies, Extension, Form, Header, Path, Query, State, StaticFiles, any, delete, get, head, options,
    patch, post, put,
};
pub use bytes::Bytes;
pub use error::{Error, Result};
pub use http::cookie::SetCookie;
pub use http::sse::Event;
pub use leniency::Leniency;
pub use limits::Limits;
#[cfg(feature = "json")]
pub use message::Json;
pub use message::{
    Body, Context, FileResponse, FormData, FormOptions, Html, IntoResponse, MultiMap, Multipart, Redirect,
    Rejection, Request, Response, Sse, Text, UploadedFile,
};
pub use session::{Lifecycle, Service, Session};
