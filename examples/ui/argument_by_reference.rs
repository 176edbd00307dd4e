//! A request by reference.
//~ `&bakestone::Request` cannot be made of a request
//~ no argument is a reference

use bakestone::{App, Request, Text, get};

async fn path(request: &Request) -> Text<String> {
    Text(request.path().into_owned())
}

fn main() {
    let _ = App::new().route("/", get(path));
}
