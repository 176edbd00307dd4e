//! From what was put together to what works, or to everything that is wrong with it.

use std::panic::Location;
use std::sync::Arc;

use super::build_error::{BuildError, BuildErrors};
use super::extract::Requirements;
use super::level::Level;
use super::method_router::{Endpoint, Entry};
use super::middleware::Link;
use super::on_error::{ErrorHandlers, Registered};
use super::service::{AppService, Core, Place, Route};
use super::state::{States, Stored};
use super::{App, Group, Layer, Registration};
use crate::router::{Methods, Pattern, RouteError, RouteErrors, RouterBuilder};

pub(super) fn build(app: App) -> Result<AppService, BuildErrors> {
    let mut build = Build::default();
    let (root, links) = build.place(app, String::new(), None);
    let Build { mut errors, routes, mounts } = build;
    let wrong = |error: RouteErrors| once_a_pattern(error.into_errors()).into_iter().map(BuildError::Route);
    match (routes.build(), mounts.build()) {
        (Ok(router), Ok(mounts)) if errors.is_empty() => {
            return Ok(AppService(Arc::new(Core { router, mounts, root, chain: links.into() })));
        }
        (router, mounts) => {
            errors.extend(router.err().into_iter().flat_map(wrong));
            errors.extend(mounts.err().into_iter().flat_map(wrong));
        }
    }
    Err(BuildErrors(errors))
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
    mounts: RouterBuilder<Arc<Place>>,
}

impl Build {
    /// Gathers `app`, whose paths begin with `prefix`. Given back is also its own middleware, which is in the
    /// place's chain unless it is the outermost application's.
    fn place(&mut self, app: App, prefix: String, outer: Option<&Arc<Place>>) -> (Arc<Place>, Vec<Link>) {
        let level = Arc::new(self.level(app.states, app.error_handlers, app.debug, outer));
        let links = self.links(app.middleware, &level);
        let chain = outer.map(|outer| [&outer.chain[..], &links[..]].concat()).unwrap_or_default();
        let place = Arc::new(Place {
            chain: chain.into(),
            limits: app.limits.within(outer.map(|outer| outer.limits).unwrap_or_default()),
            fallback: app.fallback.and_then(|fallback| self.fallback(fallback, &level)),
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

    fn links(&mut self, middleware: Vec<Layer>, level: &Arc<Level>) -> Vec<Link> {
        for (middleware, location) in &middleware {
            self.check_states(middleware.requirements(), middleware.name(), None, &level.states, location);
        }
        let link = |(middleware, _)| Link { middleware, level: level.clone() };
        middleware.into_iter().map(link).collect()
    }

    fn fallback(&mut self, fallback: Entry, level: &Level) -> Option<Arc<dyn Endpoint>> {
        let endpoint = fallback.endpoint;
        let needs = endpoint.requirements();
        self.check_states(needs, endpoint.name(), None, &level.states, fallback.location);
        Some(endpoint)
    }

    fn group(&mut self, group: Group, outer: &Arc<Place>) {
        let Group { prefix, app, location } = group;
        let Some(prefix) = prefix else {
            if let Some(fallback) = &app.fallback {
                self.errors.push(BuildError::MergedFallback { location: fallback.location });
            }
            self.place(app, outer.prefix.clone(), Some(outer));
            return;
        };
        let prefix = prefix.strip_suffix('/').unwrap_or(&prefix);
        if !prefix.is_empty() && !prefix.starts_with('/') {
            let prefix = prefix.to_owned();
            return self.errors.push(BuildError::BadPrefix { prefix, location });
        }
        let prefix = format!("{}{prefix}", outer.prefix);
        let (place, _) = self.place(app, prefix.clone(), Some(outer));
        if !prefix.is_empty() {
            self.mounts.insert_at(prefix.as_str(), Methods::Any, place.clone(), location);
        }
        // A name that no pattern of the mount's own could have.
        self.mounts.insert_at(format!("{prefix}/{{__rest:path}}"), Methods::Any, place, location);
    }

    fn route(&mut self, route: Registration, place: &Arc<Place>) {
        let Registration { paths, methods, location } = route;
        let paths: Vec<String> = paths.iter().flat_map(|path| joined(&place.prefix, path)).collect();
        let Some(first) = paths.first() else { return self.errors.push(BuildError::NoPath { location }) };
        if methods.entries.is_empty() {
            return self.errors.push(BuildError::NoHandler { path: first.clone(), location });
        }
        let limits = methods.limits.within(place.limits);
        let links = self.links(methods.middleware, &place.level);
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
        let (handler, location, needed) = (entry.endpoint.name(), entry.location, needs.params);
        self.check_states(needs, handler, paths.first(), states, location);
        for path in paths {
            // What is malformed is said by the router.
            let Ok(pattern) = Pattern::parse(path) else { continue };
            let found = pattern.params.len();
            if found < needed {
                let path = path.clone();
                self.errors.push(BuildError::TooFewParams { needed, found, handler, path, location });
            }
        }
    }

    fn check_states(
        &mut self,
        needs: Requirements,
        of: &'static str,
        path: Option<&String>,
        states: &States,
        location: &'static Location<'static>,
    ) {
        for (id, state) in needs.states {
            if !states.has(id) {
                self.errors.push(BuildError::NoState { state, of, path: path.cloned(), location });
            }
        }
    }
}

/// `path` in a mount at `prefix`, whose root is there with and without a slash at the end.
fn joined(prefix: &str, path: &str) -> Vec<String> {
    match path {
        "/" if !prefix.is_empty() => vec![prefix.to_owned(), format!("{prefix}/")],
        _ => vec![format!("{prefix}{path}")],
    }
}
