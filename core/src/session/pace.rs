//! How long a transfer that is waited for may take.
//!
//! The rule: a silence is bounded by `body_time` or `write_time`, and a trickle by `minimum_rate`: after the
//! grace time each byte buys its share of a second and no more, so that a byte now and then holds nothing.

use std::time::Duration;

use crate::limits::Limits;
use crate::machine::Moment;

/// A deadline is never now: a limit of nothing lets a peer go that takes any time at all.
pub(super) const TICK: Duration = Duration::from_nanos(1);

/// The pace of one transfer; its clock stands still while nobody waits for the transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// When waiting began, moved on by every pause.
    began: Moment,
    /// The last progress, or the end of the last pause.
    last: Moment,
    bytes: u64,
    paused_at: Option<Moment>,
}

impl Pace {
    pub(crate) fn start(now: Moment) -> Self {
        Self { began: now, last: now, bytes: 0, paused_at: None }
    }

    pub(crate) fn progress(&mut self, bytes: u64, now: Moment) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.last = now;
    }

    pub(crate) fn pause(&mut self, now: Moment) {
        self.paused_at.get_or_insert(now);
    }

    pub(crate) fn resume(&mut self, now: Moment) {
        if let Some(at) = self.paused_at.take() {
            self.began = self.began + now.since(at);
            self.last = now;
        }
    }

    /// When the transfer has taken too long, if nothing more comes; `None` while it is paused.
    pub(crate) fn deadline(&self, silence: Duration, limits: &Limits) -> Option<Moment> {
        if self.paused_at.is_some() {
            return None;
        }
        let silent = self.last + silence.max(TICK);
        let Some(rate) = Some(u64::from(limits.minimum_rate)).filter(|&rate| rate > 0) else {
            return Some(silent);
        };
        let earned = Duration::from_secs(self.bytes / rate)
            + Duration::from_nanos(self.bytes % rate * 1_000_000_000 / rate);
        Some(silent.min(self.began + limits.rate_grace_time.max(TICK) + earned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_epoch(Duration::from_secs(seconds))
    }

    fn deadline(pace: &Pace) -> Option<Moment> {
        let limits = Limits::default();
        pace.deadline(limits.body_time, &limits)
    }

    #[test]
    fn a_trickle_is_cut_though_it_is_never_silent() {
        let mut pace = Pace::start(at(0));
        assert_eq!(deadline(&pace), Some(at(10)));
        pace.progress(1, at(9));
        assert_eq!(deadline(&pace), Some(at(10) + Duration::from_millis(10)));
    }

    #[test]
    fn a_silence_is_cut_though_much_came_before() {
        let mut pace = Pace::start(at(0));
        pace.progress(1 << 20, at(2));
        assert_eq!(deadline(&pace), Some(at(32)));
    }

    #[test]
    fn time_that_nobody_waited_does_not_count() {
        let mut pace = Pace::start(at(0));
        pace.pause(at(5));
        assert_eq!(deadline(&pace), None);
        pace.resume(at(105));
        assert_eq!(deadline(&pace), Some(at(110)));
    }
}
