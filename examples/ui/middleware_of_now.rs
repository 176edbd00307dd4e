//! Middleware that is not asynchronous.
//~ is not middleware
//~ expected an `async fn(Request, Next) -> impl IntoResponse`

use bakestone::app::Next;
use bakestone::{App, Request, Response};

fn stamp(_: Request, _: Next) -> Response {
    Response::new("stamped")
}

fn main() {
    let _ = App::new().middleware(stamp);
}
