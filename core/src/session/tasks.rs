//! Background tasks: many futures on one machine, each with a waker of its own.
//!
//! The rule: only a task that was woken is polled, and every task holds its place under the cap from the
//! moment it is asked for to the moment it is dropped.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use crate::error::{Error, Result};
use crate::message::{Context, SpawnError};
use crate::session::observe::{Entry, Event, Observed};
use crate::session::scope::{Scope, lock};

pub(crate) type TaskFuture = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// What a task or a hook may end with: nothing, or a result.
#[diagnostic::on_unimplemented(
    message = "a background task cannot end with `{Self}`",
    label = "a task ends with `()` or with `Result<(), E>`",
    note = "nobody takes what it made; a failure is an `Err`, of what becomes a `bakestone::Error`"
)]
pub trait TaskResult {
    /// The result of the task.
    ///
    /// # Errors
    ///
    /// Those of the task.
    fn into_result(self) -> Result<()>;
}

impl TaskResult for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Error>> TaskResult for Result<(), E> {
    fn into_result(self) -> Result<()> {
        self.map_err(Into::into)
    }
}

/// A task that has its place, and has not begun.
pub(crate) struct Task {
    begin: Box<dyn FnOnce(Context) -> TaskFuture + Send>,
    place: Place,
}

/// A place under the cap; it is free again when this is dropped.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.places.fetch_sub(1, Ordering::AcqRel);
        self.0.scope.nudge();
    }
}

struct Shared {
    scope: Arc<Scope>,
    inbox: Mutex<Inbox>,
    /// Tasks that were asked for and are not yet over.
    places: AtomicUsize,
    /// `Limits::tasks`.
    limit: AtomicUsize,
    /// Sessions that may still ask for tasks.
    sessions: AtomicUsize,
}

#[derive(Default)]
struct Inbox {
    tasks: Vec<Task>,
    over: bool,
}

/// The way to start tasks on a server's [`Lifecycle`](crate::Lifecycle), from any thread.
#[derive(Clone)]
pub struct Spawner(Arc<Shared>);

impl std::fmt::Debug for Spawner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spawner").field("tasks", &self.tasks()).finish_non_exhaustive()
    }
}

impl Spawner {
    pub(crate) fn new(scope: Arc<Scope>, limit: usize) -> Self {
        Self(Arc::new(Shared {
            scope,
            inbox: Mutex::default(),
            places: AtomicUsize::new(0),
            limit: limit.into(),
            sessions: AtomicUsize::new(0),
        }))
    }

    /// The lifecycle's own scope.
    pub(crate) fn scope(&self) -> Arc<Scope> {
        self.0.scope.clone()
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.0.limit.store(limit, Ordering::Release);
    }

    /// How many tasks there are: asked for, and not yet over.
    pub fn tasks(&self) -> usize {
        self.0.places.load(Ordering::Acquire)
    }

    pub(crate) fn prepare<F, R>(
        &self,
        task: impl FnOnce(Context) -> F + Send + 'static,
    ) -> Result<Task, SpawnError>
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult,
    {
        let limit = self.0.limit.load(Ordering::Acquire);
        let take = |places: usize| (places < limit).then_some(places + 1);
        let taken = self.0.places.fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        taken.map_err(|_| SpawnError::Full(limit))?;
        let begin = Box::new(move |context| -> TaskFuture {
            let future = task(context);
            Box::pin(async move { future.await.into_result() })
        });
        Ok(Task { begin, place: Place(self.0.clone()) })
    }

    pub(crate) fn start(&self, task: Task) -> Result<(), SpawnError> {
        {
            let mut inbox = lock(&self.0.inbox);
            if inbox.over {
                drop(inbox);
                return Err(SpawnError::Over);
            }
            inbox.tasks.push(task);
        }
        self.0.scope.nudge();
        Ok(())
    }

    /// Counts a session that may ask for tasks, until the guard is dropped.
    pub(crate) fn attach(&self) -> Attached {
        self.0.sessions.fetch_add(1, Ordering::AcqRel);
        Attached(self.clone())
    }

    /// Whether nothing runs and nothing can be asked for by a session.
    pub(crate) fn is_idle(&self) -> bool {
        self.tasks() == 0 && self.0.sessions.load(Ordering::Acquire) == 0
    }

    fn take_new(&self) -> Vec<Task> {
        std::mem::take(&mut lock(&self.0.inbox).tasks)
    }

    fn close(&self) -> Vec<Task> {
        let mut inbox = lock(&self.0.inbox);
        inbox.over = true;
        std::mem::take(&mut inbox.tasks)
    }
}

/// A session's hold on the lifecycle.
pub(crate) struct Attached(Spawner);

impl Attached {
    pub(crate) fn spawner(&self) -> &Spawner {
        &self.0
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.0.sessions.fetch_sub(1, Ordering::AcqRel);
        self.0.0.scope.nudge();
    }
}

/// The tasks that run.
pub(crate) struct Tasks {
    spawner: Spawner,
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    ready: Arc<Ready>,
}

struct Slot {
    future: TaskFuture,
    signal: Arc<Signal>,
    waker: Waker,
    _place: Place,
}

struct Ready {
    scope: Arc<Scope>,
    queue: Mutex<VecDeque<usize>>,
}

struct Signal {
    slot: usize,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            lock(&self.ready.queue).push_back(self.slot);
            self.ready.scope.nudge();
        }
    }
}

impl Tasks {
    pub(crate) fn new(spawner: Spawner) -> Self {
        let ready = Arc::new(Ready { scope: spawner.0.scope.clone(), queue: Mutex::default() });
        Self { spawner, slots: Vec::new(), free: Vec::new(), ready }
    }

    /// Takes in what was asked for since the last call; whether there was anything.
    pub(crate) fn admit(&mut self, observed: &Observed) -> bool {
        let new = self.spawner.take_new();
        let any = !new.is_empty();
        for Task { begin, place } in new {
            let context = Context::of_lifecycle(self.ready.scope.clone(), self.spawner.clone());
            if let Some(future) = observed.guard(Entry::Task, || begin(context)) {
                self.insert(future, place);
            }
        }
        any
    }

    fn insert(&mut self, future: TaskFuture, place: Place) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let signal = Arc::new(Signal { slot, queued: AtomicBool::new(false), ready: self.ready.clone() });
        let waker = Waker::from(signal.clone());
        self.slots[slot] = Some(Slot { future, signal, waker: waker.clone(), _place: place });
        waker.wake();
    }

    /// Polls at most `budget` of the tasks that were woken; whether any was.
    pub(crate) fn poll(&mut self, budget: usize, observed: &Observed) -> bool {
        let mut any = false;
        for _ in 0..budget {
            let Some(index) = lock(&self.ready.queue).pop_front() else { break };
            any = true;
            let Some(slot) = self.slots.get_mut(index).and_then(Option::as_mut) else { continue };
            slot.signal.queued.store(false, Ordering::Release);
            let Slot { future, waker, .. } = slot;
            let poll =
                observed.guard(Entry::Task, || future.as_mut().poll(&mut TaskContext::from_waker(waker)));
            match poll {
                Some(Poll::Pending) => continue,
                Some(Poll::Ready(Err(error))) => {
                    observed.tell(Event::TaskFailed(&error));
                    observed.guard(Entry::Drop, || drop(error));
                }
                Some(Poll::Ready(Ok(()))) | None => {}
            }
            self.remove(index, observed);
        }
        any
    }

    fn remove(&mut self, index: usize, observed: &Observed) {
        if let Some(slot) = self.slots[index].take() {
            // A wake that is still under way finds this slot's next task, whom one poll too many harms not.
            self.free.push(index);
            observed.guard(Entry::Drop, || drop(slot));
        }
    }

    /// Takes no more tasks, and drops those that are left; how many there were.
    pub(crate) fn close(&mut self, observed: &Observed) -> usize {
        let mut dropped = 0;
        for task in self.spawner.close() {
            dropped += 1;
            observed.guard(Entry::Drop, || drop(task));
        }
        for index in 0..self.slots.len() {
            if self.slots[index].is_some() {
                dropped += 1;
                self.remove(index, observed);
            }
        }
        dropped
    }
}
