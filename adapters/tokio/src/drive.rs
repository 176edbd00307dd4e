//! A connection, and a lifecycle, as futures of tokio's.
//!
//! The rule: a later deadline never touches the timer. It is left armed for the earlier one, and a step too
//! many is harmless; what has expired is decided by the clock.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bakestone::effect::Effect;
use bakestone::machine::{ConnectionInfo, Moment};
use bakestone::session::{Service, Stage};
use bakestone_std::{Clock, Connection, Driven, LOOK_AGAIN, Life, Place, Pool, Serving, Stop, Turn, Worker};
use tokio::time::{Instant, Sleep};

use crate::stream::Stream;

/// A timer that is moved only forward in need.
#[derive(Default)]
struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    /// What the timer is armed for.
    at: Option<Moment>,
}

impl Alarm {
    /// Whether it rings. It is armed for `until`, unless it is armed for something earlier.
    fn poll(&mut self, until: Option<Moment>, clock: Clock, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = until else { return Poll::Pending };
        if self.at.is_none_or(|at| at > until) {
            let Some(instant) = clock.instant(until) else { return Poll::Pending };
            let instant = Instant::from_std(instant);
            match &mut self.sleep {
                Some(sleep) => sleep.as_mut().reset(instant),
                None => self.sleep = Some(Box::pin(tokio::time::sleep_until(instant))),
            }
            self.at = Some(until);
        }
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        ready!(sleep.as_mut().poll(cx));
        self.at = None;
        Poll::Ready(())
    }
}

/// A connection as a task, which resolves at its end.
///
/// A type of its own, since an `async fn` would hold the connection twice: as its argument, and as its variable.
pub(crate) struct Drive<S: Service> {
    connection: Connection<Driven<S>, Stream>,
    alarm: Alarm,
    serving: Arc<Serving<S>>,
    /// It goes last, when the connection is closed.
    place: Place,
}

impl<S: Service> Drive<S> {
    pub(crate) fn new(serving: &Arc<Serving<S>>, place: Place, socket: Stream, info: ConnectionInfo) -> Self {
        let connection = serving.connection(socket, info);
        Self { connection, alarm: Alarm::default(), serving: serving.clone(), place }
    }
}

impl<S: Service> Future for Drive<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { connection, alarm, serving, place } = &mut *self;
        let clock = serving.clock;
        loop {
            let stop = place.poll(cx);
            if stop == Stop::Now {
                return Poll::Ready(());
            }
            let drain = stop == Stop::Drain;
            match connection.turn(|| clock.now(), drain, cx, |effect| perform(&serving.pool, effect)) {
                Turn::Over => return Poll::Ready(()),
                Turn::Again => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Turn::Wait { readable, writable, until } => {
                    let Some(socket) = connection.socket() else {
                        ready!(alarm.poll(until, clock, cx));
                        continue;
                    };
                    if (readable && socket.poll_read_ready(cx).is_ready())
                        | (writable && socket.poll_write_ready(cx).is_ready())
                    {
                        continue;
                    }
                    let watched = readable || writable;
                    let look_at = (!watched).then(|| clock.now().mono + LOOK_AGAIN);
                    ready!(alarm.poll(until.into_iter().chain(look_at).min(), clock, cx));
                    if !watched && socket.is_broken() {
                        connection.lose();
                    }
                }
            }
        }
    }
}

/// Drives a server's life to a stage.
pub(crate) async fn live(life: &mut Life, stage: Stage) {
    let mut alarm = Alarm::default();
    poll_fn(|cx| {
        while let Some(wants) = life.step(stage, cx, perform) {
            ready!(alarm.poll(wants.wake_at, life.clock, cx));
        }
        Poll::Ready(())
    })
    .await;
}

/// Files and blocking jobs go to tokio's pool.
fn perform(pool: &Arc<Pool>, effect: Effect) {
    pool.submit(effect, |worker| {
        let waiting = Arc::new(Mutex::new(Some(worker)));
        let take =
            |waiting: &Mutex<Option<Worker>>| waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let job = waiting.clone();
        let start = move || drop(tokio::task::spawn_blocking(move || take(&job).map(Worker::run)));
        // It panics where the operating system has no thread, and keeps the job. The worker is taken back from it
        // and dropped, and so its effect is unanswered.
        if catch_unwind(AssertUnwindSafe(start)).is_err() {
            drop(take(&waiting));
        }
    });
}
