//! The router: from a host, a path and a method to a value, and back from a name to a path.
//!
//! The rule: routes are data. Which one takes a request follows from the set of them, never from the order in
//! which they were added, and what is wrong with the set is said when it is built, all at once.
//!
//! # Patterns
//!
//! | segment | takes |
//! |---|---|
//! | `cakes` | this text, case-sensitively, as it reads decoded |
//! | `{name}`, `{name:str}` | any segment but an empty one |
//! | `{name:int}` | ASCII digits, whose value fits a `u64` |
//! | `{name:float}` | ASCII digits, which a `.` and digits may follow, whose value is finite |
//! | `{name:uuid}` | 8-4-4-4-12 hexadecimal digits, in any case |
//! | `{name:\d{3}}` | what this regular expression matches as a whole; see [`regex`](regex()) for its dialect |
//! | `{name}-{version:int}.{ext}` | parameters and texts; from the left, each takes as much as it can |
//! | `{name:path}` | all that is left, slashes included, which may be nothing; the last segment only |
//!
//! [`regex`](regex()) makes a pattern that is one regular expression for the whole path.
//!
//! A path is split on `/` as it was sent, and each segment is percent-decoded once; so `%2F` never separates.
//! `/cakes` and `/cakes/` are two paths, unless the route's [`Slashes`] say otherwise. Neither `.` nor `..` means
//! anything here. A brace that begins no parameter is an error; where one is wanted, a regular expression has it.
//! Text after the `:` is a regular expression if it has a character of one, and else must be a converter's name.
//!
//! # Precedence
//!
//! | | from what comes first to what comes last |
//! |---|---|
//! | hosts | a name, a wildcard (the longest first), none |
//! | paths | a pattern without parameters; whole regular expressions (the longest first, then by text, those for a prefix last); patterns with parameters |
//! | at each segment, from the left | text; text with parameters (the most text first); `uuid`; `int`; `float`; a regular expression (the longest first, then by text); `str`; `path` |
//! | at one path | a route of this very shape; one that takes it for its [`Slashes`] |
//!
//! Where the more specific way leads to no route that takes the method, the less specific one is tried.
//!
//! # Methods
//!
//! A route for `GET` takes `HEAD`. A route for any method takes what no other route of its shape names.
//!
//! # Work
//!
//! A look-up visits each node of the tree once at most, whatever the path, and does not allocate, but for escapes
//! and regular expressions, for numbers and such that share a segment with other parameters, and for a route
//! with more than four parameters. Whole regular expressions are tried one after the other.

mod builder;
mod converter;
mod error;
mod explain;
mod host;
mod leaf;
mod methods;
mod mixed;
mod params;
mod pattern;
mod percent;
mod regex;
mod route;
mod statics;
#[cfg(test)]
mod tests;
mod tree;
mod url;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use http::{Method, Uri};

pub use builder::RouterBuilder;
pub(crate) use error::list;
pub use error::{Problem, RouteError, RouteErrors};
pub use explain::{Explanation, Verdict};
pub use methods::{Allow, Methods};
pub use params::Params;
pub(crate) use pattern::Pattern;
pub use regex::{PathRegex, regex};
pub use route::{PathPattern, Route, RouteSpec, Slashes};
pub use url::UrlError;

use host::Hosts;
use leaf::Leaf;
use params::Spans;
use tree::{Search, Sought, Tree};

/// Finds the route for a host, a path and a method. It never changes: make another for other routes.
pub struct Router<T> {
    routes: Vec<Route<T>>,
    trees: Hosts<Tree>,
    /// The first route of each name.
    names: BTreeMap<Box<str>, usize>,
    /// Every method that a route names, once.
    methods: Vec<Method>,
    /// Whether a route takes any method.
    any: bool,
}

/// A route that takes a request.
struct Found<'r, T> {
    route: &'r Route<T>,
    spans: Spans,
    /// Whether it sends the client to its own path.
    redirect: bool,
}

/// What a [`Router`] says of a method and a path.
#[derive(Debug)]
#[non_exhaustive]
pub enum Match<'r, T> {
    /// A route takes it.
    #[non_exhaustive]
    Found {
        /// The route's value.
        value: &'r T,
        /// The values of its parameters.
        params: Params,
        /// Its pattern.
        pattern: &'r str,
    },
    /// A route takes it at the path that differs by the last slash, and sends the client there: 308.
    #[non_exhaustive]
    Redirect {
        /// That path, without a query. It is one of this server, whatever the client sent: never `//host/`.
        path: String,
    },
    /// Routes match the path, and none of them takes the method: 405.
    #[non_exhaustive]
    MethodNotAllowed {
        /// What they do take.
        allow: Allow,
    },
    /// Routes match the path, and the method is one that no route of the router takes and that no registry
    /// lists: 501.
    NotImplemented,
    /// No route matches the path: 404.
    NotFound,
    /// The path has an escape that is none, or does not decode to UTF-8: 400.
    BadPath,
}

impl<T> Router<T> {
    /// No routes yet.
    pub fn builder() -> RouterBuilder<T> {
        RouterBuilder::default()
    }

    fn new(routes: Vec<Route<T>>, trees: Hosts<Tree>, names: BTreeMap<Box<str>, usize>) -> Self {
        let (mut methods, mut any) = (BTreeMap::new(), false);
        for route in &routes {
            match route.methods() {
                Methods::Any => any = true,
                Methods::Only(named) => methods.extend(named.iter().map(|method| (method.as_str(), method))),
            }
        }
        let methods = methods.into_values().cloned().collect();
        Self { trees, names, methods, any, routes }
    }

    /// The route that takes `method` for the path of `uri`, on `host`.
    ///
    /// The host is that of the request, as it was sent: with a port or without. It only matters where a route
    /// names hosts; see [`names_hosts`](Self::names_hosts). Of the URI only the path is looked at. A target
    /// without one (`*`, or the authority of a CONNECT) is never found.
    pub fn find(&self, method: &Method, uri: &Uri, host: Option<&str>) -> Match<'_, T> {
        let Some(target) = uri.path_and_query() else { return Match::NotFound };
        if !target.path().starts_with('/') {
            return Match::NotFound;
        }
        let Some(sought) = Sought::new(target.path()) else { return Match::BadPath };
        let mut exists = false;
        match self.look_up(method, sought, host, |leaf| exists |= !leaf.is_empty()) {
            Some(Found { route, redirect: true, .. }) => {
                Match::Redirect { path: local(&route.with_own_end(sought.path)) }
            }
            Some(Found { route, spans, .. }) => {
                let params = Params::new(&route.params, target, spans);
                Match::Found { value: route.value(), params, pattern: route.pattern() }
            }
            None if exists => self.not_allowed(method, sought, host),
            None => Match::NotFound,
        }
    }

    /// The route that takes a request; `pass` is shown the leaves that the path leads to until then.
    #[inline]
    fn look_up(
        &self,
        method: &Method,
        sought: Sought<'_>,
        host: Option<&str>,
        mut pass: impl FnMut(&Leaf),
    ) -> Option<Found<'_, T>> {
        let mut search = Search::new(sought, |leaf: &Leaf| {
            let taken = leaf.route(method);
            if taken.is_none() {
                pass(leaf);
            }
            taken
        });
        let taken = self.trees.search(host, |tree| search.run(tree))?;
        let route = self.routes.get(taken.route as usize)?;
        Some(Found {
            route,
            spans: search.spans,
            redirect: taken.other && route.slashes() == Slashes::Redirect,
        })
    }

    /// Looks a second time, so that what is found needs no list of what was passed over.
    fn not_allowed(&self, method: &Method, sought: Sought<'_>, host: Option<&str>) -> Match<'_, T> {
        if !self.knows(method) {
            return Match::NotImplemented;
        }
        let mut methods = Vec::new();
        let _ = self.look_up(method, sought, host, |leaf| methods.extend(leaf.methods().cloned()));
        Match::MethodNotAllowed { allow: Allow::of(methods) }
    }

    /// Whether a route names hosts, so that the host of a request matters.
    pub fn names_hosts(&self) -> bool {
        self.trees.any_named()
    }

    /// The first route of this name.
    fn named(&self, name: &str) -> Option<&Route<T>> {
        self.names.get(name).and_then(|&index| self.routes.get(index))
    }

    /// What the router allows on one path or another: the answer to `OPTIONS *`.
    pub fn allow(&self) -> Allow {
        let usual = if self.any { methods::USUAL.to_vec() } else { Vec::new() };
        Allow::of(self.methods.iter().cloned().chain(usual))
    }

    /// Whether the router knows `method`: a route takes it, or the registry of methods lists it.
    pub fn knows(&self, method: &Method) -> bool {
        self.any || self.methods.contains(method) || methods::is_registered(method)
    }

    /// The routes, in the order of their patterns.
    pub fn routes(&self) -> impl Iterator<Item = &Route<T>> {
        let mut routes: Vec<&Route<T>> = self.routes.iter().collect();
        routes.sort_by(|a, b| a.pattern().cmp(b.pattern()));
        routes.into_iter()
    }
}

/// A path that no client takes for another host's: some read a second slash, or a `\`, as the beginning of one
/// (RFC 3986, section 4.2).
fn local(path: &str) -> String {
    let path = path.replace('\\', "%5C");
    if path.starts_with("//") { format!("/.{path}") } else { path }
}

impl<T> fmt::Debug for Router<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes()).finish()
    }
}
