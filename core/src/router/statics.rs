//! The static segments below one node: a table from texts to nodes.
//!
//! The rule: one probe or two, however many texts there are. The hash has no secret, since nothing that a client
//! sends is ever put in; a text that is looked up passes no more entries than the routes of the program put
//! next to each other.

/// A text, and its node.
type Entry = (Box<str>, u32);

/// A table that does not change.
#[derive(Default)]
pub(super) struct Statics {
    /// Twice as many places as texts, or more, their number a power of two; so there are always empty ones.
    places: Box<[Option<Entry>]>,
}

impl Statics {
    pub(super) fn new(texts: impl ExactSizeIterator<Item = Entry>) -> Self {
        let room = if texts.len() == 0 { 0 } else { (texts.len() * 2).next_power_of_two() };
        let mut places: Box<[Option<Entry>]> = std::iter::repeat_with(|| None).take(room).collect();
        for (text, node) in texts {
            let mut at = first(text.as_bytes(), room);
            while places[at].is_some() {
                at = (at + 1) & (room - 1);
            }
            places[at] = Some((text, node));
        }
        Self { places }
    }

    /// The node of this text.
    #[inline]
    pub(super) fn get(&self, text: &[u8]) -> Option<u32> {
        let room = self.places.len();
        if room == 0 {
            return None;
        }
        let mut at = first(text, room);
        while let Some((known, node)) = self.places.get(at)? {
            if known.as_bytes() == text {
                return Some(*node);
            }
            at = (at + 1) & (room - 1);
        }
        None
    }
}

/// An odd number without a pattern in its bits (the golden ratio's).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where a text is sought first among `room` places, a power of two.
#[inline]
fn first(text: &[u8], room: usize) -> usize {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(SPREAD);
    let mut hash = text.len() as u64;
    match text.last_chunk() {
        // The last word may begin in the one before it.
        Some(last) => {
            for word in text.chunks_exact(8) {
                hash = mix(hash, word.try_into().map_or(0, u64::from_le_bytes));
            }
            hash = mix(hash, u64::from_le_bytes(*last));
        }
        None => hash = mix(hash, text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    }
    // A product hands what differs on to higher bits only, so the highest come round for another.
    let hash = (hash ^ (hash >> 32)).wrapping_mul(SPREAD);
    (hash >> 32) as usize & (room - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 8, 1_000] {
            let texts = (0..count).map(|index| (format!("text {index}").into(), index));
            let statics = Statics::new(texts);
            for index in 0..count + 10 {
                let found = statics.get(format!("text {index}").as_bytes());
                assert_eq!(found, (index < count).then_some(index), "{count}");
            }
            assert_eq!(statics.get(b""), None);
        }
    }

    /// Texts that differ little are not next to each other.
    #[test]
    fn no_run_is_long() {
        for before in ["", "r", "things", "a longer text "] {
            let statics = Statics::new((0..10_000).map(|index| (format!("{before}{index}").into(), index)));
            let longest = statics.places.split(Option::is_none).map(<[_]>::len).max();
            assert!(longest < Some(40), "{before}: {longest:?}");
        }
    }
}
