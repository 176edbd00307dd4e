//! Random numbers that a seed repeats, and the bytes of bodies.
//!
//! The rule: all that a run chooses comes from its printed seed.

/// xorshift64*.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The generator of the `stream`th worker of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        // One round of splitmix64, so that neighbours do not resemble each other.
        let mut z = seed.wrapping_add((stream + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((z ^ (z >> 31)).max(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        let span = (high - low) as u64 + 1;
        low + (self.next() % span) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.between(1, 100) <= percent
    }
}

/// An endless body: random bytes that repeat after a prime number of them, so that a piece which is lost,
/// doubled or moved never fits.
pub(crate) struct Pattern(Vec<u8>);

impl Pattern {
    const PERIOD: usize = 65_521;

    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, u64::from(u32::MAX));
        Self((0..Self::PERIOD).map(|_| (random.next() >> 56) as u8).collect())
    }

    /// The bytes from `position` on, at most `limit` and at least one of them.
    pub(crate) fn at(&self, position: u64, limit: usize) -> &[u8] {
        let start = (position % Self::PERIOD as u64) as usize;
        &self.0[start..self.0.len().min(start + limit)]
    }

    /// `length` bytes from `position` on.
    pub(crate) fn bytes(&self, position: u64, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            bytes.extend_from_slice(self.at(position + bytes.len() as u64, length - bytes.len()));
        }
        bytes
    }

    /// The place in `data` of the first byte that is not the one of the pattern at `position`.
    pub(crate) fn mismatch(&self, position: u64, data: &[u8]) -> Option<usize> {
        let mut checked = 0;
        while checked < data.len() {
            let wanted = self.at(position + checked as u64, data.len() - checked);
            let seen = &data[checked..checked + wanted.len()];
            if seen != wanted {
                return seen.iter().zip(wanted).position(|(a, b)| a != b).map(|at| checked + at);
            }
            checked += wanted.len();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_streams_differ() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..8).map(|_| random.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn a_range_is_kept_and_filled() {
        let mut random = Random::new(7, 0);
        let drawn: Vec<usize> = (0..1000).map(|_| random.between(3, 5)).collect();
        assert!((3..=5).all(|wanted| drawn.contains(&wanted)));
        assert!(drawn.iter().all(|drawn| (3..=5).contains(drawn)));
    }

    #[test]
    fn a_pattern_tells_where_it_is_broken() {
        let pattern = Pattern::new(1);
        let mut data = pattern.bytes(65_500, 70_000);
        assert_eq!(data.len(), 70_000);
        assert_eq!(pattern.mismatch(65_500, &data), None);
        assert!(pattern.mismatch(65_501, &data).is_some());
        data[69_000] ^= 1;
        assert_eq!(pattern.mismatch(65_500, &data), Some(69_000));
    }
}
