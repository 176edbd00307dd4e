//! The servers that are in this program: each is run as a process, `bakestone-websocket-peers serve NAME`.
//!
//! The rule: one worker thread; it tells its address in a line, and ends when whoever started it is gone. Each peer is
//! written as its own example of an echo is.

use std::error::Error;
use std::io::Read;
use std::net::TcpListener;
use std::process::ExitCode;

use bakestone_std::Server;
use bakestone_std::bakestone::message::{Overflow, WebSocketUpgrade};
use bakestone_std::bakestone::{App, Result, get};
use bytes::Bytes;
use fastwebsockets::OpCode;
use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::room;
use crate::servers::Kind;

/// The word that makes this program a server.
pub(crate) const COMMAND: &str = "serve";

/// Serves until it is killed.
pub(crate) fn run(name: &str) -> ExitCode {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    match serve(name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn serve(name: &str) -> Result<(), Box<dyn Error>> {
    let kind = Kind::all().find(|kind| kind.name() == name).ok_or("no such server")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let app = App::new().route("/", get(echo));
    match kind {
        Kind::Tokio => bakestone_tokio::run(app, Server::new().listener(listener))?,
        Kind::Smol => bakestone_smol::run(app, Server::new().listener(listener))?,
        Kind::FastWebSockets => on_tokio(listener, fastwebsockets)?,
        Kind::Tungstenite => on_tokio(listener, tungstenite)?,
        Kind::RoomClose => room::serve(listener, Overflow::Close)?,
        Kind::RoomDropOldest => room::serve(listener, Overflow::DropOldest)?,
        Kind::RoomWait => room::serve(listener, Overflow::Wait)?,
    }
    Ok(())
}

/// Bakestone's.
pub(crate) async fn echo(upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// Runs a task for each connection.
fn on_tokio<F: Future<Output = ()> + 'static>(
    listener: TcpListener,
    serve: impl Fn(TcpStream) -> F,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::task::spawn_local(serve(stream));
        }
    })
}

async fn fastwebsockets(stream: TcpStream) {
    let service = hyper::service::service_fn(|mut request: hyper::Request<Incoming>| async move {
        let (response, upgrade) = fastwebsockets::upgrade::upgrade(&mut request)?;
        tokio::task::spawn_local(tokio::task::unconstrained(fastwebsockets_echo(upgrade)));
        Ok::<hyper::Response<Empty<Bytes>>, fastwebsockets::WebSocketError>(response)
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that goes is no failure.
    let _ = connection.with_upgrades().await;
}

async fn fastwebsockets_echo(upgrade: fastwebsockets::upgrade::UpgradeFut) {
    let Ok(socket) = upgrade.await else { return };
    let mut socket = fastwebsockets::FragmentCollector::new(socket);
    while let Ok(frame) = socket.read_frame().await {
        let sent = match frame.opcode {
            OpCode::Close => return,
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await,
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn tungstenite(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
            return;
        }
    }
}
