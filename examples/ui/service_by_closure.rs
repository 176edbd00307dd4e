//! A closure where a service is wanted as it is.
//~ is not a service
//~ a service is what `App::build` makes, or a type that implements `Service`
//~ a function of a `Request` becomes one with `IntoService::into_service`

use bakestone::{App, Request};

fn main() {
    let _ = App::new().wrap(|_| |_: Request| "hello");
}
