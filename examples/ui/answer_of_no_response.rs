//! A handler that returns what is no response.
//~ is not a handler
//~ what is returned implements `IntoResponse`: text, bytes, `Json(value)`, `Text(text)`, `Response`

use bakestone::{App, get};

async fn pi() -> f32 {
    std::f32::consts::PI
}

fn main() {
    let _ = App::new().route("/pi", get(pi));
}
