//! The row that tells all that was understood of a request.

use bakestone::{Json, Request, Result, Version};
use serde_json::{Value, json};

use super::forms::Checksum;
use crate::profiles::pairs;

pub(super) async fn inspect(mut request: Request) -> Result<Json<Value>> {
    let mut checksum = Checksum::default();
    while let Some(piece) = request.chunk().await? {
        checksum.add(&piece);
    }
    let trailers = request.body().trailers().unwrap_or_default();
    let (length, digest) = checksum.finish();
    let version = match request.version() {
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    };
    Ok(Json(json!({
        "method": request.method().as_str(),
        "path": request.path(),
        "raw_path": request.raw_path(),
        "raw_query": request.raw_query(),
        "query": request.query(),
        "headers": pairs(request.headers()),
        "cookies": request.cookies(),
        "http_version": version,
        "scheme": request.scheme(),
        "host": request.host(),
        "content_type": request.content_type(),
        "charset": request.charset(),
        "body_length": length,
        "body_sha256": digest,
        "trailers": pairs(&trailers),
    })))
}

#[cfg(test)]
mod tests {
    use super::super::tests::wire;
    use super::*;

    fn ask(request: &str) -> Value {
        let answer = wire().feed(request).take_text();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn all_that_was_understood() {
        let told = ask(
            "BREW http://example.com:81/insp%65ct?a=1&b=%C3%A9+x&a HTTP/1.1\r\nHost: example.com:81\r\nX-Two: 1\r\n\
             Cookie: a=1; b=2\r\nX-TWO:  2 \r\nCookie: a=3\r\nContent-Type: Text/HTML; Charset=\"UTF-8\"\r\n\
             Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-End: 1\r\nX-END: 2\r\n\r\n",
        );
        assert_eq!(
            told,
            json!({
                "method": "BREW",
                "path": "/inspect",
                "raw_path": "/insp%65ct",
                "raw_query": "a=1&b=%C3%A9+x&a",
                "query": [["a", "1"], ["b", "\u{e9} x"], ["a", ""]],
                "headers": [
                    ["host", "example.com:81"], ["x-two", "1"], ["x-two", "2"], ["cookie", "a=1; b=2"],
                    ["cookie", "a=3"], ["content-type", "Text/HTML; Charset=\"UTF-8\""],
                    ["transfer-encoding", "chunked"],
                ],
                "cookies": [["a", "1"], ["b", "2"], ["a", "3"]],
                "http_version": "1.1",
                "scheme": "http",
                "host": "example.com:81",
                "content_type": "text/html",
                "charset": "utf-8",
                "body_length": 3,
                "body_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "trailers": [["x-end", "1"], ["x-end", "2"]],
            })
        );
    }

    #[test]
    fn what_is_not_there_is_null_or_empty() {
        let told = ask("GET /inspect HTTP/1.0\r\n\r\n");
        assert_eq!(told["http_version"], "1.0");
        for name in ["raw_query", "host", "content_type", "charset"] {
            assert_eq!(told[name], Value::Null, "{name}");
        }
        for name in ["query", "headers", "cookies", "trailers"] {
            assert_eq!(told[name], json!([]), "{name}");
        }
        assert_eq!(told["body_length"], 0);
    }
}
