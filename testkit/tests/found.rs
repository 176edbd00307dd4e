//! Bugs that were found, each with the test that tells its story and failed before it was mended.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bakestone::app::Next;
use bakestone::effect::Effect;
use bakestone::error::BoxError;
use bakestone::machine::{Io, Machine, Now, Phase};
use bakestone::message::{Asked, BodyStream, Sent};
use bakestone::session::{Answer, Event, Service};
use bakestone::{
    App, Body, Bytes, Error, HeaderMap, HeaderValue, Lifecycle, Limits, Request, Response, Result, Session,
    StatusCode, Text, header,
};
use bakestone_testkit::Wire;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn upgrade() -> HeaderMap {
    HeaderMap::from_iter([(header::UPGRADE, HeaderValue::from_static("echo"))])
}

/// Answers, and then goes on for longer than a connection may be idle.
async fn tidies_up(request: Request) -> Result<Sent> {
    let mut response = request.respond_sized(StatusCode::OK, HeaderMap::new(), 5)?;
    response.write("hello").await?;
    let sent = response.finish().await?;
    request.context().sleep(20 * SECOND).await;
    Ok(sent)
}

/// The time for the next request was counted from the last byte written, though the exchange was not over.
#[test]
fn a_handler_that_goes_on_after_its_answer_costs_no_idle_time() {
    let mut wire = Wire::new(Session::new(tidies_up));
    wire.feed(GET).take();
    wire.feed(GET);
    wire.advance(21 * SECOND);
    assert!(wire.take_text().ends_with("hello"), "the second request was thrown away");
    wire.advance(19 * SECOND);
    wire.expect_open();
    wire.expect_deadline_in(15 * SECOND);
}

/// The deadlines of a request's body ran for the bytes of another protocol.
#[test]
fn a_silent_tunnel_lives() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let mut tunnel = request.respond(StatusCode::SWITCHING_PROTOCOLS, upgrade())?;
        while let Some(data) = request.chunk().await? {
            tunnel.write(data).await?;
        }
        Ok::<_, Error>(tunnel.finish().await?)
    }));
    wire.feed(UPGRADE).take();
    wire.feed("hi").expect("hi");
    wire.advance(HOUR);
    wire.expect_open();
}

/// The session looked for the body's next piece before it sent the head that switches protocols.
#[test]
fn a_tunnel_may_be_opened_from_another_task() {
    let (send, requests) = mpsc::channel();
    let mut wire = Wire::new(Session::new(move |request: Request| {
        send.send(request).unwrap();
        std::future::pending::<Response>()
    }));
    wire.feed(UPGRADE);
    let mut request = requests.recv().unwrap();
    let _tunnel = request.respond(StatusCode::SWITCHING_PROTOCOLS, upgrade()).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(request.body().poll_chunk(&mut cx).is_pending());
    wire.settle();
    assert!(wire.take_text().starts_with("HTTP/1.1 101 "));
    assert!(request.body().poll_chunk(&mut cx).is_pending(), "the tunnel is open and its body has ended");
}

/// The FIN waited for the handler, and the handler for the peer's, which waited for ours.
#[test]
fn a_direction_that_has_ended_says_so_while_the_handler_runs() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let mut tunnel = request.respond(StatusCode::OK, HeaderMap::new())?;
        tunnel.write("bye").await?;
        let sent = tunnel.finish().await?;
        while request.chunk().await?.is_some() {}
        Ok::<_, Error>(sent)
    }));
    wire.feed("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    assert!(wire.take_text().ends_with("bye"));
    wire.expect_lingering();

    let mut wire = Wire::new(Session::new(async |request: Request| {
        let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
        response.write("all").await?;
        let sent = response.finish().await?;
        request.context().sleep(SECOND).await;
        Ok::<_, Error>(sent)
    }));
    wire.feed("GET / HTTP/1.0\r\n\r\n");
    assert!(wire.take_text().ends_with("all"));
    wire.expect_lingering();
}

/// What a stream does: the length that it announces, its pieces, its trailers, and where it panics.
struct Stream {
    length: fn() -> Option<u64>,
    pieces: usize,
    panics_in_drop: bool,
}

impl BodyStream for Stream {
    fn poll_chunk(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let more = self.pieces > 0;
        self.pieces = self.pieces.saturating_sub(1);
        Poll::Ready(more.then(|| Ok(Bytes::from_static(b"x"))))
    }

    fn length(&self) -> Option<u64> {
        (self.length)()
    }

    fn trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", HeaderValue::from_static("7"));
        Some(trailers)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        assert!(!self.panics_in_drop, "on purpose");
    }
}

fn streaming(length: fn() -> Option<u64>, pieces: usize, panics_in_drop: bool) -> Wire<impl Machine> {
    let stream =
        move |_: Request| Response::new(Body::from_stream(Stream { length, pieces, panics_in_drop }));
    Wire::new(Session::new(stream))
}

/// The length was asked for after the stream had been polled, and an ended one had none.
#[test]
fn a_stream_that_gives_nothing_of_what_it_announced_does_not_look_complete() {
    let mut wire = streaming(|| Some(5), 0, false);
    wire.feed(GET);
    assert!(!wire.take_text().contains("200 OK") || wire.fate().reset_sent);
}

/// The stream was gone by the time its trailers were asked for.
#[test]
fn the_trailers_of_a_stream_are_sent() {
    for pieces in [0, 1] {
        let mut wire = streaming(|| None, pieces, false);
        wire.feed("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
        assert!(wire.take_text().ends_with("0\r\nx-sum: 7\r\n\r\n"));
    }
}

/// User code ran outside the guard in three places.
#[test]
fn panics_beside_the_handler_are_caught() {
    for panics_in_drop in [false, true] {
        let mut wire = streaming(|| panic!("on purpose"), 0, panics_in_drop);
        wire.feed(GET);
        assert!(wire.take_text().starts_with("HTTP/1.1 500 "));
    }

    let mut wire = streaming(|| None, 1, true);
    wire.feed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(wire.take_text().starts_with("HTTP/1.1 200 "));

    #[derive(Debug)]
    struct Bomb;
    impl std::fmt::Display for Bomb {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a bomb")
        }
    }
    impl std::error::Error for Bomb {}
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let mut wire = Wire::new(Session::new(|_: Request| Result::<Text<&str>>::Err(Error::from(Bomb))));
    wire.feed(GET);
    assert!(wire.take_text().starts_with("HTTP/1.1 500 "));
}

/// A source of empty pieces was polled for ever inside one step.
#[test]
fn empty_pieces_do_not_hold_up_a_step() {
    let polls = Arc::new(AtomicUsize::new(0));
    let count = polls.clone();
    let mut session = Session::new(move |_: Request| {
        let count = count.clone();
        Response::new(Body::from_fn(move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0..100_000 => Poll::Ready(Some(Ok(Bytes::new()))),
            _ => Poll::Pending,
        }))
    });
    let mut io = Io::default();
    io.input.extend_from_slice(GET.as_bytes());
    let _ = session.step(Now::default(), &mut io, &mut Context::from_waker(Waker::noop()));
    assert!(polls.load(Ordering::Relaxed) < 10_000);
}

/// It closed without a word, since the body that would not be sent counted as one that reads on.
#[test]
fn a_close_is_announced_also_where_a_stream_is_left_out() {
    let empty =
        |_: Request| Response::new(Body::from_fn(|_| Poll::Pending)).with_status(StatusCode::NO_CONTENT);
    let mut wire = Wire::new(Session::new(empty));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    assert!(wire.take_text().contains("connection: close"));
}

fn limited() -> Arc<Limits> {
    let mut limits = Limits::default();
    limits.handler_time = Some(SECOND);
    Arc::new(limits)
}

#[test]
fn a_handlers_time_counts_also_when_nobody_waits_for_it() {
    let stuck = |_: Request| std::future::pending::<Response>();
    let mut wire = Wire::new(Session::with_limits(stuck, limited()));
    wire.feed(POST).reset();
    assert_eq!(wire.phase(), Phase::Open, "an unsafe method may finish");
    wire.advance(SECOND);
    wire.expect_closed();
}

#[test]
fn an_error_that_is_rendered_has_a_deadline_too() {
    struct Stuck;
    impl Service for Stuck {
        type Response = Response;
        type Future = std::future::Pending<Response>;
        fn call(&self, _: Request) -> Self::Future {
            std::future::pending()
        }
        fn fail(&self, _: Error, _: Option<&Asked>) -> Answer<Self::Future> {
            Answer::Future(std::future::pending())
        }
    }
    let mut wire = Wire::new(Session::with_limits(Stuck, limited()));
    wire.feed(GET).advance(2 * SECOND);
    assert!(wire.take_text().starts_with("HTTP/1.1 503 "));
}

/// The place of the task was held for as long as the context lived, and the drain waited for it.
#[test]
fn a_task_for_after_a_response_that_nobody_got_is_started_all_the_same() {
    let lifecycle = Lifecycle::new();
    let spawner = lifecycle.spawner();
    let mut server = Wire::new(lifecycle);
    server.settle();
    let (send, contexts) = mpsc::channel();
    let session = Session::new(move |request: Request| {
        send.send(request.context().clone()).unwrap();
        Text("nobody reads this")
    });
    let mut wire = Wire::new(session.lifecycle(&spawner));
    wire.hold_output(true);
    wire.feed(POST).reset();
    drop(wire);
    let ran = Arc::new(AtomicBool::new(false));
    let run = ran.clone();
    let context = contexts.recv().unwrap();
    context.after_response(move |_| async move { run.store(true, Ordering::Relaxed) }).unwrap();
    server.settle();
    assert!(ran.load(Ordering::Relaxed));
    assert_eq!(spawner.tasks(), 0);
}

/// The waker that was replaced was dropped under the lock that its own drop takes.
#[test]
fn a_waker_may_do_anything_when_it_is_dropped() {
    struct Owner(Mutex<Option<Effect>>);
    impl std::task::Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    let (send, requests) = mpsc::channel();
    let mut session = Session::new(move |request: Request| {
        send.send(request).unwrap();
        std::future::pending::<Response>()
    });
    let mut io = Io::default();
    let mut cx = Context::from_waker(Waker::noop());
    io.input.extend_from_slice(GET.as_bytes());
    let _ = session.step(Now::default(), &mut io, &mut cx);
    let request: Request = requests.recv().unwrap();
    let mut answer = Box::pin(request.context().blocking(|| 1));

    let owner = Arc::new(Owner(Mutex::default()));
    let waker = Waker::from(owner.clone());
    assert!(answer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let _ = session.step(Now::default(), &mut io, &mut cx);
    *owner.0.lock().unwrap() = io.effects.pop();
    drop((waker, owner));
    // The last owner of the effect is the waker inside its own answer.
    assert!(answer.as_mut().poll(&mut cx).is_pending());
    assert!(answer.as_mut().poll(&mut cx).is_ready());
}

/// A panic ended the ticking, and an observer that was given after the period heard of nothing.
#[test]
fn a_period_ticks_on_after_a_panic_and_is_observed_in_any_order() {
    let (runs, events) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (count, noted) = (runs.clone(), events.clone());
    let lifecycle = Lifecycle::new()
        .every(SECOND, move |_| {
            let run = count.fetch_add(1, Ordering::Relaxed);
            async move {
                assert_ne!(run, 0, "on purpose");
                Err::<(), _>(Error::internal())
            }
        })
        .observer(Arc::new(move |event: &Event<'_>| noted.lock().unwrap().push(format!("{event:?}"))));
    Wire::new(lifecycle).advance(3 * SECOND);
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    let events = events.lock().unwrap();
    assert!(events[0].starts_with("Panicked(Task") && events[1].starts_with("TaskFailed("), "{events:?}");
}

/// The limit was a constant, and the setting of that name did nothing.
#[test]
fn the_limit_of_a_buffered_body_is_the_one_that_was_set() {
    async fn length(mut request: Request) -> Result<Text<String>> {
        Ok(Text(request.bytes().await?.len().to_string()))
    }
    let mut limits = Limits::default();
    limits.buffered_body_bytes = 4;
    let limits = Arc::new(limits);
    for (body, status) in [("four", "200"), ("fives", "413")] {
        let mut wire = Wire::new(Session::with_limits(length, limits.clone()));
        wire.feed(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        let answer = wire.take_text();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

/// A message that had to look cut took the complete answers before it along, unless the driver had been quicker.
#[test]
fn an_answer_before_a_cut_one_arrives() {
    let half = |request: Request| match request.raw_path() {
        "/cut" => {
            let mut pieces = vec![Err("no disk".into()), Ok(Bytes::from_static(b"half"))];
            Response::new(Body::from_fn(move |_| Poll::Ready(pieces.pop())))
        }
        _ => Response::new("whole"),
    };
    let requests = format!("{GET}{}", GET.replace("/ ", "/cut "));
    let mut wire = Wire::new(Session::new(half));
    wire.hold_output(true);
    wire.feed(requests);
    assert_eq!(wire.phase(), Phase::Open, "a reset at once would lose what was written");
    let answers = String::from_utf8(wire.take_at_most(64 << 10)).unwrap();
    assert!(
        answers.contains("\r\n\r\nwholeHTTP/1.1 200 OK") && answers.ends_with("4\r\nhalf\r\n"),
        "{answers}"
    );
    wire.settle().expect_reset();

    // A peer that reads nothing is not waited for longer than any other.
    let mut wire = Wire::new(Session::new(half));
    wire.hold_output(true);
    wire.feed(GET.replace("/ ", "/cut ")).advance(10 * SECOND);
    wire.expect_reset();
}

/// A client that had asked to be told to go on, and went on without, was taken for one that still waits: if its first
/// chunk's size came without the data, the answer announced the close.
#[test]
fn a_chunk_size_that_comes_before_its_data_costs_no_connection() {
    let back = |request: Request| Response::new(request.into_body());
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    let mut whole = Wire::new(Session::new(back));
    let mut cut = Wire::new(Session::new(back));
    let whole = whole.feed(format!("{head}5\r\nhello\r\n0\r\n\r\n")).take_text();
    let cut = cut.feed(format!("{head}5\r\n")).feed("hello\r\n0\r\n\r\n").take_text();
    assert_eq!(cut, whole);
    assert!(!cut.contains("connection: close"), "{cut}");
}

const EXPECT: &str = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";

/// At the write deadline the answer was thrown away, and a handler that was due in the same step had 100 written in
/// its place: the client read an answer with a forged end.
#[test]
fn nothing_is_written_after_the_write_deadline() {
    let mut limits = Limits::default();
    limits.minimum_rate = 0;
    let answer = async |mut request: Request| {
        if request.raw_path() == "/first" {
            return Ok::<_, Error>(Text("x".repeat(60_000)));
        }
        request.context().sleep(30 * SECOND).await;
        Ok(Text(request.bytes().await?.len().to_string()))
    };
    let mut wire = Wire::new(Session::with_limits(answer, Arc::new(limits)));
    wire.hold_output(true).feed(GET.replace("/ ", "/first ") + EXPECT);
    wire.take_at_most(wire.waiting() - 25);
    wire.advance(30 * SECOND).expect_reset();
    assert!(wire.take_at_most(100).is_empty());
}

/// A client that sends on while its cut answer waits for it is not read.
#[test]
fn an_aborted_connection_keeps_no_more_of_what_comes() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
        response.write("half").await?;
        request.context().sleep(SECOND).await;
        Err::<Sent, _>(Error::internal())
    }));
    wire.hold_output(true).feed(GET).advance(SECOND);
    assert!(wire.waiting() > 0);
    assert_eq!(wire.feed_politely(vec![b'x'; 1 << 20]), 0);
    // And a server that stops does not wait for it.
    wire.drain().advance(Limits::default().drain_time).expect_reset();
}

/// The bytes of a response were counted from the connection's first one, or not at all; and where earlier output
/// had been thrown away, the sum went below nothing.
#[test]
fn a_record_counts_its_own_response() {
    type Records = Arc<Mutex<Vec<(Option<u16>, u64, bool)>>>;
    let answer = async |request: Request| -> Result<Response> {
        match request.raw_path() {
            "/stuck" => request.context().sleep(HOUR).await,
            "/cut" => {
                let mut pieces = vec![Err("no disk".into()), Ok(Bytes::from_static(b"half"))];
                return Ok(Response::new(Body::from_fn(move |_| Poll::Ready(pieces.pop()))));
            }
            "/written" => {
                let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
                response.write("one").await?;
                request.context().sleep(HOUR).await;
            }
            _ => {}
        }
        Ok(Response::new("hello"))
    };
    let watched = || {
        let records: Records = Arc::default();
        let noted = records.clone();
        let observer = Arc::new(move |event: &Event<'_>| {
            if let Event::RequestEnded(record) = event {
                let status = record.status.map(|status| status.as_u16());
                noted.lock().unwrap().push((status, record.bytes, record.is_complete));
            }
        });
        (Wire::new(Session::new(answer).observer(observer)), records)
    };
    let get = |path: &str| GET.replace("/ ", &format!("{path} "));

    let (mut wire, records) = watched();
    let whole = wire.feed(GET).take_text().len() as u64;
    wire.feed(get("/stuck")).advance(SECOND).reset();
    assert_eq!(*records.lock().unwrap(), [(Some(200), whole, true), (None, 0, false)]);

    let (mut wire, records) = watched();
    let cut = wire.feed(get("/cut")).take_text().len() as u64;
    assert_eq!(*records.lock().unwrap(), [(Some(200), cut, false)]);

    let (mut wire, records) = watched();
    wire.hold_output(true).feed(GET.to_owned() + &get("/written")).advance(60 * SECOND);
    wire.expect_reset();
    assert_eq!(records.lock().unwrap().len(), 2);
    assert!(records.lock().unwrap()[1].1 < 1_000, "{records:?}");
}

/// What a handler had read of a body was announced once more with the rest.
#[test]
fn the_rest_of_a_body_goes_back_whole() {
    let rest = |mut request: Request| async move {
        let first = request.chunk().await;
        assert_eq!(first.unwrap().unwrap(), "bara ");
        Response::new(request.into_body())
    };
    let mut wire = Wire::new(Session::new(rest));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nbara ").feed("brith");
    let answer = wire.take_text();
    assert!(answer.contains("content-length: 5\r\n") && answer.ends_with("\r\n\r\nbrith"), "{answer}");
    wire.expect_open();
}

/// A middleware that looked at the body left an empty one, and handlers took it for what the client had sent.
#[test]
fn a_body_that_middleware_has_read_is_there_for_the_handler() {
    async fn signed(mut request: Request, next: Next) -> Result<Response> {
        let (first, again) = (request.bytes().await?, request.text().await?);
        assert_eq!(first, again);
        Ok(next.run(request).await)
    }
    async fn tell(mut request: Request) -> Result<Text<String>> {
        let text = request.text().await?;
        let sum = request.body().trailers().and_then(|trailers| trailers.get("x-sum").cloned());
        Ok(Text(format!("{text} {sum:?}")))
    }
    let app = App::new().middleware(signed).route("/", bakestone::post(tell)).build().unwrap();
    let mut wire = Wire::new(Session::new(app));
    for (framing, answer) in [
        ("Content-Length: 3\r\n\r\none", "one None"),
        ("Content-Length: 0\r\n\r\n", " None"),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\nX-Sum: 7\r\n\r\n", "one Some(\"7\")"),
    ] {
        let text = wire.feed(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}")).take_text();
        assert!(text.ends_with(&format!("\r\n\r\n{answer}")), "{framing}: {text}");
    }
}

/// `format!("{error}")`, the first thing that an error handler writes, told the client what is inside.
#[test]
fn an_error_as_text_is_what_the_client_may_read() {
    let error = Error::internal().with_source("the password is hunter2");
    assert_eq!(error.to_string(), "500: Internal Server Error");
    assert_eq!(format!("{error:#}"), "500: Internal Server Error (the password is hunter2)");
}

/// A reference to a request could not be kept across an await.
#[test]
fn what_handlers_hold_may_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<(Request, Response, Body, Next)>();
}
