//! The format under chance, and what is hidden under every cut.

use super::line::{KINDS, PHASES};
use super::redact::Redactor;
use super::text::{marked, parse_time, time, unescape};
use super::writer::head_text;
use super::*;
use crate::Session;
use crate::effect::{FileError, Metadata};
use crate::machine::Address;

/// A generator of the tests' own: xorshift64*.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % end
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let plain = self.below(2) == 0;
        let byte = |chance: &mut Self| match chance.below(8) {
            0 => b"\r\n \\\t"[chance.below(5) as usize],
            _ if plain => b' ' + chance.below(95) as u8,
            _ => chance.below(256) as u8,
        };
        (0..1 + self.below(most)).map(|_| byte(self)).collect()
    }

    fn time(&mut self) -> Duration {
        let unit = [1, 1_000, 1_000_000, 1_000_000_000, 86_400_000_000_000][self.below(5) as usize];
        Duration::from_nanos(self.below(1_000) * unit + self.below(2) * self.below(unit))
    }

    fn metadata(&mut self) -> Metadata {
        let modified = (self.below(2) == 0).then(|| self.time());
        match self.below(3) {
            0 => Metadata::directory(modified),
            _ => Metadata::file(self.below(1 << 40), modified),
        }
    }

    fn answer(&mut self) -> Answer {
        let number = self.below(9) as u32;
        match self.below(8) {
            0 => Answer::Opened(number, None, self.metadata()),
            1 => Answer::Opened(number, Some(self.below(5) as usize), self.metadata()),
            2 => Answer::Metadata(self.metadata()),
            3 => Answer::Data(if number == 0 { Vec::new() } else { self.bytes(3_000) }.into()),
            4 => Answer::Done,
            5 => {
                let (_, kind) = KINDS[self.below(KINDS.len() as u64) as usize];
                let message = String::from_utf8_lossy(&self.bytes(40)).into_owned();
                Answer::Failed(FileError::new(kind, message))
            }
            6 => Answer::Ran,
            _ => Answer::Unanswered,
        }
    }

    fn line(&mut self) -> Line {
        let number = self.below(9) as u32;
        match self.below(10) {
            0 => Line::Input(self.bytes(3_000).into()),
            1 => Line::Finished,
            2 => Line::Gone,
            3 => Line::Drain,
            4 => Line::Waits(self.below(1 << 40)),
            5 => Line::Answer(number, self.answer()),
            6 => Line::Wake,
            7 => Line::Output(self.bytes(3_000).into()),
            8 => Line::Effect(number, String::from_utf8_lossy(&self.bytes(60)).into_owned()),
            _ => Line::Phase(PHASES[self.below(4) as usize].1),
        }
    }

    fn address(&mut self) -> Option<Address> {
        match self.below(5) {
            0 => None,
            1 => Some(Address::Unix(None)),
            2 => Some(Address::Unix(Some(std::path::Path::new("/run/a b\\c.sock").into()))),
            3 => Some(Address::Ip(([127, 0, 0, 1], self.below(65_536) as u16).into())),
            _ => Some(Address::Ip(([0, 0, 0, 0, 0, 0, 0, 1], 80).into())),
        }
    }

    fn head(&mut self) -> Head {
        let mut head = Head { wall: self.time(), mono: Moment::from_epoch(self.time()), ..Head::default() };
        head.connection = ConnectionInfo::new(self.address(), self.address());
        head.connection.secure = self.below(2) == 0;
        head.connection.seed = self.0;
        head.connection.alpn = (self.below(2) == 0).then(|| self.bytes(9).into());
        if self.below(2) == 0 {
            (head.limits.head_bytes, head.limits.idle_time) = (self.below(9_999) as usize, self.time());
            (head.limits.handler_time, head.limits.websocket_ping_time) = (Some(self.time()), None);
            head.limits.leniency.bare_lf = true;
        }
        match self.below(3) {
            0 => head.redaction = Redaction::default().field("X-Key"),
            1 => head.redaction = Redaction::default().bodies(),
            _ => {}
        }
        head
    }
}

/// A tape as its text, whose steps then know their lines.
fn write(tape: &mut Tape) -> String {
    let mut text = head_text(&tape.head);
    for step in &mut tape.steps {
        step.line = text.lines().count() + 1;
        let wall = step.wall.map(|wall| format!(", wall {}", time(wall))).unwrap_or_default();
        text += &format!("@ {}{wall}\n", time(step.at));
        step.lines.iter().for_each(|line| text += &format!("{line}\n"));
    }
    text + match tape.end {
        End::Whole => "# end\n",
        End::Open => "# a remark\n",
        End::Cut(_) => "# cut: enough\n",
    }
}

#[test]
fn what_is_written_is_read_back() {
    for seed in 1..=400 {
        let mut chance = Chance(seed);
        let mut tape = Tape { head: chance.head(), ..Tape::default() };
        let mut at = Duration::ZERO;
        for _ in 0..chance.below(12) {
            at += chance.time();
            let lines = (0..chance.below(6)).map(|_| chance.line()).collect();
            let wall = (chance.below(5) == 0).then(|| chance.time());
            tape.steps.push(Step { line: 0, at, wall, lines });
        }
        tape.end = [End::Whole, End::Open, End::Cut("enough".into())][chance.below(3) as usize].clone();
        let text = write(&mut tape);
        assert_eq!(Tape::parse(&text).as_ref(), Ok(&tape), "seed {seed}\n{text}");
        assert!(text.is_ascii() && text.lines().all(|line| line == line.trim_end()), "seed {seed}\n{text}");

        // A crash leaves whatever was written, and what is complete of it is read.
        let cut = chance.below(text.len() as u64 + 1) as usize;
        let read = Tape::parse(&text[..cut]);
        assert_eq!(read.is_ok(), cut > "tape 1".len(), "seed {seed}, cut at {cut}\n{}", &text[..cut]);
        let steps = read.map(|tape| tape.steps).unwrap_or_default();
        let whole = steps.len().saturating_sub(1);
        assert_eq!(steps.get(..whole), tape.steps.get(..whole), "seed {seed}, cut at {cut}");
    }
}

#[test]
fn bytes_and_times_are_told_exactly() {
    let all: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    for bytes in [&all[..], b"a \r\n \n  ", b" ", b"\\x20", b"\r\n\r\n"] {
        let text = marked("> ", bytes);
        let read: Vec<u8> = text.lines().flat_map(|line| unescape(&line[2..]).unwrap()).collect();
        assert_eq!(read, bytes, "{text}");
    }
    for (nanos, text) in
        [(0, "0s"), (1, "1ns"), (1_500, "1.5us"), (12_500_000, "12.5ms"), (5_000_000_001, "5.000000001s")]
    {
        assert_eq!(time(Duration::from_nanos(nanos)), text);
        assert_eq!(parse_time(text), Some(Duration::from_nanos(nanos)));
    }
    for text in [
        "",
        "1",
        "s",
        "1.5",
        "-1s",
        "1h",
        "1.s.s",
        "0.5ns",
        "1.0000000001s",
        "99999999999999999999999999s",
        "1e3s",
    ] {
        assert_eq!(parse_time(text), None, "{text}");
    }
}

#[test]
fn a_text_that_is_no_tape_is_refused_by_its_line() {
    for (text, line) in [
        ("", 1),
        ("tape 1", 1),
        ("tape 2\n", 1),
        ("# a remark\nhello\n", 2),
        ("tape 1\nseed x\n", 2),
        ("tape 1\nlimit no_such 1\n", 2),
        ("tape 1\nlimit idle_time 5\n", 2),
        ("tape 1\nlenient no_such\n", 2),
        ("tape 1\npeer nobody\n", 2),
        ("tape 1\n> a\n", 2),
        ("tape 1\n@ soon\n", 2),
        ("tape 1\n@ 5s\n@ 4s\n", 3),
        ("tape 1\n@ 0s\n> \\q\n", 3),
        ("tape 1\n@ 0s\n> \\x0\n", 3),
        ("tape 1\n@ 0s\n! fin\n  more\n", 4),
        ("tape 1\n@ 0s\n! happens\n", 3),
        ("tape 1\n@ 0s\n+ 1 opened 2\n", 3),
        ("tape 1\n@ 0s\n+ 1 failed Gladly: a\n", 3),
        ("tape 1\n@ 0s\n? what\n", 3),
        ("tape 1\n@ 0s\n= asleep\n", 3),
        ("tape 1\n@ 0s\nwhat\n", 3),
    ] {
        assert_eq!(Tape::parse(text).map_err(|error| error.line).err(), Some(line), "{text:?}");
    }
}

#[test]
fn what_a_hand_gets_wrong_is_told_in_words() {
    for (text, what) in [
        ("tape 1\n@ 5s\n\n@ 4s\n", "line 4 of the tape: it is earlier than the step before it"),
        (
            "tape 1\n@ 0s\n> a\n# why\n  b\n",
            "line 5 of the tape: it goes on with bytes, and the line before it has none",
        ),
        ("tape 1\n@ 0s\n  \n>b\n", "line 4 of the tape: it says nothing known: \">b\""),
    ] {
        assert_eq!(Tape::parse(text).unwrap_err().to_string(), what);
    }
    let long = Tape::parse(&format!("tape 1\n@ 0s\n{}\n", "long ".repeat(1_000))).unwrap_err();
    assert!(long.what.len() < 120, "{}", long.what);
}

#[test]
fn what_an_editor_does_changes_nothing() {
    let text = "tape 1\nseed 7\n\n@ 0s\n> a\\r\\n\n  b\n? 1 blocking job\n+ 1 ran\n! fin\n= done\n# end\n";
    let tape = Tape::parse(text).unwrap();
    assert_eq!((tape.steps[0].lines.len(), &tape.end), (5, &End::Whole));
    for edited in [
        text.trim_end().to_owned(),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        text.replace("job\n", "job  \n").replace("ran\n", "ran \n").replace("fin\n", "fin\t\n"),
        text.replace("0s\n", "0s  \n").replace("done\n", "done \n").replace("end\n", "end \n"),
    ] {
        assert_eq!(Tape::parse(&edited).as_ref(), Ok(&tape), "{edited:?}");
    }
}

/// A tape that somebody has changed at random: it is read, or refused by a line that it has.
#[test]
fn nothing_that_is_done_to_a_tape_is_more_than_an_error() {
    let mut refused = 0;
    for seed in 1..=3_000 {
        let mut chance = Chance(seed);
        let mut tape = Tape { head: chance.head(), ..Tape::default() };
        for _ in 0..chance.below(6) {
            let lines = (0..chance.below(6)).map(|_| chance.line()).collect();
            let step = Step { line: 0, at: Duration::from_secs(seed), wall: Some(chance.time()), lines };
            tape.steps.push(step);
        }
        let mut text: Vec<char> = write(&mut tape).chars().collect();
        for _ in 0..1 + chance.below(3) {
            let at = chance.below(text.len() as u64) as usize;
            let character =
                ['\n', ' ', '\\', '9', '.', 'x', '\r', '\u{e4}', '+', '@'][chance.below(10) as usize];
            match chance.below(3) {
                0 => text[at] = character,
                1 => text.insert(at, character),
                _ => _ = text.remove(at),
            }
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = Tape::parse(&text) {
            assert!((1..=text.lines().count()).contains(&error.line), "seed {seed}: {error}");
            refused += 1;
        }
    }
    assert!((500..2_500).contains(&refused), "{refused}");
}

/// Each line adds to what there is, and copies none of it.
#[test]
fn a_tape_of_many_lines_is_read_in_no_time() {
    let text = format!("tape 1\n@ 0s\n> a\n{}", "  \\n\n".repeat(200_000));
    let tape = Tape::parse(&text).unwrap();
    assert!(matches!(&tape.steps[0].lines[..], [Line::Input(bytes)] if bytes.len() == 200_001));
}

#[test]
fn every_limit_can_be_told() {
    let shown = format!("{:#?}", Limits::default());
    let fields =
        shown.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| !line.starts_with(' '));
    let names = fields.filter_map(|line| line.split_once(':')).map(|(name, _)| name);
    let told = [limits::NAMES, &["leniency"]].concat();
    for name in names {
        assert!(told.contains(&name), "{name} is not told by a tape");
    }
}

/// What is asked, and what is answered.
type Turns<'a> = &'a [(&'a str, &'a str)];

/// What a tape would have of both streams, each cut in pieces of `size` bytes.
fn hide(redaction: &Redaction, turns: Turns<'_>, size: usize) -> String {
    let mut redactor = Redactor::new(redaction);
    let mut text = String::new();
    for (asked, answered) in turns {
        for (bytes, inward) in [(asked, true), (answered, false)] {
            for piece in bytes.as_bytes().chunks(size) {
                let mut piece = piece.to_vec();
                if inward {
                    redactor.inward(&mut piece)
                } else {
                    redactor.outward(&mut piece)
                }
                text += std::str::from_utf8(&piece).unwrap();
            }
            text += "|";
        }
    }
    text
}

#[test]
fn secrets_are_hidden_however_they_are_cut() {
    let fields = Redaction::default().field("X-Key");
    let table = [
        (
            "GET / HTTP/1.1\r\nCookie: a=b c\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nCookie: xxxxx\r\nHost: a\r\n\r\n",
        ),
        (
            "GET / HTTP/1.1\r\ncOOKIE:a\nX-KEY \t: b\r\n\r\n",
            "GET / HTTP/1.1\r\ncOOKIE:x\nX-KEY \t: x\r\n\r\n",
        ),
        ("G\r\nCookie: a\r\n  folded\r\nHost: a\r\n", "G\r\nCookie: x\r\n  xxxxxx\r\nHost: a\r\n"),
        ("G\r\nCookies: a\r\nNot-Cookie: a\r\n", "G\r\nCookies: a\r\nNot-Cookie: a\r\n"),
        ("G\r\nA: b\rCookie: c\r\n Cookie: d\r\n", "G\r\nA: b\rCookie: x\r\n xxxxxxx x\r\n"),
        ("G\r\nAuthorization:\r\n secret\r\n", "G\r\nAuthorization:\r\n xxxxxx\r\n"),
        ("G\r\nCookie: a\r\n\tb\r\n\t c\r\nA: b\r\n", "G\r\nCookie: x\r\n\tx\r\n\t x\r\nA: b\r\n"),
        // A CR alone ends no line for those who take it for a part of the value.
        ("G\r\nCookie: a\rb: c\r\r\nA: b\r\n", "G\r\nCookie: x\rxxxx\r\r\nA: b\r\n"),
        // The request that comes behind another one, and the trailers of one.
        (
            "P / HTTP/1.1\r\n\r\n3\r\na:b\r\n0\r\nx-key: c\r\n\r\nG / HTTP/1.1\r\nCOOKIE: d\r\n\r\n",
            "P / HTTP/1.1\r\n\r\n3\r\na:b\r\n0\r\nx-key: x\r\n\r\nG / HTTP/1.1\r\nCOOKIE: x\r\n\r\n",
        ),
    ];
    for (bytes, hidden) in table {
        for size in 1..=bytes.len() {
            let got = hide(&fields, &[(bytes, bytes)], size);
            // A value is hidden to the end of its line, the spaces in it too.
            let hidden = hidden.replace("xxxxxxx x", "xxxxxxxxx");
            assert_eq!(got, format!("{hidden}|{hidden}|"), "in pieces of {size}");
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const HIDDEN_OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxx";

/// What is asked and answered in turns, and the same with its bodies hidden.
const TURNS: [(Turns<'static>, Turns<'static>); 7] = [
    (
        &[("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\n:", OK), ("GET / HTTP/1.1\r\n\r\n", OK)],
        &[
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nxxx", HIDDEN_OK),
            ("GET / HTTP/1.1\r\n\r\n", HIDDEN_OK),
        ],
    ),
    (
        &[(
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: t\r\n\r\nG / HTTP/1.1\r\n\r\n",
            OK,
        )],
        &[(
            "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nxxx\r\n0\r\nT: t\r\n\r\nG / HTTP/1.1\r\n\r\n",
            HIDDEN_OK,
        )],
    ),
    (
        &[
            ("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
            ("G / HTTP/1.1\r\n\r\n", OK),
        ],
        &[
            ("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
            ("G / HTTP/1.1\r\n\r\n", HIDDEN_OK),
        ],
    ),
    (
        &[(
            "G / HTTP/1.1\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 N\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest\r\n\r\nrest",
        )],
        &[(
            "G / HTTP/1.1\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 N\r\n\r\nHTTP/1.1 200 OK\r\n\r\nxxxxxxxxxxxx",
        )],
    ),
    (
        &[("G / HTTP/1.1\r\nUpgrade: a\r\n\r\nearly", "HTTP/1.1 101 S\r\n\r\nsaid"), ("more", "more")],
        &[("G / HTTP/1.1\r\nUpgrade: a\r\n\r\nxxxxx", "HTTP/1.1 101 S\r\n\r\nxxxx"), ("xxxx", "xxxx")],
    ),
    (
        &[("CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nsaid"), ("more", "more")],
        &[("CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nxxxx"), ("xxxx", "xxxx")],
    ),
    (
        &[("P / HTTP/1.1\r\nContent-Length: many\r\n\r\nwhat\r\n\r\n", "nonsense\r\n\r\nwhat")],
        &[("P / HTTP/1.1\r\nContent-Length: many\r\n\r\nxxxxxxxx", "nonsense\r\n\r\nxxxx")],
    ),
];

#[test]
fn bodies_are_hidden_and_what_frames_them_is_not() {
    let bodies = Redaction::nothing().bodies();
    for (turns, hidden) in TURNS {
        let hidden: String = hidden.iter().map(|(asked, answered)| format!("{asked}|{answered}|")).collect();
        for size in 1..200 {
            assert_eq!(hide(&bodies, turns, size), hidden, "in pieces of {size}");
        }
    }
}

/// What is framed in a way that the toolkit refuses, or that is hard to read: no tape tells what may be content.
#[test]
fn content_is_hidden_where_its_framing_is_doubtful() {
    let spaces = " ".repeat(250);
    let zeros = "0".repeat(300);
    for (fields, content) in [
        ("Content-Length: +2".to_owned(), "a secret".to_owned()),
        ("Content-Length: -2".to_owned(), "a secret".to_owned()),
        ("Content-Length: 2, 2".to_owned(), "a secret".to_owned()),
        ("Content-Length: 2\r\nContent-Length: 8".to_owned(), "a secret".to_owned()),
        ("Content-Length: 2\r\n 8".to_owned(), "a secret".to_owned()),
        ("Content-Length:\r\n 2".to_owned(), "a secret".to_owned()),
        (format!("Content-Length:{spaces}28"), "28 bytes, and all are secret".to_owned()),
        ("Content-Length: 18\r\nX: y\r\n Content-Length: 2".to_owned(), "a secret".to_owned()),
        ("Content-Length: 18\r\nX: y\r\n Transfer-Encoding: chunked".to_owned(), "0\r\n\r\nsec".to_owned()),
        ("Transfer-Encoding: xchunked".to_owned(), "\r\nsecret\r\n".to_owned()),
        ("Transfer-Encoding: gzip, chunked".to_owned(), "\r\nsecret\r\n".to_owned()),
        ("Transfer-Encoding: chunked".to_owned(), "secret=1\r\nsecret\r\n".to_owned()),
        ("Transfer-Encoding: chunked".to_owned(), "+2\r\nsecret\r\n".to_owned()),
        ("Transfer-Encoding: chunked".to_owned(), "2\r\nabsecret\r\n".to_owned()),
        ("Transfer-Encoding: chunked".to_owned(), "2\r\nab\nsecret\r\n".to_owned()),
        ("Transfer-Encoding: chunked".to_owned(), format!("{zeros}6\r\nsecret\r\n")),
        ("Transfer-Encoding: chunked".to_owned(), "fffffffffffffffff\r\nsecret\r\n".to_owned()),
    ] {
        let asked = format!("P / HTTP/1.1\r\n{fields}\r\n\r\n{content}\r\nsecret\r\n");
        for size in [1, 2, 3, 5, 8, 1_000] {
            let hidden = hide(&Redaction::nothing().bodies(), &[(&asked, "")], size);
            let told = hidden.strip_prefix(&format!("P / HTTP/1.1\r\n{fields}\r\n\r\n")).unwrap();
            assert!(
                !told.contains("sec") && !told.contains("cret"),
                "{asked:?} in pieces of {size}\n{told:?}"
            );
        }
    }
}

#[test]
fn a_name_that_is_to_be_hidden_is_one_however_it_is_written() {
    for (names, known) in [
        ("", &[][..]),
        (" \n:", &[]),
        ("X-Key", &["x-key"]),
        (" X-Key:", &["x-key"]),
        ("x-key\nseed 5", &["x-key", "seed", "5"]),
        ("X-Key, x-user,x-key", &["x-key", "x-user"]),
        ("schl\u{fc}ssel", &["schl", "ssel"]),
    ] {
        let redaction = Redaction::nothing().field(names);
        assert_eq!(redaction.names(), known, "{names:?}");
        let head = Head { redaction, ..Head::default() };
        assert_eq!(Tape::parse(&head_text(&head)).map(|tape| tape.head), Ok(head), "{names:?}");
    }
}

/// What recording costs a connection that is not recorded: a place for what records it.
#[test]
fn a_recorder_that_is_off_adds_one_word() {
    type Plain = Session<crate::app::AppService>;
    assert_eq!(size_of::<Recorder<Plain>>(), size_of::<Plain>() + size_of::<usize>());
}

/// What a connection that is recorded has besides its text, about: the documentation of `Recording` says so much.
#[test]
fn a_recorder_that_is_on_is_small() {
    let size = recorder::size();
    assert!(size <= 800, "{size} bytes");
}
