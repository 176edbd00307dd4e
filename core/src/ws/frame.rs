//! The head of a frame.
//!
//! The rule: a length has one form, the shortest; what is reserved is refused; and a byte is judged when it is there.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//! |I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
//! |N|V|V|V|       |S|             |   (if payload len==126/127)   |
//! | |1|2|3|       |K|             |                               |
//! +-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
//! |     Extended payload length continued, if payload len == 127  |
//! + - - - - - - - - - - - - - - - +-------------------------------+
//! |                               | Masking-key, if MASK set to 1 |
//! +-------------------------------+-------------------------------+
//! | Masking-key (continued)       |          Payload Data         |
//! +-------------------------------- - - - - - - - - - - - - - - - +
//! ```
//!
//! RFC 6455, section 5.2.

use super::error::Reason;
use super::message::MessageKind;

/// What a control frame has room for, in bytes (RFC 6455, section 5.5).
pub(super) const CONTROL_BYTES: usize = 125;

/// The longest head.
const HEAD_BYTES: usize = 14;

const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
const RSV1: u8 = 0x40;
const MASK: u8 = 0x80;
const OPCODE: u8 = 0x0f;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Data(MessageKind),
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const CODES: [(u8, Self); 6] = [
        (0x0, Self::Continuation),
        (0x1, Self::Data(MessageKind::Text)),
        (0x2, Self::Data(MessageKind::Binary)),
        (0x8, Self::Close),
        (0x9, Self::Ping),
        (0xa, Self::Pong),
    ];

    fn read(code: u8) -> Option<Self> {
        Self::CODES.iter().find(|(own, _)| *own == code).map(|(_, opcode)| *opcode)
    }

    fn code(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Data(MessageKind::Text) => 0x1,
            Self::Data(MessageKind::Binary) => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The first byte of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Nothing of the message follows this frame.
    pub(super) is_final: bool,
    /// RSV1: the message is compressed (RFC 7692, section 6).
    pub(super) is_compressed: bool,
    pub(super) opcode: Opcode,
}

impl Start {
    /// A frame that is a whole message, or a control frame.
    pub(super) fn whole(opcode: Opcode) -> Self {
        Self { is_final: true, is_compressed: false, opcode }
    }

    /// Reads a first byte; with `has_deflate` a message may be compressed.
    pub(super) fn read(byte: u8, has_deflate: bool) -> Result<Self, Reason> {
        let is_final = byte & FIN != 0;
        let opcode = Opcode::read(byte & OPCODE);
        // Only the first frame of a message says that it is compressed (RFC 7692, section 6.1).
        let is_compressed = byte & RSV1 != 0 && has_deflate && matches!(opcode, Some(Opcode::Data(_)));
        match opcode {
            _ if byte & RSV != 0 && !(is_compressed && byte & RSV == RSV1) => Err(Reason::ReservedBits),
            None => Err(Reason::ReservedOpcode),
            Some(opcode) if opcode.is_control() && !is_final => Err(Reason::FragmentedControl),
            Some(opcode) => Ok(Self { is_final, is_compressed, opcode }),
        }
    }

    fn byte(self) -> u8 {
        let flag = |is_set, bit| if is_set { bit } else { 0 };
        flag(self.is_final, FIN) | flag(self.is_compressed, RSV1) | self.opcode.code()
    }
}

/// Whether the second byte of a frame says that it is masked.
pub(super) fn is_masked(second: u8) -> bool {
    second & MASK != 0
}

/// The seven bits of the second byte that are the length of the payload, or say where it stands.
pub(super) fn short_length(second: u8) -> usize {
    usize::from(second & !MASK)
}

/// How many bytes behind the second one are the length.
pub(super) fn length_bytes(second: u8) -> usize {
    match second & !MASK {
        127 => 8,
        126 => 2,
        _ => 0,
    }
}

/// The length of the payload; `None` if its bytes are not all there. `head` begins with the frame.
pub(super) fn read_length(head: &[u8]) -> Result<Option<u64>, Reason> {
    let [_, second, rest @ ..] = head else { return Ok(None) };
    let (length, least) = match (length_bytes(*second), rest) {
        (0, _) => (u64::from(*second & !MASK), 0),
        (2, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 126),
        (8, [a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 1 << 16),
        _ => return Ok(None),
    };
    match length {
        _ if length >> 63 != 0 => Err(Reason::InvalidLength),
        _ if length < least => Err(Reason::OverlongLength),
        _ => Ok(Some(length)),
    }
}

/// The head of a frame, as it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    bytes: [u8; HEAD_BYTES],
    length: usize,
}

impl Head {
    pub(super) fn new(start: Start, payload: usize, key: Option<[u8; 4]>) -> Self {
        let mut head = Self { bytes: [0; HEAD_BYTES], length: 0 };
        head.push(&[start.byte()]);
        let mask = if key.is_some() { MASK } else { 0 };
        match payload {
            0..126 => head.push(&[mask | payload as u8]),
            126..0x1_0000 => {
                head.push(&[mask | 126]);
                head.push(&(payload as u16).to_be_bytes());
            }
            _ => {
                head.push(&[mask | 127]);
                head.push(&(payload as u64).to_be_bytes());
            }
        }
        head.push(&key.unwrap_or_default()[..if key.is_some() { 4 } else { 0 }]);
        head
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
