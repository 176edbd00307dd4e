//! Where a request goes: an `http` or `https` URL, without its fragment.
//!
//! The rule: what a test writes is sent as it is written, dots and doubled slashes included; only what no request line
//! could hold is encoded. What a server writes is resolved as a browser would (RFC 3986, section 5.2).
//!
//! ```text
//! URL       = scheme "://" authority [ path ] [ "?" query ] [ "#" fragment ]      RFC 3986, section 3
//! authority = host [ ":" port ]                                                   RFC 9110, section 4.2.1
//! ```

use std::fmt;
use std::net::Ipv6Addr;

/// An `http` or `https` URL.
///
/// ```
/// use bakestone_testkit::client::Url;
///
/// let base = Url::parse("http://example.com/shop/").unwrap();
/// let cakes = base.resolve("cakes/../breads?sort=age#top").unwrap();
/// assert_eq!(cakes.to_string(), "http://example.com/shop/breads?sort=age");
/// assert_eq!((cakes.path(), cakes.query()), ("/shop/breads", Some("sort=age")));
/// assert_eq!(base.resolve("//other.example").unwrap().authority(), "other.example");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Url {
    secure: bool,
    /// In lower case, with the port where it is not the scheme's own.
    authority: String,
    /// The path, which begins with `/`, and the query.
    target: String,
}

impl Url {
    /// Reads an absolute URL; `None` if it is none, has another scheme, or a user's name.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match &*scheme.to_ascii_lowercase() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return None,
        };
        Self::with_authority(secure, rest)
    }

    /// What follows `//`.
    fn with_authority(secure: bool, rest: &str) -> Option<Self> {
        let rest = rest.split('#').next()?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let authority = checked_authority(secure, authority)?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Some(Self { secure, authority, target: encoded(&format!("{slash}{target}")) })
    }

    /// What a test asks for: an absolute URL; a path with its query, taken as it is; or a reference that is
    /// [resolved](Self::resolve).
    pub(super) fn asked(&self, given: &str) -> Option<Self> {
        match given.starts_with('/') && !given.starts_with("//") {
            true => Some(Self { target: encoded(given.split('#').next()?), ..self.clone() }),
            false => self.resolve(given),
        }
    }

    /// Where a CONNECT leads: a host and a port, and nothing behind them (RFC 9112, section 3.2.3).
    pub(super) fn connected(&self, authority: &str) -> Option<Self> {
        let is_bare = !authority.contains(['/', '?', '#']);
        is_bare.then(|| Self::with_authority(self.secure, authority)).flatten()
    }

    /// The URL that `reference` means on a page of this one (RFC 3986, section 5.2); `None` if that is no URL of these
    /// schemes.
    pub fn resolve(&self, reference: &str) -> Option<Self> {
        let reference = reference.trim_matches(|c: char| c <= ' ').split('#').next()?;
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::with_authority(self.secure, rest).map(Self::without_dots);
        }
        if has_scheme(reference) {
            return Self::parse(reference).map(Self::without_dots);
        }
        let target = match reference.bytes().next() {
            None => self.target.clone(),
            Some(b'?') => format!("{}{reference}", self.path()),
            Some(b'/') => reference.to_owned(),
            Some(_) => {
                let folder = self.path().rfind('/').map_or(0, |at| at + 1);
                format!("{}{reference}", &self.path()[..folder])
            }
        };
        Some(Self { target: encoded(&target), ..self.clone() }.without_dots())
    }

    fn without_dots(mut self) -> Self {
        let query = self.query().map(|query| format!("?{query}")).unwrap_or_default();
        self.target = remove_dot_segments(self.path()) + &query;
        self
    }

    /// The same with this query, in place of any.
    pub(super) fn with_query(mut self, query: &str) -> Self {
        self.target = match query {
            "" => self.path().to_owned(),
            query => encoded(&format!("{}?{query}", self.path())),
        };
        self
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Whether the scheme is `https`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, and the port where it is not the scheme's own: what `Host` says.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host, in lower case; an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        split_port(&self.authority).0
    }

    /// The port, be it the scheme's own.
    pub fn port(&self) -> u16 {
        let own = if self.secure { 443 } else { 80 };
        split_port(&self.authority).1.and_then(|port| port.parse().ok()).unwrap_or(own)
    }

    /// The path; it begins with `/`.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&*self.target, |(path, _)| path)
    }

    /// The query, without its `?`; `None` if there is none.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The path and the query: what the request line says.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// `scheme://authority`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.target)
    }
}

/// `scheme ":"`, with a letter first (RFC 3986, section 3.1).
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    let is_letter = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    is_letter && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// In lower case, without a port that the scheme has anyway.
fn checked_authority(secure: bool, authority: &str) -> Option<String> {
    let (host, port) = split_port(authority);
    let port = port.unwrap_or_default();
    if !is_host(host) || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let port = if port.is_empty() { None } else { Some(port.parse::<u16>().ok()?) };
    match port {
        Some(port) if port != if secure { 443 } else { 80 } => Some(format!("{host}:{port}")),
        _ => Some(host),
    }
}

/// An IPv6 address in brackets, or a name (RFC 3986, section 3.2.2).
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte);
    !host.is_empty() && host.bytes().all(is_of_name)
}

/// What a request line cannot hold, as escapes.
fn encoded(target: &str) -> String {
    let mut text = String::with_capacity(target.len());
    for byte in target.bytes() {
        match byte {
            b'!'..=b'~' if !b"\"#<>\\^`{|}".contains(&byte) => text.push(char::from(byte)),
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

/// RFC 3986, section 5.2.4.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_as_the_rfc_shows() {
        let base = Url::parse("http://a/b/c/d;p?q").unwrap();
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("./../g", "http://a/b/g"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("https://G:443/x y\u{e9}", "https://g/x%20y%C3%A9"),
            ("http://[::1]:8080", "http://[::1]:8080/"),
        ] {
            assert_eq!(base.resolve(reference).unwrap().to_string(), expected, "{reference}");
        }
        for reference in [
            "mailto:a@b",
            "http://",
            "http://u@h/",
            "http://h:x/",
            "http://h:+1/",
            "http://a:b:1/",
            "http://::1/",
            "http://[::1/",
            "http://[::1]x/",
            "http://[x]/",
            "javascript:alert(1)",
        ] {
            assert_eq!(base.resolve(reference), None, "{reference}");
        }
    }

    #[test]
    fn what_a_test_asks_for_stays_as_it_is() {
        let base = Url::parse("https://example.com:8443/api/").unwrap();
        for (given, target) in [
            ("/a/../b//c", "/a/../b//c"),
            ("/a b?c=\"d\"", "/a%20b?c=%22d%22"),
            ("/%zz", "/%zz"),
            ("users", "/api/users"),
            ("http://other/x", "/x"),
        ] {
            assert_eq!(base.asked(given).unwrap().target(), target, "{given}");
        }
        assert_eq!((base.host(), base.port(), base.authority()), ("example.com", 8443, "example.com:8443"));
        assert_eq!(
            Url::parse("http://[::1]/").map(|url| (url.host().to_owned(), url.port())),
            Some(("[::1]".into(), 80))
        );
        assert_eq!(base.clone().with_query("x=1#2").target(), "/api/?x=1%232");
    }
}
