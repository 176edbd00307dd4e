//! A router of services as a service.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::message::{IntoResponse, Request};
use crate::router::{RouteSpec, Router, Slashes};
use crate::session::{IntoService, Service};
use crate::{Error, HeaderValue, StatusCode};

fn answer(service: &impl Service, request: Request) -> (StatusCode, Option<HeaderValue>) {
    let mut future = pin!(service.call(request));
    let Poll::Ready(response) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits for nothing")
    };
    let response = response.into_response().unwrap_or_else(Error::into_response);
    (response.status, response.headers.get("location").cloned())
}

#[test]
fn d05_a_default_takes_what_no_route_does() {
    let found = |request: Request| match request.params().get("x").as_deref() {
        Some("one") => StatusCode::OK,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut routes = Router::builder();
    for spec in [
        RouteSpec::new("/a/{x}").methods(Method::GET).slashes(Slashes::Redirect),
        RouteSpec::new("/b/{x}").methods(Method::GET).host("b.com"),
    ] {
        routes.add(spec, found.into_service());
    }
    let service = routes.build().unwrap().or(async |request: Request| {
        assert!(request.params().is_empty());
        StatusCode::IM_A_TEAPOT
    });
    for (method, target, host, status) in [
        (Method::GET, "/a/one", "", 200),
        (Method::POST, "/a/one", "", 418),
        (Method::GET, "/c", "", 418),
        (Method::GET, "/%", "", 418),
        (Method::OPTIONS, "*", "", 418),
        (Method::GET, "/b/one", "b.com:80", 200),
        (Method::GET, "/b/one", "c.com", 418),
        (Method::GET, "http://b.com/b/one", "c.com", 200),
    ] {
        let mut request = Request::new(method.clone(), target.parse().unwrap(), "");
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(answer(&service, request).0.as_u16(), status, "{method} {target} {host}");
    }
    let request = Request::new(Method::GET, "/a/one/?q=%20".parse().unwrap(), "");
    let expected = (StatusCode::PERMANENT_REDIRECT, Some(HeaderValue::from_static("/a/one?q=%20")));
    assert_eq!(answer(&service, request), expected);
}
