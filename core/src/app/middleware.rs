//! What stands around handlers.
//!
//! The rule: the first registered is the outermost, whatever its shape, and every one sees a response: what fails
//! behind it has been rendered before it comes back. Only what ends the whole call is answered around all of
//! them, by the session: a panic, and the end of `handler_time`; and so is a head that cannot be read.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::extract::{FromParts, Requirements};
use super::level::{Level, Origin};
use super::method_router::Endpoint;
use super::service::{Call, Core};
use super::state::States;
use crate::error::{Error, Result};
use crate::message::{IntoResponse, Request, Response};

/// What stands around the handlers of an application, a mount or a route: a function of arguments, the request and
/// what comes [next](Next), or a type of one's own.
///
/// Around the application it comes before the routing, and [`Request::path`] there is the text that was sent: what
/// guards a part of the application stands around that part, as the middleware of a mount or of a route.
/// The 404, 405 and `OPTIONS` of a path are answered outside of the middleware of its routes.
///
/// ```
/// use bakestone::app::{Middleware, Next, States};
/// use bakestone::{App, Request, Response, Result, State, StatusCode, get};
/// use http::HeaderValue;
///
/// async fn stamp(request: Request, next: Next) -> Response {
///     let mut response = next.run(request).await;
///     response.headers.insert("x-stamp", HeaderValue::from_static("seen"));
///     response
/// }
///
/// #[derive(Clone)]
/// struct Key(&'static str);
///
/// async fn guard(State(key): State<Key>, request: Request, next: Next) -> Result<Response> {
///     let given = request.headers().get("x-key").is_some_and(|given| given == key.0);
///     if !given {
///         return Err(bakestone::Error::new(StatusCode::UNAUTHORIZED, "the field x-key is needed"));
///     }
///     Ok(next.run(request).await)
/// }
///
/// struct MethodOverride;
///
/// impl Middleware for MethodOverride {
///     async fn call(&self, mut request: Request, next: Next, _: &States) -> Result<Response> {
///         if let Some(method) = request.headers().get("x-method").and_then(|name| name.as_bytes().try_into().ok()) {
///             *request.method_mut() = method;
///         }
///         Ok(next.run(request).await)
///     }
/// }
///
/// let app = App::new()
///     .state(Key("sesame"))
///     .middleware(stamp)                    // sees the 401 of the next one, too
///     .middleware(guard)
///     .middleware(MethodOverride)           // before the route is looked up
///     .route("/", get(|| "open"));
/// # assert!(app.build().is_ok());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not middleware",
    label = "expected an `async fn(Request, Next) -> impl IntoResponse`",
    note = "middleware is an asynchronous function whose last arguments are `Request` and `Next`; up to four that implement `FromParts` may come before",
    note = "its future is `Send`: no `Rc`, no lock's guard is kept across an `.await`",
    note = "a type of your own implements `Middleware`"
)]
pub trait Middleware<M = ByHand>: Send + Sync + 'static {
    /// Answers `request`, by what comes next or without it.
    ///
    /// # Errors
    ///
    /// Its own; they are rendered like a handler's, for whatever stands around it.
    fn call(
        &self,
        request: Request,
        next: Next,
        states: &States,
    ) -> impl Future<Output = Result<Response>> + Send;

    /// Says what it needs of the application; nothing by default.
    fn requirements(requirements: &mut Requirements) {
        let _ = requirements;
    }
}

/// Marks a type that implements [`Middleware`] itself.
#[derive(Debug)]
pub enum ByHand {}

/// One that stands in several places, and is the same in all of them.
impl<T: Middleware> Middleware for Arc<T> {
    fn call(
        &self,
        request: Request,
        next: Next,
        states: &States,
    ) -> impl Future<Output = Result<Response>> + Send {
        (**self).call(request, next, states)
    }

    fn requirements(requirements: &mut Requirements) {
        T::requirements(requirements);
    }
}

macro_rules! middleware {
    ($($($arg:ident)*;)*) => {$(
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case, unused_mut, unused_variables)]
        impl<Function, Answer, $($arg,)*> Middleware<($($arg,)*)> for Function
        where
            Function: Fn($($arg,)* Request, Next) -> Answer + Send + Sync + 'static,
            Answer: Future<Output: IntoResponse> + Send,
            $($arg: FromParts + Send,)*
        {
            async fn call(&self, mut request: Request, next: Next, states: &States) -> Result<Response> {
                $(let $arg = $arg::from_parts(&mut request, states)?;)*
                self($($arg,)* request, next).await.into_response()
            }

            fn requirements(requirements: &mut Requirements) {
                $($arg::requirements(requirements);)*
            }
        }
    )*};
}

middleware! {
    ;
    A;
    A B;
    A B C;
    A B C D;
}

/// What comes after a middleware: further ones, and then the handler, or the answer that there is none.
#[must_use = "without it the request goes no further"]
pub struct Next {
    chain: Arc<[Link]>,
    at: usize,
    end: End,
}

/// What stands behind the last middleware of a chain.
pub(super) enum End {
    /// The handler of a route, or whoever answers where there is none.
    Handler(Arc<dyn Endpoint>, Arc<Level>),
    /// The application's routes.
    Routes(Arc<Core>),
    Response(Response),
    Error(Error, Arc<Level>),
}

impl Next {
    pub(super) fn new(chain: Arc<[Link]>, end: End) -> Self {
        Self { chain, at: 0, end }
    }

    /// Hands the request on, and waits for the response. Errors have become responses by then;
    /// [`Response::error`] has them.
    pub fn run(self, request: Request) -> impl Future<Output = Response> + Send + 'static {
        self.begin(request)
    }

    pub(super) fn begin(mut self, request: Request) -> Call {
        match self.chain.get(self.at) {
            Some(Link { middleware, level }) => {
                let (middleware, level) = (middleware.clone(), level.clone());
                self.at += 1;
                middleware.call(level, request, self)
            }
            None => self.end.answer(request),
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.chain.iter().skip(self.at).map(|link| link.middleware.name())).finish()
    }
}

/// A middleware in its place, and the level whose errors it makes.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) middleware: Arc<dyn Around>,
    pub(super) level: Arc<Level>,
}

/// A middleware whose type is forgotten.
pub(super) trait Around: Send + Sync {
    fn call(self: Arc<Self>, level: Arc<Level>, request: Request, next: Next) -> Call;
    fn requirements(&self) -> Requirements;
    fn name(&self) -> &'static str;
}

/// A handler or a middleware, with the marker of its kind.
pub(super) struct Typed<T, M> {
    pub(super) value: T,
    marker: PhantomData<fn() -> M>,
}

impl<T, M> Typed<T, M> {
    pub(super) fn new(value: T) -> Arc<Self> {
        Arc::new(Self { value, marker: PhantomData })
    }
}

impl<T: Middleware<M>, M: 'static> Around for Typed<T, M> {
    fn call(self: Arc<Self>, level: Arc<Level>, request: Request, next: Next) -> Call {
        let origin = Origin::of(&request, &level);
        Box::pin(async move {
            match self.value.call(request, next, &level.states).await {
                Ok(response) => response,
                Err(error) => level.render(error, origin).await,
            }
        })
    }

    fn requirements(&self) -> Requirements {
        let mut requirements = Requirements::default();
        T::requirements(&mut requirements);
        requirements
    }

    fn name(&self) -> &'static str {
        type_name::<T>()
    }
}
