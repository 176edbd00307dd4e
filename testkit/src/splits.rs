//! The ways in which a network may cut a run of bytes.
//!
//! The rule: every item holds all the bytes, in order, and the same call gives the same cuts.

use crate::seed::Random;

/// The seed of the random cuts of [`splits`].
pub const SPLIT_SEED: u64 = 0xba4e_570e_5911_7500;

/// At most about this many two-way cuts are made, and byte by byte means at most so many pieces times eight.
const TWO_WAY: usize = 512;
const SINGLE: usize = 8 * TWO_WAY;
const RANDOM: usize = 32;

/// Ways to cut `bytes`: whole, in two at every byte, byte by byte, and 32 seeded random cuts into many.
///
/// Trying every two-way cut costs the square of the length, so it is bounded: up to 512 bytes are cut at
/// every byte; a longer run at every byte of its first and last 128 and at 256 places spread evenly between.
/// Up to 4,096 bytes go byte by byte; a longer run goes in that many pieces of equal length.
///
/// ```
/// use bakestone_testkit::splits;
///
/// let cuts: Vec<_> = splits(b"ab\n").collect();
/// assert_eq!(cuts[0], [b"ab\n"]);
/// assert!(cuts.contains(&vec![&b"a"[..], b"b\n"]));
/// assert!(cuts.contains(&vec![&b"a"[..], b"b", b"\n"]));
/// ```
pub fn splits(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    splits_seeded(bytes, SPLIT_SEED)
}

/// As [`splits`], with another seed for the random cuts.
pub fn splits_seeded(bytes: &[u8], seed: u64) -> impl Iterator<Item = Vec<&[u8]>> {
    let whole = std::iter::once(vec![bytes]);
    let two_way = cut_places(bytes.len()).map(move |at| vec![&bytes[..at], &bytes[at..]]);
    let single = bytes.chunks(bytes.len().div_ceil(SINGLE).max(1)).collect::<Vec<_>>();
    let single = Some(single).filter(|pieces| pieces.len() > 2).into_iter();
    let mut random = Random::new(seed);
    let rounds = if bytes.len() > 3 { RANDOM } else { 0 };
    let many = (0..rounds).map(move |_| random_cut(bytes, &mut random));
    whole.chain(two_way).chain(single).chain(many)
}

/// The offsets of the two-way cuts of so many bytes, in order.
fn cut_places(length: usize) -> impl Iterator<Item = usize> {
    const EDGE: usize = TWO_WAY / 4;
    let stride = if length <= TWO_WAY { 1 } else { (length - 2 * EDGE).div_ceil(TWO_WAY / 2) };
    (1..length).filter(move |&at| at < EDGE || at + EDGE > length || (at - EDGE) % stride == 0)
}

/// Cuts into pieces whose length is at most a bound that is itself drawn, so that some cuts are fine and some
/// are coarse.
fn random_cut<'a>(bytes: &'a [u8], random: &mut Random) -> Vec<&'a [u8]> {
    let longest = 1 + random.below((bytes.len() / 2).max(1));
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + random.below(longest)).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_holds_all_the_bytes_in_order() {
        for length in [0, 1, 2, 3, 4, 100, 511, 512, 513, 5_000] {
            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            for pieces in splits(&bytes) {
                assert_eq!(pieces.concat(), bytes, "of {length} bytes");
                assert!(length == 0 || pieces.iter().all(|piece| !piece.is_empty()), "of {length} bytes");
            }
        }
    }

    #[test]
    fn short_input_is_cut_everywhere_and_long_input_not_too_often() {
        let at_every_byte = |length| cut_places(length).count() == length - 1;
        assert!(at_every_byte(2) && at_every_byte(300) && at_every_byte(TWO_WAY));
        assert!(cut_places(1 << 20).count() <= TWO_WAY + 2);
        assert_eq!(splits(&[0; 1 << 16]).map(|pieces| pieces.len()).max(), Some(SINGLE));
    }

    #[test]
    fn a_seed_means_the_same_cuts_every_time() {
        let bytes = [7; 64];
        assert!(splits(&bytes).eq(splits_seeded(&bytes, SPLIT_SEED)));
        assert!(!splits(&bytes).eq(splits_seeded(&bytes, 1)));
    }
}
