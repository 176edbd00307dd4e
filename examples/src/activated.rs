//! A server that a service manager starts when the first client comes: it takes the listeners that are handed over
//! (`LISTEN_FDS`), and without any listens by itself, as during development.
//!
//! `systemd-socket-activate -l 8000 target/debug/activated`, then `curl http://127.0.0.1:8000`.

use bakestone::{App, Text, get};
use bakestone_std::{ServeError, Server};

fn app() -> App {
    App::new().route("/", get(|| Text("Hello from whoever was called first\n")))
}

fn main() -> Result<(), ServeError> {
    let server = match std::env::var_os("LISTEN_FDS") {
        Some(_) => Server::new().inherited(),
        None => Server::new().address("127.0.0.1:8000"),
    };
    bakestone_tokio::run(app(), server.on_ready(|addresses| eprintln!("listening on {}", addresses[0])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone_testkit::Client;

    #[test]
    fn it_answers_whoever_called() {
        let client = Client::new(app());
        client.get("/").send().expect_status(200).expect_text("Hello from whoever was called first\n");
    }
}
