//! The operating system's clocks, as readings.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};

use bakestone::machine::{Moment, Now};

/// How long the wall clock is told by the monotonic one, before it is read again: a clock that is set is noticed by then.
const WALL_IS_KEPT: Duration = Duration::from_millis(100);

/// A reading of both clocks.
#[derive(Clone, Copy)]
struct Reading {
    epoch: Instant,
    /// Since the epoch.
    at: Duration,
    wall: Duration,
}

thread_local! {
    static LAST: Cell<Option<Reading>> = const { Cell::new(None) };
}

/// The clocks of one server: all its machines count from one epoch.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// A clock whose epoch is now.
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// A reading of the monotonic and of the wall clock. One that is set, or slews, is followed within 100 ms.
    pub fn now(&self) -> Now {
        let (epoch, at) = (self.epoch, self.epoch.elapsed());
        let kept = LAST.get().filter(|last| last.epoch == epoch).and_then(|last| {
            let since = at.checked_sub(last.at).filter(|since| *since < WALL_IS_KEPT)?;
            Some(last.wall + since)
        });
        let wall = kept.unwrap_or_else(|| {
            let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            LAST.set(Some(Reading { epoch, at, wall }));
            wall
        });
        Now::new(Moment::from_epoch(at), wall)
    }

    /// The moment as the system's own type; `None` if it is too far away to be one.
    pub fn instant(&self, at: Moment) -> Option<Instant> {
        self.epoch.checked_add(at.since_epoch())
    }
}
