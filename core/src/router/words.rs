//! A path, read eight bytes at a time.
//!
//! The rule: one pass over a segment finds its end and its hash. Segments are short, so whatever finds far bytes
//! fast would take longer to begin than this takes to end.

/// The lowest bit of each byte.
const ONES: u64 = u64::MAX / 0xff;

/// An odd number without a pattern in its bits (the golden ratio's).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The highest bit of each byte of `word` that is `byte`. The lowest of them is right; those above it may be set
/// for bytes that are not.
#[inline]
fn marks(word: u64, byte: u8) -> u64 {
    let other = word ^ (ONES * u64::from(byte));
    other.wrapping_sub(ONES) & !other & (ONES << 7)
}

/// Whether `byte` is in `text`. Nothing is done early, so that a compiler compares sixteen bytes at once.
#[inline]
pub(super) fn contains(text: &[u8], byte: u8) -> bool {
    // The last block may begin in the one before it.
    if let Some(last) = text.last_chunk::<16>() {
        let mut found = last.map(|other| other == byte);
        for block in text.chunks_exact(16) {
            for (found, other) in found.iter_mut().zip(block) {
                *found |= *other == byte;
            }
        }
        return found.contains(&true);
    }
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => {
            let marks = |word: &[u8; 8]| marks(u64::from_le_bytes(*word), byte);
            marks(first) | marks(last) != 0
        }
        _ => text.contains(&byte),
    }
}

/// The hash of a text so far, with another word of it. Each step can be undone; so texts of up to eight bytes that
/// are equally long have different hashes.
#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(SPREAD)
}

/// The hash of `text`: of its words, and of what is left of it, which may be nothing. Its highest bits are the
/// best ones, since a product hands what differs on to higher bits only. It has no secret, since nothing that a
/// client sends is ever put into a table.
pub(super) fn hash(text: &[u8]) -> u64 {
    let words = text.chunks_exact(8);
    let rest = words.remainder().iter().rfold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(words.fold(0, |hash, word| mix(hash, word.try_into().map_or(0, u64::from_le_bytes))), rest)
}

/// Where a segment of a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The [`hash`] of its text.
    pub(super) hash: u64,
}

impl Stretch {
    /// The segment that is all of `text`, slashes included.
    pub(super) fn whole(text: &[u8]) -> Self {
        Self { start: 0, end: text.len(), hash: hash(text) }
    }

    /// Its length in bytes.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// A path as words.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    path: &'a [u8],
    /// The last eight bytes; of a shorter path all of it, after zeros.
    last: u64,
}

impl<'a> Words<'a> {
    #[inline]
    pub(super) fn new(path: &'a [u8]) -> Self {
        let last = match path.last_chunk() {
            Some(last) => u64::from_le_bytes(*last),
            None => path.iter().fold(0, |word, byte| word >> 8 | u64::from(*byte) << 56),
        };
        Self { path, last }
    }

    /// The word of the last `length` bytes of the path, which are less than eight: these, a `/`, and zeros.
    #[inline]
    fn end(&self, length: usize) -> u64 {
        // No shift is as wide as the word.
        let bits = (length * 8) & 63;
        self.last >> (56 - bits) >> 8 | u64::from(b'/') << bits
    }

    /// The segment that begins at `start`; `None` if that is past the end of the path.
    #[inline]
    pub(super) fn segment(&self, start: usize) -> Option<Stretch> {
        let (mut rest, mut hash) = (self.path.get(start..)?, 0);
        loop {
            let (word, after) = match rest.split_first_chunk() {
                Some((word, after)) => (u64::from_le_bytes(*word), after),
                None => (self.end(rest.len()), rest),
            };
            let slashes = marks(word, b'/');
            if slashes != 0 {
                // The bits up to the lowest mark, which is the highest bit of the slash, without the slash.
                let before = (slashes ^ (slashes - 1)) >> 8;
                let end = self.path.len() - rest.len() + slashes.trailing_zeros() as usize / 8;
                return Some(Stretch { start, end, hash: mix(hash, word & before) });
            }
            (rest, hash) = (after, mix(hash, word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_end_at_each_slash() {
        for length in 0..40 {
            for other in [1_u8, b'.', b'0', 0x80, 0xaf, 0xff] {
                let mut path = vec![other; length];
                for at in (0..=length).rev() {
                    path[at..].iter_mut().take(1).for_each(|byte| *byte = b'/');
                    assert_eq!(contains(&path, b'/'), at < length, "{length} {other}");
                    for from in 0..=at {
                        let expected = Stretch { start: from, end: at, hash: hash(&path[from..at]) };
                        assert_eq!(Words::new(&path).segment(from), Some(expected), "{length} {other}");
                    }
                }
                assert_eq!(Words::new(&path).segment(length + 1), None, "{length} {other}");
            }
        }
    }

    #[test]
    fn short_texts_have_hashes_of_their_own() {
        let texts = ["abcdefgh", "bbcdefgh", "abcdefgg", "abcdefg", "a", "b", ""];
        for (index, text) in texts.iter().enumerate() {
            assert!(
                texts[..index].iter().all(|other| hash(other.as_bytes()) != hash(text.as_bytes())),
                "{text}"
            );
        }
    }
}
