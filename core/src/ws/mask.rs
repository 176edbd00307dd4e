//! The mask of a client's frames, and the keys of it.
//!
//! The rule: `octet i XOR key[i MOD 4]` and nothing else, so that a frame may be unmasked in pieces if each begins with
//! its place in the key (RFC 6455, section 5.3).

use std::hash::{DefaultHasher, Hasher};

/// How many bytes are masked at once: as much as the compiler makes into a few wide operations.
const LANE: usize = 32;

/// Masks or unmasks `bytes`, of which the first has the offset `at` in its frame's payload.
pub(super) fn apply(bytes: &mut [u8], mut key: [u8; 4], at: usize) {
    key.rotate_left(at % 4);
    let pattern: [u8; LANE] = std::array::from_fn(|index| key[index % 4]);
    let mut lanes = bytes.chunks_exact_mut(LANE);
    for lane in &mut lanes {
        xor(lane, &pattern);
    }
    xor(lanes.into_remainder(), &pattern);
}

fn xor(bytes: &mut [u8], pattern: &[u8; LANE]) {
    for (byte, mask) in bytes.iter_mut().zip(pattern) {
        *byte ^= mask;
    }
}

/// The keys of a client: a new one for each frame.
///
/// A key is there so that a script cannot choose the bytes on the wire (RFC 6455, section 10.3), so it must not be
/// guessed by one; SipHash of a seed and a counter cannot be, as long as the seed is not known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    seed: u64,
    count: u64,
}

impl Keys {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    pub(super) fn next(&mut self) -> [u8; 4] {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        hasher.write_u64(self.count);
        self.count = self.count.wrapping_add(1);
        let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
        [a, b, c, d]
    }
}
