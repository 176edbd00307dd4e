//! A client in memory, from its requests to its server's end.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

#[path = "client/connections.rs"]
mod connections;
#[path = "client/cookies.rs"]
mod cookies;
#[path = "client/failures.rs"]
mod failures;
#[path = "client/found.rs"]
mod found;
#[path = "client/handshakes.rs"]
mod handshakes;
#[path = "client/jar.rs"]
mod jar;
#[path = "client/life.rs"]
mod life;
#[path = "client/redirects.rs"]
mod redirects;
#[path = "client/requests.rs"]
mod requests;
#[path = "client/sockets.rs"]
mod sockets;
#[path = "client/streams.rs"]
mod streams;
#[path = "client/time.rs"]
mod time;

use std::time::Duration;

use bakestone::{Request, Result, Text};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Tells what it was asked: the method, the target, the fields that a test sent, and the content.
async fn echo(mut request: Request) -> Result<Text<String>> {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    text += &format!("\n{}", request.text().await?);
    if let Some(trailers) = request.body().trailers() {
        text += &format!("\n{trailers:?}");
    }
    Ok(Text(text))
}

/// What a panic said.
fn panic_of<T>(work: impl FnOnce() -> T) -> String {
    let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) else {
        panic!("nothing panicked")
    };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}
