//! The test that the README shows.

use bakestone::{Request, Session, Text};
use bakestone_testkit::Wire;
use std::time::Duration;

async fn patient(request: Request) -> Text<&'static str> {
    request.context().sleep(Duration::from_secs(3600)).await;
    Text("It was worth it.")
}

#[test]
fn an_hour_takes_no_time() {
    let mut wire = Wire::new(Session::new(patient));
    wire.feed(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
    wire.expect_silence();
    wire.advance(Duration::from_secs(3600));
    assert!(wire.take_text().ends_with("It was worth it."));
}
