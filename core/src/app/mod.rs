//! The application: routes, handlers and what they take, as one [`Service`](crate::Service).
//!
//! The rule: what can be wrong with an application is said when it is built, all at once; and whatever fails
//! later goes through one place, which makes the response.
//!
//! ```
//! use bakestone::{App, Path, Text, get};
//!
//! async fn hello(Path(name): Path<String>) -> Text<String> {
//!     Text(format!("Hello, {name}!"))
//! }
//!
//! let app = App::new().route("/hello/{name}", get(hello)).build()?;
//! # Ok::<(), bakestone::app::BuildErrors>(())
//! ```
//!
//! # What the application answers by itself
//!
//! | request | answer |
//! |---|---|
//! | a path that no route matches | 404 |
//! | a path whose routes do not take the method | 405, with `Allow` |
//! | the same, with a method that no route takes and no registry lists | 501 |
//! | `OPTIONS`, where no route takes it; `OPTIONS *` | 204, with `Allow` |
//! | `HEAD`, where a route takes `GET` | that route's handler; the session leaves the body out |
//! | a path whose escapes are malformed, or not UTF-8 | 400 |

mod application;
mod build;
mod extract;
mod handler;
mod method_router;
mod path;
mod service;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::Location;

pub use application::{Application, ByRoutes};
pub use build::{BuildError, BuildErrors};
pub use extract::{FromParts, FromRequest, Requirements, ViaParts, ViaRequest};
pub use handler::Handler;
pub use method_router::{IntoMethod, MethodRouter, any, delete, get, head, on, options, patch, post, put};
pub use path::{FromParam, FromParams, Path};
pub use service::AppService;
pub use state::{State, States};

use crate::session::Lifecycle;
use state::Stored;

/// An application that is being put together: routes, and the state that their handlers share.
///
/// [`build`](Self::build) makes a [`Service`](crate::Service) of it.
///
/// ```
/// use bakestone::{App, Request, Result, State, Text, get};
///
/// #[derive(Clone)]
/// struct Greeting(&'static str);
///
/// async fn greet(State(greeting): State<Greeting>) -> &'static str {
///     greeting.0
/// }
///
/// async fn echo(mut request: Request) -> Result<Text<String>> {
///     Ok(Text(request.text().await?))
/// }
///
/// let app = App::new()
///     .state(Greeting("<h1>Hello</h1>"))
///     .route(["/", "/index.html"], get(greet))
///     .route("/echo", get(|| "post to me").post(echo));
/// assert!(app.build().is_ok());
/// ```
#[must_use = "an application does nothing until it is built and served"]
#[derive(Default)]
pub struct App {
    routes: Vec<Registration>,
    states: Vec<Stored>,
    lifecycle: Option<Lifecycle>,
}

/// One call of [`App::route`].
struct Registration {
    paths: Vec<String>,
    methods: MethodRouter,
    location: &'static Location<'static>,
}

impl App {
    /// An application without routes: it answers 404.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `methods` answer for each of `paths`; the [router](crate::router) says what a path may look like.
    ///
    /// The paths may be one or several: `&str`, `String`, or an array, a slice or a `Vec` of them. What is wrong
    /// with them is said by [`build`](Self::build), with the place of this call.
    #[track_caller]
    pub fn route(mut self, paths: impl IntoPaths, methods: MethodRouter) -> Self {
        self.routes.push(Registration { paths: paths.into_paths(), methods, location: Location::caller() });
        self
    }

    /// Gives handlers a value to share, which they take as [`State<T>`](State): one of each type.
    ///
    /// Each handler gets a clone, so what is costly to clone, or is to be changed, goes into an `Arc`.
    #[track_caller]
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.states.push(Stored::new(value, Location::caller()));
        self
    }

    /// Gives the application a life of its own: its start-up and shut-down hooks, and its periodic tasks.
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = Some(lifecycle);
        self
    }

    /// The service of this application. Its [lifecycle](Self::lifecycle) is left to a driver, which
    /// [starts](Application::start) both.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it: malformed patterns, routes and methods that conflict, states that a
    /// handler takes and nobody gave, parameters that a handler takes and the path has not.
    pub fn build(self) -> Result<AppService, BuildErrors> {
        build::build(self)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes.iter().flat_map(|route| &route.paths)).finish()
    }
}

/// One path, or several: what [`App::route`] takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a path of a route",
    label = "one path, or several",
    note = "a path is a `&str` or a `String`; several are an array, a slice or a `Vec` of them"
)]
pub trait IntoPaths {
    /// The paths.
    fn into_paths(self) -> Vec<String>;
}

impl IntoPaths for &str {
    fn into_paths(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl IntoPaths for String {
    fn into_paths(self) -> Vec<String> {
        vec![self]
    }
}

impl IntoPaths for &String {
    fn into_paths(self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl<S: AsRef<str>> IntoPaths for &[S] {
    fn into_paths(self) -> Vec<String> {
        self.iter().map(|path| path.as_ref().to_owned()).collect()
    }
}

impl<S: AsRef<str>, const N: usize> IntoPaths for [S; N] {
    fn into_paths(self) -> Vec<String> {
        self.as_slice().into_paths()
    }
}

impl<S: AsRef<str>, const N: usize> IntoPaths for &[S; N] {
    fn into_paths(self) -> Vec<String> {
        self.as_slice().into_paths()
    }
}

impl<S: AsRef<str>> IntoPaths for Vec<S> {
    fn into_paths(self) -> Vec<String> {
        self.as_slice().into_paths()
    }
}
