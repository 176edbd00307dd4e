//! What may be wrong with an application.

use std::fmt;
use std::panic::Location;

use http::Method;

#[cfg(doc)]
use super::App;
use crate::router::{RouteError, list};

/// Everything that is wrong with an application, at once.
///
/// Its `Debug` reads like its `Display`, one line a problem, since that is what a `main` that returns it prints.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildErrors(pub(super) Vec<BuildError>);

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
    /// A handler or a middleware takes a state that the application has not.
    NoState {
        /// The type.
        state: &'static str,
        /// The type of the handler or of the middleware.
        of: &'static str,
        /// The route's first path; `None` for a middleware or a fallback.
        path: Option<String>,
        /// Where the handler or the middleware was given.
        location: &'static Location<'static>,
    },
    /// Two error handlers are for the same errors.
    SameErrorHandler {
        /// Which errors.
        of: String,
        /// Where the second was given.
        location: &'static Location<'static>,
        /// Where the first was given.
        first: &'static Location<'static>,
    },
    /// An error handler is for a number that is no status.
    BadStatus {
        /// The number.
        status: u16,
        /// Where it was given.
        location: &'static Location<'static>,
    },
    /// The prefix of a mount does not begin with `/`.
    BadPrefix {
        /// The prefix.
        prefix: String,
        /// Where it was given.
        location: &'static Location<'static>,
    },
    /// An application has two fallbacks.
    SameFallback {
        /// Where the second was given.
        location: &'static Location<'static>,
        /// Where the first was given.
        first: &'static Location<'static>,
    },
    /// Two applications are mounted at the same prefix, or at prefixes that lead to the same paths.
    SamePrefix {
        /// The prefix.
        prefix: String,
        /// Where the second was mounted.
        location: &'static Location<'static>,
        /// The prefix of the first.
        other: String,
        /// Where the first was mounted.
        first: &'static Location<'static>,
    },
    /// This is no host.
    BadHost {
        /// The text.
        host: String,
        /// Where it was given.
        location: &'static Location<'static>,
    },
    /// A whole regular expression is in a mount whose prefix has parameters.
    RegexBelowParams {
        /// The regular expression.
        regex: String,
        /// The prefix.
        prefix: String,
        /// Where the route was given.
        location: &'static Location<'static>,
    },
    /// An application with a fallback was merged: there is no path that is the fallback's alone.
    MergedFallback {
        /// Where the fallback was given.
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
    /// A handler takes parameters by their order, and the path has more, those of a mount's prefix included, which
    /// come first: it would take others than are meant.
    TooManyParams {
        /// How many it takes.
        taken: usize,
        /// How many there are.
        found: usize,
        /// The handler's type.
        handler: &'static str,
        /// The path.
        path: String,
        /// Where the handler was given.
        location: &'static Location<'static>,
    },
    /// A handler takes a parameter of a name that the path has not.
    NoParam {
        /// The name.
        param: String,
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
            Self::NoState { state, of, path, location } => {
                let route = path.as_ref().map(|path| format!("`{path}`: the handler ")).unwrap_or_default();
                write!(
                    f,
                    "{location}: {route}`{of}` takes `State<{state}>`, and the application has no such state"
                )
            }
            Self::SameErrorHandler { of, location, first } => {
                write!(f, "{location}: there is a handler for {of} already, at {first}")
            }
            Self::BadStatus { status, location } => write!(f, "{location}: {status} is no status"),
            Self::BadPrefix { prefix, location } => {
                write!(f, "{location}: `{prefix}`: the prefix of a mount begins with `/`")
            }
            Self::SameFallback { location, first } => {
                write!(f, "{location}: there is a fallback already, at {first}")
            }
            Self::SamePrefix { prefix, location, other, first } => {
                write!(f, "{location}: `{prefix}`: there is a mount at `{other}` already, at {first}")
            }
            Self::BadHost { host, location } => write!(
                f,
                "{location}: `{host}` is no host: a name as `example.com` or `*.example.com`, or an address"
            ),
            Self::RegexBelowParams { regex, prefix, location } => write!(
                f,
                "{location}: `{regex}`: a regular expression for the whole path cannot stand in a mount at \
                 `{prefix}`, since that has parameters"
            ),
            Self::MergedFallback { location } => write!(
                f,
                "{location}: an application that is merged cannot have a fallback: mount it, or give the \
                 fallback to the application around it"
            ),
            Self::TooFewParams { needed, found, handler, path, location } => write!(
                f,
                "{location}: `{path}`: the path has {found} of the {needed} parameters \
                 that the handler `{handler}` takes (take an `Option<Path<..>>` where they may be missing)"
            ),
            Self::TooManyParams { taken, found, handler, path, location } => write!(
                f,
                "{location}: `{path}`: the path has {found} parameters, and the handler `{handler}` takes the \
                 first {taken} (take all as a tuple, or those you need by name as a struct)"
            ),
            Self::NoParam { param, handler, path, location } => write!(
                f,
                "{location}: `{path}`: the path has no parameter `{param}`, \
                 which the handler `{handler}` takes (make it an `Option` where it may be missing)"
            ),
        }
    }
}
