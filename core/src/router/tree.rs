//! The tree of segments in which a path is looked up.
//!
//! The rule: at each segment what is more specific is tried first, and whatever leads nowhere is taken back; so
//! the outcome depends on the set of routes, and never on the order in which they were added. Each node is
//! reached in one way only, so a look-up visits no more nodes than there are, and reads no segment more often
//! than there are nodes at its depth.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::converter::Converter;
use super::leaf::Leaf;
use super::params::{Spans, place};
use super::pattern::{Dynamic, Segment, Shape};
use super::percent;
use super::regex::Whole;
use super::statics::Statics;
use super::words::{Stretch, Words};

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
        // A node is made before those behind it, so from the last to the first these are there.
        let mut nodes = Vec::new();
        nodes.resize_with(self.nodes.len(), Node::default);
        for (index, growing) in self.nodes.into_iter().enumerate().rev() {
            nodes[index] = growing.finish(&mut nodes);
        }
        let root = nodes.into_iter().next().unwrap_or_default();
        let regexes = self.regexes.into_iter().map(|(regex, leaf)| (regex, leaf.finish())).collect();
        Tree { root, regexes }
    }
}

impl Growing {
    fn finish(self, nodes: &mut [Node]) -> Node {
        let mut node = |index: u32| Box::new(std::mem::take(&mut nodes[index as usize]));
        let statics: Vec<_> = self.statics.into_iter().map(|(text, child)| (text, node(child))).collect();
        let dynamics = self.dynamics.into_iter().map(|(dynamic, child)| (dynamic, node(child))).collect();
        Node {
            ways: Ways::new(dynamics, self.tail.finish(), statics.is_empty()),
            statics: Statics::new(statics.into_iter()),
            leaf: self.leaf.finish(),
        }
    }
}

/// A tree to look up paths in.
pub(super) struct Tree {
    root: Node,
    /// The most specific first.
    regexes: Box<[(Arc<Whole>, Leaf)]>,
}

#[derive(Default)]
struct Node {
    statics: Statics<Box<Node>>,
    ways: Ways,
    /// Where a path may end.
    leaf: Leaf,
}

/// A segment with parameters, and the node behind it.
type Way = (Dynamic, Box<Node>);

/// Where it goes on from a node but for static segments.
///
/// Most nodes need no look at a list. The tag has a byte of its own, so that to read it is one comparison.
#[derive(Default)]
#[repr(u8)]
enum Ways {
    #[default]
    None,
    /// Any segment but an empty one; there are no static segments either, so that none is sought.
    Any(Box<Node>),
    One(Way),
    Many(Box<Many>),
}

struct Many {
    /// The most specific first.
    dynamics: Vec<Way>,
    /// Takes all that is left.
    tail: Leaf,
}

impl Ways {
    fn new(mut dynamics: Vec<Way>, tail: Leaf, no_statics: bool) -> Self {
        if dynamics.len() > 1 || !tail.is_empty() {
            return Self::Many(Box::new(Many { dynamics, tail }));
        }
        match dynamics.pop() {
            None => Self::None,
            Some((Dynamic::Whole(Converter::Str), child)) if no_statics => Self::Any(child),
            Some(way) => Self::One(way),
        }
    }

    /// What is tried one after the other.
    fn dynamics(&self) -> &[Way] {
        match self {
            Self::None | Self::Any(_) => &[],
            Self::One(way) => std::slice::from_ref(way),
            Self::Many(many) => &many.dynamics,
        }
    }
}

/// A path to look up: it begins with `/`, and its escapes are sound.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a> {
    pub(super) path: &'a str,
    pub(super) escaped: bool,
}

impl<'a> Sought<'a> {
    /// A path to look up; `None` if there is none, or an escape in it is unsound.
    #[inline]
    pub(super) fn new(path: &'a str) -> Option<Self> {
        let escaped = percent::escaped(path)?;
        path.starts_with('/').then_some(Self { path, escaped })
    }
}

/// A look-up: it shows `visit` the leaves that a path leads to, most specific first, until it takes one; then
/// `spans` are the parameters on the way there. Some leaves may be shown twice, and some may be empty.
pub(super) struct Search<'a, V> {
    sought: Sought<'a>,
    words: Words<'a>,
    /// Whether segments with parameters are passed over.
    only_static: bool,
    pub(super) spans: Spans,
    visit: V,
}

impl<'a, R, V: FnMut(&Leaf) -> Option<R>> Search<'a, V> {
    #[inline]
    pub(super) fn new(sought: Sought<'a>, visit: V) -> Self {
        let words = Words::new(sought.path.as_bytes());
        Self { sought, words, only_static: false, spans: Spans::default(), visit }
    }

    /// What `visit` takes in this tree.
    #[inline]
    pub(super) fn run(&mut self, tree: &Tree) -> Option<R> {
        if !tree.regexes.is_empty() {
            if let Some(found) = self.before_params(tree) {
                return Some(found);
            }
        }
        self.start(tree)
    }

    /// What takes precedence over patterns with parameters, where there are whole regular expressions.
    fn before_params(&mut self, tree: &Tree) -> Option<R> {
        self.only_static = true;
        let found = self.start(tree);
        self.only_static = false;
        if found.is_some() {
            return found;
        }
        tree.regexes.iter().find_map(|(regex, leaf)| {
            self.spans.truncate(0);
            match regex.find(self.sought.path, self.sought.escaped, &mut self.spans) {
                true => (self.visit)(leaf),
                false => None,
            }
        })
    }

    #[inline]
    fn start(&mut self, tree: &Tree) -> Option<R> {
        self.spans.truncate(0);
        self.walk(&tree.root, 1)
    }

    /// Goes on at `node`; `from` is where the next segment begins, which is past the path's end if there is none.
    ///
    /// It recurses only where there are several ways on, and so no deeper than the longest pattern has segments.
    /// If there is no route, `spans` may hold what is to be taken back.
    fn walk(&mut self, mut node: &Node, mut from: usize) -> Option<R> {
        while let Some(segment) = self.words.segment(from) {
            node = match &node.ways {
                Ways::Any(_) if self.only_static || segment.len() == 0 => return None,
                Ways::Any(child) => {
                    self.keep(segment.start, segment.end);
                    child
                }
                ways => match (self.child(node, segment), ways) {
                    (Some(child), Ways::None) => child,
                    (None, Ways::None) => return None,
                    (None, Ways::One((dynamic, child))) if !self.only_static => {
                        if !self.takes(dynamic, segment) {
                            return None;
                        }
                        child
                    }
                    (child, _) => return self.walk_each(node, child, segment),
                },
            };
            from = segment.end + 1;
        }
        (self.visit)(&node.leaf)
    }

    /// The node behind a static segment.
    #[inline]
    fn child<'n>(&self, node: &'n Node, segment: Stretch) -> Option<&'n Node> {
        match self.sought.escaped {
            false => node.statics.get(self.sought.path.as_bytes(), segment).map(Box::as_ref),
            true => self.decoded_child(node, segment),
        }
    }

    #[cold]
    fn decoded_child<'n>(&self, node: &'n Node, segment: Stretch) -> Option<&'n Node> {
        let text = percent::decode(self.sought.path.get(segment.start..segment.end)?);
        node.statics.get(text.as_bytes(), Stretch::whole(text.as_bytes())).map(Box::as_ref)
    }

    /// Keeps a parameter's span.
    #[inline]
    fn keep(&mut self, start: usize, end: usize) {
        self.spans.push((place(start), place(end)));
    }

    fn takes(&mut self, dynamic: &Dynamic, segment: Stretch) -> bool {
        let start = segment.start;
        let Some(raw) = self.sought.path.get(start..segment.end) else { return false };
        match self.sought.escaped {
            false => dynamic.find(raw, raw, start, &mut self.spans),
            true => dynamic.find(&percent::decode(raw), raw, start, &mut self.spans),
        }
    }

    /// Tries one way after the other.
    fn walk_each(&mut self, node: &Node, child: Option<&Node>, segment: Stretch) -> Option<R> {
        let (before, next) = (self.spans.len(), segment.end + 1);
        if let Some(found) = child.and_then(|child| self.walk(child, next)) {
            return Some(found);
        }
        if self.only_static {
            return None;
        }
        for (dynamic, child) in node.ways.dynamics() {
            self.spans.truncate(before);
            if self.takes(dynamic, segment) {
                if let Some(found) = self.walk(child, next) {
                    return Some(found);
                }
            }
        }
        let Ways::Many(many) = &node.ways else { return None };
        self.spans.truncate(before);
        self.keep(segment.start, self.sought.path.len());
        (self.visit)(&many.tail)
    }
}
