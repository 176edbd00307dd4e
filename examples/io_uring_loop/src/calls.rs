//! How a waker of any thread reaches the loop.
//!
//! The rule: who is called twice has one turn, and the bell rings only for a loop that sleeps.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The numbers that were called, from whatever thread.
pub(crate) struct Calls {
    called: Mutex<Called>,
    /// A byte in it ends the loop's sleep: its other end is received from.
    bell: UnixStream,
}

#[derive(Default)]
struct Called {
    ids: BTreeSet<usize>,
    /// The loop waits, or is about to, and hears only the bell.
    asleep: bool,
}

impl Calls {
    /// Nobody called, and the end of the bell that the loop listens at.
    pub(crate) fn new() -> io::Result<(Arc<Self>, UnixStream)> {
        let (bell, ears) = UnixStream::pair()?;
        // If it is full it rings already.
        bell.set_nonblocking(true)?;
        Ok((Arc::new(Self { called: Mutex::default(), bell }), ears))
    }

    /// Calls a number, and wakes the loop if it sleeps.
    pub(crate) fn call(&self, id: usize) {
        let mut called = self.lock();
        called.ids.insert(id);
        if std::mem::take(&mut called.asleep) {
            drop(called);
            // It fails only where it is full, or where nobody listens any more.
            let _ = (&self.bell).write(&[0]);
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
