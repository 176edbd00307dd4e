//! Two arguments that take the body.
//~ `String` cannot be made of a request without its body
//~ what takes the body (`Request`, `Bytes`, `String`, `Json<T>`, `Form<T>`, `FormData`, `Multipart`, `Body`) comes last

use bakestone::{App, Bytes, post};

async fn is_ascii(text: String, bytes: Bytes) -> bool {
    text.is_ascii() && bytes.is_ascii()
}

fn main() {
    let _ = App::new().route("/", post(is_ascii));
}
