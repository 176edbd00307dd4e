//! The listener, and the end of it.

use std::fmt;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use async_executor::Executor;
use async_io::{Async, Timer};
use async_signal::{Signal, Signals};
use bakestone::app::Application;
use bakestone::machine::{ConnectionInfo, Io};
use bakestone::session::{Service, Stage};
use bakestone::{Limits, Session};
use bakestone_std::{Clock, Connection, ServeError, is_of_one_connection};
use event_listener::Event;
use futures_lite::{StreamExt, future};

use crate::drive::{self, Stream};

/// Serves `app` on `address`, on this thread, until SIGINT or SIGTERM comes; then it drains.
///
/// # Errors
///
/// [`ServeError`]: the application is not sound, a start-up hook failed, or the address is taken.
pub fn run<M, A>(app: A, address: impl ToSocketAddrs + fmt::Debug) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
    <A::Service as Service>::Future: Send,
    <A::Service as Service>::Response: Send,
{
    let listener = TcpListener::bind(&address)
        .and_then(Async::new)
        .map_err(|source| ServeError::Listen { address: format!("{address:?}"), source })?;
    async_io::block_on(serve(listener, app, stopped()))
}

/// Serves `app` on a listener, inside a running executor, until `stop` resolves; then it drains: no connection
/// is accepted any more, idle ones are closed, busy ones come to their end within `drain_time`.
///
/// # Errors
///
/// [`ServeError`], as [`run`].
pub async fn serve<M, A>(
    listener: Async<TcpListener>,
    app: A,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
    <A::Service as Service>::Future: Send,
    <A::Service as Service>::Response: Send,
{
    let (service, mut lifecycle) = app.start().map_err(ServeError::Build)?;
    let clock = Clock::start();
    let limits = Arc::new(Limits::default());
    let spawner = lifecycle.spawner();
    let service = Arc::new(service);

    let mut io = Io::default();
    drive::lifecycle(&mut lifecycle, &mut io, clock, |stage| stage != Stage::Starting).await;
    if let Some(failure) = lifecycle.take_failure() {
        drive::lifecycle(&mut lifecycle, &mut io, clock, |stage| stage == Stage::Over).await;
        return Err(ServeError::Startup(failure));
    }

    let executor = Executor::new();
    let drain = Event::new();
    let accept = async {
        loop {
            let Some((socket, peer)) = accept(&listener).await else { continue };
            let session = Session::with_limits(service.clone(), limits.clone()).lifecycle(&spawner);
            let local = socket.get_ref().local_addr().ok().map(Into::into);
            let info = ConnectionInfo::new(Some(peer.into()), local);
            let connection = Connection::new(session, Stream(socket), info, limits.read_ahead);
            executor.spawn(drive::connection(connection, clock, drain.listen())).detach();
        }
    };
    let background = drive::lifecycle(&mut lifecycle, &mut io, clock, |stage| stage == Stage::Over);
    executor.run(future::or(stop, future::or(accept, background))).await;

    drop(listener);
    drain.notify(usize::MAX);
    io.drain = true;
    // The lifecycle ends once every connection has, or the drain's time is up; then the connections end as well,
    // and it is theirs to say how.
    executor.run(drive::lifecycle(&mut lifecycle, &mut io, clock, |stage| stage == Stage::Over)).await;
    while !executor.is_empty() {
        executor.tick().await;
    }
    Ok(())
}

/// Resolves when the process is asked to stop.
async fn stopped() {
    match Signals::new([Signal::Int, Signal::Term]) {
        Ok(mut signals) => drop(signals.next().await),
        // A process that cannot be told to stop serves until it is killed.
        Err(_) => future::pending().await,
    }
}

/// The next connection; `None` if there was an error, after which accepting goes on.
async fn accept(listener: &Async<TcpListener>) -> Option<(Async<TcpStream>, SocketAddr)> {
    match listener.accept().await {
        Ok((socket, peer)) => {
            // An answer that waits for an acknowledgement of the last one is a slow answer.
            let _ = socket.get_ref().set_nodelay(true);
            Some((socket, peer))
        }
        Err(error) => {
            if !is_of_one_connection(&error) {
                Timer::after(Duration::from_millis(50)).await;
            }
            None
        }
    }
}
