//! A body that an asynchronous function writes.
//!
//! The rule: the function is a part of the body: it is polled while there is room, holds one piece at most ahead of it, and
//! is dropped with the body, at the await where it stands.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;

use super::channel::{BodySender, Channel, End, Next, channel};
use crate::error::{BoxError, Error, Result};
use crate::message::{Body, BodyStream};

impl Body {
    /// What `write` writes; it is complete once that returns `Ok`, and cut off by an error. An error that comes before
    /// the first piece, and without waiting for anything, is a 500 in place of the response.
    ///
    /// The sender may complete it too, with trailer fields; the function is dropped then, at the await where it stands. If
    /// it returns an error behind that, without waiting for anything, the body is cut off all the same.
    ///
    /// ```
    /// use bakestone::{Body, Context, Response};
    /// use std::time::Duration;
    ///
    /// async fn countdown(context: Context) -> Response {
    ///     Response::new(Body::written(|mut out| async move {
    ///         for left in (1..=3).rev() {
    ///             out.send(format!("{left}\n")).await?;
    ///             context.sleep(Duration::from_secs(1)).await;
    ///         }
    ///         Ok(())
    ///     }))
    /// }
    /// ```
    pub fn written<F>(write: impl FnOnce(BodySender) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (sender, channel) = channel(1);
        Self::from_stream(Written { channel, future: Some(Box::pin(write(sender))), result: None })
    }
}

struct Written {
    channel: Channel,
    future: Option<Pin<Box<dyn Future<Output = Result<()>> + Send>>>,
    /// What the future said, until it is told.
    result: Option<Result<()>>,
}

impl Written {
    /// What is there without the future's doing more.
    fn poll_written(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        match self.channel.poll_next(cx) {
            Poll::Ready(Next::Piece(piece)) => Poll::Ready(Some(Ok(piece))),
            // Whoever has no more to write drops the sender; the future says whether all is well.
            Poll::Pending | Poll::Ready(Next::End(End::Abandoned)) => match self.result.take() {
                Some(Ok(())) => Poll::Ready(None),
                Some(Err(error)) => Poll::Ready(Some(Err(error.into()))),
                None => Poll::Pending,
            },
            Poll::Ready(Next::End(end)) => Poll::Ready(match (end, self.result.take()) {
                (End::Finished(_), Some(Err(error))) => Some(Err(error.into())),
                (end, _) => self.channel.end(end),
            }),
        }
    }
}

impl BodyStream for Written {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let this = &mut *self;
        let written = this.poll_written(cx);
        let Some(future) = this.future.as_mut().filter(|_| written.is_pending()) else { return written };
        if let Poll::Ready(result) = future.as_mut().poll(cx) {
            this.result = Some(result);
            this.future = None;
        }
        this.poll_written(cx)
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        self.channel.take_trailers()
    }
}

/// An [`Error`] as a cause of others, which the type itself cannot be.
#[derive(Debug)]
pub(super) struct Failed(pub(super) Error);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source().map(|source| source as _)
    }
}

impl From<Error> for BoxError {
    fn from(error: Error) -> Self {
        Failed(error).into()
    }
}
