//! Handlers of errors: from an error to the response that its client gets.
//!
//! The rule: the error's own type speaks first, then the types of its sources, then its status, then the handler
//! for all; and an error keeps its status unless the handler sets another.

use std::any::{TypeId, type_name};
use std::error::Error as StdError;
use std::fmt;
use std::future::ready;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use http::{Method, StatusCode, Uri};

use crate::error::{Error, Result};
use crate::message::{Asked, IntoResponse, Response};
use crate::session::{Asynchronous, Synchronous};

/// An error on its way to the client, of the type `E` that the handler is registered for: it is an `E` by
/// reference, and knows the request.
///
/// ```
/// use bakestone::app::Failure;
/// use bakestone::{App, Text, get};
/// use std::num::ParseIntError;
///
/// async fn no_number(failure: Failure<ParseIntError>) -> Text<String> {
///     Text(format!("{} has a bad number: {}", failure.uri().map_or("?", |uri| uri.path()), *failure))
/// }
///
/// let app = App::new()
///     .route("/", get(|| async { Ok::<_, bakestone::Error>("x".parse::<u8>()?.to_string()) }))
///     .on_error(no_number)
///     .on_status(404, |_| Text("there is no such page"));
/// # assert!(app.build().is_ok());
/// ```
pub struct Failure<E> {
    error: Arc<Error>,
    asked: Option<Asked>,
    marker: PhantomData<fn() -> E>,
}

impl<E> Failure<E> {
    /// The error as the application has it: its status, its message, its fields, its sources.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The status that the response keeps unless another than 200 is set.
    pub fn status(&self) -> StatusCode {
        self.error.status()
    }

    /// The request's method; `None` if no request could be read.
    pub fn method(&self) -> Option<&Method> {
        self.asked.as_ref().map(|asked| &asked.method)
    }

    /// The request's target; `None` if no request could be read.
    pub fn uri(&self) -> Option<&Uri> {
        self.asked.as_ref().map(|asked| &asked.uri)
    }
}

impl<E: Caught> Deref for Failure<E> {
    type Target = E;

    fn deref(&self) -> &E {
        match sealed::Caught::find(&self.error) {
            Some(error) => error,
            // It is made in one place, for errors in which one was found.
            None => unreachable!("a failure without its error"),
        }
    }
}

impl<E> fmt::Debug for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("error", &self.error).field("asked", &self.asked).finish()
    }
}

/// What an error handler may be registered for: the type of a cause, or [`Error`] itself for all errors.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error that a handler could be registered for",
    label = "neither a `std::error::Error` nor `bakestone::Error`",
    note = "implement `std::error::Error` for `{Self}`; it is `Send`, `Sync` and `'static`"
)]
pub trait Caught: sealed::Caught {}

#[diagnostic::do_not_recommend]
impl<E: sealed::Caught> Caught for E {}

mod sealed {
    use super::{Error, Key, StdError, TypeId, type_name};

    pub trait Caught: Send + Sync + Sized + 'static {
        /// The first `Self` among the error's cause, its cause, and so on.
        fn find(error: &Error) -> Option<&Self>;

        /// Whether this cause is one.
        fn is(cause: &(dyn StdError + 'static)) -> bool;

        /// What a handler for it is registered for.
        fn key() -> Key;
    }

    impl Caught for Error {
        fn find(error: &Error) -> Option<&Self> {
            Some(error)
        }

        fn is(_: &(dyn StdError + 'static)) -> bool {
            false
        }

        fn key() -> Key {
            Key::All
        }
    }

    #[diagnostic::do_not_recommend]
    impl<E: StdError + Send + Sync + 'static> Caught for E {
        fn find(error: &Error) -> Option<&Self> {
            error.causes().find_map(|cause| cause.downcast_ref())
        }

        fn is(cause: &(dyn StdError + 'static)) -> bool {
            cause.is::<E>()
        }

        fn key() -> Key {
            Key::Type(TypeId::of::<E>(), type_name::<E>())
        }
    }
}

/// A function from a [`Failure`] to a response, asynchronous or not.
///
/// A response whose status is 200 takes the error's; any other is kept.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error handler",
    label = "expected a function of one `Failure<E>` that returns a response",
    note = "an error handler is a function or a closure, asynchronous or not, whose only argument is `Failure<E>`, which is an `E` by reference",
    note = "`E` is the type of the error; for a status, and for all errors, it is `bakestone::Error`",
    note = "what is returned implements `IntoResponse`: `Json(value)`, `Text(text)`, either of them in `(StatusCode, value)` or `(StatusCode, HeaderMap, value)`, a `Response`, or a `Result` of one; the future of an asynchronous one is `Send`"
)]
pub trait ErrorHandler<E, M>: Send + Sync + 'static {
    /// Renders the error.
    ///
    /// # Errors
    ///
    /// An error of its own: the client then gets a bare 500.
    fn render(&self, failure: Failure<E>) -> impl Future<Output = Result<Response>> + Send + 'static;
}

#[diagnostic::do_not_recommend]
impl<F, T, E> ErrorHandler<E, Asynchronous> for F
where
    F: Fn(Failure<E>) -> T + Send + Sync + 'static,
    T: Future<Output: IntoResponse> + Send + 'static,
{
    fn render(&self, failure: Failure<E>) -> impl Future<Output = Result<Response>> + Send + 'static {
        let answer = self(failure);
        async move { answer.await.into_response() }
    }
}

#[diagnostic::do_not_recommend]
impl<F, T, E> ErrorHandler<E, Synchronous> for F
where
    F: Fn(Failure<E>) -> T + Send + Sync + 'static,
    T: IntoResponse,
{
    fn render(&self, failure: Failure<E>) -> impl Future<Output = Result<Response>> + Send + 'static {
        ready(self(failure).into_response())
    }
}

/// The future of an error handler's response.
pub(super) type Rendered = Pin<Box<dyn Future<Output = Result<Response>> + Send>>;

/// What an error handler is registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Causes of this type.
    Type(TypeId, &'static str),
    Status(StatusCode),
    All,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(_, name) => write!(f, "`{name}`"),
            Self::Status(status) => write!(f, "status {}", status.as_u16()),
            Self::All => f.write_str("all errors"),
        }
    }
}

/// An error handler whose type is forgotten.
pub(super) struct Registered {
    pub(super) key: Key,
    pub(super) location: &'static Location<'static>,
    /// Whether a cause has the type that the handler is for.
    is: fn(&(dyn StdError + 'static)) -> bool,
    begin: Box<dyn Fn(Arc<Error>, Option<Asked>) -> Rendered + Send + Sync>,
}

impl Registered {
    /// For the type `E`, or for a status.
    pub(super) fn new<E: Caught, M>(
        status: Option<StatusCode>,
        handler: impl ErrorHandler<E, M>,
        location: &'static Location<'static>,
    ) -> Self {
        let key = status.map_or_else(E::key, Key::Status);
        let begin = move |error, asked| -> Rendered {
            Box::pin(handler.render(Failure { error, asked, marker: PhantomData }))
        };
        Self { key, location, is: E::is, begin: Box::new(begin) }
    }
}

/// The error handlers of one level.
#[derive(Default)]
pub(super) struct ErrorHandlers(Vec<Registered>);

impl ErrorHandlers {
    /// The handlers, and what was registered a second time, with the place of the first.
    pub(super) fn new(given: Vec<Registered>) -> (Self, Vec<(Registered, &'static Location<'static>)>) {
        let (mut handlers, mut again) = (Vec::<Registered>::new(), Vec::new());
        for registered in given {
            match handlers.iter().find(|known| known.key == registered.key) {
                Some(first) => again.push((registered, first.location)),
                None => handlers.push(registered),
            }
        }
        (Self(handlers), again)
    }

    /// Begins to render `error`, if there is a handler for it.
    pub(super) fn handle(&self, error: &Arc<Error>, asked: Option<&Asked>) -> Option<Rendered> {
        let with_key = |key| self.0.iter().find(|handler| handler.key == key);
        let for_cause = |cause| {
            let is_type = |handler: &&Registered| matches!(handler.key, Key::Type(..)) && (handler.is)(cause);
            self.0.iter().find(is_type)
        };
        let handler = (error.causes().find_map(for_cause))
            .or_else(|| with_key(Key::Status(error.status())))
            .or_else(|| with_key(Key::All))?;
        Some((handler.begin)(error.clone(), asked.cloned()))
    }
}

impl fmt::Debug for ErrorHandlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|handler| handler.key)).finish()
    }
}

/// A status, or its number: what [`App::on_status`](super::App::on_status) takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a status",
    label = "expected a `StatusCode`, or its number"
)]
pub trait IntoStatus {
    /// The status; or the number, if it is none.
    fn into_status(self) -> Result<StatusCode, u16>;
}

impl IntoStatus for StatusCode {
    fn into_status(self) -> Result<StatusCode, u16> {
        Ok(self)
    }
}

impl IntoStatus for u16 {
    fn into_status(self) -> Result<StatusCode, u16> {
        StatusCode::from_u16(self).map_err(|_| self)
    }
}
