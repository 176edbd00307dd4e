//! Pings of ours and of the peer's, which no handler sees.

use std::future::pending;
use std::time::Duration;

use bakestone::Limits;
use bakestone::message::WebSocket;
use bakestone_testkit::{Frame, Received, WebSocketRequest};

use crate::{Act, HOUR, Log, MILLISECOND, SECOND, app, app_with, connect, connect_echo};

const PING: Received = Received::Ping(bakestone::Bytes::new());

#[test]
fn w21_a_peer_is_asked_every_so_often_and_has_so_long_to_answer() {
    let mut limits = Limits::default();
    for (ping, pong) in [(30 * SECOND, 20 * SECOND), (10 * SECOND, 3 * SECOND), (3 * SECOND, 10 * SECOND)] {
        (limits.websocket_ping_time, limits.websocket_pong_time) = (Some(ping), pong);
        let answers: [Act; 3] = [
            |client| _ = client.pong(""),
            // Any byte counts.
            |client| _ = client.send("x"),
            |client| _ = client.send_raw(b"\x81"),
        ];
        for answer in answers {
            let log = Log::default();
            let told = log.clone();
            let app = app(move |socket, _| crate::echo(socket, told.clone()));
            let mut client = WebSocketRequest::new("/").limits(&limits).connect(app).unwrap();
            client.answer(false).advance(ping - MILLISECOND).expect_silence();
            assert_eq!(client.next_event(), None);
            client.advance(MILLISECOND).expect_event(&PING);
            client.advance(pong - MILLISECOND).expect_silence().wire_mut().expect_open();
            answer(&mut client);
            client.advance(MILLISECOND).wire_mut().expect_open();
            while client.next_event().is_some_and(|event| event != PING) {}
            log.expect(&[]);
            // The next one is not answered.
            client.advance(ping.max(pong)).wire_mut().advance(ping + pong).expect_reset();
            log.expect(&["Disconnected(Gone)"]);
        }
    }
}

#[test]
fn a_peer_that_does_not_answer_is_lost_on_the_dot() {
    let (mut client, log) = connect_echo();
    client.answer(false).advance(50 * SECOND - MILLISECOND).expect_event(&PING).expect_silence();
    log.expect(&[]);
    client.advance(MILLISECOND).expect_event(&Received::Reset);
    log.expect(&["Disconnected(Gone)"]);
    client.wire_mut().expect_closed();
}

#[test]
fn one_that_answers_is_kept_and_one_that_is_never_asked_too() {
    let (mut client, log) = connect_echo();
    client.advance(HOUR);
    let pings = std::iter::from_fn(|| client.next_event()).filter(|event| *event == PING).count();
    assert_eq!(pings, 120);
    client.send("still").expect("still");
    log.expect(&[]);

    let mut client = connect(app_with(
        |options| options.ping_time = None,
        |socket, _| crate::echo(socket, Log::default()),
    ));
    client.answer(false).advance(24 * HOUR);
    assert_eq!(client.next_event(), None);
    assert_eq!(client.wire().next_deadline(), None);
    client.send("still").expect("still");
}

/// While nobody reads, the peer cannot be heard, so its time stands still; it has all of it again afterwards.
#[test]
fn the_time_to_answer_stands_still_while_the_handler_does_not_receive() {
    let mut client = connect(app(|mut socket: WebSocket, context| async move {
        context.sleep(HOUR).await;
        while socket.receive().await?.is_some() {}
        Ok(())
    }));
    client.answer(false).send("not taken").send("nor this").advance(HOUR - MILLISECOND).expect_silence();
    client.wire_mut().expect_open();
    client.advance(MILLISECOND + 20 * SECOND - MILLISECOND).wire_mut().expect_open();
    // What had come was read and counts: nothing is owed before the next ping.
    client.advance(30 * SECOND).wire_mut().expect_reset();
}

#[test]
fn the_peers_pings_are_answered_though_the_handler_only_sleeps() {
    let mut client = connect(app(|socket: WebSocket, _| async move {
        let _kept = socket;
        pending().await
    }));
    client.ping("1").ping("").ping([0xff; 125]);
    for payload in [&b"1"[..], b"", &[0xff; 125]] {
        assert_eq!(client.next_event(), Some(Received::Pong(payload.to_vec().into())));
    }
    client.pong("nobody asked").expect_silence();
    // Also behind our close, as long as the peer has not closed... nothing may follow a Close.
    client.answer(false).drain().expect_close(1001).ping("2").expect_silence();
}

/// A flood of pings from a peer that reads nothing costs what the output may cost, and then it waits.
#[test]
fn a_flood_of_pings_is_bounded() {
    let (mut client, _) = connect_echo();
    client.hold_output(true).wire_mut().record(false);
    let ping = Frame::ping([b'x'; 125]).masked([1, 2, 3, 4]).to_bytes();
    let mut fed = 0;
    for _ in 0..10_000 {
        let wire = client.wire_mut();
        fed += wire.feed_politely(&ping);
        assert!(wire.waiting() <= (64 << 10) + 127, "{}", wire.waiting());
        assert!(wire.io().input.len() <= (16 << 10) + ping.len(), "{}", wire.io().input.len());
    }
    assert!(fed < 100_000, "{fed} bytes were read");
    let last = Frame::ping("last").masked([1, 2, 3, 4]).to_bytes();
    client.send_raw(last).hold_output(false);
    let mut pongs = 0;
    while let Some(Received::Pong(payload)) = client.next_event() {
        pongs += 1;
        assert!(payload == [b'x'; 125][..] || payload == "last");
    }
    assert!(pongs > 100 && pongs < 1000, "{pongs}");
}

/// Neither the least nor the most is a busy loop.
#[test]
fn any_time_between_pings_is_one_to_live_with() {
    for (ping, pong) in
        [(Duration::ZERO, Duration::ZERO), (Duration::ZERO, SECOND), (Duration::MAX, Duration::MAX)]
    {
        let mut limits = Limits::default();
        (limits.websocket_ping_time, limits.websocket_pong_time) = (Some(ping), pong);
        for held in [false, true] {
            let app = app(|socket, _| crate::echo(socket, Log::default()));
            let mut client = WebSocketRequest::new("/").limits(&limits).connect(app).unwrap();
            client.answer(false).hold_output(held).wire_mut().record(false);
            client.wire_mut().advance(SECOND).advance(HOUR);
        }
    }
}
