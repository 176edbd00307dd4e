//! The static segments below one node: a table of texts.
//!
//! The rule: one probe or two, however many texts there are. A text that is looked up passes no more entries than
//! the routes of the program put next to each other.

use super::words::{self, Stretch};

/// A text, and what there is for it.
struct Entry<T> {
    hash: u64,
    text: Box<str>,
    value: T,
}

/// A table that does not change.
pub(super) struct Statics<T> {
    /// Twice as many places as texts, or more; and after those as many as the last of them may need. So each run
    /// of texts ends at an empty place.
    places: Box<[Option<Entry<T>>]>,
    /// How far the bits of a hash that tell a text's first place are to the left.
    shift: u32,
}

impl<T> Default for Statics<T> {
    fn default() -> Self {
        Self { places: Box::default(), shift: u64::BITS - 1 }
    }
}

impl<T> Statics<T> {
    pub(super) fn new(texts: impl ExactSizeIterator<Item = (Box<str>, T)>) -> Self {
        let bits = (texts.len() * 2).next_power_of_two().trailing_zeros().max(1);
        let shift = u64::BITS - bits;
        let mut places = Vec::new();
        if texts.len() > 0 {
            places.resize_with((1 << bits) + 1, || None);
        }
        for (text, value) in texts {
            let hash = words::hash(text.as_bytes());
            let mut at = (hash >> shift) as usize;
            while places[at].is_some() {
                at += 1;
            }
            if at + 1 == places.len() {
                places.push(None);
            }
            places[at] = Some(Entry { hash, text, value });
        }
        Self { places: places.into(), shift }
    }

    /// What there is for the text of `segment` in `path`.
    #[inline]
    pub(super) fn get(&self, path: &[u8], segment: Stretch) -> Option<&T> {
        let mut run = self.places.get((segment.hash >> self.shift) as usize..)?.iter();
        while let Some(Some(entry)) = run.next() {
            // The hashes tell short texts apart without a look at the bytes.
            let alike = entry.hash == segment.hash && entry.text.len() == segment.len();
            if alike && (segment.len() <= 8 || entry.is(path, segment)) {
                return Some(&entry.value);
            }
        }
        None
    }
}

impl<T> Entry<T> {
    fn is(&self, path: &[u8], segment: Stretch) -> bool {
        path.get(segment.start..segment.end) == Some(self.text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 8, 1_000] {
            let texts = (0..count).map(|index| (format!("text {index}").into(), index));
            let statics = Statics::new(texts);
            let get = |text: &str| statics.get(text.as_bytes(), Stretch::whole(text.as_bytes()));
            for index in 0..count + 10 {
                assert_eq!(get(&format!("text {index}")), (index < count).then_some(&index), "{count}");
            }
            assert_eq!(get(""), None);
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
