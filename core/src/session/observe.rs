//! What a machine tells of itself, without logging anything.
//!
//! The rule: an event is a fact that the wire alone does not show; it is told once, where it happens, with
//! no lock held.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::error::Error;
use crate::h1::{Misuse, Refusal};
use crate::message::BodyError;

/// Whoever wants to know. It is called from inside a step, so it must be quick.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Event<'_>);
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
    /// The peer broke HTTP, and was told so.
    Refused(&'a Refusal),
    /// A handler gave a response that cannot be sent. The client gets 500, or a message that is cut off.
    Misused(&'a Misuse),
    /// A handler returned the [`Sent`](crate::message::Sent) of another request. The client gets 500.
    SentByAnother,
    /// User code panicked, with this message.
    Panicked(Entry, &'a str),
    /// A response's body failed half-way; its message is cut off.
    BodyFailed(&'a BodyError),
    /// A deadline passed.
    DeadlinePassed(Deadline),
    /// A background task ended with an error.
    TaskFailed(&'a Error),
    /// The drain's time was up; so many tasks were dropped.
    TasksDropped(usize),
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
    /// `body_time`, or `minimum_rate` of a request's body.
    Body,
    /// `write_time`, or `minimum_rate` of a response.
    Write,
    /// `handler_time`.
    Handler,
    /// `linger_time`.
    Linger,
    /// `drain_time`.
    Drain,
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
