//! The listener, and the end of it.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bakestone::app::Application;
use bakestone::machine::{ConnectionInfo, Io};
use bakestone::session::{Service, Stage};
use bakestone::{Limits, Session};
use bakestone_std::{Clock, Connection, ServeError, is_of_one_connection};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;

use crate::drive::{self, Stream};

/// Serves `app` on `address` until SIGINT or SIGTERM comes, on an event loop of its own; then it drains.
///
/// # Errors
///
/// [`ServeError`]: the application is not sound, a start-up hook failed, or the address is taken.
pub fn run<M, A>(app: A, address: impl ToSocketAddrs + std::fmt::Debug) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
    <A::Service as Service>::Future: Send,
    <A::Service as Service>::Response: Send,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(ServeError::System)?.block_on(async {
        let listener = TcpListener::bind(&address)
            .await
            .map_err(|source| ServeError::Listen { address: format!("{address:?}"), source })?;
        serve(listener, app, stopped()).await
    })
}

/// Serves `app` on a listener, inside a running runtime, until `stop` resolves; then it drains: no connection
/// is accepted any more, idle ones are closed, busy ones come to their end within `drain_time`.
///
/// # Errors
///
/// [`ServeError`], as [`run`].
pub async fn serve<M, A>(
    listener: TcpListener,
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
    let (drain, draining) = watch::channel(false);

    let mut io = Io::default();
    drive::lifecycle(&mut lifecycle, &mut io, clock, |stage| stage != Stage::Starting).await;
    if let Some(failure) = lifecycle.take_failure() {
        drive::lifecycle(&mut lifecycle, &mut io, clock, |stage| stage == Stage::Over).await;
        return Err(ServeError::Startup(failure));
    }

    let accept = async {
        loop {
            let Some((socket, peer)) = accept(&listener).await else { continue };
            let session = Session::with_limits(service.clone(), limits.clone()).lifecycle(&spawner);
            let info = ConnectionInfo::new(Some(peer.into()), socket.local_addr().ok().map(Into::into));
            let connection = Connection::new(session, Stream(Arc::new(socket)), info, limits.read_ahead);
            tokio::spawn(drive::connection(connection, clock, draining.clone()));
        }
    };
    let background = drive::lifecycle(&mut lifecycle, &mut io, clock, |stage| stage == Stage::Over);
    first_of(stop, accept, background).await;

    drop(listener);
    // With nobody left to tell, nobody needs it.
    let _ = drain.send(true);
    io.drain = true;
    // The lifecycle ends once every connection has, or the drain's time is up; then the connections end as well,
    // and it is theirs to say how.
    drive::lifecycle(&mut lifecycle, &mut io, clock, |stage| stage == Stage::Over).await;
    drop(draining);
    drain.closed().await;
    Ok(())
}

/// Waits for the first of three futures.
async fn first_of(a: impl Future<Output = ()>, b: impl Future<Output = ()>, c: impl Future<Output = ()>) {
    let (mut a, mut b, mut c) = (pin!(a), pin!(b), pin!(c));
    poll_fn(|cx| {
        let over =
            a.as_mut().poll(cx).is_ready() | b.as_mut().poll(cx).is_ready() | c.as_mut().poll(cx).is_ready();
        if over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// The next connection; `None` if there was an error, after which accepting goes on.
async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok((socket, peer)) => {
            // An answer that waits for an acknowledgement of the last one is a slow answer.
            let _ = socket.set_nodelay(true);
            Some((socket, peer))
        }
        Err(error) => {
            if !is_of_one_connection(&error) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            None
        }
    }
}

/// Resolves when the process is asked to stop.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            poll_fn(|cx| {
                let asked = interrupt.poll_recv(cx).is_ready() | terminate.poll_recv(cx).is_ready();
                if asked { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        // A process that cannot be told to stop serves until it is killed.
        _ => std::future::pending().await,
    }
}
