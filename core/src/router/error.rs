//! What may be wrong with a set of routes.

use std::fmt;
use std::panic::Location;

use http::Method;

use super::pattern::MOST_SEGMENTS;

/// Everything that is wrong with a set of routes, at once.
///
/// Its `Debug` reads like its `Display`, one line a problem, since that is what a `main` that returns it prints.
///
/// ```
/// use bakestone::router::{Methods, Router};
///
/// let mut routes = Router::builder();
/// routes.insert("/cakes/{id}", Methods::Any, 1);
/// routes.insert("/cakes/{name}", Methods::Any, 2);
/// routes.insert("/cakes/{", Methods::Any, 3);
/// let errors = routes.build().unwrap_err();
/// assert_eq!(errors.errors().len(), 2);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RouteErrors(pub(super) Vec<RouteError>);

impl RouteErrors {
    /// The problems, in the order in which the routes were added; there is one at least.
    pub fn errors(&self) -> &[RouteError] {
        &self.0
    }

    pub(crate) fn into_errors(self) -> Vec<RouteError> {
        self.0
    }
}

impl fmt::Display for RouteErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, "routes", &self.0)
    }
}

impl fmt::Debug for RouteErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for RouteErrors {}

/// One error as it is, several with their number and one line each.
pub(crate) fn list(f: &mut fmt::Formatter<'_>, of: &str, errors: &[impl fmt::Display]) -> fmt::Result {
    if let [error] = errors {
        return error.fmt(f);
    }
    write!(f, "{} problems with the {of}:", errors.len())?;
    errors.iter().try_for_each(|error| write!(f, "\n  {error}"))
}

/// One thing that is wrong with a route.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteError {
    /// The route's pattern.
    pub pattern: String,
    /// Where the route was added.
    pub location: &'static Location<'static>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a route.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The pattern does not begin with `/`.
    NoLeadingSlash,
    /// The pattern's braces do not match.
    Braces,
    /// This is no name of a parameter.
    Name(String),
    /// There is no such converter.
    UnknownConverter(String),
    /// A `path` parameter is only a part of this segment.
    PartOfSegment(String),
    /// This `path` parameter is not the last segment.
    PathNotLast(String),
    /// Two parameters have this name.
    SameName(String),
    /// There are so many segments, and that is too many.
    TooManySegments(usize),
    /// A regular expression is malformed: what is wrong with it.
    Regex(String),
    /// The pattern has a regular expression, and the feature `regex` is off.
    RegexFeature,
    /// This is no host.
    Host(String),
    /// Another route with another pattern has this name.
    SameRouteName {
        /// The name.
        name: String,
        /// The other route's pattern.
        pattern: String,
        /// Where the other route was added.
        location: &'static Location<'static>,
    },
    /// The route takes no method.
    NoMethods,
    /// Another route has the same shape and takes the same method.
    Conflict {
        /// The method; `None` if both take any.
        method: Option<Method>,
        /// The other route's pattern.
        pattern: String,
        /// Where the other route was added.
        location: &'static Location<'static>,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`: {}", self.location, self.pattern, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLeadingSlash => f.write_str("a pattern begins with `/`"),
            Self::Braces => f.write_str("the braces do not match"),
            Self::Name(name) => {
                write!(f, "`{name}` is no parameter's name: a letter or `_`, then letters, digits and `_`")
            }
            Self::UnknownConverter(name) => {
                write!(f, "there is no converter `{name}`, only `uuid`, `int`, `float`, `str` and `path`")
            }
            Self::PartOfSegment(segment) => {
                write!(f, "`{segment}`: a `path` parameter takes whole segments, and no part of one")
            }
            Self::PathNotLast(name) => {
                write!(f, "`{{{name}:path}}` takes all that is left, so it is the last segment")
            }
            Self::SameName(name) => write!(f, "two parameters are named `{name}`"),
            Self::TooManySegments(count) => {
                write!(f, "the pattern has {count} segments, and may have {MOST_SEGMENTS}")
            }
            Self::Regex(error) => write!(f, "the regular expression is malformed: {error}"),
            Self::RegexFeature => {
                f.write_str("the pattern has a regular expression, which needs the crate's feature `regex`")
            }
            Self::Host(host) => {
                write!(f, "`{host}` is no host: a name as `example.com` or `*.example.com`, or an address")
            }
            Self::SameRouteName { name, pattern, location } => {
                write!(f, "the name `{name}` is that of `{pattern}`, at {location}")
            }
            Self::NoMethods => f.write_str("the route takes no method"),
            Self::Conflict { method, pattern, location } => {
                let method = method.as_ref().map_or("any method", Method::as_str);
                write!(f, "{method} is taken by `{pattern}`, which has the same shape, at {location}")
            }
        }
    }
}
