//! What becomes of a request, and why.

use std::fmt;

use http::{HeaderValue, Method, StatusCode, Uri};

use super::AppService;
use super::introspect::RouteInfo;
use super::limits::RouteLimits;
use super::service::Unrouted;
use crate::router::{self, Allow, Match};

/// What becomes of a request, as [`AppService::explain`] has it. As text it is several lines: the request, each
/// route that may answer it with the reason why it does or does not, the mount, the outcome, and what stands around
/// that.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation<'a> {
    /// The prefix of the mount that the request leads to; empty outside of mounts.
    pub prefix: &'a str,
    /// The routes that may answer there, and what speaks for and against each.
    pub routes: router::Explanation,
    /// What answers.
    pub outcome: Outcome<'a>,
    /// The types of what stands around that, the outermost first.
    pub middleware: Vec<&'static str>,
    /// What of the session's limits is changed.
    pub limits: RouteLimits,
}

/// What answers a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The handler of this route.
    Handler(RouteInfo<'a>),
    /// The fallback of the mount, or of the application: its type.
    Fallback(&'static str),
    /// 308 to this path, and the query.
    Redirect(String),
    /// 204, to `OPTIONS`.
    Options(Allow),
    /// An error, whose response may have `Allow`.
    #[non_exhaustive]
    Error {
        /// Its status.
        status: StatusCode,
        /// The value of `Allow`.
        allow: Option<HeaderValue>,
    },
}

impl AppService {
    /// What becomes of a request with this method, this target and, if it has one, this `Host`. It compares the
    /// request with each route, so it is for people: for tests, and for the command line.
    ///
    /// ```
    /// use bakestone::app::Next;
    /// use bakestone::{App, Method, Request, Response, Uri, get};
    ///
    /// async fn stamp(request: Request, next: Next) -> Response {
    ///     next.run(request).await
    /// }
    ///
    /// let shop = App::new()
    ///     .route("/cakes/{id:int}", get(|| "a cake").name("cake").buffered_body_bytes(1000))
    ///     .route("/cakes/{name}", get(|| "by name"));
    /// let app = App::new().middleware(stamp).mount("/shop", shop.name("shop")).build()?;
    /// println!("{}", app.explain(&Method::GET, &Uri::from_static("/shop/cakes/7"), None));
    /// // GET /shop/cakes/7
    /// //   GET /shop/cakes/{id:int}: takes it
    /// //   GET /shop/cakes/{name}: is less specific
    /// //   in the mount at /shop
    /// //   answered by main::{{closure}}, named shop:cake, at src/main.rs:9:10
    /// //   within main::stamp
    /// //   limits: buffered_body_bytes 1000
    /// # let text = app.explain(&Method::GET, &Uri::from_static("/shop/cakes/7"), None).to_string();
    /// # assert!(text.contains("\n  GET /shop/cakes/{name}: is less specific\n  in the mount at /shop\n"), "{text}");
    /// # assert!(text.ends_with("\n  limits: buffered_body_bytes 1000"), "{text}");
    /// # Ok::<(), bakestone::app::BuildErrors>(())
    /// ```
    pub fn explain(&self, method: &Method, uri: &Uri, host: Option<&str>) -> Explanation<'_> {
        let core = &self.0;
        let host = uri.host().or(host);
        let (area, _) = core.area(uri, host);
        let (outcome, chain, limits) = match area.router.find(method, uri, host) {
            Match::Found { value, pattern, .. } => match self.info_of(value, pattern) {
                Some(info) => (Outcome::Handler(info), &value.chain, value.limits),
                // Each route of an area is one of all of them.
                None => (Outcome::Fallback(value.endpoint.name()), &value.chain, value.limits),
            },
            unrouted => {
                let unrouted = core.unrouted(area, method, uri, host, unrouted);
                (unrouted.into(), &area.place.chain, area.place.limits)
            }
        };
        let around = core.chain.iter().chain(&**chain);
        Explanation {
            prefix: &area.place.prefix,
            routes: area.router.explain(method, uri, host),
            outcome,
            middleware: around.map(|link| link.middleware.name()).collect(),
            limits,
        }
    }
}

impl<'a> From<Unrouted<'a>> for Outcome<'a> {
    fn from(unrouted: Unrouted<'a>) -> Self {
        match unrouted {
            Unrouted::Fallback(fallback) => Self::Fallback(fallback.name()),
            Unrouted::Redirect(path) => Self::Redirect(path),
            Unrouted::Options(allow) => Self::Options(allow),
            Unrouted::Error(status, allow) => Self::Error { status, allow },
        }
    }
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handler(route) => {
                write!(f, "answered by {}", route.handler)?;
                if let Some(name) = &route.name {
                    write!(f, ", named {name}")?;
                }
                write!(f, ", at {}", route.location)
            }
            Self::Fallback(handler) => write!(f, "answered by the fallback {handler}"),
            Self::Redirect(path) => write!(f, "308 to {path}"),
            Self::Options(allow) => write!(f, "204, allowed are {allow}"),
            Self::Error { status, allow } => {
                write!(f, "{status}")?;
                match allow.as_ref().and_then(|allow| allow.to_str().ok()) {
                    Some(allow) => write!(f, ", allowed are {allow}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.routes.fmt(f)?;
        if !self.prefix.is_empty() {
            write!(f, "\n  in the mount at {}", self.prefix)?;
        }
        write!(f, "\n  {}", self.outcome)?;
        if !self.middleware.is_empty() {
            write!(f, "\n  within {}", self.middleware.join(", "))?;
        }
        match self.limits == RouteLimits::default() {
            true => Ok(()),
            false => write!(f, "\n  limits: {}", self.limits),
        }
    }
}
