//! What the routes of an application, or of a mount, have in common.
//!
//! The rule: an error is rendered at the level where it came up, by that level's error handlers, then by those of
//! the levels around it; so everything outside sees a response.

use std::sync::Arc;

use super::on_error::{ErrorHandlers, Rendering};
use super::render::{self, Inside};
use super::state::States;
use super::urls::Urls;
use crate::error::Error;
use crate::message::{Asked, Request, Response};
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

    /// The response for `error`. What an error handler fails with is not handled again.
    pub(super) async fn render(&self, error: Error, origin: Origin) -> Response {
        let asked = origin.exchange.as_deref().and_then(Exchange::asked);
        match self.begin_rendering(error, asked) {
            Rendering::Default(error) => {
                let inside = Inside { route: origin.route.as_deref() };
                render::render(error, asked, self.debug.then_some(inside))
            }
            Rendering::Handler(error, response) => render::finish(error, response.await),
        }
    }

    /// Finds whoever renders `error`: the innermost handler for it.
    pub(super) fn begin_rendering(&self, error: Error, asked: Option<&Asked>) -> Rendering {
        let error = Arc::new(error);
        let mut level = Some(self);
        while let Some(at) = level {
            if let Some(response) = at.errors.handle(&error, asked) {
                return Rendering::Handler(error, response);
            }
            level = at.outer.as_deref();
        }
        Rendering::Default(error)
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
