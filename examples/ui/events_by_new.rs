//! A stream of events, made as lines of JSON are.
//~ E0599
//~ Sse::from_items

use bakestone::{Context, Event, Sse};
use futures_core::Stream;

fn ticks(_: Context, events: impl Stream<Item = Event> + Send + 'static) -> Sse {
    Sse::new(events)
}

fn main() {}
