//! A server on an `io_uring` loop of its own: `cargo run --release -- --addr 127.0.0.1:8000`. The loop is in `serve.rs`.
//!
//! It prints one line, `listening on http://HOST:PORT`, on standard output once it accepts. Where the kernel forbids
//! `io_uring` it says so on standard error, and ends with status 2.
#![deny(unsafe_code)]

#[path = "../../src/readiness_loop/calls.rs"]
mod calls;
mod channel;
mod door;
mod ring;
mod serve;
#[cfg(test)]
mod tests;
#[path = "../../src/readiness_loop/timers.rs"]
mod timers;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;

use bakestone::{App, Body, Json, Path, Request, Text, any, get};
use bakestone_std::{ServeError, Server, stop_at_signals};

use ring::Ring;

/// The routes that load generators are pointed at, with the answers of the conformance server.
fn app() -> App {
    App::new()
        .route("/", get(|| Text("OK")))
        .route("/plaintext", get(|| Text("Hello, World!")))
        .route("/json", get(|| Json(BTreeMap::from([("message", "Hello, World!")]))))
        .route("/users/{id}/posts/{post}", get(user_post))
        .route("/echo", any(echo))
}

fn user_post(Path((id, post)): Path<(String, String)>) -> Text<String> {
    Text(format!("{id} {post}"))
}

async fn echo(request: Request) -> Text<Body> {
    Text(request.into_body())
}

/// The address that the words name.
fn address(words: &[String]) -> Option<&str> {
    match words {
        [] => Some("127.0.0.1:8000"),
        [flag, address] if flag == "--addr" => Some(address),
        _ => None,
    }
}

fn run(ring: Ring, address: &str) -> Result<(), ServeError> {
    let server = Server::new().address(address).connections(100_000).on_ready(|addresses| {
        // Whoever does not read it has the address already.
        let _ = writeln!(std::io::stdout(), "listening on http://{}", addresses[0]);
    });
    let _signals = stop_at_signals(&server.handle())?;
    serve::serve(ring, server, app())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(address) = address(&words) else {
        eprintln!("usage: io-uring-loop [--addr HOST:PORT]");
        return ExitCode::from(2);
    };
    let ring = match Ring::new() {
        Ok(ring) => ring,
        Err(unavailable) => {
            eprintln!("{unavailable}");
            return ExitCode::from(if unavailable.is_refusal() { 2 } else { 1 });
        }
    };
    match run(ring, address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
