//! Who closes, with which code, and what becomes of the connection.

use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bakestone::app::{Failure, Next};
use bakestone::message::{OnDisconnect, WebSocket, WebSocketUpgrade};
use bakestone::session::Event;
use bakestone::ws::CloseCode;
use bakestone::{
    App, Context, Error, Lifecycle, Limits, Request, Response, Result, Session, StatusCode, Text, get,
};
use bakestone_testkit::{Received, WebSocketClient, WebSocketRequest, Wire};

use crate::{Act, HOUR, Log, MILLISECOND, SECOND, app, app_with, connect, connect_echo};

/// Tells when it is dropped.
struct Guard(Log);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.note("dropped");
    }
}

/// Waits for a first message, and then ends as `end` says.
fn ends<T: Future<Output = Result<()>> + Send + 'static>(
    end: impl Fn(WebSocket) -> T + Clone + Send + Sync + 'static,
) -> App {
    app(move |mut socket: WebSocket, _| {
        let end = end.clone();
        async move {
            let _ = socket.receive().await?;
            end(socket).await
        }
    })
}

#[test]
fn w04_w11_the_end_of_the_handler_is_the_end_of_the_socket() {
    let table: [(&str, App, u16); 6] = [
        ("it returns", ends(|_| async { Ok(()) }), 1000),
        (
            "it drops the socket and goes on",
            ends(|socket| {
                drop(socket);
                pending()
            }),
            1000,
        ),
        ("it fails", ends(|_| async { Err(Error::internal()) }), 1011),
        ("it fails for the client's fault", ends(|_| async { Err(Error::bad_request("no")) }), 1011),
        ("it panics", ends(|_| async { panic!("on purpose") }), 1011),
        (
            "it has closed before it fails",
            ends(|mut socket| async move {
                socket.close(CloseCode::POLICY, "no")?;
                Err(Error::internal())
            }),
            1008,
        ),
    ];
    for (what, app, code) in table {
        let mut client = connect(app);
        client.send("go");
        assert_eq!(client.close_frame().map(|frame| frame.code().get()), Some(code), "{what}");
        client.expect_close(code);
        if what != "it drops the socket and goes on" {
            client.expect_event(&Received::Finished).wire_mut().expect_lingering().finish().expect_closed();
        }
    }
}

#[test]
fn an_error_goes_the_way_of_all_errors_though_nobody_sees_its_response() {
    let log = Log::default();
    let told = log.clone();
    let render = move |failure: Failure<Error>| {
        told.note(failure.error().status().as_u16());
        std::future::ready(Text("unseen"))
    };
    let mut client = connect(ends(|_| async { Err(Error::internal()) }).on_error(render));
    client.send("go").expect_close(1011).expect_event(&Received::Finished);
    log.expect(&["500"]);
    client.wire_mut().expect_silence();
}

#[test]
fn a_response_in_place_of_nothing_says_how_it_went() {
    for (status, code) in [(200, 1000), (204, 1000), (302, 1000), (404, 1011), (500, 1011)] {
        let app = App::new().route(
            "/",
            get(move |upgrade: WebSocketUpgrade| async move {
                let mut socket = upgrade.accept().await?;
                let _ = socket.receive().await?;
                Ok::<_, Error>(StatusCode::from_u16(status)?)
            }),
        );
        connect(app).send("go").expect_close(code).expect_event(&Received::Finished);
    }
}

#[test]
fn a_peer_that_does_not_answer_our_close_is_waited_for_so_long() {
    for (time, limits) in [
        (5 * SECOND, Limits::default()),
        (2 * SECOND, {
            let mut limits = Limits::default();
            limits.websocket_close_time = 2 * SECOND;
            limits
        }),
    ] {
        let log = Log::default();
        let told = log.clone();
        let app = app(move |mut socket: WebSocket, context| {
            let told = told.clone();
            async move {
                let _ = socket.receive().await?;
                context.sleep(SECOND).await;
                socket.close(CloseCode::NORMAL, "")?;
                let start = context.now().mono;
                told.note(socket.receive().await);
                told.note((context.now().mono.since(start), socket.close_frame()));
                Ok(())
            }
        });
        let mut client = WebSocketRequest::new("/").limits(&limits).connect(app).unwrap();
        client.answer(false).send("go").expect_silence().advance(SECOND).expect_close(1000);
        client.advance(time - MILLISECOND).expect_silence().wire_mut().expect_open();
        log.expect(&[]);
        client.advance(MILLISECOND);
        log.expect(&["Ok(None)", &format!("{:?}", (time, None::<()>))]);
        client.expect_event(&Received::Finished).wire_mut().expect_closed();
    }
}

#[test]
fn both_closes_end_it_and_the_server_goes_first() {
    let (mut client, log) = connect_echo();
    client.close(1001, "bye").expect_close(1001).expect_event(&Received::Finished);
    log.expect(&["(\"closed\", Some(1001))"]);
    assert_eq!(client.close_frame().unwrap().reason(), "");
    // It lingers for the client to close as well, and no longer than so.
    client.wire_mut().expect_lingering().advance(5 * SECOND - MILLISECOND).expect_lingering();
    client.wire_mut().advance(MILLISECOND).expect_closed();

    // Closes that cross.
    let mut client = connect(ends(|mut socket| async move {
        socket.close(CloseCode::NORMAL, "")?;
        assert!(socket.receive().await?.is_none());
        assert_eq!(socket.close_frame().unwrap().code().get(), 3000);
        Ok(())
    }));
    client.answer(false).send("go").close(3000, "").expect_close(1000).expect_event(&Received::Finished);
    client.finish().expect_silence().wire_mut().expect_closed();
}

#[test]
fn a_socket_lives_beyond_its_handler_while_a_half_does() {
    let lifecycle = Lifecycle::new();
    let spawner = lifecycle.spawner();
    let mut server = Wire::new(lifecycle);
    let app = app(|socket: WebSocket, context| async move {
        let (sender, mut receiver) = socket.split();
        context.spawn(move |context| async move {
            context.sleep(SECOND).await;
            sender.send("one").await.unwrap();
            drop(sender);
            context.sleep(SECOND).await;
        })?;
        context.spawn(move |_| async move {
            assert_eq!(receiver.receive().await.unwrap().unwrap().as_text(), Some("two"));
        })?;
        Ok(())
    });
    server.settle();
    let session = Session::new(app.build().unwrap()).lifecycle(&spawner);
    let mut client = WebSocketClient::connect(session, "/").unwrap();
    server.settle().advance(SECOND);
    client.expect("one").advance(HOUR).expect_silence().send("two");
    server.settle();
    client.settle().expect_close(1000).expect_event(&Received::Finished);
}

#[test]
fn a_server_that_stops_says_so() {
    let log = Log::default();
    let told = log.clone();
    let echo = move || {
        let told = told.clone();
        connect(app(move |socket, _| crate::echo(socket, told.clone())))
    };
    // The peer answers, and it is done at once.
    let mut client = echo();
    client.drain().expect_close(1001).expect_event(&Received::Finished).finish().wire_mut().expect_closed();
    log.expect(&["(\"closed\", Some(1001))"]);
    // It may finish what it says.
    let mut client = echo();
    client.answer(false).drain().expect_close(1001).send("still").close(1001, "");
    client.expect_event(&Received::Finished);
    // What it echoes cannot be sent any more, with which it ends.
    log.expect(&[]);
    // It does not answer.
    let mut client = echo();
    client.answer(false).drain().expect_close(1001).advance(5 * SECOND - MILLISECOND).expect_silence();
    client.advance(MILLISECOND).expect_event(&Received::Finished).wire_mut().expect_closed();
    log.expect(&["(\"closed\", None)"]);
}

/// The socket that is accepted while the server stops already ends as the others do.
#[test]
fn one_that_is_accepted_late_hears_that_the_server_stops() {
    async fn late(upgrade: WebSocketUpgrade, context: Context) -> Result<()> {
        context.sleep(SECOND).await;
        let mut socket = upgrade.accept().await?;
        while let Some(message) = socket.receive().await? {
            socket.send(message).await?;
        }
        Ok(())
    }
    let mut wire = Wire::new(Session::new(App::new().route("/", get(late)).build().unwrap()));
    let request = WebSocketRequest::new("/");
    wire.feed(request.to_bytes()).drain().advance(SECOND);
    let mut client = request.answered(wire).unwrap();
    client.expect_close(1001).expect_event(&Received::Finished);
}

#[test]
fn a_handler_that_does_not_notice_the_end_is_dropped_after_the_time_of_a_close() {
    let ends: [Act; 5] = [
        |client| _ = client.disconnect(),
        |client| _ = client.finish(),
        |client| _ = client.close(1000, ""),
        |client| _ = client.send_raw([0xff]),
        // It is asked to close, and the peer answers.
        |client| _ = client.drain(),
    ];
    for (i, end) in ends.into_iter().enumerate() {
        for policy in
            [None, Some(OnDisconnect::Cancel), Some(OnDisconnect::Notify), Some(OnDisconnect::Finish)]
        {
            let log = Log::default();
            let told = log.clone();
            let mut client = connect(app_with(
                |options| options.close_time = 3 * SECOND,
                move |socket: WebSocket, context| {
                    let guard = Guard(told.clone());
                    if let Some(policy) = policy {
                        context.on_disconnect(policy);
                    }
                    async move {
                        let _kept = socket;
                        context.sleep(4 * SECOND).await;
                        guard.0.note("finished");
                        Ok(())
                    }
                },
            ));
            end(&mut client);
            let why = format!("{i}, {policy:?}");
            client.wire_mut().advance(3 * SECOND - MILLISECOND);
            let is_early = i == 0 && policy == Some(OnDisconnect::Cancel);
            assert_eq!(log.0.lock().unwrap().len(), usize::from(is_early), "{why}");
            client.wire_mut().advance(MILLISECOND);
            match policy {
                None | Some(OnDisconnect::Cancel) => log.expect(&["\"dropped\""]),
                Some(_) => {
                    log.expect(&[]);
                    client.wire_mut().advance(SECOND);
                    log.expect(&["\"finished\"", "\"dropped\""]);
                }
            }
            client.wire_mut().advance(5 * SECOND).expect_closed();
        }
    }
}

/// Whoever gives up in the middle of accepting leaves no open socket behind.
#[test]
fn an_acceptance_that_is_dropped_leaves_nothing_open() {
    for polls in 0..4 {
        let app = App::new().route(
            "/",
            get(move |upgrade: WebSocketUpgrade| async move {
                let mut accepting = Box::pin(upgrade.accept());
                let mut polled = 0;
                poll_fn(|cx| {
                    if polled == polls {
                        return Poll::Ready(());
                    }
                    polled += 1;
                    // A wake of its own in each round, before the socket's.
                    cx.waker().wake_by_ref();
                    // What it resolves to is dropped as well.
                    accepting.as_mut().poll(cx).map(drop)
                })
                .await;
                drop(accepting);
                Text("another answer")
            }),
        );
        match WebSocketClient::connect(app, "/") {
            Ok(mut client) => _ = client.expect_close(1000).expect_event(&Received::Finished),
            Err(denied) => assert_eq!(denied.text(), "another answer"),
        }
    }
}

#[test]
fn a_record_of_a_socket_says_when_it_ended_and_how() {
    let table: [(Act, bool); 3] = [
        (|client| _ = client.close(1000, ""), true),
        (|client| _ = client.disconnect(), false),
        (|client| _ = client.send_raw([0xff]), false),
    ];
    for (end, is_complete) in table {
        let records = Arc::new(Mutex::new(Vec::new()));
        let told = records.clone();
        let app = app(|socket, _| crate::echo(socket, Log::default()));
        let session = Session::new(app.build().unwrap()).observer(Arc::new(move |event: &Event<'_>| {
            if let Event::RequestEnded(record) = event {
                told.lock().unwrap().push((record.status, record.is_complete, record.time));
            }
        }));
        let mut client = WebSocketClient::connect(session, "/").unwrap();
        client.advance(10 * SECOND);
        assert!(records.lock().unwrap().is_empty());
        end(&mut client);
        let expected = (Some(StatusCode::SWITCHING_PROTOCOLS), is_complete, 10 * SECOND);
        assert_eq!(*records.lock().unwrap(), [expected]);
    }
}

/// The connection is closed as soon as both ends have closed, whatever the handler still does.
#[test]
fn the_connection_does_not_wait_for_the_handler() {
    let acts: [Act; 3] = [
        |client| _ = client.close(1000, ""),
        |client| _ = client.drain(),
        |client| _ = client.send_raw([0xff]),
    ];
    for act in acts {
        let mut client = connect(app(|socket: WebSocket, context| async move {
            let _kept = socket;
            context.sleep(SECOND).await;
            Ok(())
        }));
        act(&mut client);
        assert!(matches!(client.next_event(), Some(Received::Close(_))));
        assert_eq!(client.next_event(), Some(Received::Finished));
    }
}

/// It has not answered our close, but is gone all the same.
#[test]
fn a_peer_that_goes_after_our_close_is_lost() {
    let acts: [(Act, &str); 2] = [
        (|client| _ = client.finish(), "Err(Disconnected(Finished))"),
        (|client| _ = client.disconnect(), "Err(Disconnected(Gone))"),
    ];
    for (act, expected) in acts {
        let log = Log::default();
        let told = log.clone();
        let mut client = connect(app(move |mut socket: WebSocket, _| {
            let told = told.clone();
            async move {
                let _ = socket.receive().await?;
                socket.close(CloseCode::NORMAL, "")?;
                told.note(socket.receive().await);
                Ok(())
            }
        }));
        client.answer(false).send("go").expect_close(1000);
        act(&mut client);
        log.expect(&[expected]);
        client.wire_mut().expect_closed();
    }
}

#[test]
fn a_client_that_says_close_beside_upgrade_is_served() {
    let app = app(|socket, _| crate::echo(socket, Log::default()));
    let request = WebSocketRequest::new("/").header("connection", "close, upgrade");
    let mut client = request.connect(app).unwrap();
    client.send("x").expect("x").advance(HOUR).close(1000, "").expect_close(1000);
    client.expect_event(&Received::Finished);
}

#[test]
fn an_error_that_is_rendered_slowly_is_1011_all_the_same() {
    async fn render(_: Failure<Error>) -> Text<&'static str> {
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls > 3 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Text("unseen")
    }
    async fn linger(request: Request, next: Next) -> Response {
        let context = request.context().clone();
        let response = next.run(request).await;
        context.sleep(SECOND).await;
        response
    }
    let fails = || ends(|_| async { Err(Error::internal()) });
    for app in [fails().on_error(render), fails().middleware(linger)] {
        connect(app).send("go").advance(SECOND).expect_close(1011);
    }
}

#[test]
fn without_a_receiver_the_peer_is_heard_all_the_same() {
    let app = app(|socket: WebSocket, context| async move {
        let (sender, receiver) = socket.split();
        drop(receiver);
        context.sleep(SECOND).await;
        sender.send("done").await?;
        context.sleep(HOUR).await;
        Ok(())
    });
    let mut client = connect(app);
    client.send("one").send("two").ping("are you there?");
    assert!(matches!(client.next_event(), Some(Received::Pong(payload)) if payload == "are you there?"));
    client.advance(SECOND).expect("done").close(CloseCode::NORMAL, "").expect_close(1000);
}
