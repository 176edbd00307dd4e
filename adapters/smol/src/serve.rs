//! The listeners, the threads, and the end of them.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::thread;
use std::time::Duration;

use async_executor::Executor;
use async_io::{Async, Timer, block_on};
use bakestone::app::Application;
use bakestone::session::{Service, Stage};
use bakestone_std::{
    BACK_OFF, BoxFuture, Handle, Listen, Listener, ServeError, Server, Serving, Stop, is_of_one_connection,
    join, stop_at_signals,
};

use crate::drive::{self, Drive, Watched};

/// Serves `app` until SIGINT or SIGTERM comes, with as many threads as the [`Server`] says; then it drains.
///
/// # Errors
///
/// [`ServeError`]: the application is not sound, a start-up hook failed, or the address is taken.
pub fn run<M, A>(app: A, at: impl Listen) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
    <A::Service as Service>::Future: Send,
    <A::Service as Service>::Response: Send,
{
    let server = at.into_server();
    let _signals = stop_at_signals(&server.handle())?;
    let workers = server.worker_count();
    block_on(serve_with(server, app, workers))
}

/// Serves `app`, on whatever polls the future, until the [handle](Server::handle) of the server says otherwise; then
/// it drains: no connection is accepted any more, idle ones are closed, busy ones come to their end within
/// `drain_time`.
///
/// The connections are tasks of an executor of the server's own, which runs inside the future. If that is dropped,
/// so are they.
///
/// ```no_run
/// use bakestone_smol::bakestone::{App, get};
/// use bakestone_smol::{Server, serve};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     smol::block_on(async {
///         let server = Server::new().address("127.0.0.1:8000").bind()?;
///         let handle = server.handle();
///         let beside = smol::spawn(async move {
///             // The rest of your program, and whatever tells it to stop.
///             smol::Timer::after(std::time::Duration::from_secs(3600)).await;
///             handle.shutdown();
///         });
///         serve(App::new().route("/", get(|| "Hello from beside the rest")), server).await?;
///         beside.await;
///         Ok(())
///     })
/// }
/// ```
///
/// # Errors
///
/// [`ServeError`], as [`run`].
pub async fn serve<M, A>(app: A, at: impl Listen) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
    <A::Service as Service>::Future: Send,
    <A::Service as Service>::Response: Send,
{
    serve_with(at.into_server(), app, 1).await
}

async fn serve_with<M, A>(server: Server, app: A, workers: usize) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
    <A::Service as Service>::Future: Send,
    <A::Service as Service>::Response: Send,
{
    let mut start = server.start(app, Duration::ZERO)?;
    let handle = start.serving.handle.clone();
    let _guard = handle.shutdown_on_drop();

    drive::live(&mut start.life, Stage::Running).await;
    if let Err(error) = start.life.started() {
        drive::live(&mut start.life, Stage::Over).await;
        return Err(error);
    }
    let executor = Arc::new(Executor::new());
    let workers = (1..workers).try_for_each(|_| spawn_worker(executor.clone(), handle.clone()));
    let (listeners, serving) = (std::mem::take(&mut start.listeners), start.serving.clone());
    let accepting = workers.and_then(|()| accepting(listeners, &serving, &executor));
    let (mut all, failure) = match start.begun(accepting) {
        Ok(all) => (all, Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    all.push(Box::pin(drive::live(&mut start.life, Stage::Over)));
    executor.run(join(all)).await;
    // Each connection ends by itself, and says how. Whoever does not let go of its thread is not waited for.
    let mut empty = poll_fn(|cx| handle.poll_empty(cx));
    let mut late = Timer::after(start.life.let_go_at().since(serving.clock.now().mono));
    let either = poll_fn(|cx| match Pin::new(&mut empty).poll(cx) {
        Poll::Pending => Pin::new(&mut late).poll(cx).map(drop),
        ready => ready,
    });
    executor.run(either).await;
    failure
}

/// A further thread for the executor, until the server has stopped and its connections are over.
fn spawn_worker(executor: Arc<Executor<'static>>, handle: Handle) -> Result<(), ServeError> {
    let work = move || {
        let mut watch = handle.watch();
        let over = poll_fn(|cx| match watch.poll(cx) {
            Stop::No => Poll::Pending,
            _ => handle.poll_empty(cx),
        });
        block_on(executor.run(over));
    };
    let thread = thread::Builder::new().name("bakestone-worker".into()).spawn(work);
    thread.map(drop).map_err(ServeError::System)
}

/// A future for each listener, which accepts from it until the server stops.
fn accepting<'a, S>(
    listeners: Vec<Listener>,
    serving: &'a Arc<Serving<S>>,
    executor: &'a Executor<'static>,
) -> Result<Vec<BoxFuture<'a>>, ServeError>
where
    S: Service<Future: Send, Response: Send> + Send + Sync + 'static,
{
    let each = |listener| -> io::Result<BoxFuture<'a>> {
        Ok(Box::pin(accept(Async::new_nonblocking(listener)?, serving, executor)))
    };
    listeners.into_iter().map(each).collect::<io::Result<_>>().map_err(ServeError::System)
}

/// Makes a task of each connection, until the server stops.
async fn accept<S>(listener: Async<Listener>, serving: &Arc<Serving<S>>, executor: &Executor<'static>)
where
    S: Service<Future: Send, Response: Send> + Send + Sync + 'static,
{
    let mut watch = serving.handle.watch();
    loop {
        let next = poll_fn(|cx| {
            if !ready!(watch.poll_room(cx)) {
                return Poll::Ready(None);
            }
            loop {
                match listener.get_ref().accept() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    accepted => return Poll::Ready(Some(accepted)),
                }
                if let Err(error) = ready!(listener.poll_readable(cx)) {
                    return Poll::Ready(Some(Err(error)));
                }
            }
        });
        let Some(accepted) = next.await else { break };
        match accepted.and_then(|(stream, info)| Ok((Watched::new(stream)?, info))) {
            Ok((socket, info)) => {
                // Another listener may have taken the last place: this one's connection then waits.
                let Some(place) = poll_fn(|cx| watch.poll_place(cx)).await else { return };
                executor.spawn(Drive::new(serving, place, socket, info)).detach();
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(_) => drop(Timer::after(BACK_OFF).await),
        }
    }
    if serving.handle.stopping() == Stop::Drain {
        // Whom the operating system has let in before the end, and whose request may be there, is answered.
        while let Some((place, (stream, info))) =
            serving.handle.try_place().zip(listener.get_ref().accept().ok())
        {
            let Ok(socket) = Watched::new(stream) else { continue };
            executor.spawn(Drive::new(serving, place, socket, info)).detach();
        }
    }
}
