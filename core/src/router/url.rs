//! From a route's name and values back to a path.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use super::Router;
use super::converter::Converter;
use super::mixed::{Mixed, Part};
use super::params::Spans;
use super::pattern::{Dynamic, Pattern, Segment, Shape};
use super::percent;

/// Why there is no path for a name and values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// No route has this name.
    NoRoute(String),
    /// The route's pattern is a whole regular expression, from which no path follows.
    Regex(String),
    /// The pattern has this parameter, and there is no value for it.
    Missing(String),
    /// The pattern has no such parameter.
    Superfluous(String),
    /// There are two values for this parameter.
    Twice(String),
    /// The pattern takes no such value here.
    #[non_exhaustive]
    Value {
        /// The parameter.
        name: String,
        /// The value.
        value: String,
        /// The converter, as the pattern says it.
        converter: String,
    },
    /// A segment with several parameters would not be taken apart into these values again.
    Ambiguous(String),
    /// A client takes this path for another one: it has a segment `.` or `..`, or begins with `//`.
    Unsafe(String),
}

impl Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute(name) => write!(f, "no route is named `{name}`"),
            Self::Regex(name) => write!(f, "the route `{name}` is a regular expression, which gives no path"),
            Self::Missing(param) => write!(f, "there is no value for the parameter `{param}`"),
            Self::Superfluous(param) => write!(f, "the route has no parameter `{param}`"),
            Self::Twice(param) => write!(f, "there are two values for the parameter `{param}`"),
            Self::Value { name, value, converter } => {
                write!(f, "the parameter `{name}` is `{converter}`, which does not take {value:?}")
            }
            Self::Ambiguous(segment) => {
                write!(f, "the segment {segment:?} would be taken apart into other values")
            }
            Self::Unsafe(path) => write!(f, "clients take the path `{path}` for another"),
        }
    }
}

impl std::error::Error for UrlError {}

impl<T> Router<T> {
    /// The path of the route `name` with these values: what [`find`](Self::find) takes apart into them again,
    /// unless another route is more specific for it.
    ///
    /// Each value is percent-encoded for its place: a `/` stays in a `path` parameter, and is escaped elsewhere.
    ///
    /// ```
    /// use bakestone::router::{Router, RouteSpec, UrlError};
    ///
    /// let mut routes = Router::builder();
    /// routes.add(RouteSpec::new("/cakes/{name}/{page:int}").name("cake"), ());
    /// let router = routes.build()?;
    /// assert_eq!(router.url_for("cake", [("name", "half/half"), ("page", "2")]).unwrap(), "/cakes/half%2Fhalf/2");
    /// assert_eq!(router.url_for("cake", [("name", "plum")]), Err(UrlError::Missing("page".to_owned())));
    /// # Ok::<(), bakestone::router::RouteErrors>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UrlError`]. A path that clients would take for another is refused as well.
    pub fn url_for<'p>(
        &self,
        name: &str,
        params: impl IntoIterator<Item = (&'p str, impl Display)>,
    ) -> Result<String, UrlError> {
        let route = self.named(name).ok_or_else(|| UrlError::NoRoute(name.to_owned()))?;
        let values: Vec<_> = params.into_iter().map(|(param, value)| (param, value.to_string())).collect();
        Pattern { shape: route.shape.clone(), params: route.params.clone() }.url(name, &values)
    }
}

impl Pattern {
    /// Whether it has these parameters and no others, and gives paths at all.
    pub(crate) fn fits<V>(&self, values: &[(&str, V)]) -> bool {
        let has = |name: &str| values.iter().any(|(param, _)| *param == name);
        let is_known = |name: &str| self.params.iter().any(|param| *param.name == *name);
        matches!(self.shape, Shape::Segments(_))
            && self.params.iter().all(|param| has(&param.name))
            && values.iter().all(|(param, _)| is_known(param))
    }

    /// The path of this pattern, which is that of the route `name`, with these values.
    pub(crate) fn url(&self, name: &str, values: &[(&str, String)]) -> Result<String, UrlError> {
        let Shape::Segments(segments) = &self.shape else { return Err(UrlError::Regex(name.to_owned())) };
        let mut by_name = BTreeMap::new();
        for (param, value) in values {
            if !self.params.iter().any(|known| *known.name == **param) {
                return Err(UrlError::Superfluous((*param).to_owned()));
            }
            if by_name.insert(*param, value.clone()).is_some() {
                return Err(UrlError::Twice((*param).to_owned()));
            }
        }
        let mut given = Vec::new();
        for param in self.params.iter() {
            let name = &*param.name;
            let value = by_name.remove(name).ok_or_else(|| UrlError::Missing(name.to_owned()))?;
            given.push((name, value));
        }
        let path = Writer { path: String::new(), given: given.into_iter() }.write(segments)?;
        match path.starts_with("//") {
            true => Err(UrlError::Unsafe(path)),
            false => Ok(path),
        }
    }
}

struct Writer<I> {
    path: String,
    /// What is not written yet, in the order of the pattern.
    given: I,
}

impl<'n, I: Iterator<Item = (&'n str, String)>> Writer<I> {
    fn write(mut self, segments: &[Segment]) -> Result<String, UrlError> {
        for segment in segments {
            self.path.push('/');
            match segment {
                Segment::Static(text) => percent::encode(text, false, &mut self.path),
                Segment::Param(Dynamic::Mixed(mixed)) => self.mixed(mixed)?,
                Segment::Param(Dynamic::Whole(converter)) => {
                    let value = self.value(converter)?;
                    self.segment(&value, *converter == Converter::Path)?;
                }
            }
        }
        Ok(self.path)
    }

    /// The next value, if `converter` takes it.
    fn value(&mut self, converter: &Converter) -> Result<String, UrlError> {
        let (name, value) = self.given.next().unwrap_or_default();
        // An escaped NUL is refused wherever it stands.
        if converter.accepts(&value) && !value.contains('\0') {
            return Ok(value);
        }
        Err(UrlError::Value { name: name.to_owned(), value, converter: converter.to_string() })
    }

    fn mixed(&mut self, mixed: &Mixed) -> Result<(), UrlError> {
        let (mut segment, mut values) = (String::new(), Vec::new());
        for part in mixed.parts() {
            match part {
                Part::Literal(text) => segment.push_str(text),
                Part::Param(converter) => {
                    let value = self.value(converter)?;
                    segment.push_str(&value);
                    values.push(value);
                }
            }
        }
        let mut spans = Spans::default();
        let found = mixed.find(&segment, &mut spans);
        let again = spans.iter().map(|(start, end)| segment.get(start as usize..end as usize));
        if !found || !again.eq(values.iter().map(|value| Some(value.as_str()))) {
            return Err(UrlError::Ambiguous(segment));
        }
        self.segment(&segment, false)
    }

    /// Writes what came of values. Escaped or not, a client takes `.` and `..` for a way up.
    fn segment(&mut self, text: &str, separators: bool) -> Result<(), UrlError> {
        percent::encode(text, separators, &mut self.path);
        let mut segments = text.split(|character| separators && character == '/');
        match segments.any(|segment| segment == "." || segment == "..") {
            true => Err(UrlError::Unsafe(std::mem::take(&mut self.path))),
            false => Ok(()),
        }
    }
}
