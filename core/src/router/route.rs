//! One route: as it is asked for, and as it stands in a router.

use std::cmp::Ordering;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::error::Problem;
use super::host::Host;
use super::methods::Methods;
use super::pattern::{Param, Pattern, Shape};
use super::regex::{PathRegex, Whole};

/// What a route makes of a path that differs from its own by the last slash alone.
///
/// A route of its own for such a path takes precedence. It makes no difference to `/`, to a pattern that ends
/// in a `path` parameter, and to a whole regular expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slashes {
    /// It is another path.
    #[default]
    Strict,
    /// It is the same path. One slash is, several are not.
    Trim,
    /// The client is sent to the route's own path: [`Match::Redirect`](super::Match::Redirect).
    Redirect,
}

/// The pattern of a route: text, or a [`regex`](super::regex()).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(Source);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Text(String),
    Regex(PathRegex),
}

impl From<&str> for PathPattern {
    fn from(text: &str) -> Self {
        Self(Source::Text(text.to_owned()))
    }
}

impl From<String> for PathPattern {
    fn from(text: String) -> Self {
        Self(Source::Text(text))
    }
}

impl From<&String> for PathPattern {
    fn from(text: &String) -> Self {
        Self(Source::Text(text.clone()))
    }
}

impl From<PathRegex> for PathPattern {
    fn from(regex: PathRegex) -> Self {
        Self(Source::Regex(regex))
    }
}

impl PathPattern {
    /// The pattern as it was given.
    pub(crate) fn text(&self) -> &str {
        match &self.0 {
            Source::Text(text) => text,
            Source::Regex(regex) => &regex.text,
        }
    }

    /// Whether it is a whole regular expression.
    pub(crate) fn is_regex(&self) -> bool {
        matches!(self.0, Source::Regex(_))
    }

    /// This pattern below `prefix`: a pattern, and for a regular expression one without parameters.
    pub(crate) fn below(&self, prefix: &str) -> Self {
        match &self.0 {
            Source::Text(text) => format!("{prefix}{text}").into(),
            Source::Regex(regex) => regex.below(prefix).into(),
        }
    }

    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub(crate) fn parse(&self) -> Result<Pattern, Vec<Problem>> {
        match &self.0 {
            Source::Text(text) => Pattern::parse(text),
            Source::Regex(regex) => Whole::new(regex).map(Pattern::whole).map_err(|problem| vec![problem]),
        }
    }
}

/// All that may be said of a route but its value.
///
/// ```
/// use bakestone::router::{Router, RouteSpec, Slashes};
/// use http::Method;
///
/// let spec = RouteSpec::new("/cakes/{id:int}")
///     .methods(Method::GET)
///     .name("cake")
///     .host("*.example.com")
///     .slashes(Slashes::Redirect);
/// let mut routes = Router::builder();
/// routes.add(spec, "one cake");
/// assert_eq!(routes.build()?.url_for("cake", [("id", 7)]).unwrap(), "/cakes/7");
/// # Ok::<(), bakestone::router::RouteErrors>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a specification is no route until it is added"]
pub struct RouteSpec {
    pattern: PathPattern,
    methods: Methods,
    name: Option<String>,
    hosts: Vec<String>,
    slashes: Slashes,
    location: &'static Location<'static>,
}

impl RouteSpec {
    /// A route for any method on any host, strict about slashes, without a name, added where this is called.
    #[track_caller]
    pub fn new(pattern: impl Into<PathPattern>) -> Self {
        Self {
            pattern: pattern.into(),
            methods: Methods::Any,
            name: None,
            hosts: Vec::new(),
            slashes: Slashes::default(),
            location: Location::caller(),
        }
    }

    /// The methods that it takes.
    pub fn methods(mut self, methods: impl Into<Methods>) -> Self {
        self.methods = methods.into();
        self
    }

    /// Its name, for [`url_for`](super::Router::url_for).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// One more host that it answers to: `example.com`, `*.example.com` for what is below it at any depth, or an
    /// address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// The same on these hosts alone.
    pub(crate) fn with_hosts(self, hosts: Vec<String>) -> Self {
        Self { hosts, ..self }
    }

    /// More hosts that it answers to, each as [`host`](Self::host) takes it.
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// What it makes of the path with, or without, a slash at the end.
    pub fn slashes(mut self, slashes: Slashes) -> Self {
        self.slashes = slashes;
        self
    }

    /// Whether [`host`](Self::host) takes this text.
    pub(crate) fn is_host(text: &str) -> bool {
        Host::parse(text).is_some()
    }

    /// Which of two hosts is the more specific: that is the greater one. `None` if no request is for both.
    pub(crate) fn compare_hosts(host: &str, other: &str) -> Option<Ordering> {
        let (host, other) = (Host::parse(host)?, Host::parse(other)?);
        host.compare(&other)
    }

    /// The place that errors name.
    pub fn at(mut self, location: &'static Location<'static>) -> Self {
        self.location = location;
        self
    }
}

/// One route of a [`Router`](super::Router): what was asked for, and a value.
pub struct Route<T> {
    spec: RouteSpec,
    value: T,
    pub(super) hosts: Vec<Host>,
    pub(super) shape: Shape,
    pub(super) params: Arc<[Param]>,
}

impl<T> Route<T> {
    /// The route, and what is wrong with it by itself.
    pub(super) fn new(spec: RouteSpec, value: T) -> (Self, Vec<Problem>) {
        let (mut pattern, mut problems) = (None, Vec::new());
        match spec.pattern.parse() {
            Ok(parsed) => pattern = Some(parsed),
            Err(wrong) => problems = wrong,
        }
        let mut hosts: Vec<Host> = Vec::new();
        for text in &spec.hosts {
            match Host::parse(text) {
                Some(host) => hosts.push(host),
                None => problems.push(Problem::Host(text.clone())),
            }
        }
        hosts.sort_unstable();
        hosts.dedup();
        if spec.methods == Methods::Only(Vec::new()) {
            problems.push(Problem::NoMethods);
        }
        let (shape, params) = pattern.map(|pattern| (pattern.shape, pattern.params)).unwrap_or_default();
        (Self { spec, value, hosts, shape, params }, problems)
    }

    /// Whether its pattern is a whole regular expression.
    pub(crate) fn is_regex(&self) -> bool {
        self.spec.pattern.is_regex()
    }

    /// All that was said of it but its value.
    pub(crate) fn spec(&self) -> &RouteSpec {
        &self.spec
    }

    /// The pattern, as it was given.
    pub fn pattern(&self) -> &str {
        self.spec.pattern.text()
    }

    /// The methods, as they were given.
    pub fn methods(&self) -> &Methods {
        &self.spec.methods
    }

    /// The name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.spec.name.as_deref()
    }

    /// The hosts, as they were given; none if it answers to all.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.spec.hosts.iter().map(String::as_str)
    }

    /// What it makes of the path with, or without, a slash at the end.
    pub fn slashes(&self) -> Slashes {
        self.spec.slashes
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Where the route was added.
    pub fn location(&self) -> &'static Location<'static> {
        self.spec.location
    }

    /// The names of the parameters, in the order of the pattern.
    pub fn params(&self) -> impl ExactSizeIterator<Item = &str> {
        self.params.iter().map(|param| &*param.name)
    }

    /// The path with a slash at the end, or without, as the route's own shape has it, from one that has not.
    pub(super) fn with_own_end(&self, path: &str) -> String {
        match self.pattern().ends_with('/') {
            true => format!("{path}/"),
            false => path.strip_suffix('/').unwrap_or(path).to_owned(),
        }
    }

    /// Whether it answers to the host of a request.
    pub(super) fn takes_host(&self, host: Option<&str>) -> bool {
        self.hosts.is_empty() || host.is_some_and(|host| self.hosts.iter().any(|own| own.takes(host)))
    }
}

impl<T> fmt::Display for Route<T> {
    /// The methods and the pattern, with the hosts before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.methods(), self.spec.hosts.join(","), self.pattern())
    }
}

impl<T> fmt::Debug for Route<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({self}")?;
        if let Some(name) = self.name() {
            write!(f, ", named {name:?}")?;
        }
        write!(f, ", {:?}, at {})", self.slashes(), self.location())
    }
}
