//! What the routes of an application, or of a mount, have in common.
//!
//! The rule: an error is rendered at the level where it came up, by that level's error handlers, then by those of
//! the levels around it; so everything outside sees a response.

use std::sync::Arc;

use super::on_error::ErrorHandlers;
use super::render::{self, Inside};
use super::service::Call;
use super::state::States;
use super::urls::Urls;
use crate::error::Error;
use crate::message::{Asked, Request, Response};
use crate::session::Answer;
use crate::session::exchange::Exchange;

/// An application or a mount, at work.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// Its own states, and those of the levels around it.
    pub(super) states: States,
    pub(super) errors: ErrorHandlers,
    /// The level around it.
    pub(super) outer: Option<Arc<Level>>,
    /// Whether an error page may show what is inside.
    pub(super) debug: bool,
}

impl Level {
    pub(super) fn with_urls(self, urls: Urls) -> Self {
        Self { states: self.states.with_urls(urls), ..self }
    }

    /// The response for `error`, once it is there.
    pub(super) async fn render(&self, error: Error, origin: Origin) -> Response {
        #[cfg(feature = "websocket")]
        if let Some(exchange) = &origin.exchange {
            if error.status().is_client_error() || error.status().is_server_error() {
                exchange.note_failure();
            }
        }
        let asked = origin.exchange.as_deref().and_then(Exchange::asked);
        match self.answer(error, asked, origin.route.as_deref()) {
            Answer::Ready(response) => response,
            Answer::Future(response) => response.await,
        }
    }

    /// The response for `error`: that of the innermost handler for it, if there is one. What a handler fails with is
    /// not handled again. `route` is shown in debug.
    pub(super) fn answer(&self, error: Error, asked: Option<&Asked>, route: Option<&str>) -> Answer<Call> {
        let error = Arc::new(error);
        let mut levels = std::iter::successors(Some(self), |level| level.outer.as_deref());
        let handled = levels.find_map(|level| level.errors.handle(&error, asked));
        match handled {
            Some(rendered) => Answer::Future(Box::pin(async move { render::finish(error, rendered.await) })),
            None => Answer::Ready(render::render(error, asked, self.debug.then_some(Inside { route }))),
        }
    }
}

/// Where an error came up: what is left of a request that a handler or a middleware has.
pub(super) struct Origin {
    exchange: Option<Arc<Exchange>>,
    /// The route, where it may be shown.
    route: Option<Arc<str>>,
}

impl Origin {
    pub(super) fn of(request: &Request, level: &Level) -> Self {
        let route = request.matched().filter(|_| level.debug).cloned();
        Self { exchange: request.context().exchange().cloned(), route }
    }
}
