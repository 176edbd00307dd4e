//! A session of what answers nothing.
//~ is not a service
//~ a service is what `App::build` makes, a function `fn(Request) -> impl IntoResponse`

use bakestone::Session;

fn main() {
    let _ = Session::new(42);
}
