//! A connection that has left HTTP: its two directions, its end, its time.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod switching;

use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bakestone::error::Disconnected;
use bakestone::message::{OnDisconnect, Sent, UpgradedReader, UpgradedWriter};
use bakestone::{Error, HeaderMap, HeaderValue, Limits, Request, Session, StatusCode, header};
use bakestone_testkit::{Bounds, Script, Wire, http1_view, laws_within, splits};
use switching::{ASKED, CONNECT, CONNECTED, GET, SWITCHED, echo, head_of, tunnel};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn what_comes_right_behind_the_head_is_read_first_at_every_cut() {
    let bounds = Bounds::default().view(http1_view);
    for (name, head, answer) in [("upgrade", ASKED, SWITCHED), ("tunnel", CONNECT, CONNECTED)] {
        let session = || {
            Session::new(async |request: Request| match request.method().as_str() {
                "CONNECT" => tunnel(request).await,
                _ => echo(request).await,
            })
        };
        let sent = format!("{head}early, GET / HTTP/1.1\r\n\r\n");
        for pieces in splits(sent.as_bytes()) {
            let mut wire = Wire::new(session());
            for piece in pieces {
                wire.feed(piece);
            }
            wire.expect(format!("{answer}early, GET / HTTP/1.1\r\n\r\n")).expect_open();
            wire.finish().expect_closed();
        }
        eprintln!("{name}");
        laws_within(session, Script::bytes(&sent).feed("late").advance(HOUR).finish(), &bounds);
        laws_within(session, Script::bytes(&sent).advance(SECOND).drain().advance(20 * SECOND), &bounds);
        laws_within(session, Script::bytes(GET.to_owned() + &sent).take(100_000).reset(), &bounds);
    }
}

#[test]
fn each_direction_ends_by_itself() {
    // The client's first: what is said afterwards still arrives.
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let mut connection = request.accept_tunnel()?;
        while connection.read().await?.is_some() {}
        assert_eq!(connection.read().await, Ok(None));
        request.context().sleep(SECOND).await;
        connection.write("bye").await?;
        Ok::<_, Error>(connection.finish().await?)
    }));
    wire.feed(CONNECT).feed("hi").expect(CONNECTED);
    wire.finish().expect_silence().advance(SECOND).expect("bye").expect_closed();

    // Ours first: who has split it reads on, for as long as the handler runs.
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let (mut reader, mut writer) = request.accept_tunnel()?.split();
        writer.write("over").await?;
        let sent = writer.finish().await?;
        let mut heard = Vec::new();
        while let Some(data) = reader.read().await? {
            heard.extend_from_slice(&data);
        }
        assert_eq!(heard, b"onetwo");
        Ok::<_, Error>(sent)
    }));
    wire.feed(CONNECT).expect(format!("{CONNECTED}over")).expect_lingering();
    wire.feed("one").advance(HOUR).expect_lingering();
    wire.feed("two").finish().expect_closed();

    // Ours alone: the client has `linger_time` to finish, and nobody listens.
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let mut connection = request.accept_tunnel()?;
        connection.write("bye").await?;
        Ok::<_, Error>(connection.finish().await?)
    }));
    wire.feed(CONNECT).expect(format!("{CONNECTED}bye")).expect_lingering();
    wire.feed("what?").expect_silence().expect_deadline_in(Limits::default().linger_time);
    wire.finish().expect_closed();
}

#[test]
fn one_that_is_left_is_reset_and_before_it_was_sent_it_is_nothing() {
    for (name, waits, expected) in [("after", true, CONNECTED), ("before", false, "")] {
        let mut wire = Wire::new(Session::new(move |mut request: Request| async move {
            let connection = request.accept_tunnel()?;
            if waits {
                request.context().sleep(SECOND).await;
            }
            drop(connection);
            Err::<Sent, _>(Error::bad_gateway())
        }));
        wire.feed(CONNECT).advance(SECOND);
        match waits {
            true => drop(wire.expect(expected).expect_reset()),
            // It is HTTP still.
            false => {
                assert_eq!(head_of(&mut wire), "502 Bad Gateway", "{name}");
                wire.feed(CONNECT);
                assert_eq!(head_of(&mut wire), "502 Bad Gateway", "{name}");
            }
        }
    }
}

#[test]
fn a_client_that_is_lost_is_a_typed_error_in_both_directions() {
    let (send, said) = mpsc::channel();
    let service = move |mut request: Request| {
        let send = send.clone();
        async move {
            request.context().on_disconnect(OnDisconnect::Notify);
            let mut connection = match request.method().as_str() {
                "CONNECT" => request.accept_tunnel()?,
                _ => request.upgrade("echo")?,
            };
            let read = connection.read().await;
            let written = connection.write("anybody?").await;
            send.send((read, written, connection.finish().await.map(drop))).unwrap();
            Err::<Sent, _>(Error::internal())
        }
    };
    for asked in [ASKED, CONNECT] {
        let mut wire = Wire::new(Session::new(service.clone()));
        wire.feed(asked).reset().expect_closed();
        let gone = Disconnected::Gone;
        assert_eq!(said.recv().unwrap(), (Err(gone), Err(gone), Err(gone)), "{asked}");
    }
}

#[test]
fn nothing_is_written_behind_the_end() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let mut connection = request.accept_tunnel()?;
        connection.write("all").await?;
        for _ in 0..2 {
            std::future::poll_fn(|cx| connection.poll_finish(cx)).await?;
        }
        assert_eq!(connection.write("more").await, Err(Disconnected::Over));
        assert_eq!(connection.read().await?.unwrap(), "hi");
        Ok::<_, Error>(connection.finish().await?)
    }));
    wire.feed(CONNECT).expect(format!("{CONNECTED}all")).expect_lingering();
    wire.feed("hi").finish().expect_closed();
}

#[test]
fn the_halves_may_live_in_two_tasks_until_the_handler_returns() {
    let (send, halves) = mpsc::channel::<(UpgradedReader, UpgradedWriter)>();
    let (told, tell) = mpsc::channel::<Sent>();
    let tell = Arc::new(Mutex::new(tell));
    let service = move |mut request: Request| {
        let (send, tell) = (send.clone(), tell.clone());
        async move {
            send.send(request.accept_tunnel()?.split()).unwrap();
            request.context().sleep(SECOND).await;
            tell.lock().unwrap().try_recv().map_err(|_| Error::internal())
        }
    };
    let mut cx = Context::from_waker(Waker::noop());
    let over = Poll::Ready(Err(Disconnected::Over));

    // It is finished elsewhere, and the handler returns the sign of it.
    let mut wire = Wire::new(Session::new(service.clone()));
    wire.feed(CONNECT).expect(CONNECTED);
    let (mut reader, mut writer) = halves.recv().unwrap();
    assert!(reader.poll_read(&mut cx).is_pending());
    wire.settle();
    wire.feed("hi");
    assert_eq!(reader.poll_read(&mut cx), Poll::Ready(Ok(Some("hi".into()))));
    assert_eq!(pin!(writer.write("there")).poll(&mut cx), Poll::Ready(Ok(())));
    wire.settle();
    wire.expect("there");
    let Poll::Ready(Ok(sent)) = pin!(writer.finish()).poll(&mut cx) else { panic!("it waits") };
    told.send(sent).unwrap();
    wire.expect_lingering();
    assert!(reader.poll_read(&mut cx).is_pending());
    wire.advance(SECOND).expect_lingering();
    assert_eq!(reader.poll_read(&mut cx), over, "the handler has returned");

    // A handler that returns something else, while a half is in use, has left it in the middle.
    let mut wire = Wire::new(Session::new(service.clone()));
    wire.feed(CONNECT).expect(CONNECTED);
    let (mut reader, mut writer) = halves.recv().unwrap();
    wire.advance(SECOND).expect_reset();
    assert_eq!(reader.poll_read(&mut cx), over);
    assert_eq!(writer.poll_write(&mut "late".into(), &mut cx), Poll::Ready(Err(Disconnected::Over)));
    assert!(matches!(pin!(writer.finish()).poll(&mut cx), Poll::Ready(Err(Disconnected::Over))));

    // A writer that is dropped elsewhere ends the handler.
    let mut wire = Wire::new(Session::new(service));
    wire.feed(CONNECT).expect(CONNECTED);
    let (mut reader, writer) = halves.recv().unwrap();
    drop(writer);
    wire.expect_reset();
    assert_eq!(reader.poll_read(&mut cx), over);
}

#[test]
fn a_client_that_does_not_read_is_waited_for_and_not_for_ever() {
    const PIECE: usize = 1000;
    let (send, sent) = mpsc::channel();
    let service = move |mut request: Request| {
        let send = send.clone();
        async move {
            let mut connection = request.accept_tunnel()?;
            for _ in 0..1000 {
                connection.write(vec![b'x'; PIECE]).await?;
                send.send(()).unwrap();
            }
            Ok::<_, Error>(connection.finish().await?)
        }
    };
    let mut wire = Wire::new(Session::new(service));
    wire.hold_output(true).record(false).feed(CONNECT);
    let taken = sent.try_iter().count() * PIECE;
    assert!(taken < 2 * Limits::default().output_bytes, "{taken} bytes were taken for nobody");
    // There is no hurry while it reads on.
    for _ in 0..10 {
        wire.advance(9 * SECOND);
        assert_eq!(wire.take_at_most(4_000).len(), 4_000);
    }
    wire.advance(Limits::default().write_time).expect_reset();
    assert!(sent.try_iter().count() * PIECE < 100_000);
}

/// Polls `future` once and drops it; whether it was ready.
fn once(future: impl Future) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn every_await_may_be_dropped() {
    let service = async |mut request: Request| {
        let mut connection = request.accept_tunnel()?;
        let (mut heard, mut dropped) = (Vec::new(), 0);
        loop {
            dropped += usize::from(!once(connection.read()));
            let Some(data) = connection.read().await? else { break };
            heard.extend_from_slice(&data);
        }
        for number in 0..200 {
            let piece = format!("<{number}:{}>", "x".repeat(1000));
            if !once(connection.write(piece.clone())) {
                dropped += 1;
                connection.write(piece).await?;
            }
        }
        assert!(dropped > 10, "the futures were meant to be dropped in the middle");
        connection.write(heard).await?;
        Ok::<_, Error>(connection.finish().await?)
    };
    let mut wire = Wire::new(Session::new(service));
    wire.hold_output(true).feed(CONNECT);
    for byte in *b"abcdefghij" {
        wire.feed([byte]);
    }
    wire.finish();
    let mut text = String::new();
    loop {
        match wire.take_at_most(5000) {
            piece if piece.is_empty() => break,
            piece => text.push_str(&String::from_utf8(piece).unwrap()),
        }
    }
    let numbers = text.split('<').skip(1).map(|piece| piece.split(':').next().unwrap().parse().unwrap());
    assert_eq!(numbers.collect::<Vec<usize>>(), (0..200).collect::<Vec<_>>());
    assert!(text.ends_with(">abcdefghij"));
}

#[test]
fn a_server_that_stops_says_so_and_waits_for_a_while() {
    // One that heeds it ends by itself.
    let polite = async |mut request: Request| {
        let mut connection = request.accept_tunnel()?;
        request.context().draining().await;
        connection.write("bye").await?;
        Ok::<_, Error>(connection.finish().await?)
    };
    let mut wire = Wire::new(Session::new(polite));
    wire.feed(CONNECT).expect(CONNECTED).advance(HOUR).expect_open();
    wire.drain().expect("bye").expect_lingering();
    wire.finish().expect_closed();

    // Others are cut off; until then they go on.
    let mut wire = Wire::new(Session::new(tunnel));
    wire.feed(CONNECT).expect(CONNECTED).drain();
    wire.feed("hi").expect("hi").expect_deadline_in(Limits::default().drain_time);
    wire.advance(Limits::default().drain_time - SECOND).expect_open();
    wire.feed("still here").expect("still here");
    wire.advance(SECOND).expect_silence().expect_reset();

    // So is one that asks meanwhile.
    let mut wire = Wire::new(Session::new(echo));
    wire.feed(&ASKED[..20]).drain().feed(&ASKED[20..]).expect(SWITCHED);
    wire.advance(Limits::default().drain_time).expect_reset();
}

#[test]
fn a_silence_has_no_limit_but_the_handlers_own() {
    let mut limits = Limits::default();
    limits.handler_time = Some(SECOND);
    for asked in [ASKED, CONNECT] {
        let mut wire = Wire::new(Session::with_limits(
            async |mut request: Request| {
                let context = request.context().clone();
                let mut connection = match request.method().as_str() {
                    "CONNECT" => request.accept_tunnel()?,
                    _ => request.upgrade("echo")?,
                };
                while let Ok(read) = context.timeout(2 * HOUR, connection.read()).await {
                    connection.write(read?.unwrap_or_default()).await?;
                }
                Ok::<_, Error>(connection.finish().await?)
            },
            Arc::new(limits.clone()),
        ));
        wire.feed(asked).take();
        wire.expect_deadline_in(2 * HOUR).advance(HOUR).feed("hi").expect("hi").expect_open();
        wire.advance(2 * HOUR).expect_lingering();
    }
}

#[test]
fn content_that_was_fetched_and_never_taken_is_none_of_the_new_protocols() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let sleep = request.context().sleep(SECOND);
        let context = request.context().clone();
        // The reader goes away before the content comes, and nobody asks for it again.
        let _ = context.timeout(Duration::from_millis(1), request.chunk()).await;
        sleep.await;
        let headers = HeaderMap::from_iter([(header::UPGRADE, HeaderValue::from_static("echo"))]);
        let mut writer = request.respond(StatusCode::SWITCHING_PROTOCOLS, headers)?;
        while let Some(data) = request.chunk().await? {
            writer.write(data).await?;
        }
        Ok::<_, Error>(writer.finish().await?)
    }));
    wire.feed(ASKED.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n")).feed("hello").advance(SECOND);
    wire.feed("raw").finish();
    let text = wire.take_text();
    assert!(text.starts_with("HTTP/1.1 500 ") || text.ends_with("\r\n\r\nraw"), "{text}");
}
