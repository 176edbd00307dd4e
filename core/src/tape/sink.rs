//! Where tapes are kept.
//!
//! The rule: whoever keeps them must not keep a connection waiting: what is appended is taken at once, or refused.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Head;
use crate::session::{Event, Observer};

/// Keeps tapes.
pub trait Sink: Send + Sync {
    /// A tape begins. `None`: this one is not to be kept.
    ///
    /// # Errors
    ///
    /// [`SinkError`], which the server's observer is told.
    fn open(&self, head: &Head) -> Result<Option<Box<dyn Track>>, SinkError>;
}

/// Takes the text of one tape. It is complete when this is dropped.
pub trait Track: Send {
    /// Appends some lines, without waiting for anything.
    ///
    /// # Errors
    ///
    /// [`SinkError`], which the server's observer is told. Nothing more is appended then.
    fn append(&mut self, text: String) -> Result<(), SinkError>;
}

/// Why a tape cannot be kept: what the observer is told, or nothing if it was told already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkError(pub Option<String>);

impl SinkError {
    /// Tells the observer, unless it was told already.
    pub(super) fn tell(&self, observer: Option<&dyn Observer>) {
        if let (Some(observer), Some(reason)) = (observer, &self.0) {
            observer.observe(&Event::TapeLost(reason));
        }
    }
}

/// Runs code of whoever records, which must not take the connection with it.
pub(super) fn guarded<T>(code: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| {
        // A payload may panic when it is dropped, and that is not ours to pass on.
        std::mem::forget(panic);
        Err(SinkError(Some("what records has panicked".to_owned())))
    })
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("tapes can no longer be written"))
    }
}

impl std::error::Error for SinkError {}

/// The text of one tape in memory. A clone is another handle on the same text.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    /// The text so far.
    pub fn text(&self) -> String {
        lock(&self.0).clone()
    }

    /// The text so far, which is then taken away.
    pub fn take(&self) -> String {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Track for Log {
    fn append(&mut self, text: String) -> Result<(), SinkError> {
        lock(&self.0).push_str(&text);
        Ok(())
    }
}

/// Tapes in memory, for tests. A clone is another handle on the same tapes.
#[derive(Clone, Debug, Default)]
pub struct Tapes(Arc<Mutex<Vec<Log>>>);

impl Tapes {
    /// No tapes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The text of each, in the order in which they began.
    pub fn texts(&self) -> Vec<String> {
        lock(&self.0).iter().map(Log::text).collect()
    }
}

impl Sink for Tapes {
    fn open(&self, _: &Head) -> Result<Option<Box<dyn Track>>, SinkError> {
        let log = Log::default();
        lock(&self.0).push(log.clone());
        Ok(Some(Box::new(log)))
    }
}

/// A test that panicked elsewhere has not harmed the text here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
