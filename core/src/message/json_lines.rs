//! Values as lines of JSON, one by one.
//!
//! The rule: each line is a whole value and ends with LF, so whoever reads has all the values that came before a cut.

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_core::Serialize;

use super::items::Items;
use crate::error::{BoxError, Result};
use crate::message::{Body, IntoResponse, Response};

/// The items of a stream as lines of JSON, each sent as it comes: `application/x-ndjson`, the name by which most
/// clients know it; none is registered. With the features `json` and `stream`.
///
/// A value that JSON cannot hold cuts the message off. One that comes as JSON already, a `RawValue`, keeps its text, but
/// for the line breaks in it, which become spaces.
///
/// ```
/// use bakestone::message::JsonLines;
/// use futures_core::Stream;
///
/// async fn measured() -> JsonLines {
///     # struct Empty;
///     # impl Stream for Empty {
///     #     type Item = u32;
///     #     fn poll_next(
///     #         self: std::pin::Pin<&mut Self>,
///     #         _: &mut std::task::Context<'_>,
///     #     ) -> std::task::Poll<Option<u32>> { None.into() }
///     # }
///     # fn temperatures() -> Empty { Empty }
///     JsonLines::new(temperatures())
/// }
/// # let _ = bakestone::get(measured);
/// ```
#[derive(Debug)]
pub struct JsonLines(Body);

impl JsonLines {
    /// The items of `stream`, each a line. Of a stream that can fail, that is [`fallible`](Self::fallible).
    pub fn new<S>(stream: S) -> Self
    where
        S: Stream<Item: Serialize> + Send + 'static,
    {
        Self(Body::from_stream(Items { stream: Box::pin(stream), chunk: |value| line(&value) }))
    }

    /// The values of `stream`, each a line; an error of the stream cuts the message off.
    pub fn fallible<S, T, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: Into<BoxError>,
    {
        let chunk = |item: S::Item| line(&item.map_err(Into::into)?);
        Self(Body::from_stream(Items { stream: Box::pin(stream), chunk }))
    }
}

fn line(value: &impl Serialize) -> Result<Bytes, BoxError> {
    let mut line = serde_json::to_vec(value)?;
    // JSON escapes these in texts (RFC 8259, section 7); between its tokens, where a `RawValue` may have them, they are
    // whitespace (section 2).
    line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    line.push(b'\n');
    Ok(line.into())
}

impl IntoResponse for JsonLines {
    fn into_response(self) -> Result<Response> {
        let content_type = HeaderValue::from_static("application/x-ndjson");
        Ok(Response::new(self.0).with_header(CONTENT_TYPE, content_type))
    }
}
