//! One direction of a connection: bytes that take their time.
//!
//! The rule: nothing is lost, doubled or overtaken but by a reset; whatever arrives does so at a moment that was fixed
//! when it was sent.

use std::collections::VecDeque;
use std::time::Duration;

use bakestone::Bytes;
use bakestone::machine::{Moment, Output};
use bytes::{Buf, BytesMut};

use super::weather::Way;
use crate::seed::Random;

/// What a reader found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Bytes,
    Fin,
}

/// One direction. The writer's socket and the reader's are its two ends.
#[derive(Debug)]
pub(super) struct Link {
    way: Way,
    random: Random,
    /// What is under way or unread, with its arrival; `None` is the FIN.
    cargo: VecDeque<(Moment, Option<Bytes>)>,
    /// Bytes under way or unread.
    held: usize,
    sent: u64,
    /// When the line is free for the next piece.
    free_at: Moment,
    /// When the last thing sent arrives.
    last_at: Moment,
    reset_at: Option<Moment>,
    /// Nobody reads any more.
    closed: bool,
    /// The network has reset the connection here.
    pub(super) broken: bool,
    /// A piece has held up the line.
    pub(super) stalled: bool,
}

impl Link {
    pub(super) fn new(way: Way, random: Random) -> Self {
        Self {
            way,
            random,
            cargo: VecDeque::new(),
            held: 0,
            sent: 0,
            free_at: Moment::ZERO,
            last_at: Moment::ZERO,
            reset_at: None,
            closed: false,
            broken: false,
            stalled: false,
        }
    }

    /// Takes what there is room for from the front of `output`, and gives what that was.
    pub(super) fn send(&mut self, now: Moment, output: &mut Output) -> Bytes {
        let room = self.way.window.saturating_sub(self.held);
        let count = room.min(output.remaining());
        if count == 0 || self.broken {
            return Bytes::new();
        }
        let taken = output.copy_to_bytes(count);
        let mut bytes = taken.clone();
        if let Some(left) = self.way.breaks_at.map(|at| at.saturating_sub(self.sent)) {
            if left < count as u64 {
                self.broken = true;
                bytes.truncate(left as usize);
            }
        }
        self.sent += bytes.len() as u64;
        self.held += bytes.len();
        self.free_at = self.free_at.max(now);
        while !bytes.is_empty() {
            // The first bytes are cut most finely, or a long body would be a million events.
            let place = self.sent - bytes.len() as u64;
            let longest = self.way.longest.max((place / 16) as usize);
            let length = (1 + self.random.below(longest)).min(bytes.len());
            let piece = bytes.split_to(length);
            self.put(piece);
        }
        taken
    }

    fn put(&mut self, piece: Bytes) {
        if self.random.hits(self.way.stalls, 10_000) {
            self.stalled = true;
            self.free_at = self.free_at + self.random.time(&self.way.stall);
        }
        let nanos = (piece.len() as u64).saturating_mul(1_000_000_000) / self.way.rate;
        self.free_at = self.free_at + Duration::from_nanos(nanos);
        self.arrive(self.free_at, Some(piece));
    }

    fn arrive(&mut self, from: Moment, cargo: Option<Bytes>) {
        let jitter = self.random.time(&(Duration::ZERO..self.way.jitter));
        // Behind all that went before, if only by a nanosecond.
        let at = (from + self.way.latency + jitter).max(self.last_at + Duration::from_nanos(1));
        self.last_at = at;
        self.cargo.push_back((at, cargo));
    }

    /// Nothing more will be sent.
    pub(super) fn finish(&mut self, now: Moment) {
        if self.broken {
            return;
        }
        let from = self.free_at.max(now);
        self.arrive(from, None);
    }

    /// The writer resets the connection: what is under way may be lost or not.
    pub(super) fn reset(&mut self, now: Moment) {
        if self.reset_at.is_some() {
            return;
        }
        if self.random.below(2) == 0 {
            let arrived = self.cargo.iter().take_while(|(at, _)| *at <= now).count();
            self.cargo.truncate(arrived);
            self.reset_at = Some(now + self.way.latency.max(Duration::from_nanos(1)));
        } else {
            let from = self.free_at.max(now);
            self.arrive(from, None);
            self.cargo.pop_back();
            self.reset_at = Some(self.last_at);
        }
    }

    /// Whether the reader learns of a reset: errors always come through.
    pub(super) fn is_reset(&self, now: Moment) -> bool {
        self.reset_at.is_some_and(|at| at <= now)
    }

    /// Reads at most `most` bytes of what has arrived.
    pub(super) fn read(&mut self, now: Moment, into: &mut BytesMut, most: usize) -> Found {
        let mut left = most;
        while left > 0 && !self.closed {
            match self.cargo.front_mut() {
                Some((at, Some(bytes))) if *at <= now => {
                    let piece = bytes.split_to(left.min(bytes.len()));
                    into.extend_from_slice(&piece);
                    left -= piece.len();
                    self.held -= piece.len();
                    if bytes.is_empty() {
                        self.cargo.pop_front();
                    }
                }
                Some((at, None)) if *at <= now && left == most => {
                    self.cargo.pop_front();
                    return Found::Fin;
                }
                _ => break,
            }
        }
        if left < most { Found::Bytes } else { Found::Nothing }
    }

    /// The reader closes its socket; whether there was something that it had not read.
    pub(super) fn close(&mut self, now: Moment) -> bool {
        self.closed = true;
        self.discard(now)
    }

    /// Throws away what arrives where nobody reads any more; whether there was anything.
    pub(super) fn discard(&mut self, now: Moment) -> bool {
        let mut any = false;
        while self.closed && self.cargo.front().is_some_and(|(at, _)| *at <= now) {
            let bytes = self.cargo.pop_front().and_then(|(_, bytes)| bytes);
            any |= bytes.is_some();
            self.held -= bytes.map_or(0, |bytes| bytes.len());
        }
        any
    }

    /// When something arrives next.
    pub(super) fn next_at(&self, now: Moment) -> Option<Moment> {
        let cargo = self.cargo.front().map(|(at, _)| *at);
        let reset = self.reset_at.filter(|_| !self.closed);
        cargo.into_iter().chain(reset).filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::weather::Weather;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn link(weather: &Weather, seed: u64) -> Link {
        let mut random = Random::new(seed);
        Link::new(Way::draw(weather, &mut random), random)
    }

    /// Everything that a link delivers to a reader who reads at once, and how it ends.
    fn deliver(link: &mut Link, bytes: &[u8]) -> (Vec<u8>, Vec<usize>, bool) {
        let (mut output, mut now) = (Output::default(), Moment::from_epoch(SECOND));
        output.extend_from_slice(bytes);
        let (mut read, mut pieces, mut finished) = (BytesMut::new(), Vec::new(), false);
        loop {
            link.send(now, &mut output);
            if output.is_empty() && !std::mem::replace(&mut finished, true) {
                link.finish(now);
            }
            let Some(at) = link.next_at(now) else { return (read.to_vec(), pieces, false) };
            now = at;
            let before = read.len();
            if link.read(now, &mut read, usize::MAX) == Found::Fin {
                return (read.to_vec(), pieces, true);
            }
            pieces.push(read.len() - before);
        }
    }

    #[test]
    fn what_is_sent_arrives_in_order_in_other_pieces() {
        let bytes: Vec<u8> = (0..200_000).map(|place| (place % 251) as u8).collect();
        for seed in 0..50 {
            let mut link = link(&Weather::calm(), seed);
            let (longest, window) = (link.way.longest, link.way.window);
            let (read, pieces, finished) = deliver(&mut link, &bytes);
            assert!(read == bytes && finished, "seed {seed}: {} bytes", read.len());
            assert!(pieces[..2].iter().all(|&piece| piece <= longest.min(window)), "seed {seed}: {pieces:?}");
        }
    }

    #[test]
    fn a_full_window_takes_nothing_until_it_is_read() {
        let mut link = link(&Weather::calm(), 1);
        let (now, mut output) = (Moment::from_epoch(SECOND), Output::default());
        output.push(vec![b'x'; 1 << 20]);
        let mut send = |link: &mut Link, now| link.send(now, &mut output).len();
        assert_eq!((send(&mut link, now), send(&mut link, now)), (link.way.window, 0));
        let later = now + 1_000 * SECOND;
        let mut read = BytesMut::new();
        assert_eq!(link.read(later, &mut read, 100), Found::Bytes);
        assert_eq!((read.len(), send(&mut link, later)), (100, 100));
    }

    #[test]
    fn a_network_that_resets_does_so_at_its_byte() {
        let weather = Weather { resets: 2_000, reset_at: 5_000..5_001, ..Weather::calm() };
        for seed in 0..20 {
            let mut link = link(&weather, seed);
            let (read, _, finished) = deliver(&mut link, &[b'x'; 20_000]);
            assert!(link.broken && !finished, "seed {seed}");
            assert_eq!(read.len(), 5_000, "seed {seed}");
        }
    }
}
