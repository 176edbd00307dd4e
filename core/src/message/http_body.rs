//! [`Body`] as the body of the `http-body` crate, for hyper, tower and what is built on them.
//!
//! The rule: the trailer fields are the last frame, and whoever takes that frame has them; what is told of the
//! length is true of what is still to come.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

use super::body::{Body, BodyStream, Ended, Inner};
use crate::error::BoxError;
use crate::message::BodyError;

/// With the feature `http-body`.
impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let body = self.get_mut();
        if let Inner::Ended(_) = body.0 {
            // Who asks again after the end asks for what is left: the trailer fields, or nothing.
            return Poll::Ready(take_trailers(body));
        }
        forget_length(body);
        Poll::Ready(match ready!(body.poll_chunk(cx)) {
            Ok(Some(chunk)) => Some(Ok(Frame::data(chunk))),
            Ok(None) => take_trailers(body),
            Err(error) => Some(Err(error)),
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Empty | Inner::Sent => true,
            Inner::Ended(ended) => ended.trailers.is_none(),
            Inner::Bytes(bytes) => bytes.is_empty(),
            Inner::Owned(bytes) => bytes.is_empty(),
            Inner::Incoming(_) | Inner::Stream(_) => false,
        }
    }

    /// Exact for what is complete, for a stream that was not begun, and for what is left of a declared length.
    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        if let Some(length) = self.length() {
            hint.set_exact(length);
        }
        hint
    }
}

/// Takes the trailer fields of a body that was read to its end: they are given once, and there is no frame after them.
fn take_trailers(body: &mut Body) -> Option<Result<Frame<Bytes>, BodyError>> {
    let fields = body.trailers();
    body.0 = Inner::Ended(Ended::told());
    fields.map(|fields| Ok(Frame::trailers(fields)))
}

/// Lets a stream that is about to begin no longer tell its length, which is that of the whole.
fn forget_length(body: &mut Body) {
    if !matches!(&body.0, Inner::Stream(_) if body.length().is_some()) {
        return;
    }
    if let Inner::Stream(stream) = std::mem::take(&mut body.0) {
        *body = Body::from_stream(Begun(stream.into_inner()));
    }
}

/// A stream that has begun: how much is left of it is not known.
struct Begun(Pin<Box<dyn BodyStream + Send>>);

impl BodyStream for Begun {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        self.0.as_mut().poll_chunk(cx)
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        self.0.as_mut().trailers()
    }
}
