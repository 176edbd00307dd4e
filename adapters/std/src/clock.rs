//! The operating system's clocks, as readings.

use std::time::{Instant, SystemTime};

use bakestone::machine::{Moment, Now};

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

    /// A reading of the monotonic and of the wall clock.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now::new(Moment::from_epoch(self.epoch.elapsed()), wall)
    }

    /// The moment as the system's own type; `None` if it is too far away to be one.
    pub fn instant(&self, at: Moment) -> Option<Instant> {
        self.epoch.checked_add(at.since_epoch())
    }
}
