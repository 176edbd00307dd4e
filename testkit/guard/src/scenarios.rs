//! What is sent in each turn, and what must come back.
//!
//! The rule: both sides get the same bytes, cut in the same places, and each has to answer them in full.

use crate::browser::BROWSER;

/// How many requests of the pipelined scenario come at once.
const PIPELINED: usize = 16;

const ORDER: &str = r#"{"id":17,"name":"bara brith","amounts":[2,5,12],"paid":true}"#;

const HANDSHAKE: &str = "\
GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Who the yardstick is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Yardstick {
    /// hyper's connection.
    Hyper,
    /// tungstenite's codec, which has no part in the handshake.
    Tungstenite,
}

/// One thing that is measured.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What it is called, here and in the file of ratios.
    pub(crate) name: &'static str,
    pub(crate) yardstick: Yardstick,
    /// What our side is sent before the first turn.
    pub(crate) opening: &'static [u8],
    /// What each turn sends.
    pub(crate) input: &'static [u8],
    /// What the output of each turn ends with.
    pub(crate) answer: &'static [u8],
    /// How many turns are measured.
    pub(crate) turns: u32,
}

impl Scenario {
    /// Requests whose answers are `answer`.
    fn http(name: &'static str, request: Vec<u8>, answer: &'static str) -> Self {
        Self {
            name,
            yardstick: Yardstick::Hyper,
            opening: b"",
            input: request.leak(),
            answer: answer.as_bytes(),
            turns: 500,
        }
    }
}

fn request(line: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{body}").into_bytes()
}

fn plaintext() -> Vec<u8> {
    request("GET /plaintext", "", "")
}

fn json() -> Scenario {
    let fields = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", ORDER.len());
    Scenario::http("json-echo", request("POST /json", &fields, ORDER), ORDER)
}

/// Ten chunks of 1 KiB, which come back as one body.
fn chunked() -> Scenario {
    let pieces: Vec<String> = ('a'..='j').map(|letter| letter.to_string().repeat(1 << 10)).collect();
    let mut body: String = pieces.iter().map(|piece| format!("400\r\n{piece}\r\n")).collect();
    body.push_str("0\r\n\r\n");
    let sent = request("POST /body", "Transfer-Encoding: chunked\r\n", &body);
    Scenario { turns: 200, ..Scenario::http("chunked", sent, pieces.concat().leak()) }
}

/// A text of 64 bytes, masked as a client has to (RFC 6455, section 5.3).
fn websocket() -> Scenario {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let text = "bara brith, Welsh cakes, crempog and laver bread for a long day.";
    let mut sent = vec![0x81, 0x80 | text.len() as u8];
    sent.extend(MASK);
    sent.extend(text.bytes().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    let mut answer = vec![0x81, text.len() as u8];
    answer.extend(text.bytes());
    Scenario {
        name: "websocket",
        yardstick: Yardstick::Tungstenite,
        opening: HANDSHAKE.as_bytes(),
        input: sent.leak(),
        answer: answer.leak(),
        turns: 1000,
    }
}

/// All of them, in the order of the file.
pub(crate) fn all() -> Vec<Scenario> {
    let hello = "Hello, World!";
    vec![
        Scenario::http("plaintext", plaintext(), hello),
        Scenario::http("browser", request("GET /plaintext", BROWSER, ""), hello),
        Scenario { turns: 100, ..Scenario::http("pipelined", plaintext().repeat(PIPELINED), hello) },
        Scenario::http("parameters", request("GET /users/ada/posts/17", "", ""), "ada 17"),
        json(),
        chunked(),
        websocket(),
    ]
}
