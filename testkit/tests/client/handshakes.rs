//! What stands around a WebSocket: its handshake, its neighbours, and the end of its handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bakestone::message::WebSocketUpgrade;
use bakestone::{
    App, Context, Error, HeaderMap, HeaderValue, Request, Result, SetCookie, StatusCode, Text, get,
};
use bakestone_testkit::Client;

use super::{SECOND, panic_of};

/// Takes its time before it accepts.
async fn slow(context: Context, upgrade: WebSocketUpgrade) -> Result<()> {
    context.sleep(3 * SECOND).await;
    let mut socket = upgrade.accept().await?;
    socket.send("open").await?;
    socket.receive().await?;
    Ok(())
}

#[test]
fn a_handshake_has_deadlines_of_its_own() {
    let app = || App::new().route("/slow", get(slow));
    for app in [app(), app().every(10 * SECOND, |_| async {})] {
        let client = Client::new(app);
        let began_at = client.now().mono;
        let mut socket = client.websocket("/slow").unwrap();
        assert_eq!(client.now().mono.since(began_at), 3 * SECOND);
        socket.expect("open");
    }
}

#[test]
fn a_handshake_that_never_ends_says_so_with_its_transcript() {
    let stuck = |_: WebSocketUpgrade| std::future::pending::<()>();
    let client = Client::new(App::new().route("/stuck", get(stuck)));
    let panic = panic_of(|| client.websocket("/stuck").map(drop).is_ok());
    for piece in ["nothing moves any more", "- a WebSocket at /stuck, which does not open", "> GET /stuck"] {
        assert!(panic.contains(piece), "{panic}");
    }
    assert!(!client.waits().contains("/stuck"), "{}", client.waits());
    client.shutdown();
    let panic = panic_of(|| client.websocket("/stuck").map(drop).is_ok());
    assert!(panic.starts_with("a WebSocket at http://localhost/stuck: the server closed"), "{panic}");
}

#[test]
fn hints_before_a_handshake_are_not_its_answer() {
    async fn hints(request: Request) -> Result<()> {
        let link = HeaderMap::from_iter([("link".parse()?, HeaderValue::from_static("</a.css>"))]);
        request.inform(StatusCode::EARLY_HINTS, link).await?;
        request.context().sleep(SECOND).await;
        Err(Error::gone("no sockets here"))
    }
    let client = Client::new(App::new().route("/", get(hints)));
    assert_eq!(client.websocket("/").unwrap_err().status, 410);
}

#[test]
fn a_handler_comes_to_its_end_after_its_client_has_gone() {
    let ended = Arc::new(AtomicUsize::new(0));
    let counted = ended.clone();
    let handler = move |context: Context, upgrade: WebSocketUpgrade| {
        let ended = counted.clone();
        async move {
            let mut socket = upgrade.accept().await?;
            while let Ok(Some(_)) = socket.receive().await {}
            context.sleep(SECOND).await;
            ended.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Error>(())
        }
    };
    let client = Client::new(App::new().route("/", get(handler)));
    client.websocket("/").unwrap().disconnect();
    drop(client.websocket("/").unwrap());
    assert_eq!(ended.load(Ordering::SeqCst), 0);
    assert!(client.waits().contains("- a WebSocket at /;"), "{}", client.waits());
    client.advance(SECOND);
    assert_eq!(ended.load(Ordering::SeqCst), 2);
    assert!(!client.waits().contains("WebSocket"), "{}", client.waits());
    // A server that stops waits for it, too.
    drop(client.websocket("/").unwrap());
    drop(client);
    assert_eq!(ended.load(Ordering::SeqCst), 3);
}

#[test]
fn a_refusal_with_a_cookie_and_a_socket_that_has_it() {
    async fn known(fields: HeaderMap, upgrade: WebSocketUpgrade) -> Result<(SetCookie, Text<&'static str>)> {
        let Some(cookie) = fields.get("cookie") else {
            return Ok((SetCookie::new("seen", "1").path("/"), Text("who is it?")));
        };
        let mut socket = upgrade.accept().await?;
        socket.send(String::from_utf8_lossy(cookie.as_bytes()).into_owned()).await?;
        Err(Error::gone("said"))
    }
    let app = App::new().route("/", get(known));
    let client = Client::new(app);
    assert_eq!(client.websocket("/").unwrap_err().status, 200);
    client.websocket("/").unwrap().expect("seen=1");
    assert_eq!(client.another().websocket("/").unwrap_err().status, 200);
}
