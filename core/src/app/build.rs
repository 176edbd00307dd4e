//! From what was put together to what works, or to everything that is wrong with it.

use std::panic::Location;
use std::sync::Arc;

use super::build_error::{BuildError, BuildErrors};
use super::deserialize::Unfit;
use super::extract::Requirements;
use super::level::Level;
use super::matching::{Matched, Matching};
use super::method_router::{Endpoint, Entry};
use super::middleware::Link;
use super::mounts::{Mounted, count_segments, hosts_left, prefixes};
use super::on_error::{ErrorHandlers, Registered};
use super::service::{AppService, Core, Place, Route};
use super::state::{States, Stored};
use super::urls::{Names, Urls};
use super::{App, Group, Layer, Registration};
use crate::router::{PathPattern, Pattern, RouteError, RouteErrors, RouteSpec, RouterBuilder};

pub(super) fn build(app: App) -> Result<AppService, BuildErrors> {
    let mut build = Build::default();
    let (root, links) = build.place(app, String::new(), None, known_below(""));
    let Build { mut errors, routes, mounted, names, urls } = build;
    match (routes.build(), prefixes(&mounted)) {
        (Ok(routes), Ok(prefixes)) if errors.is_empty() => {
            urls.set(names);
            let core = Core::new(routes, root, (mounted, prefixes), links.into());
            return Ok(AppService(Arc::new(core.map_err(|error| BuildErrors(wrong(error)))?)));
        }
        (routes, prefixes) => {
            errors.extend(routes.err().into_iter().flat_map(wrong));
            errors.extend(prefixes.err().into_iter().flatten());
        }
    }
    Err(BuildErrors(errors))
}

fn wrong(errors: RouteErrors) -> Vec<BuildError> {
    once_a_pattern(errors.into_errors()).into_iter().map(BuildError::Route).collect()
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

/// What has been gathered of an application and of what is mounted in it.
#[derive(Default)]
struct Build {
    errors: Vec<BuildError>,
    routes: RouterBuilder<Arc<Route>>,
    mounted: Vec<Mounted>,
    names: Names,
    /// The outermost application's, whose table all others share.
    urls: Urls,
}

impl Build {
    /// Gathers `app`, whose paths begin with `prefix`. Given back is also its own middleware, which is in the
    /// place's chain unless it is the outermost application's. `known` is what it may know of the paths.
    fn place(
        &mut self,
        app: App,
        prefix: String,
        outer: Option<&Arc<Place>>,
        known: Vec<PathPattern>,
    ) -> (Arc<Place>, Vec<Link>) {
        let urls = match outer {
            Some(outer) => outer.level.states.urls().within(app.name.as_deref()),
            None => self.urls.clone(),
        };
        let level = Arc::new(self.level(app.states, app.error_handlers, app.debug, outer).with_urls(urls));
        let matched = self.matched(app.matching, outer.map(|outer| &outer.matched));
        let links = self.links(app.middleware, &level, &known);
        let chain = outer.map(|outer| [&outer.chain[..], &links[..]].concat()).unwrap_or_default();
        let place = Arc::new(Place {
            chain: chain.into(),
            limits: app.limits.within(outer.map(|outer| outer.limits).unwrap_or_default()),
            fallback: self.fallback(app.fallbacks, &level, &known),
            depth: count_segments(&prefix),
            matched,
            prefix,
            level,
        });
        for route in app.routes {
            self.route(route, &place);
        }
        for group in app.groups {
            self.group(group, &place);
        }
        (place, links)
    }

    fn matched(&mut self, matching: Matching, outer: Option<&Matched>) -> Matched {
        let (matched, wrong) = matching.within(outer.unwrap_or(&Matched::default()));
        self.errors.extend(wrong);
        matched
    }

    fn level(
        &mut self,
        states: Vec<Stored>,
        handlers: Vec<Result<Registered, BuildError>>,
        debug: Option<bool>,
        outer: Option<&Arc<Place>>,
    ) -> Level {
        let outer = outer.map(|outer| outer.level.clone());
        let (states, again) = States::new(states);
        self.errors.extend(again.into_iter().map(|(stored, first)| BuildError::SameState {
            state: stored.type_name,
            location: stored.location,
            first,
        }));
        let mut usable = Vec::new();
        for handler in handlers {
            match handler {
                Ok(handler) => usable.push(handler),
                Err(error) => self.errors.push(error),
            }
        }
        let (errors, again) = ErrorHandlers::new(usable);
        self.errors.extend(again.into_iter().map(|(handler, first)| BuildError::SameErrorHandler {
            of: handler.key.to_string(),
            location: handler.location,
            first,
        }));
        Level {
            states: match &outer {
                Some(outer) => states.within(&outer.states),
                None => states,
            },
            errors,
            debug: debug.unwrap_or_else(|| outer.as_ref().is_some_and(|outer| outer.debug)),
            outer,
        }
    }

    /// Middleware in its place, which runs for each of `paths`, and for paths that begin with them.
    fn links(&mut self, middleware: Vec<Layer>, level: &Arc<Level>, paths: &[PathPattern]) -> Vec<Link> {
        for (middleware, location) in &middleware {
            let (needs, name) = (middleware.requirements(), middleware.name());
            self.check_states(&needs, name, None, &level.states, location);
            self.check_params(&needs, name, paths, false, location);
        }
        let link = |(middleware, _)| Link { middleware, level: level.clone() };
        middleware.into_iter().map(link).collect()
    }

    /// The one fallback. What is known of the path is only the prefix.
    fn fallback(
        &mut self,
        fallbacks: Vec<Entry>,
        level: &Level,
        paths: &[PathPattern],
    ) -> Option<Arc<dyn Endpoint>> {
        let mut fallbacks = fallbacks.into_iter();
        let Entry { endpoint, location: first, .. } = fallbacks.next()?;
        let again = fallbacks.map(|Entry { location, .. }| BuildError::SameFallback { location, first });
        self.errors.extend(again);
        let (needs, name) = (endpoint.requirements(), endpoint.name());
        self.check_states(&needs, name, None, &level.states, first);
        self.check_params(&needs, name, paths, false, first);
        Some(endpoint)
    }

    fn group(&mut self, group: Group, outer: &Arc<Place>) {
        let Group { prefix, app, location } = group;
        let Some(prefix) = prefix else {
            let merged = |fallback: &Entry| BuildError::MergedFallback { location: fallback.location };
            self.errors.extend(app.fallbacks.iter().map(merged));
            let known = known_of_routes(&app, &outer.prefix);
            self.place(app, outer.prefix.clone(), Some(outer), known);
            return;
        };
        if let Err(error) = check_prefix(&prefix, location) {
            return self.errors.extend(error);
        }
        let prefix = format!("{}{}", outer.prefix, prefix.strip_suffix('/').unwrap_or(&prefix));
        let earlier = self.mounted.len();
        let (place, _) = self.place(app, prefix.clone(), Some(outer), known_below(&prefix));
        let within = self.mounted.get(earlier..).unwrap_or_default();
        if let Some(hosts) = hosts_left(&place, within) {
            self.mounted.push(Mounted { place, hosts, location });
        }
    }

    fn route(&mut self, route: Registration, place: &Arc<Place>) {
        let Registration { paths, methods, location } = route;
        let paths: Vec<PathPattern> = paths.iter().flat_map(|path| joined(&place.prefix, path)).collect();
        let Some(first) = paths.first() else { return self.errors.push(BuildError::NoPath { location }) };
        if methods.entries.is_empty() {
            return self.errors.push(BuildError::NoHandler { path: first.text().to_owned(), location });
        }
        self.check_regexes(&paths, &place.prefix, location);
        let name = methods.name.map(|name| place.level.states.urls().full(&name));
        if let Some(Err(error)) = name.as_ref().map(|name| self.names.add(name, &paths, location)) {
            self.errors.push(BuildError::Route(error));
        }
        let matched = self.matched(methods.matching, Some(&place.matched));
        let limits = methods.limits.within(place.limits);
        let links = self.links(methods.middleware, &place.level, &paths);
        let chain: Arc<[Link]> = match links.is_empty() {
            true => place.chain.clone(),
            false => [&place.chain[..], &links[..]].concat().into(),
        };
        for entry in self.usable(methods.entries) {
            self.check_needs(&paths, &entry, &place.level.states);
            let method = entry.method.and_then(Result::ok);
            for path in &paths {
                let (endpoint, pattern) = (entry.endpoint.clone(), path.text().into());
                let (place, chain, name) = (place.clone(), chain.clone(), name.clone());
                let route = Arc::new(Route { endpoint, pattern, place, chain, limits, name });
                let spec = RouteSpec::new(path.clone())
                    .methods(method.clone())
                    .hosts(matched.hosts.iter())
                    .slashes(matched.slashes.unwrap_or_default())
                    .at(location);
                self.routes.add(spec, route);
            }
        }
    }

    /// Whether the prefix is text that the regular expressions may begin with.
    fn check_regexes(&mut self, paths: &[PathPattern], prefix: &str, location: &'static Location<'static>) {
        for path in paths.iter().filter(|path| path.is_regex() && prefix.contains('{')) {
            let (regex, prefix) = (path.text().to_owned(), prefix.to_owned());
            self.errors.push(BuildError::RegexBelowParams { regex, prefix, location });
        }
    }

    /// The entries whose method is one, and is given for the first time.
    fn usable(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut usable: Vec<Entry> = Vec::new();
        for entry in entries {
            let location = entry.location;
            if let Some(Err(method)) = &entry.method {
                self.errors.push(BuildError::BadMethod { method: method.clone(), location });
            } else if let Some(earlier) = usable.iter().find(|earlier| earlier.method == entry.method) {
                let method = entry.method.clone().and_then(Result::ok);
                self.errors.push(BuildError::SameMethod { method, location, first: earlier.location });
            } else {
                usable.push(entry);
            }
        }
        usable
    }

    /// Whether the application has the states, and each path the parameters, that the handler takes.
    fn check_needs(&mut self, paths: &[PathPattern], entry: &Entry, states: &States) {
        let needs = entry.endpoint.requirements();
        let (handler, location) = (entry.endpoint.name(), entry.location);
        self.check_states(&needs, handler, paths.first().map(PathPattern::text), states, location);
        self.check_params(&needs, handler, paths, true, location);
    }

    /// Whether each path has what is taken of it; `all` if whoever takes some by their order is to take all.
    fn check_params(
        &mut self,
        needs: &Requirements,
        handler: &'static str,
        paths: &[PathPattern],
        all: bool,
        location: &'static Location<'static>,
    ) {
        for path in paths {
            // What is malformed is said by the router.
            let Ok(pattern) = path.parse() else { continue };
            let path = path.text();
            let names: Vec<&str> = pattern.params.iter().map(|param| &*param.name).collect();
            let found = names.len();
            for unfit in needs.of_path(&names) {
                let path = path.to_owned();
                self.errors.push(match unfit {
                    Unfit::Needs(needed) => {
                        BuildError::TooFewParams { needed, found, handler, path, location }
                    }
                    Unfit::Lacks(param) => BuildError::NoParam { param, handler, path, location },
                    Unfit::TakesOnly(taken) if all => {
                        BuildError::TooManyParams { taken, found, handler, path, location }
                    }
                    Unfit::TakesOnly(_) => continue,
                });
            }
        }
    }

    fn check_states(
        &mut self,
        needs: &Requirements,
        of: &'static str,
        path: Option<&str>,
        states: &States,
        location: &'static Location<'static>,
    ) {
        for &(id, state) in &needs.states {
            if !states.has(id) {
                self.errors.push(BuildError::NoState { state, of, path: path.map(str::to_owned), location });
            }
        }
    }
}

/// What is known of the paths for which the middleware of a mount at `prefix` runs: no more than that, since it runs
/// also where there is no route.
fn known_below(prefix: &str) -> Vec<PathPattern> {
    vec![if prefix.is_empty() { "/".into() } else { prefix.into() }]
}

/// What is known of the paths for which the middleware of `app` runs, which is merged at `prefix`: those of its routes.
fn known_of_routes(app: &App, prefix: &str) -> Vec<PathPattern> {
    let paths = app.routes.iter().flat_map(|route| &route.paths);
    paths.flat_map(|path| joined(prefix, path)).collect()
}

/// Whether an application can be mounted at `prefix`; the empty one and `/` are its own root.
fn check_prefix(prefix: &str, location: &'static Location<'static>) -> Result<(), Vec<BuildError>> {
    if !prefix.is_empty() && !prefix.starts_with('/') {
        return Err(vec![BuildError::BadPrefix { prefix: prefix.to_owned(), location }]);
    }
    // With a segment behind it, as there always is one: nothing comes after what takes all that is left.
    let problems = Pattern::parse(&format!("{}/x", prefix.strip_suffix('/').unwrap_or(prefix))).err();
    let wrong = |problem| BuildError::Route(RouteError { pattern: prefix.to_owned(), location, problem });
    problems.map_or(Ok(()), |problems| Err(problems.into_iter().map(wrong).collect()))
}

/// `path` in a mount at `prefix`, whose root is there with and without a slash at the end.
fn joined(prefix: &str, path: &PathPattern) -> Vec<PathPattern> {
    match path.text() {
        _ if path.is_regex() && prefix.contains('{') => vec![path.clone()],
        _ if path.is_regex() => vec![path.below(prefix)],
        // The router says what is wrong with it, in the words of the application.
        text if !text.starts_with('/') => vec![path.clone()],
        "/" if !prefix.is_empty() => vec![prefix.into(), path.below(prefix)],
        _ => vec![path.below(prefix)],
    }
}
