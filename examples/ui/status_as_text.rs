//! A status that is no number.
//~ `&str` is not a status
//~ expected a `StatusCode`, or its number

use bakestone::App;

fn main() {
    let _ = App::new().on_status("404", |_| "there is none");
}
