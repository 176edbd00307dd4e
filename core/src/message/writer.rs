//! A response that is written while its handler runs.
//!
//! The rule: a message is complete only if [`ResponseWriter::finish`] said so; a writer that is dropped in
//! the middle cuts it off.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::error::{Disconnected, Result};
use crate::message::{Body, IntoResponse, Response};
use crate::session::exchange::{Exchange, WriteStage, WrittenHead};

/// The body of a response that has begun, from [`Request::respond`](crate::Request::respond).
///
/// ```
/// use bakestone::{Request, Result, message::Sent};
/// use http::{HeaderMap, StatusCode};
/// use std::time::Duration;
///
/// async fn countdown(request: Request) -> Result<Sent> {
///     let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
///     for left in (1..=3).rev() {
///         response.write(format!("{left}\n")).await?;
///         request.context().sleep(Duration::from_secs(1)).await;
///     }
///     Ok(response.finish().await?)
/// }
/// ```
#[must_use = "a writer that is dropped cuts the response off"]
pub struct ResponseWriter {
    exchange: Arc<Exchange>,
    /// What is left of the announced length.
    left: Option<u64>,
    finished: bool,
}

/// The sign that the handler has written its response by itself; it is what the handler returns.
#[derive(Debug)]
#[must_use = "return it from the handler"]
pub struct Sent(());

impl IntoResponse for Sent {
    fn into_response(self) -> Result<Response> {
        Ok(Response::new(Body::sent()))
    }
}

pub(crate) fn respond(
    exchange: Option<&Arc<Exchange>>,
    status: StatusCode,
    headers: HeaderMap,
    length: Option<u64>,
) -> Result<ResponseWriter, WriteError> {
    let exchange = exchange.ok_or(WriteError::Disconnected(Disconnected::Over))?.clone();
    exchange.begin_writing(WrittenHead { status, headers, length, before: None, socket: None })?;
    Ok(ResponseWriter { exchange, left: length, finished: false })
}

/// Sends an informational response.
pub(crate) async fn inform(
    exchange: Option<&Arc<Exchange>>,
    status: StatusCode,
    headers: HeaderMap,
) -> Result<(), WriteError> {
    if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(WriteError::NotInformational(status));
    }
    let exchange = exchange.ok_or(WriteError::Disconnected(Disconnected::Over))?;
    let head = Some(Box::new(WrittenHead { status, headers, length: None, before: None, socket: None }));
    Inform { exchange, head, id: None }.await
}

struct Inform<'a> {
    exchange: &'a Arc<Exchange>,
    head: Option<Box<WrittenHead>>,
    id: Option<u64>,
}

impl Future for Inform<'_> {
    type Output = Result<(), WriteError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.exchange.poll_inform(&mut this.head, &mut this.id, cx)
    }
}

impl Drop for Inform<'_> {
    fn drop(&mut self) {
        self.exchange.forget_room(self.id);
    }
}

impl ResponseWriter {
    /// Writes `data`: all of it once there is room for output, or, if the future is dropped, nothing.
    ///
    /// # Errors
    ///
    /// [`WriteError::Disconnected`] if the client is gone, [`WriteError::TooLong`] if an announced length
    /// would be passed.
    pub fn write(
        &mut self,
        data: impl Into<Bytes>,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + '_ {
        Write { writer: self, data: data.into(), id: None }
    }

    /// Completes the response.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooShort`] if an announced length was not reached: the message is cut off;
    /// [`WriteError::Disconnected`] if the client is gone.
    pub async fn finish(self) -> Result<Sent, WriteError> {
        self.finish_with(None).await
    }

    /// Completes the response with trailer fields. They reach a client that said `TE: trailers`, if the
    /// body is chunked; else they are left out (RFC 9110, section 6.5.1).
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub async fn finish_with_trailers(self, trailers: HeaderMap) -> Result<Sent, WriteError> {
        self.finish_with(Some(trailers)).await
    }

    async fn finish_with(mut self, trailers: Option<HeaderMap>) -> Result<Sent, WriteError> {
        self.end(trailers)
    }

    /// Completes the response, unless that was done before.
    pub(super) fn end(&mut self, trailers: Option<HeaderMap>) -> Result<Sent, WriteError> {
        if self.finished {
            return Ok(Sent(()));
        }
        if let Some(left @ 1..) = self.left {
            return Err(WriteError::TooShort(left));
        }
        self.exchange.end_writing(WriteStage::Finished(trailers.map(Box::new)))?;
        self.finished = true;
        Ok(Sent(()))
    }

    /// Writes `data` once there is room, in the slot `id`, which is to be [forgotten](Self::forget_room) by who gives up.
    pub(super) fn poll_write(
        &mut self,
        data: &mut Bytes,
        id: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), WriteError>> {
        if self.finished {
            return Poll::Ready(Err(WriteError::Disconnected(Disconnected::Over)));
        }
        let length = data.len() as u64;
        if length == 0 {
            return Poll::Ready(Ok(()));
        }
        if let Some(left) = self.left.filter(|&left| length > left) {
            return Poll::Ready(Err(WriteError::TooLong(length - left)));
        }
        let poll = self.exchange.poll_write(data, id, cx);
        if let (Poll::Ready(Ok(())), Some(left)) = (&poll, &mut self.left) {
            *left -= length;
        }
        poll
    }

    pub(super) fn forget_room(&self, id: Option<u64>) {
        self.exchange.forget_room(id);
    }
}

impl Drop for ResponseWriter {
    fn drop(&mut self) {
        if !self.finished {
            // If the client is gone there is nothing left to cut off.
            let _ = self.exchange.end_writing(WriteStage::Abandoned);
        }
    }
}

impl fmt::Debug for ResponseWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseWriter").field("left", &self.left).finish_non_exhaustive()
    }
}

struct Write<'a> {
    writer: &'a mut ResponseWriter,
    data: Bytes,
    id: Option<u64>,
}

impl Future for Write<'_> {
    type Output = Result<(), WriteError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.writer.poll_write(&mut this.data, &mut this.id, cx)
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.writer.forget_room(self.id);
    }
}

/// Why a response could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The client is gone, or the exchange is over.
    Disconnected(Disconnected),
    /// The request has a response already.
    AlreadyResponded,
    /// The status of an informational response is one of 1xx, and not 101.
    NotInformational(StatusCode),
    /// That many bytes more than were announced.
    TooLong(u64),
    /// That many bytes fewer than were announced.
    TooShort(u64),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected(why) => why.fmt(f),
            Self::AlreadyResponded => f.write_str("the request has a response already"),
            Self::NotInformational(status) => write!(f, "{status} is no informational status to send"),
            Self::TooLong(bytes) => write!(f, "the response is {bytes} bytes longer than it announced"),
            Self::TooShort(bytes) => write!(f, "the response is {bytes} bytes shorter than it announced"),
        }
    }
}

impl std::error::Error for WriteError {}
