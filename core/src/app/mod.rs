//! The application: routes, handlers and what they take, as one [`Service`].
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
//! | a path that differs from a route's by the last slash, where [`Slashes::Redirect`](crate::router::Slashes) is set | 308, with the query |
//! | a path that is there for other hosts only | 404 |
//!
//! [`AppService::explain`] says of any request what becomes of it, and why.

mod application;
mod blocking;
mod build;
mod build_error;
mod deserialize;
mod explain;
mod extract;
mod files;
mod files_service;
mod handler;
mod introspect;
mod level;
mod limits;
mod matching;
mod method_router;
mod middleware;
mod mounts;
mod on_error;
mod path;
mod paths;
mod render;
mod routed;
mod service;
mod state;
mod static_files;
mod static_path;
#[cfg(test)]
mod tests;
mod urls;
mod view;
mod wrap;

use std::fmt;
use std::panic::Location;

pub use application::{Application, ByRoutes};
pub use blocking::{Blocking, Blocks, blocking};
pub use build_error::{BuildError, BuildErrors};
pub use explain::{Explanation, Outcome};
pub use extract::{
    Cookies, Extension, Form, FromHeader, FromParts, FromRequest, Header, LastEventId, Query, Requirements,
    ViaParts, ViaRequest,
};
pub use files::{Embedded, Files, Finding, Folder};
pub use files_service::{FilesOr, FilesService};
pub use handler::{Answer, Arguments, ByFunction, Function, Handler};
pub use introspect::RouteInfo;
pub use limits::RouteLimits;
pub use method_router::{IntoMethod, MethodRouter, any, delete, get, head, on, options, patch, post, put};
pub use middleware::{ByHand, Middleware, Next};
pub use on_error::{Caught, ErrorHandler, Failure, IntoStatus};
pub use path::Path;
pub use paths::IntoPaths;
pub use routed::{Routed, RouterService};
pub use service::AppService;
pub use state::{State, States};
pub use static_files::{ByFiles, StaticFiles};
pub use urls::Urls;
pub use view::View;
pub use wrap::{NotItsRequest, Rest};

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::message::Context;
use crate::router::PathPattern;
use crate::session::{Lifecycle, Service, TaskResult};
use limits::limit_setters;
use matching::Matching;
use method_router::Entry;
use middleware::{Around, Typed};
use on_error::Registered;
use state::{Late, Stored};

/// An application that is being put together: routes, and the state that their handlers share.
///
/// [`build`](Self::build) makes a [`Service`] of it.
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
    groups: Vec<Group>,
    states: Vec<Stored>,
    middleware: Vec<Layer>,
    error_handlers: Vec<Result<Registered, BuildError>>,
    fallbacks: Vec<Entry>,
    name: Option<String>,
    matching: Matching,
    limits: RouteLimits,
    debug: Option<bool>,
    lifecycle: Lifecycle,
}

/// A middleware, and where it was given.
type Layer = (Arc<dyn Around>, &'static Location<'static>);

/// An application within another one.
struct Group {
    /// Where it is mounted; `None` if it is merged.
    prefix: Option<String>,
    app: App,
    location: &'static Location<'static>,
}

/// One call of [`App::route`].
struct Registration {
    paths: Vec<PathPattern>,
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
    /// The paths may be one or several: `&str`, `String`, a [`regex`](crate::router::regex()) for the whole path, or
    /// an array, a slice or a `Vec` of them. A regular expression stands for what follows the prefix of a mount, and
    /// that prefix has no parameters. What is wrong with them is said by [`build`](Self::build), with the place of this call.
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

    /// Gives handlers a value that `hook` makes before the first connection is accepted, in its turn among the
    /// start-up hooks. If it fails, the server does not start.
    ///
    /// ```
    /// use bakestone::{App, Result, State, get};
    ///
    /// #[derive(Clone)]
    /// struct Pool(u16);
    ///
    /// let app = App::new()
    ///     .state_from(async |_| Ok::<_, bakestone::Error>(Pool("8".parse()?)))
    ///     .route("/", get(|State(pool): State<Pool>| async move { i64::from(pool.0) }));
    /// # assert!(app.build().is_ok());
    /// ```
    #[track_caller]
    pub fn state_from<T, E, F>(mut self, hook: impl FnOnce(Context) -> F + Send + 'static) -> Self
    where
        T: Clone + Send + Sync + 'static,
        E: Into<Error>,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let place = Arc::new(Late::new());
        self.states.push(Stored::late::<T>(place.clone(), Location::caller()));
        self.on_startup(move |context| {
            let made = hook(context);
            async move {
                // It is the place's only writer, and runs once.
                let _ = place.set(made.await.map_err(Into::into)?);
                Ok::<_, Error>(())
            }
        })
    }

    /// Puts a [`Middleware`] around everything: the routing and its 404 and 405, within the middleware that is there
    /// already. In a mount it stands around all that leads into the mount.
    #[track_caller]
    pub fn middleware<M: 'static>(mut self, middleware: impl Middleware<M>) -> Self {
        self.middleware.push((Typed::new(middleware), Location::caller()));
        self
    }

    /// As [`middleware`](Self::middleware), but around the middleware that is there already.
    #[track_caller]
    pub fn middleware_first<M: 'static>(mut self, middleware: impl Middleware<M>) -> Self {
        self.middleware.insert(0, (Typed::new(middleware), Location::caller()));
        self
    }

    /// Puts a [`Service`] around the rest of the application, in its turn among the middleware.
    ///
    /// ```
    /// use bakestone::app::Rest;
    /// use bakestone::{App, Request, Service, get};
    ///
    /// struct Counted<S>(S, std::sync::atomic::AtomicU64);
    ///
    /// impl<S: Service> Service for Counted<S> {
    ///     type Response = S::Response;
    ///     type Future = S::Future;
    ///
    ///     fn call(&self, request: Request) -> S::Future {
    ///         self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    ///         self.0.call(request)
    ///     }
    /// }
    ///
    /// let app = App::new().wrap(|rest: Rest| Counted(rest, Default::default())).route("/", get(|| "hello"));
    /// # assert!(app.build().is_ok());
    /// ```
    #[track_caller]
    pub fn wrap<S>(mut self, wrapper: impl FnOnce(Rest) -> S) -> Self
    where
        S: Service<Future: Send + 'static> + Send + Sync + 'static,
    {
        self.middleware.push((wrap::wrap(wrapper), Location::caller()));
        self
    }

    /// Renders errors with `handler`: those whose cause, or its cause and so on, is an `E`, which is the type in
    /// the handler's [`Failure<E>`](Failure); every error if that is [`Error`] itself.
    ///
    /// Of several handlers that of the outermost cause speaks, before one [for the status](Self::on_status), before
    /// one for all; and a mount's own handlers before those around it.
    #[track_caller]
    pub fn on_error<E: Caught, M>(mut self, handler: impl ErrorHandler<E, M>) -> Self {
        self.error_handlers.push(Ok(Registered::new(None, handler, Location::caller())));
        self
    }

    /// Renders errors of this status with `handler`, a function of a `Failure<Error>`, the application's own 404, 405 and refusals among them. It
    /// sees no response that a handler returned as a value, whatever its status.
    #[track_caller]
    pub fn on_status<M>(mut self, status: impl IntoStatus, handler: impl ErrorHandler<Error, M>) -> Self {
        let location = Location::caller();
        self.error_handlers.push(match status.into_status() {
            Ok(status) => Ok(Registered::new(Some(status), handler, location)),
            Err(status) => Err(BuildError::BadStatus { status, location }),
        });
        self
    }

    /// Answers with `handler` where no route matches the path, in place of 404. Of the path's parameters it has those of
    /// the mount's prefix.
    #[track_caller]
    pub fn fallback<M: 'static>(mut self, handler: impl Handler<M>) -> Self {
        self.fallbacks.append(&mut any(handler).entries);
        self
    }

    /// Lets `app` answer below `prefix`, which matches whole segments and may have parameters: its route `/` is
    /// then `prefix`, with and without a slash at the end.
    ///
    /// It keeps its own middleware, error handlers, states and fallback, and its hooks run. Where it has nothing of
    /// its own, states and error handlers are those around it; but a path below `prefix` that it does not know is
    /// answered here, and by nothing less specific outside.
    ///
    /// ```
    /// use bakestone::{App, Path, Request, Text, get};
    ///
    /// let shop = App::new()
    ///     .route("/", get(|request: Request| Text(format!("the shop at {}", request.root_path()))))
    ///     .route("/cakes/{id:int}", get(|Path(id): Path<u64>| Text(format!("cake {id}"))))
    ///     .on_status(404, |_| Text("no such shelf"));
    /// let app = App::new().mount("/shop", shop);
    /// # assert!(app.build().is_ok());
    /// ```
    #[track_caller]
    pub fn mount(mut self, prefix: impl Into<String>, app: App) -> Self {
        self.groups.push(Group { prefix: Some(prefix.into()), app, location: Location::caller() });
        self
    }

    /// Takes in the routes of `app`, as those of another module. They keep their own middleware, error handlers,
    /// limits and states; conflicts are told with both places. What no route of theirs takes, 405 and `OPTIONS` included,
    /// is answered by whoever merges them.
    #[track_caller]
    pub fn merge(mut self, app: App) -> Self {
        self.groups.push(Group { prefix: None, app, location: Location::caller() });
        self
    }

    /// Lets the [`View`] `view` answer for each of `paths`, and on further routes of its own.
    #[track_caller]
    pub fn view<V: View>(self, paths: impl IntoPaths, view: V) -> Self {
        self.merge(V::routes(App::new().state(Arc::new(view)).route(paths, V::methods())))
    }

    limit_setters!("these routes");

    /// Shows the client what is inside an error: its causes, and the request. For development only; mounts do
    /// as the application around them unless they say otherwise.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = Some(debug);
        self
    }

    /// Starts all the same when a start-up hook of this application fails; see
    /// [`Lifecycle::ignore_startup_errors`]. What is mounted says so for itself.
    pub fn ignore_startup_errors(mut self) -> Self {
        self.lifecycle = self.lifecycle.ignore_startup_errors();
        self
    }

    /// Runs `hook` before the first connection is accepted; see [`Lifecycle::on_startup`].
    #[track_caller]
    pub fn on_startup<F, R>(mut self, hook: impl FnOnce(Context) -> F + Send + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult,
    {
        self.lifecycle = self.lifecycle.on_startup(hook);
        self
    }

    /// Runs `hook` once all connections and tasks are over; see [`Lifecycle::on_shutdown`].
    #[track_caller]
    pub fn on_shutdown<F, R>(mut self, hook: impl FnOnce(Context) -> F + Send + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult,
    {
        self.lifecycle = self.lifecycle.on_shutdown(hook);
        self
    }

    /// Runs `task` every `period`; see [`Lifecycle::every`].
    #[track_caller]
    pub fn every<F, R>(mut self, period: Duration, task: impl FnMut(Context) -> F + Send + 'static) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: TaskResult + Send,
    {
        self.lifecycle = self.lifecycle.every(period, task);
        self
    }

    /// Takes in hooks and periodic tasks that were put together elsewhere, after those that are here already.
    pub fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = self.lifecycle.merge(lifecycle);
        self
    }

    /// Takes out the hooks of the application and of all that is mounted in it: its own first, then theirs, in
    /// their order.
    fn take_lifecycle(&mut self) -> Lifecycle {
        let own = std::mem::take(&mut self.lifecycle);
        self.groups.iter_mut().fold(own, |all, group| all.merge(group.app.take_lifecycle()))
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
        let paths = self.routes.iter().flat_map(|route| &route.paths);
        let paths: Vec<&str> = paths.map(PathPattern::text).collect();
        let groups: Vec<_> = self.groups.iter().map(|group| (&group.prefix, &group.app)).collect();
        f.debug_struct("App").field("paths", &paths).field("groups", &groups).finish()
    }
}
