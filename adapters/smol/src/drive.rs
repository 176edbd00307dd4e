//! A connection, and a lifecycle, as futures of smol's.
//!
//! The rule: a later deadline never touches the timer. It is left armed for the earlier one, and a step too
//! many is harmless; what has expired is decided by the clock.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_io::{Async, Timer};
use bakestone::effect::Effect;
use bakestone::machine::{ConnectionInfo, Moment};
use bakestone::session::{Service, Stage};
use bakestone_std::{
    Clock, Connection, Driven, LOOK_AGAIN, Life, Place, Pool, Serving, Socket, Stop, Stream, Turn,
};
use bytes::BytesMut;

/// A socket in smol's reactor.
pub(crate) struct Watched(Async<Stream>);

impl Watched {
    pub(crate) fn new(stream: Stream) -> io::Result<Self> {
        Async::new_nonblocking(stream).map(Self)
    }
}

impl Socket for Watched {
    fn read(&mut self, into: &mut BytesMut, most: usize) -> io::Result<usize> {
        self.0.get_ref().receive(into, most)
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.get_ref().send(slices)
    }

    fn finish(&mut self) {
        self.0.get_ref().shut_down();
    }

    fn reset(&mut self) {
        self.0.get_ref().reset_on_close();
    }
}

/// A timer that is moved only forward in need.
#[derive(Default)]
struct Alarm {
    timer: Option<Timer>,
    /// What the timer is armed for.
    at: Option<Moment>,
}

impl Alarm {
    /// Whether it rings. It is armed for `until`, unless it is armed for something earlier.
    fn poll(&mut self, until: Option<Moment>, clock: Clock, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = until else { return Poll::Pending };
        if self.at.is_none_or(|at| at > until) {
            let Some(instant) = clock.instant(until) else { return Poll::Pending };
            match &mut self.timer {
                Some(timer) => timer.set_at(instant),
                None => self.timer = Some(Timer::at(instant)),
            }
            self.at = Some(until);
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        ready!(Pin::new(timer).poll(cx));
        self.at = None;
        Poll::Ready(())
    }
}

/// A connection as a task, which resolves at its end.
///
/// A type of its own, since an `async fn` would hold the connection twice: as its argument, and as its variable.
pub(crate) struct Drive<S: Service> {
    connection: Connection<Driven<S>, Watched>,
    alarm: Alarm,
    serving: Arc<Serving<S>>,
    /// It goes last, when the connection is closed.
    place: Place,
}

impl<S: Service> Drive<S> {
    pub(crate) fn new(
        serving: &Arc<Serving<S>>,
        place: Place,
        socket: Watched,
        info: ConnectionInfo,
    ) -> Self {
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
                    let Some(Watched(socket)) = connection.socket() else {
                        ready!(alarm.poll(until, clock, cx));
                        continue;
                    };
                    if (readable && socket.poll_readable(cx).is_ready())
                        | (writable && socket.poll_writable(cx).is_ready())
                    {
                        continue;
                    }
                    let watched = readable || writable;
                    let look_at = (!watched).then(|| clock.now().mono + LOOK_AGAIN);
                    ready!(alarm.poll(until.into_iter().chain(look_at).min(), clock, cx));
                    if !watched && socket.get_ref().is_broken() {
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

/// Files and blocking jobs go to smol's pool.
fn perform(pool: &Arc<Pool>, effect: Effect) {
    pool.submit(effect, |worker| blocking::unblock(move || worker.run()).detach());
}
