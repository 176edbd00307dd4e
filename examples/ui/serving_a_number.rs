//! What is served is no application.
//~ `{integer}` is not an application to serve
//~ serve an `App`, or a function `fn(Request) -> impl IntoResponse`, asynchronous or not

fn main() {
    let _ = bakestone_tokio::run(42, "127.0.0.1:0");
}
