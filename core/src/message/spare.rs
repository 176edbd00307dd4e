//! Header maps that are used again.
//!
//! The rule: a map is empty when it is given and when it is taken, so that what serves one response after the other on a
//! thread is memory, and nothing else.

use std::cell::Cell;

use http::HeaderMap;

/// A map with room for more than this is not kept: some handler has made it huge.
const KEPT: usize = 64;

thread_local! {
    static SPARE: Cell<HeaderMap> = Cell::new(HeaderMap::new());
}

/// An empty map, of the last response's memory if that is back.
pub(super) fn take() -> HeaderMap {
    // Where the thread ends, there is none.
    SPARE.try_with(Cell::take).unwrap_or_default()
}

/// Gives back the map of a response that has been sent.
pub(crate) fn give(mut headers: HeaderMap) {
    if headers.capacity() <= KEPT {
        headers.clear();
        let _ = SPARE.try_with(|spare| spare.set(headers));
    }
}
