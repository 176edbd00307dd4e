//! Where the content lies in both streams of a connection, however they are cut.
//!
//! The rule: it reads framing as HTTP/1.1 has it (RFC 9112, section 6.3) and no more; whatever it does not understand
//! is content from there to the end of the connection.

use std::collections::VecDeque;
use std::ops::Range;

/// More of a line than this says nothing about framing.
const LINE: usize = 256;

/// Requests without an answer; a client that sends more ahead has them taken for content.
const AHEAD: usize = 1_024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

/// The content of one connection.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    inward: Framing,
    outward: Framing,
    /// The requests that have no answer yet.
    asked: VecDeque<Asked>,
}

/// What an answer's framing needs to know of its request.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    is_head: bool,
    is_connect: bool,
    /// What follows may be of another protocol.
    may_switch: bool,
}

/// One direction.
#[derive(Debug, Default)]
struct Framing {
    place: Place,
    /// The line that is being read, as far as it matters.
    line: Vec<u8>,
    head: Head,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In the lines of a head.
    #[default]
    Head,
    /// In content of a length that is known.
    Content(u64),
    /// In the line of a chunk's size.
    ChunkSize,
    /// In a chunk, with its line end.
    Chunk(u64),
    /// Between the last chunk and the end of the message.
    Trailers,
    /// In what has no end.
    Rest,
}

/// What the lines of a head have said so far.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    asked: Asked,
    status: u16,
    begun: bool,
    length: Option<u64>,
    chunked: bool,
    broken: bool,
}

impl Bodies {
    /// The content among the next bytes of a stream.
    pub(super) fn find(&mut self, direction: Direction, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut hidden: Vec<Range<usize>> = Vec::new();
        let mut doubt = direction == Direction::In && self.asked.iter().any(|asked| asked.may_switch);
        for (index, byte) in bytes.iter().enumerate() {
            let asked = self.asked.len();
            let is_hidden = self.is_content(direction, *byte) || doubt;
            // What comes in only ever asks for more.
            doubt |= self.asked.len() > asked && self.asked.back().is_some_and(|asked| asked.may_switch);
            if is_hidden {
                match hidden.last_mut() {
                    Some(range) if range.end == index => range.end += 1,
                    _ => hidden.push(index..index + 1),
                }
            }
        }
        hidden
    }

    /// Whether the next byte is content.
    fn is_content(&mut self, direction: Direction, byte: u8) -> bool {
        let framing = match direction {
            Direction::In => &mut self.inward,
            Direction::Out => &mut self.outward,
        };
        match framing.place {
            Place::Rest => return true,
            Place::Content(left) => {
                framing.place = if left > 1 { Place::Content(left - 1) } else { Place::Head };
                return true;
            }
            Place::Chunk(left) => {
                framing.place = if left > 1 { Place::Chunk(left - 1) } else { Place::ChunkSize };
                return left > 2;
            }
            Place::Head | Place::ChunkSize | Place::Trailers => {}
        }
        if byte != b'\n' {
            if framing.line.len() < LINE {
                framing.line.push(byte);
            }
            return false;
        }
        let line = std::mem::take(&mut framing.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        match framing.place {
            Place::ChunkSize => framing.place = after_size(line),
            Place::Trailers if line.is_empty() => framing.place = Place::Head,
            Place::Head if !line.is_empty() => framing.head.line(line, direction),
            Place::Head if framing.head.begun => self.end_of_head(direction),
            _ => {}
        }
        false
    }

    fn end_of_head(&mut self, direction: Direction) {
        match direction {
            Direction::In => {
                let head = std::mem::take(&mut self.inward.head);
                self.inward.place = head.place(Place::Head);
                self.asked.push_back(head.asked);
                if self.asked.len() > AHEAD {
                    self.inward.place = Place::Rest;
                }
            }
            Direction::Out => {
                let head = std::mem::take(&mut self.outward.head);
                self.outward.place = self.answered(head);
            }
        }
    }

    /// What follows the head of an answer.
    fn answered(&mut self, head: Head) -> Place {
        if (100..200).contains(&head.status) && head.status != 101 {
            return Place::Head;
        }
        let asked = self.asked.pop_front().unwrap_or_default();
        let switches = head.status == 101 || asked.is_connect && (200..300).contains(&head.status);
        if switches {
            self.inward.place = Place::Rest;
            return Place::Rest;
        }
        if asked.is_head || head.status == 204 || head.status == 304 {
            return if head.broken { Place::Rest } else { Place::Head };
        }
        head.place(Place::Rest)
    }
}

impl Head {
    fn line(&mut self, line: &[u8], direction: Direction) {
        if !std::mem::replace(&mut self.begun, true) {
            return self.start_line(line, direction);
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            self.broken |= length.is_none() || self.length.is_some_and(|known| Some(known) != length);
            self.length = length;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.broken |= line.len() >= LINE || !value.to_ascii_lowercase().ends_with(b"chunked");
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.asked.may_switch = true;
        }
    }

    fn start_line(&mut self, line: &[u8], direction: Direction) {
        let mut words = line.split(|byte| *byte == b' ');
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match direction {
            Direction::In => {
                let is_connect = first == b"CONNECT";
                self.asked = Asked { is_head: first == b"HEAD", is_connect, may_switch: is_connect };
            }
            Direction::Out => {
                let status = std::str::from_utf8(second).ok().and_then(|text| text.parse().ok());
                self.broken = status.is_none();
                self.status = status.unwrap_or_default();
            }
        }
    }

    /// What follows it: `untold` if nothing says so.
    fn place(&self, untold: Place) -> Place {
        match (self.broken, self.chunked, self.length) {
            (true, ..) => Place::Rest,
            (_, true, _) => Place::ChunkSize,
            (_, _, Some(0)) => Place::Head,
            (_, _, Some(length)) => Place::Content(length),
            _ => untold,
        }
    }
}

/// What follows the line of a chunk's size.
fn after_size(line: &[u8]) -> Place {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let size = std::str::from_utf8(digits).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
    match size {
        Some(0) => Place::Trailers,
        Some(size) => Place::Chunk(size.saturating_add(2)),
        None => Place::Rest,
    }
}
