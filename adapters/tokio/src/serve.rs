//! The listeners, the threads, and the end of them.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::thread;
use std::time::Duration;

use bakestone::app::Application;
use bakestone::session::{Service, Stage};
use bakestone_std::{
    BACK_OFF, BoxFuture, Handle, Listen, Listener, ServeError, Server, Serving, Start, Stop,
    is_of_one_connection, join, stop_at_signals,
};
use tokio::runtime::Runtime;

use crate::drive::{self, Drive};
use crate::stream::Accept;

/// Serves `app` until SIGINT or SIGTERM comes, with as many event loops as the [`Server`] says; then it drains.
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
    let runtime = event_loop()?;
    let served = runtime.block_on(serve_with(server, app, workers));
    // Whoever does not let go of its thread is not waited for.
    runtime.shutdown_background();
    served
}

/// Serves `app`, inside a running runtime, until the [handle](Server::handle) of the server says otherwise; then it
/// drains: no connection is accepted any more, idle ones are closed, busy ones come to their end within
/// `drain_time`.
///
/// A connection is a task of the runtime. If the future is dropped, nothing is accepted any more, and the
/// connections drain by themselves.
///
/// ```no_run
/// use bakestone_tokio::bakestone::{App, get};
/// use bakestone_tokio::{Server, serve};
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let server = Server::new().address("127.0.0.1:8000").bind()?;
///     let handle = server.handle();
///     tokio::spawn(async move {
///         // Whatever tells your program to stop.
///         let _ = tokio::signal::ctrl_c().await;
///         handle.shutdown();
///     });
///     let beside = tokio::spawn(async { /* the rest of your program */ });
///     serve(App::new().route("/", get(|| "Hello from beside the rest")), server).await?;
///     beside.await?;
///     Ok(())
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
    let accepting = spawn_workers(&start, workers)
        .and_then(|()| accepting(std::mem::take(&mut start.listeners), &start.serving));
    let (mut all, failure) = match start.begun(accepting) {
        Ok(all) => (all, Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    all.push(Box::pin(drive::live(&mut start.life, Stage::Over)));
    join(all).await;
    // Each connection ends by itself, and says how. Whoever does not let go of its thread is not waited for.
    let left = start.life.let_go_at().since(start.serving.clock.now().mono);
    let _ = tokio::time::timeout(left, poll_fn(|cx| handle.poll_empty(cx))).await;
    failure
}

/// An event loop for one thread.
fn event_loop() -> Result<Runtime, ServeError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::System)
}

/// The further event loops that are wanted.
fn spawn_workers<S>(start: &Start<S>, workers: usize) -> Result<(), ServeError>
where
    S: Service<Future: Send, Response: Send> + Send + Sync + 'static,
{
    for _ in 1..workers {
        let (listeners, serving) = (start.listeners_again()?, start.serving.clone());
        spawn_worker(move || accepting(listeners, &serving), start.serving.handle.clone())?;
    }
    Ok(())
}

/// A further event loop, on a thread of its own: it accepts until the server stops, and ends with its connections.
fn spawn_worker(
    accepting: impl FnOnce() -> Result<Vec<BoxFuture<'static>>, ServeError> + Send + 'static,
    handle: Handle,
) -> Result<(), ServeError> {
    let runtime = event_loop()?;
    let work = move || {
        runtime.block_on(async {
            // Without a place among tokio's sockets the other workers serve on.
            if let Ok(accepting) = accepting() {
                join(accepting).await;
            }
            poll_fn(|cx| handle.poll_empty(cx)).await;
        });
    };
    let thread = thread::Builder::new().name("bakestone-worker".into()).spawn(work);
    thread.map(drop).map_err(ServeError::System)
}

/// A future for each listener, which accepts from it until the server stops.
fn accepting<S>(
    listeners: Vec<Listener>,
    serving: &Arc<Serving<S>>,
) -> Result<Vec<BoxFuture<'static>>, ServeError>
where
    S: Service<Future: Send, Response: Send> + Send + Sync + 'static,
{
    let each = |listener| -> io::Result<BoxFuture<'static>> {
        Ok(Box::pin(accept(Accept::new(listener)?, serving.clone())))
    };
    listeners.into_iter().map(each).collect::<io::Result<_>>().map_err(ServeError::System)
}

/// Makes a task of each connection, until the server stops.
async fn accept<S>(listener: Accept, serving: Arc<Serving<S>>)
where
    S: Service<Future: Send, Response: Send> + Send + Sync + 'static,
{
    let mut watch = serving.handle.watch();
    loop {
        let next = poll_fn(|cx| match ready!(watch.poll_room(cx)) {
            true => listener.poll(cx).map(Some),
            false => Poll::Ready(None),
        });
        match next.await {
            Some(Ok((stream, info))) => {
                // Another worker may have taken the last place: this one's connection then waits.
                let Some(place) = poll_fn(|cx| watch.poll_place(cx)).await else { return };
                tokio::spawn(Drive::new(&serving, place, stream, info));
            }
            Some(Err(error)) if is_of_one_connection(&error) => {}
            Some(Err(_)) => tokio::time::sleep(BACK_OFF).await,
            None => break,
        }
    }
    if serving.handle.stopping() == Stop::Drain {
        // Whom the operating system has let in before the end, and whose request may be there, is answered.
        while let Some((place, (stream, info))) = serving.handle.try_place().zip(listener.look()) {
            tokio::spawn(Drive::new(&serving, place, stream, info));
        }
    }
}
