//! A naive reader of WebSocket frames: it sees the whole stream, knows no cuts, and copies whatever it likes.
//!
//! The rule: it is written from RFC 6455 and the grammar of RFC 3629, and shares no code with what is tested. It knows no
//! compression.

use bakestone::ws::{Event, Message};

/// What it finds in a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A message that is a text.
    Text(Vec<u8>),
    /// Another one.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A Close, with its code and reason.
    Close(Option<(u16, Vec<u8>)>),
}

impl Item {
    /// What was read by what is tested, in these terms.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Message(Message::Text(text)) => Self::Text(text.as_bytes().to_vec()),
            Event::Message(Message::Binary(bytes)) => Self::Binary(bytes.to_vec()),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(frame) => {
                let told = frame.as_ref();
                Self::Close(told.map(|frame| (frame.code().get(), frame.reason().as_bytes().to_vec())))
            }
            other => panic!("{other:?} is no event of a stream"),
        }
    }
}

/// How the stream ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// There may be more to come.
    More,
    /// There was a Close.
    Closed,
    /// This is wrong, and the byte at this place makes it certain.
    Refused(&'static str, usize),
}

/// Which end reads, and what it takes.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// It is the server.
    pub is_server: bool,
    /// Bytes of a message.
    pub message_bytes: u64,
    /// Bytes of a frame.
    pub frame_bytes: u64,
}

/// Reads a stream.
pub fn read(end: End, stream: &[u8]) -> (Vec<Item>, Outcome) {
    let mut reader = Reader { end, stream, at: 0, items: Vec::new(), message: None };
    loop {
        match reader.read_frame() {
            Ok(true) => {}
            Ok(false) => return (reader.items, Outcome::More),
            Err(outcome) => return (reader.items, outcome),
        }
    }
}

struct Reader<'a> {
    end: End,
    stream: &'a [u8],
    at: usize,
    items: Vec<Item>,
    /// Whether it is a text, and each byte with its place.
    message: Option<(bool, Vec<(u8, usize)>)>,
}

impl Reader<'_> {
    fn byte(&self, index: usize) -> Option<u8> {
        self.stream.get(self.at + index).copied()
    }

    fn refused<T>(&self, what: &'static str, index: usize) -> Result<T, Outcome> {
        Err(Outcome::Refused(what, self.at + index))
    }

    /// Reads a frame; false if it is not all there.
    fn read_frame(&mut self) -> Result<bool, Outcome> {
        let Some(first) = self.byte(0) else { return Ok(false) };
        let (is_final, opcode) = (first >= 0x80, first % 16);
        let is_control = opcode >= 8;
        match opcode {
            _ if first / 16 % 8 != 0 => return self.refused("reserved-bits", 0),
            3..=7 | 11..=15 => return self.refused("reserved-opcode", 0),
            8..=10 if !is_final => return self.refused("fragmented-control", 0),
            0 if self.message.is_none() => return self.refused("unexpected-continuation", 0),
            1 | 2 if self.message.is_some() => return self.refused("interleaved-message", 0),
            _ => {}
        }
        let Some(second) = self.byte(1) else { return Ok(false) };
        let (is_masked, short) = (second >= 0x80, second % 128);
        match is_masked {
            false if self.end.is_server => return self.refused("unmasked", 1),
            true if !self.end.is_server => return self.refused("masked", 1),
            _ if is_control && short > 125 => return self.refused("control-too-long", 1),
            _ if opcode == 8 && short == 1 => return self.refused("short-close", 1),
            _ => {}
        }
        let width = if short == 127 { 8 } else { usize::from(short == 126) * 2 };
        let mut length = if width == 0 { u64::from(short) } else { 0 };
        for index in 2..2 + width {
            let Some(byte) = self.byte(index) else { return Ok(false) };
            length = length << 8 | u64::from(byte);
        }
        self.judge_length(is_control, width, length)?;
        let mut key = [0; 4];
        let mut head = 2 + width;
        if is_masked {
            for mask in &mut key {
                let Some(byte) = self.byte(head) else { return Ok(false) };
                (*mask, head) = (byte, head + 1);
            }
        }
        self.at += head;
        let there = self.stream[self.at..].iter().take(length as usize).enumerate();
        let payload: Vec<(u8, usize)> =
            there.map(|(index, byte)| (byte ^ key[index % 4], self.at + index)).collect();
        let is_whole = payload.len() as u64 == length;
        self.at += payload.len();
        match is_control {
            true if is_whole => self.end_control(opcode, payload.iter().map(|(byte, _)| *byte).collect())?,
            true => {}
            false => self.take_data(opcode, payload, is_whole && is_final)?,
        }
        Ok(is_whole)
    }

    fn judge_length(&self, is_control: bool, width: usize, length: u64) -> Result<(), Outcome> {
        let begun = self.message.as_ref().map_or(0, |(_, bytes)| bytes.len() as u64);
        let least = [0, 0, 126, 0, 0, 0, 0, 0, 65536][width];
        match length {
            _ if length >= 1 << 63 => self.refused("invalid-length", 1 + width),
            _ if length < least => self.refused("overlong-length", 1 + width),
            _ if is_control => Ok(()),
            _ if length > self.end.frame_bytes => self.refused("frame-too-big", 1 + width),
            _ if begun + length > self.end.message_bytes => self.refused("message-too-big", 1 + width),
            _ => Ok(()),
        }
    }

    fn end_control(&mut self, opcode: u8, payload: Vec<u8>) -> Result<(), Outcome> {
        let last = self.at.saturating_sub(1);
        match (opcode, &payload[..]) {
            (9, _) => self.items.push(Item::Ping(payload)),
            (10, _) => self.items.push(Item::Pong(payload)),
            (_, [high, low, reason @ ..]) => {
                let code = u16::from(*high) * 256 + u16::from(*low);
                if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                    return Err(Outcome::Refused("invalid-close-code", last));
                }
                if !matches!(utf8(reason.iter().copied()), Utf8::Whole) {
                    return Err(Outcome::Refused("invalid-close-reason", last));
                }
                self.items.push(Item::Close(Some((code, reason.to_vec()))));
                return Err(Outcome::Closed);
            }
            _ => {
                self.items.push(Item::Close(None));
                return Err(Outcome::Closed);
            }
        }
        Ok(())
    }

    fn take_data(&mut self, opcode: u8, payload: Vec<(u8, usize)>, is_over: bool) -> Result<(), Outcome> {
        let (is_text, mut bytes) = self.message.take().unwrap_or((opcode == 1, Vec::new()));
        bytes.extend(payload);
        if is_text {
            match utf8(bytes.iter().map(|(byte, _)| *byte)) {
                Utf8::Fault(at) => return Err(Outcome::Refused("invalid-utf8", bytes[at].1)),
                Utf8::Cut if is_over => return Err(Outcome::Refused("invalid-utf8", self.at - 1)),
                _ => {}
            }
        }
        if !is_over {
            self.message = Some((is_text, bytes));
            return Ok(());
        }
        let bytes = bytes.into_iter().map(|(byte, _)| byte).collect();
        self.items.push(if is_text { Item::Text(bytes) } else { Item::Binary(bytes) });
        Ok(())
    }
}

enum Utf8 {
    Whole,
    /// It ends inside of a character.
    Cut,
    /// The byte at this place cannot stand there.
    Fault(usize),
}

/// Reads characters by the grammar of RFC 3629, section 4: what may follow each first byte.
fn utf8(text: impl Iterator<Item = u8>) -> Utf8 {
    const TAIL: (u8, u8) = (0x80, 0xbf);
    let mut expected: Vec<(u8, u8)> = Vec::new();
    for (index, byte) in text.enumerate() {
        if let Some((least, most)) = expected.pop() {
            if !(least..=most).contains(&byte) {
                return Utf8::Fault(index);
            }
            continue;
        }
        // The last one that is expected stands first.
        expected = match byte {
            0x00..=0x7f => vec![],
            0xc2..=0xdf => vec![TAIL],
            0xe0 => vec![TAIL, (0xa0, 0xbf)],
            0xe1..=0xec | 0xee..=0xef => vec![TAIL, TAIL],
            0xed => vec![TAIL, (0x80, 0x9f)],
            0xf0 => vec![TAIL, TAIL, (0x90, 0xbf)],
            0xf1..=0xf3 => vec![TAIL, TAIL, TAIL],
            0xf4 => vec![TAIL, TAIL, (0x80, 0x8f)],
            _ => return Utf8::Fault(index),
        };
    }
    if expected.is_empty() { Utf8::Whole } else { Utf8::Cut }
}
