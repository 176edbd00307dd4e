//! Which methods a route takes, and which a path allows.

use std::fmt;

use http::{HeaderValue, Method};

/// The methods that a route takes.
///
/// ```
/// use bakestone::router::Methods;
/// use http::Method;
///
/// let read = Methods::from(Method::GET);
/// let write = Methods::from([Method::POST, Method::PUT]);
/// let all = Methods::Any;
/// # let _ = (read, write, all);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// Every method, those that nobody has heard of included, that no other route of the same shape names.
    Any,
    /// These methods. `GET` takes `HEAD` too, unless a route of the same shape names it.
    Only(Vec<Method>),
}

impl From<Method> for Methods {
    fn from(method: Method) -> Self {
        Self::Only(vec![method])
    }
}

impl From<Vec<Method>> for Methods {
    fn from(methods: Vec<Method>) -> Self {
        Self::Only(methods)
    }
}

impl From<&[Method]> for Methods {
    fn from(methods: &[Method]) -> Self {
        Self::Only(methods.to_vec())
    }
}

impl<const N: usize> From<[Method; N]> for Methods {
    fn from(methods: [Method; N]) -> Self {
        Self::Only(methods.into())
    }
}

impl From<Option<Method>> for Methods {
    /// `None` is every method.
    fn from(method: Option<Method>) -> Self {
        method.map_or(Self::Any, Self::from)
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Only(methods) => join(methods, ",", f),
        }
    }
}

fn join(methods: &[Method], separator: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, method) in methods.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { separator })?;
        f.write_str(method.as_str())?;
    }
    Ok(())
}

/// The methods that a path allows: what its `Allow` field says (RFC 9110, section 10.2.1).
///
/// The order is stable: the usual methods first, in the order of their specification, then the others by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow(Vec<Method>);

/// What a route for every method is said to allow; there is no way to say "all".
pub(super) const USUAL: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

impl Allow {
    /// What is allowed where routes take `methods`: `HEAD` comes with `GET`, and `OPTIONS` always.
    pub(super) fn of(methods: impl IntoIterator<Item = Method>) -> Self {
        let mut methods: Vec<Method> = methods.into_iter().collect();
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.push(Method::OPTIONS);
        methods.sort_by(|a, b| (rank(a), a.as_str()).cmp(&(rank(b), b.as_str())));
        methods.dedup();
        Self(methods)
    }

    /// The methods.
    pub fn methods(&self) -> &[Method] {
        &self.0
    }

    /// The value of the `Allow` field.
    pub fn to_header_value(&self) -> HeaderValue {
        // A method is a token, and every token is a field value; were one not, an empty value is a legal one.
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        join(&self.0, ", ", f)
    }
}

fn rank(method: &Method) -> usize {
    USUAL.iter().position(|usual| usual == method).unwrap_or(USUAL.len())
}

/// The registry of HTTP methods (RFC 9110, section 16.1.1), in the order of bytes.
const REGISTERED: [&str; 41] = [
    "*",
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// Whether the registry lists `method`: then a server that does not take it says 405, not 501.
pub(super) fn is_registered(method: &Method) -> bool {
    REGISTERED.binary_search(&method.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_sorted() {
        assert!(REGISTERED.is_sorted());
        assert!(USUAL.iter().all(is_registered));
        assert!(!is_registered(&Method::from_bytes(b"BREW").unwrap()));
        assert!(!is_registered(&Method::from_bytes(b"get").unwrap()));
    }

    #[test]
    fn the_order_of_allow_is_stable() {
        let purge = Method::from_bytes(b"PURGE").unwrap();
        let ban = Method::from_bytes(b"BAN").unwrap();
        let allow = Allow::of([purge, Method::DELETE, ban, Method::GET, Method::GET]);
        assert_eq!(allow.to_string(), "GET, HEAD, DELETE, OPTIONS, BAN, PURGE");
        assert_eq!(allow.to_header_value(), "GET, HEAD, DELETE, OPTIONS, BAN, PURGE");
        assert_eq!(Allow::of([]).to_string(), "OPTIONS");
    }
}
