//! The router: from a method and a path to a value.
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
//! | `{name:path}` | all that is left, slashes included, which may be nothing; the last segment only |
//!
//! A path is split on `/` as it was sent, and each segment is percent-decoded once; so `%2F` never separates.
//! `/cakes` and `/cakes/` are two paths. Neither `.` nor `..` means anything here.
//!
//! # Precedence
//!
//! At each segment, from the left: static, then `int`, then `str`, then `path`. Where the more specific way leads
//! to no route that takes the method, the less specific one is tried.
//!
//! # Methods
//!
//! A route for `GET` takes `HEAD`. A route for any method takes what no other route of its shape names.

mod error;
mod methods;
mod params;
mod pattern;
mod percent;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{Method, Uri};

pub(crate) use error::list;
pub use error::{Problem, RouteError, RouteErrors};
pub use methods::{Allow, Methods};
pub use params::Params;
pub(crate) use pattern::Pattern;

use params::Spans;
use pattern::Param;
use tree::{Leaf, Tree};

/// Routes, on their way to a [`Router`].
///
/// ```
/// use bakestone::router::{Match, Router};
/// use http::{Method, Uri};
///
/// let mut routes = Router::builder();
/// routes.insert("/cakes/{id:int}", Method::GET, "one of them");
/// routes.insert("/cakes/{name}", Method::GET, "one by name");
/// let router = routes.build()?;
///
/// let uri = Uri::from_static("/cakes/7");
/// let Match::Found { value, params, .. } = router.find(&Method::HEAD, &uri) else { panic!("there is a route") };
/// assert_eq!((*value, params.get("id").as_deref()), ("one of them", Some("7")));
/// # Ok::<(), bakestone::router::RouteErrors>(())
/// ```
pub struct RouterBuilder<T> {
    routes: Vec<Route<T>>,
}

/// One route: a pattern, the methods it takes, and a value.
pub struct Route<T> {
    pattern: String,
    methods: Methods,
    value: T,
    location: &'static Location<'static>,
    params: Arc<[Param]>,
}

impl<T> Route<T> {
    /// The pattern, as it was given.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The methods, as they were given.
    pub fn methods(&self) -> &Methods {
        &self.methods
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Where the route was added.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// The names of the parameters, in the order of the pattern.
    pub fn params(&self) -> impl ExactSizeIterator<Item = &str> {
        self.params.iter().map(|param| &*param.name)
    }
}

impl<T> RouterBuilder<T> {
    /// Adds a route. What is wrong with it is said by [`build`](Self::build), with the place of this call.
    #[track_caller]
    pub fn insert(&mut self, pattern: impl Into<String>, methods: impl Into<Methods>, value: T) {
        self.insert_at(pattern, methods, value, Location::caller());
    }

    /// Adds a route, as from `location`.
    pub fn insert_at(
        &mut self,
        pattern: impl Into<String>,
        methods: impl Into<Methods>,
        value: T,
        location: &'static Location<'static>,
    ) {
        let (pattern, methods) = (pattern.into(), methods.into());
        self.routes.push(Route { pattern, methods, value, location, params: Arc::default() });
    }

    /// The router of these routes.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any of them: patterns that are malformed, and routes of the same shape that
    /// take the same method.
    pub fn build(mut self) -> Result<Router<T>, RouteErrors> {
        let (mut tree, mut errors) = (Tree::new(), Vec::new());
        for index in 0..self.routes.len() {
            let (earlier, rest) = self.routes.split_at_mut(index);
            let Some(route) = rest.first_mut() else { break };
            let problems = match Pattern::parse(&route.pattern) {
                Ok(pattern) => {
                    route.params = pattern.params;
                    plant(tree.leaf(&pattern.segments), index, &route.methods, earlier)
                }
                Err(problems) => problems,
            };
            errors.extend(problems.into_iter().map(|problem| RouteError {
                pattern: route.pattern.clone(),
                location: route.location,
                problem,
            }));
        }
        match errors.is_empty() {
            true => Ok(Router::new(self.routes, tree)),
            false => Err(RouteErrors(errors)),
        }
    }
}

/// Puts the route `index` where its shape leads, and says what stands there already.
fn plant<T>(leaf: &mut Leaf, index: usize, methods: &Methods, earlier: &[Route<T>]) -> Vec<Problem> {
    let conflict = |method: Option<&Method>, taken: usize| {
        let other = earlier.get(taken)?;
        let (pattern, location) = (other.pattern.clone(), other.location);
        Some(Problem::Conflict { method: method.cloned(), pattern, location })
    };
    match methods {
        Methods::Any => {
            leaf.insert(None, index).err().and_then(|taken| conflict(None, taken)).into_iter().collect()
        }
        Methods::Only(methods) if methods.is_empty() => vec![Problem::NoMethods],
        Methods::Only(methods) => methods
            .iter()
            // A method that one route names twice finds the route itself, which is no conflict.
            .filter_map(|method| {
                leaf.insert(Some(method), index).err().and_then(|taken| conflict(Some(method), taken))
            })
            .collect(),
    }
}

/// Finds the route for a method and a path. It never changes: make another for other routes.
pub struct Router<T> {
    routes: Vec<Route<T>>,
    tree: Tree,
    /// Every method that a route names.
    named: Vec<Method>,
    /// Whether a route takes any method.
    any: bool,
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
        RouterBuilder { routes: Vec::new() }
    }

    fn new(routes: Vec<Route<T>>, tree: Tree) -> Self {
        let mut named = Vec::new();
        for route in &routes {
            if let Methods::Only(methods) = &route.methods {
                named.extend(methods.iter().cloned());
            }
        }
        let any = routes.iter().any(|route| route.methods == Methods::Any);
        Self { routes, tree, named, any }
    }

    /// The route that takes `method` for the path of `uri`.
    ///
    /// It looks at nothing else of the URI. A target without a path (`*`, or the authority of a CONNECT) is
    /// never found.
    pub fn find(&self, method: &Method, uri: &Uri) -> Match<'_, T> {
        let Some(target) = uri.path_and_query() else { return Match::NotFound };
        let Some(path) = target.path().strip_prefix('/') else { return Match::NotFound };
        if !percent::is_valid(path) {
            return Match::BadPath;
        }
        let (mut spans, mut exists) = (Spans::default(), false);
        let found = self.tree.search(path, &mut spans, |leaf| {
            exists = true;
            leaf.route(method)
        });
        match found.and_then(|index| self.routes.get(index)) {
            Some(route) => self.found(route, target, spans),
            None if exists => self.not_allowed(method, path),
            None => Match::NotFound,
        }
    }

    fn found<'r>(&self, route: &'r Route<T>, target: &PathAndQuery, spans: Spans) -> Match<'r, T> {
        let params = Params::new(&route.params, target, spans);
        Match::Found { value: &route.value, params, pattern: &route.pattern }
    }

    /// Looks a second time, so that what is found needs no list of what was passed over.
    fn not_allowed(&self, method: &Method, path: &str) -> Match<'_, T> {
        if !self.knows(method) {
            return Match::NotImplemented;
        }
        let mut methods = Vec::new();
        let mut collect = |leaf: &Leaf| {
            methods.extend(leaf.methods().cloned());
            None::<()>
        };
        let _ = self.tree.search(path, &mut Spans::default(), &mut collect);
        Match::MethodNotAllowed { allow: Allow::of(methods) }
    }

    /// What the router allows on one path or another: the answer to `OPTIONS *`.
    pub fn allow(&self) -> Allow {
        let usual = if self.any { methods::USUAL.to_vec() } else { Vec::new() };
        Allow::of(self.named.iter().cloned().chain(usual))
    }

    /// Whether the router knows `method`: a route takes it, or the registry of methods lists it.
    pub fn knows(&self, method: &Method) -> bool {
        self.any || self.named.contains(method) || methods::is_registered(method)
    }

    /// The routes, in the order of their patterns.
    pub fn routes(&self) -> impl Iterator<Item = &Route<T>> {
        let mut routes: Vec<&Route<T>> = self.routes.iter().collect();
        routes.sort_by(|a, b| a.pattern.cmp(&b.pattern));
        routes.into_iter()
    }
}

impl<T> Default for RouterBuilder<T> {
    fn default() -> Self {
        Router::builder()
    }
}

impl<T> fmt::Debug for Route<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({:?} {:?}, at {})", self.methods, self.pattern, self.location)
    }
}

impl<T> fmt::Debug for RouterBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.routes).finish()
    }
}

impl<T> fmt::Debug for Router<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes()).finish()
    }
}
