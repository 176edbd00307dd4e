//! Work that only the driver can do, as data.
//!
//! The rule: core asks, the driver (or a test) answers through the [`Reply`], once. An effect that is dropped
//! unanswered resolves to [`Unanswered`], never to a hang; an answer that nobody waits for any more is
//! dropped, and with it whatever it opened.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;

/// The most bytes that one [`FileOp::Read`] asks for or one [`FileOp::Write`] carries.
pub const FILE_CHUNK: usize = 64 << 10;

/// A piece of work for the driver.
#[derive(Debug)]
#[non_exhaustive]
pub enum Effect {
    /// An operation on a file; the driver answers through the reply.
    File(FileOp, Reply<Result<FileAnswer, FileError>>),
    /// A job that may block: the driver [runs](Job::run) it where blocking harms nobody. It answers by itself.
    Blocking(Job),
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenMode {
    /// An existing file, for reading.
    Read,
    /// A new file, for reading and writing; an existing one is [`FileErrorKind::AlreadyExists`].
    CreateNew,
    /// A file for reading and writing, made if it is not there, cut to nothing if it is.
    Truncate,
}

/// An operation on a file. Paths mean what they mean to the driver.
///
/// An open [`File`](crate::message::File) has at most one operation in flight; several may share a handle, and then they
/// only read. A file is closed when its last [`FileHandle`] is dropped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FileOp {
    /// Open a file; answered by [`FileAnswer::Opened`]. A directory is [`FileErrorKind::IsADirectory`].
    Open(PathBuf, OpenMode),
    /// Open, for reading, the first regular file that there is among `paths`, below the first of `roots` and then below
    /// the next; answered by [`FileAnswer::OpenedBelow`].
    ///
    /// What is no regular file is passed over, and so is whatever may not be opened. If nothing is left,
    /// [`FileErrorKind::IsADirectory`] says that there was a directory, [`FileErrorKind::PermissionDenied`] that there
    /// was a file, and [`FileErrorKind::NotFound`] anything else, a path that no file system could hold included.
    OpenBelow {
        /// The folders. How one is reached does not matter, be it by symbolic links.
        roots: Arc<[PathBuf]>,
        /// Relative paths of plain names: one with `..`, or that is absolute, is not found.
        paths: Vec<PathBuf>,
        /// Whether symbolic links below a root are followed, as far as they lead below that root. What is reached by
        /// others is not found.
        symlinks: bool,
    },
    /// Ask about a path, symbolic links followed; answered by [`FileAnswer::Metadata`].
    Metadata(PathBuf),
    /// Read at most `length` bytes, themselves at most [`FILE_CHUNK`], from `offset`; answered by
    /// [`FileAnswer::Data`], which is empty only at the end of the file.
    Read {
        /// The file.
        file: FileHandle,
        /// Where to begin, in bytes from the file's start.
        offset: u64,
        /// How many bytes at most.
        length: usize,
    },
    /// Write all of `data`, at most [`FILE_CHUNK`] bytes, at `offset`; answered by [`FileAnswer::Done`].
    Write {
        /// The file.
        file: FileHandle,
        /// Where to begin, in bytes from the file's start.
        offset: u64,
        /// What to write.
        data: Bytes,
    },
    /// Rename a file within its file system, an existing target being replaced; answered by
    /// [`FileAnswer::Done`].
    Rename(PathBuf, PathBuf),
    /// Remove a file; answered by [`FileAnswer::Done`].
    Remove(PathBuf),
    /// Open a new file without a name, for reading and writing, in this folder, or in the driver's folder for such
    /// files; answered by [`FileAnswer::Opened`].
    ///
    /// It is gone with its last [`FileHandle`], and with the process, however that ends.
    OpenTemporary(Option<PathBuf>),
    /// Give a file of [`OpenTemporary`](Self::OpenTemporary) a name; answered by [`FileAnswer::Done`]. What has that
    /// name is never replaced: it is [`FileErrorKind::AlreadyExists`].
    ///
    /// Nothing is seen under the name before all of the file is. The handle goes on as that of the named file, a
    /// second name is [`FileErrorKind::Unsupported`]; after a failure the file is as it was, and without a name.
    Persist {
        /// The file.
        file: FileHandle,
        /// Its name from now on.
        path: PathBuf,
    },
}

/// The answer to a [`FileOp`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FileAnswer {
    /// The file that was opened, and what is known of it.
    Opened(FileHandle, Metadata),
    /// The file that was opened, what is known of it, and which of the paths it is.
    OpenedBelow(FileHandle, Metadata, usize),
    /// What is known of a path.
    Metadata(Metadata),
    /// Bytes of a file; empty at its end.
    Data(Bytes),
    /// It is done, and there is nothing to tell.
    Done,
}

/// What a driver tells of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The length in bytes.
    pub length: u64,
    /// The last change, as the time since the Unix epoch, if the file system knows it.
    pub modified: Option<Duration>,
    /// Whether it is a directory.
    pub is_directory: bool,
}

impl Metadata {
    /// A regular file of `length` bytes.
    pub const fn file(length: u64, modified: Option<Duration>) -> Self {
        Self { length, modified, is_directory: false }
    }

    /// A directory.
    pub const fn directory(modified: Option<Duration>) -> Self {
        Self { length: 0, modified, is_directory: true }
    }
}

/// A driver's own open file: opaque to core, closed when the last clone is dropped.
#[derive(Clone)]
pub struct FileHandle(Arc<dyn Any + Send + Sync>);

impl FileHandle {
    /// Wraps whatever the driver knows a file by.
    pub fn new(file: impl Any + Send + Sync) -> Self {
        Self(Arc::new(file))
    }

    /// The driver's own file; `None` if it is of another driver's type.
    pub fn downcast<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl FileHandle {
    /// What tells it from the handles of other files that are open now.
    #[cfg(feature = "tape")]
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>() as usize
    }

    /// Whether there is no other one of the file.
    pub(crate) fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl fmt::Debug for FileHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileHandle")
    }
}

/// Why a file operation failed, as far as a program acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileErrorKind {
    /// There is no such file.
    NotFound,
    /// The process may not do that.
    PermissionDenied,
    /// There is such a file already.
    AlreadyExists,
    /// It is a directory.
    IsADirectory,
    /// The path is none that the file system could hold: a NUL byte, too long.
    InvalidPath,
    /// The disk, or the quota, is full.
    StorageFull,
    /// The driver does not do this.
    Unsupported,
    /// Anything else; the message says what.
    Other,
}

/// A file operation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileError {
    /// The kind of failure.
    pub kind: FileErrorKind,
    /// What the operating system said. It is for logs: it may name paths.
    pub message: String,
}

impl FileError {
    /// A failure of this kind.
    pub fn new(kind: FileErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FileError {}

/// The driver dropped the effect: it does not do such work, or it is shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered;

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the driver does not support this work")
    }
}

impl std::error::Error for Unanswered {}

/// A job that may block, with its answer's way back inside.
pub struct Job(Box<dyn Work>);

impl Job {
    /// Does the work, here and now, and sends its answer. A panic inside is caught and is the answer.
    pub fn run(self) {
        self.0.run();
    }

    /// Does the work, here and now, and gives what sends its answer.
    #[cfg(feature = "tape")]
    pub(crate) fn work(self) -> Delivery {
        self.0.work()
    }
}

/// What sends the answer of a job that was done.
#[cfg(feature = "tape")]
pub(crate) type Delivery = Box<dyn FnOnce() + Send>;

/// A job, whatever it works out.
trait Work: Send {
    fn run(self: Box<Self>);
    #[cfg(feature = "tape")]
    fn work(self: Box<Self>) -> Delivery;
}

struct Task<F, T> {
    work: F,
    reply: Reply<Result<T, BlockingError>>,
}

impl<T: Send + 'static, F: FnOnce() -> T + Send + 'static> Task<F, T> {
    /// The work's result, and where it goes.
    fn finish(self) -> (Reply<Result<T, BlockingError>>, Result<T, BlockingError>) {
        // Nothing of `work` outlives the panic but what it shared, and that is its author's to guard.
        let result = catch_unwind(AssertUnwindSafe(self.work));
        (self.reply, result.map_err(|_| BlockingError::Panicked))
    }
}

impl<T: Send + 'static, F: FnOnce() -> T + Send + 'static> Work for Task<F, T> {
    fn run(self: Box<Self>) {
        let (reply, result) = self.finish();
        reply.send(result);
    }

    #[cfg(feature = "tape")]
    fn work(self: Box<Self>) -> Delivery {
        let (reply, result) = self.finish();
        Box::new(move || reply.send(result))
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// A blocking job that gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockingError {
    /// The driver does not run blocking jobs, or is shutting down.
    Unanswered,
    /// The job panicked.
    Panicked,
}

impl fmt::Display for BlockingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered => Unanswered.fmt(f),
            Self::Panicked => f.write_str("the blocking job panicked"),
        }
    }
}

impl std::error::Error for BlockingError {}

/// Makes the effect for `work`, and the future of its answer.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> (Effect, Answer<Result<T, BlockingError>>) {
    let (reply, answer) = reply();
    (Effect::Blocking(Job(Box::new(Task { work, reply }))), answer)
}

/// The way back for an effect's answer: it may be used once, from any thread.
pub struct Reply<T>(Arc<Slot<T>>);

/// The asker's end of a [`Reply`].
pub(crate) struct Answer<T>(Arc<Slot<T>>);

struct Slot<T>(Mutex<State<T>>);

enum State<T> {
    Waiting(Option<Waker>),
    Answered(T),
    Dropped,
    /// The answer was taken, or nobody wants it any more.
    Over,
}

/// A pair of ends for one answer.
pub(crate) fn reply<T>() -> (Reply<T>, Answer<T>) {
    let slot = Arc::new(Slot(Mutex::new(State::Waiting(None))));
    (Reply(slot.clone()), Answer(slot))
}

impl<T> Slot<T> {
    /// Puts `next` in the place of `Waiting`; wakes, and drops what nobody wants, outside the lock.
    fn settle(&self, next: State<T>) {
        let mut next = Some(next);
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *state {
                State::Waiting(waker) => {
                    let waker = waker.take();
                    if let Some(next) = next.take() {
                        *state = next;
                    }
                    waker
                }
                _ => None,
            }
        };
        drop(next);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Reply<T> {
    /// Sends the answer and wakes whoever waits for it. If nobody does, the value is dropped here.
    pub fn send(self, value: T) {
        self.0.settle(State::Answered(value));
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.0.settle(State::Dropped);
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T, Unanswered>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = cx.waker().clone();
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Over) {
            State::Answered(value) => Poll::Ready(Ok(value)),
            State::Dropped | State::Over => Poll::Ready(Err(Unanswered)),
            State::Waiting(old) => {
                *state = State::Waiting(Some(waker));
                // A waker is its runtime's, and may do anything when it is dropped.
                drop(state);
                drop(old);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        // The value inside may be the user's: it is dropped after the lock is let go.
        let unwanted = {
            let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *state, State::Over)
        };
        drop(unwanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll<T>(answer: &mut Answer<T>) -> Poll<Result<T, Unanswered>> {
        Pin::new(answer).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_answer_arrives_once() {
        let (reply, mut answer) = reply();
        assert!(poll(&mut answer).is_pending());
        reply.send(7);
        assert_eq!(poll(&mut answer), Poll::Ready(Ok(7)));
        assert_eq!(poll(&mut answer), Poll::Ready(Err(Unanswered)));
    }

    #[test]
    fn a_dropped_effect_is_unanswered_and_not_a_hang() {
        let (effect, mut answer) = blocking(|| 1);
        assert!(poll(&mut answer).is_pending());
        drop(effect);
        assert_eq!(poll(&mut answer), Poll::Ready(Err(Unanswered)));
    }

    #[test]
    fn a_late_answer_closes_what_it_opened() {
        let opened = Arc::new(());
        let (reply, answer) = reply();
        drop(answer);
        reply.send(FileHandle(opened.clone()));
        assert_eq!(Arc::strong_count(&opened), 1);
    }

    #[test]
    fn a_panicking_job_answers_so() {
        let (effect, mut answer) = blocking(|| -> u8 { panic!("on purpose") });
        match effect {
            Effect::Blocking(job) => job.run(),
            Effect::File(..) => unreachable!(),
        }
        assert_eq!(poll(&mut answer), Poll::Ready(Ok(Err(BlockingError::Panicked))));
    }
}
