//! How a waker of any thread reaches the loop.
//!
//! The rule: who is called twice has one turn, and the bell rings only for a loop that sleeps.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The numbers that were called, from whatever thread.
pub(crate) struct Calls {
    called: Mutex<Called>,
    /// Ends the loop's sleep.
    bell: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Called {
    ids: BTreeSet<usize>,
    /// The loop waits, or is about to, and hears only the bell.
    asleep: bool,
}

impl Calls {
    /// Nobody was called. `bell` ends the loop's sleep, from any thread.
    pub(crate) fn new(bell: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { called: Mutex::default(), bell: Box::new(bell) })
    }

    /// Calls a number, and wakes the loop if it sleeps.
    pub(crate) fn call(&self, id: usize) {
        let mut called = self.lock();
        called.ids.insert(id);
        if std::mem::take(&mut called.asleep) {
            drop(called);
            (self.bell)();
        }
    }

    /// Says that the loop will wait; `false` if it must not, since somebody was called.
    pub(crate) fn sleep(&self) -> bool {
        let mut called = self.lock();
        called.asleep = called.ids.is_empty();
        called.asleep
    }

    /// Who was called since the last time. The loop is awake again.
    pub(crate) fn take(&self) -> BTreeSet<usize> {
        std::mem::take(&mut *self.lock()).ids
    }

    /// A waker that calls a number.
    pub(crate) fn waker(self: &Arc<Self>, id: usize) -> Waker {
        Arc::new(Call { id, calls: self.clone() }).into()
    }

    fn lock(&self) -> MutexGuard<'_, Called> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waker that calls a number.
struct Call {
    id: usize,
    calls: Arc<Calls>,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.calls.call(self.id);
    }
}
