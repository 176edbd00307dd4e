//! A connection, and a lifecycle, as futures of smol's.
//!
//! The rule: a later deadline never touches the timer. It is left armed for the earlier one, and a step too
//! many is harmless; what has expired is decided by the clock.

use std::future::poll_fn;
use std::io::{self, IoSlice, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::{Async, Timer};
use bakestone::Lifecycle;
use bakestone::effect::Effect;
use bakestone::machine::{Io, Machine, Moment};
use bakestone::session::Stage;
use bakestone_std::{Clock, Connection, Socket, Turn, files, read_from};
use bytes::BytesMut;
use event_listener::EventListener;

/// Smol's socket, without waiting.
pub(crate) struct Stream(pub(crate) Async<TcpStream>);

impl Socket for Stream {
    fn read(&mut self, into: &mut BytesMut) -> io::Result<usize> {
        read_from(&mut self.0.get_ref(), into)
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.get_ref().write_vectored(slices)
    }

    fn finish(&mut self) {
        // If the peer is gone already, the next read says so.
        let _ = self.0.get_ref().shutdown(std::net::Shutdown::Write);
    }

    fn reset(&mut self) {
        // Without it the close is an orderly one, which is the most that can still be done.
        let _ = socket2::SockRef::from(self.0.get_ref()).set_linger(Some(Duration::ZERO));
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

/// Runs a connection to its end.
pub(crate) async fn connection<M: Machine>(
    mut connection: Connection<M, Stream>,
    clock: Clock,
    mut drain: EventListener,
) {
    let mut alarm = Alarm::default();
    let mut stopping = false;
    poll_fn(|cx| {
        loop {
            if !stopping && Pin::new(&mut drain).poll(cx).is_ready() {
                stopping = true;
            }
            match connection.turn(|| clock.now(), stopping, cx, perform) {
                Turn::Over => return Poll::Ready(()),
                Turn::Again => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Turn::Wait { readable, writable, until } => {
                    let news = connection.socket().is_some_and(|socket| {
                        (readable && socket.0.poll_readable(cx).is_ready())
                            | (writable && socket.0.poll_writable(cx).is_ready())
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

/// Files and blocking jobs go to smol's pool.
fn perform(effect: Effect) {
    blocking::unblock(move || files::perform(effect)).detach();
}
