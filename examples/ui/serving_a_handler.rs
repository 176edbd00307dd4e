//! A handler is served without a route.
//~ is not an application to serve
//~ a function of other arguments is a handler, and needs a route: `App::new().route("/", get(handler))`

use bakestone::{Path, Text};

async fn hello(Path(name): Path<String>) -> Text<String> {
    Text(name)
}

fn main() {
    let _ = bakestone_tokio::run(hello, "127.0.0.1:0");
}
