//! WebSockets in a session and an application, from the handshake to the last byte, in time that a test moves.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod closing;
mod compression;
#[path = "../counting/mod.rs"]
mod counting;
mod found;
mod groups;
mod handshake;
mod held;
mod laws;
#[path = "../once/mod.rs"]
mod once;
mod pings;
mod queue;
mod refusals;
mod states;

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::app::AppService;
use bakestone::message::{WebSocket, WebSocketOptions, WebSocketUpgrade};
use bakestone::{App, Context, Result, Session, get};
use bakestone_testkit::WebSocketClient;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

type Client = WebSocketClient<Session<AppService>>;

/// What a client does.
type Act = fn(&mut Client);

/// What a handler has to tell, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Debug) {
        self.0.lock().unwrap().push(format!("{what:?}"));
    }

    #[track_caller]
    fn expect(&self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut *self.0.lock().unwrap()), expected);
    }
}

/// An application whose `/` is a socket that `handle` is given.
fn app<T: Future<Output = Result<()>> + Send + 'static>(
    handle: impl Fn(WebSocket, Context) -> T + Clone + Send + Sync + 'static,
) -> App {
    app_with(|_| (), handle)
}

/// The same with options.
fn app_with<T: Future<Output = Result<()>> + Send + 'static>(
    set: impl Fn(&mut WebSocketOptions) + Clone + Send + Sync + 'static,
    handle: impl Fn(WebSocket, Context) -> T + Clone + Send + Sync + 'static,
) -> App {
    let accept = move |mut upgrade: WebSocketUpgrade, context: Context| {
        set(upgrade.options_mut());
        let handle = handle.clone();
        async move { handle(upgrade.accept().await?, context).await }
    };
    App::new().route("/", get(accept))
}

#[track_caller]
fn connect(app: App) -> Client {
    WebSocketClient::connect(app, "/").unwrap()
}

/// Sends back what it receives, and tells how it ended.
async fn echo(mut socket: WebSocket, log: Log) -> Result<()> {
    loop {
        match socket.receive().await {
            Ok(Some(message)) => socket.send(message).await?,
            Ok(None) => break log.note(("closed", socket.close_frame().map(|frame| frame.code().get()))),
            Err(error) => break log.note(error),
        }
    }
    Ok(())
}

/// A client of [`echo`], and what that tells.
#[track_caller]
fn connect_echo() -> (Client, Log) {
    let log = Log::default();
    let told = log.clone();
    (connect(app(move |socket, _| echo(socket, told.clone()))), log)
}
