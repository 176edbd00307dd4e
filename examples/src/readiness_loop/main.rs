//! A server on a readiness loop of its own: `cargo run --bin readiness-loop`, then
//! `curl http://127.0.0.1:8000/hello/world`. The loop is in `serve.rs`.

mod serve;
#[cfg(test)]
mod tests;

use bakestone::{App, Path, Text, get};
use bakestone_std::{ServeError, Server, stop_at_signals};

async fn hello(Path(name): Path<String>) -> Text<String> {
    Text(format!("Hello from a readiness loop, {name}!\n"))
}

fn main() -> Result<(), ServeError> {
    let app =
        App::new().route("/", get(|| Text("One thread, no runtime.\n"))).route("/hello/{name}", get(hello));
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    let server = Server::new().address("127.0.0.1:8000").on_ready(listening);
    let _signals = stop_at_signals(&server.handle())?;
    serve::serve(server, app)
}
