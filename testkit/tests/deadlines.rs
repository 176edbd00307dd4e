//! Every deadline comes at its time, on a clock that a test moves by hand.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::sync::Arc;
use std::time::Duration;

use bakestone::{Error, Limits, Request, Result, Session, Text};
use bakestone_testkit::Wire;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn hello(_: Request) -> Text<&'static str> {
    Text("hello")
}

async fn length(mut request: Request) -> Result<Text<String>> {
    Ok(Text(request.bytes().await?.len().to_string()))
}

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
fn an_hour_takes_no_time() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        request.context().sleep(HOUR).await;
        Text("It was worth it.")
    }));
    wire.feed(GET);
    wire.expect_silence();
    wire.expect_deadline_in(HOUR);
    wire.advance(HOUR);
    assert!(wire.take_text().ends_with("It was worth it."));
}

#[test]
fn a_timeout_gives_up_what_takes_longer() {
    let mut wire = Wire::new(Session::new(async |request: Request| {
        let context = request.context();
        let short = context.timeout(SECOND, context.sleep(HOUR)).await.is_err();
        let long = context.timeout(HOUR, context.sleep(SECOND)).await.is_ok();
        Text(format!("{short} {long}"))
    }));
    wire.feed(GET).advance(2 * SECOND);
    assert!(wire.take_text().ends_with("true true"));
}

/// What happens where nothing happens: the time, what is on the wire by then, and the fate of the connection.
#[test]
fn every_deadline_comes_at_its_time() {
    let begun = "GET / HTTP/1.1\r\nHo";
    let upload = post(10);
    for (name, input, seconds, status) in [
        ("head, from the accept", "", 10, "HTTP/1.1 408 "),
        ("head, from its first byte", begun, 10, "HTTP/1.1 408 "),
        ("body, rate", upload.as_str(), 10, "HTTP/1.1 408 "),
    ] {
        let mut wire = Wire::new(Session::new(length));
        wire.feed(input);
        wire.advance(Duration::from_secs(seconds) - Duration::from_millis(1));
        wire.expect_silence();
        wire.advance(Duration::from_millis(1));
        let text = wire.take_text();
        assert!(text.starts_with(status) && text.contains("\r\nconnection: close\r\n"), "{name}: {text}");
        wire.expect_lingering();
        wire.advance(Duration::from_secs(5));
        wire.expect_closed();
    }
}

#[test]
fn a_slow_head_is_not_saved_by_its_progress() {
    let mut wire = Wire::new(Session::new(hello));
    for byte in GET.bytes().take(10) {
        wire.feed([byte]).expect_silence();
        wire.advance(SECOND);
    }
    assert!(wire.take_text().starts_with("HTTP/1.1 408 "));
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let mut wire = Wire::new(Session::new(hello));
    wire.feed(GET).take();
    wire.expect_deadline_in(15 * SECOND);
    wire.advance(15 * SECOND);
    wire.expect_silence();
    wire.expect_closed();
}

#[test]
fn a_silent_body_is_cut_after_30_seconds_though_it_began_well() {
    let mut wire = Wire::new(Session::new(length));
    wire.feed(post(100_000)).feed(vec![b'x'; 50_000]);
    wire.advance(29 * SECOND).expect_silence();
    wire.advance(SECOND);
    assert!(wire.take_text().starts_with("HTTP/1.1 408 "));
}

#[test]
fn no_deadline_runs_for_a_body_that_nobody_waits_for() {
    let mut wire = Wire::new(Session::new(async |mut request: Request| {
        let context = request.context().clone();
        // The reader gives up, and asks again much later.
        let early = context.timeout(SECOND, request.chunk()).await.is_err();
        context.sleep(HOUR).await;
        let late = request.bytes().await?;
        Ok::<_, Error>(Text(format!("{early} {}", late.len())))
    }));
    wire.feed(post(2)).advance(HOUR).expect_silence();
    wire.feed("ok").advance(SECOND);
    assert!(wire.take_text().ends_with("true 2"));
}

#[test]
fn a_client_that_does_not_read_is_reset_at_the_write_deadline() {
    let mut wire = Wire::new(Session::new(|_: Request| vec![b'x'; 1 << 20]));
    wire.hold_output(true);
    wire.feed(GET);
    // The rate rules before the silence does.
    wire.expect_deadline_in(10 * SECOND);
    wire.advance(10 * SECOND);
    wire.expect_reset();
}

#[test]
fn a_handler_has_no_deadline_unless_it_is_given_one() {
    let mut limits = Limits::default();
    limits.handler_time = Some(SECOND);
    let slow = async |request: Request| {
        request.context().sleep(HOUR).await;
        Text("late")
    };
    let mut wire = Wire::new(Session::with_limits(slow, Arc::new(limits)));
    wire.feed(GET).advance(SECOND);
    assert!(wire.take_text().starts_with("HTTP/1.1 503 "));
    wire.expect_lingering();
}
