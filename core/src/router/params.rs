//! What the parameters of a route found in a path.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::uri::PathAndQuery;

use super::pattern::Param;
use super::percent;

/// How many parameters are kept without an allocation.
const INLINE: usize = 4;

/// A span of bytes in the path.
pub(super) type Span = (u32, u32);

/// The span of a group that took no part in a regular expression's match.
pub(super) const ABSENT: Span = (u32::MAX, 0);

/// A place in a path. `http` keeps a URI under 64 KiB; of one past 4 GiB the values would be missing, not wrong.
#[inline]
pub(super) fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The spans of the parameters, in the order of the pattern.
#[derive(Clone)]
pub(super) enum Spans {
    /// The first so many of these.
    Few([Span; INLINE], u32),
    Many(Vec<Span>),
}

impl Default for Spans {
    fn default() -> Self {
        Self::Few([(0, 0); INLINE], 0)
    }
}

impl Spans {
    #[inline]
    pub(super) fn push(&mut self, span: Span) {
        match self {
            Self::Many(spans) => spans.push(span),
            Self::Few(spans, length) => match spans.get_mut(*length as usize) {
                None => *self = Self::spilled(*spans, span),
                Some(place) => {
                    *place = span;
                    *length += 1;
                }
            },
        }
    }

    #[cold]
    fn spilled(few: [Span; INLINE], next: Span) -> Self {
        // There is room for as many again, so that few routes allocate twice.
        let mut spans = Vec::with_capacity(2 * INLINE);
        spans.extend(few);
        spans.push(next);
        Self::Many(spans)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Many(spans) => spans.len(),
            Self::Few(_, length) => *length as usize,
        }
    }

    /// Takes back all but the first `most`.
    #[inline]
    pub(super) fn truncate(&mut self, most: usize) {
        match self {
            Self::Many(spans) => spans.truncate(most),
            Self::Few(_, length) => *length = (*length).min(place(most)),
        }
    }

    /// Turns the order of the spans from `first` on around.
    pub(super) fn reverse_from(&mut self, first: usize) {
        let spans = match self {
            Self::Many(spans) => spans,
            Self::Few(spans, length) => spans.get_mut(..*length as usize).unwrap_or_default(),
        };
        spans.get_mut(first..).unwrap_or_default().reverse();
    }

    fn as_slice(&self) -> &[Span] {
        match self {
            Self::Many(spans) => spans,
            Self::Few(spans, length) => spans.get(..*length as usize).unwrap_or_default(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Span> {
        self.as_slice().iter().copied()
    }

    pub(super) fn get(&self, index: usize) -> Option<Span> {
        self.as_slice().get(index).copied()
    }
}

/// The values of a route's parameters, by name.
///
/// They belong to the path that was routed: whatever becomes of the request's target later, they stay. A value
/// is percent-decoded once, and is never empty unless it is that of a `path` parameter, or a regular expression
/// takes nothing.
///
/// ```
/// use bakestone::router::{Match, Methods, Router};
/// use http::{Method, Uri};
///
/// let mut routes = Router::builder();
/// routes.insert("/cakes/{name}", Methods::Any, ());
/// let router = routes.build()?;
///
/// let uri = Uri::from_static("/cakes/bara%20brith");
/// let Match::Found { params, .. } = router.find(&Method::GET, &uri, None) else { panic!("there is a route") };
/// assert_eq!(params.get("name").as_deref(), Some("bara brith"));
/// assert_eq!(params.raw("name"), Some("bara%20brith"));
/// assert_eq!(params.get("kind"), None);
/// # Ok::<(), bakestone::router::RouteErrors>(())
/// ```
#[derive(Clone, Default)]
pub struct Params(Option<Found>);

#[derive(Clone)]
struct Found {
    params: Arc<[Param]>,
    path: PathAndQuery,
    spans: Spans,
}

impl Params {
    #[inline]
    pub(super) fn new(params: &Arc<[Param]>, path: &PathAndQuery, spans: Spans) -> Self {
        // What has no parameters keeps nothing alive.
        if params.is_empty() {
            return Self(None);
        }
        Self(Some(Found { params: params.clone(), path: path.clone(), spans }))
    }

    /// The value of the parameter `name`, decoded.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw(name).map(percent::decode)
    }

    /// The value of the parameter `name` as it stands in the path, percent-encoded. Of a `path` parameter it
    /// tells a `/` that separates from one that was escaped.
    pub fn raw(&self, name: &str) -> Option<&str> {
        let index = self.params().iter().position(|param| &*param.name == name)?;
        self.nth(index).map(|(_, raw)| raw)
    }

    /// The names and the decoded values, in the order of the pattern; empty for a group that took no part in a
    /// whole regular expression's match.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Cow<'_, str>)> {
        self.params().iter().enumerate().map(|(index, param)| {
            let raw = self.nth(index).map_or("", |(_, raw)| raw);
            (&*param.name, percent::decode(raw))
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.params().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.params().is_empty()
    }

    /// The parameter at `index` in the order of the pattern, its decoded value, and whether its converter has
    /// spoken for that already.
    pub(crate) fn value(&self, index: usize) -> Option<(&str, Cow<'_, str>, bool)> {
        let (param, raw) = self.nth(index)?;
        Some((&param.name, percent::decode(raw), param.is_typed()))
    }

    fn params(&self) -> &[Param] {
        self.0.as_ref().map_or(&[], |found| &found.params)
    }

    fn nth(&self, index: usize) -> Option<(&Param, &str)> {
        let found = self.0.as_ref()?;
        let (start, end) = found.spans.get(index)?;
        let raw = found.path.path().get(start as usize..end as usize)?;
        Some((found.params.get(index)?, raw))
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_spill_and_come_back() {
        let mut spans = Spans::default();
        (0..10).for_each(|at| spans.push((at, at + 1)));
        assert_eq!((spans.get(3), spans.get(9), spans.get(10)), (Some((3, 4)), Some((9, 10)), None));
        spans.truncate(3);
        assert_eq!((spans.get(2), spans.get(3), spans.len()), (Some((2, 3)), None, 3));
        spans.push((40, 41));
        spans.push((50, 51));
        assert_eq!((spans.get(3), spans.get(4)), (Some((40, 41)), Some((50, 51))));
        spans.reverse_from(2);
        assert_eq!(spans.iter().skip(1).collect::<Vec<_>>(), [(1, 2), (50, 51), (40, 41), (2, 3)]);
    }

    #[test]
    fn they_travel() {
        fn travels<T: Send + Sync + Clone + Default + fmt::Debug + 'static>() {}
        travels::<Params>();
        // Every request has room for them.
        assert!(size_of::<Params>() <= 12 * size_of::<usize>());
        assert_eq!(format!("{:?}", Params::default()), "{}");
    }
}
