//! What is sent to a peer that reads slowly.

use std::future::{Future, poll_fn};
use std::task::Poll;

use bakestone::message::{Overflow, WebSocket, WebSocketOptions};
use bakestone::ws::CloseCode;
use bakestone::{App, Context, Limits, Result};
use bakestone_testkit::{Frame, Received, WebSocketRequest};

use crate::{Client, HOUR, Log, SECOND, app_with, counting};

/// What a message of so many bytes counts in the queue.
const ENTRY: usize = 64;

/// A client that reads nothing yet, of a server with little room.
fn slow<T: Future<Output = Result<()>> + Send + 'static>(
    overflow: Overflow,
    handle: impl Fn(WebSocket, Context) -> T + Clone + Send + Sync + 'static,
) -> Client {
    let set = move |options: &mut WebSocketOptions| {
        (options.overflow, options.queue_bytes) = (overflow, 10 * (ENTRY + 100));
    };
    let go = move |mut socket: WebSocket, context: Context| {
        let handle = handle.clone();
        async move {
            let _ = socket.receive().await?;
            handle(socket, context).await
        }
    };
    let mut limits = Limits::default();
    limits.output_bytes = 1000;
    let app: App = app_with(set, go);
    let mut client = WebSocketRequest::new("/").limits(&limits).connect(app).unwrap();
    client.hold_output(true).send("go");
    client
}

/// A hundred bytes that begin with a number.
fn numbered(number: usize) -> String {
    format!("{number:<100}")
}

fn numbers(client: &mut Client) -> Vec<usize> {
    std::iter::from_fn(|| client.receive())
        .map(|message| message.as_text().unwrap().trim().parse().unwrap())
        .collect()
}

/// Messages that the output takes before it is full, and those that the queue takes.
const IN_OUTPUT: usize = 10;
const IN_QUEUE: usize = 10;

#[test]
fn a_sender_waits_for_a_peer_that_does_not_read() {
    let log = Log::default();
    let told = log.clone();
    let mut client = slow(Overflow::Wait, move |socket, _| {
        let told = told.clone();
        async move {
            let sender = socket.sender();
            for number in 0.. {
                sender.send(numbered(number)).await?;
                told.note(number);
                assert_eq!(sender.missed(), 0);
            }
            Ok(())
        }
    });
    let sent = || log.0.lock().unwrap().len();
    assert_eq!(sent(), IN_OUTPUT + IN_QUEUE);
    // As one frame leaves, one is sent.
    for more in 1..5 {
        assert_eq!(client.read_at_most(102), 102);
        assert_eq!(sent(), IN_OUTPUT + IN_QUEUE + more);
    }
    client.advance(29 * SECOND);
    assert_eq!(sent(), IN_OUTPUT + IN_QUEUE + 4);
    assert_eq!(numbers(&mut client), [0, 1, 2, 3]);
    client.advance(SECOND).expect_event(&Received::Reset);
}

#[test]
fn senders_that_wait_get_their_turn_in_the_order_in_which_they_came() {
    let mut client = slow(Overflow::Wait, |socket, _| async move {
        let sender = socket.sender();
        let send = |number| {
            let sender = sender.clone();
            (number, Box::pin(async move { sender.send(numbered(number)).await }))
        };
        let mut sends: Vec<_> = (0..50).map(send).collect();
        let mut begun = false;
        poll_fn(|cx| {
            // Polled in any order after the first time; and one that waits goes away.
            if std::mem::replace(&mut begun, true) {
                sends.reverse();
            }
            sends.retain_mut(|(_, send)| send.as_mut().poll(cx).is_pending());
            sends.retain(|(number, _)| *number != 30);
            if sends.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok(())
    });
    client.hold_output(false);
    let expected: Vec<usize> = (0..50).filter(|number| *number != 30).collect();
    assert_eq!(numbers(&mut client), expected);
    client.expect_close(1000);
}

#[test]
fn the_oldest_make_room_and_are_counted() {
    let log = Log::default();
    let told = log.clone();
    let mut client = slow(Overflow::DropOldest, move |socket, context| {
        let told = told.clone();
        async move {
            let sender = socket.sender();
            for number in 0..100 {
                sender.send(numbered(number)).await?;
            }
            told.note(sender.missed());
            context.sleep(SECOND).await;
            // One that is larger than the queue is all that it holds.
            sender.send("x".repeat(5000)).await?;
            told.note(sender.missed());
            context.sleep(SECOND).await;
            sender.send("last").await?;
            told.note(sender.missed());
            Ok(())
        }
    });
    // Nothing left for the output in between.
    client.read_at_most(1);
    log.expect(&["90"]);
    client.hold_output(false);
    assert_eq!(numbers(&mut client), (90..100).collect::<Vec<_>>());
    client.hold_output(true).advance(SECOND).hold_output(false).expect("x".repeat(5000));
    client.advance(SECOND).expect("last").expect_close(1000);
    log.expect(&["90", "90"]);
}

#[test]
fn a_peer_that_is_too_slow_is_closed_with_1013_where_that_is_the_policy() {
    let log = Log::default();
    let told = log.clone();
    let handle = move |mut socket: WebSocket, context: Context| {
        let told = told.clone();
        async move {
            let mut sent = 0;
            while socket.send(numbered(sent)).await.is_ok() {
                sent += 1;
            }
            told.note(sent);
            told.note(socket.send("again").await);
            for _ in 0..3 {
                context.sleep(SECOND).await;
                told.note(socket.receive().await);
            }
            socket.close(CloseCode::NORMAL, "")?;
            Ok(())
        }
    };
    let mut client = slow(Overflow::Close, handle.clone());
    log.expect(&["10", "Err(Overflowed)"]);
    client.send("one").advance(SECOND).send("two").advance(SECOND).send("three").advance(SECOND);
    log.expect(&["Err(Overflowed)"; 3]);
    client.hold_output(false).expect_close(1013).expect_event(&Received::Finished);

    // It never reads.
    let mut client = slow(Overflow::Close, handle);
    client.advance(30 * SECOND).expect_event(&Received::Reset).wire_mut().expect_closed();
}

#[test]
fn a_close_leaves_behind_what_was_sent_before_it() {
    let mut client = slow(Overflow::Wait, |mut socket, _| async move {
        for number in 0..15 {
            socket.send(numbered(number)).await?;
        }
        socket.close(CloseCode::NORMAL, "")?;
        assert!(socket.receive().await?.is_none());
        Ok(())
    });
    client.advance(9 * SECOND).expect_silence().hold_output(false);
    assert_eq!(numbers(&mut client), (0..15).collect::<Vec<_>>());
    client.expect_close(1000).expect_event(&Received::Finished);
}

/// A server that stops does not wait for a peer that does not read longer than for any.
#[test]
fn a_sender_that_waits_hears_that_the_server_stops() {
    let log = Log::default();
    let told = log.clone();
    let mut client = slow(Overflow::Wait, move |mut socket, _| {
        let told = told.clone();
        async move {
            loop {
                if let Err(error) = socket.send(numbered(0)).await {
                    told.note(&error);
                    return Err(error.into());
                }
            }
        }
    });
    log.expect(&[]);
    client.drain();
    log.expect(&["Closed"]);
    client.advance(10 * SECOND).expect_event(&Received::Reset).wire_mut().expect_closed();
}

/// Whatever the policy, and however much is sent, in however small pieces.
#[test]
fn a_slow_reader_costs_a_bounded_amount_of_memory() {
    for overflow in [Overflow::Wait, Overflow::DropOldest, Overflow::Close] {
        for size in [0, 10, 10_000] {
            let mut client = slow(overflow, move |mut socket, context| async move {
                for _ in 0..10_000 {
                    if socket.send(vec![b'x'; size]).await.is_err() {
                        break;
                    }
                }
                context.sleep(HOUR).await;
                Ok(())
            });
            client.wire_mut().record(false);
            let before = counting::live();
            drop(client);
            let freed = before - counting::live();
            // The connection itself, its application and its transcript are among it.
            assert!(freed < 100_000, "{freed} bytes, {overflow:?}, {size}");
        }
    }
}

/// A peer that only writes is read no faster than it is listened to.
#[test]
fn what_nobody_receives_stays_in_the_socket() {
    let mut client = slow(Overflow::Wait, |socket, context| async move {
        context.sleep(HOUR).await;
        drop(socket);
        Ok(())
    });
    let frame = Frame::binary(vec![b'x'; 1000]).masked([1, 2, 3, 4]).to_bytes();
    let fed: usize = (0..100).map(|_| client.wire_mut().feed_politely(&frame)).sum();
    assert!(fed <= (16 << 10) + 2 * frame.len(), "{fed}");
}
