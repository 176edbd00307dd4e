//! Middleware that does not take what comes next.
//~ is not middleware
//~ expected an `async fn(Request, Next) -> impl IntoResponse`
//~ middleware is an asynchronous function whose last arguments are `Request` and `Next`

use bakestone::{App, Request, Response};

async fn stamp(_: Request) -> Response {
    Response::new("stamped")
}

fn main() {
    let _ = App::new().middleware(stamp);
}
