//! A closure that does not write out the types of its arguments.
//~ E0283

use bakestone::{App, get};

fn main() {
    let _ = App::new().route("/", get(|request| async { "hello" }));
}
