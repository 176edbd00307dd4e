//! Why a route takes a request, and why the others do not.
//!
//! It compares each route with the request by itself, and so takes time with their number: it is for people.

use std::fmt;

use http::{Method, Uri};

use super::converter::Converter;
use super::methods::Methods;
use super::params::Spans;
use super::pattern::{Dynamic, Segment, Shape};
use super::percent;
use super::route::{Route, Slashes};
use super::tree::Sought;
use super::{Found, Router};

/// What a [`Router`] makes of a request, route by route; its `Display` is one line for each.
#[derive(Clone, Debug)]
pub struct Explanation {
    request: String,
    verdicts: Vec<(String, Verdict)>,
}

/// What becomes of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It takes the request.
    Takes,
    /// It sends the client to its own path, which differs by the last slash.
    Redirects,
    /// The target is no path, or one that is refused before any route is asked.
    NoPath,
    /// It answers to other hosts.
    Host,
    /// A segment is another text.
    #[non_exhaustive]
    Literal {
        /// Which segment of the path, from 1.
        segment: usize,
        /// What the pattern says.
        expected: String,
    },
    /// A segment is nothing that its parameters take.
    #[non_exhaustive]
    Refused {
        /// Which segment of the path, from 1.
        segment: usize,
        /// What the pattern says.
        expected: String,
    },
    /// The path has fewer segments.
    TooShort,
    /// The path has more segments.
    TooLong,
    /// The whole regular expression does not match.
    Regex,
    /// The path is the route's, and the method is not.
    Method,
    /// It would take the request, were the other route not more specific.
    LessSpecific,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Takes => f.write_str("takes it"),
            Self::Redirects => f.write_str("redirects to its own path"),
            Self::NoPath => f.write_str("the target is no sound path"),
            Self::Host => f.write_str("is for another host"),
            Self::Literal { segment, expected } => write!(f, "segment {segment} is not `{expected}`"),
            Self::Refused { segment, expected } => write!(f, "segment {segment} is nothing for `{expected}`"),
            Self::TooShort => f.write_str("the path has too few segments"),
            Self::TooLong => f.write_str("the path has too many segments"),
            Self::Regex => f.write_str("the regular expression does not match"),
            Self::Method => f.write_str("does not take the method"),
            Self::LessSpecific => f.write_str("is less specific"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.request)?;
        self.verdicts.iter().try_for_each(|(route, verdict)| write!(f, "\n  {route}: {verdict}"))
    }
}

impl Explanation {
    /// The routes, each as its `Display` has it, in the order of their patterns.
    pub fn verdicts(&self) -> impl ExactSizeIterator<Item = (&str, &Verdict)> {
        self.verdicts.iter().map(|(route, verdict)| (&**route, verdict))
    }
}

impl<T> Router<T> {
    /// Why a request is taken by the route that takes it, and by none of the others.
    ///
    /// ```
    /// use bakestone::router::{Methods, Router};
    /// use http::{Method, Uri};
    ///
    /// let mut routes = Router::builder();
    /// routes.insert("/cakes/{id:int}", Method::GET, ());
    /// routes.insert("/cakes/{name}", Methods::Any, ());
    /// let explanation = routes.build()?.explain(&Method::GET, &Uri::from_static("/cakes/plum"), None);
    /// assert_eq!(
    ///     explanation.to_string(),
    ///     "GET /cakes/plum\n  \
    ///        GET /cakes/{id:int}: segment 2 is nothing for `{int}`\n  \
    ///        any /cakes/{name}: takes it",
    /// );
    /// # Ok::<(), bakestone::router::RouteErrors>(())
    /// ```
    pub fn explain(&self, method: &Method, uri: &Uri, host: Option<&str>) -> Explanation {
        let on = host.map(|host| format!(" on {host}")).unwrap_or_default();
        let sought = Sought::new(uri.path());
        let found = sought.and_then(|sought| self.look_up(method, sought, host, |_| {}));
        let verdict = |route: &Route<T>| match sought {
            None => Verdict::NoPath,
            Some(sought) => self.verdict(route, method, sought, host, found.as_ref()),
        };
        let verdicts = self.routes().map(|route| (route.to_string(), verdict(route))).collect();
        Explanation { request: format!("{method} {}{on}", uri.path()), verdicts }
    }

    fn verdict(
        &self,
        route: &Route<T>,
        method: &Method,
        sought: Sought<'_>,
        host: Option<&str>,
        found: Option<&Found<'_, T>>,
    ) -> Verdict {
        if let Some(found) = found.filter(|found| std::ptr::eq(found.route, route)) {
            return if found.redirect { Verdict::Redirects } else { Verdict::Takes };
        }
        if !route.takes_host(host) {
            return Verdict::Host;
        }
        match compare(route, sought) {
            Err(verdict) => verdict,
            Ok(()) if takes(route.methods(), method) => Verdict::LessSpecific,
            Ok(()) => Verdict::Method,
        }
    }
}

fn takes(methods: &Methods, method: &Method) -> bool {
    match methods {
        Methods::Any => true,
        Methods::Only(methods) => {
            methods.contains(method) || (method == Method::HEAD && methods.contains(&Method::GET))
        }
    }
}

/// Compares the path with the route's, with the other end too where the route's slash policy allows for one.
fn compare<T>(route: &Route<T>, sought: Sought<'_>) -> Result<(), Verdict> {
    let compare = |sought: Sought<'_>| match &route.shape {
        Shape::Segments(segments) => compare_segments(segments, sought),
        Shape::Regex(regex) => match regex.find(sought.path, sought.escaped, &mut Spans::default()) {
            true => Ok(()),
            false => Err(Verdict::Regex),
        },
    };
    let own = compare(sought);
    let (Err(_), true) = (&own, has_other_end(route)) else { return own };
    let other = route.with_own_end(sought.path);
    compare(Sought { path: &other, escaped: sought.escaped }).or(own)
}

fn has_other_end<T>(route: &Route<T>) -> bool {
    let Shape::Segments(segments) = &route.shape else { return false };
    let root = matches!(&**segments, [Segment::Static(text)] if text.is_empty());
    let tail = matches!(segments.last(), Some(Segment::Param(Dynamic::Whole(Converter::Path))));
    route.slashes() != Slashes::Strict && !root && !tail
}

fn compare_segments(segments: &[Segment], sought: Sought<'_>) -> Result<(), Verdict> {
    let mut raws = sought.path.split('/').skip(1);
    for (index, segment) in segments.iter().enumerate() {
        if *segment == Segment::Param(Dynamic::Whole(Converter::Path)) && raws.next().is_some() {
            return Ok(());
        }
        let Some(raw) = raws.next() else { return Err(Verdict::TooShort) };
        let text = percent::decode(raw);
        match segment {
            Segment::Static(expected) if **expected != *text => {
                return Err(Verdict::Literal { segment: index + 1, expected: expected.to_string() });
            }
            Segment::Param(dynamic) if !dynamic.find(&text, raw, 0, &mut Spans::default()) => {
                return Err(Verdict::Refused { segment: index + 1, expected: dynamic.to_string() });
            }
            _ => {}
        }
    }
    if raws.next().is_some() { Err(Verdict::TooLong) } else { Ok(()) }
}
