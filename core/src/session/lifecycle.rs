//! One server's life: its hooks, its background tasks, its periodic ones.
//!
//! The rule: work that outlives a connection lives here and nowhere else, so that it is capped, counted, and
//! awaited when the server drains.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::machine::{Io, Machine, Moment, Now, Phase, Read, Wants};
use crate::message::{Context, Sleep, SpawnError};
use crate::session::observe::{Deadline, Entry, Event, Observed, Observer};
use crate::session::scope::Scope;
use crate::session::tasks::TaskFuture;
use crate::session::tasks::Tasks;
pub(crate) use crate::session::tasks::{Attached, Task};
pub use crate::session::tasks::{Spawner, TaskResult};

/// Tasks polled in one step; then the machine wakes itself.
const POLLS_IN_A_STEP: usize = 256;
/// What a shorter period is taken for, since a period of nothing would never let go.
const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

/// The machine of one server, beside its listener: start-up and shut-down hooks, tasks that outlive their
/// connection, periodic tasks.
///
/// A driver steps it like any machine, with an [`Io`] that carries no bytes. It accepts connections once
/// [`stage`](Self::stage) is [`Stage::Running`], sets `drain` here and on the connections at the same
/// moment, and leaves at [`Phase::Done`].
///
/// ```text
/// Starting --hooks ok--> Running --drain--> Draining --all over, or drain_time--> Stopping --hooks--> Over
///     |                                                                               ^
///     +------------------------- a hook failed, or drain -----------------------------+
/// ```
///
/// ```
/// use bakestone::Lifecycle;
/// use std::time::Duration;
///
/// let lifecycle = Lifecycle::new()
///     .on_startup(|_| async { println!("warming up") })
///     .every(Duration::from_secs(60), |_| async { println!("sweeping") })
///     .on_shutdown(|_| async { println!("cooling down") });
/// ```
#[must_use = "a lifecycle does nothing unless it is stepped, or given to an application"]
pub struct Lifecycle {
    scope: Arc<Scope>,
    waker: Waker,
    spawner: Spawner,
    tasks: Tasks,
    observed: Observed,
    stage: Stage,
    startup: VecDeque<Hook>,
    shutdown: Vec<Hook>,
    hook: Option<RunningHook>,
    failure: Option<StartupError>,
    ignores_failures: bool,
    drain_time: Duration,
    /// When the stage is over at the latest: set in Draining and Stopping.
    stage_ends_at: Option<Moment>,
}

/// Where a server stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The start-up hooks run, in order.
    Starting,
    /// Connections may be accepted.
    Running,
    /// The server stops: connections and tasks come to their end.
    Draining,
    /// The shut-down hooks run, in reverse order.
    Stopping,
    /// It is over.
    Over,
}

struct Hook {
    at: &'static Location<'static>,
    /// Whether its failure is ignored; of a hook that was not merged, its lifecycle says so.
    ignored: Option<bool>,
    begin: Box<dyn FnOnce(Context, Observed) -> TaskFuture + Send>,
}

struct RunningHook {
    at: &'static Location<'static>,
    ignored: Option<bool>,
    future: TaskFuture,
}

/// A start-up hook that failed: the server does not start.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartupError {
    /// Where the hook was registered.
    pub at: &'static Location<'static>,
    /// What it failed with.
    pub error: Error,
}

impl fmt::Display for StartupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the start-up hook of {} failed: {:#}", self.at, self.error)
    }
}

impl std::error::Error for StartupError {}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

impl Lifecycle {
    /// A life without hooks, under the default limits.
    pub fn new() -> Self {
        let limits = Limits::default();
        let scope = Scope::new();
        let spawner = Spawner::new(scope.clone(), limits.tasks);
        Self {
            waker: scope.clone().into(),
            tasks: Tasks::new(spawner.clone()),
            scope,
            spawner,
            observed: Observed::default(),
            stage: Stage::Starting,
            startup: VecDeque::new(),
            shutdown: Vec::new(),
            hook: None,
            failure: None,
            ignores_failures: false,
            drain_time: limits.drain_time,
            stage_ends_at: None,
        }
    }

    /// Puts it under `tasks` and `drain_time` of `limits`, as a driver does whose connections are under them.
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.spawner.set_limit(limits.tasks);
        self.drain_time = limits.drain_time;
        self
    }

    /// Tells `observer` what happens.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observed = Observed(Some(observer));
        self
    }

    /// Runs `hook` before the first connection is accepted, after the hooks that were given before it. If it
    /// fails, the server does not start.
    #[track_caller]
    pub fn on_startup<F, R>(mut self, hook: impl FnOnce(Context) -> F + Send + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult,
    {
        self.startup.push_back(Hook::new(hook));
        self
    }

    /// Runs `hook` once all connections and tasks are over, before the hooks that were given before it, and also
    /// if a start-up hook failed. A failure is told to the observer, and the next hook runs. The hooks together
    /// have `drain_time` of their own.
    #[track_caller]
    pub fn on_shutdown<F, R>(mut self, hook: impl FnOnce(Context) -> F + Send + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult,
    {
        self.shutdown.push(Hook::new(hook));
        self
    }

    /// Runs `task` every `period` (at least a millisecond), for the first time one period after the start-up
    /// hooks, never twice at a time: a tick that comes while the task runs is left out. A failure is told to
    /// the observer, and the next tick comes all the same. When the server drains, a run that has begun is
    /// awaited.
    #[track_caller]
    pub fn every<F, R>(
        mut self,
        period: Duration,
        mut task: impl FnMut(Context) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult + Send,
    {
        let period = period.max(SHORTEST_PERIOD);
        // The ticks begin once the hooks before this point are through, so the task is started by a hook.
        self.startup.push_back(Hook::observed(move |context, observed| async move {
            let spawner = context.spawner().ok_or(SpawnError::NoLifecycle)?;
            let ticking = spawner.prepare(move |context| async move {
                let mut tick = context.now().mono + period;
                while Tick::new(&context, tick).await {
                    run_once(&mut task, &context, &observed).await;
                    tick = (tick + period).max(context.now().mono);
                }
            })?;
            spawner.start(ticking)
        }));
        self
    }

    /// Goes on after a start-up hook of this lifecycle that failed: the failure is told to the observer, and the
    /// next hook runs. It holds for hooks before and after this call, and for none that are merged.
    pub fn ignore_startup_errors(mut self) -> Self {
        self.ignores_failures = true;
        self
    }

    /// Takes in the hooks and the periodic tasks of `other`, after those that are here already. Whether a start-up
    /// hook may fail is said where the hook comes from. Limits stay those of this lifecycle, and so does the
    /// observer, if it has one. Tasks are started by this one's [`spawner`](Self::spawner): that of `other` is over.
    pub fn merge(mut self, mut other: Self) -> Self {
        for hook in &mut other.startup {
            hook.ignored.get_or_insert(other.ignores_failures);
        }
        self.startup.append(&mut other.startup);
        self.shutdown.append(&mut other.shutdown);
        if self.observed.0.is_none() {
            self.observed = other.observed.clone();
        }
        self
    }

    /// The way to start tasks here, and what a [`Session`](crate::Session) is connected by.
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Where the server stands.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Why the server did not start, if a start-up hook failed. It is given once.
    pub fn take_failure(&mut self) -> Option<StartupError> {
        self.failure.take()
    }

    /// One round of progress; whether there was any.
    fn progress(&mut self, now: Now, drain: bool, woken: bool) -> bool {
        let admitted = self.tasks.admit(&self.observed);
        match self.stage {
            Stage::Starting if drain => {
                // Nothing was promised yet, so nobody waits for the rest of the start.
                self.drop_hook();
                self.startup.clear();
                self.enter(Stage::Draining, now)
            }
            Stage::Starting => self.start(now, woken),
            Stage::Running if drain => self.enter(Stage::Draining, now),
            Stage::Draining if self.spawner.is_idle() => self.enter(Stage::Stopping, now),
            Stage::Draining if self.is_late(now) => {
                self.observed.tell(Event::DeadlinePassed(Deadline::Drain));
                self.enter(Stage::Stopping, now)
            }
            Stage::Stopping => self.stop(now, woken),
            _ => admitted,
        }
    }

    fn is_late(&self, now: Now) -> bool {
        self.stage_ends_at.is_some_and(|at| now.mono >= at)
    }

    fn enter(&mut self, stage: Stage, now: Now) -> bool {
        self.stage = stage;
        self.stage_ends_at = match stage {
            Stage::Draining | Stage::Stopping => Some(now.mono + self.drain_time),
            _ => None,
        };
        if stage == Stage::Stopping {
            let dropped = self.tasks.close(&self.observed);
            if dropped > 0 {
                self.observed.tell(Event::TasksDropped(dropped));
            }
        }
        if stage == Stage::Over {
            self.scope.close();
        }
        true
    }

    fn start(&mut self, now: Now, woken: bool) -> bool {
        if self.hook.is_none() {
            let Some(hook) = self.startup.pop_front() else { return self.enter(Stage::Running, now) };
            self.begin_hook(hook);
        } else if !woken {
            return false;
        }
        let ignored = self.hook.as_ref().and_then(|hook| hook.ignored).unwrap_or(self.ignores_failures);
        match self.poll_hook() {
            None => false,
            Some(Ok(())) => true,
            Some(Err(failure)) if ignored => {
                self.observed.tell(Event::TaskFailed(&failure.error));
                true
            }
            Some(Err(failure)) => {
                self.failure = Some(failure);
                self.startup.clear();
                self.enter(Stage::Stopping, now)
            }
        }
    }

    fn stop(&mut self, now: Now, woken: bool) -> bool {
        if self.is_late(now) {
            self.observed.tell(Event::DeadlinePassed(Deadline::Drain));
            self.drop_hook();
            self.shutdown.clear();
            return self.enter(Stage::Over, now);
        }
        if self.hook.is_none() {
            let Some(hook) = self.shutdown.pop() else { return self.enter(Stage::Over, now) };
            self.begin_hook(hook);
        } else if !woken {
            return false;
        }
        match self.poll_hook() {
            None => false,
            Some(result) => {
                if let Err(failure) = result {
                    self.observed.tell(Event::TaskFailed(&failure.error));
                }
                true
            }
        }
    }

    fn begin_hook(&mut self, hook: Hook) {
        let context = Context::of_lifecycle(self.scope.clone(), self.spawner.clone());
        let observed = self.observed.clone();
        let begun = self.observed.guard(Entry::Hook, || (hook.begin)(context, observed));
        let future = begun.unwrap_or_else(|| Box::pin(std::future::ready(Err(Error::internal()))));
        self.hook = Some(RunningHook { at: hook.at, ignored: hook.ignored, future });
    }

    /// The result of the running hook, once it has one.
    fn poll_hook(&mut self) -> Option<Result<(), StartupError>> {
        let hook = self.hook.as_mut()?;
        let mut cx = TaskContext::from_waker(&self.waker);
        let poll = self.observed.guard(Entry::Hook, || hook.future.as_mut().poll(&mut cx));
        let result = match poll {
            Some(Poll::Pending) => return None,
            Some(Poll::Ready(result)) => result,
            None => Err(Error::internal()),
        };
        let at = hook.at;
        self.drop_hook();
        Some(result.map_err(|error| StartupError { at, error }))
    }

    fn drop_hook(&mut self) {
        let hook = self.hook.take();
        self.observed.guard(Entry::Drop, || drop(hook));
    }
}

impl Hook {
    #[track_caller]
    fn new<F, R>(hook: impl FnOnce(Context) -> F + Send + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult,
    {
        Self::observed(|context, _| hook(context))
    }

    /// A hook that tells what happens by itself.
    #[track_caller]
    fn observed<F, R>(hook: impl FnOnce(Context, Observed) -> F + Send + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult,
    {
        let begin = move |context, observed| -> TaskFuture {
            let future = hook(context, observed);
            Box::pin(async move { future.await.into_result() })
        };
        Self { at: Location::caller(), ignored: None, begin: Box::new(begin) }
    }
}

impl Machine for Lifecycle {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut TaskContext<'_>) -> Wants {
        if self.stage == Stage::Over {
            return Wants::DONE;
        }
        self.scope.begin(now, io.drain, cx);
        let mut polls_left = POLLS_IN_A_STEP;
        let mut moved = true;
        while moved && polls_left > 0 && self.stage != Stage::Over {
            // What was woken or changed is looked at in this very round.
            let news = self.scope.take_news();
            moved = news.any | self.progress(now, io.drain, news.woken);
            moved |= self.tasks.poll(16, &self.observed);
            polls_left = polls_left.saturating_sub(16);
        }
        let timer = self.scope.settle(&mut io.effects);
        if moved && self.stage != Stage::Over {
            cx.waker().wake_by_ref();
        }
        self.scope.end();
        if self.stage == Stage::Over {
            return Wants::DONE;
        }
        let wake_at = timer.into_iter().chain(self.stage_ends_at).min();
        Wants { read: Read::Pause, wake_at, phase: Phase::Open }
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        self.tasks.close(&self.observed);
        self.scope.close();
    }
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifecycle")
            .field("stage", &self.stage)
            .field("tasks", &self.spawner.tasks())
            .finish_non_exhaustive()
    }
}

/// One run of a periodic task. A failure or a panic is told, and is no reason to leave out the next one.
async fn run_once<F, R>(task: &mut impl FnMut(Context) -> F, context: &Context, observed: &Observed)
where
    F: Future<Output = R>,
    R: TaskResult,
{
    let Some(mut run) = observed.guard(Entry::Task, || Box::pin(task(context.clone()))) else { return };
    let result = poll_fn(|cx| {
        let poll = observed.guard(Entry::Task, || run.as_mut().poll(cx).map(TaskResult::into_result));
        poll.unwrap_or(Poll::Ready(Ok(())))
    });
    if let Err(error) = result.await {
        observed.tell(Event::TaskFailed(&error));
    }
}

/// The next tick of a periodic task; `false` once the server drains.
struct Tick {
    sleep: Sleep,
    draining: crate::message::Draining,
}

impl Tick {
    fn new(context: &Context, at: Moment) -> Self {
        Self { sleep: context.sleep_until(at), draining: context.draining() }
    }
}

impl Future for Tick {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<bool> {
        if Pin::new(&mut self.draining).poll(cx).is_ready() {
            return Poll::Ready(false);
        }
        Pin::new(&mut self.sleep).poll(cx).map(|()| true)
    }
}
