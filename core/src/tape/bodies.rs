//! Where the content lies in both streams of a connection, however they are cut.
//!
//! The rule: it reads framing as HTTP/1.1 has it (RFC 9112, section 6.3) and no more; whatever it does not understand
//! is content from there to the end of the connection.

use std::collections::VecDeque;
use std::ops::Range;

/// A line that says something about framing is shorter than this; of one that is not, nothing is believed.
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
    /// In a chunk.
    Chunk(u64),
    /// At the end of its line.
    ChunkEnd,
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
    /// The line before was about framing.
    framed: bool,
    broken: bool,
}

impl Bodies {
    /// The content among the next bytes of a stream.
    pub(super) fn find(&mut self, direction: Direction, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut hidden: Vec<Range<usize>> = Vec::new();
        let mut doubt = direction == Direction::In && self.asked.iter().any(|asked| asked.may_switch);
        let mut index = 0;
        while index < bytes.len() {
            let asked = self.asked.len();
            let content = self.framing(direction).skip(bytes.len() - index);
            let is_hidden = content > 0 || self.is_content(direction, bytes[index]) || doubt;
            // What comes in only ever asks for more.
            doubt |= self.asked.len() > asked && self.asked.back().is_some_and(|asked| asked.may_switch);
            let end = index + content.max(1);
            if is_hidden {
                match hidden.last_mut() {
                    Some(range) if range.end == index => range.end = end,
                    _ => hidden.push(index..end),
                }
            }
            index = end;
        }
        hidden
    }

    fn framing(&mut self, direction: Direction) -> &mut Framing {
        match direction {
            Direction::In => &mut self.inward,
            Direction::Out => &mut self.outward,
        }
    }

    /// Whether the next byte, where no content is expected, is content all the same.
    fn is_content(&mut self, direction: Direction, byte: u8) -> bool {
        let framing = self.framing(direction);
        let is_understood = match framing.place {
            Place::ChunkSize => framing.may_be_size(byte),
            Place::ChunkEnd => matches!(byte, b'\r' | b'\n'),
            _ => true,
        };
        if !is_understood {
            framing.place = Place::Rest;
            return true;
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
            Place::ChunkEnd => framing.place = Place::ChunkSize,
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

impl Framing {
    /// How many of the next `count` bytes are content for sure.
    fn skip(&mut self, count: usize) -> usize {
        let (left, then) = match self.place {
            Place::Rest => return count,
            Place::Content(left) => (left, Place::Head),
            Place::Chunk(left) => (left, Place::ChunkEnd),
            _ => return 0,
        };
        let skipped = left.min(count as u64);
        self.place = match (left - skipped, self.place) {
            (0, _) => then,
            (left, Place::Chunk(_)) => Place::Chunk(left),
            (left, _) => Place::Content(left),
        };
        skipped as usize
    }

    /// Whether this byte can be one of a chunk's size, or of the extensions behind it (RFC 9112, section 7.1).
    fn may_be_size(&self, byte: u8) -> bool {
        byte.is_ascii_hexdigit() || b"\r\n\t ;".contains(&byte) || self.line.contains(&b';')
    }
}

impl Head {
    fn line(&mut self, line: &[u8], direction: Direction) {
        if !std::mem::replace(&mut self.begun, true) {
            return self.start_line(line, direction);
        }
        // It goes on with the line before it (obs-fold, RFC 9112, section 5.2), and is no field of its own.
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            self.broken |= self.framed;
            return;
        }
        self.framed = false;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = number(value, 10);
            self.broken |= length.is_none() || self.length.is_some_and(|known| Some(known) != length);
            self.broken |= line.len() >= LINE;
            (self.length, self.framed) = (length, true);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.broken |= line.len() >= LINE || !value.eq_ignore_ascii_case(b"chunked");
            (self.chunked, self.framed) = (true, true);
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
    let has_extensions = line.contains(&b';');
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    match number(digits, 16) {
        Some(_) if line.len() >= LINE && !has_extensions => Place::Rest,
        Some(0) => Place::Trailers,
        Some(size) => Place::Chunk(size),
        None => Place::Rest,
    }
}

/// Digits and nothing else: no sign, as Rust would take it.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with(['+', '-']))?;
    u64::from_str_radix(text, radix).ok()
}
