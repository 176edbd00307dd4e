//! The body is taken before the last argument is made.
//~ is not a handler
//~ the last one, and no other, may take the body

use bakestone::{App, Json, Path, post};

async fn add(Json(value): Json<u32>, Path(number): Path<u32>) -> u32 {
    value + number
}

fn main() {
    let _ = App::new().route("/add/{number}", post(add));
}
