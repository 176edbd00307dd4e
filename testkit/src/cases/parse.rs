//! From the text of a file to its cases.
//!
//! The rule: what is not understood is an error with its line; a line that is skipped would be a case that
//! never runs.

use std::fmt;

use bakestone::Leniency;

use super::{Answer, Case, Content, End, Turn};

/// More bytes than this no repetition makes.
const LONGEST: usize = 16 << 20;

/// Why a file of cases could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl ParseError {
    pub(super) fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl std::error::Error for ParseError {}

/// Reads the cases of one file; `file` is what errors call it.
///
/// # Errors
///
/// A block that is not understood, a case without its traps, its request or its answer.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, ParseError> {
    let mut cases: Vec<Case> = Vec::new();
    let mut request: Option<Vec<u8>> = None;
    let mut lines = (1..).zip(text.lines());
    while let Some((line, content)) = lines.next() {
        let fault = |what: &str| ParseError::new(file, line, what);
        if let Some(title) = content.strip_prefix("## ") {
            finish(file, cases.last(), request.is_some())?;
            let (title, file) = (title.trim().to_owned(), file.to_owned());
            let leniency = Leniency::default();
            cases.push(Case { file, line, title, traps: Vec::new(), leniency, turns: Vec::new() });
        } else if let Some(kind) = content.strip_prefix("```") {
            let mut block = Vec::new();
            loop {
                let (line, content) = lines.next().ok_or_else(|| fault("the block has no end"))?;
                if content == "```" {
                    break;
                }
                block.push((line, content));
            }
            let case = cases.last_mut().ok_or_else(|| fault("the block stands before the first heading"))?;
            match (kind, request.take()) {
                ("request", None) => request = Some(read_request(file, &block)?),
                ("request", Some(_)) => return Err(fault("the request before this one has no answer")),
                ("answer", Some(bytes)) => case.turns.push(read_answers(file, line, &block, bytes)?),
                ("answer", None) => return Err(fault("the answer has no request")),
                (kind, _) => {
                    return Err(fault(&format!("a block is a request or an answer, and not `{kind}`")));
                }
            }
        } else if let (Some(names), Some(case)) = (content.strip_prefix("With: "), cases.last_mut()) {
            case.leniency = read_leniency(names).map_err(|what| fault(&what))?;
        } else if let (Some(place), Some(case)) = (content.find("Traps: "), cases.last_mut()) {
            case.traps =
                read_traps(&content[place + 7..]).ok_or_else(|| fault("the traps are no numbers"))?;
        }
    }
    finish(file, cases.last(), request.is_some())?;
    Ok(cases)
}

/// Whether the last case is whole.
fn finish(file: &str, case: Option<&Case>, is_unanswered: bool) -> Result<(), ParseError> {
    let Some(case) = case else { return Ok(()) };
    let what = match () {
        () if case.traps.is_empty() => "the case names no trap (`Traps: 1, 2.`)",
        () if is_unanswered => "the last request of the case has no answer",
        () if case.turns.is_empty() => "the case has no request",
        () => {
            let mut before_last = case.turns.iter().rev().skip(1);
            match before_last.all(|turn| turn.end.seen() == End::Open) {
                true => return Ok(()),
                false => "the connection is over before the last turn",
            }
        }
    };
    Err(ParseError::new(file, case.line, what))
}

fn read_traps(list: &str) -> Option<Vec<u32>> {
    list.trim_end_matches('.').split(',').map(|number| number.trim().parse().ok()).collect()
}

/// The names of switches, as those of their fields.
fn read_leniency(list: &str) -> Result<Leniency, String> {
    let mut leniency = Leniency::default();
    for name in list.trim_end_matches('.').split(',').map(str::trim) {
        if !leniency.switch_on(name) {
            return Err(format!("there is no leniency `{name}`"));
        }
    }
    Ok(leniency)
}

/// A line stands for itself and CRLF; one that ends with a backslash has no line end.
fn read_request(file: &str, block: &[(usize, &str)]) -> Result<Vec<u8>, ParseError> {
    let mut bytes = Vec::new();
    for (line, content) in block {
        let fault = |what| ParseError::new(file, *line, what);
        if content.ends_with([' ', '\t']) {
            return Err(fault("a space at the end of a line is written as \\x20".to_owned()));
        }
        let is_joined = unescape(content, &mut bytes).map_err(fault)?;
        if !is_joined {
            bytes.extend_from_slice(b"\r\n");
        }
    }
    Ok(bytes)
}

/// Appends what `text` stands for; whether it ends with a backslash, and so without a line end.
fn unescape(text: &str, out: &mut Vec<u8>) -> Result<bool, String> {
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'\\', []) => return Ok(true),
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digit =
                    |byte: &u8| char::from(*byte).to_digit(16).ok_or("\\x takes two hexadecimal digits");
                out.push((digit(high)? << 4 | digit(low)?) as u8);
                tail
            }
            (b'\\', [escaped, tail @ ..]) => {
                out.push(match escaped {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'0' => 0,
                    b'\\' | b'{' => *escaped,
                    _ => return Err(format!("`\\{}` is no escape", char::from(*escaped))),
                });
                tail
            }
            (b'{', tail) => repeat(tail, out)?,
            (b' '..=b'~', tail) => {
                out.push(*byte);
                tail
            }
            _ => return Err(format!("byte {byte:#04x} is to be written as \\x{byte:02x}")),
        };
    }
    Ok(false)
}

/// `{text*number}`, after its brace: appends the text that many times, and gives what follows.
fn repeat<'a>(tail: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], String> {
    let malformed = || "a repetition is written {text*number}".to_owned();
    let end = tail.iter().position(|byte| *byte == b'}').ok_or_else(malformed)?;
    let inside = std::str::from_utf8(&tail[..end]).map_err(|_| malformed())?;
    let (text, number) = inside.rsplit_once('*').ok_or_else(malformed)?;
    let number: usize = number.parse().map_err(|_| malformed())?;
    let mut piece = Vec::new();
    if text.contains('{') || unescape(text, &mut piece)? {
        return Err(malformed());
    }
    if piece.len().saturating_mul(number) > LONGEST {
        return Err("the repetition is too long".to_owned());
    }
    out.extend(piece.repeat(number));
    Ok(&tail[end + 1..])
}

fn read_answers(
    file: &str,
    block_line: usize,
    block: &[(usize, &str)],
    request: Vec<u8>,
) -> Result<Turn, ParseError> {
    let mut turn = Turn { request, answers: Vec::new(), end: End::Open };
    let mut end = None;
    for (line, content) in block {
        let fault = |what: &str| ParseError::new(file, *line, what);
        if content.is_empty() {
            continue;
        }
        if end.is_some() {
            return Err(fault("what becomes of the connection is said last"));
        }
        end = End::NAMES.iter().find(|(name, _)| name == content).map(|(_, end)| *end);
        if end.is_some() {
            continue;
        }
        if content.len() == 3 {
            let status = content.parse().map_err(|_| fault("an answer begins with its status"))?;
            let (fields, trailers) = (Vec::new(), Vec::new());
            turn.answers.push(Answer { status, fields, content: Content::Untold, trailers });
            continue;
        }
        let answer = turn.answers.last_mut().ok_or_else(|| fault("an answer begins with its status"))?;
        read_told(content, answer).map_err(|what| fault(&what))?;
    }
    turn.end = end.ok_or_else(|| {
        ParseError::new(file, block_line, "the answer does not say: open, closed, reset, waits or tunnel")
    })?;
    Ok(turn)
}

/// One line of what is told of an answer.
fn read_told(line: &str, answer: &mut Answer) -> Result<(), String> {
    let bytes = |text: &str| -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        match unescape(text, &mut bytes)? {
            true => Err("only a line of a request ends with a backslash".to_owned()),
            false => Ok(bytes),
        }
    };
    let field = |line: &str| -> Result<(String, Vec<u8>), String> {
        let (name, value) =
            line.split_once(':').ok_or("this is neither a field nor anything else that is known")?;
        Ok((name.to_ascii_lowercase(), bytes(value.trim_start())?))
    };
    if line == "no content" {
        answer.content = Content::None;
    } else if line == "empty body" {
        answer.content = Content::Is(Vec::new());
    } else if let Some(text) = line.strip_prefix("body is ") {
        answer.content = Content::Is(bytes(text)?);
    } else if let Some(text) = line.strip_prefix("body begins ") {
        answer.content = Content::Begins(bytes(text)?);
    } else if let Some(text) = line.strip_prefix("body has ") {
        answer.content = Content::Has(bytes(text)?);
    } else if let Some(text) = line.strip_prefix("trailer ") {
        answer.trailers.push(field(text)?);
    } else if let Some(name) = line.strip_prefix("no ") {
        answer.fields.push((name.to_ascii_lowercase(), None));
    } else {
        let (name, value) = field(line)?;
        answer.fields.push((name, Some(value)));
    }
    Ok(())
}

/// One row of the list of traps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trap {
    /// Its number.
    pub number: u32,
    /// What the trap is and what is done about it.
    pub text: String,
    /// Tests, as `path::function`, that are about it and are no cases.
    pub tests: Vec<String>,
    /// Why there is no test, if there is none.
    pub untested: Option<String>,
}

/// Reads the numbered list of traps: each row is `1. text`, with `` Tested: `path::function`. `` or
/// `Untested: why.` at its end, if need be.
///
/// # Errors
///
/// A number that does not follow the one before.
pub fn parse_traps(file: &str, text: &str) -> Result<Vec<Trap>, ParseError> {
    let mut rows: Vec<(usize, u32, String)> = Vec::new();
    let mut inside = false;
    for (line, content) in (1..).zip(text.lines()) {
        let row = content.split_once(". ").and_then(|(number, text)| Some((number.parse().ok()?, text)));
        match (row, rows.last_mut()) {
            (Some((number, text)), last) => {
                let expected = last.map_or(1, |(_, before, _)| *before + 1);
                if number != expected {
                    return Err(ParseError::new(
                        file,
                        line,
                        format!("trap {number} stands where {expected} should"),
                    ));
                }
                rows.push((line, number, text.to_owned()));
                inside = true;
            }
            (None, Some((_, _, row))) if inside && content.starts_with("  ") => {
                row.push(' ');
                row.push_str(content.trim());
            }
            _ => inside = false,
        }
    }
    Ok(rows.into_iter().map(|(_, number, text)| trap(number, &text)).collect())
}

fn trap(number: u32, row: &str) -> Trap {
    let (row, untested) = match row.split_once(" Untested: ") {
        Some((row, why)) => (row, Some(why.to_owned())),
        None => (row, None),
    };
    let (text, tests) = row.split_once(" Tested: ").unwrap_or((row, ""));
    let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Trap { number, text: text.to_owned(), tests, untested }
}
