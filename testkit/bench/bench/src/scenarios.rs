//! What is asked for, and what must come.
//!
//! The rule: the bytes that are looked at when a server is checked are those that it is measured with.

use serde_json::{Value, json};

use crate::peers::{Kind, Peer};

/// How many connections keep a request on its way.
const CONNECTIONS: usize = 64;
/// The same where each request is large.
const FEW: usize = 8;
/// Requests that are sent at once.
const PIPELINED: usize = 16;

/// The fields that a browser sends for a page, but for `Host`.
const BROWSER: &str = "\
Connection: keep-alive\r\n\
Cache-Control: max-age=0\r\n\
sec-ch-ua: \"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n\
sec-ch-ua-mobile: ?0\r\n\
sec-ch-ua-platform: \"Linux\"\r\n\
Upgrade-Insecure-Requests: 1\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n\
Sec-Fetch-Site: same-origin\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-User: ?1\r\n\
Sec-Fetch-Dest: document\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Accept-Language: en-GB,en-US;q=0.9,en;q=0.8\r\n\
Cookie: session=4f7c1b0e9a2d48c6b3e5d7f8a1c2e3b4; theme=dark; consent=necessary\r\n";

/// What the body of an answer must be.
#[derive(Debug)]
pub(crate) enum Body {
    /// These bytes, with a media type that begins so; none is asked for where it is empty.
    Bytes { media_type: &'static str, bytes: Vec<u8> },
    /// This value, in whatever order its members come.
    Json(Value),
    /// The page of the HTML workload, with the time in `x-time`.
    Page,
}

/// One thing that servers are measured at.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What it is called in the command.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) about: &'static str,
    /// The bytes that are sent at once.
    pub(crate) request: Vec<u8>,
    /// How many requests they are.
    pub(crate) pipelined: usize,
    pub(crate) connections: usize,
    pub(crate) body: Body,
    /// Whether the fixed answer of a floor is the right one.
    has_floor: bool,
}

impl Scenario {
    /// Whether the server can take part.
    pub(crate) fn is_for(&self, peer: &Peer) -> bool {
        self.has_floor || peer.kind != Kind::Floor
    }

    /// How long one request is.
    pub(crate) fn request_bytes(&self) -> usize {
        self.request.len() / self.pipelined
    }
}

fn request(method: &str, target: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = match body.len() {
        0 => String::new(),
        length => format!("Content-Length: {length}\r\n"),
    };
    let mut bytes =
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{fields}{length}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A scenario of one GET.
fn get(name: &'static str, about: &'static str, target: &str, body: Body) -> Scenario {
    Scenario {
        name,
        about,
        request: request("GET", target, "", b""),
        pipelined: 1,
        connections: CONNECTIONS,
        body,
        has_floor: false,
    }
}

fn text(bytes: &str) -> Body {
    Body::Bytes { media_type: "text/plain", bytes: bytes.into() }
}

fn plaintext(name: &'static str, about: &'static str) -> Scenario {
    Scenario { has_floor: true, ..get(name, about, "/plaintext", text("Hello, World!")) }
}

fn pipelined() -> Scenario {
    let one = plaintext("pipelined", "plaintext, sixteen requests at once");
    Scenario { request: one.request.repeat(PIPELINED), pipelined: PIPELINED, ..one }
}

fn browser() -> Scenario {
    let request = request("GET", "/plaintext", BROWSER, b"");
    Scenario { request, ..plaintext("browser", "plaintext, with the header fields of a browser") }
}

fn api() -> Scenario {
    let fields = "Authorization: Bearer token\r\nContent-Type: application/json\r\n";
    let target = "/api/users/1/records/2?query=test";
    let body =
        json!({"params": {"user": 1, "record": 2}, "query": {"query": "test"}, "data": {"foo": "bar"}});
    Scenario {
        request: request("PUT", target, fields, br#"{"foo":"bar"}"#),
        ..get("api", "the API workload: PUT with path, query, a field and JSON", target, Body::Json(body))
    }
}

fn echo(name: &'static str, about: &'static str, length: usize, connections: usize) -> Scenario {
    let bytes: Vec<u8> = (0..length).map(|at| b'a' + (at % 23) as u8).collect();
    let fields = "Content-Type: application/octet-stream\r\n";
    Scenario {
        request: request("POST", "/echo", fields, &bytes),
        connections,
        ..get(name, about, "/echo", Body::Bytes { media_type: "application/octet-stream", bytes })
    }
}

/// All of them, in the order of the tables.
pub(crate) fn all() -> Vec<Scenario> {
    vec![
        plaintext("plaintext", "plaintext"),
        pipelined(),
        browser(),
        get("json", "JSON", "/json", Body::Json(json!({"message": "Hello, World!"}))),
        get("params", "two parameters of the path", "/users/ada/posts/17", text("ada 17")),
        get("html", "the HTML workload: a page and a field of its own", "/html", Body::Page),
        api(),
        echo("echo-1k", "echo of 1 KiB", 1 << 10, CONNECTIONS),
        echo("echo-1m", "echo of 1 MiB", 1 << 20, FEW),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_whole() {
        for scenario in all() {
            let one = &scenario.request[..scenario.request_bytes()];
            assert_eq!(one.repeat(scenario.pipelined), scenario.request, "{}", scenario.name);
            let end = one.windows(4).position(|four| four == b"\r\n\r\n").expect("a head ends");
            let head = String::from_utf8_lossy(&one[..end]).into_owned();
            // A server that is measured takes no more.
            assert!(head.lines().count() <= 1 + 16, "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let length = length.map_or(0, |length| length.parse().expect("a number"));
            assert_eq!(one.len(), end + 4 + length, "{}", scenario.name);
        }
    }
}
