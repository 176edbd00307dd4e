//! From a set of routes to a router, or to everything that is wrong with the set.

use std::collections::BTreeMap;
use std::fmt;

use http::Method;

use super::Router;
use super::error::{Problem, RouteError, RouteErrors};
use super::host::{Host, Hosts};
use super::methods::Methods;
use super::params::place;
use super::route::{PathPattern, Route, RouteSpec, Slashes};
use super::tree::Draft;

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
/// let Match::Found { value, params, .. } = router.find(&Method::HEAD, &uri, None) else {
///     panic!("there is a route")
/// };
/// assert_eq!((*value, params.get("id").as_deref()), ("one of them", Some("7")));
/// # Ok::<(), bakestone::router::RouteErrors>(())
/// ```
pub struct RouterBuilder<T> {
    routes: Vec<(RouteSpec, T)>,
}

impl<T> RouterBuilder<T> {
    /// Adds a route. What is wrong with it is said by [`build`](Self::build), with the specification's place.
    pub fn add(&mut self, spec: RouteSpec, value: T) {
        self.routes.push((spec, value));
    }

    /// Adds a route of which there is no more to say.
    #[track_caller]
    pub fn insert(&mut self, pattern: impl Into<PathPattern>, methods: impl Into<Methods>, value: T) {
        self.add(RouteSpec::new(pattern).methods(methods), value);
    }

    /// The router of these routes.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any of them: patterns and hosts that are malformed, names that two patterns
    /// have, and routes of the same shape on the same host that take the same method.
    pub fn build(self) -> Result<Router<T>, RouteErrors> {
        let (mut routes, mut problems) = (Vec::with_capacity(self.routes.len()), Vec::new());
        for (spec, value) in self.routes {
            let (route, wrong) = Route::new(spec, value);
            routes.push(route);
            problems.push(wrong);
        }
        let mut planting = Planting { routes: &routes, trees: Hosts::default(), names: BTreeMap::new() };
        for (index, wrong) in problems.iter_mut().enumerate() {
            planting.name(index, wrong);
            if wrong.is_empty() {
                planting.plant(index, wrong);
            }
        }
        let Planting { trees, names, .. } = planting;
        let errors: Vec<RouteError> =
            routes.iter().zip(problems).flat_map(|(route, wrong)| said_of(route, wrong)).collect();
        match errors.is_empty() {
            true => Ok(Router::new(routes, trees.map(Draft::finish), names)),
            false => Err(RouteErrors(errors)),
        }
    }
}

fn said_of<T>(route: &Route<T>, problems: Vec<Problem>) -> impl Iterator<Item = RouteError> {
    let (pattern, location) = (route.pattern(), route.location());
    problems.into_iter().map(move |problem| RouteError { pattern: pattern.to_owned(), location, problem })
}

/// The routes by the place that each takes.
struct Planting<'r, T> {
    routes: &'r [Route<T>],
    trees: Hosts<Draft>,
    names: BTreeMap<Box<str>, usize>,
}

impl<T> Planting<'_, T> {
    /// Keeps the route's name. Routes with the same pattern may share one, since they have the same URLs.
    fn name(&mut self, index: usize, problems: &mut Vec<Problem>) {
        let route = &self.routes[index];
        let Some(name) = route.name() else { return };
        let first = &self.routes[*self.names.entry(name.into()).or_insert(index)];
        if first.pattern() != route.pattern() {
            problems.push(Problem::SameRouteName {
                name: name.to_owned(),
                pattern: first.pattern().to_owned(),
                location: first.location(),
            });
        }
    }

    /// Puts the route where its hosts and its shape lead, and says what stands there already.
    fn plant(&mut self, index: usize, problems: &mut Vec<Problem>) {
        let route = &self.routes[index];
        let hosts: Vec<Option<&Host>> = match route.hosts.is_empty() {
            true => vec![None],
            false => route.hosts.iter().map(Some).collect(),
        };
        for host in hosts {
            let draft = self.trees.entry(host);
            for method in named(route.methods()) {
                if let Err(taken) = draft.leaf(&route.shape).insert(method, place(index)) {
                    // A method that one route names twice finds the route itself, which is no conflict.
                    if taken as usize != index {
                        problems.extend(self.routes.get(taken as usize).map(|other| conflict(method, other)));
                    }
                }
                if route.slashes() != Slashes::Strict {
                    if let Some(leaf) = draft.other_leaf(&route.shape) {
                        leaf.insert_other(method, place(index));
                    }
                }
            }
        }
        let mut seen = Vec::new();
        problems.retain(|problem| {
            !seen.contains(problem) && {
                seen.push(problem.clone());
                true
            }
        });
    }
}

fn conflict<T>(method: Option<&Method>, other: &Route<T>) -> Problem {
    Problem::Conflict {
        method: method.cloned(),
        pattern: other.pattern().to_owned(),
        location: other.location(),
    }
}

/// Each method, or `None` for any.
fn named(methods: &Methods) -> Vec<Option<&Method>> {
    match methods {
        Methods::Any => vec![None],
        Methods::Only(methods) => methods.iter().map(Some).collect(),
    }
}

impl<T> Default for RouterBuilder<T> {
    fn default() -> Self {
        Self { routes: Vec::new() }
    }
}

impl<T> fmt::Debug for RouterBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes.iter().map(|(spec, _)| spec)).finish()
    }
}
