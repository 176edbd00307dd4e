//! The application at work.

use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode, Uri};

use super::level::{Level, Origin};
use super::limits::RouteLimits;
use super::matching::Matched;
use super::method_router::Endpoint;
use super::middleware::{End, Link, Next};
use super::mounts::{self, Area, Mounted, Mounts};
use super::routed;
use crate::error::Error;
use crate::message::{Asked, Request, Response};
use crate::router::{Allow, Match, Params, RouteErrors, Router};
use crate::session::{Answer, Service};

/// The future of a response; the one allocation of a request that no middleware stands around.
pub(super) type Call = Pin<Box<dyn Future<Output = Response> + Send>>;

/// An application that was built: a [`Service`], cheap to clone, for as many connections and threads as there are.
///
/// ```
/// use bakestone::{App, Request, Service, get};
/// use http::{Method, StatusCode, Uri};
///
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut future = std::pin::pin!(future);
/// #     let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// #     loop { if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut cx) { return value; } }
/// # }
/// let app = App::new().route("/", get(|| "<h1>Hello</h1>")).build()?;
/// let response = block_on(app.call(Request::new(Method::DELETE, Uri::from_static("/"), ())));
/// assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
/// assert_eq!(response.headers["allow"], "GET, HEAD, OPTIONS");
/// # Ok::<(), bakestone::app::BuildErrors>(())
/// ```
#[derive(Clone)]
pub struct AppService(pub(super) Arc<Core>);

/// An application's routes, and what stands around all of them.
pub(super) struct Core {
    /// All the routes.
    pub(super) routes: Arc<Router<Arc<Route>>>,
    /// What leads into no mount.
    pub(super) root: Area,
    pub(super) mounts: Option<Mounts>,
    /// The middleware of the application itself, which stands around the routing.
    pub(super) chain: Arc<[Link]>,
    /// Whether the host of a request matters.
    names_hosts: bool,
}

/// An application or a mount, in its place.
pub(super) struct Place {
    pub(super) level: Arc<Level>,
    /// The middleware of the mounts up to here, outermost first.
    pub(super) chain: Arc<[Link]>,
    pub(super) limits: RouteLimits,
    pub(super) fallback: Option<Arc<dyn Endpoint>>,
    /// Where its paths begin, as a pattern without a slash at its end.
    pub(super) prefix: String,
    /// How many segments the prefix has.
    pub(super) depth: usize,
    pub(super) matched: Matched,
}

/// A handler in its place.
pub(super) struct Route {
    pub(super) endpoint: Arc<dyn Endpoint>,
    /// As it was given, with the prefixes of mounts.
    pub(super) pattern: Arc<str>,
    pub(super) place: Arc<Place>,
    /// The place's middleware, and that of the route.
    pub(super) chain: Arc<[Link]>,
    pub(super) limits: RouteLimits,
    /// Its name, as it is known from the outermost application.
    pub(super) name: Option<String>,
}

/// What answers where no handler takes the request.
pub(super) enum Unrouted<'a> {
    Fallback(&'a Arc<dyn Endpoint>),
    /// 308 to this path.
    Redirect(String),
    /// 204, to `OPTIONS`.
    Options(Allow),
    /// An error, with what its `Allow` says.
    Error(StatusCode, Option<HeaderValue>),
}

impl Core {
    pub(super) fn new(
        routes: Router<Arc<Route>>,
        place: Arc<Place>,
        (mounted, prefixes): (Vec<Mounted>, Router<usize>),
        chain: Arc<[Link]>,
    ) -> Result<Self, RouteErrors> {
        let routes = Arc::new(routes);
        let mounts = Mounts::new(mounted, prefixes, &routes)?;
        let names_hosts = routes.names_hosts() || mounts.as_ref().is_some_and(Mounts::names_hosts);
        let root = Area { place, router: mounts::outside(&routes)? };
        Ok(Self { routes, root, mounts, chain, names_hosts })
    }

    /// Looks up the route, and goes on there.
    pub(super) fn dispatch(&self, mut request: Request) -> Call {
        let host = if self.names_hosts { routed::host(&request) } else { None };
        let (area, prefix_params) = self.area(request.uri(), host);
        match area.router.find(request.method(), request.uri(), host) {
            Match::Found { value: route, params, .. } => {
                route.limits.apply(request.context());
                request.set_route(params, route.place.depth, Some(route.pattern.clone()));
                let (endpoint, level) = (route.endpoint.clone(), route.place.level.clone());
                if route.chain.is_empty() {
                    return endpoint.call(level, request);
                }
                Next::new(route.chain.clone(), End::Handler(endpoint, level)).begin(request)
            }
            outcome => {
                let place = &area.place;
                let unrouted = self.unrouted(area, request.method(), request.uri(), host, outcome);
                let end = unrouted.end(&request, &place.level);
                place.limits.apply(request.context());
                request.set_route(prefix_params, place.depth, None);
                Next::new(place.chain.clone(), end).begin(request)
            }
        }
    }

    /// Where `uri` leads on `host`, with the parameters of the mount's prefix.
    pub(super) fn area(&self, uri: &Uri, host: Option<&str>) -> (&Area, Params) {
        let mount = self.mounts.as_ref().and_then(|mounts| mounts.find(uri, host));
        mount.unwrap_or_else(|| (&self.root, Params::default()))
    }

    /// What answers where no handler takes the request: `outcome` is what the routes of `area` say.
    pub(super) fn unrouted<'a>(
        &'a self,
        area: &'a Area,
        method: &Method,
        uri: &Uri,
        host: Option<&str>,
        outcome: Match<'a, Arc<Route>>,
    ) -> Unrouted<'a> {
        if uri.path() == "*" && method == Method::OPTIONS {
            return Unrouted::Options(self.routes.allow());
        }
        match self.with_all_methods(area, method, uri, host, outcome) {
            Match::MethodNotAllowed { allow } if method == Method::OPTIONS => Unrouted::Options(allow),
            Match::MethodNotAllowed { allow } => {
                Unrouted::Error(StatusCode::METHOD_NOT_ALLOWED, Some(allow.to_header_value()))
            }
            Match::Redirect { path } => Unrouted::Redirect(path),
            Match::NotImplemented => Unrouted::Error(StatusCode::NOT_IMPLEMENTED, None),
            Match::BadPath => Unrouted::Error(StatusCode::BAD_REQUEST, None),
            _ if !uri.path().starts_with('/') => self.pathless(method, uri),
            _ => match &area.place.fallback {
                Some(fallback) => Unrouted::Fallback(fallback),
                None => Unrouted::Error(StatusCode::NOT_FOUND, None),
            },
        }
    }

    /// The outcome, where a route outside of the area takes the method though none in it does: 405, and not 501.
    fn with_all_methods<'a>(
        &self,
        area: &'a Area,
        method: &Method,
        uri: &Uri,
        host: Option<&str>,
        outcome: Match<'a, Arc<Route>>,
    ) -> Match<'a, Arc<Route>> {
        match outcome {
            // Of a method that is registered the area's routes say what they allow; and CONNECT has no path.
            Match::NotImplemented if self.routes.knows(method) => {
                area.router.find(&Method::CONNECT, uri, host)
            }
            outcome => outcome,
        }
    }

    /// A target that is no path: the authority of a CONNECT, or `*`. There is nothing to look up; but what
    /// the method is says whether it is the method or the target that is wrong.
    fn pathless(&self, method: &Method, uri: &Uri) -> Unrouted<'_> {
        if !self.routes.knows(method) {
            return Unrouted::Error(StatusCode::NOT_IMPLEMENTED, None);
        }
        // Of an authority nothing is allowed, which an empty field says (RFC 9110, section 10.2.1).
        let allow = if uri.path() == "*" { "OPTIONS" } else { "" };
        Unrouted::Error(StatusCode::METHOD_NOT_ALLOWED, Some(HeaderValue::from_static(allow)))
    }

    /// The level whose error handlers speak for the request.
    fn lead(&self, asked: Option<&Asked>) -> (&Arc<Level>, Option<&Route>) {
        let Some(asked) = asked else { return (&self.root.place.level, None) };
        // The note of a request has no fields but `Accept`: they would make every idle connection larger.
        let host = asked.uri.host();
        let (area, _) = self.area(&asked.uri, host);
        match area.router.find(&asked.method, &asked.uri, host) {
            Match::Found { value: route, .. } => (&route.place.level, Some(route)),
            _ => (&area.place.level, None),
        }
    }
}

impl Unrouted<'_> {
    fn end(self, request: &Request, level: &Arc<Level>) -> End {
        match self {
            Self::Fallback(fallback) => End::Handler(fallback.clone(), level.clone()),
            Self::Redirect(path) => End::Response(routed::redirect(&path, request.raw_query())),
            Self::Options(allow) => {
                let response = Response::empty(StatusCode::NO_CONTENT);
                End::Response(response.with_header(ALLOW, allow.to_header_value()))
            }
            Self::Error(status, allow) => {
                let mut error = Error::from_status(status);
                error.headers_mut().extend(allow.map(|allow| (ALLOW, allow)));
                End::Error(error, level.clone())
            }
        }
    }
}

impl Service for AppService {
    type Response = Response;
    type Future = Call;

    fn call(&self, request: Request) -> Call {
        let Self(core) = self;
        if core.chain.is_empty() {
            return core.dispatch(request);
        }
        core.root.place.limits.apply(request.context());
        Next::new(core.chain.clone(), End::Routes(core.clone())).begin(request)
    }

    /// The level that the request leads to renders it, as it does what its handlers fail with.
    fn fail(&self, error: Error, asked: Option<&Asked>) -> Answer<Call> {
        let (level, route) = self.0.lead(asked);
        level.answer(error, asked, route.map(|route| &*route.pattern))
    }
}

impl End {
    pub(super) fn answer(self, request: Request) -> Call {
        match self {
            Self::Handler(endpoint, level) => endpoint.call(level, request),
            Self::Routes(core) => core.dispatch(request),
            Self::Response(response) => Box::pin(ready(response)),
            Self::Error(error, level) => {
                let origin = Origin::of(&request, &level);
                Box::pin(async move { level.render(error, origin).await })
            }
        }
    }
}

impl fmt::Debug for AppService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppService")
            .field("routes", &self.0.routes)
            .field("root", &self.0.root.place.level)
            .finish()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.endpoint.name())
    }
}
