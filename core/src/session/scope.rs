//! What a machine lends to the futures that it owns: the time, timers, effects, and a waker.
//!
//! The rule: the lock is never held while waking, polling or dropping what a user made; and a wake that
//! comes while the machine is stepping is seen by that step, one that comes later reaches the driver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::effect::Effect;
use crate::machine::{Moment, Now};

/// The machine is inside `step` and looks at the other flags before it leaves.
const STEPPING: u8 = 1;
/// The waker that futures were polled with has fired.
const WOKEN: u8 = 2;
/// Something else that the machine must look at has changed: a body is wanted, an effect was asked for.
const NUDGED: u8 = 4;
/// There are effects or timers to tell the driver of.
const ASKED: u8 = 8;

/// One for each session, and one for the lifecycle.
pub(crate) struct Scope {
    flags: AtomicU8,
    state: Mutex<State>,
}

/// What has changed since a machine looked last.
#[derive(Clone, Copy, Default)]
pub(crate) struct News {
    /// Futures were woken.
    pub(crate) woken: bool,
    /// They were, or something else is to be looked at.
    pub(crate) any: bool,
}

struct State {
    /// The waker of the driver's last step.
    driver: Waker,
    now: Now,
    timers: BTreeMap<(Moment, u64), Waker>,
    next_id: u64,
    effects: Vec<Effect>,
    draining: bool,
    drain_waits: BTreeMap<u64, Waker>,
    /// The machine has ended: nobody moves the clock any more.
    over: bool,
}

/// Locks, and shrugs at poison: no invariant of ours spans a panic, since no user code runs inside.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scope {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            flags: AtomicU8::new(0),
            state: Mutex::new(State {
                driver: Waker::noop().clone(),
                now: Now::default(),
                timers: BTreeMap::new(),
                next_id: 0,
                effects: Vec::new(),
                draining: false,
                drain_waits: BTreeMap::new(),
                over: false,
            }),
        })
    }

    /// A scope that no machine stands behind: what it is asked for is over at once.
    pub(crate) fn detached() -> Arc<Self> {
        let scope = Self::new();
        lock(&scope.state).over = true;
        scope
    }

    /// Begins a step: from here on wakes are seen by it. The new waker is stored before any flag is tested.
    pub(crate) fn begin(&self, now: Now, drain: bool, cx: &Context<'_>) {
        let mut old = None;
        let woken: Vec<Waker> = {
            let mut state = lock(&self.state);
            if !state.driver.will_wake(cx.waker()) {
                old = Some(std::mem::replace(&mut state.driver, cx.waker().clone()));
            }
            self.flags.fetch_or(STEPPING, Ordering::AcqRel);
            state.now = now;
            let mut woken = Vec::new();
            while let Some(timer) = state.timers.first_entry() {
                if timer.key().0 > now.mono {
                    break;
                }
                woken.push(timer.remove());
            }
            if drain && !state.draining {
                state.draining = true;
                woken.extend(std::mem::take(&mut state.drain_waits).into_values());
            }
            woken
        };
        drop(old);
        woken.into_iter().for_each(Waker::wake);
    }

    /// What has changed since the last call.
    pub(crate) fn take_news(&self) -> News {
        // Most often nothing has, and a look costs less than taking it.
        if self.flags.load(Ordering::Acquire) & (WOKEN | NUDGED) == 0 {
            return News::default();
        }
        let flags = self.flags.fetch_and(!(WOKEN | NUDGED), Ordering::AcqRel);
        News { woken: flags & WOKEN != 0, any: true }
    }

    /// Ends a step. A wake that came after the machine's last look goes to the driver.
    pub(crate) fn end(&self) {
        if self.flags.fetch_and(!STEPPING, Ordering::AcqRel) & (WOKEN | NUDGED) != 0 {
            self.wake_driver();
        }
    }

    /// Asks the machine to look again, without saying that its futures were woken.
    pub(crate) fn nudge(&self) {
        self.raise(NUDGED);
    }

    fn raise(&self, flag: u8) {
        if self.flags.fetch_or(flag, Ordering::AcqRel) & !ASKED == 0 {
            self.wake_driver();
        }
    }

    fn wake_driver(&self) {
        let waker = lock(&self.state).driver.clone();
        waker.wake();
    }

    /// Moves what was asked for into the driver's list, and tells the earliest timer.
    pub(crate) fn settle(&self, effects: &mut Vec<Effect>) -> Option<Moment> {
        if self.flags.load(Ordering::Acquire) & ASKED == 0 {
            return None;
        }
        let mut state = lock(&self.state);
        effects.append(&mut state.effects);
        let timer = state.timers.first_key_value().map(|(key, _)| key.0);
        if timer.is_none() {
            self.flags.fetch_and(!ASKED, Ordering::AcqRel);
        }
        timer
    }

    /// Asks the driver for an effect; a machine that has ended gives it back.
    pub(crate) fn ask(&self, effect: Effect) -> Result<(), Effect> {
        {
            let mut state = lock(&self.state);
            if state.over {
                return Err(effect);
            }
            state.effects.push(effect);
            self.flags.fetch_or(ASKED, Ordering::AcqRel);
        }
        self.nudge();
        Ok(())
    }

    pub(crate) fn now(&self) -> Now {
        lock(&self.state).now
    }

    pub(crate) fn is_draining(&self) -> bool {
        lock(&self.state).draining
    }

    /// Ends the scope: timers and waits resolve, effects that were not taken are dropped.
    pub(crate) fn close(&self) {
        let (wakers, effects, _driver) = {
            let mut state = lock(&self.state);
            state.over = true;
            let timers = std::mem::take(&mut state.timers).into_values();
            let wakers: Vec<Waker> =
                timers.chain(std::mem::take(&mut state.drain_waits).into_values()).collect();
            // A scope that somebody keeps must not keep the driver's task with it.
            let driver = std::mem::replace(&mut state.driver, Waker::noop().clone());
            (wakers, std::mem::take(&mut state.effects), driver)
        };
        drop(effects);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits for `at`. `id` is the waiting future's own slot; it is given on the first call.
    pub(crate) fn poll_timer(&self, at: Moment, id: &mut Option<u64>, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.over || state.now.mono >= at {
            return Poll::Ready(());
        }
        let slot = state.slot(id);
        let old = state.timers.insert((at, slot), cx.waker().clone());
        self.flags.fetch_or(ASKED, Ordering::AcqRel);
        drop(state);
        drop(old);
        // A timer set from another task moves the machine's deadline.
        self.nudge();
        Poll::Pending
    }

    pub(crate) fn forget_timer(&self, at: Moment, id: Option<u64>) {
        if let Some(id) = id {
            let old = lock(&self.state).timers.remove(&(at, id));
            drop(old);
        }
    }

    /// Waits for the server to drain.
    pub(crate) fn poll_drain(&self, id: &mut Option<u64>, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.over || state.draining {
            return Poll::Ready(());
        }
        let slot = state.slot(id);
        let old = state.drain_waits.insert(slot, cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    pub(crate) fn forget_drain(&self, id: Option<u64>) {
        if let Some(id) = id {
            let old = lock(&self.state).drain_waits.remove(&id);
            drop(old);
        }
    }
}

/// Whom to ask for an effect: the machine of the one who asks, and once that has ended, the server's lifecycle, since a
/// file may well outlive its connection.
#[derive(Clone)]
pub(crate) struct Asking {
    scope: Arc<Scope>,
    after: Option<Arc<Scope>>,
}

impl Asking {
    pub(crate) fn new(scope: Arc<Scope>, after: Option<Arc<Scope>>) -> Self {
        Self { scope, after }
    }

    /// What nobody answers is dropped, and so unanswered.
    pub(crate) fn ask(&self, effect: Effect) {
        let refused = self.scope.ask(effect).err().zip(self.after.as_ref());
        if let Some((effect, after)) = refused {
            drop(after.ask(effect));
        }
    }

    pub(crate) fn now(&self) -> Now {
        self.scope.now()
    }
}

impl State {
    fn slot(&mut self, id: &mut Option<u64>) -> u64 {
        *id.get_or_insert_with(|| {
            self.next_id += 1;
            self.next_id
        })
    }
}

impl Wake for Scope {
    fn wake(self: Arc<Self>) {
        self.raise(WOKEN);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.raise(WOKEN);
    }
}
