//! A handler that returns what is no response.
//~ is no answer of a handler
//~ a response is what implements `IntoResponse`: text, bytes, `Json(value)`, `Text(text)`, `Response`

use bakestone::{App, get};

async fn pi() -> f32 {
    std::f32::consts::PI
}

fn main() {
    let _ = App::new().route("/pi", get(pi));
}
