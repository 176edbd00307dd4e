//! Which pages may open a WebSocket.
//!
//! The rule: a browser sends the cookies of a site with a handshake that any page has begun, and no other rule of the
//! browser's stops it; so a page of another origin is refused unless it is named.
//!
//! ```text
//! Origin            = "null" / serialized-origin *( SP serialized-origin )        RFC 6454, section 7.1
//! serialized-origin = scheme "://" host [ ":" port ]                              RFC 6454, section 6.2
//! ```

use std::fmt;

use crate::h1::{Authority, is_scheme};

/// The origin of a page (RFC 6454, section 6.2): its scheme, host and port. They are compared without case; a port that
/// is left out is that of the scheme.
///
/// ```
/// use bakestone::ws::Origin;
///
/// assert_eq!(Origin::parse("https://example.com"), Origin::parse("HTTPS://Example.com:443"));
/// assert_ne!(Origin::parse("https://example.com"), Origin::parse("http://example.com"));
/// assert_eq!(Origin::parse("https://example.com/"), None);
/// ```
#[derive(Clone, Debug)]
pub struct Origin {
    serialized: Box<str>,
    /// The length of the scheme, in bytes.
    scheme: usize,
}

impl Origin {
    /// The origin that `text` is; `None` if it is none, or several, or `null`: every page that hides its origin has that,
    /// so it names nobody.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_origin = is_scheme(scheme.as_bytes()) && Authority::parse(authority.as_bytes()).is_some();
        is_origin.then(|| Self { serialized: text.into(), scheme: scheme.len() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.serialized
    }

    fn scheme(&self) -> &str {
        &self.serialized[..self.scheme]
    }

    /// Whether `authority`, as `Host` holds one, names this host and port.
    fn is_at(&self, authority: &str) -> bool {
        let default = match self.scheme() {
            scheme if scheme.eq_ignore_ascii_case("https") => Some(443),
            scheme if scheme.eq_ignore_ascii_case("http") => Some(80),
            _ => None,
        };
        let own = Authority::parse(self.serialized[self.scheme + "://".len()..].as_bytes());
        let other = Authority::parse(authority.as_bytes());
        own.zip(other).is_some_and(|(own, other)| own.is_same(&other, default))
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.scheme().eq_ignore_ascii_case(other.scheme())
            && self.is_at(&other.serialized[other.scheme + "://".len()..])
    }
}

impl Eq for Origin {}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which pages may open a WebSocket (RFC 6455, section 10.2). A request without `Origin` is no page's, and passes all of
/// them: what is no browser can send any origin that it likes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// Those of the host and port that the request is for. Over TLS the page has to come over TLS too. Without, it may:
    /// a proxy may have ended the TLS.
    #[default]
    Same,
    /// All. Cookies say nothing then about who asks.
    Any,
    /// Those of these origins.
    List(Vec<Origin>),
}

impl OriginPolicy {
    /// Whether a page of `origin` may open a WebSocket on a connection whose scheme is `scheme`, `http` or `https`, with a
    /// request for `host`, with its port if that is not the scheme's.
    ///
    /// ```
    /// use bakestone::ws::{Origin, OriginPolicy};
    ///
    /// let origin = Origin::parse("https://example.com").ok_or("no origin")?;
    /// assert!(OriginPolicy::Same.allows(&origin, "https", Some("example.com")));
    /// assert!(!OriginPolicy::Same.allows(&origin, "https", Some("example.com:8443")));
    /// assert!(OriginPolicy::List(vec![origin.clone()]).allows(&origin, "https", Some("api.example.com")));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn allows(&self, origin: &Origin, scheme: &str, host: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::List(origins) => origins.contains(origin),
            Self::Same => {
                let is_as_safe = scheme != "https" || origin.scheme().eq_ignore_ascii_case("https");
                is_as_safe && host.is_some_and(|host| origin.is_at(host))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_origin() {
        for (text, is_origin) in [
            ("https://example.com", true),
            ("http://localhost:3000", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:8080", true),
            ("https://xn--bcher-kva.example", true),
            ("chrome-extension://abcdefgh", true),
            ("", false),
            ("null", false),
            ("example.com", false),
            ("https://", false),
            ("https://:443", false),
            ("://example.com", false),
            ("1https://example.com", false),
            ("https:example.com", false),
            ("https://example.com/", false),
            ("https://example.com?x", false),
            ("https://user@example.com", false),
            ("https://example.com:port", false),
            ("https://example.com:65536", false),
            ("http://[::1", false),
            ("http://[::1]x", false),
            ("https://a.example https://b.example", false),
            ("https://exa mple.com", false),
            ("https://b\u{fc}cher.example", false),
            ("*", false),
        ] {
            assert_eq!(Origin::parse(text).is_some(), is_origin, "{text:?}");
        }
    }

    #[test]
    fn the_same_origin() {
        for (origin, scheme, host, is_same) in [
            ("http://example.com", "http", Some("example.com"), true),
            ("http://EXAMPLE.com", "http", Some("example.COM"), true),
            ("http://example.com", "http", Some("example.com:80"), true),
            ("http://example.com:80", "http", Some("example.com"), true),
            ("http://example.com:8000", "http", Some("example.com:8000"), true),
            ("http://[::1]:8000", "http", Some("[::1]:8000"), true),
            ("https://example.com", "https", Some("example.com"), true),
            ("HTTPS://example.com", "https", Some("example.com:443"), true),
            ("https://example.com", "http", Some("example.com"), true),
            ("https://example.com", "http", Some("example.com:443"), true),
            ("https://example.com", "http", Some("example.com:80"), false),
            ("http://example.com", "https", Some("example.com"), false),
            ("http://example.com", "https", Some("example.com:80"), false),
            ("http://example.com", "http", Some("example.com:8000"), false),
            ("http://example.com:8000", "http", Some("example.com"), false),
            ("http://example.com", "http", Some("www.example.com"), false),
            ("http://www.example.com", "http", Some("example.com"), false),
            ("http://example.com.evil.example", "http", Some("example.com"), false),
            ("http://evilexample.com", "http", Some("example.com"), false),
            ("http://example.com.", "http", Some("example.com"), false),
            ("chrome-extension://example.com", "https", Some("example.com"), false),
            ("file://example.com", "https", Some("example.com"), false),
            ("http://example.com", "http", Some("user@example.com"), false),
            ("http://example.com", "http", Some(""), false),
            ("http://example.com", "http", None, false),
        ] {
            let page = Origin::parse(origin).unwrap();
            assert_eq!(OriginPolicy::Same.allows(&page, scheme, host), is_same, "{origin} {scheme} {host:?}");
            assert!(OriginPolicy::Any.allows(&page, scheme, host));
        }
    }

    #[test]
    fn a_list_of_origins() {
        let list = ["https://example.com", "http://localhost:3000", "app://cakes"];
        let policy = OriginPolicy::List(list.into_iter().filter_map(Origin::parse).collect());
        for (origin, is_listed) in [
            ("https://example.com", true),
            ("HTTPS://EXAMPLE.COM:443", true),
            ("http://localhost:3000", true),
            ("app://cakes", true),
            ("http://example.com", false),
            ("http://example.com:443", false),
            ("https://example.com:444", false),
            ("http://localhost", false),
            ("http://localhost:30000", false),
            ("https://www.example.com", false),
            ("app://cakes:1", false),
        ] {
            let page = Origin::parse(origin).unwrap();
            assert_eq!(policy.allows(&page, "http", Some("other.example")), is_listed, "{origin}");
        }
        assert!(!OriginPolicy::List(Vec::new()).allows(
            &Origin::parse("http://example.com").unwrap(),
            "http",
            Some("example.com")
        ));
    }
}
