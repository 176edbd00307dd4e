//! How bad a network is, and how bad a disk, as numbers.
//!
//! The rule: whatever goes wrong is drawn from these numbers and a seed, so that it goes wrong again in the same way.

use std::ops::Range;
use std::time::Duration;

use crate::seed::Random;

/// Most often whole, since a byte at a time costs a hundred times as much to simulate.
const PIECES: [usize; 16] = {
    let (packet, whole) = (1_460, 64 << 10);
    [1, 7, 60, 300, packet, packet, packet, packet, packet, packet, whole, whole, whole, whole, whole, whole]
};

/// What a network does to the bytes that pass through it.
///
/// ```
/// use bakestone_testkit::net::Weather;
///
/// let mut weather = Weather::calm();
/// weather.resets = 100;
/// assert_ne!(weather, Weather::calm());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Weather {
    /// The time that bytes are under way, drawn for each direction of each connection.
    pub latency: Range<Duration>,
    /// What one piece may take longer than another, at most. No piece overtakes another.
    pub jitter: Duration,
    /// Bytes a second, drawn for each direction.
    pub rate: Range<u64>,
    /// The longest piece in which bytes arrive, one of these for each direction. Each piece's length is drawn below it,
    /// or below a sixteenth of what was sent before, if that is more.
    pub pieces: Vec<usize>,
    /// Bytes that may be under way or unread before the sender has to wait, drawn for each direction.
    pub window: Range<usize>,
    /// How many of 10,000 pieces hold up the line.
    pub stalls: u32,
    /// For how long they do.
    pub stall: Range<Duration>,
    /// How many of 1,000 connections the network resets, if they come so far.
    pub resets: u32,
    /// At which byte of one direction it does: short connections are over before.
    pub reset_at: Range<u64>,
}

impl Weather {
    /// A good network: it cuts and delays, and nothing is held up or lost.
    pub fn calm() -> Self {
        Self {
            latency: Duration::from_micros(100)..Duration::from_millis(80),
            jitter: Duration::from_millis(5),
            rate: 50_000..50_000_000,
            pieces: PIECES.to_vec(),
            window: 2 << 10..128 << 10,
            stalls: 0,
            stall: Duration::from_millis(100)..Duration::from_secs(45),
            resets: 0,
            reset_at: 0..20_000,
        }
    }

    /// A bad one: it also stalls now and then, and would reset one connection in twenty, at any of its first bytes.
    pub fn rough() -> Self {
        Self { stalls: 10, resets: 50, ..Self::calm() }
    }
}

/// How fast a disk is, and how sound. What its files hold, and when it is full, is its
/// [`Files`](crate::Files)' to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskWeather {
    /// How long an effect takes.
    pub time: Range<Duration>,
    /// How many of 1,000 file operations fail for no reason that a program could act on.
    pub failing: u32,
    /// How many of 1,000 file operations find the disk full, if they write.
    pub full: u32,
    /// How many of 1,000 effects are dropped unanswered.
    pub unanswered: u32,
}

impl DiskWeather {
    /// A good disk.
    pub fn calm() -> Self {
        let time = Duration::from_micros(20)..Duration::from_millis(5);
        Self { time, failing: 0, full: 0, unanswered: 0 }
    }

    /// A slow one that fails now and then.
    pub fn rough() -> Self {
        let time = Duration::from_micros(20)..Duration::from_millis(400);
        Self { time, failing: 5, full: 20, unanswered: 2 }
    }
}

/// The weather of one direction.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) latency: Duration,
    pub(super) jitter: Duration,
    pub(super) rate: u64,
    pub(super) longest: usize,
    pub(super) window: usize,
    pub(super) stalls: u32,
    pub(super) stall: Range<Duration>,
    /// At which byte the network resets the connection.
    pub(super) breaks_at: Option<u64>,
}

impl Way {
    pub(super) fn draw(weather: &Weather, random: &mut Random) -> Self {
        let breaks = random.hits(weather.resets, 2 * 1_000);
        let longest = weather.pieces.get(random.below(weather.pieces.len())).copied();
        Self {
            latency: random.time(&weather.latency),
            jitter: weather.jitter,
            rate: random.number(&weather.rate).max(1),
            longest: longest.unwrap_or(usize::MAX).max(1),
            window: random.number(&(weather.window.start as u64..weather.window.end as u64)).max(1) as usize,
            stalls: weather.stalls,
            stall: weather.stall.clone(),
            breaks_at: breaks.then(|| random.number(&weather.reset_at)),
        }
    }
}

impl Random {
    /// Whether something happens that happens `count` times in `of`.
    pub(crate) fn hits(&mut self, count: u32, of: usize) -> bool {
        count > 0 && self.below(of) < count as usize
    }

    /// A number of the range; its start if it is empty.
    pub(crate) fn number(&mut self, range: &Range<u64>) -> u64 {
        range.start + self.next() % range.end.saturating_sub(range.start).max(1)
    }

    /// A span of the range, in whole microseconds.
    pub(crate) fn time(&mut self, range: &Range<Duration>) -> Duration {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.number(&(micros(range.start)..micros(range.end))))
    }
}
