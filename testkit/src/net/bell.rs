//! Wakers of many machines, and the list of those that rang.
//!
//! The rule: a machine that nobody woke is not looked at, so that a wake which is lost is missed here as on a socket.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The places that rang, and whom to tell of it outside.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Rung>);

#[derive(Debug, Default)]
struct Rung {
    places: Vec<usize>,
    outer: Option<Waker>,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last place that rang.
    pub(super) fn take(&self) -> Option<usize> {
        self.lock().places.pop()
    }

    /// From now on `waker` is told of the next ring.
    pub(super) fn tell(&self, waker: &Waker) {
        let old = {
            let mut rung = self.lock();
            match &rung.outer {
                Some(outer) if outer.will_wake(waker) => None,
                _ => rung.outer.replace(waker.clone()),
            }
        };
        drop(old);
    }
}

/// The waker of one machine, by its place.
#[derive(Debug)]
pub(super) struct Bell {
    rung: AtomicBool,
    place: usize,
    board: Arc<Board>,
}

impl Bell {
    pub(super) fn new(place: usize, board: Arc<Board>) -> Arc<Self> {
        Arc::new(Self { rung: AtomicBool::new(false), place, board })
    }

    pub(super) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    /// A step begins: what rang before is heard by it.
    pub(super) fn hush(&self) {
        self.rung.store(false, Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            let outer = {
                let mut rung = self.board.lock();
                rung.places.push(self.place);
                rung.outer.take()
            };
            if let Some(outer) = outer {
                outer.wake();
            }
        }
    }
}
