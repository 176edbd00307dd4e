//! What an application consists of, once it is built.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::limits::RouteLimits;
use super::service::{AppService, Route};
use crate::router::{self, Methods, Slashes};

/// A handler of an application, and where it answers. As text it is one line: the methods, the hosts and the
/// path, the handler, the name, what stands around it (outermost first), and the place in the code.
///
/// ```
/// use bakestone::app::Next;
/// use bakestone::{App, Request, Response, get};
///
/// async fn stamp(request: Request, next: Next) -> Response {
///     next.run(request).await
/// }
///
/// fn shelf() -> &'static str {
///     "what is there"
/// }
///
/// let shop = App::new().route("/shelf", get(shelf).post(|| "put there"));
/// let app = App::new().middleware(stamp).mount("/shop", shop).build()?;
/// for route in app.routes() {
///     println!("{route}");   // GET /shop/shelf -> shop::shelf, within shop::stamp, at src/main.rs:9:23
/// }
/// # assert!(app.routes().next().unwrap().to_string().starts_with("GET /shop/shelf -> "));
/// # Ok::<(), bakestone::app::BuildErrors>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteInfo<'a> {
    /// The methods that the handler takes; `HEAD`, where it comes with `GET`, is not named.
    pub methods: &'a Methods,
    /// The pattern of the whole path, the mount's prefix included.
    pub path: &'a str,
    /// The prefix of the mount that the route is in; empty outside of mounts.
    pub prefix: &'a str,
    /// The route's [name](super::MethodRouter::name), with those of the applications that it is in.
    pub name: Option<&'a str>,
    /// The hosts that it answers to; none for all.
    pub hosts: Vec<&'a str>,
    /// What it makes of a path that differs by the last slash.
    pub slashes: Slashes,
    /// The handler's type.
    pub handler: &'static str,
    /// The types of what stands around it, the outermost first.
    pub middleware: Vec<&'static str>,
    /// What it, its mounts and the application change of the session's limits.
    pub limits: RouteLimits,
    /// Where the route was given.
    pub location: &'static Location<'static>,
}

impl AppService {
    /// The handlers of the application and of all that is mounted in it, by their paths. A path with several handlers
    /// comes several times.
    pub fn routes(&self) -> impl Iterator<Item = RouteInfo<'_>> {
        self.0.routes.routes().map(|route| self.info(route))
    }

    /// The handler `value` on the path of `pattern`.
    pub(super) fn info_of(&self, value: &Arc<Route>, pattern: &str) -> Option<RouteInfo<'_>> {
        let is_it = |route: &&router::Route<Arc<Route>>| {
            Arc::ptr_eq(route.value(), value) && route.pattern() == pattern
        };
        self.0.routes.routes().find(is_it).map(|route| self.info(route))
    }

    fn info<'a>(&'a self, route: &'a router::Route<Arc<Route>>) -> RouteInfo<'a> {
        let value = route.value();
        let around = self.0.chain.iter().chain(&*value.chain);
        RouteInfo {
            methods: route.methods(),
            path: route.pattern(),
            prefix: &value.place.prefix,
            name: value.name.as_deref(),
            hosts: route.hosts().collect(),
            slashes: route.slashes(),
            handler: value.endpoint.name(),
            middleware: around.map(|link| link.middleware.name()).collect(),
            limits: value.limits,
            location: route.location(),
        }
    }
}

impl fmt::Display for RouteInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{} -> {}", self.methods, self.hosts.join(","), self.path, self.handler)?;
        if let Some(name) = self.name {
            write!(f, ", named {name}")?;
        }
        if self.slashes != Slashes::Strict {
            write!(f, ", slashes {:?}", self.slashes)?;
        }
        if !self.middleware.is_empty() {
            write!(f, ", within {}", self.middleware.join(", "))?;
        }
        write!(f, ", at {}", self.location)
    }
}
