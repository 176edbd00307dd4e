//! The streams of `futures-core` as bodies, and bodies as such streams.
//!
//! The rule: an item is asked for while there is room, never before; and an error among the items cuts the message off.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use crate::error::BoxError;
use crate::message::{Body, BodyError, BodyStream};

/// With the feature `stream`.
impl Body {
    /// The items of `stream`, one after the other: bytes or text, or a `Result` of these.
    ///
    /// ```
    /// use bakestone::{Body, Response};
    /// use futures_core::Stream;
    ///
    /// fn export(lines: impl Stream<Item = std::io::Result<String>> + Send + 'static) -> Response {
    ///     Response::new(Body::from_items(lines))
    /// }
    /// ```
    pub fn from_items<S>(stream: S) -> Self
    where
        S: Stream<Item: IntoChunk> + Send + 'static,
    {
        Self::from_stream(Items { stream: Box::pin(stream), chunk: IntoChunk::into_chunk })
    }
}

/// What the items of a stream may be that becomes a body.
#[diagnostic::on_unimplemented(
    message = "a stream of `{Self}` is no body",
    label = "the stream's items are no bytes",
    note = "an item is `Bytes`, `Vec<u8>`, `String`, `&'static str`, `&'static [u8]` or `Cow<'static, str>`, or a `Result` of one of these",
    note = "a value becomes a line of JSON with `JsonLines::new(..)`, an `Event` is sent with `Sse::from_items(..)`"
)]
pub trait IntoChunk {
    /// The piece of the body, or the error that cuts the message off.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    fn into_chunk(self) -> Result<Bytes, BoxError>;
}

macro_rules! chunks {
    ($($item:ty),*) => {$(
        impl IntoChunk for $item {
            fn into_chunk(self) -> Result<Bytes, BoxError> {
                Ok(self.into())
            }
        }
    )*};
}

chunks!(Bytes, Vec<u8>, String, &'static str, &'static [u8]);

impl IntoChunk for Cow<'static, str> {
    fn into_chunk(self) -> Result<Bytes, BoxError> {
        match self {
            Cow::Borrowed(text) => text.into_chunk(),
            Cow::Owned(text) => text.into_chunk(),
        }
    }
}

impl<T: IntoChunk, E: Into<BoxError>> IntoChunk for Result<T, E> {
    fn into_chunk(self) -> Result<Bytes, BoxError> {
        self.map_err(Into::into)?.into_chunk()
    }
}

/// The items of a stream, each of which `chunk` makes a piece of the body.
pub(super) struct Items<S: Stream> {
    pub(super) stream: Pin<Box<S>>,
    pub(super) chunk: fn(S::Item) -> Result<Bytes, BoxError>,
}

impl<S: Stream> BodyStream for Items<S> {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let item = self.stream.as_mut().poll_next(cx);
        item.map(|item| item.map(self.chunk))
    }
}

/// With the feature `stream`: what [`Body::poll_chunk`] gives, until the end or an error.
impl Stream for Body {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx).map(Result::transpose)
    }
}
