//! What a handler has in its hands: what it sends and receives, and what it is told at the end.

use std::future::{Future, poll_fn};
use std::pin::pin;

use bakestone::message::{WebSocket, WebSocketSender};
use bakestone::ws::{CloseCode, Message, Utf8Bytes};
use bakestone_testkit::{Frame, Received};
use serde_json::{Value, json};

use crate::once::once;
use crate::{Act, HOUR, Log, SECOND, app, connect, connect_echo};

#[test]
fn w08_w09_w16_messages_come_back_as_they_were_sent() {
    let (mut client, log) = connect_echo();
    let messages: [Message; 9] = [
        "bara brith".into(),
        "".into(),
        vec![].into(),
        vec![0, 255, 128].into(),
        "\u{0}\u{10ffff}ü".into(),
        "x".repeat(125).into(),
        "x".repeat(126).into(),
        vec![7; 65_535].into(),
        vec![7; 65_536].into(),
    ];
    for message in &messages {
        client.send(message.clone()).expect(message.clone());
    }
    for message in &messages {
        client.send(message.clone());
    }
    for message in messages {
        client.expect(message);
    }
    client
        .send_fragments(["ba", "", "ra"])
        .expect("bara")
        .send_fragments([vec![1], vec![2]])
        .expect(vec![1, 2]);
    // One that goes on inside of another.
    let [first, last] = [Frame::text("b\u{fc}".as_bytes()).fin(false), Frame::continuation("h")];
    client.send_raw(first.masked([0; 4]).to_bytes()).ping("?").send_raw(last.masked([9; 4]).to_bytes());
    client.expect_event(&Received::Pong("?".into())).expect("b\u{fc}h").expect_silence();
    log.expect(&[]);
    client.close_without_code().expect_event(&Received::Close(None)).expect_event(&Received::Finished);
    log.expect(&["(\"closed\", None)"]);
}

#[test]
fn w07_w18_what_is_json_goes_as_text_and_what_is_none_harms_nobody() {
    let log = Log::default();
    let told = log.clone();
    let mut client = connect(app(move |mut socket: WebSocket, _| {
        let told = told.clone();
        async move {
            loop {
                match socket.receive_json::<Vec<u32>>().await {
                    Ok(Some(numbers)) => {
                        socket.send_json(&json!({ "sum": numbers.iter().sum::<u32>() })).await?
                    }
                    Ok(None) => break,
                    Err(error) => told.note(error.to_string()),
                }
            }
            Ok(())
        }
    }));
    client.send_json(&[1, 2, 3]).send(" [4]").send(vec![b'[', b']']).send("[").send("{}").send("[5]");
    let sums: Vec<Value> = std::iter::from_fn(|| client.receive_json()).collect();
    assert_eq!(sums, [json!({ "sum": 6 }), json!({ "sum": 4 }), json!({ "sum": 0 }), json!({ "sum": 5 })]);
    assert_eq!(client.next_frame(), Some(Frame::text(r#"{"sum":6}"#)));
    log.expect(&[
        r#""EOF while parsing a list at line 1 column 1""#,
        r#""invalid type: map, expected a sequence at line 1 column 0""#,
    ]);
}

#[test]
fn w08_w17_after_the_peers_close_nothing_is_received_or_sent_and_that_stays_so() {
    for (close, code) in [(true, Some((4000, "done"))), (false, None)] {
        let log = Log::default();
        let told = log.clone();
        let mut client = connect(app(move |mut socket: WebSocket, _| {
            let told = told.clone();
            async move {
                assert!(socket.close_frame().is_none());
                told.note(socket.receive().await);
                for _ in 0..2 {
                    told.note(socket.receive().await);
                    told.note(socket.send("late").await);
                }
                let frame = socket.close_frame();
                told.note(frame.as_ref().map(|frame| (frame.code().get(), frame.reason())));
                socket.close(CloseCode::NORMAL, "").unwrap();
                Ok(())
            }
        }));
        client.send("x");
        match close {
            true => client.close(4000, "done"),
            false => client.close_without_code(),
        };
        let code = format!("{code:?}");
        let rest = ["Ok(None)", "Err(Closed)", "Ok(None)", "Err(Closed)", &code];
        let first = format!("{:?}", Ok::<_, ()>(Some(Message::Text(Utf8Bytes::from("x")))));
        log.expect(&[&[&*first][..], &rest].concat());
        // The code comes back, and the reason does not.
        match close {
            true => _ = client.expect_close(4000),
            false => _ = client.expect_event(&Received::Close(None)),
        }
        client.expect_event(&Received::Finished).wire_mut().expect_lingering().finish().expect_closed();
    }
}

#[test]
fn w05_w06_w10_our_close_ends_sending_and_not_receiving() {
    let log = Log::default();
    let told = log.clone();
    let mut client = connect(app(move |mut socket: WebSocket, _| {
        let told = told.clone();
        async move {
            told.note(socket.receive().await?.is_some());
            socket.send("before").await?;
            socket.close(CloseCode::new(3000), "enough").unwrap();
            // The first one counts.
            socket.close(CloseCode::new(3001), "again").unwrap();
            told.note(socket.send("after").await);
            told.note(socket.sender().is_closed());
            while let Some(message) = socket.receive().await? {
                told.note(message.as_text());
            }
            told.note(socket.close_frame().map(|frame| frame.code().get()));
            told.note(socket.send("after all").await);
            Ok(())
        }
    }));
    client.answer(false).send("go").expect("before").expect_close(3000);
    log.expect(&["true", "Err(Closed)", "true"]);
    client.send("still").send("here").ping("?").advance(4 * SECOND).expect_silence();
    client.close(3000, "").expect_event(&Received::Finished);
    log.expect(&["Some(\"still\")", "Some(\"here\")", "Some(3000)", "Err(Closed)"]);
    client.wire_mut().finish().expect_closed();
}

#[test]
fn what_may_not_be_sent_in_a_close_is_an_error_and_closes_nothing() {
    let log = Log::default();
    let told = log.clone();
    let mut client = connect(app(move |mut socket: WebSocket, _| {
        let told = told.clone();
        async move {
            for (code, reason) in
                [(1005, ""), (1006, ""), (1015, ""), (999, ""), (5000, ""), (1000, &*"x".repeat(124))]
            {
                told.note(socket.close(CloseCode::new(code), reason).map_err(|error| error.to_string()));
            }
            socket.send("open").await?;
            socket.close(CloseCode::NORMAL, &"x".repeat(123)).unwrap();
            Ok(())
        }
    }));
    client.expect("open").expect_close(1000);
    assert_eq!(client.close_frame().unwrap().reason().len(), 123);
    log.expect(&["Err(\"the code or the reason cannot be sent in a close\")"; 6]);
}

#[test]
fn a_lost_peer_is_told_to_whoever_sends_and_receives() {
    let table: [(Act, &str); 3] = [
        (|client| _ = client.disconnect(), "Disconnected(Gone)"),
        (|client| _ = client.finish(), "Disconnected(Finished)"),
        // In the middle of a frame.
        (|client| _ = client.send_raw(b"\x81").finish(), "Disconnected(Finished)"),
    ];
    for (lose, expected) in table {
        let log = Log::default();
        let told = log.clone();
        let mut client = connect(app(move |mut socket: WebSocket, _| {
            let told = told.clone();
            async move {
                socket.send("x").await?;
                for _ in 0..2 {
                    told.note(socket.receive().await);
                    told.note(socket.send("y").await);
                }
                told.note(socket.close_frame().is_none());
                Ok(())
            }
        }));
        lose(&mut client);
        let expected = format!("Err({expected})");
        log.expect(&[&*expected, &expected, &expected, &expected, "true"]);
        client.wire_mut().expect_closed();
    }
}

#[test]
fn what_came_before_a_loss_is_received_first() {
    let (mut client, log) = connect_echo();
    client.hold_output(true).send("one").send("two").finish();
    log.expect(&["Disconnected(Finished)"]);
    client.hold_output(false).expect("one");
}

/// A future that is dropped has taken nothing and sent nothing; one made anew goes on.
#[test]
fn what_is_dropped_half_way_loses_nothing() {
    let mut client = connect(app(|mut socket: WebSocket, context| async move {
        let mut received = Vec::new();
        while received.len() < 3 {
            // It is dropped each second.
            if let Ok(Ok(message)) = context.timeout(SECOND, socket.receive()).await {
                received.push(message.unwrap().as_text().unwrap().to_owned());
            }
            assert!(once(socket.receive()).await.is_none_or(|message| {
                received.push(message.unwrap().unwrap().as_text().unwrap().to_owned());
                true
            }));
        }
        let sender: WebSocketSender = socket.sender();
        // What is not polled sends nothing.
        drop(sender.send("never"));
        assert!(once(sender.send("x".repeat(1 << 20))).await.unwrap().is_ok());
        assert!(once(sender.send("waits, and is dropped")).await.is_none());
        sender.send(received.join(" ")).await?;
        Ok(())
    }));
    client.advance(3 * SECOND).send("one").advance(SECOND / 2).send("two").hold_output(true);
    client.advance(2 * SECOND).send("three").advance(SECOND);
    client.hold_output(false);
    client.expect("x".repeat(1 << 20)).expect("one two three").expect_close(1000);
}

#[test]
fn w22_halves_go_their_own_ways() {
    let mut client = connect(app(|socket: WebSocket, context| async move {
        let (sender, mut receiver) = socket.split();
        let ticks = async {
            for tick in 0..3 {
                context.sleep(SECOND).await;
                sender.send(tick.to_string()).await.unwrap();
            }
        };
        let echoes = async {
            while let Some(message) = receiver.receive().await.unwrap() {
                sender.send(message).await.unwrap();
            }
        };
        let (mut ticks, mut echoes) = (pin!(ticks), pin!(echoes));
        let mut ticked = false;
        poll_fn(|cx| {
            ticked |= !ticked && ticks.as_mut().poll(cx).is_ready();
            echoes.as_mut().poll(cx)
        })
        .await;
        assert!(ticked);
        Ok(())
    }));
    client.send("a").expect("a").advance(SECOND).expect("0").send("b").expect("b");
    client.advance(HOUR).expect("1").expect("2").close(1000, "").expect_close(1000);
}

#[test]
fn w17_messages_are_iterated_to_the_end_however_it_comes() {
    let ends: [Act; 3] = [
        |client| _ = client.close(1000, ""),
        |client| _ = client.disconnect(),
        |client| _ = client.send_raw(b"\xff"),
    ];
    for end in ends {
        let log = Log::default();
        let told = log.clone();
        let mut client = connect(app(move |mut socket: WebSocket, _| {
            let told = told.clone();
            async move {
                let mut messages = socket.iter();
                while let Some(message) = messages.next().await {
                    told.note(message.len());
                }
                assert!(messages.next().await.is_none());
                told.note("over");
                Ok(())
            }
        }));
        client.send("a").send("").send("abc");
        end(&mut client);
        log.expect(&["1", "0", "3", "\"over\""]);
    }
}
