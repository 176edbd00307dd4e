//! A handler of more arguments than there may be.
//~ is not a handler
//~ of at most twelve arguments, whose types are written out

use bakestone::{App, Method, get};

type M = Method;

fn main() {
    let many = |_: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M| "hello";
    let _ = App::new().route("/", get(many));
}
