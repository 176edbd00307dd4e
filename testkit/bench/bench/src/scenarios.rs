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

/// The workloads that are measured beside toolkits of Python.
const IN_PYTHON: [&str; 3] = ["html", "api", "upload"];

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
    /// These bytes as text.
    Text(&'static str),
    /// So many bytes of [`filler`].
    Filler(usize),
    /// This value, in whatever order its members come.
    Json(Value),
    /// The page of the HTML workload, with the time in `x-time`.
    Page,
    /// The path of a file that holds so many bytes of [`filler`].
    Saved(usize),
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
    /// How long the file is that is asked for, below `/static`, in bytes.
    pub(crate) file: Option<usize>,
    /// Whether the fixed answer of a floor is the right one.
    has_floor: bool,
}

impl Scenario {
    /// Whether the server has a row in the table.
    pub(crate) fn is_for(&self, peer: &Peer) -> bool {
        match peer.kind {
            Kind::Floor => self.has_floor,
            Kind::Python => IN_PYTHON.contains(&self.name),
            Kind::Own | Kind::Other => true,
        }
    }

    /// How long one request is.
    pub(crate) fn request_bytes(&self) -> usize {
        self.request.len() / self.pipelined
    }

    /// How many bytes one request moves at least.
    pub(crate) fn moved_bytes(&self) -> usize {
        self.request_bytes() + self.file.unwrap_or(0)
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
        file: None,
        has_floor: false,
    }
}

/// Bytes that differ from their neighbours.
pub(crate) fn filler(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at % 23) as u8).collect()
}

fn plaintext(name: &'static str, about: &'static str) -> Scenario {
    Scenario { has_floor: true, ..get(name, about, "/plaintext", Body::Text("Hello, World!")) }
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
    let fields = "Content-Type: application/octet-stream\r\n";
    Scenario {
        request: request("POST", "/echo", fields, &filler(length)),
        connections,
        ..get(name, about, "/echo", Body::Filler(length))
    }
}

/// A request whose body is a form with one file.
fn form(target: &str, length: usize) -> Vec<u8> {
    let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(&filler(length));
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    request("POST", target, &format!("Content-Type: multipart/form-data; boundary={boundary}\r\n"), &body)
}

fn upload() -> Scenario {
    let length = 1 << 10;
    let about = "the upload workload: a form with a file of 1 KiB, which is saved";
    Scenario { request: form("/upload", length), ..get("upload", about, "/upload", Body::Saved(length)) }
}

fn multipart() -> Scenario {
    let length = 10 << 20;
    let part = json!({"name": "file", "filename": "file.txt", "content_type": "text/plain", "size": length});
    let about = "a form with a file of 10 MiB, which is counted";
    Scenario {
        request: form("/multipart-count", length),
        connections: FEW,
        ..get("multipart", about, "/multipart-count", Body::Json(json!({"parts": [part]})))
    }
}

/// What the file of a scenario is called.
pub(crate) fn file_name(length: usize) -> String {
    format!("{length}.bin")
}

fn file(name: &'static str, about: &'static str, length: usize, connections: usize) -> Scenario {
    let target = format!("/static/{}", file_name(length));
    Scenario { connections, file: Some(length), ..get(name, about, &target, Body::Filler(length)) }
}

/// All of them, in the order of the tables.
pub(crate) fn all() -> Vec<Scenario> {
    vec![
        plaintext("plaintext", "plaintext"),
        pipelined(),
        browser(),
        get("json", "JSON", "/json", Body::Json(json!({"message": "Hello, World!"}))),
        get("params", "two parameters of the path", "/users/ada/posts/17", Body::Text("ada 17")),
        get("html", "the HTML workload: a page and a field of its own", "/html", Body::Page),
        api(),
        echo("echo-1k", "echo of 1 KiB", 1 << 10, CONNECTIONS),
        echo("echo-1m", "echo of 1 MiB", 1 << 20, FEW),
        upload(),
        multipart(),
        file("static-1k", "a file of 1 KiB", 1 << 10, CONNECTIONS),
        // Few, so that what is under way when the time is up weighs little.
        file("static-100m", "a file of 100 MiB", 100 << 20, 2),
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
