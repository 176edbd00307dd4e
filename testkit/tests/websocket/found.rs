//! What attacks have found, each told as it was.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use bakestone::message::{Group, Overflow, WebSocketError, WebSocketUpgrade};
use bakestone::ws::Message;
use bakestone::{App, Context, Error, HeaderMap, HeaderValue, Limits, Request, Result, Session, get};
use bakestone_testkit::{Frame, Received, WebSocketClient, WebSocketRequest, Wire};

use crate::once::once;
use crate::{Client, HOUR, Log, SECOND, app, connect, counting};

/// Feeds a message of `large` bytes, and one that is just too long to be copied, as often as `times` says.
fn feed_large_and_small(client: &mut Client, large: usize, times: usize) {
    let large = Frame::binary(vec![0; large]).masked([0; 4]).to_bytes();
    let small = Frame::binary(vec![1; 1025]).masked([0; 4]).to_bytes();
    for _ in 0..times {
        client.wire_mut().feed_politely(&large);
        client.wire_mut().feed_politely(&small);
    }
}

/// A message of 1 KiB lay in the block that one of 16 MiB had made, and whoever kept the one kept the other.
#[test]
fn a_message_that_is_kept_keeps_no_larger_one() {
    let kept: Arc<Mutex<Vec<Message>>> = Arc::default();
    let keep = kept.clone();
    let mut client = connect(app(move |mut socket, _| {
        let keep = keep.clone();
        async move {
            while let Some(message) = socket.receive().await? {
                if message.len() < 2000 {
                    keep.lock().unwrap().push(message);
                }
            }
            Ok(())
        }
    }));
    client.wire_mut().record(false);
    let before = counting::live();
    feed_large_and_small(&mut client, 4 << 20, 4);
    let held = counting::live() - before;
    assert_eq!(kept.lock().unwrap().len(), 4);
    assert!(held < 100_000, "{held} bytes are held for 4 KiB");
}

/// So did what was queued for a peer that read nothing: 133 MB on one connection.
#[test]
fn a_slow_reader_makes_us_keep_what_it_is_sent_and_no_more() {
    let mut client = connect(app(|mut socket, _| async move {
        while let Some(message) = socket.receive().await? {
            if message.len() < 2000 {
                socket.send(message).await?;
            }
        }
        Ok(())
    }));
    client.wire_mut().record(false);
    client.hold_output(true);
    let before = counting::live();
    feed_large_and_small(&mut client, 1 << 20, 120);
    let held = counting::live() - before;
    assert!(held < Limits::default().max_buffered() + Limits::default().websocket_queue_bytes, "{held}");
}

/// One byte each 20 seconds kept 16 MiB for hours.
#[test]
fn a_message_has_to_come_at_some_pace() {
    for fragments in [false, true] {
        let log = Log::default();
        let told = log.clone();
        let mut client = connect(app(move |socket, _| crate::echo(socket, told.clone())));
        let begin = match fragments {
            true => [Frame::binary("a").fin(false).masked([0; 4]).to_bytes(), vec![0]].concat(),
            false => Frame::binary("").declared_length(1000).length_bytes(2).masked([0; 4]).to_bytes(),
        };
        client.send_raw(begin);
        let mut waited = Duration::ZERO;
        while log.0.lock().unwrap().is_empty() && waited < HOUR {
            client.wire_mut().feed(if fragments { &b"\x80\x80\0\0\0\0"[..1] } else { b"x" });
            client.advance(5 * SECOND);
            waited += 5 * SECOND;
            if fragments && waited == 5 * SECOND {
                break;
            }
        }
        if fragments {
            client.advance(30 * SECOND);
        }
        log.expect(&["Disconnected(Gone)"]);
        assert!(waited <= 15 * SECOND, "{waited:?}");
    }
}

/// Members were told apart by numbers that each group gives anew.
#[test]
fn a_member_of_another_group_is_left_out_of_nothing() {
    let senders = Arc::new(Mutex::new(Vec::new()));
    let keep = senders.clone();
    let open = app(move |socket, context| {
        let keep = keep.clone();
        async move {
            keep.lock().unwrap().push(socket.sender());
            context.sleep(HOUR).await;
            Ok(())
        }
    });
    let service = Arc::new(open.build().unwrap());
    let _clients = [
        WebSocketClient::connect(Session::new(service.clone()), "/").unwrap(),
        WebSocketClient::connect(Session::new(service), "/").unwrap(),
    ];
    let senders = senders.lock().unwrap().clone();
    let groups = [Group::new(Overflow::Close), Group::new(Overflow::Close)];
    let (one, _other) = (groups[0].join(&senders[0]), groups[1].join(&senders[1]));
    let mut sending = Box::pin(groups[1].send_except(&one, "hello"));
    let sent = sending.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()));
    assert_eq!(sent, Poll::Ready(1));
}

/// It waited for what only the socket reads, as long as the socket lived.
#[test]
fn the_body_of_a_request_that_was_accepted_is_at_its_end() {
    let handler = |mut request: Request| async move {
        let mut socket = request.websocket()?.accept().await?;
        let body = request.bytes().await?;
        socket.send(format!("{} bytes", body.len())).await?;
        Ok::<_, Error>(())
    };
    let mut client = WebSocketClient::connect(App::new().route("/", get(handler)), "/").unwrap();
    client.expect("0 bytes").expect_close(1000);
}

type Accepting = Pin<Box<dyn Future<Output = Result<bakestone::message::WebSocket>> + Send>>;

/// The connection was reset.
#[test]
fn an_acceptance_that_outlives_its_handler_is_closed_in_order() {
    let kept: Arc<Mutex<Option<Accepting>>> = Arc::default();
    let keep = kept.clone();
    let handler = move |upgrade: WebSocketUpgrade| {
        let keep = keep.clone();
        async move {
            let mut accepting: Accepting = Box::pin(upgrade.accept());
            assert!(once(&mut accepting).await.is_none());
            *keep.lock().unwrap() = Some(accepting);
            Ok::<_, Error>(())
        }
    };
    let mut client = WebSocketClient::connect(App::new().route("/", get(handler)), "/").unwrap();
    assert_ne!(client.next_event(), Some(Received::Reset));
    drop(kept.lock().unwrap().take());
    client.expect_close(1000);
}

/// The second was one too many, though nobody had seen the first.
#[test]
fn an_acceptance_that_was_dropped_can_be_made_again() {
    let handler = |request: Request| async move {
        let mut accepting: Accepting = Box::pin(request.websocket()?.accept());
        assert!(once(&mut accepting).await.is_none());
        drop(accepting);
        request.websocket()?.accept().await?.send("again").await?;
        Ok::<_, Error>(())
    };
    let mut client = WebSocketClient::connect(App::new().route("/", get(handler)), "/").unwrap();
    client.expect("again").expect_close(1000);
}

/// The handler was dropped where it waited, and never told why.
#[test]
fn a_field_that_is_the_handshakes_own_is_an_error_that_names_it() {
    let table = [("connection", "close"), ("content-length", "0"), ("transfer-encoding", "chunked")];
    for (name, value) in table.into_iter().chain([("upgrade", "x"), ("sec-websocket-protocol", "x")]) {
        let log = Log::default();
        let told = log.clone();
        let handler = move |upgrade: WebSocketUpgrade| {
            let told = told.clone();
            async move {
                let headers =
                    HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]);
                let error = upgrade.accept_with(None, headers).await.unwrap_err();
                let error = error.downcast_ref::<WebSocketError>().unwrap();
                told.note(matches!(error, WebSocketError::HeaderNotAllowed(field) if field == name));
                Err::<(), _>(Error::forbidden("no"))
            }
        };
        let denied = WebSocketClient::connect(App::new().route("/", get(handler)), "/").unwrap_err();
        assert_eq!(denied.status, 403);
        log.expect(&["true"]);
    }
}

/// It was 405 with `Allow: GET`, though a GET would have been 426.
#[test]
fn a_head_gets_what_the_get_would_get() {
    for (method, status) in [("GET", "426 "), ("HEAD", "426 "), ("POST", "405 ")] {
        let service = app(|_, _| async { Ok(()) }).build().unwrap();
        let mut wire = Wire::new(Session::new(service));
        wire.feed(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        let text = wire.take_text();
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{method}: {text}");
    }
}

/// It was dropped five seconds after its socket, whatever its route said.
#[test]
fn a_handler_without_end_has_no_end_when_its_socket_has() {
    for (time, told) in [(None, &["cleaned up"][..]), (Some(5 * SECOND), &[])] {
        let log = Log::default();
        let notes = log.clone();
        let handler = move |upgrade: WebSocketUpgrade, context: Context| {
            let notes = notes.clone();
            async move {
                drop(upgrade.accept().await?);
                context.sleep(10 * SECOND).await;
                notes.0.lock().unwrap().push("cleaned up".to_owned());
                Ok::<_, Error>(())
            }
        };
        let app = App::new().route("/", get(handler).handler_time(time));
        WebSocketClient::connect(app, "/").unwrap().advance(20 * SECOND);
        log.expect(told);
    }
}

/// The close overtook it, between two looks of the session at what was queued.
#[test]
fn what_was_sent_before_the_close_is_sent_from_another_thread_too() {
    use bakestone::machine::{Io, Machine, Now};
    use bytes::Buf;
    let (give, take) = std::sync::mpsc::channel::<bakestone::message::WebSocket>();
    let worker = std::thread::spawn(move || {
        for mut socket in take {
            let sent =
                std::pin::pin!(socket.send("last words")).poll(&mut TaskContext::from_waker(Waker::noop()));
            assert!(sent.is_ready());
            drop(socket);
        }
    });
    let handler = move |upgrade: WebSocketUpgrade| {
        let give = give.clone();
        async move {
            give.send(upgrade.accept().await?).unwrap();
            Ok::<_, Error>(())
        }
    };
    let service = Arc::new(App::new().route("/", get(handler)).build().unwrap());
    for round in 0..2_000 {
        let (mut session, mut io) = (Session::new(service.clone()), Io::default());
        io.input.extend_from_slice(&WebSocketRequest::new("/").to_bytes());
        let mut out = Vec::new();
        while !out.ends_with(b"\x88\x02\x03\xe8") {
            let _ = session.step(Now::default(), &mut io, &mut TaskContext::from_waker(Waker::noop()));
            out.extend_from_slice(&io.output.copy_to_bytes(io.output.remaining()));
        }
        assert!(out.windows(10).any(|bytes| bytes == b"last words"), "round {round}");
    }
    drop(service);
    worker.join().unwrap();
}
