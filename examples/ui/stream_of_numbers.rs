//! A stream whose items are no bytes, as a body.
//~ a stream of `u64` is no body
//~ the stream's items are no bytes
//~ a value becomes a line of JSON with `JsonLines::new(..)`

use bakestone::{Body, Response};
use futures_core::Stream;

fn export(numbers: impl Stream<Item = u64> + Send + 'static) -> Response {
    Response::new(Body::from_items(numbers))
}

fn main() {}
