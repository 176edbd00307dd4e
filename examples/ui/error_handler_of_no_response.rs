//! Fields stand in a map, and behind a status.
//~ is not an error handler
//~ either of them in `(StatusCode, value)` or `(StatusCode, HeaderMap, value)`

use bakestone::app::Failure;
use bakestone::{App, Error, Json, StatusCode};

async fn problem(_: Failure<Error>) -> (StatusCode, [(&'static str, &'static str); 1], Json<u16>) {
    (StatusCode::NOT_FOUND, [("content-type", "application/problem+json")], Json(404))
}

fn main() {
    let _ = App::new().on_error(problem);
}
