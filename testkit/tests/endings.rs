//! How an exchange ends before its time: drains, clients that go away, panics, what cannot be sent.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod observed;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bakestone::machine::Phase;
use bakestone::message::OnDisconnect;
use bakestone::{HeaderMap, HeaderValue, Request, Response, Session, StatusCode, Text, header};
use bakestone_testkit::Wire;

use observed::observed;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
fn an_idle_connection_drains_at_once_and_a_busy_one_after_its_answer() {
    let slow = async |request: Request| {
        request.context().sleep(SECOND).await;
        Text("late")
    };
    // Before the first request there is nothing to linger for.
    let mut wire = Wire::new(Session::new(slow));
    wire.drain().expect_silence().expect_closed();

    // After one, lingering is counted from the last byte that left.
    for (idle, lingers) in [(0, 5), (2, 3), (5, 0), (14, 0)] {
        let mut wire = Wire::new(Session::new(slow));
        wire.feed(GET).advance(SECOND + idle * SECOND);
        assert!(wire.take_text().ends_with("late"));
        wire.drain().expect_silence();
        if lingers > 0 {
            wire.advance(lingers * SECOND - Duration::from_millis(1)).expect_lingering();
            wire.advance(Duration::from_millis(1));
        }
        wire.expect_silence().expect_closed();
    }

    let mut wire = Wire::new(Session::new(slow));
    wire.feed(GET).drain().expect_silence();
    wire.advance(SECOND);
    let text = wire.take_text();
    assert!(text.contains("\r\nconnection: close\r\n") && text.ends_with("late"), "{text}");
    wire.finish();
    wire.expect_closed();
}

#[test]
fn a_drain_ends_at_its_deadline_whatever_runs() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        request.context().sleep(HOUR).await;
        Text("late")
    }));
    wire.feed(GET).drain();
    wire.advance(10 * SECOND - Duration::from_millis(1)).expect_silence();
    assert_eq!(wire.phase(), Phase::Open);
    wire.advance(Duration::from_millis(1));
    wire.expect_reset();
}

#[test]
fn an_endless_response_is_told_that_the_server_stops() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let response = request.respond(StatusCode::OK, HeaderMap::new())?;
        request.context().draining().await;
        response.finish().await
    }));
    wire.feed(GET).take();
    wire.drain().expect("0\r\n\r\n");
}

/// A handler that counts how often it began and how often it came to its end.
fn counting(policy: Option<OnDisconnect>) -> (impl Fn(Request) -> CountingFuture, Arc<AtomicUsize>) {
    let ended = Arc::new(AtomicUsize::new(0));
    let count = ended.clone();
    let handler = move |request: Request| -> CountingFuture {
        let count = count.clone();
        Box::pin(async move {
            if let Some(policy) = policy {
                request.context().on_disconnect(policy);
            }
            let context = request.context();
            // Ends early if it is told.
            let _ = context.timeout(HOUR, context.disconnected()).await;
            count.fetch_add(1, Ordering::Relaxed);
            Text("done")
        })
    };
    (handler, ended)
}

type CountingFuture = std::pin::Pin<Box<dyn Future<Output = Text<&'static str>> + Send>>;

#[test]
fn a_client_that_is_gone_cancels_by_policy() {
    let get = GET.to_owned();
    for (name, request, policy, at_once, after_an_hour) in [
        ("safe methods are cancelled", &get, None, 0, 0),
        ("others finish, and may ask", &post(0), None, 1, 1),
        ("Cancel", &post(0), Some(OnDisconnect::Cancel), 0, 0),
        ("Notify", &get, Some(OnDisconnect::Notify), 1, 1),
        ("Finish", &get, Some(OnDisconnect::Finish), 0, 1),
    ] {
        let (handler, ended) = counting(policy);
        let mut wire = Wire::new(Session::new(handler));
        wire.feed(request).reset();
        assert_eq!(ended.load(Ordering::Relaxed), at_once, "{name}, at once");
        wire.advance(HOUR);
        assert_eq!(ended.load(Ordering::Relaxed), after_an_hour, "{name}, in the end");
        wire.expect_closed();
    }
}

#[test]
fn a_handler_that_panics_is_answered_for() {
    let (mut wire, events) = observed(|_: Request| -> Text<&'static str> { panic!("on purpose") });
    wire.feed(GET);
    assert!(wire.take_text().starts_with("HTTP/1.1 500 "));
    wire.expect_open();
    let (mut other, later) = observed(async |request: Request| -> Text<&'static str> {
        request.context().sleep(SECOND).await;
        panic!("later on purpose")
    });
    other.feed(GET).advance(SECOND);
    assert!(other.take_text().starts_with("HTTP/1.1 500 "));
    for (events, message) in [(events, "on purpose"), (later, "later on purpose")] {
        let events = events.lock().unwrap();
        assert_eq!(*events, [format!("Panicked(Handler, {message:?})")]);
    }
}

#[test]
fn a_panic_in_the_drop_of_a_handler_is_caught_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("in the drop");
            }
        }
    }
    let (mut wire, events) = observed(async |request: Request| {
        let bomb = Bomb;
        request.context().sleep(HOUR).await;
        std::mem::forget(bomb);
        Text("never")
    });
    wire.feed(GET).reset();
    wire.expect_closed();
    assert_eq!(*events.lock().unwrap(), ["Panicked(Drop, \"in the drop\")"]);
}

#[test]
fn a_response_that_cannot_be_sent_is_500() {
    let (mut wire, events) = observed(|_: Request| {
        Response::new("x").with_header(header::TRANSFER_ENCODING, HeaderValue::from_static("gzip"))
    });
    wire.feed(GET);
    assert!(wire.take_text().starts_with("HTTP/1.1 500 "));
    assert!(events.lock().unwrap()[0].contains("FramingField"));
}
