//! Effects, answered where blocking harms nobody.
//!
//! The rule: at most so many are answered at a time, whatever the runtime's own pool would take; the others
//! stand in line, first come, first served.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bakestone::effect::Effect;

use crate::files;

/// The line of effects, and the workers that answer them.
#[derive(Debug)]
pub struct Pool {
    limit: usize,
    /// How long a worker that has nothing to do waits for more.
    patience: Duration,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    line: VecDeque<Effect>,
    workers: usize,
    idle: usize,
}

impl Pool {
    /// A pool of at most `limit` workers (at least one), of which each waits for `patience` before it ends: zero
    /// where threads are kept by a runtime.
    pub fn new(limit: usize, patience: Duration) -> Arc<Self> {
        let (state, news) = Default::default();
        Arc::new(Self { limit: limit.max(1), patience, state, news })
    }

    /// Has `effect` answered: here, if [that takes no waiting](files::perform_at_once); else by a worker that is idle,
    /// by a new one, which `start` gives a thread, or by the first that has time. If `start` drops the worker, the
    /// effect is dropped, and so unanswered.
    pub fn submit(self: &Arc<Self>, effect: Effect, start: impl FnOnce(Worker)) {
        let Some(effect) = files::perform_at_once(effect) else { return };
        let mut state = self.state();
        if state.idle > state.line.len() || state.workers == self.limit {
            state.line.push_back(effect);
            drop(state);
            self.news.notify_one();
        } else {
            state.workers += 1;
            drop(state);
            start(Worker { pool: self.clone(), effect: Some(effect), counted: true });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers effects, one after the other, on a thread that may block.
#[derive(Debug)]
pub struct Worker {
    pool: Arc<Pool>,
    effect: Option<Effect>,
    /// Among the pool's workers.
    counted: bool,
}

impl Worker {
    /// Works until there is nothing more to do.
    pub fn run(mut self) {
        while let Some(effect) = self.effect.take().or_else(|| self.next()) {
            files::perform(effect);
        }
    }

    fn next(&mut self) -> Option<Effect> {
        let mut state = self.pool.state();
        if state.line.is_empty() && !self.pool.patience.is_zero() {
            state.idle += 1;
            let waited =
                self.pool.news.wait_timeout_while(state, self.pool.patience, |state| state.line.is_empty());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
        }
        let next = state.line.pop_front();
        if next.is_none() {
            // Under the same lock as the look: whoever submits afterwards finds one worker fewer, and starts another.
            state.workers -= 1;
            self.counted = false;
        }
        next
    }
}

impl Drop for Worker {
    /// A worker that never ran, or whose effect panicked, leaves its place as well.
    fn drop(&mut self) {
        if self.counted {
            let mut state = self.pool.state();
            state.workers -= 1;
            // With nobody left to come to them, the effects in line are dropped, and so unanswered.
            let left = if state.workers == 0 { std::mem::take(&mut state.line) } else { VecDeque::new() };
            drop(state);
            drop(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::sync::mpsc;
    use std::task::{Context, Poll, Waker};
    use std::thread;
    use std::time::Instant;

    use bakestone::machine::{Io, Machine, Now};
    use bakestone::{Lifecycle, machine::Moment};

    /// Effects that each send a number, as a machine asks for them.
    fn jobs(count: usize, done: &mpsc::Sender<usize>) -> Vec<Effect> {
        let done = done.clone();
        let mut lifecycle = Lifecycle::new().on_startup(move |context| async move {
            let mut all: Vec<_> = (0..count)
                .map(|number| {
                    let done = done.clone();
                    Box::pin(context.blocking(move || done.send(number)))
                })
                .collect();
            // Each is asked for by its first poll; nobody waits for the answers.
            poll_fn(|cx| {
                assert!(all.iter_mut().all(|job| job.as_mut().poll(cx).is_pending()));
                Poll::<()>::Pending
            })
            .await;
        });
        let mut io = Io::default();
        let now = Now::new(Moment::ZERO, Duration::ZERO);
        let _ = lifecycle.step(now, &mut io, &mut Context::from_waker(Waker::noop()));
        std::mem::take(&mut io.effects)
    }

    fn on_a_thread(worker: Worker) {
        thread::spawn(move || worker.run());
    }

    #[test]
    fn no_more_work_at_a_time_than_it_may() {
        for patience in [Duration::ZERO, Duration::from_secs(5)] {
            let (done, results) = mpsc::channel();
            let pool = Pool::new(2, patience);
            let mut workers = 0;
            let effects = jobs(9, &done);
            assert_eq!(effects.len(), 9);
            let mut waiting = Vec::new();
            for effect in effects {
                pool.submit(effect, |worker| {
                    workers += 1;
                    waiting.push(worker);
                });
            }
            assert_eq!(workers, 2);
            waiting.into_iter().for_each(on_a_thread);
            let mut numbers: Vec<usize> =
                (0..9).map(|_| results.recv_timeout(Duration::from_secs(20)).expect("a result")).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        }
    }

    /// A worker that had seen the end of the line counted for a moment longer, and what was submitted in that moment
    /// stood in line for nobody.
    #[test]
    fn nothing_stands_in_line_for_a_worker_that_has_left() {
        let (done, results) = mpsc::channel();
        let pool = Pool::new(1, Duration::ZERO);
        let (give, workers) = mpsc::channel::<Worker>();
        thread::spawn(move || workers.into_iter().for_each(Worker::run));
        for (number, effect) in jobs(20_000, &done).into_iter().enumerate() {
            pool.submit(effect, |worker| give.send(worker).expect("the thread runs"));
            // The next one comes as soon as this one is answered: in that moment the worker looks for more.
            let began = Instant::now();
            while results.try_recv() != Ok(number) {
                assert!(
                    began.elapsed() < Duration::from_secs(20),
                    "number {number} stands in line for nobody"
                );
            }
            (0..number % 64).for_each(|_| std::hint::spin_loop());
        }
    }

    #[test]
    fn a_worker_that_gets_no_thread_leaves_its_place() {
        let (done, results) = mpsc::channel();
        let pool = Pool::new(1, Duration::ZERO);
        for (place, effect) in jobs(2, &done).into_iter().enumerate() {
            pool.submit(effect, |worker| {
                if place == 1 {
                    on_a_thread(worker)
                }
            });
        }
        assert_eq!(results.recv_timeout(Duration::from_secs(20)), Ok(1));
    }
}
