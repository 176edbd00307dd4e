//! Handlers by method: what a route holds.

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use http::Method;

use super::extract::Requirements;
use super::handler::Handler;
use super::level::{Level, Origin};
use super::limits::{RouteLimits, limit_setters};
use super::matching::Matching;
use super::middleware::{Around, Middleware, Typed};
use super::service::Call;
use crate::message::Request;

/// Handlers by method, from [`get`], [`post`] and the like, to be chained: `get(show).post(create)`.
///
/// A handler for `GET` answers `HEAD`, unless there is one for that. `OPTIONS` needs none: the application says
/// what is allowed. A method that is given twice is an error of [`App::build`](super::App::build).
///
/// ```
/// use bakestone::app::on;
/// use bakestone::{App, get};
///
/// let shelf = get(|| "what is there").put(|| "put it there").on("PURGE", || "all gone");
/// let rest = on("BREW", || "a pot");
/// assert!(App::new().route("/shelf", shelf).route("/pot", rest).build().is_ok());
/// ```
#[must_use = "it answers nothing until it is given to a route"]
#[derive(Default)]
pub struct MethodRouter {
    pub(super) entries: Vec<Entry>,
    /// What stands around them, outermost first, and where it was given.
    pub(super) middleware: Vec<(Arc<dyn Around>, &'static Location<'static>)>,
    pub(super) limits: RouteLimits,
    pub(super) matching: Matching,
    pub(super) name: Option<String>,
}

pub(super) struct Entry {
    /// `None` for every method; else one, or the text that is none.
    pub(super) method: Option<Result<Method, String>>,
    pub(super) endpoint: Arc<dyn Endpoint>,
    pub(super) location: &'static Location<'static>,
}

/// A handler whose type is forgotten.
pub(super) trait Endpoint: Send + Sync {
    fn call(self: Arc<Self>, level: Arc<Level>, request: Request) -> Call;
    fn requirements(&self) -> Requirements;
    fn name(&self) -> &'static str;
}

impl<H: Handler<M>, M: 'static> Endpoint for Typed<H, M> {
    /// One box for the arguments, the handler and the rendering of its errors.
    fn call(self: Arc<Self>, level: Arc<Level>, request: Request) -> Call {
        let origin = Origin::of(&request, &level);
        Box::pin(async move {
            match self.value.call(request, &level.states).await {
                Ok(response) => response,
                Err(error) => level.render(error, origin).await,
            }
        })
    }

    fn requirements(&self) -> Requirements {
        let mut requirements = Requirements::default();
        H::requirements(&mut requirements);
        requirements
    }

    fn name(&self) -> &'static str {
        type_name::<H>()
    }
}

/// A method, or the name of one: what [`on`] takes.
///
/// A name is taken in any case, and stands for the method in capitals, as all methods in use are written; one
/// of another spelling is given as a [`Method`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a method",
    label = "expected a `Method`, or its name as a `&str`"
)]
pub trait IntoMethod {
    /// The method; or the text, if it is none.
    fn into_method(self) -> Result<Method, String>;
}

impl IntoMethod for Method {
    fn into_method(self) -> Result<Method, String> {
        Ok(self)
    }
}

impl IntoMethod for &Method {
    fn into_method(self) -> Result<Method, String> {
        Ok(self.clone())
    }
}

impl IntoMethod for &str {
    fn into_method(self) -> Result<Method, String> {
        Method::from_bytes(self.to_ascii_uppercase().as_bytes()).map_err(|_| self.to_owned())
    }
}

impl MethodRouter {
    #[track_caller]
    fn with(mut self, method: Option<Result<Method, String>>, endpoint: Arc<dyn Endpoint>) -> Self {
        self.entries.push(Entry { method, endpoint, location: Location::caller() });
        self
    }

    limit_setters!("this route");

    /// Puts a [`Middleware`] around these handlers, within those that are there already.
    #[track_caller]
    pub fn middleware<M: 'static>(mut self, middleware: impl Middleware<M>) -> Self {
        self.middleware.push((Typed::new(middleware), Location::caller()));
        self
    }

    /// Adds a handler for a method, which may be one of your own.
    #[track_caller]
    pub fn on<M: 'static>(self, method: impl IntoMethod, handler: impl Handler<M>) -> Self {
        self.with(Some(method.into_method()), Typed::new(handler))
    }

    /// Adds a handler for every method that has none.
    #[track_caller]
    pub fn any<M: 'static>(self, handler: impl Handler<M>) -> Self {
        self.with(None, Typed::new(handler))
    }
}

/// Begins a route's handlers with one for a method, which may be one of your own.
#[track_caller]
pub fn on<M: 'static>(method: impl IntoMethod, handler: impl Handler<M>) -> MethodRouter {
    MethodRouter::default().on(method, handler)
}

/// Begins a route's handlers with one for every method that has none.
#[track_caller]
pub fn any<M: 'static>(handler: impl Handler<M>) -> MethodRouter {
    MethodRouter::default().any(handler)
}

macro_rules! methods {
    ($($function:ident $method:ident)*) => {
        impl MethodRouter {
            $(
                #[doc = concat!("Adds a handler for `", stringify!($method), "`.")]
                #[track_caller]
                pub fn $function<M: 'static>(self, handler: impl Handler<M>) -> Self {
                    self.with(Some(Ok(Method::$method)), Typed::new(handler))
                }
            )*
        }
        $(
            #[doc = concat!("Begins a route's handlers with one for `", stringify!($method), "`.")]
            #[track_caller]
            pub fn $function<M: 'static>(handler: impl Handler<M>) -> MethodRouter {
                MethodRouter::default().with(Some(Ok(Method::$method)), Typed::new(handler))
            }
        )*
    };
}

methods! {
    get GET
    post POST
    put PUT
    delete DELETE
    patch PATCH
    head HEAD
    options OPTIONS
}

impl fmt::Debug for MethodRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.iter().map(|entry| (&entry.method, entry.endpoint.name()));
        f.debug_list().entries(entries).finish()
    }
}
