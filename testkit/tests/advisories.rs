//! Security advisories of other servers and libraries, each as a test that bears its name.
//!
//! The rule: a test shows the input that did harm there, and that here it does none.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bakestone::app::AppService;
use bakestone::http::urlencoded::{self, Decoder};
use bakestone::{App, Error, Form, MultiMap, Query, Request, Result, Session, Text, get, post};
use bakestone_testkit::{Wire, splits};

const FORM: &str = "application/x-www-form-urlencoded";

/// What `request` is answered with by `app`, when it comes in these pieces.
fn answer<'a>(app: App, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut wire: Wire<Session<AppService>> = Wire::new(Session::new(app.build().unwrap()));
    for piece in pieces {
        wire.feed(piece);
    }
    wire.take_text()
}

fn post_request(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// How often memory was asked for to read `text`, and how much of it the fields kept, in bytes.
fn work(text: &[u8], at_once: Option<usize>) -> (usize, usize) {
    let (allocations, live) = (counting::allocations(), counting::live());
    let mut fields: Vec<(String, String)> = Vec::new();
    match at_once {
        None => fields.extend(urlencoded::parse(text).map(|(name, value)| (name.into(), value.into()))),
        Some(at_once) => {
            let mut decoder = Decoder::new(usize::MAX, usize::MAX);
            for piece in text.chunks(at_once) {
                decoder.push(piece, &mut fields).unwrap();
            }
            decoder.finish(&mut fields);
        }
    }
    (counting::allocations() - allocations, counting::live().saturating_sub(live))
}

/// python-multipart looked through all of the rest for `&` at each `;`. Here twice the input asks for memory twice as
/// often and keeps twice as much of it; and what makes no fields is so long that such looks would be felt.
#[test]
fn ghsa_5rvq_cxj2_64vf_a_query_is_parsed_in_linear_time() {
    for piece in ["a;", "a&", "a=b;", "a=b&", "=&", "&", "=", "%26", "%", "+", "a"] {
        let bytes = if piece.contains('&') { 1 << 15 } else { 1 << 19 };
        for at_once in [None, Some(usize::MAX), Some(1)] {
            let of = |bytes: usize| work(piece.repeat(bytes / piece.len()).as_bytes(), at_once);
            let ((asked, kept), (asked_twice, kept_twice)) = (of(bytes), of(2 * bytes));
            assert!(asked_twice <= 2 * asked + 16, "{piece}, {at_once:?}: {asked}, {asked_twice}");
            assert!(kept_twice <= 2 * kept + 4096, "{piece}, {at_once:?}: {kept}, {kept_twice}");
        }
    }
}

/// python-multipart took `;` for a separator, proxies and caches before it did not: a field could hide from them.
#[test]
fn ghsa_6jv3_5f52_599m_a_semicolon_separates_nothing() {
    let app = || {
        let query = |Query(query): Query<MultiMap>| Text(format!("{query:?}"));
        let form = |Form(form): Form<MultiMap>| Text(format!("{form:?}"));
        App::new().route("/", get(query).post(form))
    };
    for (text, expected) in [
        ("a=1;b=2&c=3", r#"{"a": "1;b=2", "c": "3"}"#),
        ("a;b", r#"{"a;b": ""}"#),
        ("a=1;a=2;a=3", r#"{"a": "1;a=2;a=3"}"#),
        (";", r#"{";": ""}"#),
        ("a=1%3Bb=2;&amp;b=4", r#"{"a": "1;b=2;", "amp;b": "4"}"#),
    ] {
        let query = format!("GET /?{text} HTTP/1.1\r\nHost: a\r\n\r\n");
        for request in [query, post_request(FORM, text)] {
            for pieces in splits(request.as_bytes()) {
                let answer = answer(app(), pieces);
                assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{request}\n{answer}");
            }
        }
    }
}

/// The limits of a form held where it was multipart, and not where it was urlencoded.
#[test]
fn cve_2026_54283_limits_hold_for_urlencoded_forms_too() {
    async fn by_hand(mut request: Request) -> Result<Text<String>> {
        Ok(Text(request.form().await?.len().to_string()))
    }
    let app = || {
        let count = |Form(form): Form<MultiMap>| Text(form.len().to_string());
        App::new().route("/", post(count)).route("/by-hand", post(by_hand))
    };
    let field = "a".repeat((1 << 20) + 1);
    for (body, status, text) in [
        ("a=1&".repeat(1_000), 200, "1000"),
        ("a=1&".repeat(1_001), 413, "form_fields is 1000, and at least 1001 were sent"),
        (field[1..].to_owned(), 200, "1"),
        (field, 413, "form_field_bytes is 1048576, and at least 1048577 were sent"),
        ("&".repeat((2 << 20) + 1), 413, "buffered_body_bytes is 2097152, and at least 2097153 were sent"),
    ] {
        for target in ["/", "/by-hand"] {
            let request = post_request(FORM, &body).replacen("POST /", &format!("POST {target}"), 1);
            for at_once in [request.len(), 1_000] {
                let answer = answer(app(), request.as_bytes().chunks(at_once));
                assert!(answer.contains(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
                assert!(answer.ends_with(&format!("\r\n\r\n{text}")), "{target}: {answer}");
            }
        }
    }
}

/// python-multipart took a negative length for a length, and read all there was at once.
#[test]
fn ghsa_v9pg_7xvm_68hf_a_negative_content_length_is_refused() {
    let calls = Arc::new(AtomicUsize::new(0));
    let app = || {
        let calls = calls.clone();
        let count = move |_: Request| {
            calls.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(Error::internal())
        };
        App::new().route("/", post(count))
    };
    for length in ["-1", "-0", "- 1", "-", "-5, 5", "5, -5", "-9223372036854775808", "-18446744073709551616"]
    {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nContent-Length: {length}\r\n\r\na=1&b=2"
        );
        for pieces in splits(request.as_bytes()) {
            let answer = answer(app(), pieces);
            assert!(answer.starts_with("HTTP/1.1 400 "), "{request}\n{answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{request}\n{answer}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{request}\n{answer}");
        }
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0, "no handler sees such a request");
}
