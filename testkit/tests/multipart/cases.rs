//! The cases in `testkit/cases/multipart`: what a client sends, and what must be read.
//!
//! The rule: a line that is not understood is an error with its place; one that is skipped would never be tried.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use bakestone::multipart::{ErrorKind, Limits};
use bakestone_testkit::splits;

use crate::{Part, Read, read};

struct Case {
    place: String,
    boundary: String,
    limits: Limits,
    body: Vec<u8>,
    /// What is to be read, as it is told.
    form: Vec<String>,
}

#[test]
fn f09_to_f15_every_case_however_it_is_cut() {
    let cases = all();
    let (mut failures, mut ways) = (Vec::new(), 0);
    for case in &cases {
        let whole = read(&case.boundary, case.limits, [&case.body[..]]);
        let told = tell(&whole);
        let expected: Vec<String> = case.form.iter().map(|line| complete(line)).collect();
        if told != expected {
            failures.push(format!("{}\nread:\n  {}", case.place, told.join("\n  ")));
            continue;
        }
        for pieces in splits(&case.body) {
            ways += 1;
            let cut = read(&case.boundary, case.limits, pieces.iter().copied());
            if cut != whole {
                failures.push(format!("{}\ncut as {pieces:?}: {cut:?}, and not {whole:?}", case.place));
                break;
            }
        }
    }
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let counts = format!("{} forms in {ways} ways\n", cases.len());
    std::io::stderr().write_all(counts.as_bytes()).unwrap();
    assert!(failures.is_empty(), "{} failed\n\n{}", failures.len(), failures.join("\n\n"));
    assert!(cases.len() > 60);
}

#[test]
fn every_kind_of_error_has_a_case() {
    let cases = all();
    for kind in ErrorKind::ALL {
        // A boundary is refused before there is a form.
        if matches!(kind, ErrorKind::MissingBoundary | ErrorKind::InvalidBoundary) {
            continue;
        }
        let refused = format!("refused {} at", kind.code());
        let is_there = cases.iter().any(|case| case.form.iter().any(|line| line.starts_with(&refused)));
        assert!(is_there, "no case is refused as {}", kind.code());
    }
}

/// The lines of a form, as a case tells them.
fn tell(read: &Read) -> Vec<String> {
    let mut lines: Vec<String> = read.parts.iter().flat_map(tell_part).collect();
    if read.is_over {
        lines.push("end".to_owned());
    }
    if let Some(error) = &read.error {
        let mut line = format!("refused {} at {}", error.code(), error.offset());
        if let Some(index) = error.part_index() {
            write!(line, " in part {index}").unwrap();
        }
        if let Some(name) = error.part() {
            write!(line, " {}", escape(name.as_bytes())).unwrap();
        }
        if let Some(limit) = error.limit() {
            write!(line, " past {} {}", limit.limit, limit.value).unwrap();
        }
        lines.push(line);
    }
    lines
}

fn tell_part(part: &Part) -> Vec<String> {
    let head = &part.head;
    let mut lines = vec![format!("part {}", escape(head.name().as_bytes()))];
    let mut tell = |what: &str, text: &str| lines.push(format!("{what} {}", escape(text.as_bytes())));
    if let Some(filename) = head.filename() {
        tell("file", filename);
        if head.safe_filename().as_deref() != Some(filename) {
            tell("safe", &head.safe_filename().unwrap_or_default());
        }
    }
    if let Some(media_type) = head.content_type() {
        tell("type", media_type.essence());
    }
    if let Some(charset) = head.charset() {
        tell("charset", &charset);
    }
    let (data, end) = (escape(&part.data), if part.is_over { "is" } else { "begins" });
    lines.push(format!("{end} {data}").trim_end().to_owned());
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// A line with its repetitions written out.
fn complete(line: &str) -> String {
    escape(&unescape(line).unwrap_or_else(|what| panic!("{line}: {what}")).0)
}

/// Printable ASCII as it is, a backslash twice, anything else as `\xNN`, or shorter.
fn escape(bytes: &[u8]) -> String {
    let text: String = bytes.escape_ascii().map(char::from).collect();
    text.replace("\\\"", "\"").replace("\\'", "'")
}

fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/multipart");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| !path.ends_with("README.md")).collect();
    files.sort();
    let parsed = files.iter().map(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        parse(&name, &std::fs::read_to_string(path).unwrap())
    });
    parsed.flatten().collect()
}

fn parse(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let place = format!("{file}:{number}: {}", line.trim_start_matches("## "));
        let is_block = matches!(line, "```body" | "```form");
        let block: Vec<&str> = match is_block {
            true => lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect(),
            false => Vec::new(),
        };
        match (line, cases.last_mut()) {
            (line, _) if line.starts_with("## ") => {
                let (boundary, limits) = ("b".to_owned(), Limits::default());
                cases.push(Case { place, boundary, limits, body: Vec::new(), form: Vec::new() });
            }
            ("```body", Some(case)) => case.body = block.into_iter().flat_map(body_line).collect(),
            ("```form", Some(case)) => case.form = block.into_iter().map(str::to_owned).collect(),
            (line, Some(case)) => {
                if let Some(boundary) = line.strip_prefix("Boundary: ") {
                    case.boundary = String::from_utf8(unescape(boundary).unwrap().0).unwrap();
                }
                if let Some(limits) = line.strip_prefix("Limits: ") {
                    case.limits = parse_limits(limits).unwrap_or_else(|| panic!("{place}"));
                }
                assert!(!line.starts_with("```"), "{place}");
            }
            (line, None) => assert!(!line.starts_with("```"), "{place}: a block before the first heading"),
        }
    }
    for case in &cases {
        assert!(!case.form.is_empty(), "{}: there is no form", case.place);
    }
    cases
}

/// A line stands for itself and CRLF; one that ends with a backslash has no line end.
fn body_line(line: &str) -> Vec<u8> {
    let (mut bytes, is_joined) = unescape(line).unwrap_or_else(|what| panic!("{line}: {what}"));
    if !is_joined {
        bytes.extend(b"\r\n");
    }
    bytes
}

fn parse_limits(list: &str) -> Option<Limits> {
    let mut limits = Limits::default();
    for limit in list.trim_end_matches('.').split(", ") {
        let (name, value) = limit.split_once(' ')?;
        let value: usize = value.parse().ok()?;
        match name {
            "form_bytes" => limits.total_bytes = value as u64,
            "form_fields" => limits.fields = value,
            "form_files" => limits.files = value,
            "form_field_bytes" => limits.field_bytes = value as u64,
            "form_file_bytes" => limits.file_bytes = value as u64,
            "part_head_bytes" => limits.head_bytes = value,
            "part_head_fields" => limits.head_fields = value,
            "form_preamble_bytes" => limits.preamble_bytes = value,
            _ => return None,
        }
    }
    Some(limits)
}

/// What `text` stands for, and whether it ends with a backslash.
fn unescape(text: &str) -> Result<(Vec<u8>, bool), &'static str> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'\\', []) => return Ok((bytes, true)),
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).ok_or("\\x takes two digits");
                bytes.push((digit(high)? << 4 | digit(low)?) as u8);
                tail
            }
            (b'\\', [escaped, tail @ ..]) => {
                let (_, byte) =
                    [(b'r', b'\r'), (b'n', b'\n'), (b't', b'\t'), (b'0', 0), (b'\\', b'\\'), (b'{', b'{')]
                        .into_iter()
                        .find(|(letter, _)| letter == escaped)
                        .ok_or("an escape that is none")?;
                bytes.push(byte);
                tail
            }
            (b'{', tail) => {
                let end = tail.iter().position(|byte| *byte == b'}').ok_or("{ without }")?;
                let inside = std::str::from_utf8(&tail[..end]).map_err(|_| "no text")?;
                let (unit, number) = inside.rsplit_once('*').ok_or("no number")?;
                let number = number.parse().map_err(|_| "no number")?;
                bytes.extend(unescape(unit)?.0.repeat(number));
                &tail[end + 1..]
            }
            (b' '..=b'~', tail) => {
                bytes.push(*byte);
                tail
            }
            _ => return Err("what cannot be seen is written as \\xNN"),
        };
    }
    Ok((bytes, false))
}
