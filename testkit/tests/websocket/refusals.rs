//! A peer that breaks the protocol, or a limit: it is told how, and so is the handler.

use std::sync::{Arc, Mutex};

use bakestone::message::{WebSocket, WebSocketError};
use bakestone::session::Event;
use bakestone::ws::Reason;
use bakestone::{Limits, Session};
use bakestone_testkit::{Frame, Received, WebSocketClient, WebSocketRequest};

use crate::{Log, SECOND, app, app_with, connect};

/// What a handler is told, and again, and its observer.
fn refused(bytes: &[u8], code: u16, reason: Reason) {
    let seen: Arc<Mutex<Vec<Reason>>> = Arc::default();
    let (told, watched) = (seen.clone(), seen.clone());
    let app = app(move |mut socket: WebSocket, _| {
        let told = told.clone();
        async move {
            while let Ok(Some(_)) = socket.receive().await {}
            for _ in 0..2 {
                for error in [socket.receive().await.unwrap_err(), socket.send("x").await.unwrap_err()] {
                    let WebSocketError::Refused(error) = error else { panic!("{error}") };
                    told.lock().unwrap().push(error.kind());
                }
            }
            Ok(())
        }
    });
    let session = Session::new(app.build().unwrap());
    let session = session.observer(Arc::new(move |event: &Event<'_>| {
        if let Event::WebSocketRefused(error) = event {
            watched.lock().unwrap().push(error.kind());
        }
    }));
    let mut client = WebSocketClient::connect(session, "/").unwrap();
    client.send("fine").send_raw(bytes);
    let name = reason.name();
    assert_eq!(*seen.lock().unwrap(), [reason; 5], "{name}");
    client.expect_close(code).expect_event(&Received::Finished);
    // What still comes is discarded.
    client.wire_mut().expect_lingering().feed(bytes).expect_silence().advance(5 * SECOND).expect_closed();
}

#[test]
fn a_peer_that_breaks_the_protocol_is_told_how() {
    let frame = |frame: Frame| frame.masked([1, 2, 3, 4]).to_bytes();
    let table: [(Vec<u8>, u16, Reason); 20] = [
        (Frame::text("x").to_bytes(), 1002, Reason::Unmasked),
        (frame(Frame::text("x").rsv(0b001)), 1002, Reason::ReservedBits),
        (frame(Frame::text("x").rsv(0b010)), 1002, Reason::ReservedBits),
        // Compression was not agreed on.
        (frame(Frame::text("x").rsv(0b100)), 1002, Reason::ReservedBits),
        (frame(Frame::new(3, "")), 1002, Reason::ReservedOpcode),
        (frame(Frame::new(11, "")), 1002, Reason::ReservedOpcode),
        (frame(Frame::continuation("x")), 1002, Reason::UnexpectedContinuation),
        (
            [frame(Frame::text("x").fin(false)), frame(Frame::text("y"))].concat(),
            1002,
            Reason::InterleavedMessage,
        ),
        (frame(Frame::ping("x").fin(false)), 1002, Reason::FragmentedControl),
        (frame(Frame::ping([b'x'; 126])), 1002, Reason::ControlTooLong),
        (frame(Frame::text("x").length_bytes(2)), 1002, Reason::OverlongLength),
        (frame(Frame::text("x").length_bytes(8)), 1002, Reason::OverlongLength),
        (frame(Frame::text("").declared_length(1 << 63)), 1002, Reason::InvalidLength),
        (frame(Frame::new(8, "x")), 1002, Reason::ShortClose),
        (frame(Frame::close(1005, "")), 1002, Reason::InvalidCloseCode),
        (frame(Frame::close(999, "")), 1002, Reason::InvalidCloseCode),
        (frame(Frame::close(1000, b"\xff")), 1007, Reason::InvalidCloseReason),
        (frame(Frame::text(b"\xff")), 1007, Reason::InvalidUtf8),
        (
            [frame(Frame::text(b"\xc3").fin(false)), frame(Frame::continuation("x").fin(false))].concat(),
            1007,
            Reason::InvalidUtf8,
        ),
        // It is told at the head, before anything of it came.
        (frame(Frame::binary("").declared_length((16 << 20) + 1)), 1009, Reason::FrameTooBig),
    ];
    for (bytes, code, reason) in table {
        refused(&bytes, code, reason);
    }
    // A request after the socket is no request.
    refused(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1002, Reason::ReservedBits);
}

/// The whole, its parts, and what they come to.
#[test]
fn a_message_has_what_the_bounds_allow_and_no_more() {
    let limits = |message: usize, frame: usize| {
        let mut limits = Limits::default();
        (limits.websocket_message_bytes, limits.websocket_frame_bytes) = (message, frame);
        limits
    };
    let parts = |sizes: &[usize]| -> Vec<Vec<u8>> { sizes.iter().map(|size| vec![b'x'; *size]).collect() };
    let table: [(Limits, &[usize], Option<Reason>); 8] = [
        (limits(100, 1000), &[100], None),
        (limits(100, 1000), &[101], Some(Reason::MessageTooBig)),
        (limits(100, 1000), &[40, 40, 20], None),
        (limits(100, 1000), &[40, 40, 21], Some(Reason::MessageTooBig)),
        (limits(1000, 100), &[100, 100, 100], None),
        (limits(1000, 100), &[100, 101], Some(Reason::FrameTooBig)),
        (limits(1000, 100), &[101], Some(Reason::FrameTooBig)),
        (limits(0, 0), &[1], Some(Reason::FrameTooBig)),
    ];
    for (limits, sizes, reason) in table {
        let log = Log::default();
        let told = log.clone();
        let app = app(move |mut socket: WebSocket, _| {
            let told = told.clone();
            async move {
                while let Some(message) =
                    socket.receive().await.inspect_err(|error| told.note(error.to_string()))?
                {
                    socket.send(message).await?;
                }
                Ok(())
            }
        });
        let mut client = WebSocketRequest::new("/").limits(&limits).connect(app).unwrap();
        client.send("").expect("").send_fragments(parts(sizes));
        match reason {
            None => _ = client.expect(parts(sizes).concat()).expect_silence(),
            Some(reason) => {
                client.expect_close(1009);
                assert_eq!(client.close_frame().unwrap().reason(), reason.to_string());
                client.expect_event(&Received::Finished);
            }
        }
    }
}

#[test]
fn options_go_before_the_limits() {
    let set = |options: &mut bakestone::message::WebSocketOptions| options.message_bytes = 3;
    let app = app_with(set, |socket, _| crate::echo(socket, Log::default()));
    connect(app).send("abc").expect("abc").send("abcd").expect_close(1009);
}

/// What was received before the fault is there; the fault comes behind it.
#[test]
fn what_came_before_a_fault_is_received_first() {
    let log = Log::default();
    let told = log.clone();
    let mut client = connect(app(move |mut socket: WebSocket, context| {
        let told = told.clone();
        async move {
            for _ in 0..3 {
                context.sleep(SECOND).await;
                told.note(socket.receive().await.map(|message| message.map(|message| message.len())).is_ok());
            }
            Ok(())
        }
    }));
    client.send("a").send("b").send_raw([0xff]).expect_silence();
    client.advance(SECOND).expect_silence().advance(SECOND).expect_close(1002);
    client.advance(SECOND);
    log.expect(&["true", "true", "false"]);
}
