//! A connection, and a lifecycle, as futures of tokio's.
//!
//! The rule: a later deadline never touches the timer. It is left armed for the earlier one, and a step too
//! many is harmless; what has expired is decided by the clock.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bakestone::Lifecycle;
use bakestone::effect::Effect;
use bakestone::machine::{Io, Machine, Moment};
use bakestone::session::Stage;
use bakestone_std::{Clock, Connection, Socket, Turn, files};
use bytes::BytesMut;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

/// Tokio's socket, without waiting.
pub(crate) struct Stream(pub(crate) Arc<TcpStream>);

impl Socket for Stream {
    fn read(&mut self, into: &mut BytesMut) -> io::Result<usize> {
        self.0.try_read_buf(into)
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn finish(&mut self) {
        // If the peer is gone already, the next read says so.
        let _ = socket2::SockRef::from(&*self.0).shutdown(std::net::Shutdown::Write);
    }

    fn reset(&mut self) {
        // Without it the close is an orderly one, which is the most that can still be done.
        let _ = self.0.set_zero_linger();
    }
}

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

/// Resolves when the socket reports an error that nobody reads or writes to find: the peer has reset it.
type Break = Pin<Box<dyn Future<Output = ()> + Send>>;

fn broken(socket: Arc<TcpStream>) -> Break {
    Box::pin(async move {
        // An error of asking is one of the socket's, too.
        let _ = socket.ready(Interest::ERROR).await;
    })
}

/// Runs a connection to its end.
pub(crate) async fn connection<M: Machine>(
    mut connection: Connection<M, Stream>,
    clock: Clock,
    mut drain: watch::Receiver<bool>,
) {
    let mut alarm = Alarm::default();
    let mut stop = Box::pin(async move { drain.wait_for(|stop| *stop).await.is_ok() });
    let mut stopping = false;
    let mut watched: Option<Break> = None;
    poll_fn(|cx| {
        loop {
            if !stopping && stop.as_mut().poll(cx).is_ready() {
                stopping = true;
            }
            match connection.turn(|| clock.now(), stopping, cx, perform) {
                Turn::Over => return Poll::Ready(()),
                Turn::Again => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Turn::Wait { readable, writable, until } => {
                    let idle = !readable && !writable;
                    let socket = connection.socket().filter(|_| idle).map(|socket| socket.0.clone());
                    watched = socket.map(|socket| watched.take().unwrap_or_else(|| broken(socket)));
                    if watched.as_mut().is_some_and(|broken| broken.as_mut().poll(cx).is_ready()) {
                        connection.lose();
                        continue;
                    }
                    let news = connection.socket().is_some_and(|socket| {
                        (readable && socket.0.poll_read_ready(cx).is_ready())
                            | (writable && socket.0.poll_write_ready(cx).is_ready())
                    });
                    if !news && alarm.poll(until, clock, cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    })
    .await;
}

/// Runs a lifecycle until `leave` says that its stage is one to leave at.
pub(crate) async fn lifecycle(
    lifecycle: &mut Lifecycle,
    io: &mut Io,
    clock: Clock,
    leave: impl Fn(Stage) -> bool,
) {
    let mut alarm = Alarm::default();
    poll_fn(|cx| {
        loop {
            let wants = lifecycle.step(clock.now(), io, cx);
            io.effects.drain(..).for_each(perform);
            if leave(lifecycle.stage()) {
                return Poll::Ready(());
            }
            ready!(alarm.poll(wants.wake_at, clock, cx));
        }
    })
    .await;
}

/// Files and blocking jobs go to tokio's pool.
fn perform(effect: Effect) {
    drop(tokio::task::spawn_blocking(move || files::perform(effect)));
}
