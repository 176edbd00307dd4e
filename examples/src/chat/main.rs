//! A chat with rooms: `cargo run --bin chat`, then <http://127.0.0.1:8000> in two windows.

mod app;
#[cfg(test)]
mod tests;

use bakestone_std::{ServeError, Server};

fn main() -> Result<(), ServeError> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    bakestone_tokio::run(app::app(), Server::new().address(&address).on_ready(listening))
}
