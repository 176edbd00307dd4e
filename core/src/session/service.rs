//! What answers requests.
//!
//! The rule: a service is called, and never waits to be ready: how much work may stand in line is the
//! session's to bound.

use std::future::Ready;
use std::rc::Rc;
use std::sync::Arc;

use http::StatusCode;

use crate::error::Error;
use crate::message::{Asked, IntoResponse, Request, Response};

/// Answers requests: a function, a closure, an [`App`](crate::App), or a type of one's own.
///
/// There is no `Send` bound: a driver asks for it where it moves sessions between threads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "this does not answer requests",
    note = "a service is what `App::build` makes, or a type that implements `Service`",
    note = "a function of a `Request` becomes one with `IntoService::into_service`"
)]
pub trait Service {
    /// What the future resolves to.
    type Response: IntoResponse;
    /// The future of the response. The session owns it and polls it where it stands.
    type Future: Future<Output = Self::Response>;

    /// Begins to answer `request`.
    fn call(&self, request: Request) -> Self::Future;

    /// Renders an error that no call of this service made: a request that was refused, a deadline that
    /// passed, a handler that panicked. `asked` is the request as it was sent,
    /// if one could be read. The status is the error's;
    /// plain text by default.
    fn fail(&self, error: Error, asked: Option<&Asked>) -> Answer<Self::Future> {
        let _ = asked;
        Answer::Ready(error.into_response())
    }
}

/// A response that is there, or one to wait for.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it is matched where it is made, and never stored")]
pub enum Answer<F> {
    /// It is there.
    Ready(Response),
    /// It is on its way.
    Future(F),
}

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        impl<S: Service + ?Sized> Service for $pointer {
            type Response = S::Response;
            type Future = S::Future;

            fn call(&self, request: Request) -> Self::Future {
                (**self).call(request)
            }

            fn fail(&self, error: Error, asked: Option<&Asked>) -> Answer<Self::Future> {
                (**self).fail(error, asked)
            }
        }
    )*};
}

through_pointer!(&S, Box<S>, Rc<S>, Arc<S>);

/// What can be turned into a [`Service`]: a service itself, or a function of a request.
///
/// `M` only tells the cases apart; it is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "this does not answer requests",
    note = "a service is what `App::build` makes, a function `fn(Request) -> impl IntoResponse`, asynchronous or not, or a type that implements `Service`"
)]
pub trait IntoService<M> {
    /// The service that it becomes.
    type Service: Service;

    /// Turns it into a service.
    fn into_service(self) -> Self::Service;
}

/// Marks what is a service already.
#[derive(Debug)]
pub enum AsItIs {}

/// Marks a function that gives a future.
#[derive(Debug)]
pub enum Asynchronous {}

/// Marks a function that gives its answer at once.
#[derive(Debug)]
pub enum Synchronous {}

#[diagnostic::do_not_recommend]
impl<S: Service> IntoService<AsItIs> for S {
    type Service = S;

    fn into_service(self) -> S {
        self
    }
}

/// An asynchronous function as a service.
#[derive(Clone, Copy, Debug)]
pub struct AsyncFunction<F>(F);

impl<F, T> Service for AsyncFunction<F>
where
    F: Fn(Request) -> T,
    T: Future<Output: IntoResponse>,
{
    type Response = T::Output;
    type Future = T;

    fn call(&self, request: Request) -> T {
        (self.0)(request)
    }
}

#[diagnostic::do_not_recommend]
impl<F, T> IntoService<Asynchronous> for F
where
    F: Fn(Request) -> T,
    T: Future<Output: IntoResponse>,
{
    type Service = AsyncFunction<F>;

    fn into_service(self) -> AsyncFunction<F> {
        AsyncFunction(self)
    }
}

/// A function that answers at once, as a service.
#[derive(Clone, Copy, Debug)]
pub struct Function<F>(F);

impl<F, R> Service for Function<F>
where
    F: Fn(Request) -> R,
    R: IntoResponse,
{
    type Response = R;
    type Future = Ready<R>;

    fn call(&self, request: Request) -> Ready<R> {
        std::future::ready((self.0)(request))
    }
}

#[diagnostic::do_not_recommend]
impl<F, R> IntoService<Synchronous> for F
where
    F: Fn(Request) -> R,
    R: IntoResponse,
{
    type Service = Function<F>;

    fn into_service(self) -> Function<F> {
        Function(self)
    }
}

/// The error of a handler that panicked: internals stay inside.
pub(crate) fn panicked() -> Error {
    Error::from_status(StatusCode::INTERNAL_SERVER_ERROR)
}
