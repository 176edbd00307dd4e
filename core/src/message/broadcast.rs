//! One value to many receivers.
//!
//! The rule: each receiver has a queue of its own, with a bound and a policy for when it is full; a receiver that is
//! dropped is forgotten, one that lags is told what it missed, and a value is kept once for all who have yet to get it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::session::scope::lock;

/// What happens to a receiver whose queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The sender waits for it: no value is lost, and the slowest receiver sets the pace of all. One that is kept and
    /// never asked stops them.
    Wait,
    /// Its oldest value is dropped, and it is told how many it has missed.
    DropOldest,
    /// Its values are dropped, and it gets [`ReceiveError::Overflowed`].
    Close,
}

/// Sends each value to all receivers that there are: the room of a chat, the ticks of a clock. Its clones are the same
/// one, so it can be a [`State`](crate::State); the values should be cheap to clone, as `Bytes` are.
///
/// ```
/// use bakestone::message::{Broadcast, Overflow};
/// use bakestone::{Context, Event, Sse, State};
///
/// async fn ticks(State(ticks): State<Broadcast<u64>>, context: Context) -> Sse {
///     let mut receiver = ticks.subscribe();
///     Sse::written(&context, |mut events| async move {
///         while let Ok(tick) = receiver.receive().await {
///             events.send(Event::data(tick.to_string())).await?;
///         }
///         Ok(())
///     })
/// }
///
/// let clock = Broadcast::<u64>::new(16, Overflow::Close);
/// let mut receiver = clock.subscribe();
/// assert_eq!(clock.try_send(7), Ok(1));
/// assert_eq!(receiver.try_receive(), Some(Ok(7)));
/// # let _ = bakestone::App::new().state(clock).route("/ticks", bakestone::get(ticks));
/// ```
pub struct Broadcast<T> {
    handle: Arc<Handle<T>>,
    capacity: usize,
    overflow: Overflow,
}

/// Whoever may send; the last one closes.
struct Handle<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    seats: BTreeMap<u64, Seat<T>>,
    /// Senders that wait for room.
    waits: BTreeMap<u64, Waker>,
    next_id: u64,
    is_closed: bool,
}

/// One receiver.
struct Seat<T> {
    queue: VecDeque<Arc<T>>,
    capacity: usize,
    overflow: Overflow,
    missed: u64,
    /// It was closed since it was full.
    has_overflowed: bool,
    waker: Option<Waker>,
}

impl<T> Clone for Broadcast<T> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), capacity: self.capacity, overflow: self.overflow }
    }
}

impl<T> Broadcast<T> {
    /// A broadcast whose receivers keep at most `capacity` values, one at least, and do as `overflow` says when they
    /// have that many.
    pub fn new(capacity: usize, overflow: Overflow) -> Self {
        let state = State { seats: BTreeMap::new(), waits: BTreeMap::new(), next_id: 0, is_closed: false };
        Self { handle: Arc::new(Handle(Arc::new(Mutex::new(state)))), capacity, overflow }
    }

    /// A receiver of what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        self.subscribe_with(self.capacity, self.overflow)
    }

    /// A receiver with a bound and a policy of its own.
    pub fn subscribe_with(&self, capacity: usize, overflow: Overflow) -> Receiver<T> {
        let mut state = lock(&self.handle.0);
        let id = state.next_id();
        let seat = Seat {
            queue: VecDeque::new(),
            capacity: capacity.max(1),
            overflow,
            missed: 0,
            has_overflowed: false,
            waker: None,
        };
        state.seats.insert(id, seat);
        Receiver { state: self.handle.0.clone(), id }
    }

    /// How many receivers there are.
    pub fn receivers(&self) -> usize {
        lock(&self.handle.0).receivers()
    }

    /// Sends `value` to all receivers, once none has to be waited for; how many there were. If the future is dropped,
    /// none gets it.
    pub fn send(&self, value: T) -> impl Future<Output = usize> + Send + '_
    where
        T: Send + Sync,
    {
        Sending { broadcast: self, value: Some(Arc::new(value)), id: None }
    }

    /// Sends `value` to all receivers; how many there were.
    ///
    /// # Errors
    ///
    /// [`Full`], with the value, if a receiver would have to be waited for; then none got it.
    pub fn try_send(&self, value: T) -> Result<usize, Full<T>> {
        let mut state = lock(&self.handle.0);
        if state.must_wait() {
            return Err(Full(value));
        }
        let given = state.give(Arc::new(value));
        drop(state);
        Ok(given.finish())
    }
}

impl<T> State<T> {
    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn receivers(&self) -> usize {
        self.seats.values().filter(|seat| !seat.has_overflowed).count()
    }

    fn must_wait(&self) -> bool {
        self.seats.values().any(|seat| seat.overflow == Overflow::Wait && seat.is_full())
    }

    /// Puts the value into all queues. What falls out is the caller's to drop, without the lock.
    fn give(&mut self, value: Arc<T>) -> Given<T> {
        let mut given = Given { receivers: self.receivers(), dropped: Vec::new(), wakers: Vec::new() };
        for seat in self.seats.values_mut().filter(|seat| !seat.has_overflowed) {
            if seat.is_full() {
                seat.overflow(&mut given.dropped);
            }
            if !seat.has_overflowed {
                seat.queue.push_back(value.clone());
            }
            given.wakers.extend(seat.waker.take());
        }
        given.dropped.push(value);
        given
    }
}

impl<T> Seat<T> {
    fn is_full(&self) -> bool {
        self.queue.len() >= self.capacity
    }

    fn overflow(&mut self, dropped: &mut Vec<Arc<T>>) {
        match self.overflow {
            Overflow::Wait => {}
            Overflow::DropOldest => {
                dropped.extend(self.queue.pop_front());
                self.missed += 1;
            }
            Overflow::Close => {
                dropped.extend(std::mem::take(&mut self.queue));
                self.has_overflowed = true;
            }
        }
    }
}

/// What is left to do once the lock is free.
struct Given<T> {
    receivers: usize,
    dropped: Vec<Arc<T>>,
    wakers: Vec<Waker>,
}

impl<T> Given<T> {
    fn finish(self) -> usize {
        self.wakers.into_iter().for_each(Waker::wake);
        self.receivers
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        let wakers: Vec<Waker> = {
            let mut state = lock(&self.0);
            state.is_closed = true;
            state.seats.values_mut().filter_map(|seat| seat.waker.take()).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

struct Sending<'a, T> {
    broadcast: &'a Broadcast<T>,
    value: Option<Arc<T>>,
    id: Option<u64>,
}

impl<T> Future for Sending<'_, T> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let this = &mut *self;
        let mut state = lock(&this.broadcast.handle.0);
        if state.must_wait() {
            let id = *this.id.get_or_insert_with(|| state.next_id());
            let old = state.waits.insert(id, cx.waker().clone());
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        let given = this.value.take().map(|value| state.give(value));
        drop(state);
        Poll::Ready(given.map_or(0, Given::finish))
    }
}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let old = lock(&self.broadcast.handle.0).waits.remove(&id);
            drop(old);
        }
    }
}

/// One of the receivers of a [`Broadcast`].
pub struct Receiver<T> {
    state: Arc<Mutex<State<T>>>,
    id: u64,
}

impl<T: Clone> Receiver<T> {
    /// The next value. The future may be dropped at any point: the next call gives it.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]: what comes after [`ReceiveError::Missed`] is the oldest value that is still there; the others
    /// are the end.
    pub fn receive(&mut self) -> impl Future<Output = Result<T, ReceiveError>> + Send + '_
    where
        T: Send + Sync,
    {
        poll_fn(|cx| self.poll_receive(cx))
    }

    /// The next value, or the error, if there is one.
    pub fn try_receive(&mut self) -> Option<Result<T, ReceiveError>> {
        match self.poll_receive(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(received) => Some(received),
            Poll::Pending => None,
        }
    }

    /// The same as [`receive`](Self::receive), for those who write futures by hand.
    pub fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, ReceiveError>> {
        let mut state = lock(&self.state);
        let is_closed = state.is_closed;
        // It has its seat as long as it lives.
        let Some(seat) = state.seats.get_mut(&self.id) else {
            return Poll::Ready(Err(ReceiveError::Closed));
        };
        if seat.has_overflowed {
            return Poll::Ready(Err(ReceiveError::Overflowed));
        }
        if seat.missed > 0 {
            return Poll::Ready(Err(ReceiveError::Missed(std::mem::take(&mut seat.missed))));
        }
        let Some(value) = seat.queue.pop_front() else {
            if is_closed {
                return Poll::Ready(Err(ReceiveError::Closed));
            }
            let old = seat.waker.replace(cx.waker().clone());
            drop(state);
            drop(old);
            return Poll::Pending;
        };
        let wakers = std::mem::take(&mut state.waits);
        drop(state);
        wakers.into_values().for_each(Waker::wake);
        Poll::Ready(Ok(Arc::try_unwrap(value).unwrap_or_else(|value| (*value).clone())))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let (seat, wakers) = {
            let mut state = lock(&self.state);
            (state.seats.remove(&self.id), std::mem::take(&mut state.waits))
        };
        // The values are the user's, and may panic when they are dropped.
        wakers.into_values().for_each(Waker::wake);
        drop(seat);
    }
}

/// Why a receiver has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// It was too slow, and that many values were dropped since it got one.
    Missed(u64),
    /// It was too slow, and was closed.
    Overflowed,
    /// Nobody sends any more, and it has got all that was sent.
    Closed,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missed(values) => write!(f, "the receiver was too slow, and missed {values} values"),
            Self::Overflowed => f.write_str("the receiver was too slow, and was closed"),
            Self::Closed => f.write_str("nobody sends any more"),
        }
    }
}

impl std::error::Error for ReceiveError {}

/// A value that was not sent, since a receiver would have to be waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a receiver's queue is full")
    }
}

impl<T> std::error::Error for Full<T> {}

impl<T> fmt::Debug for Broadcast<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("receivers", &self.receivers()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
