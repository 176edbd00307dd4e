//! The yardsticks: hyper's connection and tungstenite's codec, at exact versions.
//!
//! The rule: they do the same work in the plainest way, since a yardstick has to stay as it is rather than to be fast.

use std::convert::Infallible;
use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, WebSocket};

use crate::sides::Side;
use crate::wire::{Wire, Woken, Written};

/// What the JSON of a request is on both sides.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    id: u64,
    name: String,
    amounts: Vec<u32>,
    paid: bool,
}

type Answer = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";

fn answer(media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn refuse(status: StatusCode) -> Answer {
    let mut response = answer(TEXT, "");
    *response.status_mut() = status;
    response
}

async fn whole(request: Request<Incoming>) -> Bytes {
    request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default()
}

fn json(body: &[u8]) -> Answer {
    let order = serde_json::from_slice::<Order>(body);
    match order.and_then(|order| serde_json::to_vec(&order)) {
        Ok(body) => answer("application/json", body),
        Err(_) => refuse(StatusCode::BAD_REQUEST),
    }
}

fn user_post(path: &str) -> Option<Answer> {
    let (user, post) = path.strip_prefix("/users/")?.split_once("/posts/")?;
    let post: u64 = post.parse().ok()?;
    Some(answer(TEXT, format!("{user} {post}")))
}

async fn route(request: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/plaintext") => answer(TEXT, "Hello, World!"),
        (&Method::POST, "/json") => json(&whole(request).await),
        (&Method::POST, "/body") => answer(TEXT, whole(request).await),
        (_, path) => user_post(path).unwrap_or_else(|| refuse(StatusCode::NOT_FOUND)),
    })
}

/// A connection of hyper's.
pub(crate) struct Hyper {
    wire: Wire,
    connection: Pin<Box<dyn Future<Output = hyper::Result<()>>>>,
    woken: Arc<Woken>,
    waker: Waker,
}

impl Hyper {
    pub(crate) fn new() -> Self {
        let (wire, woken) = (Wire::default(), Arc::new(Woken::default()));
        let mut http = http1::Builder::new();
        http.pipeline_flush(true);
        let connection = http.serve_connection(wire.clone(), service_fn(route));
        Self { wire, connection: Box::pin(connection), waker: woken.clone().into(), woken }
    }
}

impl Side for Hyper {
    fn turn(&mut self, input: &'static [u8], written: &mut Written) {
        self.wire.exchange(written);
        self.wire.feed(input);
        let mut cx = Context::from_waker(&self.waker);
        loop {
            let over = self.connection.as_mut().poll(&mut cx);
            assert!(matches!(over, Poll::Pending), "{over:?}");
            if !self.woken.take() {
                break;
            }
        }
        assert!(self.wire.is_read());
        self.wire.exchange(written);
    }
}

/// A WebSocket of tungstenite's, after the handshake.
pub(crate) struct Tungstenite {
    wire: Wire,
    socket: WebSocket<Wire>,
}

impl Tungstenite {
    pub(crate) fn new() -> Self {
        let wire = Wire::default();
        // It clears this much before it reads: with the 128 KiB that it has by default, little else would be counted.
        let config = WebSocketConfig::default().read_buffer_size(4 << 10);
        Self { socket: WebSocket::from_raw_socket(wire.clone(), Role::Server, Some(config)), wire }
    }
}

impl Side for Tungstenite {
    fn turn(&mut self, input: &'static [u8], written: &mut Written) {
        self.wire.exchange(written);
        self.wire.feed(input);
        loop {
            match self.socket.read() {
                Ok(message) => self.socket.send(message).expect("it can always be written"),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        self.wire.exchange(written);
    }
}
