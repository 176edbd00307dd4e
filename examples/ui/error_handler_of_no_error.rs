//! An error handler for what is no error.
//~ `String` is no error that a handler could be registered for
//~ neither a `std::error::Error` nor `bakestone::Error`
//~ implement `std::error::Error` for `String`

use bakestone::App;
use bakestone::app::Failure;

async fn missing(_: Failure<String>) -> &'static str {
    "there is none"
}

fn main() {
    let _ = App::new().on_error(missing);
}
