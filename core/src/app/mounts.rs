//! Where mounts lie, and which routes answer there.
//!
//! The rule: what leads into a mount is answered by its own routes, and by those around it that are more specific
//! than its prefix; so neither the answer, nor a 404, nor what a 405 allows comes of a less specific route outside.

use std::cmp::Ordering;
use std::panic::Location;
use std::sync::Arc;

use http::{Method, Uri};

use super::build_error::BuildError;
use super::service::{Place, Route};
use crate::router::{self, Match, Params, Pattern, Problem, RouteError, RouteErrors, RouteSpec, Router};

/// The parameter that takes what is below a prefix. No pattern of an application's own has reason to name one so.
const REST: &str = "/{__rest:path}";

/// A part of the paths: those of the whole application, or those that lead into a mount.
pub(super) struct Area {
    /// Who answers where no route does.
    pub(super) place: Arc<Place>,
    /// The routes that may answer.
    pub(super) router: Arc<Router<Arc<Route>>>,
}

/// A mount that has been gathered.
pub(super) struct Mounted {
    pub(super) place: Arc<Place>,
    /// The hosts on which it takes what is below its prefix; none for all.
    pub(super) hosts: Vec<String>,
    pub(super) location: &'static Location<'static>,
}

/// The hosts on which `place` takes what is below its prefix, beside those `within` it; `None` if there are none left.
pub(super) fn hosts_left(place: &Place, within: &[Mounted]) -> Option<Vec<String>> {
    // What is mounted at the root of a mount answers in its place.
    let mut at_its_root = within.iter().filter(|inner| inner.place.prefix == place.prefix);
    let own = &*place.matched.hosts;
    if own.is_empty() {
        return at_its_root.all(|inner| !inner.hosts.is_empty()).then(Vec::new);
    }
    let taken: Vec<&String> = at_its_root.flat_map(|inner| &inner.hosts).collect();
    let left: Vec<String> = own.iter().filter(|host| !taken.contains(host)).cloned().collect();
    (!left.is_empty()).then_some(left)
}

/// The areas of the mounts.
pub(super) struct Mounts {
    prefixes: Router<usize>,
    areas: Vec<Area>,
}

impl Mounts {
    /// The mounts of an application that has these routes; none of one that mounts nothing.
    pub(super) fn new(
        mounted: Vec<Mounted>,
        prefixes: Router<usize>,
        routes: &Router<Arc<Route>>,
    ) -> Result<Option<Self>, RouteErrors> {
        if mounted.is_empty() {
            return Ok(None);
        }
        let area = |Mounted { place, hosts, .. }: Mounted| {
            let mut within = Router::builder();
            for route in routes.routes() {
                within_mount(route, &place.prefix, &hosts)
                    .into_iter()
                    .for_each(|spec| within.add(spec, route.value().clone()));
            }
            Ok(Area { router: Arc::new(within.build()?), place })
        };
        let areas = mounted.into_iter().map(area).collect::<Result<_, _>>()?;
        Ok(Some(Self { prefixes, areas }))
    }

    /// Whether the host of a request matters.
    pub(super) fn names_hosts(&self) -> bool {
        self.prefixes.names_hosts()
    }

    /// The innermost mount that `uri` leads into on `host`, with the parameters of its prefix; where there are some, what is
    /// below the prefix is a further one.
    pub(super) fn find(&self, uri: &Uri, host: Option<&str>) -> Option<(&Area, Params)> {
        let Match::Found { value, params, .. } = self.prefixes.find(&Method::GET, uri, host) else {
            return None;
        };
        let area = self.areas.get(*value)?;
        match area.place.prefix.contains('{') {
            true => Some((area, params)),
            false => Some((area, Params::default())),
        }
    }
}

/// The routes that may answer outside of mounts: all but the regular expressions of mounts, which may also match what
/// does not lead there, as `/shop-window` does not lead to `/shop`.
pub(super) fn outside(routes: &Arc<Router<Arc<Route>>>) -> Result<Arc<Router<Arc<Route>>>, RouteErrors> {
    let is_of_mount = |route: &Known| route.is_regex() && !route.value().place.prefix.is_empty();
    if !routes.routes().any(is_of_mount) {
        return Ok(routes.clone());
    }
    let mut outside = Router::builder();
    for route in routes.routes().filter(|route| !is_of_mount(route)) {
        outside.add(route.spec().clone(), route.value().clone());
    }
    outside.build().map(Arc::new)
}

/// A route of the application.
type Known = router::Route<Arc<Route>>;

/// The route as it may answer in a mount at `prefix` on `hosts`.
fn within_mount(route: &Known, prefix: &str, hosts: &[String]) -> Option<RouteSpec> {
    let by_path = match route.is_regex() {
        true => regex_leads_into(&route.value().place.prefix, prefix),
        false => leads_into(route.pattern(), prefix),
    };
    if route.hosts().len() == 0 {
        return (by_path && hosts.is_empty()).then(|| route.spec().clone());
    }
    // A regular expression of a mount is for what leads there, whatever its hosts.
    let reaches = !route.is_regex() || leads_into(prefix, &route.value().place.prefix);
    let may_answer = |host: &&str| match compare_hosts(host, hosts) {
        Ordering::Greater => reaches,
        Ordering::Equal => by_path,
        Ordering::Less => false,
    };
    let answering: Vec<String> = route.hosts().filter(may_answer).map(str::to_owned).collect();
    (!answering.is_empty()).then(|| route.spec().clone().with_hosts(answering))
}

/// How specific a route's host is beside that of the hosts of a mount which is the closest to it.
fn compare_hosts(host: &str, hosts: &[String]) -> Ordering {
    let all = if hosts.is_empty() { Some(Ordering::Greater) } else { None };
    let compared = hosts.iter().filter_map(|other| RouteSpec::compare_hosts(host, other));
    all.or(compared.max()).unwrap_or(Ordering::Less)
}

/// Whether a path that leads into a mount at `prefix` may be answered by a regular expression from the place `own`: it
/// comes before what has parameters, and after what has none.
fn regex_leads_into(own: &str, prefix: &str) -> bool {
    own == prefix || prefix.contains('{') && leads_into(prefix, own)
}

/// The prefixes of the mounts, each with its index.
///
/// # Errors
///
/// Mounts at prefixes of the same shape.
pub(super) fn prefixes(mounted: &[Mounted]) -> Result<Router<usize>, Vec<BuildError>> {
    let mut prefixes = Router::builder();
    for (index, Mounted { place, hosts, location }) in mounted.iter().enumerate() {
        let mut add =
            |pattern: String| prefixes.add(RouteSpec::new(pattern).hosts(hosts).at(location), index);
        if !place.prefix.is_empty() {
            add(place.prefix.clone());
        }
        add(format!("{}{REST}", place.prefix));
    }
    prefixes.build().map_err(|errors| errors.into_errors().into_iter().filter_map(same_prefix).collect())
}

/// What is told of a prefix that is taken: once, though it stands for two patterns.
fn same_prefix(error: RouteError) -> Option<BuildError> {
    let RouteError { pattern, location, problem } = error;
    let Problem::Conflict { pattern: other, location: first, .. } = problem else {
        return Some(BuildError::Route(RouteError { pattern, location, problem }));
    };
    let prefix = match pattern.strip_suffix(REST) {
        Some("") => "/".to_owned(),
        Some(_) => return None,
        None => pattern,
    };
    let other = if other == REST { "/".to_owned() } else { other };
    Some(BuildError::SamePrefix { prefix, location, other, first })
}

/// How many segments `pattern` has.
pub(super) fn count_segments(pattern: &str) -> usize {
    segments(pattern).len()
}

/// The segments of a pattern, which are cut at each `/` outside of braces.
fn segments(pattern: &str) -> Vec<&str> {
    let slashes = scan(pattern).filter(|&(_, letter, depth)| letter == '/' && depth == 0).map(|(at, ..)| at);
    let mut ends: Vec<usize> = slashes.collect();
    ends.push(pattern.len());
    ends.windows(2).filter_map(|ends| pattern.get(ends[0] + 1..ends[1])).collect()
}

/// Each letter, with its place and with how many braces are open after it; what is escaped in braces is left out.
fn scan(text: &str) -> impl Iterator<Item = (usize, char, usize)> {
    let (mut depth, mut escaped) = (0_usize, false);
    text.char_indices().filter_map(move |(at, letter)| {
        if std::mem::take(&mut escaped) {
            return None;
        }
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '\\' => escaped = depth > 0,
            _ => {}
        }
        Some((at, letter, depth))
    })
}

/// Whether a path that leads into a mount at `prefix` may be answered by a route of `pattern`: at the first segment
/// in which the two differ, it is the route's that is more specific.
fn leads_into(pattern: &str, prefix: &str) -> bool {
    // Every path leads into a mount at the root, whose prefix is no pattern.
    let Ok(prefix) = Pattern::parse(prefix) else { return true };
    Pattern::parse(pattern).is_ok_and(|pattern| pattern.leads_into(&prefix))
}

#[cfg(test)]
mod tests {
    use super::leads_into;

    #[test]
    fn what_answers_in_a_mount() {
        for (pattern, prefix, expected) in [
            ("/shop", "/shop", true),
            ("/shop/", "/shop", true),
            ("/shop/{id}", "/shop", true),
            ("/{a}/{b}", "/shop", false),
            ("/{rest:path}", "/shop", false),
            ("/", "/shop", false),
            ("/submarine", "/sub", false),
            ("/acme/x", "/{tenant}", true),
            ("/{other}/x", "/{tenant}", true),
            ("/{id:int}/x", "/{tenant}", true),
            ("/{name}/x", "/{id:int}", false),
            ("/{name:str}/x", "/{id}", true),
            ("/{rest:path}", "/{tenant}", false),
            ("/{a}", "/{tenant}/area", false),
            ("/{a}/{b}/x", "/{tenant}/area", false),
            (r"/{a:[^/]{2}}/x", r"/{a:[^/]{2}}", true),
            (r"/{a:\}/}/x", r"/{a:\}/}", true),
            ("/{a}-{b}/x", "/{c}", true),
            ("/{c}/x", "/{a}-{b}", false),
            ("/{a:uuid}/x", "/{id:int}", true),
            (r"/{a:\d+}/x", "/{id:float}", false),
            ("/anything", "", true),
            ("/{a}-{b}/y", "/{a}-x-{b}", false),
            ("/{a}-x-{b}/y", "/{a}-{b}", true),
            (r"/{a:\d+}/y", r"/{a:[0-9][0-9]}", false),
            (r"/{a:[0-9][0-9]}/y", r"/{a:\d+}", true),
        ] {
            assert_eq!(leads_into(pattern, prefix), expected, "{pattern} in {prefix}");
        }
    }
}
