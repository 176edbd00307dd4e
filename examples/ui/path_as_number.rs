//! A path that is none.
//~ is not a path of a route
//~ expected one path, or several
//~ a path is a `&str` or a `String`; several are an array, a slice or a `Vec` of them

use bakestone::{App, get};

fn main() {
    let _ = App::new().route(42, get(|| "hello"));
}
