//! A stream of text as one of events.
//~ a stream of `String` is no stream of events
//~ the stream's items are no events
//~ a value becomes one with `Event::data(..)` or `Event::json(..)`

use bakestone::{Context, Sse};
use futures_core::Stream;

fn ticks(context: Context, texts: impl Stream<Item = String> + Send + 'static) -> Sse {
    Sse::from_items(&context, texts)
}

fn main() {}
