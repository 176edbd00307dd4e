//! The deadlines of all, soonest first.
//!
//! The rule: a later deadline never touches the heap, and an outdated entry harms nobody.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use bakestone::machine::Moment;

/// The deadlines of all. A later one never touches the heap: the earlier one is left there, and the turn that it
/// brings about is harmless, and says the later one again.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Moment, usize)>>,
    /// The entry that counts for each number; the others in the heap are outdated.
    armed: HashMap<usize, Moment>,
}

impl Timers {
    /// Calls `id` at `until` at the latest.
    pub(crate) fn arm(&mut self, id: usize, until: Option<Moment>) {
        let Some(until) = until else { return };
        if self.armed.get(&id).is_some_and(|at| *at <= until) {
            return;
        }
        self.armed.insert(id, until);
        self.heap.push(Reverse((until, id)));
        // A connection that now and then wants something soon leaves its far deadline behind each time.
        if self.heap.len() > 2 * self.armed.len() + 64 {
            self.heap = self.armed.iter().map(|(id, at)| Reverse((*at, *id))).collect();
        }
    }

    pub(crate) fn forget(&mut self, id: usize) {
        self.armed.remove(&id);
    }

    /// When there is something to look at; for an outdated entry that is nothing.
    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Somebody whose moment has come.
    pub(crate) fn due(&mut self, now: Moment) -> Option<usize> {
        while self.next_at().is_some_and(|at| at <= now) {
            let Reverse((at, id)) = self.heap.pop()?;
            if self.armed.get(&id) == Some(&at) {
                self.armed.remove(&id);
                return Some(id);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Option<Moment> {
        Some(Moment::from_epoch(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_later_deadline_never_touches_the_heap() {
        let mut timers = Timers::default();
        for later in 60..1000 {
            timers.arm(7, at(later));
        }
        assert_eq!((timers.heap.len(), timers.next_at()), (1, at(60)));
        timers.arm(7, at(5));
        timers.arm(8, at(6));
        timers.forget(8);
        let mut due = |now: Option<Moment>| timers.due(now.expect("a moment"));
        assert_eq!([due(at(4)), due(at(5)), due(at(6)), due(at(60))], [None, Some(7), None, None]);
        assert!(timers.heap.is_empty() && timers.armed.is_empty());
    }

    #[test]
    fn the_heap_stays_small_however_long_a_connection_lives() {
        let mut timers = Timers::default();
        for now in 0..10_000 {
            for id in 0..10 {
                timers.arm(id, at(now + 1));
                timers.arm(id, at(now + 1_000_000));
            }
            while let Some(id) = timers.due(at(now + 1).expect("a moment")) {
                timers.arm(id, at(now + 1_000_000));
            }
            assert!(timers.heap.len() <= 2 * 10 + 64, "{}", timers.heap.len());
        }
        assert_eq!(timers.armed.len(), 10);
    }
}
