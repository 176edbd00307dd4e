//! What a machine tells of itself, without logging anything.
//!
//! The rule: an event is told once, where it happens, with no lock held; and nothing is kept for it where nobody
//! observes.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode, Uri, Version};

use crate::error::Error;
use crate::h1::{CloseReason, Misuse, Refusal};
use crate::machine::{ConnectionInfo, Moment};
use crate::message::BodyError;

/// Whoever wants to know. It is called from inside a step, so it must be quick.
///
/// ```
/// use bakestone::session::Event;
/// use bakestone::{Session, Text};
/// use std::sync::Arc;
///
/// let access_log = |event: &Event<'_>| {
///     if let Event::RequestEnded(record) = event {
///         println!("{record}");   // GET /cake HTTP/1.1 200 143 0.3ms
///     }
/// };
/// let session = Session::new(|_| Text("hello")).observer(Arc::new(access_log));
/// ```
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Event<'_>);

    /// A connection was accepted. Whoever gives an observer of its own for it has that one hear of all that
    /// follows, this connection's [`Event::ConnectionOpened`] included.
    fn connected(&self, connection: &ConnectionInfo) -> Option<Arc<dyn Observer>> {
        let _ = connection;
        None
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection was stepped for the first time.
    ConnectionOpened(&'a ConnectionInfo),
    /// A connection is over.
    ConnectionClosed(CloseReason),
    /// A request's head is complete, and its handler is called next.
    RequestStarted(&'a AccessRecord),
    /// A request has its response, as far as it came.
    RequestEnded(&'a AccessRecord),
    /// The peer broke HTTP, and was told so.
    Refused(&'a Refusal),
    /// A handler gave a response that cannot be sent. The client gets 500, or a message that is cut off.
    Misused(&'a Misuse),
    /// A handler returned the [`Sent`](crate::message::Sent) of another request. The client gets 500.
    SentByAnother,
    /// A response is made of this error, of whoever it is: the handler, a middleware, the session itself. Or a handler
    /// whose response was on its way already, as a WebSocket's is, ended with it.
    Failed(&'a Arc<Error>),
    /// User code panicked, with this message.
    Panicked(Entry, &'a str),
    /// A response's body failed half-way; its message is cut off.
    BodyFailed(&'a BodyError),
    /// The peer broke the protocol of a WebSocket, and was told so.
    #[cfg(feature = "websocket")]
    WebSocketRefused(&'a crate::ws::Error),
    /// A deadline passed.
    DeadlinePassed(Deadline),
    /// A background task ended with an error.
    TaskFailed(&'a Error),
    /// The drain's time was up; so many tasks were dropped.
    TasksDropped(usize),
    /// A [tape](crate::tape) cannot be written, for this reason. Its connection goes on without.
    #[cfg(feature = "tape")]
    TapeLost(&'a str),
}

/// One request and what became of it. As text it is a line of an access log: method, target, version, status (`-`
/// if none was sent), bytes, time, and `cut` if it did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessRecord {
    /// The request's method.
    pub method: Method,
    /// The request's target.
    pub target: Uri,
    /// The request's version.
    pub version: Version,
    /// The status of the response, once its head was made.
    pub status: Option<StatusCode>,
    /// Bytes of the response, its head and framing included.
    pub bytes: u64,
    /// From the end of the request's head to the end of the response.
    pub time: Duration,
    /// The response is all there; whether the client has read it, nobody knows.
    pub is_complete: bool,
    pub(super) began_at: Moment,
    /// What had been written on the connection before.
    pub(super) written_before: u64,
}

impl AccessRecord {
    pub(super) fn new(method: Method, target: Uri, version: Version, began_at: Moment) -> Self {
        let (status, bytes, time, is_complete, written_before) = Default::default();
        Self { method, target, version, status, bytes, time, is_complete, began_at, written_before }
    }
}

impl fmt::Display for AccessRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?} ", self.method, self.target, self.version)?;
        match self.status {
            Some(status) => write!(f, "{}", status.as_u16())?,
            None => f.write_str("-")?,
        }
        write!(f, " {} {:.1?}", self.bytes, self.time)?;
        if self.is_complete { Ok(()) } else { f.write_str(" cut") }
    }
}

/// Where the machine entered user code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// A service's call, or the future that it gave.
    Handler,
    /// The body of a response.
    Body,
    /// A service's rendering of an error.
    ErrorHandler,
    /// A background task, or a periodic one.
    Task,
    /// A start-up or shut-down hook.
    Hook,
    /// The drop of a handler, a body or a task.
    Drop,
}

/// A deadline, by the name of its span in [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadline {
    /// `head_time`.
    Head,
    /// `idle_time`.
    Idle,
    /// `body_time`, or `minimum_rate` of a request's body, or of a message on a WebSocket.
    Body,
    /// `write_time`, or `minimum_rate` of a response.
    Write,
    /// `handler_time`.
    Handler,
    /// `linger_time`.
    Linger,
    /// `drain_time`.
    Drain,
    /// `websocket_pong_time`.
    Pong,
    /// `websocket_close_time`.
    CloseHandshake,
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "head_time",
            Self::Idle => "idle_time",
            Self::Body => "body_time",
            Self::Write => "write_time",
            Self::Handler => "handler_time",
            Self::Linger => "linger_time",
            Self::Pong => "websocket_pong_time",
            Self::CloseHandshake => "websocket_close_time",
            Self::Drain => "drain_time",
        })
    }
}

/// The observer of a machine, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Observed(pub(crate) Option<Arc<dyn Observer>>);

impl Observed {
    pub(crate) fn tell(&self, event: Event<'_>) {
        if let Some(observer) = &self.0 {
            observer.observe(&event);
        }
    }

    /// A connection begins: from now on its own observer is told, if it has one.
    pub(crate) fn connected(&mut self, connection: &ConnectionInfo) {
        let own = self.0.as_ref().and_then(|observer| observer.connected(connection));
        if own.is_some() {
            self.0 = own;
        }
        self.tell(Event::ConnectionOpened(connection));
    }

    /// Runs user code; a panic is told, and gives `None`.
    ///
    /// What the code left half-done is behind it: the machine drops the value that panicked and never
    /// enters it again.
    pub(crate) fn guard<T>(&self, entry: Entry, code: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(code)) {
            Ok(value) => Some(value),
            Err(panic) => {
                self.tell(Event::Panicked(entry, message(&*panic)));
                // A payload may panic when it is dropped, and that is not ours to pass on.
                std::mem::forget(panic);
                None
            }
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(message), _) => message,
        (_, Some(message)) => message,
        _ => "a panic without a message",
    }
}
