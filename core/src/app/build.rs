//! From what was put together to what works, or to everything that is wrong with it.

use std::fmt;
use std::panic::Location;

use http::Method;

use super::method_router::{Entry, MethodRouter};
use super::service::AppService;
use super::state::States;
use super::{App, Registration};
use crate::router::{Methods, Pattern, RouteError, Router, list};

/// Everything that is wrong with an application, at once.
///
/// Its `Debug` reads like its `Display`, one line a problem, since that is what a `main` that returns it prints.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildErrors(Vec<BuildError>);

/// One thing that is wrong with an application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// A route is malformed, or conflicts with another.
    Route(RouteError),
    /// A call of [`App::route`] gives no path.
    NoPath {
        /// Where.
        location: &'static Location<'static>,
    },
    /// A call of [`App::route`] gives no handler.
    NoHandler {
        /// Its first path.
        path: String,
        /// Where.
        location: &'static Location<'static>,
    },
    /// This is no name of a method.
    BadMethod {
        /// The text.
        method: String,
        /// Where it was given.
        location: &'static Location<'static>,
    },
    /// A route has two handlers for the same method.
    SameMethod {
        /// The method; `None` for that of [`any`](super::any).
        method: Option<Method>,
        /// Where the second was given.
        location: &'static Location<'static>,
        /// Where the first was given.
        first: &'static Location<'static>,
    },
    /// Two states have the same type.
    SameState {
        /// The type.
        state: &'static str,
        /// Where the second was given.
        location: &'static Location<'static>,
        /// Where the first was given.
        first: &'static Location<'static>,
    },
    /// A handler takes a state that the application has not.
    NoState {
        /// The type.
        state: &'static str,
        /// The handler's type.
        handler: &'static str,
        /// The route's first path.
        path: String,
        /// Where the handler was given.
        location: &'static Location<'static>,
    },
    /// A handler takes more parameters than the path has.
    TooFewParams {
        /// How many it takes.
        needed: usize,
        /// How many there are.
        found: usize,
        /// The handler's type.
        handler: &'static str,
        /// The path.
        path: String,
        /// Where the handler was given.
        location: &'static Location<'static>,
    },
}

impl BuildErrors {
    /// The problems; there is one at least.
    pub fn errors(&self) -> &[BuildError] {
        &self.0
    }
}

impl fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, "application", &self.0)
    }
}

impl fmt::Debug for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildErrors {}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(error) => error.fmt(f),
            Self::NoPath { location } => write!(f, "{location}: the route has no path"),
            Self::NoHandler { path, location } => write!(f, "{location}: `{path}`: the route has no handler"),
            Self::BadMethod { method, location } => write!(f, "{location}: `{method}` is no method's name"),
            Self::SameMethod { method, location, first } => {
                let method = method.as_ref().map_or("any method", Method::as_str);
                write!(f, "{location}: {method} has a handler already, at {first}")
            }
            Self::SameState { state, location, first } => {
                write!(f, "{location}: there is a state of type `{state}` already, at {first}")
            }
            Self::NoState { state, handler, path, location } => write!(
                f,
                "{location}: `{path}`: the handler `{handler}` takes `State<{state}>`, \
                 and the application has no such state"
            ),
            Self::TooFewParams { needed, found, handler, path, location } => write!(
                f,
                "{location}: `{path}`: the path has {found} of the {needed} parameters \
                 that the handler `{handler}` takes (take an `Option<Path<..>>` where they may be missing)"
            ),
        }
    }
}

pub(super) fn build(app: App) -> Result<AppService, BuildErrors> {
    let mut errors = Vec::new();
    let (states, again) = States::new(app.states);
    errors.extend(again.into_iter().map(|(stored, first)| BuildError::SameState {
        state: stored.type_name,
        location: stored.location,
        first,
    }));
    let mut routes = Router::builder();
    for route in &app.routes {
        check_route(route, &mut errors);
        for entry in usable(&route.methods, &mut errors) {
            check_needs(route, entry, &states, &mut errors);
            let method = entry.method.clone().and_then(Result::ok);
            for path in &route.paths {
                let methods = Methods::from(method.clone());
                routes.insert_at(path.as_str(), methods, entry.endpoint.clone(), route.location);
            }
        }
    }
    match (routes.build(), errors.is_empty()) {
        (Ok(router), true) => Ok(AppService::new(router, states)),
        (Ok(_), false) => Err(BuildErrors(errors)),
        (Err(wrong), _) => {
            let wrong = once_a_pattern(wrong.into_errors());
            errors.extend(wrong.into_iter().map(BuildError::Route));
            Err(BuildErrors(errors))
        }
    }
}

/// A pattern that several handlers share is malformed once, not once for each.
fn once_a_pattern(errors: Vec<RouteError>) -> Vec<RouteError> {
    let mut distinct = Vec::new();
    for error in errors {
        if !distinct.contains(&error) {
            distinct.push(error);
        }
    }
    distinct
}

fn check_route(route: &Registration, errors: &mut Vec<BuildError>) {
    let location = route.location;
    match route.paths.first() {
        None => errors.push(BuildError::NoPath { location }),
        Some(path) if route.methods.entries.is_empty() => {
            errors.push(BuildError::NoHandler { path: path.clone(), location });
        }
        Some(_) => {}
    }
}

/// The entries whose method is one, and is given for the first time.
fn usable<'a>(methods: &'a MethodRouter, errors: &mut Vec<BuildError>) -> Vec<&'a Entry> {
    let mut usable: Vec<&Entry> = Vec::new();
    for entry in &methods.entries {
        let location = entry.location;
        if let Some(Err(method)) = &entry.method {
            errors.push(BuildError::BadMethod { method: method.clone(), location });
        } else if let Some(earlier) = usable.iter().find(|earlier| earlier.method == entry.method) {
            let method = entry.method.clone().and_then(Result::ok);
            errors.push(BuildError::SameMethod { method, location, first: earlier.location });
        } else {
            usable.push(entry);
        }
    }
    usable
}

/// Whether the application has the states, and each path the parameters, that the handler takes.
fn check_needs(route: &Registration, entry: &Entry, states: &States, errors: &mut Vec<BuildError>) {
    let needs = entry.endpoint.requirements();
    let (handler, location) = (entry.endpoint.name(), entry.location);
    let Some(first) = route.paths.first() else { return };
    for (id, state) in needs.states {
        if !states.has(id) {
            errors.push(BuildError::NoState { state, handler, path: first.clone(), location });
        }
    }
    for path in &route.paths {
        // What is malformed is said by the router.
        let Ok(pattern) = Pattern::parse(path) else { continue };
        let (needed, found) = (needs.params, pattern.params.len());
        if found < needed {
            errors.push(BuildError::TooFewParams { needed, found, handler, path: path.clone(), location });
        }
    }
}
