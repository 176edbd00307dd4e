//! An error handler that takes the error itself.
//~ is not an error handler
//~ expected a function of one `Failure<E>` that returns a response
//~ whose only argument is `Failure<E>`, which is an `E` by reference

use std::num::ParseIntError;

use bakestone::{App, Text};

async fn no_number(error: ParseIntError) -> Text<String> {
    Text(error.to_string())
}

fn main() {
    let _ = App::new().on_error(no_number);
}
