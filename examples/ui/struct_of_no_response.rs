//! A value of one's own, where a response is wanted.
//~ `Cake` cannot be a response
//~ a handler returns something that implements `IntoResponse`
//~ a value goes out as `Json(value)` or as `Text(value.to_string())`

use bakestone::IntoResponse;

struct Cake;

fn answer() -> impl IntoResponse {
    Cake
}

fn main() {
    let _ = answer();
}
