//! Content that is known by its key and its place.
//!
//! The rule: every byte depends on its place, so that one which is lost, doubled or another request's is seen at once.

use std::sync::OnceLock;

use bakestone::Bytes;

use crate::seed::Random;

/// The period: a prime, so that no power of two is a whole number of periods.
const PERIOD: usize = 4099;

/// The longest piece that is given at once.
const LONGEST: usize = 64 << 10;

fn table() -> &'static Bytes {
    static TABLE: OnceLock<Bytes> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut random = Random::new(0x7ab1e);
        // Letters, so that a transcript can be read.
        let period: Vec<u8> = (0..PERIOD).map(|_| b'a' + random.below(26) as u8).collect();
        period.iter().copied().cycle().take(PERIOD + LONGEST).collect()
    })
}

/// The content of `key` from `place` on: `length` bytes, or 64 KiB if that is less.
///
/// ```
/// use bakestone_testkit::simulate::pattern;
///
/// let whole = pattern(7, 0, 100);
/// assert_eq!(pattern(7, 40, 60), whole[40..]);
/// assert_ne!(pattern(8, 0, 100), whole);
/// ```
pub fn pattern(key: u64, place: u64, length: u64) -> Bytes {
    let from = ((key % PERIOD as u64 * 31 + place % PERIOD as u64) % PERIOD as u64) as usize;
    let length = usize::try_from(length).unwrap_or(LONGEST).min(LONGEST);
    table().slice(from..from + length)
}

/// Where `bytes`, at `place`, differs from the content of `key`.
pub(super) fn mismatch(key: u64, place: u64, bytes: &[u8]) -> Option<u64> {
    let mut at = place;
    for piece in bytes.chunks(LONGEST) {
        let expected = pattern(key, at, piece.len() as u64);
        if expected != piece {
            let same = expected.iter().zip(piece).take_while(|(left, right)| left == right).count();
            return Some(at + same as u64);
        }
        at += piece.len() as u64;
    }
    None
}

/// A sum over the content of `key`, as [`sum_on`] makes it.
pub(super) fn sum(key: u64, length: u64) -> u64 {
    let (mut sum, mut place) = (0, 0);
    while place < length {
        let piece = pattern(key, place, length - place);
        sum = sum_on(sum, place, &piece);
        place += piece.len() as u64;
    }
    sum
}

/// Goes on with a sum, in which each byte counts by its place, over `bytes` at `place`.
pub(super) fn sum_on(sum: u64, place: u64, bytes: &[u8]) -> u64 {
    let weighed = bytes.iter().zip(place..).map(|(byte, place)| u64::from(*byte).wrapping_mul(2 * place + 1));
    weighed.fold(sum, u64::wrapping_add)
}
