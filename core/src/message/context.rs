//! The context: everything that portable code may ask of the outside.
//!
//! The rule: it is an explicit handle, never ambient, and it means the same under every driver. Each of its
//! futures may be dropped at any point.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::effect::{self, BlockingError, FileError, FileOp, Metadata, OpenMode};
use crate::error::{Disconnected, Result};
use crate::machine::{ConnectionInfo, Moment, Now};
use crate::message::{Asked, File, file};
use crate::session::exchange::Exchange;
use crate::session::lifecycle::{Spawner, Task};
use crate::session::scope::{Asking, Scope};

/// What happens to a handler when its client is gone.
///
/// A client that has only finished sending (FIN) is not gone: it may still read the answer, and nothing
/// happens. One that is gone reads nothing any more. Unless told otherwise a session cancels the handlers of
/// safe methods (RFC 9110, section 9.2.1) and lets the others finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDisconnect {
    /// The handler runs to its end; only reading and writing tell it.
    Finish,
    /// The handler is dropped, at the await where it stands.
    Cancel,
    /// The handler runs on, and [`Context::disconnected`] resolves.
    Notify,
}

/// The handle by which a handler, or a task, asks for time, files, blocking work and background work.
///
/// It is that of a connection, or of the server's lifecycle. Where a part of a request is kept beyond its connection, such
/// as an uploaded file in a background task, the lifecycle answers for files and blocking work.
///
/// ```
/// use bakestone::{Context, Text};
/// use std::time::Duration;
///
/// async fn slow(context: Context) -> Text<&'static str> {
///     context.sleep(Duration::from_secs(3600)).await;   // a test's clock gets there at once
///     Text("done")
/// }
/// ```
#[derive(Clone)]
pub struct Context {
    scope: Arc<Scope>,
    exchange: Option<Arc<Exchange>>,
    connection: Arc<ConnectionInfo>,
    spawner: Option<Spawner>,
}

impl Context {
    pub(crate) fn new(
        exchange: Arc<Exchange>,
        connection: Arc<ConnectionInfo>,
        spawner: Option<Spawner>,
    ) -> Self {
        Self { scope: exchange.scope.clone(), exchange: Some(exchange), connection, spawner }
    }

    pub(crate) fn of_lifecycle(scope: Arc<Scope>, spawner: Spawner) -> Self {
        Self { scope, exchange: None, connection: Arc::default(), spawner: Some(spawner) }
    }

    pub(crate) fn exchange(&self) -> Option<&Arc<Exchange>> {
        self.exchange.as_ref()
    }

    /// A context that no driver stands behind: sleeps are over at once, effects are unsupported, and the
    /// client is gone. It is for requests that are made by hand.
    pub fn detached() -> Self {
        Self::of_detached(None)
    }

    pub(crate) fn of_detached(asked: Option<Asked>) -> Self {
        Self::new(Exchange::detached(asked), Arc::default(), None)
    }

    pub(crate) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// Whom to ask for an effect.
    pub(crate) fn asking(&self) -> Asking {
        Asking::new(self.scope.clone(), self.spawner.as_ref().map(Spawner::scope))
    }

    pub(crate) fn spawner(&self) -> Option<&Spawner> {
        self.spawner.as_ref()
    }

    /// The driver's clocks, as of the step that runs now.
    pub fn now(&self) -> Now {
        self.scope.now()
    }

    /// Waits for `time`, on the clock of the driver. Once the connection is over it resolves at once.
    pub fn sleep(&self, time: Duration) -> Sleep {
        self.sleep_until(self.now().mono + time)
    }

    /// Waits until `at`. Once the connection is over it resolves at once.
    pub fn sleep_until(&self, at: Moment) -> Sleep {
        Sleep { scope: self.scope.clone(), at, id: None }
    }

    /// Runs `future`, for at most `time`.
    ///
    /// # Errors
    ///
    /// [`Elapsed`] if it has not ended by then; it is dropped with the `Timeout`.
    pub fn timeout<F: Future>(&self, time: Duration, future: F) -> Timeout<F> {
        Timeout { future: Box::pin(future), sleep: self.sleep(time) }
    }

    /// Runs `work` where blocking harms nobody: the driver's pool, whose size it caps.
    ///
    /// The work runs to its end even if the future is dropped; its value is dropped then.
    ///
    /// # Errors
    ///
    /// [`BlockingError`] if the driver runs no such work, or the work panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BlockingError> {
        let (effect, answer) = effect::blocking(work);
        self.asking().ask(effect);
        answer.await.unwrap_or(Err(BlockingError::Unanswered))
    }

    /// Opens a file. Paths mean what they mean to the driver.
    ///
    /// # Errors
    ///
    /// [`FileError`], with its kind.
    pub async fn open(&self, path: impl Into<PathBuf>, mode: OpenMode) -> Result<File, FileError> {
        File::open(self.asking(), path.into(), mode).await
    }

    /// Opens a new file without a name, for reading and writing, in `folder`, or in the driver's folder for such
    /// files. It is gone when it is dropped, and with the process, however that ends, unless it has
    /// [got a name](File::persist) by then.
    ///
    /// The folder of its later name saves that a copy.
    ///
    /// # Errors
    ///
    /// [`FileError`], with its kind.
    ///
    /// ```
    /// use bakestone::{Request, Result, StatusCode};
    ///
    /// async fn save(mut request: Request) -> Result<StatusCode> {
    ///     let mut file = request.context().open_temporary(Some("uploads".into())).await?;
    ///     while let Some(data) = request.chunk().await? {
    ///         file.write(data).await?;   // a client that is gone leaves nothing, and a full disk is a 507
    ///     }
    ///     file.persist("uploads/report.pdf").await?;
    ///     Ok(StatusCode::CREATED)
    /// }
    /// ```
    pub async fn open_temporary(&self, folder: Option<PathBuf>) -> Result<File, FileError> {
        File::open_temporary(self.asking(), folder).await
    }

    /// What is known of a path, symbolic links followed.
    ///
    /// # Errors
    ///
    /// [`FileError`], with its kind.
    pub async fn metadata(&self, path: impl Into<PathBuf>) -> Result<Metadata, FileError> {
        file::metadata(&self.asking(), path.into()).await
    }

    /// Renames a file within its file system. What has the name `to` is replaced.
    ///
    /// It may be done even if the future is dropped.
    ///
    /// # Errors
    ///
    /// [`FileError`], with its kind.
    pub async fn rename(&self, from: impl Into<PathBuf>, to: impl Into<PathBuf>) -> Result<(), FileError> {
        file::change(&self.asking(), FileOp::Rename(from.into(), to.into())).await
    }

    /// Removes a file.
    ///
    /// It may be done even if the future is dropped.
    ///
    /// # Errors
    ///
    /// [`FileError`], with its kind.
    pub async fn remove(&self, path: impl Into<PathBuf>) -> Result<(), FileError> {
        file::change(&self.asking(), FileOp::Remove(path.into())).await
    }

    /// Removes a file, sooner or later, for who can no longer wait for it.
    pub(super) fn remove_unheard(&self, path: PathBuf) {
        drop(file::ask(&self.asking(), FileOp::Remove(path)));
    }

    /// The connection that the request came on; of a background task, an empty one.
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// Whether the server is stopping.
    pub fn is_draining(&self) -> bool {
        self.scope.is_draining()
    }

    /// Waits until the server is stopping: an endless response ends itself then.
    pub fn draining(&self) -> Draining {
        Draining { scope: self.scope.clone(), id: None }
    }

    /// Why the client can no longer be reached, if it cannot.
    pub fn lost(&self) -> Option<Disconnected> {
        self.exchange.as_ref().and_then(|exchange| exchange.lost())
    }

    /// Waits until the client is gone, or the exchange is over. For a background task it never resolves; nor
    /// does it tell of a client that is gone under [`OnDisconnect::Finish`].
    pub fn disconnected(&self) -> Disconnect {
        Disconnect { exchange: self.exchange.clone(), id: None }
    }

    /// Sets what happens to this request's handler when the client is gone.
    pub fn on_disconnect(&self, policy: OnDisconnect) {
        if let Some(exchange) = &self.exchange {
            exchange.set_on_disconnect(policy);
        }
    }

    /// Starts a task that outlives the connection. It runs on the server's lifecycle, with a context of its
    /// own, and is awaited when the server drains.
    ///
    /// # Errors
    ///
    /// [`SpawnError`] if the server runs no lifecycle, is over, or has its full number of tasks.
    pub fn spawn<F, R>(&self, task: impl FnOnce(Context) -> F + Send + 'static) -> Result<(), SpawnError>
    where
        F: Future<Output = R> + Send + 'static,
        R: crate::session::TaskResult,
    {
        let spawner = self.spawner.as_ref().ok_or(SpawnError::NoLifecycle)?;
        spawner.start(spawner.prepare(task)?)
    }

    /// Starts a task like [`spawn`](Self::spawn), once the response has been flushed or the client is gone.
    /// It runs also when the handler fails afterwards.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn): its place among the tasks is taken now.
    pub fn after_response<F, R>(
        &self,
        task: impl FnOnce(Context) -> F + Send + 'static,
    ) -> Result<(), SpawnError>
    where
        F: Future<Output = R> + Send + 'static,
        R: crate::session::TaskResult,
    {
        let spawner = self.spawner.as_ref().ok_or(SpawnError::NoLifecycle)?;
        let task: Task = spawner.prepare(task)?;
        match &self.exchange {
            Some(exchange) => exchange.add_after(task).or_else(|task| spawner.start(task)),
            None => spawner.start(task),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// A task could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpawnError {
    /// The server runs no lifecycle.
    NoLifecycle,
    /// The server has as many tasks as `Limits::tasks` allows; the number.
    Full(usize),
    /// The server's lifecycle has ended.
    Over,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLifecycle => f.write_str("the server runs no lifecycle, so it has no background tasks"),
            Self::Full(limit) => write!(f, "all {limit} background tasks of the server are taken"),
            Self::Over => f.write_str("the server has stopped"),
        }
    }
}

impl std::error::Error for SpawnError {}

/// The future of [`Context::sleep`].
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    pub(super) scope: Arc<Scope>,
    pub(super) at: Moment,
    pub(super) id: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.scope.poll_timer(this.at, &mut this.id, cx)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.scope.forget_timer(self.at, self.id);
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("at", &self.at).finish_non_exhaustive()
    }
}

/// The future of [`Context::timeout`].
#[must_use = "a timeout does nothing unless it is awaited"]
pub struct Timeout<F> {
    future: Pin<Box<F>>,
    sleep: Sleep,
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("at", &self.sleep.at).finish_non_exhaustive()
    }
}

/// The time of a [`Context::timeout`] is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time is up")
    }
}

impl std::error::Error for Elapsed {}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(value) = self.future.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        Pin::new(&mut self.sleep).poll(cx).map(|()| Err(Elapsed))
    }
}

/// The future of [`Context::draining`].
#[must_use = "it does nothing unless it is awaited"]
pub struct Draining {
    pub(super) scope: Arc<Scope>,
    pub(super) id: Option<u64>,
}

impl Future for Draining {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.scope.poll_drain(&mut this.id, cx)
    }
}

impl Drop for Draining {
    fn drop(&mut self) {
        self.scope.forget_drain(self.id);
    }
}

impl fmt::Debug for Draining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draining").finish_non_exhaustive()
    }
}

/// The future of [`Context::disconnected`].
#[must_use = "it does nothing unless it is awaited"]
pub struct Disconnect {
    exchange: Option<Arc<Exchange>>,
    id: Option<u64>,
}

impl Future for Disconnect {
    type Output = Disconnected;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Disconnected> {
        let this = &mut *self;
        match &this.exchange {
            Some(exchange) => exchange.poll_lost(&mut this.id, cx),
            None => Poll::Pending,
        }
    }
}

impl Drop for Disconnect {
    fn drop(&mut self) {
        if let Some(exchange) = &self.exchange {
            exchange.forget_lost(self.id);
        }
    }
}

impl fmt::Debug for Disconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disconnect").finish_non_exhaustive()
    }
}
