//! One value to many receivers, each of which may be slow in its own way.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bakestone::message::{Broadcast, Full, Overflow, ReceiveError, Receiver};
use bakestone::{Body, Bytes, Request, Response, Result, Session, Text};
use bakestone_testkit::Wire;

use Overflow::{Close, DropOldest, Wait};
use ReceiveError::{Closed, Missed, Overflowed};

/// All that a receiver gets without waiting.
fn all<T: Clone>(receiver: &mut Receiver<T>) -> Vec<Result<T, ReceiveError>> {
    let mut received = Vec::new();
    while let Some(next) = receiver.try_receive() {
        let end = matches!(next, Err(Closed | Overflowed));
        received.push(next);
        if end {
            break;
        }
    }
    received
}

#[test]
fn a_receiver_that_is_full_does_as_it_was_told() {
    for (overflow, sent, expected) in [
        (Wait, [Ok(1), Ok(1), Err(Full(3)), Err(Full(4))], vec![Ok(1), Ok(2)]),
        (DropOldest, [Ok(1); 4], vec![Err(Missed(2)), Ok(3), Ok(4)]),
        (Close, [Ok(1), Ok(1), Ok(1), Ok(0)], vec![Err(Overflowed)]),
    ] {
        let broadcast = Broadcast::new(2, overflow);
        let mut receiver = broadcast.subscribe();
        assert_eq!([1, 2, 3, 4].map(|value| broadcast.try_send(value)), sent, "{overflow:?}");
        assert_eq!(all(&mut receiver), expected, "{overflow:?}");
        assert_eq!(broadcast.receivers(), usize::from(overflow != Close));
        drop(receiver);
        assert_eq!(broadcast.receivers(), 0);
    }
}

#[test]
fn each_receiver_gets_what_is_sent_while_it_is_there() {
    let broadcast = Broadcast::new(0, DropOldest);
    assert_eq!(broadcast.try_send(0), Ok(0));
    let mut early = broadcast.subscribe_with(10, Wait);
    assert_eq!(broadcast.try_send(1), Ok(1));
    let mut late = broadcast.subscribe();
    assert_eq!(broadcast.clone().try_send(2), Ok(2));
    assert_eq!((all(&mut early), all(&mut late)), (vec![Ok(1), Ok(2)], vec![Ok(2)]));
    broadcast.try_send(3).unwrap();
    drop(broadcast);
    assert_eq!((all(&mut early), all(&mut late)), (vec![Ok(3), Err(Closed)], vec![Ok(3), Err(Closed)]));
}

/// Counts its wakes.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_sender_waits_for_the_slowest_and_gives_to_all_or_to_none() {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let cx = &mut Context::from_waker(&waker);
    let broadcast = Broadcast::new(1, Wait);
    let (mut slow, mut fast) = (broadcast.subscribe(), broadcast.subscribe());
    broadcast.try_send(1).unwrap();
    assert_eq!(all(&mut fast), [Ok(1)]);

    drop(broadcast.send(8));
    {
        let mut given_up = pin!(broadcast.send(9));
        assert_eq!(given_up.as_mut().poll(cx), Poll::Pending);
    }
    let mut sending = pin!(broadcast.send(2));
    assert_eq!(sending.as_mut().poll(cx), Poll::Pending);
    assert_eq!(all(&mut fast), []);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
    assert_eq!(slow.try_receive(), Some(Ok(1)));
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert_eq!(sending.poll(cx), Poll::Ready(2));
    assert_eq!(all(&mut fast), [Ok(2)]);

    // One that leaves is waited for no longer.
    let mut sending = pin!(broadcast.send(3));
    assert_eq!(sending.as_mut().poll(cx), Poll::Pending);
    drop(slow);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 2);
    assert_eq!(sending.poll(cx), Poll::Ready(1));
}

#[test]
fn a_receiver_is_woken_by_a_value_by_its_end_and_by_its_overflow() {
    type Act = fn(Broadcast<u8>) -> Option<Broadcast<u8>>;
    let acts: [(Act, Result<u8, ReceiveError>); 3] = [
        (|broadcast| broadcast.try_send(7).ok().map(|_| broadcast), Ok(7)),
        (|_| None, Err(Closed)),
        (
            |broadcast| {
                [7, 8].into_iter().all(|value| broadcast.try_send(value).is_ok()).then_some(broadcast)
            },
            Err(Overflowed),
        ),
    ];
    for (act, expected) in acts {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let cx = &mut Context::from_waker(&waker);
        let broadcast = Broadcast::new(1, Close);
        let mut receiver = broadcast.subscribe();
        assert_eq!(pin!(receiver.receive()).poll(cx), Poll::Pending);
        let kept = act(broadcast);
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert_eq!(pin!(receiver.receive()).poll(cx), Poll::Ready(expected));
        drop(kept);
    }
}

/// Counts its copies.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::SeqCst);
        Self(self.0.clone())
    }
}

#[test]
fn a_value_is_kept_once_and_freed_when_all_have_it() {
    let copies = Arc::new(AtomicUsize::new(0));
    let broadcast = Broadcast::new(4, DropOldest);
    let mut receivers: Vec<_> = (0..3).map(|_| broadcast.subscribe()).collect();
    for _ in 0..100 {
        broadcast.try_send(Counted(copies.clone())).unwrap();
    }
    // Four values, whoever waits for them.
    assert_eq!((copies.load(Ordering::SeqCst), Arc::strong_count(&copies)), (0, 1 + 4));
    receivers.iter_mut().for_each(|receiver| assert_eq!(all(receiver).len(), 1 + 4));
    // The last one who gets a value gets the value itself.
    assert_eq!((copies.load(Ordering::SeqCst), Arc::strong_count(&copies)), (2 * 4, 1));
}

/// A room: GET listens, POST speaks.
async fn room(room: Broadcast<Bytes>, mut request: Request) -> Result<Response> {
    if request.method() == bakestone::Method::POST {
        let heard = room.send(request.bytes().await?).await;
        return bakestone::IntoResponse::into_response(Text(heard.to_string()));
    }
    let mut receiver = room.subscribe();
    Ok(Response::new(Body::written(|mut out| async move {
        loop {
            out.send(receiver.receive().await?).await?;
        }
    })))
}

#[test]
fn a_room_is_heard_by_all_and_forgets_who_leaves() {
    let broadcast = Broadcast::new(2, DropOldest);
    let wire = || {
        let broadcast = broadcast.clone();
        Wire::new(Session::new(move |request| room(broadcast.clone(), request)))
    };
    let mut listeners = [wire(), wire()];
    for listener in &mut listeners {
        listener.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").take();
    }
    let mut speaker = wire();
    let mut say = |word: &str, heard: &str| {
        speaker.feed(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{word}", word.len()));
        assert!(speaker.take_text().ends_with(&format!("\r\n\r\n{heard}")));
    };
    say("hello", "2");
    for listener in &mut listeners {
        listener.expect("5\r\nhello\r\n");
    }
    listeners[0].reset();
    say("bye", "1");
    listeners[1].expect("3\r\nbye\r\n");
    assert_eq!(broadcast.receivers(), 1);
}
