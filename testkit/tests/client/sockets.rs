//! WebSockets of a client.

use bakestone::http::cookie::SetCookie;
use bakestone::message::{Group, Overflow, WebSocketUpgrade};
use bakestone::{App, Context, Path, Result, State, Text, get};
use bakestone_testkit::{Client, WebSocketRequest};

use super::{HOUR, SECOND, panic_of};

async fn chat(State(group): State<Group>, upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket = upgrade.accept().await?;
    let member = group.join(&socket.sender());
    while let Some(message) = socket.receive().await? {
        group.send_except(&member, message).await;
    }
    Ok(())
}

fn app() -> App {
    App::new()
        .state(Group::new(Overflow::Close))
        .route("/chat", get(chat))
        .route(
            "/say/{word}",
            get(|State(group): State<Group>, Path(word): Path<String>| async move {
                group.send(word).await;
                Text("said")
            }),
        )
        .route("/login", get(|| (SetCookie::new("id", "7").path("/"), Text("in"))))
        .route(
            "/who",
            get(
                |context: Context, mut upgrade: WebSocketUpgrade, request: bakestone::HeaderMap| async move {
                    upgrade.select_protocol(["v2", "v1"]);
                    context.sleep(SECOND).await;
                    let mut socket = upgrade.accept().await?;
                    socket.send(format!("{:?} {:?}", request.get("cookie"), request.get("host"))).await?;
                    Ok::<_, bakestone::Error>(())
                },
            ),
        )
}

#[test]
fn z14_sockets_and_requests_live_on_one_clock() {
    let client = Client::new(app());
    let mut one = client.websocket("/chat").unwrap();
    let mut two = client.websocket("/chat").unwrap();
    one.send("hello");
    two.expect("hello");
    one.expect_silence();
    // Pings are answered for as long as it takes.
    client.advance(HOUR);
    client.get("/say/bake").send().expect_text("said");
    one.expect("bake");
    two.expect("bake").close(1000, "bye").expect_close(1000);
    drop(two);
    one.send("alone?").expect_silence();
    client.drain();
    one.expect_close(1001);
}

#[test]
fn z14_what_goes_with_the_handshake() {
    let client = Client::new(app());
    client.get("/login").send();
    let request = WebSocketRequest::new("/who").protocols(["v0", "v1"]);
    let mut socket = client.websocket(request).unwrap();
    assert_eq!(socket.protocol().as_deref(), Some("v1"));
    socket.expect("Some(\"id=7\") Some(\"localhost\")").expect_close(1000);
    let mut other =
        client.websocket(WebSocketRequest::new("/who").header("cookie", "a=b").header("host", "c")).unwrap();
    other.expect("Some(\"a=b\") Some(\"c\")");
    assert!(other.receive().is_none());
    let denied = client.websocket("/nowhere").unwrap_err();
    assert_eq!((denied.status.as_u16(), denied.text()), (404, "Not Found".to_owned()));
}

#[test]
fn the_error_of_a_handler_that_has_a_socket() {
    let app = App::new().route(
        "/",
        get(|upgrade: WebSocketUpgrade| async move {
            let mut socket = upgrade.accept().await?;
            match socket.receive().await? {
                Some(_) => panic!("too hot"),
                None => Err::<(), _>(bakestone::Error::gone("the oven")),
            }
        }),
    );
    let client = Client::new(app);
    let mut socket = client.websocket("/").unwrap();
    assert!(socket.error().is_none());
    socket.close(1000, "");
    assert_eq!(socket.error().unwrap().message(), "the oven");
    let mut socket = client.websocket("/").unwrap();
    socket.send("bake").expect_close(1011);
    assert_eq!(socket.panic_message().as_deref(), Some("too hot"));
}

#[test]
fn a_message_that_does_not_come_fails_the_test() {
    let client = Client::new(app());
    let mut socket = client.websocket("/chat").unwrap();
    let panic = panic_of(|| socket.receive());
    assert!(panic.contains("expected a message: nothing came within 10s"), "{panic}");
    assert!(
        panic.contains("- a WebSocket at /chat; it wants Need until")
            && panic.contains("> GET /chat HTTP/1.1"),
        "{panic}"
    );
    client.hold_clock(true);
    assert!(panic_of(|| socket.expect("x")).contains("while the clock is held"));
}
