//! A session, seen from its two ends: the wire and the handler.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod observed;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bakestone::effect::{BlockingError, FileErrorKind, OpenMode};
use bakestone::error::Disconnected;
use bakestone::machine::{Machine, Read};
use bakestone::message::{BodyError, Sent};
use bakestone::{
    Body, Bytes, Error, HeaderMap, HeaderValue, Request, Response, Result, Session, StatusCode, Text, header,
};
use bakestone_testkit::{MemoryFiles, Wire};

use observed::observed;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);

fn hello(_: Request) -> Text<&'static str> {
    Text("hello")
}

async fn length(mut request: Request) -> Result<Text<String>> {
    Ok(Text(request.bytes().await?.len().to_string()))
}

async fn echo(request: Request) -> Response {
    Response::new(request.into_body())
}

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

// One request after another.

#[test]
fn a_request_is_answered_and_the_connection_kept() {
    let mut wire = Wire::new(Session::new(hello));
    for _ in 0..3 {
        wire.feed(GET);
        wire.expect(
            "HTTP/1.1 200 OK\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
             content-type: text/plain; charset=utf-8\r\ncontent-length: 5\r\n\r\nhello",
        );
        wire.expect_open();
    }
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let mut wire = Wire::new(Session::new(|request: Request| Text(request.path().into_owned())));
    wire.feed("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    let text = wire.take_text();
    let order: Vec<_> = ["/1", "/2", "/3"].iter().map(|path| text.find(path)).collect();
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{text}");
}

#[test]
fn a_pipelined_flood_is_served_in_bounded_steps() {
    let mut wire = Wire::new(Session::new(hello));
    wire.feed(GET.repeat(1000));
    assert_eq!(wire.take_text().matches("HTTP/1.1 200 OK").count(), 1000);
}

#[test]
fn a_client_that_says_close_is_answered_and_closed() {
    let mut wire = Wire::new(Session::new(hello));
    wire.feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(wire.take_text().contains("\r\nconnection: close\r\n"));
    wire.expect_lingering();
    wire.finish();
    wire.expect_closed();
}

#[test]
fn a_half_closed_client_still_gets_its_answer() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        request.context().sleep(SECOND).await;
        Text("late")
    }));
    wire.feed(GET).finish();
    wire.expect_silence();
    wire.advance(SECOND);
    assert!(wire.take_text().ends_with("late"));
    wire.expect_closed();
}

#[test]
fn head_is_answered_without_a_body_and_the_body_is_never_polled() {
    let mut wire = Wire::new(Session::new(|_: Request| {
        Response::new(Body::from_fn(|_| panic!("a body nobody gets was asked for")))
    }));
    wire.feed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let text = wire.take_text();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    wire.expect_open();
}

// Bodies on their way in.

#[test]
fn a_body_arrives_whole_however_it_is_framed() {
    for head in [
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
    ] {
        let mut wire = Wire::new(Session::new(length));
        wire.feed(format!("POST / HTTP/1.1\r\nHost: a\r\n{head}"));
        assert!(wire.take_text().ends_with("\r\n\r\n5"), "{head}");
        wire.expect_open();
    }
}

#[test]
fn nothing_is_read_for_a_handler_that_does_not_ask() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        request.context().sleep(SECOND).await;
        length(request).await
    }));
    wire.feed(post(100_000));
    // Read ahead, so that a hang-up is noticed; but no further.
    let fed = wire.feed_politely(vec![b'x'; 100_000]);
    assert!(fed <= (16 << 10) + (16 << 10), "{fed} bytes were taken for nobody");
    assert_eq!(wire.wants().read, Read::Pause);
    wire.advance(SECOND);
    wire.feed(vec![b'x'; 100_000 - fed]);
    assert!(wire.take_text().ends_with("100000"));
}

#[test]
fn the_client_is_told_to_go_on_when_the_handler_asks_for_the_body() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        request.context().sleep(SECOND).await;
        length(request).await
    }));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    wire.expect_silence();
    wire.advance(SECOND);
    wire.expect("HTTP/1.1 100 Continue\r\n\r\n");
    wire.feed("ok");
    assert!(wire.take_text().ends_with("\r\n\r\n2"));
    wire.expect_open();
}

/// A response that begins before the body is there has asked for it all the same: it hands the body on, or
/// reads it between two writes. The client is told to go on first, since after the final head it could not be.
#[test]
fn the_client_is_told_to_go_on_before_the_head_of_an_answer_that_reads_on() {
    async fn written(mut request: Request) -> Result<Sent> {
        let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
        while let Some(chunk) = request.chunk().await? {
            response.write(chunk).await?;
        }
        Ok(response.finish().await?)
    }
    fn check<S: bakestone::Service>(session: Session<S>) {
        let mut wire = Wire::new(session);
        wire.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        wire.expect_start("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n");
        wire.feed("ok");
        assert!(wire.take_text().contains("ok"));
        wire.expect_open();
    }
    check(Session::new(echo));
    check(Session::new(written));
}

#[test]
fn a_body_that_is_announced_too_long_is_refused_before_it_is_sent() {
    let mut wire = Wire::new(Session::new(length));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\nExpect: 100-continue\r\n\r\n");
    let text = wire.take_text();
    assert!(text.starts_with("HTTP/1.1 413 ") && text.contains("\r\nconnection: close\r\n"), "{text}");
    assert!(text.ends_with("buffered_body_bytes is 2097152, and at least 3000000 were sent"), "{text}");
    wire.expect_lingering();
}

#[test]
fn a_body_that_breaks_off_never_looks_complete() {
    let seen = Arc::new(Mutex::new(None));
    let noted = seen.clone();
    let mut wire = Wire::new(Session::new(move |mut request: Request| {
        let noted = noted.clone();
        async move {
            *noted.lock().unwrap() = Some(request.bytes().await);
            Text("so be it")
        }
    }));
    wire.feed(post(10)).feed("half").finish();
    let seen = seen.lock().unwrap().take();
    assert!(matches!(seen, Some(Err(BodyError::Disconnected(Disconnected::Finished)))), "{seen:?}");
    // The client may still read, so it is answered.
    assert!(wire.take_text().ends_with("so be it"));
    wire.expect_closed();
}

#[test]
fn a_broken_chunk_reaches_the_reader_as_a_refusal_and_the_client_as_400() {
    let mut wire = Wire::new(Session::new(length));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nheXX0\r\n\r\n");
    assert!(wire.take_text().starts_with("HTTP/1.1 400 "));
    wire.expect_lingering();
}

#[test]
fn trailers_are_there_after_the_end() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        while request.chunk().await?.is_some() {}
        let trailers = request.body().trailers().unwrap_or_default();
        Ok::<_, Error>(Text(format!("{:?}", trailers.get("x-sum"))))
    }));
    wire.feed(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
    assert!(wire.take_text().ends_with("Some(\"7\")"));
}

#[test]
fn an_unread_body_is_drained_if_it_is_short_and_closes_the_connection_if_not() {
    let mut wire = Wire::new(Session::new(hello));
    wire.feed(post(1000));
    assert!(!wire.take_text().contains("connection: close"));
    wire.feed(vec![b'x'; 1000]).feed(GET);
    assert!(wire.take_text().ends_with("hello"));
    wire.expect_open();

    wire.feed(post(100_000));
    assert!(wire.take_text().contains("\r\nconnection: close\r\n"));
    wire.expect_lingering();
    // What still comes is discarded, so that the answer is not lost to a reset.
    wire.feed(vec![b'x'; 100_000]);
    wire.expect_lingering();
    assert!(wire.io().input.is_empty());
    wire.finish();
    wire.expect_closed();
}

#[test]
fn a_body_that_was_kept_never_reads_the_next_request() {
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let mut wire = Wire::new(Session::new(move |request: Request| {
        *keep.lock().unwrap() = Some(request.into_body());
        Text("kept")
    }));
    wire.feed(post(3)).feed("abc").feed(post(3)).feed("def");
    let mut body: Body = kept.lock().unwrap().take().unwrap();
    let poll = body.poll_chunk(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    assert!(matches!(poll, Poll::Ready(Err(BodyError::Disconnected(Disconnected::Over)))), "{poll:?}");
}

// Bodies on their way out.

#[test]
fn a_body_is_echoed_as_it_arrives() {
    let mut wire = Wire::new(Session::new(echo));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    let text = wire.take_text();
    assert!(text.ends_with("\r\n\r\n3\r\none\r\n"), "{text}");
    wire.feed("3\r\ntwo\r\n");
    wire.expect("3\r\ntwo\r\n");
    wire.feed("0\r\n\r\n");
    wire.expect("0\r\n\r\n");
    wire.expect_open();
}

#[test]
fn a_stream_waits_for_a_slow_reader() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let mut wire = Wire::new(Session::new(move |_: Request| {
        let count = count.clone();
        Response::new(Body::from_fn(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; 4096]))))
        }))
    }));
    wire.hold_output(true);
    wire.feed(GET);
    assert_eq!(made.load(Ordering::Relaxed), 16, "64 KiB are kept for the peer, and no more");
    wire.take_at_most(8192);
    assert!(made.load(Ordering::Relaxed) <= 18 && made.load(Ordering::Relaxed) > 16);
}

#[test]
fn an_error_before_the_first_byte_is_a_response_and_after_it_a_cut() {
    let mut wire = Wire::new(Session::new(|_: Request| {
        Response::new(Body::from_fn(|_| Poll::Ready(Some(Err("no disk".into())))))
    }));
    wire.feed(GET);
    let text = wire.take_text();
    assert!(text.starts_with("HTTP/1.1 500 ") && !text.contains("disk"), "{text}");
    wire.expect_open();

    let mut first = true;
    let (mut wire, events) = observed(move |_: Request| {
        Response::new(Body::from_fn(move |_| {
            Poll::Ready(Some(match std::mem::take(&mut first) {
                true => Ok(Bytes::from_static(b"half")),
                false => Err("no disk".into()),
            }))
        }))
    });
    wire.feed(GET);
    wire.expect_reset();
    assert!(events.lock().unwrap().iter().any(|event| event.contains("no disk")));
}

#[test]
fn a_stream_that_breaks_its_word_is_cut() {
    struct Liar(u8);
    impl bakestone::message::BodyStream for Liar {
        fn poll_chunk(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<Bytes, bakestone::error::BoxError>>> {
            self.0 += 1;
            Poll::Ready((self.0 < 3).then(|| Ok(Bytes::from_static(b"12345"))))
        }
        fn length(&self) -> Option<u64> {
            Some(20)
        }
    }
    let (mut wire, events) = observed(|_: Request| Response::new(Body::from_stream(Liar(0))));
    wire.feed(GET);
    wire.expect_reset();
    assert!(events.lock().unwrap().iter().any(|event| event.contains("EndedShort")), "{events:?}");
}

// Written while the handler runs.

async fn countdown(request: Request) -> Result<Sent> {
    let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
    for left in (1..=3).rev() {
        response.write(format!("{left}")).await?;
        request.context().sleep(SECOND).await;
    }
    Ok(response.finish().await?)
}

#[test]
fn a_handler_writes_while_it_runs() {
    let mut wire = Wire::new(Session::new(countdown));
    wire.feed(GET);
    let text = wire.take_text();
    assert!(
        text.contains("\r\ntransfer-encoding: chunked\r\n") && text.ends_with("\r\n\r\n1\r\n3\r\n"),
        "{text}"
    );
    wire.advance(SECOND).expect("1\r\n2\r\n");
    wire.advance(SECOND).expect("1\r\n1\r\n");
    wire.advance(SECOND).expect("0\r\n\r\n");
    wire.expect_open();
}

#[test]
fn a_writer_that_is_dropped_cuts_the_message_off() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
        response.write("half").await?;
        request.context().sleep(SECOND).await;
        Result::<Sent>::Err(Error::internal())
    }));
    wire.feed(GET);
    assert!(wire.take_text().ends_with("4\r\nhalf\r\n"));
    wire.advance(SECOND);
    wire.expect_reset();
}

#[test]
fn a_writer_that_never_reached_the_wire_gives_way_to_the_error() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let mut response = request.respond_sized(StatusCode::OK, HeaderMap::new(), 3)?;
        response.write("four").await?;
        Ok::<_, Error>(response.finish().await?)
    }));
    wire.feed(GET);
    assert!(wire.take_text().starts_with("HTTP/1.1 500 "));
    wire.expect_open();
}

#[test]
fn writing_waits_for_room_and_takes_the_whole_or_nothing() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let mut wire = Wire::new(Session::new(move |request: Request| {
        let count = count.clone();
        async move {
            let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
            for _ in 0..100 {
                response.write(Bytes::from_static(&[b'x'; 4096])).await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            response.finish().await
        }
    }));
    wire.hold_output(true);
    wire.feed(GET);
    let waiting = written.load(Ordering::Relaxed) * 4096;
    assert!((64 << 10..=160 << 10).contains(&waiting), "{waiting} bytes were written for nobody");
    let mut body = 0;
    while written.load(Ordering::Relaxed) < 100 || wire.waiting() > 0 {
        body += wire.take_at_most(1000).iter().filter(|&&byte| byte == b'x').count();
    }
    assert_eq!(body, 100 * 4096);
}

// Another protocol.

#[test]
fn after_a_switch_the_connection_is_the_handlers() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let mut headers = HeaderMap::new();
        headers.insert(header::UPGRADE, HeaderValue::from_static("shout"));
        let mut tunnel = request.respond(StatusCode::SWITCHING_PROTOCOLS, headers)?;
        while let Some(data) = request.chunk().await? {
            tunnel.write(data.to_ascii_uppercase()).await?;
        }
        tunnel.write("bye").await?;
        Ok::<_, Error>(tunnel.finish().await?)
    }));
    // The first bytes of the new protocol come with the head.
    wire.feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\nearly");
    let text = wire.take_text();
    assert!(
        text.starts_with("HTTP/1.1 101 Switching Protocols\r\n") && text.ends_with("\r\n\r\nEARLY"),
        "{text}"
    );
    wire.feed("late").expect("LATE");
    wire.finish().expect("bye");
    wire.expect_closed();
}

// Effects.

#[test]
fn files_are_effects_that_a_test_answers() {
    async fn copy(request: Request) -> Result<Text<String>> {
        let context = request.context();
        let mut from = context.open("in.txt", OpenMode::Read).await?;
        let mut to = context.open("out.txt", OpenMode::CreateNew).await?;
        let mut copied = 0;
        loop {
            let data = from.read().await?;
            if data.is_empty() {
                break;
            }
            copied += data.len();
            to.write(data).await?;
        }
        let kind = context.open("none.txt", OpenMode::Read).await.err().map(|error| error.kind);
        assert_eq!(kind, Some(FileErrorKind::NotFound));
        Ok(Text(copied.to_string()))
    }
    let files = MemoryFiles::new().with("in.txt", vec![b'x'; 100_000]);
    let mut wire = Wire::new(Session::new(copy));
    wire.files(files.clone());
    wire.feed(GET);
    assert!(wire.take_text().ends_with("\r\n\r\n100000"));
    assert_eq!(files.get("out.txt").map(|bytes| bytes.len()), Some(100_000));
}

#[test]
fn an_effect_that_the_driver_drops_is_an_error_and_not_a_hang() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let context = request.context();
        let file = context.open("in.txt", OpenMode::Read).await.err().map(|error| error.kind);
        let blocking = context.blocking(|| 1).await;
        Text(format!("{file:?} {}", blocking == Err(BlockingError::Unanswered)))
    }));
    wire.hold_effects(true);
    wire.feed(GET);
    drop(wire.take_held());
    wire.settle();
    drop(wire.take_held());
    wire.settle();
    assert!(wire.take_text().ends_with("Some(Unsupported) true"));
}

#[test]
fn a_blocking_job_answers_from_elsewhere() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let value = request.context().blocking(|| 6 * 7).await?;
        Ok::<_, Error>(Text(value.to_string()))
    }));
    wire.feed(GET);
    assert!(wire.take_text().ends_with("\r\n\r\n42"));
}

#[test]
fn a_session_is_a_machine_behind_a_pointer() {
    let boxed: Box<dyn Machine> = Box::new(Session::new(hello));
    let mut wire = Wire::new(boxed);
    wire.feed(GET);
    assert!(wire.take_text().ends_with("hello"));
}
