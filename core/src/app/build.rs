//! From what was put together to what works, or to everything that is wrong with it.

use std::panic::Location;
use std::sync::Arc;

use super::build_error::{BuildError, BuildErrors};
use super::extract::Requirements;
use super::level::Level;
use super::method_router::{Endpoint, Entry};
use super::middleware::Link;
use super::mounts::{Area, Mounted, Mounts, count_segments, prefixes};
use super::on_error::{ErrorHandlers, Registered};
use super::service::{AppService, Core, Place, Route};
use super::state::{States, Stored};
use super::{App, Group, Layer, Registration};
use crate::router::{Methods, Pattern, RouteError, RouteErrors, RouterBuilder};

pub(super) fn build(app: App) -> Result<AppService, BuildErrors> {
    let mut build = Build::default();
    let (root, links) = build.place(app, String::new(), None);
    let Build { mut errors, routes, mounted } = build;
    match (routes.build(), prefixes(&mounted)) {
        (Ok(router), Ok(prefixes)) if errors.is_empty() => {
            let mounts =
                Mounts::new(mounted, prefixes, &router).map_err(|error| BuildErrors(wrong(error)))?;
            let root = Area { place: root, router };
            return Ok(AppService(Arc::new(Core { root, mounts, chain: links.into() })));
        }
        (router, prefixes) => {
            errors.extend(router.err().into_iter().flat_map(wrong));
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
}

impl Build {
    /// Gathers `app`, whose paths begin with `prefix`. Given back is also its own middleware, which is in the
    /// place's chain unless it is the outermost application's.
    fn place(&mut self, app: App, prefix: String, outer: Option<&Arc<Place>>) -> (Arc<Place>, Vec<Link>) {
        let known = known_paths(&app, &prefix, outer);
        let level = Arc::new(self.level(app.states, app.error_handlers, app.debug, outer));
        let links = self.links(app.middleware, &level, &known);
        let chain = outer.map(|outer| [&outer.chain[..], &links[..]].concat()).unwrap_or_default();
        let place = Arc::new(Place {
            chain: chain.into(),
            limits: app.limits.within(outer.map(|outer| outer.limits).unwrap_or_default()),
            fallback: self.fallback(app.fallbacks, &level, &known),
            depth: count_segments(&prefix),
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
    fn links(&mut self, middleware: Vec<Layer>, level: &Arc<Level>, paths: &[String]) -> Vec<Link> {
        for (middleware, location) in &middleware {
            let (needs, name) = (middleware.requirements(), middleware.name());
            self.check_states(&needs, name, None, &level.states, location);
            self.check_params(&needs, name, paths, location);
        }
        let link = |(middleware, _)| Link { middleware, level: level.clone() };
        middleware.into_iter().map(link).collect()
    }

    /// The one fallback. What is known of the path is only the prefix.
    fn fallback(
        &mut self,
        fallbacks: Vec<Entry>,
        level: &Level,
        paths: &[String],
    ) -> Option<Arc<dyn Endpoint>> {
        let mut fallbacks = fallbacks.into_iter();
        let Entry { endpoint, location: first, .. } = fallbacks.next()?;
        let again = fallbacks.map(|Entry { location, .. }| BuildError::SameFallback { location, first });
        self.errors.extend(again);
        let (needs, name) = (endpoint.requirements(), endpoint.name());
        self.check_states(&needs, name, None, &level.states, first);
        self.check_params(&needs, name, paths, first);
        Some(endpoint)
    }

    fn group(&mut self, group: Group, outer: &Arc<Place>) {
        let Group { prefix, app, location } = group;
        let Some(prefix) = prefix else {
            let merged = |fallback: &Entry| BuildError::MergedFallback { location: fallback.location };
            self.errors.extend(app.fallbacks.iter().map(merged));
            self.place(app, outer.prefix.clone(), Some(outer));
            return;
        };
        if let Err(error) = check_prefix(&prefix, location) {
            return self.errors.extend(error);
        }
        let prefix = format!("{}{}", outer.prefix, prefix.strip_suffix('/').unwrap_or(&prefix));
        let earlier = self.mounted.len();
        let (place, _) = self.place(app, prefix.clone(), Some(outer));
        let within = self.mounted.iter().skip(earlier);
        // What is mounted at the root of a mount answers in its place.
        if !within.into_iter().any(|inner| inner.place.prefix == prefix) {
            self.mounted.push(Mounted { place, location });
        }
    }

    fn route(&mut self, route: Registration, place: &Arc<Place>) {
        let Registration { paths, methods, location } = route;
        let paths: Vec<String> = paths.iter().flat_map(|path| joined(&place.prefix, path)).collect();
        let Some(first) = paths.first() else { return self.errors.push(BuildError::NoPath { location }) };
        if methods.entries.is_empty() {
            return self.errors.push(BuildError::NoHandler { path: first.clone(), location });
        }
        let limits = methods.limits.within(place.limits);
        let links = self.links(methods.middleware, &place.level, &paths);
        let chain: Arc<[Link]> = match links.is_empty() {
            true => place.chain.clone(),
            false => [&place.chain[..], &links[..]].concat().into(),
        };
        for entry in self.usable(methods.entries) {
            self.check_needs(&paths, &entry, &place.level.states);
            let method = entry.method.and_then(Result::ok);
            let (place, chain) = (place.clone(), chain.clone());
            let route = Arc::new(Route { endpoint: entry.endpoint, place, chain, limits });
            for path in &paths {
                self.routes.insert_at(path.as_str(), Methods::from(method.clone()), route.clone(), location);
            }
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
    fn check_needs(&mut self, paths: &[String], entry: &Entry, states: &States) {
        let needs = entry.endpoint.requirements();
        let (handler, location) = (entry.endpoint.name(), entry.location);
        self.check_states(&needs, handler, paths.first(), states, location);
        self.check_params(&needs, handler, paths, location);
    }

    fn check_params(
        &mut self,
        needs: &Requirements,
        handler: &'static str,
        paths: &[String],
        location: &'static Location<'static>,
    ) {
        for path in paths {
            // What is malformed is said by the router.
            let Ok(pattern) = Pattern::parse(path) else { continue };
            let names: Vec<&str> = pattern.params.iter().map(|param| &*param.name).collect();
            let (found, (needed, lacking)) = (names.len(), needs.of_path(&names));
            if found < needed {
                let path = path.clone();
                self.errors.push(BuildError::TooFewParams { needed, found, handler, path, location });
            }
            for param in lacking {
                self.errors.push(BuildError::NoParam { param, handler, path: path.clone(), location });
            }
        }
    }

    fn check_states(
        &mut self,
        needs: &Requirements,
        of: &'static str,
        path: Option<&String>,
        states: &States,
        location: &'static Location<'static>,
    ) {
        for &(id, state) in &needs.states {
            if !states.has(id) {
                self.errors.push(BuildError::NoState { state, of, path: path.cloned(), location });
            }
        }
    }
}

/// What is known of the paths for which the middleware of `app` runs: those of its routes if it is merged, else the
/// prefix, since it runs also where there is no route.
fn known_paths(app: &App, prefix: &str, outer: Option<&Arc<Place>>) -> Vec<String> {
    if outer.is_some_and(|outer| outer.prefix == prefix) {
        let paths = app.routes.iter().flat_map(|route| &route.paths);
        return paths.flat_map(|path| joined(prefix, path)).collect();
    }
    vec![if prefix.is_empty() { "/".to_owned() } else { prefix.to_owned() }]
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
fn joined(prefix: &str, path: &str) -> Vec<String> {
    match path {
        // The router says what is wrong with it, in the words of the application.
        _ if !path.starts_with('/') => vec![path.to_owned()],
        "/" if !prefix.is_empty() => vec![prefix.to_owned(), format!("{prefix}/")],
        _ => vec![format!("{prefix}{path}")],
    }
}
