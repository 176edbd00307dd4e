//! The same routes for several routers, and requests for each of them.
//!
//! The rule: each router does what its users need of it. Bakestone's looks at the method and at the types of
//! parameters, since it is made to; the peers are given the paths alone, without methods or types.

use std::hint::black_box;

use bakestone::router::{Match, Router};
use http::{Method, Uri};

/// The routes of GitHub's API, as lines of a method and a pattern.
pub const GITHUB: &str = include_str!("../github.txt");

/// A route: a method, and a pattern as Bakestone has it.
pub type Route = (Method, String);

/// The routes of [`GITHUB`].
pub fn github() -> Vec<Route> {
    let parsed = GITHUB.lines().filter_map(|line| line.split_once(' '));
    parsed.map(|(method, pattern)| (method.parse().unwrap_or_default(), pattern.to_owned())).collect()
}

/// So many routes that differ in a text or another.
pub fn many(count: usize) -> Vec<Route> {
    (0..count).map(|index| (Method::GET, format!("/v{}/things{index}/{{id:int}}/parts", index % 7))).collect()
}

/// A request: a method, and a target.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    uri: Uri,
}

impl Request {
    /// The request that a route takes, with a value for each parameter.
    pub fn of((method, pattern): &Route) -> Self {
        let segment = |segment: &str| match segment.trim_matches(['{', '}']) {
            _ if !segment.starts_with('{') => segment.to_owned(),
            name if name.ends_with(":int") => "70317".to_owned(),
            name if name.ends_with(":path") => "src/router/tree.rs".to_owned(),
            name => format!("some-{name}"),
        };
        let path: Vec<String> = pattern.split('/').map(segment).collect();
        Self { method: method.clone(), uri: path.join("/").parse().unwrap_or_default() }
    }

    /// The requests of GitHub's routes with these many parameters at least, and at most.
    pub fn with(least: usize, most: usize) -> Vec<Self> {
        let routes = github();
        let fits = |(_, pattern): &&Route| (least..=most).contains(&pattern.matches('{').count());
        routes.iter().filter(fits).map(Self::of).collect()
    }
}

/// A router under comparison.
pub trait Candidate {
    /// Its name.
    const NAME: &'static str;

    /// The router of these routes.
    fn new(routes: &[Route]) -> Self;

    /// The route, by its place, that takes the request, and how many parameters it has.
    fn find(&self, request: &Request) -> Option<(usize, usize)>;

    /// Looks all of them up; how many parameters were found.
    fn find_all(&self, requests: &[Request]) -> usize {
        requests
            .iter()
            .filter_map(|request| black_box(self.find(black_box(request))))
            .map(|found| found.1)
            .sum()
    }
}

/// The patterns without methods and types, each once: of the places, those of its first route.
fn plain(routes: &[Route], tail: fn(&str) -> String, param: fn(&str) -> String) -> Vec<(usize, String)> {
    let mut seen = std::collections::BTreeSet::new();
    let segment = |segment: &str| match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        None => segment.to_owned(),
        Some(name) => match name.split_once(':') {
            Some((name, "path")) => tail(name),
            Some((name, _)) => param(name),
            None => param(name),
        },
    };
    let patterns = routes.iter().enumerate().map(|(index, (_, pattern))| {
        let segments: Vec<String> = pattern.split('/').map(segment).collect();
        (index, segments.join("/"))
    });
    patterns.filter(|(_, pattern)| seen.insert(pattern.clone())).collect()
}

impl Candidate for Router<usize> {
    const NAME: &'static str = "bakestone";

    fn new(routes: &[Route]) -> Self {
        let mut builder = Router::builder();
        for (index, (method, pattern)) in routes.iter().enumerate() {
            builder.insert(pattern, method.clone(), index);
        }
        builder.build().unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn find(&self, request: &Request) -> Option<(usize, usize)> {
        match Router::find(self, &request.method, &request.uri, None) {
            Match::Found { value, params, .. } => Some((*value, black_box(&params).len())),
            _ => None,
        }
    }
}

impl Candidate for matchit::Router<usize> {
    const NAME: &'static str = "matchit";

    fn new(routes: &[Route]) -> Self {
        let mut router = Self::new();
        for (index, pattern) in plain(routes, |name| format!("{{*{name}}}"), |name| format!("{{{name}}}")) {
            router.insert(pattern, index).unwrap_or_else(|error| panic!("{error}"));
        }
        router
    }

    fn find(&self, request: &Request) -> Option<(usize, usize)> {
        self.at(request.uri.path()).ok().map(|found| (*found.value, black_box(&found.params).len()))
    }
}

impl Candidate for actix_router::Router<usize> {
    const NAME: &'static str = "actix-router";

    fn new(routes: &[Route]) -> Self {
        let mut router = Self::build();
        let mut patterns = plain(routes, |name| format!("{{{name}}}*"), |name| format!("{{{name}}}"));
        // The first that fits is taken, and `{` comes after all letters.
        patterns.sort_by(|(_, a), (_, b)| a.cmp(b));
        for (index, pattern) in patterns {
            router.path(pattern, index);
        }
        router.finish()
    }

    fn find(&self, request: &Request) -> Option<(usize, usize)> {
        let mut path = actix_router::Path::new(request.uri.path());
        let (value, _) = self.recognize(&mut path)?;
        Some((*value, black_box(&path).segment_count()))
    }
}

impl Candidate for path_tree::PathTree<usize> {
    const NAME: &'static str = "path-tree";

    fn new(routes: &[Route]) -> Self {
        let mut tree = Self::new();
        for (index, pattern) in plain(routes, |name| format!(":{name}*"), |name| format!(":{name}")) {
            let _ = tree.insert(&pattern, index);
        }
        tree
    }

    fn find(&self, request: &Request) -> Option<(usize, usize)> {
        self.find(request.uri.path()).map(|(value, found)| (*value, black_box(found.params()).len()))
    }
}

impl Candidate for wayfind::Router<usize> {
    const NAME: &'static str = "wayfind";

    fn new(routes: &[Route]) -> Self {
        let mut router = wayfind::RouterBuilder::new();
        for (index, pattern) in plain(routes, |name| format!("<*{name}>"), |name| format!("<{name}>")) {
            router.insert(&pattern, index).unwrap_or_else(|error| panic!("{error}"));
        }
        router.build()
    }

    fn find(&self, request: &Request) -> Option<(usize, usize)> {
        self.search(request.uri.path()).map(|found| (*found.data(), black_box(found.parameters()).len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A comparison means something only if all of them find the same.
    fn finds_all<C: Candidate>() {
        for routes in [github(), many(100)] {
            let router = C::new(&routes);
            for (index, route) in routes.iter().enumerate() {
                let (found, params) = router.find(&Request::of(route)).unwrap_or_else(|| panic!("{route:?}"));
                let same = if C::NAME == "bakestone" { found == index } else { routes[found].1 == route.1 };
                assert!(same, "{}: {route:?}: {:?}", C::NAME, routes[found]);
                assert_eq!(params, route.1.matches('{').count(), "{}: {route:?}", C::NAME);
            }
        }
    }

    #[test]
    fn each_finds_every_route() {
        finds_all::<Router<usize>>();
        finds_all::<matchit::Router<usize>>();
        finds_all::<actix_router::Router<usize>>();
        finds_all::<path_tree::PathTree<usize>>();
        finds_all::<wayfind::Router<usize>>();
    }
}
