//! A handler of more arguments than there may be.
//~ is not a handler
//~ there are at most twelve arguments, and a closure writes out their types

use bakestone::{App, Method, get};

type M = Method;

fn main() {
    let many = |_: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M, _: M| "hello";
    let _ = App::new().route("/", get(many));
}
