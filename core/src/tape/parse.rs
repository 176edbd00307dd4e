//! Reading a tape.
//!
//! The rule: it takes what [`Line`] writes and what a person makes of that, and names the line of whatever is neither. A
//! last line without its end is what a crash has left, and is passed over.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use super::line::{Answer, KINDS, Line, PHASES};
use super::text::{parse_time, unescape};
use super::{End, Head, Redaction, Step, Tape, VERSION, limits};
use crate::effect::{FileError, Metadata};
use crate::machine::{Address, Moment};

/// So much of a line is shown.
const SHOWN: usize = 80;

/// A text that is no tape.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the tape: {}", self.line, self.what)
    }
}

impl std::error::Error for ParseError {}

impl Tape {
    /// Reads a tape.
    ///
    /// # Errors
    ///
    /// The first line that says nothing.
    ///
    /// ```
    /// use bakestone::tape::{Line, Tape};
    ///
    /// let tape = Tape::parse("tape 1\n@ 0s\n> hello\\r\\n\n< HEL")?;
    /// assert_eq!(tape.steps[0].lines, [Line::Input("hello\r\n".into())]);
    /// # Ok::<(), bakestone::tape::ParseError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reader = Reader::default();
        // An editor may have put a mark of its encoding first.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let line = match line.strip_suffix('\n') {
                Some(line) => line.strip_suffix('\r').unwrap_or(line),
                // A crash does not leave that.
                None if line == "# end" => line,
                None => break,
            };
            reader.line = index + 1;
            let read = reader.read(line);
            read.ok_or_else(|| ParseError {
                line: index + 1,
                what: reader.wrong.map_or_else(|| unknown(line), str::to_owned),
            })?;
        }
        reader.gather();
        match reader.versioned {
            true => Ok(reader.tape),
            false => Err(ParseError { line: 1, what: format!("it does not begin with `tape {VERSION}`") }),
        }
    }
}

fn unknown(line: &str) -> String {
    format!("it says nothing known: {:?}", line.chars().take(SHOWN).collect::<String>())
}

#[derive(Default)]
struct Reader {
    tape: Tape,
    line: usize,
    versioned: bool,
    /// Whether the last line has bytes, which the next may go on with.
    goes_on: bool,
    /// The bytes of the lines that went on.
    more: Vec<u8>,
    /// What is wrong with the line, if that is not that nobody knows it.
    wrong: Option<&'static str>,
}

impl Reader {
    /// Reads one line; `None` if it says nothing that is known.
    fn read(&mut self, line: &str) -> Option<()> {
        if let Some(more) = line.strip_prefix("  ") {
            return self.more(more);
        }
        self.gather();
        self.goes_on = false;
        if line.trim_end().is_empty() {
            return Some(());
        }
        if let Some(remark) = line.strip_prefix('#') {
            self.remark(remark.trim());
            return Some(());
        }
        if !self.versioned {
            self.versioned = line.trim_end() == format!("tape {VERSION}");
            return self.versioned.then_some(());
        }
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        match mark {
            "@" => self.step(rest.trim_end()),
            _ if self.tape.steps.is_empty() => head_line(&mut self.tape.head, mark, rest.trim_end()),
            _ => {
                let (line, goes_on) = step_line(mark, rest)?;
                self.goes_on = goes_on;
                self.tape.steps.last_mut()?.lines.push(line);
                Some(())
            }
        }
    }

    /// A line that goes on with the bytes of the last one.
    fn more(&mut self, text: &str) -> Option<()> {
        if !self.goes_on && text.trim().is_empty() {
            return Some(());
        }
        if !self.goes_on {
            self.wrong = Some("it goes on with bytes, and the line before it has none");
            return None;
        }
        self.more.extend(unescape(text)?);
        Some(())
    }

    /// Puts the bytes of the lines that went on behind those of the first one.
    fn gather(&mut self) {
        let more = std::mem::take(&mut self.more);
        let last = self.tape.steps.last_mut().and_then(|step| step.lines.last_mut());
        if let Some(Line::Input(bytes) | Line::Output(bytes) | Line::Answer(_, Answer::Data(bytes))) = last {
            if !more.is_empty() {
                *bytes = [&bytes[..], &more].concat().into();
            }
        }
    }

    fn remark(&mut self, remark: &str) {
        match remark.strip_prefix("cut: ") {
            Some(reason) => self.tape.end = End::Cut(reason.to_owned()),
            None if remark == "end" => self.tape.end = End::Whole,
            None => {}
        }
    }

    fn step(&mut self, text: &str) -> Option<()> {
        let (at, wall) = match text.split_once(", wall ") {
            Some((at, wall)) => (at, Some(parse_time(wall)?)),
            None => (text, None),
        };
        let at: Duration = parse_time(at)?;
        if self.tape.steps.last().is_some_and(|last| last.at > at) {
            self.wrong = Some("it is earlier than the step before it");
            return None;
        }
        self.tape.steps.push(Step { line: self.line, at, wall, lines: Vec::new() });
        Some(())
    }
}

fn head_line(head: &mut Head, name: &str, rest: &str) -> Option<()> {
    match name {
        "wall" => head.wall = parse_time(rest)?,
        "mono" => head.mono = Moment::from_epoch(parse_time(rest)?),
        "peer" => head.connection.peer = Some(address(rest)?),
        "local" => head.connection.local = Some(address(rest)?),
        "secure" => head.connection.secure = true,
        "alpn" => head.connection.alpn = Some(unescape(rest)?.into()),
        "seed" => head.connection.seed = rest.parse().ok()?,
        "limit" => {
            let (name, value) = rest.split_once(' ')?;
            limits::set(&mut head.limits, name, value)?;
        }
        "lenient" => head.limits.leniency.switch_on(rest).then_some(())?,
        "redact" => {
            let hidden = std::mem::replace(&mut head.redaction, Redaction::nothing());
            head.redaction = rest.split_whitespace().fold(hidden, Redaction::field);
        }
        "hide" if rest == "bodies" => head.redaction = head.redaction.clone().bodies(),
        _ => return None,
    }
    Some(())
}

fn address(text: &str) -> Option<Address> {
    match text.strip_prefix("unix:") {
        Some("") => Some(Address::Unix(None)),
        Some(path) => {
            let path = PathBuf::from(String::from_utf8(unescape(path)?).ok()?);
            Some(Address::Unix(Some(path.into())))
        }
        None => text.parse().ok().map(Address::Ip),
    }
}

/// A line of a step, and whether the next one may go on with its bytes.
fn step_line(mark: &str, rest: &str) -> Option<(Line, bool)> {
    let bytes = || unescape(rest).map(Bytes::from);
    Some(match (mark, rest.trim_end()) {
        (">", _) => (Line::Input(bytes()?), true),
        ("<", _) => (Line::Output(bytes()?), true),
        ("!", "fin") => (Line::Finished, false),
        ("!", "gone") => (Line::Gone, false),
        ("!", "drain") => (Line::Drain, false),
        ("!", told) => (Line::Waits(told.strip_prefix("waits ")?.parse().ok()?), false),
        ("~", "wake") => (Line::Wake, false),
        ("=", name) => (Line::Phase(PHASES.iter().find(|(known, _)| *known == name)?.1), false),
        ("?", rest) => {
            let (number, what) = rest.split_once(' ')?;
            let what = String::from_utf8_lossy(&unescape(what)?).into_owned();
            (Line::Effect(number.parse().ok()?, what), false)
        }
        ("+", _) => {
            let (number, answer) = rest.split_once(' ')?;
            let answer = parse_answer(answer)?;
            let goes_on = matches!(answer, Answer::Data(_));
            (Line::Answer(number.parse().ok()?, answer), goes_on)
        }
        _ => return None,
    })
}

fn parse_answer(text: &str) -> Option<Answer> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some(match name {
        "ran" => Answer::Ran,
        "unanswered" => Answer::Unanswered,
        "done" => Answer::Done,
        "data" => Answer::Data(unescape(rest)?.into()),
        "metadata" => Answer::Metadata(known(rest)?),
        "opened" => {
            let (file, metadata) = rest.split_once(", ")?;
            let (file, index) = match file.split_once(" as ") {
                Some((file, index)) => (file, Some(index.parse().ok()?)),
                None => (file, None),
            };
            Answer::Opened(file.parse().ok()?, index, known(metadata)?)
        }
        "failed" => {
            let (kind, message) = rest.split_once(':')?;
            let kind = KINDS.iter().find(|(known, _)| *known == kind)?.1;
            let message = unescape(message.strip_prefix(' ').unwrap_or(message))?;
            Answer::Failed(FileError::new(kind, String::from_utf8_lossy(&message)))
        }
        _ => return None,
    })
}

/// What is known of a file.
fn known(text: &str) -> Option<Metadata> {
    let (size, modified) = match text.trim_end().split_once(", modified ") {
        Some((size, modified)) => (size, Some(parse_time(modified)?)),
        None => (text.trim_end(), None),
    };
    match size.strip_suffix(" bytes") {
        Some(length) => Some(Metadata::file(length.parse().ok()?, modified)),
        None => (size == "directory").then(|| Metadata::directory(modified)),
    }
}
