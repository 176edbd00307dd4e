//! What asks for a switch, what is answered, and handlers that say everything back.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use bakestone::machine::Machine;
use bakestone::message::{Sent, Upgraded};
use bakestone::{Request, Result};
use bakestone_testkit::Wire;

pub(crate) const ASKED: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
pub(crate) const CONNECT: &str = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
pub(crate) const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    date: Mon, 01 Jan 2024 00:00:00 GMT\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n";
pub(crate) const CONNECTED: &str = "HTTP/1.1 200 OK\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n";
pub(crate) const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Says everything back.
pub(crate) async fn repeat(mut connection: Upgraded) -> Result<Sent> {
    while let Some(data) = connection.read().await? {
        connection.write(data).await?;
    }
    Ok(connection.finish().await?)
}

pub(crate) async fn echo(mut request: Request) -> Result<Sent> {
    repeat(request.upgrade("echo")?).await
}

pub(crate) async fn tunnel(mut request: Request) -> Result<Sent> {
    repeat(request.accept_tunnel()?).await
}

/// The response to `request`, whose first line and fields are told without the date and the content's.
pub(crate) fn head_of(wire: &mut Wire<impl Machine>) -> String {
    let text = wire.take_text();
    let head = text.split("\r\n\r\n").next().unwrap();
    let told = head.lines().filter(|line| {
        let name = line.split(':').next().unwrap();
        !["date", "content-length", "content-type", "vary"].contains(&name)
    });
    told.collect::<Vec<_>>().join("; ").replace("HTTP/1.1 ", "")
}
