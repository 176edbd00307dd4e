//! The body is taken before the last argument is made.
//~ Json<u32>` cannot be made of a request without its body
//~ what takes the body (`Request`, `Bytes`, `String`, `Json<T>`, `Form<T>`, `FormData`, `Multipart`, `Body`) comes last

use bakestone::{App, Json, Path, post};

async fn add(Json(value): Json<u32>, Path(number): Path<u32>) -> u32 {
    value + number
}

fn main() {
    let _ = App::new().route("/add/{number}", post(add));
}
