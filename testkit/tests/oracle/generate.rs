//! Messages that a peer may send, right and wrong, and what may happen to them on the way.

use crate::naive::response::Asked;
use crate::seed::Random;

/// Chooses the parts of messages.
pub(crate) struct Maker<'r> {
    random: &'r mut Random,
    /// One choice in so many is a wrong one; 0 is none.
    one_in: usize,
}

impl<'r> Maker<'r> {
    /// Half of all makers never choose what is wrong, so that whole pipelines are accepted.
    pub(crate) fn new(random: &'r mut Random) -> Self {
        let one_in = [0, 0, 12, 25][random.below(4)];
        Self { random, one_in }
    }

    fn any<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.get(self.random.below(from.len())).copied().unwrap_or_default()
    }

    fn is_odd(&mut self) -> bool {
        self.one_in > 0 && self.random.below(self.one_in) == 0
    }

    fn choose<'a>(&mut self, right: &[&'a str], wrong: &[&'a str]) -> &'a str {
        let from = if self.is_odd() { wrong } else { right };
        self.any(from)
    }

    fn one_time_in(&mut self, times: usize) -> bool {
        self.random.below(times) == 0
    }

    /// A few requests in a row.
    pub(crate) fn requests(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..=self.random.below(4) {
            self.request(&mut bytes);
        }
        bytes
    }

    fn request(&mut self, bytes: &mut Vec<u8>) {
        if self.one_time_in(8) {
            bytes.extend(b"\r\n");
        }
        let method = self.choose(METHODS, WRONG_METHODS);
        let (target, host) = self.target(method);
        let version =
            self.choose(VERSIONS, &["HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "http/1.1", "HTTP/1", "HTTP/1.x"]);
        let space = self.choose(&[" "], &["  ", "\t", ""]);
        let end = self.line_end();
        bytes.extend(format!("{method} {target}{space}{version}{end}").bytes());
        let mut lines = Vec::new();
        match self.is_odd() {
            false => lines.push(format!("Host: {host}")),
            true => {
                lines.extend(self.any(&["", "Host: a|Host: a", "Host : a"]).split('|').map(str::to_owned))
            }
        }
        if self.one_time_in(6) {
            lines.push(format!("Expect: {}", self.choose(EXPECTATIONS, &["200-ok", "100-continue, x"])));
        }
        let content = self.framing(&mut lines, !version.ends_with('0'));
        self.rest(lines, &content, bytes);
    }

    /// A target and the host that goes with it.
    fn target(&mut self, method: &str) -> (String, &'static str) {
        let wrong = self.is_odd();
        let target = match method {
            _ if wrong => self.any(WRONG_TARGETS),
            "CONNECT" => self.any(&["h:1", "[::1]:443", "H:00001"]),
            "OPTIONS" => self.any(&["*", "/"]),
            _ => self.any(TARGETS),
        };
        let wrong = self.is_odd();
        let host = match target {
            _ if wrong => self.any(WRONG_HOSTS),
            "h:1" | "H:00001" => self.any(&["h:1", "h", "H:01", "h:"]),
            "[::1]:443" | "https://[::1]:443" => self.any(&["[::1]", "[::1]:443"]),
            _ if target.contains("://") => self.any(&["h", "h:80", "H:", "h:080"]),
            _ => self.any(HOSTS),
        };
        (target.replace("{long}", &"a".repeat(30)), host)
    }

    /// A few responses in a row, and what they answer.
    pub(crate) fn responses(&mut self) -> (Vec<u8>, Vec<Asked>) {
        const ASKED: [Asked; 8] = [
            Asked::Get,
            Asked::Get,
            Asked::Get,
            Asked::Get,
            Asked::Head,
            Asked::Head,
            Asked::Connect,
            Asked::Upgrade,
        ];
        let (mut bytes, mut asked) = (Vec::new(), Vec::new());
        for _ in 0..=self.random.below(4) {
            asked.push(ASKED[self.random.below(ASKED.len())]);
            if self.one_time_in(8) {
                bytes.extend(b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n");
            }
            self.response(asked[asked.len() - 1], &mut bytes);
        }
        (bytes, asked)
    }

    fn response(&mut self, asked: Asked, bytes: &mut Vec<u8>) {
        let version = self.choose(VERSIONS, &["HTTP/2.0", "http/1.1", "HTTP/1.", "HTTP /1.1"]);
        let status = match asked {
            Asked::Upgrade => self.any(&["101", "200"]),
            _ => self.choose(STATUSES, &["101", "099", "20", "2000", "2x0", ""]),
        };
        let reason = self.choose(&[" OK", " ", " Not\tFound \u{e9}"], &["", " \0", "  \r"]);
        let end = self.line_end();
        bytes.extend(format!("{version} {status}{reason}{end}").bytes());
        let mut lines = Vec::new();
        let content = self.framing(&mut lines, !version.ends_with('0'));
        let without = matches!(status, "204" | "304" | "100" | "101") || asked == Asked::Head;
        self.rest(lines, if without { b"" } else { &content }, bytes);
    }

    /// All lines in some order, and what follows the head.
    fn rest(&mut self, mut lines: Vec<String>, content: &[u8], bytes: &mut Vec<u8>) {
        for _ in 0..self.random.below(4) {
            let own = self.choose(FIELDS, WRONG_FIELDS);
            lines.insert(self.random.below(lines.len() + 1), own.to_owned());
        }
        if self.one_time_in(12) {
            lines.extend((0..8).map(|number| format!("X-Many-{number}: {}", "m".repeat(number * 10))));
        }
        for line in lines.iter().filter(|line| !line.is_empty()) {
            bytes.extend(format!("{line}{}", self.line_end()).bytes());
        }
        bytes.extend(self.line_end().bytes());
        bytes.extend(content);
    }

    fn line_end(&mut self) -> &'static str {
        let sloppy = self.one_in > 0 && self.one_time_in(4 * self.one_in);
        if sloppy { self.any(&["\n", "\r", "\r\r\n", " \r\n"]) } else { "\r\n" }
    }

    /// The fields that frame a message, and its content.
    fn framing(&mut self, lines: &mut Vec<String>, is_11: bool) -> Vec<u8> {
        if self.is_odd() {
            lines.extend(self.any(WRONG_FRAMINGS).split('|').map(str::to_owned));
            return b"5\r\nhello\r\n0\r\n\r\n".to_vec();
        }
        match self.random.below(if is_11 { 4 } else { 2 }) {
            0 => Vec::new(),
            1 => {
                let content =
                    self.any(&["", "x", "hello", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "0\r\n\r\n"]);
                lines.push(format!(
                    "{}: {}{}",
                    self.any(LENGTH_NAMES),
                    self.any(&["", "0", "000"]),
                    content.len()
                ));
                content.as_bytes().to_vec()
            }
            _ => {
                lines.push(
                    self.any(&["Transfer-Encoding: chunked", "transfer-encoding:\tCHUNKED "]).to_owned(),
                );
                self.chunks()
            }
        }
    }

    /// Chunks, the last one and trailers.
    fn chunks(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..self.random.below(4) {
            let data = self.any(&["x", "hello", "\r\n0\r\n\r\n", "a chunk of thirty bytes, or so."]);
            let size =
                self.choose(&["{}", "0{}", "{X}", "00000000{}"], &["", "+{}", "0x{}", " {}", "{} ", "-1"]);
            let size = size.replace("{}", &format!("{:x}", data.len()));
            let size = size.replace("{X}", &format!("{:X}", data.len()));
            let extension = self.choose(EXTENSIONS, WRONG_EXTENSIONS);
            let end = self.choose(&["\r\n"], &["\n", "", "\r", "x\r\n"]);
            bytes.extend(format!("{size}{extension}{}{data}{end}", self.line_end()).bytes());
        }
        let last = self.choose(&["0", "00000", "0;last"], &["", "00000000000000000", "g", "0 "]);
        bytes.extend(format!("{last}{}", self.line_end()).bytes());
        for _ in 0..self.random.below(6).saturating_sub(3) {
            let trailer = self.choose(TRAILERS, WRONG_FIELDS);
            bytes.extend(format!("{trailer}{}", self.line_end()).bytes());
        }
        bytes.extend(self.line_end().bytes());
        bytes
    }
}

const METHODS: &[&str] =
    &["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "BREW-2", "get", "!"];
const WRONG_METHODS: &[&str] = &[
    "",
    "G\u{e9}T",
    "G(T",
    "GET\t",
    "\0",
    "A-METHOD-THAT-IS-MUCH-LONGER-THAN-ANY-THAT-SOMEBODY-HAS-REGISTERED-YET",
];
const VERSIONS: &[&str] =
    &["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.9"];
const TARGETS: &[&str] = &[
    "/",
    "/",
    "/a?b=c&d",
    "/%00/../{}|^[]",
    "/a?`",
    "//x//",
    "http://h/",
    "HTTP://H:80/x?y",
    "https://[::1]:443",
    "http://h?q",
    "/{long}",
];
const WRONG_TARGETS: &[&str] = &[
    "",
    "a",
    "*",
    "h:1",
    "ftp://h/",
    "a/b://h",
    "/a#b",
    "/\\",
    "/`",
    "/\"",
    "/<",
    "/\u{e9}",
    "/a b",
    "http://",
    "http:///a",
    "http://u@h/",
    "http://h:99999/",
    "http://h%20/",
    "http://i/",
    "https://h/",
    "http://[::1/",
    "/\x7f",
];
const HOSTS: &[&str] =
    &["h", "h", "example.com:80", "[::1]:8080", "[1:2::127.0.0.1]", "h:", "a_b", "h%20", "127.0.0.1"];
const WRONG_HOSTS: &[&str] = &[
    "",
    ":80",
    "a,b",
    "user@h",
    "h:65536",
    "h:+1",
    "[::g]",
    "[fe80::1%25eth0]",
    "h%2",
    "h/",
    "i",
    "[1:2:3:4:5:6:7]",
    "::1",
];
const EXPECTATIONS: &[&str] = &["100-continue", "100-Continue", ", 100-continue,", ""];
const LENGTH_NAMES: &[&str] = &["Content-Length", "content-length", "CONTENT-LENGTH"];
const WRONG_FRAMINGS: &[&str] = &[
    "Content-Length: +5",
    "Content-Length: -5",
    "Content-Length: 5, 5",
    "Content-Length:",
    "Content-Length: 0x5",
    "Content-Length: 5 5",
    "Content-Length: 9223372036854775807",
    "Content-Length: 9223372036854775808",
    "Content-Length: 18446744073709551621",
    "Content-Length: 5|Content-Length: 5",
    "Content-Length: 5|Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked|Content-Length: 5",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: gzip|Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip;q=1, chunked",
    "Transfer-Encoding: gzip|Expect: x",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked|Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding: ,chunked",
    "Transfer-Encoding:",
    "Transfer-Encoding: \u{b}chunked",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding: xchunked",
];
const FIELDS: &[&str] = &[
    "Connection: close",
    "Connection: keep-alive",
    "Connection: Keep-Alive",
    "Connection: keep-alive, x",
    "Connection: ,x",
    "Connection: upgrade",
    "Upgrade: echo",
    "Connection: te",
    "TE: trailers",
    "TE: gzip;q=1, Trailers",
    "X-Own: \u{e9}\t b",
    "X-Own:",
    "X-Own:    ",
    "x-own: a, b",
    "!#$%&'*+-.^_`|~: token",
    "X-A: 1",
    "X-A: 2",
];
const WRONG_FIELDS: &[&str] = &[
    "X-A : 1",
    "X A: 1",
    "X-A",
    ": 1",
    " X-A: 1",
    "\tfolded",
    "X-A: \0",
    "X-A: \x7f",
    "X-A: \u{1}",
    "X-A: a\rb",
    "X-A: a\nb",
    "X-\u{e9}: 1",
    "X-(: 1",
];
const EXTENSIONS: &[&str] = &["", "", "", ";a", ";a=b", "; a = \"b;\\\"\"", ";a;b=c"];
const WRONG_EXTENSIONS: &[&str] =
    &[";", " ;a", ";a ", ";a=", ";=b", ";a=\"b", ";a\0", ";a=\"b\"c", ";(", ";a=\"\x7f\""];
const TRAILERS: &[&str] =
    &["X-Sum: 7", "x-sum:", "Host: evil", "Content-Length: 5", "Cookie: a=b", "X-T: \u{e9}"];
const STATUSES: &[&str] = &["200", "200", "200", "404", "204", "304", "500", "100", "999"];

/// What has a meaning on some line.
const SPECIAL: &[u8] = b"\0\r\n \t:;,=\"\\/%+-0189afAZ[]@#\x0b\x7f\x80\xff";

/// One thing that goes wrong with `bytes`; `other` is another input.
pub(crate) fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let Some(last) = bytes.len().checked_sub(1) else { return };
    let at = random.below(last + 1);
    let to = (at + 1 + random.below(8)).min(bytes.len());
    match random.below(9) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = SPECIAL[random.below(SPECIAL.len())],
        2 => bytes.insert(at, SPECIAL[random.below(SPECIAL.len())]),
        3 => drop(bytes.drain(at..to)),
        4 => drop(bytes.remove(at)),
        5 => bytes[at] ^= 0x20 * u8::from(bytes[at].is_ascii_alphabetic()),
        6 => {
            let line = line_at(bytes, at);
            drop(bytes.splice(line.start..line.start, bytes[line].to_vec()));
        }
        7 => drop(bytes.drain(line_at(bytes, at))),
        _ => {
            let from = line_at(other, random.below(other.len())).start;
            bytes.splice(line_at(bytes, at).start.., other[from..].to_vec());
        }
    }
}

/// The line, with its end, in which this byte stands.
pub(crate) fn line_at(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
    start..end
}
