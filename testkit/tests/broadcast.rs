//! One value to many receivers, each of which may be slow in its own way.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod random;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bakestone::message::{Broadcast, Full, Overflow, ReceiveError, Receiver};
use bakestone::{Body, Bytes, Event, Request, Response, Result, Session, Sse, Text};
use bakestone_testkit::{Wire, http1_view};
use futures_core::Stream;

use Overflow::{Close, DropOldest, Wait};
use ReceiveError::{Closed, Missed, Overflowed};
use random::Random;

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

/// A sender, and how often it was woken.
struct Sender<'a> {
    value: usize,
    future: Pin<Box<dyn Future<Output = usize> + Send + 'a>>,
    wakes: Arc<Wakes>,
    /// How often it was polled since it waits.
    polls: usize,
}

impl<'a> Sender<'a> {
    fn new(broadcast: &'a Broadcast<usize>, value: usize) -> Self {
        Self { value, future: Box::pin(broadcast.send(value)), wakes: Arc::default(), polls: 0 }
    }

    /// One that waits.
    fn waiting(broadcast: &'a Broadcast<usize>, value: usize) -> Self {
        let mut sender = Self::new(broadcast, value);
        assert_eq!(sender.poll(), Poll::Pending);
        sender
    }

    fn poll(&mut self) -> Poll<usize> {
        self.polls = self.woken() + 1;
        self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(self.wakes.clone())))
    }

    fn woken(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }
}

#[test]
fn of_a_thousand_senders_each_is_woken_once_and_in_its_turn() {
    const SENDERS: usize = 1000;
    for capacity in [1, 3] {
        let broadcast = Broadcast::new(capacity, Wait);
        let (mut slow, mut fast) = (broadcast.subscribe(), broadcast.subscribe_with(2000, Wait));
        let mut slowest = broadcast.subscribe();
        for value in 0..capacity {
            broadcast.try_send(value).unwrap();
        }
        let mut senders: Vec<_> =
            (0..SENDERS).map(|number| Sender::waiting(&broadcast, capacity + number)).collect();
        for turn in 0..SENDERS {
            let woken = || senders.iter().map(Sender::woken).sum::<usize>();
            assert_eq!((slow.try_receive(), woken()), (Some(Ok(turn)), turn));
            // There is room for one, and who did not wait does not take it.
            assert_eq!(slowest.try_receive(), Some(Ok(turn)));
            assert_eq!(broadcast.try_send(0), Err(Full(0)));
            assert!(Sender::new(&broadcast, 0).poll().is_pending());
            assert_eq!((woken(), senders[turn].woken()), (turn + 1, 1), "{capacity}");
            assert_eq!(senders[turn].poll(), Poll::Ready(3));
        }
        let expected: Vec<_> = (0..capacity + SENDERS).map(Ok).collect();
        assert_eq!(all(&mut fast), expected);
        assert_eq!(all(&mut slow), expected[SENDERS..]);
        assert_eq!(all(&mut slowest), expected[SENDERS..]);
        assert_eq!(broadcast.try_send(0), Ok(3));
    }
}

#[test]
fn a_sender_that_is_through_or_gives_up_lets_the_next_one_go_on() {
    let broadcast = Broadcast::new(4, Wait);
    let mut receiver = broadcast.subscribe();
    (0..4).for_each(|value| assert_eq!(broadcast.try_send(value), Ok(1)));
    let mut senders: VecDeque<_> = (4..9).map(|value| Sender::waiting(&broadcast, value)).collect();
    let woken = |senders: &VecDeque<Sender<'_>>| senders.iter().map(Sender::woken).collect::<Vec<_>>();
    assert_eq!(all(&mut receiver).len(), 4);
    assert_eq!(woken(&senders), [1, 0, 0, 0, 0]);
    // Through.
    assert_eq!(senders.pop_front().unwrap().poll(), Poll::Ready(1));
    assert_eq!(woken(&senders), [1, 0, 0, 0]);
    // Gone after it was woken.
    drop(senders.pop_front());
    assert_eq!(woken(&senders), [1, 0, 0]);
    // Gone before it was its turn.
    drop(senders.remove(1));
    assert_eq!(woken(&senders), [1, 0]);
    assert_eq!(senders.pop_front().unwrap().poll(), Poll::Ready(1));
    assert_eq!(woken(&senders), [1]);
    assert_eq!(senders.pop_front().unwrap().poll(), Poll::Ready(1));
    assert_eq!(all(&mut receiver), [Ok(4), Ok(6), Ok(8)]);
    assert_eq!(broadcast.try_send(9), Ok(1));
}

/// What a broadcast is to do, as simply as can be: receivers with queues, and senders in a line.
#[derive(Default)]
struct Model {
    queues: Vec<(usize, VecDeque<usize>)>,
    waiting: VecDeque<usize>,
}

impl Model {
    fn has_room(&self) -> bool {
        self.queues.iter().all(|(capacity, queue)| queue.len() < *capacity)
    }

    /// Lets all go on that can.
    fn settle(&mut self) {
        while self.has_room() {
            let Some(value) = self.waiting.pop_front() else { break };
            self.queues.iter_mut().for_each(|(_, queue)| queue.push_back(value));
        }
    }
}

/// Polls those that were woken, as an executor does, until none is left.
fn run(senders: &mut Vec<Sender<'_>>) {
    while let Some(at) = senders.iter().position(|sender| sender.woken() >= sender.polls) {
        if senders[at].poll().is_ready() {
            senders.remove(at);
        }
    }
}

#[test]
fn no_sender_is_forgotten_whoever_comes_and_goes() {
    for seed in 1..=300 {
        let random = &mut Random(seed);
        let broadcast = Broadcast::new(1, Wait);
        let (mut receivers, mut senders, mut model) = (Vec::new(), Vec::new(), Model::default());
        for value in 0..100 {
            let (receiver, sender) = (random.below(receivers.len() + 1), random.below(senders.len() + 1));
            match random.below(8) {
                0 if receivers.len() < 4 => {
                    let capacity = 1 + random.below(3);
                    receivers.push(broadcast.subscribe_with(capacity, Wait));
                    model.queues.push((capacity, VecDeque::new()));
                }
                1 if random.below(4) == 0 && receiver < receivers.len() => {
                    drop((receivers.remove(receiver), model.queues.remove(receiver)));
                }
                2 if sender < senders.len() => {
                    drop((senders.remove(sender), model.waiting.remove(sender)));
                }
                3 => {
                    let has_room = model.waiting.is_empty() && model.has_room();
                    assert_eq!(broadcast.try_send(value).is_ok(), has_room, "seed {seed}");
                    model.waiting.extend(has_room.then_some(value));
                }
                4 | 5 => {
                    senders.push(Sender::new(&broadcast, value));
                    model.waiting.push_back(value);
                }
                _ if receiver < receivers.len() => {
                    let expected = model.queues[receiver].1.pop_front().map(Ok);
                    assert_eq!(receivers[receiver].try_receive(), expected, "seed {seed}");
                }
                _ => {}
            }
            run(&mut senders);
            model.settle();
            let waiting: Vec<_> = senders.iter().map(|sender| sender.value).collect();
            assert_eq!(model.waiting, waiting, "seed {seed}");
        }
    }
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

/// What a stream gives without waiting, at most ten items.
fn given<S: Stream + Unpin>(mut stream: S) -> (Vec<S::Item>, Poll<()>) {
    let (mut items, cx) = (Vec::new(), &mut Context::from_waker(Waker::noop()));
    while items.len() < 10 {
        match Pin::new(&mut stream).poll_next(cx) {
            Poll::Ready(Some(item)) => items.push(item),
            Poll::Ready(None) => return (items, Poll::Ready(())),
            Poll::Pending => return (items, Poll::Pending),
        }
    }
    (items, Poll::Pending)
}

#[test]
fn a_receiver_is_a_stream_that_ends() {
    for (overflow, is_kept, expected, end) in [
        (DropOldest, true, vec![Err(Missed(1)), Ok(2), Ok(3)], Poll::Pending),
        (DropOldest, false, vec![Err(Missed(1)), Ok(2), Ok(3)], Poll::Ready(())),
        (Wait, false, vec![Ok(1), Ok(2)], Poll::Ready(())),
        (Close, true, vec![Err(Overflowed)], Poll::Ready(())),
        (Close, false, vec![Err(Overflowed)], Poll::Ready(())),
    ] {
        let broadcast = Broadcast::new(2, overflow);
        let receiver = broadcast.subscribe();
        for value in 1..=3 {
            let _ = broadcast.try_send(value);
        }
        let kept = is_kept.then_some(broadcast);
        assert_eq!(given(receiver), (expected, end), "{overflow:?}");
        drop(kept);
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// What a client gets of it.
fn got(wire: &mut Wire<Session<impl bakestone::Service>>) -> String {
    let view = String::from_utf8(http1_view(&wire.take())).unwrap();
    view.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn a_receiver_is_a_body_or_the_events_of_one() {
    let (words, news) = (Broadcast::new(2, Close), Broadcast::new(2, Close));
    let (heard, read) = (words.clone(), news.clone());
    let mut listener =
        Wire::new(Session::new(move |_: Request| Response::new(Body::from_items(heard.subscribe()))));
    let mut reader =
        Wire::new(Session::new(move |request: Request| Sse::from_items(request.context(), read.subscribe())));
    listener.feed(GET);
    reader.feed(GET);
    for word in ["one", "two"] {
        assert_eq!(words.try_send(Bytes::from(word)), Ok(1));
        assert_eq!(news.try_send(Event::data(word)), Ok(1));
        listener.step();
        reader.step();
    }
    assert_eq!(got(&mut listener), "onetwo");
    assert_eq!(got(&mut reader), "data: one\n\ndata: two\n\n");
    // Too slow.
    for word in ["three", "four", "five"] {
        let _ = words.try_send(Bytes::from(word));
    }
    listener.step().expect_reset();
}
