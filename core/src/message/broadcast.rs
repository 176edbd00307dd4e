//! One value to many receivers.
//!
//! The rule: each receiver has a queue of its own, with a bound and a policy for when it is full; a receiver that is
//! dropped is forgotten, one that lags is told what it missed, and a value is kept once for all who have yet to get it.
//! Senders that wait for room go on in the order in which they came, one woken at a time.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
#[cfg(feature = "stream")]
use std::task::ready;
use std::task::{Context, Poll, Waker};

use crate::session::scope::lock;

/// What happens to a receiver whose queue is full: to that of a [`Broadcast`], and, in the same way, to a WebSocket that
/// is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The sender waits for it: no value is lost, and the slowest receiver sets the pace of all. One that is kept and
    /// never asked stops them.
    Wait,
    /// Its oldest value is dropped, and it is told how many it has missed.
    DropOldest,
    /// Its values are dropped, and it gets [`ReceiveError::Overflowed`]; a WebSocket is closed with 1013.
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
    /// How many seats have to be waited for.
    full_seats: usize,
    /// Senders that wait for room, by when they came. The waker is gone once it was woken: that one is to go on.
    waits: BTreeMap<u64, Option<Waker>>,
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
        let state = Arc::new(Mutex::new(State::default()));
        Self { handle: Arc::new(Handle(state)), capacity, overflow }
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
        Receiver {
            state: self.handle.0.clone(),
            id,
            #[cfg(feature = "stream")]
            is_over: false,
        }
    }

    /// How many receivers there are.
    pub fn receivers(&self) -> usize {
        lock(&self.handle.0).receivers()
    }

    /// Sends `value` to all receivers, once none has to be waited for; how many there were. If the future is dropped,
    /// none gets it.
    ///
    /// Senders that wait go on in the order in which they were first polled. So one that is kept and not polled again
    /// stops those behind it.
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
    /// [`Full`], with the value, if a receiver would have to be waited for, or another sender waits already; then none
    /// got it.
    pub fn try_send(&self, value: T) -> Result<usize, Full<T>> {
        let mut state = lock(&self.handle.0);
        if state.must_wait(None) {
            return Err(Full(value));
        }
        let given = state.give(Arc::new(value));
        drop(state);
        Ok(given.finish())
    }
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { seats: BTreeMap::new(), full_seats: 0, waits: BTreeMap::new(), next_id: 0, is_closed: false }
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

    /// Whether the sender with this place among those that wait, or without one, has to wait for a receiver, or for a
    /// sender that came before.
    fn must_wait(&self, id: Option<u64>) -> bool {
        self.full_seats > 0 || self.waits.keys().next().is_some_and(|first| Some(*first) != id)
    }

    /// The waker of the sender that is to go on, if there is room and it was not woken yet.
    fn next_sender(&mut self) -> Option<Waker> {
        let mut waits = self.waits.values_mut();
        waits.next().filter(|_| self.full_seats == 0).and_then(Option::take)
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
            self.full_seats += usize::from(seat.is_waited_for());
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

    /// Whether senders wait for it.
    fn is_waited_for(&self) -> bool {
        self.overflow == Overflow::Wait && self.is_full()
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
        if state.must_wait(this.id) {
            let id = *this.id.get_or_insert_with(|| state.next_id());
            let old = state.waits.insert(id, Some(cx.waker().clone()));
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        let given = this.value.take().map(|value| state.give(value));
        drop(state);
        let receivers = given.map_or(0, Given::finish);
        this.leave();
        Poll::Ready(receivers)
    }
}

impl<T> Sending<'_, T> {
    /// Waits no longer, and lets the next one go on if there is room.
    fn leave(&mut self) {
        let Some(id) = self.id.take() else { return };
        let (own, next) = {
            let mut state = lock(&self.broadcast.handle.0);
            (state.waits.remove(&id), state.next_sender())
        };
        next.into_iter().for_each(Waker::wake);
        drop(own);
    }
}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// One of the receivers of a [`Broadcast`]; with the feature `stream` it is a `Stream` too.
pub struct Receiver<T> {
    state: Arc<Mutex<State<T>>>,
    id: u64,
    /// The last of the stream was told.
    #[cfg(feature = "stream")]
    is_over: bool,
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
        let was_waited_for = seat.is_waited_for();
        let Some(value) = seat.queue.pop_front() else {
            if is_closed {
                return Poll::Ready(Err(ReceiveError::Closed));
            }
            let old = seat.waker.replace(cx.waker().clone());
            drop(state);
            drop(old);
            return Poll::Pending;
        };
        state.full_seats -= usize::from(was_waited_for);
        let sender = state.next_sender();
        drop(state);
        sender.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(Arc::try_unwrap(value).unwrap_or_else(|value| (*value).clone())))
    }
}

/// With the feature `stream`: the values, and what [`receive`](Receiver::receive) tells of those that are missed. The
/// stream is over once nobody sends any more, and behind [`ReceiveError::Overflowed`]; behind [`ReceiveError::Missed`] it
/// goes on. A body or a stream of events is cut off by either error, unless that is mapped to something else.
///
/// ```
/// # mod futures_lite {
/// #     pub struct Map<S, F>(S, F);
/// #     impl<S: futures_core::Stream + Unpin, F: FnMut(S::Item) -> U + Unpin, U> futures_core::Stream for Map<S, F> {
/// #         type Item = U;
/// #         fn poll_next(
/// #             mut self: std::pin::Pin<&mut Self>,
/// #             cx: &mut std::task::Context<'_>,
/// #         ) -> std::task::Poll<Option<U>> {
/// #             let this = &mut *self;
/// #             std::pin::Pin::new(&mut this.0).poll_next(cx).map(|item| item.map(&mut this.1))
/// #         }
/// #     }
/// #     pub trait StreamExt: futures_core::Stream + Sized {
/// #         fn map<U, F: FnMut(Self::Item) -> U>(self, map: F) -> Map<Self, F> { Map(self, map) }
/// #     }
/// #     impl<S: futures_core::Stream> StreamExt for S {}
/// # }
/// use bakestone::message::Broadcast;
/// use bakestone::{Context, Event, Sse, State};
/// use futures_lite::StreamExt;   // or futures_util's
///
/// async fn news(State(news): State<Broadcast<Event>>, context: Context) -> Sse {
///     Sse::from_items(&context, news.subscribe())
/// }
///
/// async fn ticks(State(ticks): State<Broadcast<u64>>, context: Context) -> Sse {
///     let events = ticks.subscribe().map(|tick| tick.map(|tick| Event::data(tick.to_string())));
///     Sse::from_items(&context, events)
/// }
/// # fn main() { let _ = (bakestone::get(news), bakestone::get(ticks)); }
/// ```
#[cfg(feature = "stream")]
impl<T: Clone> futures_core::Stream for Receiver<T> {
    type Item = Result<T, ReceiveError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let received = ready!(self.poll_receive(cx));
        self.is_over = matches!(received, Err(ReceiveError::Closed | ReceiveError::Overflowed));
        Poll::Ready(Some(received).filter(|received| !matches!(received, Err(ReceiveError::Closed))))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let (seat, sender) = {
            let mut state = lock(&self.state);
            let seat = state.seats.remove(&self.id);
            state.full_seats -= usize::from(seat.as_ref().is_some_and(Seat::is_waited_for));
            (seat, state.next_sender())
        };
        // The values are the user's, and may panic when they are dropped.
        sender.into_iter().for_each(Waker::wake);
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

/// A value that was not sent, since a receiver, or a sender before, would have to be waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a receiver's queue is full, or another sender waits")
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
