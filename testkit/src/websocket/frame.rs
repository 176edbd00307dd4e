//! Frames by hand: those that a codec would never write, and those that it wrote, as they are.
//!
//! The rule: it writes what it is told, right or wrong, and reads whatever has the form of a frame.
//!
//! ```text
//! frame = FIN RSV1 RSV2 RSV3 opcode(4)  MASK length(7) [ length(16) / length(64) ] [ key(32) ] payload
//! ```
//!
//! RFC 6455, section 5.2.

use bakestone::Bytes;
use bytes::{Buf, BytesMut};

/// A frame, as it is on the wire.
///
/// ```
/// use bakestone_testkit::Frame;
///
/// assert_eq!(Frame::text("hi").to_bytes(), b"\x81\x02hi");
/// assert_eq!(Frame::text("hi").masked([1, 2, 3, 4]).to_bytes(), b"\x81\x82\x01\x02\x03\x04ik");
/// // A text of which another frame is the end, with a bit that means nothing and a length that is not in its
/// // shortest form.
/// let odd = Frame::text("hi").fin(false).rsv(0b010).length_bytes(2);
/// assert_eq!(odd.to_bytes(), b"\x21\x7e\x00\x02hi");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether it is the last one of its message.
    pub is_final: bool,
    /// The three reserved bits, RSV1 being 4: that one says that the message is compressed (RFC 7692, section 6).
    pub rsv: u8,
    /// 0 continues a message, 1 is text, 2 binary, 8 a Close, 9 a ping, 10 a pong.
    pub opcode: u8,
    /// What it carries, without its mask.
    pub payload: Bytes,
    /// The key that the payload is masked with.
    pub mask: Option<[u8; 4]>,
    /// The length that it claims to have, if that is not the payload's.
    pub declared_length: Option<u64>,
    /// How many bytes the length has behind the first two, 0, 2 or 8, if that is not the least.
    pub length_bytes: Option<usize>,
}

impl Frame {
    /// A whole, unmasked frame of any opcode, of which four bits are used.
    pub fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            is_final: true,
            rsv: 0,
            opcode: opcode & 15,
            payload: Bytes::copy_from_slice(payload.as_ref()),
            mask: None,
            declared_length: None,
            length_bytes: None,
        }
    }

    /// A text, which need not be UTF-8.
    pub fn text(payload: impl AsRef<[u8]>) -> Self {
        Self::new(1, payload)
    }

    /// A binary message.
    pub fn binary(payload: impl AsRef<[u8]>) -> Self {
        Self::new(2, payload)
    }

    /// The next part of a message.
    pub fn continuation(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0, payload)
    }

    /// A ping.
    pub fn ping(payload: impl AsRef<[u8]>) -> Self {
        Self::new(9, payload)
    }

    /// A pong.
    pub fn pong(payload: impl AsRef<[u8]>) -> Self {
        Self::new(10, payload)
    }

    /// A Close with a code, be it one that may not be sent, and a reason.
    pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(8, [&code.to_be_bytes()[..], reason.as_ref()].concat())
    }

    /// The same with this bit at its front: false, where another frame goes on with the message.
    #[must_use]
    pub fn fin(mut self, is_final: bool) -> Self {
        self.is_final = is_final;
        self
    }

    /// The same with these three reserved bits.
    #[must_use]
    pub fn rsv(mut self, bits: u8) -> Self {
        self.rsv = bits & 7;
        self
    }

    /// The same masked with `key`, as a client's has to be.
    #[must_use]
    pub fn masked(mut self, key: [u8; 4]) -> Self {
        self.mask = Some(key);
        self
    }

    /// The same, but it claims to have so many bytes.
    #[must_use]
    pub fn declared_length(mut self, length: u64) -> Self {
        self.declared_length = Some(length);
        self
    }

    /// The same with so many bytes of length behind the first two: 0, 2 or 8.
    #[must_use]
    pub fn length_bytes(mut self, count: usize) -> Self {
        self.length_bytes = Some(count);
        self
    }

    /// The bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = self.declared_length.unwrap_or(self.payload.len() as u64);
        let least = match length {
            0..126 => 0,
            126..0x1_0000 => 2,
            _ => 8,
        };
        let mask = if self.mask.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![u8::from(self.is_final) << 7 | self.rsv << 4 | self.opcode];
        match self.length_bytes.unwrap_or(least) {
            0 => bytes.push(mask | (length & 127) as u8),
            2 => {
                bytes.push(mask | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend_from_slice(&length.to_be_bytes());
            }
        }
        bytes.extend_from_slice(&self.mask.unwrap_or_default()[..if self.mask.is_some() { 4 } else { 0 }]);
        bytes.extend(masked(&self.payload, self.mask));
        bytes
    }

    /// Takes a frame from the front of `bytes`, if it is there as a whole.
    ///
    /// ```
    /// use bakestone_testkit::Frame;
    /// use bytes::BytesMut;
    ///
    /// let mut bytes = BytesMut::from(&b"\x81\x02hi\x89"[..]);
    /// assert_eq!(Frame::take(&mut bytes), Some(Frame::text("hi")));
    /// assert_eq!(Frame::take(&mut bytes), None);
    /// assert_eq!(&bytes[..], b"\x89");
    /// ```
    pub fn take(bytes: &mut BytesMut) -> Option<Self> {
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let (length, mut head) = match second & 127 {
            126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        let mut mask = None;
        if second & 0x80 != 0 {
            mask = Some(*bytes.get(head..)?.first_chunk()?);
            head += 4;
        }
        let end = usize::try_from(length).ok()?.checked_add(head).filter(|end| *end <= bytes.len())?;
        let payload = masked(&bytes[head..end], mask).collect();
        bytes.advance(end);
        let frame = Self::new(first, []).fin(first & 0x80 != 0).rsv(first >> 4);
        Some(Self { payload, mask, ..frame })
    }
}

fn masked(payload: &[u8], key: Option<[u8; 4]>) -> impl Iterator<Item = u8> {
    let key = key.unwrap_or_default().into_iter().cycle();
    payload.iter().zip(key).map(|(byte, key)| byte ^ key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
            for mask in [None, Some([7, 0, 255, 1])] {
                let frame = Frame { mask, ..Frame::binary(vec![b'x'; length]) };
                let bytes = frame.to_bytes();
                let head = 2 + if length < 126 {
                    0
                } else if length < 65_536 {
                    2
                } else {
                    8
                };
                assert_eq!(bytes.len(), head + if mask.is_some() { 4 } else { 0 } + length);
                let mut input = BytesMut::from(&bytes[..]);
                assert_eq!(Frame::take(&mut input), Some(frame), "{length} bytes");
                assert!(input.is_empty());
                for end in [0, 1, bytes.len() - 1] {
                    assert_eq!(Frame::take(&mut BytesMut::from(&bytes[..end])), None, "{length} bytes");
                }
            }
        }
    }
}
