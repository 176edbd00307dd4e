//! The open connections of one server, and the word that ends them.
//!
//! The rule: whoever waits has stored its waker before it looks, both under one lock, so that no word is lost;
//! and nobody is woken while the lock is held.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How far the end of a server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// It serves.
    No,
    /// It drains: no connection is accepted any more, and what runs comes to its end.
    Drain,
    /// It ends here and now.
    Now,
}

/// Stops a server, from any thread.
///
/// ```
/// use bakestone_std::Server;
///
/// let server = Server::new().address("127.0.0.1:0").bind()?;
/// let handle = server.handle();
/// assert_eq!(handle.connections(), 0);
/// handle.shutdown();
/// # Ok::<(), bakestone_std::ServeError>(())
/// ```
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

struct Shared {
    stop: AtomicU8,
    limit: AtomicUsize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    open: usize,
    /// Woken by a stop: the connections and whoever else watches, each in a slot of its own.
    watching: Vec<Option<Waker>>,
    free: Vec<u32>,
    /// Woken once, by the next connection that ends or by a stop.
    waiting: Vec<Waker>,
}

impl Handle {
    /// The handle of a server that has at most `limit` connections open.
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { stop: AtomicU8::new(0), limit: limit.into(), table: Mutex::default() }))
    }

    /// Sets how many connections may be open, before any is.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.0.limit.store(limit, Ordering::Release);
    }

    /// At least one, or the server would be none.
    fn limit(&self) -> usize {
        self.0.limit.load(Ordering::Acquire).max(1)
    }

    /// Asks the server to drain: it accepts no connection any more, closes the idle ones, and lets what runs
    /// come to its end within `drain_time`.
    pub fn shutdown(&self) {
        self.stop(Stop::Drain);
    }

    /// Asks the server to end here and now: connections that are open are reset.
    pub fn abort(&self) {
        self.stop(Stop::Now);
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.table().open
    }

    /// How far the end has come.
    pub fn stopping(&self) -> Stop {
        match self.0.stop.load(Ordering::Acquire) {
            0 => Stop::No,
            1 => Stop::Drain,
            _ => Stop::Now,
        }
    }

    fn stop(&self, stop: Stop) {
        let woken: Vec<Waker> = {
            let mut table = self.table();
            self.0.stop.fetch_max(stop as u8, Ordering::AcqRel);
            let waiting = std::mem::take(&mut table.waiting);
            waiting.into_iter().chain(table.watching.iter().flatten().cloned()).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the server to drain when the guard is dropped: whoever serves has gone, however it went.
    pub fn shutdown_on_drop(&self) -> ShutdownOnDrop {
        ShutdownOnDrop(self.clone())
    }

    /// Watches for the end without counting as a connection.
    pub fn watch(&self) -> Watch {
        Watch { handle: self.clone(), slot: None, waker: Waker::noop().clone() }
    }

    /// A place for one connection more, once there is one.
    pub fn poll_place(&self, cx: &Context<'_>) -> Poll<Place> {
        let mut table = self.table();
        if table.open < self.limit() {
            table.open += 1;
            drop(table);
            return Poll::Ready(Place(self.watch()));
        }
        table.wait(cx);
        Poll::Pending
    }

    /// A place for one connection more, if there is one now.
    pub fn try_place(&self) -> Option<Place> {
        match self.poll_place(&Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    /// Whether there is a place for one connection more; whoever got `Pending` is woken when there is.
    pub fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_open(|open| open < self.limit(), cx)
    }

    /// Whether no connection is open; whoever got `Pending` is woken at each that ends.
    pub fn poll_empty(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_open(|open| open == 0, cx)
    }

    fn poll_open(&self, enough: impl Fn(usize) -> bool, cx: &Context<'_>) -> Poll<()> {
        let mut table = self.table();
        if enough(table.open) {
            return Poll::Ready(());
        }
        table.wait(cx);
        Poll::Pending
    }
}

impl Table {
    fn wait(&mut self, cx: &Context<'_>) {
        if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiting.push(cx.waker().clone());
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("stopping", &self.stopping())
            .field("connections", &self.connections())
            .finish()
    }
}

/// Asks a server to drain when it is dropped.
#[derive(Debug)]
#[must_use = "dropped at once, it asks at once"]
pub struct ShutdownOnDrop(Handle);

impl Drop for ShutdownOnDrop {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// Hears of the end of a server.
#[derive(Debug)]
pub struct Watch {
    handle: Handle,
    slot: Option<u32>,
    /// The waker in the slot, so that the lock is taken only when it changes.
    waker: Waker,
}

impl Watch {
    /// How far the end has come.
    pub fn stopping(&self) -> Stop {
        self.handle.stopping()
    }

    /// How far the end has come. The context's waker is woken when it goes on, as long as this lives.
    pub fn poll(&mut self, cx: &Context<'_>) -> Stop {
        if self.slot.is_none() || !self.waker.will_wake(cx.waker()) {
            self.waker = cx.waker().clone();
            let mut table = self.handle.table();
            let slot = *self.slot.get_or_insert_with(|| {
                table.free.pop().unwrap_or_else(|| {
                    table.watching.push(None);
                    // There are never as many descriptors as that.
                    (table.watching.len() - 1) as u32
                })
            });
            let old = table.watching[slot as usize].replace(self.waker.clone());
            drop(table);
            drop(old);
        }
        self.handle.stopping()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(slot) = self.slot else { return };
        let mut table = self.handle.table();
        let old = table.watching[slot as usize].take();
        table.free.push(slot);
        drop(table);
        drop(old);
    }
}

impl Watch {
    /// A place for one connection more, once there is one; `None` when the server stops.
    pub fn poll_place(&mut self, cx: &Context<'_>) -> Poll<Option<Place>> {
        match self.poll(cx) {
            Stop::No => self.handle.poll_place(cx).map(Some),
            _ => Poll::Ready(None),
        }
    }

    /// Whether there is room for one connection more; `false` when the server stops.
    pub fn poll_room(&mut self, cx: &Context<'_>) -> Poll<bool> {
        match self.poll(cx) {
            Stop::No => self.handle.poll_room(cx).map(|()| true),
            _ => Poll::Ready(false),
        }
    }
}

/// The place of one open connection: it counts until it is dropped.
#[derive(Debug)]
pub struct Place(Watch);

impl Place {
    /// As [`Watch::poll`].
    pub fn poll(&mut self, cx: &Context<'_>) -> Stop {
        self.0.poll(cx)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let waiting = {
            let mut table = self.0.handle.table();
            table.open -= 1;
            std::mem::take(&mut table.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn counted() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (count.clone(), count.into())
    }

    #[test]
    fn a_place_past_the_limit_waits_for_one_that_ends() {
        let handle = Handle::new(1);
        let (count, waker) = counted();
        let cx = Context::from_waker(&waker);
        let Poll::Ready(first) = handle.poll_place(&cx) else { panic!("there is a place") };
        assert!(handle.poll_room(&cx).is_pending() && handle.poll_place(&cx).is_pending());
        assert!(handle.poll_empty(&cx).is_pending());
        assert_eq!((handle.connections(), count.0.load(Ordering::SeqCst)), (1, 0));
        drop(first);
        assert_eq!(count.0.load(Ordering::SeqCst), 1, "woken once, however often it asked");
        assert!(handle.poll_empty(&cx).is_ready() && handle.poll_room(&cx).is_ready());
    }

    #[test]
    fn a_stop_wakes_whoever_watches_with_its_last_waker() {
        let handle = Handle::new(9);
        let ((old, first), (new, second)) = (counted(), counted());
        let (mut watch, gone) = (handle.watch(), handle.watch());
        drop(gone);
        assert_eq!(watch.poll(&Context::from_waker(&first)), Stop::No);
        assert_eq!(watch.poll(&Context::from_waker(&second)), Stop::No);
        handle.shutdown();
        assert_eq!(watch.poll(&Context::from_waker(&second)), Stop::Drain);
        handle.abort();
        assert_eq!(watch.poll(&Context::from_waker(&second)), Stop::Now);
        handle.shutdown();
        assert_eq!(handle.stopping(), Stop::Now, "a stop is never taken back");
        assert_eq!((old.0.load(Ordering::SeqCst), new.0.load(Ordering::SeqCst)), (0, 3));
    }

    #[test]
    fn slots_are_used_again() {
        let handle = Handle::new(9);
        for _ in 0..100 {
            let mut watch = handle.watch();
            watch.poll(&Context::from_waker(Waker::noop()));
        }
        assert_eq!(handle.table().watching.len(), 1);
    }
}
