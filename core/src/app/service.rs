//! The application at work.

use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use http::header::ALLOW;
use http::{Method, StatusCode};

use super::method_router::Endpoint;
use super::state::States;
use crate::error::Error;
use crate::message::{Request, Response};
use crate::router::{Allow, Match, Router};
use crate::session::{Answer, Service};

/// The future of a response; the one allocation of a request.
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
pub struct AppService(Arc<Inner>);

struct Inner {
    router: Router<Arc<dyn Endpoint>>,
    states: States,
}

impl AppService {
    pub(super) fn new(router: Router<Arc<dyn Endpoint>>, states: States) -> Self {
        Self(Arc::new(Inner { router, states }))
    }

    pub(super) fn states(&self) -> &States {
        &self.0.states
    }

    /// Every error becomes a response here, whoever it comes from.
    pub(super) fn render(&self, error: Error) -> Response {
        error.into_response()
    }

    /// The answer where no handler takes the request.
    fn unrouted(&self, request: &Request, outcome: Match<'_, Arc<dyn Endpoint>>) -> Response {
        let status = match outcome {
            _ if request.path() == "*" && request.method() == Method::OPTIONS => {
                return options(&self.0.router.allow());
            }
            Match::MethodNotAllowed { allow } if request.method() == Method::OPTIONS => {
                return options(&allow);
            }
            Match::MethodNotAllowed { allow } => {
                let mut error = Error::from_status(StatusCode::METHOD_NOT_ALLOWED);
                error.headers_mut().insert(ALLOW, allow.to_header_value());
                return self.render(error);
            }
            Match::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Match::BadPath => StatusCode::BAD_REQUEST,
            _ if !request.path().starts_with('/') => return self.pathless(request),
            _ => StatusCode::NOT_FOUND,
        };
        self.render(Error::from_status(status))
    }

    /// A target that is no path: the authority of a CONNECT, or `*`. There is nothing to look up; but what
    /// the method is says whether it is the method or the target that is wrong.
    fn pathless(&self, request: &Request) -> Response {
        if !self.0.router.knows(request.method()) {
            return self.render(Error::from_status(StatusCode::NOT_IMPLEMENTED));
        }
        let mut error = Error::from_status(StatusCode::METHOD_NOT_ALLOWED);
        // Of an authority nothing is allowed, which an empty field says (RFC 9110, section 10.2.1).
        let allow = if request.path() == "*" { "OPTIONS" } else { "" };
        error.headers_mut().insert(ALLOW, http::HeaderValue::from_static(allow));
        self.render(error)
    }
}

fn options(allow: &Allow) -> Response {
    Response::empty(StatusCode::NO_CONTENT).with_header(ALLOW, allow.to_header_value())
}

impl Service for AppService {
    type Response = Response;
    type Future = Call;

    fn call(&self, mut request: Request) -> Call {
        match self.0.router.find(request.method(), request.uri()) {
            Match::Found { value, params, .. } => {
                request.set_params(params);
                value.clone().call(self.clone(), request)
            }
            outcome => Box::pin(ready(self.unrouted(&request, outcome))),
        }
    }

    fn fail(&self, error: Error) -> Answer<Call> {
        Answer::Ready(self.render(error))
    }
}

impl fmt::Debug for AppService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { router, states } = &*self.0;
        f.debug_struct("AppService").field("routes", router).field("states", states).finish()
    }
}
