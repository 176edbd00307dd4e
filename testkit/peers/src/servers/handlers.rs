//! The handlers for servers with the types of `http` and `http-body`: hyper and axum.

use std::convert::Infallible;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Collected, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, LOCATION, TRAILER, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::service;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// What is sent.
pub(super) type Outgoing = UnsyncBoxBody<Bytes, BoxError>;
pub(super) type Answer = Response<Outgoing>;

/// What is received.
pub(super) trait Incoming: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static {}
impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static> Incoming for B {}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(text.into()).map_err(never).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn never(error: Infallible) -> BoxError {
    match error {}
}

/// Pieces, one after the other.
fn stream(pieces: &'static [&'static str], trailers: Option<HeaderMap>) -> Answer {
    let data = pieces.iter().map(|piece| Frame::data(Bytes::from_static(piece.as_bytes())));
    let frames: Vec<_> = data.chain(trailers.map(Frame::trailers)).map(Ok).collect();
    Response::new(StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync())
}

/// All of the content; or what a handler answers that does not get it.
async fn collect(body: impl Incoming) -> Result<Collected<Bytes>, Answer> {
    let too_large = || text(StatusCode::PAYLOAD_TOO_LARGE, "too large");
    if body.size_hint().lower() > service::BUFFERED as u64 {
        return Err(too_large());
    }
    Limited::new(body, service::BUFFERED).collect().await.map_err(|error| {
        match error.is::<LengthLimitError>() {
            true => too_large(),
            false => text(StatusCode::BAD_REQUEST, error.to_string()),
        }
    })
}

fn lines(map: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

/// Any path without a handler of its own.
pub(super) async fn understood<B: Incoming>(request: Request<B>) -> Answer {
    if let Some(status) = service::turned_away(request.method().as_str()) {
        let mut response = text(StatusCode::from_u16(status).unwrap_or_default(), "");
        response.headers_mut().insert(ALLOW, service::ALLOWED.parse().expect("it is a value"));
        return response;
    }
    let (head, body) = request.into_parts();
    match collect(body).await {
        Ok(content) => {
            let trailers = content.trailers().cloned().unwrap_or_default();
            let target = head.uri.to_string();
            let bytes = content.to_bytes();
            text(StatusCode::OK, service::understood(head.method.as_str(), &target, &bytes, lines(&trailers)))
        }
        Err(answer) => answer,
    }
}

pub(super) async fn fields<B: Incoming>(request: Request<B>) -> Answer {
    text(StatusCode::OK, service::fields(lines(request.headers())))
}

pub(super) async fn unread<B: Incoming>(request: Request<B>) -> Answer {
    text(StatusCode::OK, format!("{} unread", request.uri()))
}

/// Answers at once, and reads the content afterwards.
pub(super) async fn early<B: Incoming>(request: Request<B>) -> Answer {
    tokio::spawn(async move {
        let _ = request.into_body().collect().await;
    });
    stream(&["early"], None)
}

pub(super) async fn written<B: Incoming>(_: Request<B>) -> Answer {
    stream(&["written"], None)
}

pub(super) async fn back<B: Incoming>(request: Request<B>) -> Answer {
    Response::new(request.into_body().map_err(Into::into).boxed_unsync())
}

pub(super) async fn status<B: Incoming>(request: Request<B>) -> Answer {
    let code = request.uri().path().strip_prefix("/status/").unwrap_or_default();
    match StatusCode::from_bytes(&service::decoded(code)) {
        Ok(status) => text(status, "some content"),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "no status"),
    }
}

pub(super) async fn split<B: Incoming>(request: Request<B>) -> Answer {
    let value = service::decoded(request.uri().query().unwrap_or_default());
    let Ok(value) = hyper::header::HeaderValue::from_bytes(&value) else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "no value");
    };
    let mut response = text(StatusCode::OK, "whole");
    response.headers_mut().insert(LOCATION, value);
    response
}

pub(super) async fn close<B: Incoming>(_: Request<B>) -> Answer {
    let mut response = text(StatusCode::OK, "bye");
    response.headers_mut().insert(CONNECTION, hyper::header::HeaderValue::from_static("close"));
    response
}

pub(super) async fn streamed<B: Incoming>(_: Request<B>) -> Answer {
    stream(&["one", "", "two"], None)
}

/// Announces `length` bytes, and sends four.
fn announced(length: u64) -> Answer {
    let mut response = stream(&["four"], None);
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    response
}

pub(super) async fn short<B: Incoming>(_: Request<B>) -> Answer {
    announced(10)
}

pub(super) async fn long<B: Incoming>(_: Request<B>) -> Answer {
    announced(3)
}

pub(super) async fn trailers<B: Incoming>(_: Request<B>) -> Answer {
    let mut fields = HeaderMap::new();
    fields.insert("x-sum", hyper::header::HeaderValue::from_static("7"));
    let mut response = stream(&["sum"], Some(fields));
    response.headers_mut().insert(TRAILER, hyper::header::HeaderValue::from_static("x-sum"));
    response
}

/// Switches to a protocol that says everything back in capitals; a POST reads its content first.
pub(super) async fn upgrade<B: Incoming>(mut request: Request<B>) -> Answer {
    let upgrade = hyper::upgrade::on(&mut request);
    let mut first = Bytes::new();
    if request.method() == hyper::Method::POST {
        match collect(request.into_body()).await {
            Ok(content) => first = content.to_bytes(),
            Err(answer) => return answer,
        }
    }
    tokio::spawn(shout(upgrade, first));
    let mut response = text(StatusCode::SWITCHING_PROTOCOLS, "");
    response.headers_mut().insert(UPGRADE, hyper::header::HeaderValue::from_static("shout"));
    response.headers_mut().insert(CONNECTION, hyper::header::HeaderValue::from_static("upgrade"));
    response
}

async fn shout(upgrade: OnUpgrade, first: Bytes) -> Result<(), BoxError> {
    let mut tunnel = TokioIo::new(upgrade.await?);
    tunnel.write_all(&first.to_ascii_uppercase()).await?;
    let mut space = [0; 1024];
    loop {
        match tunnel.read(&mut space).await? {
            0 => return Ok(()),
            count => tunnel.write_all(&space[..count].to_ascii_uppercase()).await?,
        }
    }
}
