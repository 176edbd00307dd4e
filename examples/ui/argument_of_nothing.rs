//! An argument that no request makes.
//~ `f32` cannot be made of a request
//~ a handler takes `Path<T>`, `Query<T>`, `State<T>`
//~ what else implements `FromParts`

use bakestone::{App, Text, get};

async fn half(number: f32) -> Text<String> {
    Text((number / 2.0).to_string())
}

fn main() {
    let _ = App::new().route("/half", get(half));
}
