//! What of a server is recorded, and how much of it.
//!
//! The rule: recording is bounded, in how many connections and in how much of each, and hides secrets unless it is told
//! otherwise.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::recorder::Recorder;
use super::redact::Redaction;
use super::sink::Sink;
use super::writer::Writer;
use super::{Head, sink};
use crate::limits::Limits;
use crate::machine::ConnectionInfo;
use crate::session::Observer;

/// The bytes of text that a tape holds at most, unless [`Recording::bytes`] says otherwise: 1 MiB.
const BYTES: u64 = 1 << 20;

/// Which connections are recorded, and how. A clone is the same recording: it counts on.
///
/// ```
/// use bakestone::machine::ConnectionInfo;
/// use bakestone::tape::{Recording, Redaction, Tapes};
///
/// let recording = Recording::new(Tapes::new())
///     .every(100)
///     .bytes(256 << 10)
///     .redaction(Redaction::default().field("x-api-key"));
/// assert!(recording.chooses(&ConnectionInfo::default()));
/// assert!(!recording.chooses(&ConnectionInfo::default()));
/// ```
///
/// | setting | default |
/// |---|---|
/// | [`every`](Self::every), [`one_in`](Self::one_in), [`only`](Self::only) | all connections |
/// | [`bytes`](Self::bytes) | 1 MiB of text a connection |
/// | [`redaction`](Self::redaction) | `Authorization`, `Cookie`, `Proxy-Authorization`, `Set-Cookie` |
///
/// A connection that is recorded has up to 16 KiB of text that is not handed on yet, while it is idle too, and about
/// 700 bytes besides. One that is not recorded has none of it.
#[derive(Clone)]
pub struct Recording {
    sink: Arc<dyn Sink>,
    choice: Choice,
    bytes: u64,
    redaction: Arc<Redaction>,
    limits: Arc<Limits>,
    observer: Option<Arc<dyn Observer>>,
}

#[derive(Clone)]
enum Choice {
    All,
    Every(u64, Arc<AtomicU64>),
    OneIn(u64),
    Only(Arc<dyn Fn(&ConnectionInfo) -> bool + Send + Sync>),
}

impl Recording {
    /// Records all connections, and keeps the tapes in `sink`.
    pub fn new(sink: impl Sink + 'static) -> Self {
        Self {
            sink: Arc::new(sink),
            choice: Choice::All,
            bytes: BYTES,
            redaction: Arc::default(),
            limits: Arc::default(),
            observer: None,
        }
    }

    /// Records the first connection, and then every `count`th; none for 0.
    #[must_use]
    pub fn every(mut self, count: u64) -> Self {
        self.choice = Choice::Every(count, Arc::default());
        self
    }

    /// Records one in `count` connections, as their [seeds](ConnectionInfo::seed) will have it; none for 0.
    #[must_use]
    pub fn one_in(mut self, count: u64) -> Self {
        self.choice = Choice::OneIn(count);
        self
    }

    /// Records the connections that `choose` chooses. Where it panics, none, and the observer is told.
    #[must_use]
    pub fn only(mut self, choose: impl Fn(&ConnectionInfo) -> bool + Send + Sync + 'static) -> Self {
        self.choice = Choice::Only(Arc::new(choose));
        self
    }

    /// A tape holds at most so many bytes of text; then it says that it is cut, and its connection goes on without. One
    /// of less than 128 bytes says nothing else.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// What is hidden.
    #[must_use]
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = Arc::new(redaction);
        self
    }

    /// The limits of the connections, for the head of each tape. A server says its own.
    #[must_use]
    pub fn limits(mut self, limits: Arc<Limits>) -> Self {
        self.limits = limits;
        self
    }

    /// Who is told where tapes cannot be written. A server says its own.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Whether the connection that comes next is recorded. It counts.
    pub fn chooses(&self, connection: &ConnectionInfo) -> bool {
        match &self.choice {
            Choice::All => true,
            Choice::Every(0, _) | Choice::OneIn(0) => false,
            Choice::Every(count, seen) => seen.fetch_add(1, Ordering::Relaxed) % count == 0,
            Choice::OneIn(count) => connection.seed % count == 0,
            Choice::Only(choose) => sink::guarded(|| Ok(choose(connection))).unwrap_or_else(|error| {
                error.tell(self.observer.as_deref());
                false
            }),
        }
    }

    /// A machine for this connection, which is recorded if the connection is [chosen](Self::chooses).
    pub fn record<M>(&self, machine: M, connection: &ConnectionInfo) -> Recorder<M> {
        match self.chooses(connection) {
            true => Recorder::new(machine, self.clone()),
            false => Recorder::off(machine),
        }
    }

    pub(super) fn hidden(&self) -> &Redaction {
        &self.redaction
    }

    pub(super) fn known_limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn open(&self, head: &Head) -> Writer {
        let sink: &dyn sink::Sink = &*self.sink;
        Writer::open(sink, self.observer.clone(), head, self.bytes)
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("bytes", &self.bytes)
            .field("redaction", &self.redaction)
            .finish_non_exhaustive()
    }
}
