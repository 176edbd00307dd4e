//! The application at work.

use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode, Uri};

use super::level::Level;
use super::limits::RouteLimits;
use super::method_router::Endpoint;
use super::middleware::{End, Link, Next};
use super::mounts::{Area, Mounts};
use super::on_error::Rendering;
use super::render;
use crate::error::Error;
use crate::message::{Asked, Request, Response};
use crate::router::{self, Allow, Match, Params};
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
    /// All the routes, and who answers outside of mounts.
    pub(super) root: Area,
    pub(super) mounts: Option<Mounts>,
    /// The middleware of the application itself, which stands around the routing.
    pub(super) chain: Arc<[Link]>,
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
}

/// A handler in its place.
pub(super) struct Route {
    pub(super) endpoint: Arc<dyn Endpoint>,
    pub(super) place: Arc<Place>,
    /// The place's middleware, and that of the route.
    pub(super) chain: Arc<[Link]>,
    pub(super) limits: RouteLimits,
}

impl Core {
    /// Looks up the route, and goes on there.
    pub(super) fn dispatch(&self, mut request: Request) -> Call {
        let (area, prefix_params) = self.area(request.uri());
        let host = if area.router.names_hosts() { router::host(&request) } else { None };
        match area.router.find(request.method(), request.uri(), host) {
            Match::Found { value: route, params, .. } => {
                route.limits.apply(request.context());
                request.set_route(params, route.place.depth);
                let end = End::Handler(route.endpoint.clone(), route.place.level.clone());
                Next::new(route.chain.clone(), end).begin(request)
            }
            outcome => {
                let place = &area.place;
                place.limits.apply(request.context());
                request.set_route(prefix_params, place.depth);
                let end = self.unrouted(&request, area, outcome);
                Next::new(place.chain.clone(), end).begin(request)
            }
        }
    }

    /// Where `uri` leads, with the parameters of the mount's prefix.
    fn area(&self, uri: &Uri) -> (&Area, Params) {
        let mount = self.mounts.as_ref().and_then(|mounts| mounts.find(uri));
        mount.unwrap_or_else(|| (&self.root, Params::default()))
    }

    /// What answers where no handler takes the request.
    fn unrouted<'a>(&'a self, request: &Request, area: &'a Area, outcome: Match<'a, Arc<Route>>) -> End {
        let place = &area.place;
        let status = match self.with_all_methods(request, area, outcome) {
            _ if request.path() == "*" && request.method() == Method::OPTIONS => {
                return End::Response(options(&self.root.router.allow()));
            }
            Match::MethodNotAllowed { allow } if request.method() == Method::OPTIONS => {
                return End::Response(options(&allow));
            }
            Match::MethodNotAllowed { allow } => {
                let mut error = Error::from_status(StatusCode::METHOD_NOT_ALLOWED);
                error.headers_mut().insert(ALLOW, allow.to_header_value());
                return End::Error(error, place.level.clone());
            }
            Match::Redirect { path } => return End::Response(router::redirect(&path, request.raw_query())),
            Match::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Match::BadPath => StatusCode::BAD_REQUEST,
            _ if !request.path().starts_with('/') => {
                return End::Error(self.pathless(request), place.level.clone());
            }
            _ => match &place.fallback {
                Some(fallback) => return End::Handler(fallback.clone(), place.level.clone()),
                None => StatusCode::NOT_FOUND,
            },
        };
        End::Error(Error::from_status(status), place.level.clone())
    }

    /// The outcome, where a route outside of the area takes the method though none in it does: 405, and not 501.
    fn with_all_methods<'a>(
        &self,
        request: &Request,
        area: &'a Area,
        outcome: Match<'a, Arc<Route>>,
    ) -> Match<'a, Arc<Route>> {
        match outcome {
            Match::NotImplemented if self.root.router.knows(request.method()) => {
                // Of a method that is registered the area's routes say what they allow; and CONNECT has no path.
                area.router.find(&Method::CONNECT, request.uri(), router::host(request))
            }
            outcome => outcome,
        }
    }

    /// A target that is no path: the authority of a CONNECT, or `*`. There is nothing to look up; but what
    /// the method is says whether it is the method or the target that is wrong.
    fn pathless(&self, request: &Request) -> Error {
        if !self.root.router.knows(request.method()) {
            return Error::from_status(StatusCode::NOT_IMPLEMENTED);
        }
        let mut error = Error::from_status(StatusCode::METHOD_NOT_ALLOWED);
        // Of an authority nothing is allowed, which an empty field says (RFC 9110, section 10.2.1).
        let allow = if request.path() == "*" { "OPTIONS" } else { "" };
        error.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        error
    }

    /// The level whose error handlers speak for the request.
    fn level(&self, asked: Option<&Asked>) -> &Arc<Level> {
        let Some(asked) = asked else { return &self.root.place.level };
        let (area, _) = self.area(&asked.uri);
        match area.router.find(&asked.method, &asked.uri, asked.uri.host()) {
            Match::Found { value: route, .. } => &route.place.level,
            _ => &area.place.level,
        }
    }
}

fn options(allow: &Allow) -> Response {
    Response::empty(StatusCode::NO_CONTENT).with_header(ALLOW, allow.to_header_value())
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
        let level = self.0.level(asked);
        match level.begin_rendering(error, asked) {
            Rendering::Default(error) => Answer::Ready(render::render(error, asked, level.debug)),
            Rendering::Handler(error, response) => {
                Answer::Future(Box::pin(async move { render::finish(error, response.await) }))
            }
        }
    }
}

impl End {
    pub(super) fn answer(self, request: Request) -> Call {
        match self {
            Self::Handler(endpoint, level) => endpoint.call(level, request),
            Self::Routes(core) => core.dispatch(request),
            Self::Response(response) => Box::pin(ready(response)),
            Self::Error(error, level) => {
                let exchange = request.context().exchange().cloned();
                Box::pin(async move { level.render(error, exchange.as_deref()).await })
            }
        }
    }
}

impl fmt::Debug for AppService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppService")
            .field("routes", &self.0.root.router)
            .field("root", &self.0.root.place.level)
            .finish()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.endpoint.name())
    }
}
