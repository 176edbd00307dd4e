//! The two profiles that answer any method on any path, for suites of raw HTTP/1.1.
//!
//! The rule: they judge nothing, and answer once they have the whole body; so whatever is wrong with a request is
//! refused by the toolkit, with a status that a suite can see.

use std::fmt::Write;

use bakestone::{Bytes, HeaderMap, Json, Request, Result, Text};
use serde_json::{Value, json};

/// Answers 200 with the body of the request.
///
/// # Errors
///
/// What reading the body fails with: 413 past 2 MiB.
pub(crate) async fn echo(mut request: Request) -> Result<Text<Bytes>> {
    Ok(Text(request.bytes().await?))
}

/// Answers 200 with what was understood: `{"method","target","headers":[[name,value]],"body_hex"}`.
///
/// The fields of one name are in the order received. A byte of a value is one
/// character, whatever the value's encoding was.
///
/// # Errors
///
/// What reading the body fails with: 413 past 2 MiB.
pub(crate) async fn inspect(mut request: Request) -> Result<Json<Value>> {
    let body = request.bytes().await?;
    Ok(Json(json!({
        "method": request.method().as_str(),
        "target": request.uri().to_string(),
        "headers": pairs(request.headers()),
        "body_hex": hex(&body),
    })))
}

pub(crate) fn pairs(headers: &HeaderMap) -> Vec<(&str, String)> {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_bytes().iter().map(|&byte| char::from(byte)).collect()))
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // A `String` takes all that is written to it.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use bakestone::Session;
    use bakestone_testkit::Wire;

    use super::*;

    fn inspected(request: &[u8]) -> Value {
        let mut wire = Wire::new(Session::new(inspect));
        wire.feed(request);
        let answer = wire.take_text();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn echo_takes_any_method_and_path() {
        let cases = [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
            ("PUT /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n<b>x", "<b>x"),
            ("BREW /pot HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n!", "!"),
            ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ""),
            ("POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", "ab"),
        ];
        for (request, body) in cases {
            let mut wire = Wire::new(Session::new(echo));
            wire.feed(request).expect_open();
            let answer = wire.take_text();
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{request}\n{answer}");
            assert!(
                answer.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"),
                "{request}\n{answer}"
            );
            assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{request}\n{answer}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused_in_the_body_too() {
        let chunked = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut wire = Wire::new(Session::new(echo));
        wire.feed(chunked).feed("3\r\none\r\n").expect_silence();
        wire.feed("0\r\n\r\n");
        assert!(wire.take_text().ends_with("\r\n\r\none"));
        wire.feed(chunked).feed("3\r\none\r\nx").expect_start("HTTP/1.1 400 ");
        for request in ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] {
            Wire::new(Session::new(echo)).feed(request).expect_start("HTTP/1.1 400 ");
        }
    }

    /// CONNECT has no body, so the tunnel that its 200 opens ends at once.
    #[test]
    fn a_connect_is_answered_in_both() {
        let request = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
        let mut wire = Wire::new(Session::new(echo));
        wire.feed(request).expect_start("HTTP/1.1 200 OK\r\n").expect_lingering();
        let told = inspected(request.as_bytes());
        assert_eq!((&told["method"], &told["target"]), (&json!("CONNECT"), &json!("a:443")));
    }

    #[test]
    fn inspect_tells_what_was_understood() {
        let told = inspected(
            b"PATCH /a%20b?c=%3Cd HTTP/1.1\r\nHost: a\r\nX-Two: 1\r\nOther: \xff\r\nX-TWO:  2 \r\n\
              Transfer-Encoding: chunked\r\n\r\n\
              3\r\n\x00\xff<\r\n0\r\n\r\n",
        );
        assert_eq!(told["method"], "PATCH");
        assert_eq!(told["target"], "/a%20b?c=%3Cd");
        assert_eq!(told["body_hex"], "00ff3c");
        let headers = told["headers"].as_array().unwrap();
        let two: Vec<&Value> =
            headers.iter().filter(|pair| pair[0] == "x-two").map(|pair| &pair[1]).collect();
        assert_eq!(two, ["1", "2"]);
        assert!(headers.contains(&json!(["host", "a"])), "{told}");
        assert!(headers.contains(&json!(["other", "\u{ff}"])), "{told}");
    }
}
