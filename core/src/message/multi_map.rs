//! Names with values: what a query, a form, a path and cookies are made of.
//!
//! The rule: the order is kept, and so are duplicates. Who wants one value says which.

use std::fmt;
use std::str::FromStr;

use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_core::ser::{Serialize, Serializer};

/// Pairs of a name and a value, in order. A name may occur several times, and is looked up as it is, in its
/// own case.
///
/// A look-up walks the pairs: there are as many as a request's limits allow, and rarely more than ten.
///
/// ```
/// use bakestone::MultiMap;
///
/// let mut order = MultiMap::from_iter([("cake", "bara brith"), ("slices", "2"), ("cake", "teisen lap")]);
/// assert_eq!(order.get("cake"), Some("bara brith"));
/// assert!(order.get_all("cake").eq(["bara brith", "teisen lap"]));
/// assert_eq!(order.parse::<u8>("slices"), Some(Ok(2)));
/// order.set("cake", "none");
/// assert_eq!(order.len(), 2);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct MultiMap(Vec<(String, String)>);

impl MultiMap {
    /// No pairs.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All values of `name`, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The first value of `name` as a `T`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// `T`'s own, for a value that is none.
    pub fn parse<T: FromStr>(&self, name: &str) -> Option<Result<T, T::Err>> {
        self.get(name).map(str::parse)
    }

    /// Whether `name` has a value.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds a value at the end, whether or not `name` has others.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Gives `name` this value alone, in the place of its first one, else at the end.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        let Some(place) = self.0.iter().position(|(known, _)| *known == name) else {
            return self.add(name, value);
        };
        let mut index = 0;
        self.0.retain(|(known, _)| {
            let kept = index <= place || *known != name;
            index += 1;
            kept
        });
        if let Some((_, old)) = self.0.get_mut(place) {
            *old = value;
        }
    }

    /// Takes all values of `name` out; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.len();
        self.0.retain(|(known, _)| known != name);
        self.len() < before
    }

    /// The names and the values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The names and the values, in order, as they are kept.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for MultiMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<N: Into<String>, V: Into<String>> Extend<(N, V)> for MultiMap {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, pairs: I) {
        self.0.extend(pairs.into_iter().map(|(name, value)| (name.into(), value.into())));
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for MultiMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut map = Self::new();
        map.extend(pairs);
        map
    }
}

impl IntoIterator for MultiMap {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for MultiMap {
    /// As a sequence of pairs: a map would have a name twice.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for MultiMap {
    /// From a sequence of pairs, or from a map.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Pairs)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = MultiMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pairs of a name and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pairs: A) -> Result<MultiMap, A::Error> {
        let mut map = MultiMap::new();
        while let Some(pair) = pairs.next_element::<(String, String)>()? {
            map.extend([pair]);
        }
        Ok(map)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<MultiMap, A::Error> {
        let mut map = MultiMap::new();
        while let Some(pair) = pairs.next_entry::<String, String>()? {
            map.extend([pair]);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> MultiMap {
        MultiMap::from_iter([("a", "1"), ("b", "2"), ("a", "3"), ("", "4"), ("a", "1")])
    }

    #[test]
    fn q04_order_and_duplicates_are_kept() {
        let map = sample();
        assert_eq!((map.len(), map.is_empty()), (5, false));
        assert_eq!((map.get("a"), map.get("A"), map.get("")), (Some("1"), None, Some("4")));
        assert!(map.get_all("a").eq(["1", "3", "1"]));
        assert_eq!((map.contains("b"), map.contains("c")), (true, false));
        assert_eq!(format!("{map:?}"), r#"{"a": "1", "b": "2", "a": "3", "": "4", "a": "1"}"#);
        assert_eq!(map.pairs().len(), map.clone().into_iter().len());
        assert_ne!(map, MultiMap::from_iter([("a", "1")]));
        assert!(MultiMap::default().is_empty());
    }

    #[test]
    fn values_as_types() {
        let map = MultiMap::from_iter([("n", "7"), ("n", "x"), ("s", "x")]);
        assert_eq!(map.parse::<u8>("n"), Some(Ok(7)));
        assert!(matches!(map.parse::<u8>("s"), Some(Err(_))));
        assert_eq!(map.parse::<u8>("none"), None);
    }

    #[test]
    fn changes() {
        let pairs =
            |map: &MultiMap| map.iter().map(|(name, value)| format!("{name}{value}")).collect::<String>();
        for (name, set, removed) in [
            ("a", "a9b24", Some("b24")),
            ("b", "a1b9a34a1", Some("a1a34a1")),
            ("", "a1b2a39a1", Some("a1b2a3a1")),
            ("c", "a1b2a34a1c9", None),
        ] {
            let (mut one, mut other) = (sample(), sample());
            one.set(name, "9");
            assert_eq!(pairs(&one), set, "{name}");
            assert_eq!(other.remove(name), removed.is_some(), "{name}");
            assert_eq!(pairs(&other), removed.unwrap_or("a1b2a34a1"), "{name}");
        }
        let mut map = sample();
        map.add("b", "5");
        assert!(map.get_all("b").eq(["2", "5"]));
    }

    #[cfg(feature = "json")]
    #[test]
    fn as_json_they_are_pairs() {
        let json = serde_json::to_string(&sample()).unwrap();
        assert_eq!(json, r#"[["a","1"],["b","2"],["a","3"],["","4"],["a","1"]]"#);
        assert_eq!(serde_json::from_str::<MultiMap>(&json).unwrap(), sample());
    }
}
