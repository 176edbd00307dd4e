//! Bodies that a client may send, right and wrong.

use crate::seed::Random;

const BOUNDARIES: &[&str] = &["b", "----x", "a b", "--", "sep'()+_,-./:=?0123456789"];

const NAMES: &[&str] = &[
    "name=a",
    "name=\"a\"",
    "NAME=\"a b\"",
    "name=\"\"",
    "name=\"%22\\\"\\\\%0D%0a\"",
    "name=\"\u{fc}\"",
    "name=\"a;b\"",
];

const OTHERS: &[&str] = &[
    "",
    "; filename=\"f.txt\"",
    "; filename=\"\"",
    "; filename=f",
    ";filename*=utf-8''%c3%bc",
    "; filename*=iso-8859-1'x'%fc",
    "; x=y",
    ";",
    " ; ; z=\"; name=q\"",
    "; filename=a; filename*=UTF-8''b",
];

const WRONG: &[&str] = &[
    "; name=a",
    "; filename=a; filename=b",
    "; filename*=x",
    "; name*=utf-8''a",
    "; filename*0=a",
    "; x",
    "; =",
    "; name=\"",
    "; filename*=utf-8''%0a",
    "; filename=\"a\"b",
    "; filename=\u{fc}",
    "; filename*=\"utf-8''a\"",
    "; filename*=utf-8''%f",
];

const FIELDS: &[&str] =
    &["Content-Type: text/plain; charset=utf-8", "X:", "x-y:\t z ", "Content-Transfer-Encoding: base64"];

const WRONG_FIELDS: &[&str] = &[
    " folded",
    "no colon",
    ": x",
    "a b: c",
    "x: \0",
    "x: a\nb",
    "x: a\rb",
    "Content-Type: a/b\r\ncontent-type: a/b",
    "content-disposition: form-data; name=b",
    "x\u{fc}: y",
    "",
];

/// The boundary of a form, and its body.
pub(crate) fn form(random: &mut Random) -> (&'static str, Vec<u8>) {
    let boundary = BOUNDARIES[random.below(BOUNDARIES.len())];
    let mut maker = Maker { one_in: [0, 0, 0, 15][random.below(4)], boundary, random };
    let mut body = Vec::new();
    maker.outside(&mut body);
    for _ in 0..maker.random.below(4) {
        maker.part(&mut body);
    }
    maker.mark(&mut body);
    body.extend(b"--");
    maker.outside(&mut body);
    (boundary, body)
}

struct Maker<'r> {
    random: &'r mut Random,
    /// One choice in so many is a wrong one; 0 is none.
    one_in: usize,
    boundary: &'static str,
}

impl Maker<'_> {
    fn any(&mut self, from: &[&'static str]) -> &'static str {
        from[self.random.below(from.len())]
    }

    fn is_odd(&mut self) -> bool {
        self.one_in > 0 && self.random.below(self.one_in) == 0
    }

    fn outside(&mut self, body: &mut Vec<u8>) {
        if self.random.below(3) == 0 {
            body.extend(self.any(&["\r\n", "a preamble", "\r\n\r\n", "--", "x\r\n--y"]).bytes());
        }
    }

    /// A boundary, with its CRLF unless it stands at the very front.
    fn mark(&mut self, body: &mut Vec<u8>) {
        if !body.is_empty() || self.random.below(4) == 0 {
            body.extend(if self.is_odd() { self.any(&["\n", "\r", ""]) } else { "\r\n" }.bytes());
        }
        body.extend(b"--");
        body.extend(self.boundary.bytes());
    }

    fn part(&mut self, body: &mut Vec<u8>) {
        self.mark(body);
        let padding = self.any(&["", "", "", " ", "\t ", "  "]);
        body.extend(padding.bytes());
        body.extend(if self.is_odd() { self.any(&["\n", "\r", "x\r\n", ""]) } else { "\r\n" }.bytes());
        let mut lines = vec![self.disposition()];
        for _ in 0..self.random.below(3) {
            let at = self.random.below(lines.len() + 1);
            let line = if self.is_odd() { self.any(WRONG_FIELDS) } else { self.any(FIELDS) };
            if line.starts_with("Content-Type") && lines.iter().any(|line| line.starts_with("Content-Type")) {
                continue;
            }
            lines.insert(at, line.to_owned());
        }
        for line in lines {
            body.extend(line.bytes());
            body.extend(b"\r\n");
        }
        // A part may have no data at all, and then no empty line of its own either.
        body.extend(b"\r\n");
        self.data(body);
    }

    fn disposition(&mut self) -> String {
        let field = self.any(&["Content-Disposition", "content-disposition", "CONTENT-DISPOSITION"]);
        let kind = if self.is_odd() {
            self.any(&["attachment", "", "form-data x"])
        } else {
            self.any(&["form-data", "Form-Data"])
        };
        let name = if self.is_odd() {
            self.any(&["filename=a", "x=y", "name", "name=", "name= a"])
        } else {
            self.any(NAMES)
        };
        let other = if self.is_odd() { self.any(WRONG) } else { self.any(OTHERS) };
        format!("{field}: {kind}; {name}{other}")
    }

    /// Text, line ends, and what looks like a boundary.
    fn data(&mut self, body: &mut Vec<u8>) {
        for _ in 0..self.random.below(6) {
            let piece = self
                .any(&["text", "\r\n", "\r", "\n", "-", "--", " ", "\r\n--", "MARK", "\r\nMARK", "\0\u{fc}"]);
            let mark = ["--", self.boundary].concat();
            let piece = piece.replace("MARK", &mark);
            body.extend(piece.bytes());
            if piece.ends_with(&mark) {
                body.extend(self.any(&["x", "-x", " x", "\rx", "-", "\r", " \t\r\r\n"]).bytes());
            }
        }
    }
}

/// Changes one place of `bytes`.
pub(crate) fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(4) {
        0 => bytes.truncate(at),
        1 if !bytes.is_empty() => drop(bytes.remove(at)),
        2 => bytes.insert(at, b"\r\n-\" ;\0x"[random.below(8)]),
        _ => {
            let end = (at + random.below(30)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
    }
}
