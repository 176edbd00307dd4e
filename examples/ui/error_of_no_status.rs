//! A handler whose error is text.
//~ is no answer of a handler
//~ or a `Result` of one whose error becomes a `bakestone::Error`

use bakestone::{App, get};

async fn cake() -> Result<&'static str, String> {
    Err("there is none".to_owned())
}

fn main() {
    let _ = App::new().route("/", get(cake));
}
