//! The tree of segments in which a path is looked up.
//!
//! The rule: at each segment what is more specific is tried first, and whatever leads nowhere is taken back; so
//! the outcome depends on the set of routes, and never on the order in which they were added. Each node is
//! reached in one way only, so a look-up visits no more nodes than there are.

use http::Method;

use super::params::Spans;
use super::pattern::{Converter, Segment};
use super::percent;

#[derive(Default)]
struct Node {
    /// Sorted, by the decoded text of the segment.
    statics: Vec<(Box<str>, usize)>,
    /// Sorted by specificity.
    params: Vec<(Converter, usize)>,
    /// Takes all that is left.
    tail: Leaf,
    /// Where a path may end.
    leaf: Leaf,
}

/// The routes of one shape, by method.
#[derive(Default)]
pub(super) struct Leaf {
    methods: Vec<(Method, usize)>,
    any: Option<usize>,
}

impl Leaf {
    /// Takes in a route; if there is one already, that one.
    pub(super) fn insert(&mut self, method: Option<&Method>, route: usize) -> Result<(), usize> {
        let Some(method) = method else {
            return match self.any {
                Some(earlier) => Err(earlier),
                None => {
                    self.any = Some(route);
                    Ok(())
                }
            };
        };
        match self.named(method) {
            Some(earlier) => Err(earlier),
            None => {
                self.methods.push((method.clone(), route));
                Ok(())
            }
        }
    }

    fn named(&self, method: &Method) -> Option<usize> {
        self.methods.iter().find(|(named, _)| named == method).map(|&(_, route)| route)
    }

    /// The route that takes `method`. A GET answers HEAD before a route for any method does, since that
    /// one need not know what a HEAD is.
    pub(super) fn route(&self, method: &Method) -> Option<usize> {
        let named = self.named(method);
        let named = named.or_else(|| if method == Method::HEAD { self.named(&Method::GET) } else { None });
        named.or(self.any)
    }

    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter().map(|(method, _)| method)
    }

    fn is_empty(&self) -> bool {
        self.methods.is_empty() && self.any.is_none()
    }
}

pub(super) struct Tree(Vec<Node>);

impl Tree {
    pub(super) fn new() -> Self {
        Self(vec![Node::default()])
    }

    /// The leaf of this shape, made if there is none yet.
    pub(super) fn leaf(&mut self, segments: &[Segment]) -> &mut Leaf {
        let mut at = 0;
        for segment in segments {
            if *segment == Segment::Param(Converter::Path) {
                return &mut self.0[at].tail;
            }
            at = self.child(at, segment);
        }
        &mut self.0[at].leaf
    }

    fn child(&mut self, at: usize, segment: &Segment) -> usize {
        let new = self.0.len();
        let node = &mut self.0[at];
        let found = match segment {
            Segment::Static(text) => node.statics.binary_search_by(|(known, _)| known.cmp(text)),
            Segment::Param(converter) => node.params.binary_search_by(|(known, _)| known.cmp(converter)),
        };
        match (found, segment) {
            (Ok(index), Segment::Static(_)) => return node.statics[index].1,
            (Ok(index), Segment::Param(_)) => return node.params[index].1,
            (Err(index), Segment::Static(text)) => node.statics.insert(index, (text.clone(), new)),
            (Err(index), Segment::Param(converter)) => node.params.insert(index, (*converter, new)),
        }
        self.0.push(Node::default());
        new
    }

    /// Shows `visit` the leaves that `path` leads to, most specific first, until it takes one; then `spans`
    /// are the parameters on the way there. `path` is without its leading `/`, which is counted in the spans.
    pub(super) fn search<R>(
        &self,
        path: &str,
        spans: &mut Spans,
        visit: impl FnMut(&Leaf) -> Option<R>,
    ) -> Option<R> {
        let escaped = memchr::memchr(b'%', path.as_bytes()).is_some();
        Search { tree: self, path, escaped, spans, visit }.walk(0, Some(0))
    }
}

struct Search<'a, V> {
    tree: &'a Tree,
    path: &'a str,
    escaped: bool,
    spans: &'a mut Spans,
    visit: V,
}

impl<R, V: FnMut(&Leaf) -> Option<R>> Search<'_, V> {
    /// Goes on at `node`; `start` is where the next segment begins, if there is one.
    ///
    /// It recurses no deeper than the longest pattern has segments.
    fn walk(&mut self, node: usize, start: Option<usize>) -> Option<R> {
        let node = self.tree.0.get(node)?;
        let Some(start) = start else { return self.arrive(&node.leaf) };
        let (path, escaped) = (self.path, self.escaped);
        let end = memchr::memchr(b'/', &path.as_bytes()[start..]).map_or(path.len(), |at| start + at);
        let next = if end < path.len() { Some(end + 1) } else { None };
        let segment = &path[start..end];

        let known = node.statics.binary_search_by(|(literal, _)| percent::compare(literal, segment, escaped));
        if let Some(found) = known.ok().and_then(|index| self.walk(node.statics[index].1, next)) {
            return Some(found);
        }
        for &(converter, child) in &node.params {
            if converter.accepts(percent::decoded(segment)) {
                if let Some(found) = self.capture(start, end, |search| search.walk(child, next)) {
                    return Some(found);
                }
            }
        }
        self.capture(start, path.len(), |search| search.arrive(&node.tail))
    }

    /// Keeps a parameter, unless it leads nowhere.
    fn capture(&mut self, start: usize, end: usize, then: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        // `http` keeps a URI under 64 KiB. One past 4 GiB would have its values missing, not wrong.
        let span = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
        self.spans.push((span(start), span(end)));
        let found = then(self);
        if found.is_none() {
            self.spans.pop();
        }
        found
    }

    fn arrive(&mut self, leaf: &Leaf) -> Option<R> {
        if leaf.is_empty() { None } else { (self.visit)(leaf) }
    }
}
