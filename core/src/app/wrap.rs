//! A service around the application, or around a mount.
//!
//! The rule: it is a middleware like any other, in the place where it was registered; what comes next travels with
//! the request.

use std::any::type_name;
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use super::extract::Requirements;
use super::level::{Level, Origin};
use super::middleware::{Around, Next};
use super::render;
use super::service::Call;
use crate::message::{IntoResponse, Request, Response};
use crate::session::Service;

/// What stands behind a service that was given to [`App::wrap`](super::App::wrap): it answers the request that
/// the service was called with, changed or not, once; any other with 500, whose cause is [`NotItsRequest`].
#[derive(Clone, Copy, Debug)]
pub struct Rest(());

/// A service around the application called the [`Rest`] a second time, or with another request than it was given: the
/// cause of a 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotItsRequest;

impl fmt::Display for NotItsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a service around the application handed on another request than it was given, or one twice",
        )
    }
}

impl std::error::Error for NotItsRequest {}

/// What comes next, on its way through the service.
#[derive(Clone)]
struct Slot(Arc<Mutex<Option<Next>>>);

impl Service for Rest {
    type Response = Response;
    type Future = Call;

    fn call(&self, mut request: Request) -> Call {
        let slot = request.extensions_mut().remove::<Slot>();
        let next = slot.and_then(|Slot(next)| next.lock().unwrap_or_else(PoisonError::into_inner).take());
        match next {
            Some(next) => next.begin(request),
            None => {
                let asked = request.context().exchange().and_then(|exchange| exchange.asked());
                let response = render::render(Arc::new(NotItsRequest.into()), asked, None);
                Box::pin(ready(response))
            }
        }
    }
}

/// A service around the rest.
struct Wrapped<S>(S);

/// The middleware that `wrapper` makes of the rest.
pub(super) fn wrap<S>(wrapper: impl FnOnce(Rest) -> S) -> Arc<dyn Around>
where
    S: Service<Future: Send + 'static> + Send + Sync + 'static,
{
    Arc::new(Wrapped(wrapper(Rest(()))))
}

impl<S: Service<Future: Send + 'static> + Send + Sync + 'static> Around for Wrapped<S> {
    fn call(self: Arc<Self>, level: Arc<Level>, mut request: Request, next: Next) -> Call {
        let origin = Origin::of(&request, &level);
        request.extensions_mut().insert(Slot(Arc::new(Mutex::new(Some(next)))));
        let answer = self.0.call(request);
        Box::pin(async move {
            match answer.await.into_response() {
                Ok(response) => response,
                Err(error) => level.render(error, origin).await,
            }
        })
    }

    fn requirements(&self) -> Requirements {
        Requirements::default()
    }

    fn name(&self) -> &'static str {
        type_name::<S>()
    }
}
