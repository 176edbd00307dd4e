//! A body that is no stream.
//~ is not a stream of body bytes
//~ a complete value becomes a body with `Body::from(..)`

use bakestone::Body;

fn main() {
    let _ = Body::from_stream(vec!["a", "b"]);
}
