//! What is counted on a WebSocket, and how long it may be silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bakestone::app::AppService;
use bakestone::message::{WebSocket, WebSocketUpgrade};
use bakestone::{App, Error, Limits, Result, Session, get};
use bakestone_testkit::{Received, WebSocketClient, WebSocketRequest};

use crate::{KIB, MILLISECOND, SECOND, Server, app, limits};

/// Sends back what it receives.
pub(crate) async fn echo(upgrade: WebSocketUpgrade) -> Result<()> {
    let mut socket: WebSocket = upgrade.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// The bytes that open a socket.
pub(crate) fn handshake() -> Vec<u8> {
    WebSocketRequest::new("/socket").to_bytes()
}

/// A socket is open, and nothing waits.
pub(crate) fn open(wire: &mut Server) -> &mut Server {
    wire.feed(handshake()).expect_start("HTTP/1.1 101 ")
}

fn connect(limits: &Limits) -> WebSocketClient<Session<AppService>> {
    let session = Session::with_limits(app(), Arc::new(limits.clone()));
    let mut client = WebSocketClient::connect(session, "/socket").unwrap();
    client.wire_mut().record(false);
    client
}

#[test]
pub(crate) fn a_message_and_a_frame_have_what_the_bounds_allow_and_no_more() {
    type Row = (fn(&mut Limits, usize), fn(usize) -> Vec<usize>);
    let rows: [Row; 2] = [
        // Each frame is small enough.
        (|limits, value| limits.websocket_message_bytes = value, |size| vec![size - size / 2, size / 2]),
        (|limits, value| limits.websocket_frame_bytes = value, |size| vec![size]),
    ];
    for (set, parts) in rows {
        let default = 16 * KIB * KIB;
        assert_eq!(limits(|limits| set(limits, default)), Limits::default(), "another default");
        for bound in [default, 64] {
            let limits = limits(|limits| set(limits, bound));
            let parts = |size| parts(size).into_iter().map(|size| vec![b'x'; size]).collect::<Vec<_>>();
            let mut client = connect(&limits);
            client.send_fragments(parts(bound)).expect(parts(bound).concat());
            client.send_fragments(parts(bound + 1)).expect_close(1009).expect_event(&Received::Finished);
        }
    }
}

/// Beside what is in the output. Each message counts 64 bytes more than it has, and one is queued in any case.
#[test]
pub(crate) fn a_socket_queues_up_to_the_bound() {
    assert_eq!(Limits::default().websocket_queue_bytes, 64 * KIB);
    let (output, message) = (Limits::default().output_bytes, 936);
    for bound in [64 * KIB, 4_000, 3_999, 0] {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let send = move |upgrade: WebSocketUpgrade| {
            let count = count.clone();
            async move {
                let mut socket = upgrade.accept().await?;
                let _ = socket.receive().await?;
                loop {
                    socket.send(vec![b'x'; message]).await?;
                    count.fetch_add(1, Ordering::SeqCst);
                }
                #[allow(unreachable_code, reason = "it says what it returns")]
                Ok::<(), Error>(())
            }
        };
        let limits = limits(|limits| limits.websocket_queue_bytes = bound);
        let request = WebSocketRequest::new("/").limits(&limits);
        let mut client = request.connect(App::new().route("/", get(send))).unwrap();
        client.hold_output(true).send("go");
        let in_output = output.div_ceil(message + 4);
        assert_eq!(sent.load(Ordering::SeqCst), in_output + (bound / 1000).max(1), "{bound}");
    }
}

#[test]
pub(crate) fn a_silent_peer_is_asked_as_often_as_the_bound_says() {
    let default = Some(30 * SECOND);
    assert_eq!(Limits::default().websocket_ping_time, default);
    for time in [30 * SECOND, 7 * SECOND] {
        let mut client = connect(&limits(|limits| limits.websocket_ping_time = Some(time)));
        for _ in 0..5 {
            client.advance(time - MILLISECOND);
            assert_eq!(client.next_event(), None);
            client.advance(MILLISECOND);
            assert!(matches!(client.next_event(), Some(Received::Ping(_))));
        }
    }
    let mut client = connect(&limits(|limits| limits.websocket_ping_time = None));
    client.answer(false).advance(crate::HOUR);
    assert_eq!(client.next_event(), None);
}
