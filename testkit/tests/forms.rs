//! Forms over a connection: its limits are those of the session, and the cut of the input is of no account.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::sync::Arc;

use bakestone::{App, Form, Limits, MultiMap, Session, Text, post};
use bakestone_testkit::{Wire, splits};

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.buffered_body_bytes = 20;
    limits.form_fields = 2;
    limits.form_field_bytes = 10;
    limits
}

fn wire() -> Wire<Session<bakestone::app::AppService>> {
    let show = |Form(form): Form<MultiMap>| Text(format!("{form:?}"));
    let app = App::new().route("/", post(show)).build().unwrap();
    Wire::new(Session::with_limits(app, Arc::new(limits())))
}

fn request(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn f04_f06_q11_the_limits_of_the_session_at_every_cut() {
    const FORM: &str = "application/x-www-form-urlencoded";
    for (content_type, body, status, text) in [
        (FORM, "a=%41+b&c", 200, r#"{"a": "A b", "c": ""}"#),
        (FORM, "", 200, "{}"),
        (FORM, "a&b&c", 413, "form_fields is 2, and at least 3 were sent"),
        (FORM, "a=345678901", 413, "form_field_bytes is 10, and at least 11 were sent"),
        (FORM, "a=3456789&b=3456789&&", 413, "buffered_body_bytes is 20, and at least 21 were sent"),
        (
            "text/plain",
            "a=1",
            415,
            "the content type must be `application/x-www-form-urlencoded` or `multipart/form-data`",
        ),
    ] {
        let request = request(content_type, body);
        for pieces in splits(request.as_bytes()) {
            let mut wire = wire();
            for piece in pieces {
                wire.feed(piece);
            }
            let answer = wire.take_text();
            assert!(answer.contains(&format!("HTTP/1.1 {status} ")), "{body}: {answer}");
            assert!(answer.ends_with(&format!("\r\n\r\n{text}")), "{body}: {answer}");
        }
    }
}
