//! The tree of segments in which a path is looked up.
//!
//! The rule: at each segment what is more specific is tried first, and whatever leads nowhere is taken back; so
//! the outcome depends on the set of routes, and never on the order in which they were added. Each node is
//! reached in one way only, so a look-up visits no more nodes than there are, and reads no segment more often
//! than there are nodes at its depth.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::converter::Converter;
use super::leaf::Leaf;
use super::params::{Spans, place};
use super::pattern::{Dynamic, Segment, Shape};
use super::percent;
use super::regex::Whole;
use super::statics::Statics;

/// A tree that grows.
#[derive(Default)]
pub(super) struct Draft {
    nodes: Vec<Growing>,
    regexes: BTreeMap<Arc<Whole>, Leaf>,
}

#[derive(Default)]
struct Growing {
    statics: BTreeMap<Box<str>, u32>,
    dynamics: BTreeMap<Dynamic, u32>,
    tail: Leaf,
    leaf: Leaf,
}

impl Draft {
    /// The leaf of this shape, made if there is none yet.
    pub(super) fn leaf(&mut self, shape: &Shape) -> &mut Leaf {
        match shape {
            Shape::Segments(segments) => self.leaf_of(segments.iter()),
            Shape::Regex(regex) => self.regexes.entry(regex.clone()).or_default(),
        }
    }

    /// The leaf of this shape with the other end: with a slash for one without, and without for one with. There
    /// is none of `/`, of what takes all that is left, and of a regular expression.
    pub(super) fn other_leaf(&mut self, shape: &Shape) -> Option<&mut Leaf> {
        let Shape::Segments(segments) = shape else { return None };
        let slash = Segment::Static("".into());
        match segments.split_last() {
            Some((last, [])) if *last == slash => None,
            Some((Segment::Param(Dynamic::Whole(Converter::Path)), _)) => None,
            Some((last, rest)) if *last == slash => Some(self.leaf_of(rest.iter())),
            _ => Some(self.leaf_of(segments.iter().chain([&slash]))),
        }
    }

    fn leaf_of<'s>(&mut self, segments: impl Iterator<Item = &'s Segment>) -> &mut Leaf {
        if self.nodes.is_empty() {
            self.nodes.push(Growing::default());
        }
        let mut at = 0;
        for segment in segments {
            if *segment == Segment::Param(Dynamic::Whole(Converter::Path)) {
                return &mut self.nodes[at].tail;
            }
            let new = place(self.nodes.len());
            let node = &mut self.nodes[at];
            let child = match segment {
                Segment::Static(text) => *node.statics.entry(text.clone()).or_insert(new),
                Segment::Param(dynamic) => *node.dynamics.entry(dynamic.clone()).or_insert(new),
            };
            if child == new {
                self.nodes.push(Growing::default());
            }
            at = child as usize;
        }
        &mut self.nodes[at].leaf
    }

    pub(super) fn finish(self) -> Tree {
        let node = |growing: Growing| Node {
            statics: Statics::new(growing.statics.into_iter()),
            dynamics: growing.dynamics.into_iter().collect(),
            tail: growing.tail,
            leaf: growing.leaf,
        };
        Tree {
            nodes: self.nodes.into_iter().map(node).collect(),
            regexes: self.regexes.into_iter().collect(),
        }
    }
}

/// A tree to look up paths in.
pub(super) struct Tree {
    nodes: Box<[Node]>,
    /// The most specific first.
    regexes: Box<[(Arc<Whole>, Leaf)]>,
}

struct Node {
    statics: Statics,
    /// The most specific first.
    dynamics: Box<[(Dynamic, u32)]>,
    /// Takes all that is left.
    tail: Leaf,
    /// Where a path may end.
    leaf: Leaf,
}

/// A path to look up: it begins with `/`, and its escapes are sound.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a> {
    pub(super) path: &'a str,
    pub(super) escaped: bool,
}

impl<'a> Sought<'a> {
    /// A path to look up; `None` if there is none, or an escape in it is unsound.
    pub(super) fn new(path: &'a str) -> Option<Self> {
        let escaped = percent::escaped(path)?;
        path.starts_with('/').then_some(Self { path, escaped })
    }
}

impl Tree {
    /// Shows `visit` the leaves that a path leads to, most specific first, until it takes one; then `spans` are
    /// the parameters on the way there. Some leaves may be shown twice.
    pub(super) fn search<R>(
        &self,
        sought: Sought<'_>,
        spans: &mut Spans,
        mut visit: impl FnMut(&Leaf) -> Option<R>,
    ) -> Option<R> {
        if self.regexes.is_empty() {
            return self.walk(sought, false, spans, &mut visit);
        }
        if let Some(found) = self.walk(sought, true, spans, &mut visit) {
            return Some(found);
        }
        for (regex, leaf) in &self.regexes {
            spans.truncate(0);
            if regex.find(sought.path, sought.escaped, spans) {
                if let Some(found) = visit(leaf) {
                    return Some(found);
                }
            }
        }
        self.walk(sought, false, spans, &mut visit)
    }

    fn walk<R>(
        &self,
        sought: Sought<'_>,
        only_static: bool,
        spans: &mut Spans,
        visit: &mut impl FnMut(&Leaf) -> Option<R>,
    ) -> Option<R> {
        spans.truncate(0);
        Search { nodes: &self.nodes, sought, only_static, spans, visit }.walk(0, Some(1))
    }
}

struct Search<'a, V> {
    nodes: &'a [Node],
    sought: Sought<'a>,
    only_static: bool,
    spans: &'a mut Spans,
    visit: &'a mut V,
}

impl<R, V: FnMut(&Leaf) -> Option<R>> Search<'_, V> {
    /// Goes on at `node`; `start` is where the next segment begins, if there is one.
    ///
    /// It recurses only where there are several ways on, and so no deeper than the longest pattern has segments.
    /// If there is no route, `spans` may hold what is to be taken back.
    fn walk(&mut self, node: u32, start: Option<usize>) -> Option<R> {
        let (mut node, mut start) = (self.nodes.get(node as usize)?, start);
        let bytes = self.sought.path.as_bytes();
        loop {
            let Some(from) = start else { return self.arrive(&node.leaf) };
            let length = slash(bytes.get(from..)?);
            let end = length.map_or(bytes.len(), |length| from + length);
            let next = length.map(|_| end + 1);
            let child = match self.sought.escaped {
                false => node.statics.get(&bytes[from..end]),
                true => node.statics.get(percent::decode(self.sought.path.get(from..end)?).as_bytes()),
            };
            match (child, &*node.dynamics, node.tail.is_empty()) {
                (Some(child), [], true) => (node, start) = (self.nodes.get(child as usize)?, next),
                (None, [(dynamic, child)], true) if !self.only_static => {
                    if !self.takes(dynamic, from..end) {
                        return None;
                    }
                    (node, start) = (self.nodes.get(*child as usize)?, next);
                }
                (None, [], true) => return None,
                (child, ..) => return self.walk_each(node, child, from..end, next),
            }
        }
    }

    fn takes(&mut self, dynamic: &Dynamic, segment: Range<usize>) -> bool {
        let start = segment.start;
        let Some(raw) = self.sought.path.get(segment) else { return false };
        match self.sought.escaped {
            false => dynamic.find(raw, raw, start, self.spans),
            true => dynamic.find(&percent::decode(raw), raw, start, self.spans),
        }
    }

    /// Tries one way after the other.
    fn walk_each(
        &mut self,
        node: &Node,
        child: Option<u32>,
        segment: Range<usize>,
        next: Option<usize>,
    ) -> Option<R> {
        let before = self.spans.len();
        if let Some(found) = child.and_then(|child| self.walk(child, next)) {
            return Some(found);
        }
        if self.only_static {
            return None;
        }
        for (dynamic, child) in &node.dynamics {
            self.spans.truncate(before);
            if self.takes(dynamic, segment.clone()) {
                if let Some(found) = self.walk(*child, next) {
                    return Some(found);
                }
            }
        }
        self.spans.truncate(before);
        self.spans.push((place(segment.start), place(self.sought.path.len())));
        self.arrive(&node.tail)
    }

    fn arrive(&mut self, leaf: &Leaf) -> Option<R> {
        if leaf.is_empty() { None } else { (self.visit)(leaf) }
    }
}

/// Where the first `/` is. Segments are short, and what finds far bytes fast takes its time to begin: so eight
/// bytes at a time, of which a byte of zeros is one that was a `/`.
#[inline]
fn slash(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    let words = bytes.chunks_exact(8);
    let rest = words.remainder();
    for (index, word) in words.enumerate() {
        let other = word.try_into().map_or(0, u64::from_le_bytes) ^ (ONES * b'/' as u64);
        // The lowest bit that is set is right; a borrow may set others above it.
        let zeros = other.wrapping_sub(ONES) & !other & (ONES << 7);
        if zeros != 0 {
            return Some(index * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    let before = bytes.len() - rest.len();
    rest.iter().position(|&byte| byte == b'/').map(|at| before + at)
}

#[cfg(test)]
mod tests {
    use super::slash;

    #[test]
    fn slashes_are_found_wherever_they_are() {
        for length in 0..40 {
            for other in [0_u8, b'.', b'0', 0x80, 0xaf, 0xff] {
                let mut bytes = vec![other; length];
                assert_eq!(slash(&bytes), None, "{length} {other}");
                for at in (0..length).rev() {
                    bytes[at] = b'/';
                    assert_eq!(slash(&bytes), Some(at), "{length} {other}");
                }
            }
        }
    }
}
