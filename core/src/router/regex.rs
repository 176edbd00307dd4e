//! Regular expressions, of a parameter and of a whole path.
//!
//! The rule: the engine is `regex-lite`, whose matching takes no more steps than the expression's size times the
//! text's length, whatever either is. It knows classes of ASCII only, so `\d` is `0` to `9`. Without the feature
//! `regex` there is no engine, and a pattern that needs one is not built.

use std::cmp::Reverse;

use super::error::Problem;
use super::params::{ABSENT, Spans, place};
use super::percent;

/// A regular expression for the whole path, as a pattern: see [`regex`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRegex {
    pub(super) text: String,
    pub(super) prefix: bool,
}

/// A pattern that is one regular expression for the whole path.
///
/// It is compared with the path as it reads decoded, from its first `/` to its end. A path with an escaped slash
/// (`%2F`) has no such form that tells its separators apart, so none is ever matched. The named groups are the
/// parameters; a group that took no part is missing. A slash policy has no effect here, since the expression
/// can say `/?` itself.
///
/// ```
/// use bakestone::router::{Match, Methods, Router, regex};
/// use http::{Method, Uri};
///
/// let mut routes = Router::builder();
/// routes.insert(regex(r"/(?P<year>\d{4})-(?P<week>\d\d)"), Methods::Any, "a week");
/// routes.insert(regex(r"/old-").prefix(), Methods::Any, "gone");
/// let router = routes.build()?;
///
/// let uri = Uri::from_static("/2026-07");
/// let Match::Found { params, .. } = router.find(&Method::GET, &uri, None) else { panic!("there is a route") };
/// assert_eq!(params.get("week").as_deref(), Some("07"));
/// assert!(matches!(router.find(&Method::GET, &Uri::from_static("/2026-071"), None), Match::NotFound));
/// assert!(matches!(router.find(&Method::GET, &Uri::from_static("/old-cakes"), None), Match::Found { .. }));
/// # Ok::<(), bakestone::router::RouteErrors>(())
/// ```
pub fn regex(text: impl Into<String>) -> PathRegex {
    PathRegex { text: text.into(), prefix: false }
}

impl PathRegex {
    /// Lets the path go on after what is matched, also in the middle of a segment.
    #[must_use]
    pub fn prefix(mut self) -> Self {
        self.prefix = true;
        self
    }

    /// This expression after the text `prefix`; as it is if it is malformed, since the prefix may hide that.
    pub(super) fn below(&self, prefix: &str) -> Self {
        match Whole::new(self) {
            Ok(_) if !prefix.is_empty() => {
                Self { text: format!("{}(?:{})", Engine::escape(prefix), self.text), prefix: self.prefix }
            }
            _ => self.clone(),
        }
    }
}

/// The regular expression of a parameter.
#[derive(Debug)]
pub(crate) struct Inline {
    text: Box<str>,
    engine: Engine,
}

impl Inline {
    pub(super) fn new(text: &str) -> Result<Self, Problem> {
        Ok(Self { text: text.into(), engine: Engine::new(text, "\\A(?:", ")\\z")? })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn takes(&self, decoded: &str) -> bool {
        self.engine.is_match(decoded)
    }

    /// The longer text first, since it is likely to say more; else it is the text that makes an order.
    fn rank(&self) -> (Reverse<usize>, &str) {
        (Reverse(self.text.len()), &self.text)
    }
}

/// A compiled [`PathRegex`].
#[derive(Debug)]
pub(super) struct Whole {
    source: PathRegex,
    engine: Engine,
    names: Vec<Box<str>>,
}

impl Whole {
    pub(super) fn new(source: &PathRegex) -> Result<Self, Problem> {
        let engine = Engine::new(&source.text, "\\A(?:", if source.prefix { ")" } else { ")\\z" })?;
        let names = engine.names();
        Ok(Self { source: source.clone(), engine, names })
    }

    /// The named groups, in the order of the expression.
    pub(super) fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Compares it with the whole path, and keeps the spans of the groups.
    pub(super) fn find(&self, raw: &str, escaped: bool, spans: &mut Spans) -> bool {
        if escaped && raw.as_bytes().windows(3).any(|escape| escape.eq_ignore_ascii_case(b"%2f")) {
            return false;
        }
        let path = percent::decode(raw);
        let names = self.names.iter().map(|name| &**name);
        self.engine.groups(&path, names, |span| {
            spans.push(span.map_or(ABSENT, |(start, end)| {
                let raw_place = |at| if escaped { percent::raw_offset(raw, at) } else { at };
                (place(raw_place(start)), place(raw_place(end)))
            }));
        })
    }

    fn rank(&self) -> (bool, Reverse<usize>, &str) {
        (self.source.prefix, Reverse(self.source.text.len()), &self.source.text)
    }
}

macro_rules! by_rank {
    ($($type:ty),*) => {$(
        impl Ord for $type {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.rank().cmp(&other.rank())
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.rank() == other.rank()
            }
        }

        impl Eq for $type {}
    )*};
}

pub(super) use by_rank;
by_rank!(Inline, Whole);

#[cfg(feature = "regex")]
mod engine {
    use super::Problem;

    /// A compiled regular expression.
    #[derive(Debug)]
    pub(in super::super) struct Engine(regex_lite::Regex);

    impl Engine {
        /// The expression `text` between what anchors it.
        pub(in super::super) fn new(text: &str, before: &str, after: &str) -> Result<Self, Problem> {
            let wrong = |error: regex_lite::Error| Problem::Regex(error.to_string());
            // By itself first: `a)|(b` is no expression, though it is one between parentheses.
            regex_lite::Regex::new(text).map_err(wrong)?;
            regex_lite::Regex::new(&format!("{before}{text}{after}")).map(Self).map_err(wrong)
        }

        pub(in super::super) fn escape(literal: &str) -> String {
            regex_lite::escape(literal)
        }

        pub(in super::super) fn is_match(&self, text: &str) -> bool {
            self.0.is_match(text)
        }

        pub(super) fn names(&self) -> Vec<Box<str>> {
            self.0.capture_names().flatten().map(Box::from).collect()
        }

        /// Shows the spans of the groups `names`, if `text` is matched; else it shows none.
        pub(in super::super) fn groups<'n>(
            &self,
            text: &str,
            names: impl Iterator<Item = &'n str>,
            mut show: impl FnMut(Option<(usize, usize)>),
        ) -> bool {
            let Some(groups) = self.0.captures(text) else { return false };
            names.for_each(|name| show(groups.name(name).map(|group| (group.start(), group.end()))));
            true
        }
    }
}

#[cfg(not(feature = "regex"))]
mod engine {
    use super::Problem;

    /// No regular expression: there is no value of this type.
    #[derive(Debug)]
    pub(in super::super) enum Engine {}

    impl Engine {
        pub(in super::super) fn new(_: &str, _: &str, _: &str) -> Result<Self, Problem> {
            Err(Problem::RegexFeature)
        }

        pub(in super::super) fn escape(literal: &str) -> String {
            literal.to_owned()
        }

        pub(in super::super) fn is_match(&self, _: &str) -> bool {
            match *self {}
        }

        pub(super) fn names(&self) -> Vec<Box<str>> {
            match *self {}
        }

        pub(in super::super) fn groups<'n>(
            &self,
            _: &str,
            _: impl Iterator<Item = &'n str>,
            _: impl FnMut(Option<(usize, usize)>),
        ) -> bool {
            match *self {}
        }
    }
}

pub(super) use engine::Engine;
