//! Hosts: which names a route answers to.
//!
//! The rule: hosts are compared without case, port, brackets and a last dot. A host that is named takes
//! precedence over a wildcard, the longest wildcard over the others, and any of them over no host.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// No name of the DNS is longer (RFC 1035, section 2.3.4), and no address.
const LONGEST: usize = 253;

/// The host of a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Host {
    /// This name or address.
    Exact(Box<str>),
    /// The names below this one, at any depth.
    Below(Box<str>),
}

impl Host {
    /// Reads `example.com`, `*.example.com`, `192.0.2.1`, `::1` or `[::1]`; `None` if it is none of these.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.parse::<Ipv6Addr>().is_ok() {
            return Some(Self::Exact(address(text).into()));
        }
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"-._~".contains(&byte);
        let bracketed = !below && name.starts_with('[') && name.ends_with(']');
        if !(bracketed || name.bytes().all(plain)) {
            return None;
        }
        let name = normal(name)?.into();
        Some(if below { Self::Below(name) } else { Self::Exact(name) })
    }

    /// Which of the two is the more specific: that is the greater one. `None` if no request is for both.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let (Self::Exact(name) | Self::Below(name)) = self;
        let (Self::Exact(other_name) | Self::Below(other_name)) = other;
        match (self, other) {
            _ if self == other => Some(Ordering::Equal),
            (_, Self::Below(_)) if other.takes(name) => Some(Ordering::Greater),
            (Self::Below(_), _) if self.takes(other_name) => Some(Ordering::Less),
            _ => None,
        }
    }

    /// Whether the host of a request, as it was sent, is this one.
    pub(super) fn takes(&self, host: &str) -> bool {
        let Some(host) = normal(host) else { return false };
        match self {
            Self::Exact(name) => *host == **name,
            Self::Below(name) => host
                .strip_suffix(&**name)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty()),
        }
    }
}

/// The host that is compared; `None` if there is none, or it is longer than any.
fn normal(host: &str) -> Option<Cow<'_, str>> {
    if let Some((literal, _)) = host.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return Some(address(literal).into());
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    Some(if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    })
}

/// An address of IP version 6 in its one canonical form (RFC 5952); other text in lower case.
fn address(literal: &str) -> String {
    literal.parse::<Ipv6Addr>().map_or_else(|_| literal.to_ascii_lowercase(), |address| address.to_string())
}

/// One `T` for each host, and one for all hosts.
pub(super) struct Hosts<T> {
    exact: BTreeMap<Box<str>, T>,
    below: BTreeMap<Box<str>, T>,
    all: T,
}

impl<T: Default> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: BTreeMap::new(), below: BTreeMap::new(), all: T::default() }
    }
}

impl<T> Hosts<T> {
    /// That of `host`, made if there is none yet.
    pub(super) fn entry(&mut self, host: Option<&Host>) -> &mut T
    where
        T: Default,
    {
        match host {
            None => &mut self.all,
            Some(Host::Exact(name)) => self.exact.entry(name.clone()).or_default(),
            Some(Host::Below(name)) => self.below.entry(name.clone()).or_default(),
        }
    }

    pub(super) fn map<U>(self, mut change: impl FnMut(T) -> U) -> Hosts<U> {
        let mut each =
            |map: BTreeMap<Box<str>, T>| map.into_iter().map(|(name, t)| (name, change(t))).collect();
        Hosts { exact: each(self.exact), below: each(self.below), all: change(self.all) }
    }

    /// Whether any host has one of its own.
    pub(super) fn any_named(&self) -> bool {
        !self.exact.is_empty() || !self.below.is_empty()
    }

    /// Shows `visit` what there is for the host of a request, as it was sent, until it takes one.
    #[inline]
    pub(super) fn search<R>(&self, host: Option<&str>, mut visit: impl FnMut(&T) -> Option<R>) -> Option<R> {
        if self.any_named() {
            if let Some(found) = self.search_named(host, &mut visit) {
                return Some(found);
            }
        }
        visit(&self.all)
    }

    fn search_named<R>(&self, host: Option<&str>, visit: &mut impl FnMut(&T) -> Option<R>) -> Option<R> {
        let host = normal(host?)?;
        if let Some(found) = self.exact.get(&*host).and_then(&mut *visit) {
            return Some(found);
        }
        // A dot at the beginning has no label before it.
        let dots = host.bytes().enumerate().skip(1).filter(|&(_, byte)| byte == b'.');
        let mut below = dots.filter_map(|(at, _)| self.below.get(&host[at + 1..]));
        below.find_map(visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_without_case_port_and_dot() {
        for (route, taken, refused) in [
            (
                "Example.COM",
                &["example.com", "EXAMPLE.com:80", "example.com.", "example.com.:8000"][..],
                &["a.example.com", "", "example.org", ":80"][..],
            ),
            (
                "*.example.com",
                &["a.example.com", "a.b.EXAMPLE.com:1"],
                &["example.com", ".example.com", "aexample.com", "x.org"],
            ),
            ("[::1]", &["[::1]", "[::1]:80", "[0:0:0:0:0:0:0:1]"], &["::1", "[::2]", "1"]),
            ("::1", &["[::1]:80"], &["[::2]"]),
            ("192.0.2.1", &["192.0.2.1", "192.0.2.1:8080"], &["192.0.2.10"]),
        ] {
            let parsed = Host::parse(route).unwrap();
            let mut hosts = Hosts::<u8>::default();
            *hosts.entry(Some(&parsed)) = 1;
            for (host, expected) in
                taken.iter().map(|host| (host, true)).chain(refused.iter().map(|host| (host, false)))
            {
                assert_eq!(parsed.takes(host), expected, "{route}: {host}");
                assert_eq!(
                    hosts.search(Some(host), |&value| (value > 0).then_some(())).is_some(),
                    expected,
                    "{route}: {host}"
                );
            }
        }
        let long = "a".repeat(254);
        for malformed in ["", "*", "*.", "a b", "a/b", "example.com:80", "http://a", "*.[::1]", "a.*", &long]
        {
            assert_eq!(Host::parse(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn the_more_specific_host_is_the_greater_one() {
        for (host, other, expected) in [
            ("a.b", "A.b.", Some(Ordering::Equal)),
            ("*.b", "*.b", Some(Ordering::Equal)),
            ("a.b", "*.b", Some(Ordering::Greater)),
            ("*.a.b", "*.b", Some(Ordering::Greater)),
            ("a.b", "b", None),
            ("b", "*.b", None),
            ("*.a", "*.b", None),
            ("*.ab", "*.b", None),
        ] {
            let (host, other) = (Host::parse(host).unwrap(), Host::parse(other).unwrap());
            assert_eq!(host.compare(&other), expected, "{host:?} {other:?}");
            assert_eq!(other.compare(&host), expected.map(Ordering::reverse), "{other:?} {host:?}");
        }
    }

    #[test]
    fn the_closest_host_comes_first() {
        let mut hosts = Hosts::<&str>::default();
        for name in ["a.b.c", "*.b.c", "*.c"] {
            *hosts.entry(Host::parse(name).as_ref()) = name;
        }
        *hosts.entry(None) = "all";
        for (host, expected) in [
            (Some("a.b.c"), "a.b.c *.b.c *.c all"),
            (Some("x.b.c"), "*.b.c *.c all"),
            (Some("b.c"), "*.c all"),
            (Some("c"), "all"),
            (None, "all"),
        ] {
            let mut seen = Vec::new();
            let _ = hosts.search(host, |&name| {
                seen.push(name);
                None::<()>
            });
            assert_eq!(seen.join(" "), expected, "{host:?}");
        }
    }
}
