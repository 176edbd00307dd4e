//! A router of services as a service, for whoever has services and wants no application.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{HOST, LOCATION};
use http::{HeaderValue, StatusCode};

use crate::error::{Error, Result};
use crate::message::{Asked, IntoResponse, Request, Response};
use crate::router::{Match, Router};
use crate::session::{Answer, IntoService, Service};

/// A [`Service`] that hands each request to the service of its route, with the parameters set, and what no route
/// takes to a default.
///
/// A method that the path's routes do not take is the default's too: no 405 is made here. A router that answers
/// for all of its paths is an [`App`](crate::App).
#[derive(Debug)]
pub struct RouterService<S, D> {
    router: Router<S>,
    default: D,
}

impl<S: Service> Router<S> {
    /// The router as a service, with what answers where no route does.
    ///
    /// ```
    /// use bakestone::router::{Methods, Router};
    /// use bakestone::session::IntoService;
    /// use bakestone::{Request, StatusCode};
    ///
    /// let hello = |request: Request| request.params().get("name").unwrap_or_default().into_owned();
    /// let mut routes = Router::builder();
    /// routes.insert("/hello/{name}", Methods::Any, hello.into_service());
    /// let service = routes.build()?.or(|_: Request| StatusCode::NOT_FOUND);
    /// # let _ = service;
    /// # Ok::<(), bakestone::router::RouteErrors>(())
    /// ```
    pub fn or<M, D: IntoService<M>>(self, default: D) -> RouterService<S, D::Service> {
        RouterService { router: self, default: default.into_service() }
    }
}

impl<S: Service, D: Service> Service for RouterService<S, D> {
    type Response = Result<Response>;
    type Future = Routed<S::Future, D::Future>;

    fn call(&self, mut request: Request) -> Self::Future {
        match self.router.find(request.method(), request.uri(), host(&request)) {
            Match::Found { value, params, .. } => {
                request.set_route(params, 0, None);
                Routed(Way::Route(Box::pin(value.call(request))))
            }
            Match::Redirect { path } => Routed(Way::Ready(Some(redirect(&path, request.raw_query())))),
            _ => Routed(Way::Default(Box::pin(self.default.call(request)))),
        }
    }

    fn fail(&self, error: Error, asked: Option<&Asked>) -> Answer<Self::Future> {
        match self.default.fail(error, asked) {
            Answer::Ready(response) => Answer::Ready(response),
            Answer::Future(future) => Answer::Future(Routed(Way::Default(Box::pin(future)))),
        }
    }
}

/// The response of a [`RouterService`], on its way.
#[must_use = "it does nothing unless it is polled"]
pub struct Routed<F, G>(Way<F, G>);

enum Way<F, G> {
    Route(Pin<Box<F>>),
    Default(Pin<Box<G>>),
    /// There, and then taken.
    Ready(Option<Response>),
}

impl<F, G> Future for Routed<F, G>
where
    F: Future<Output: IntoResponse>,
    G: Future<Output: IntoResponse>,
{
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response>> {
        match &mut self.0 {
            Way::Route(future) => future.as_mut().poll(cx).map(IntoResponse::into_response),
            Way::Default(future) => future.as_mut().poll(cx).map(IntoResponse::into_response),
            Way::Ready(response) => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
        }
    }
}

impl<F, G> fmt::Debug for Routed<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Way::Route(_) => "Routed(route)",
            Way::Default(_) => "Routed(default)",
            Way::Ready(_) => "Routed(ready)",
        })
    }
}

/// The host that a request is for, as it was sent: that of the target, if it has one, before that of the
/// `Host` field (RFC 9112, section 3.2.2).
pub(crate) fn host(request: &Request) -> Option<&str> {
    let field = || request.field_values(&HOST).next().filter(|host| host.is_ascii());
    request.uri().host().or_else(|| std::str::from_utf8(field()?).ok())
}

/// What answers [`Match::Redirect`]: 308, so that the method and the body stay, with the query.
pub(crate) fn redirect(path: &str, query: Option<&str>) -> Response {
    let location = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    // Every URI is a field value.
    let location = HeaderValue::try_from(location).unwrap_or_else(|_| HeaderValue::from_static("/"));
    Response::empty(StatusCode::PERMANENT_REDIRECT).with_header(LOCATION, location)
}
