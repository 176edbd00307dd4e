//! Time that a handler asks for, and deadlines as clients meet them; `limits` has each of them from both sides.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::time::Duration;

use bakestone::{Error, Request, Session, Text};
use bakestone_testkit::Wire;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

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
