//! Two arguments that take the body.
//~ is not a handler
//~ the last one, and no other, may take the body: `Request`, `Body`, `Bytes`, `String`, `Json<T>`

use bakestone::{App, Bytes, post};

async fn is_ascii(text: String, bytes: Bytes) -> bool {
    text.is_ascii() && bytes.is_ascii()
}

fn main() {
    let _ = App::new().route("/", post(is_ascii));
}
