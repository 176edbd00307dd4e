//! Redirects.

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use crate::error::{Error, Result};
use crate::http::percent::push_escape;
use crate::message::{IntoResponse, Response};

/// A redirect to another target (RFC 9110, section 15.4), to be returned, or to leave a handler by `?`.
///
/// The target is a URI reference. What may not stand in one is percent-encoded, escapes that are there stay, and
/// no line can begin in it. Where it comes from the client it may lead to another site: `//example.com` does, so
/// check it, or redirect to a path that the [application makes](crate::app::Urls).
///
/// ```
/// use bakestone::{IntoResponse, Redirect, Result, Text};
/// use http::StatusCode;
///
/// async fn account(user: Option<String>) -> Result<Text<String>> {
///     let user = user.ok_or_else(|| Redirect::see_other("/login?next=/my account"))?;
///     Ok(Text(user))
/// }
///
/// let response = Redirect::to("/cakes/bara brith").into_response().unwrap();
/// assert_eq!(response.status, StatusCode::TEMPORARY_REDIRECT);
/// assert_eq!(response.headers["location"], "/cakes/bara%20brith");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    status: StatusCode,
    location: HeaderValue,
}

impl Redirect {
    /// 307 Temporary Redirect: the client repeats its request there, method and content included.
    pub fn to(target: impl AsRef<str>) -> Self {
        Self { status: StatusCode::TEMPORARY_REDIRECT, location: encoded(target.as_ref()) }
    }

    /// 308 Permanent Redirect: the same, from now on.
    pub fn permanent(target: impl AsRef<str>) -> Self {
        Self { status: StatusCode::PERMANENT_REDIRECT, ..Self::to(target) }
    }

    /// 303 See Other: the client asks there with GET, as after a form was sent.
    pub fn see_other(target: impl AsRef<str>) -> Self {
        Self { status: StatusCode::SEE_OTHER, ..Self::to(target) }
    }

    /// The same redirect with another status: one of 3xx, else the response is an error.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Result<Response> {
        if !self.status.is_redirection() {
            return Err(Error::internal().with_source(format!("{} is no status of a redirect", self.status)));
        }
        Ok(Response::empty(self.status).with_header(LOCATION, self.location))
    }
}

impl From<Redirect> for Error {
    /// So that `?` leaves a handler by it: middleware and error handlers see it as they do any error.
    fn from(redirect: Redirect) -> Self {
        match redirect.status.is_redirection() {
            true => Error::from_status(redirect.status).with_header(LOCATION, redirect.location),
            false => Error::internal().with_source(format!("{} is no status of a redirect", redirect.status)),
        }
    }
}

/// `target` with all that no URI reference may hold percent-encoded (RFC 3986, section 2.1), and a `\`, which browsers
/// take for a `/`, with it.
fn encoded(target: &str) -> HeaderValue {
    let bytes = target.as_bytes();
    let mut encoded = String::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        if is_kept(byte) && (byte != b'%' || is_escape(bytes, at)) {
            encoded.push(char::from(byte));
        } else {
            push_escape(byte, &mut encoded);
        }
    }
    // All of it is visible ASCII by now.
    HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static("/"))
}

/// Whether it is unreserved or reserved (RFC 3986, sections 2.2 and 2.3), or begins an escape.
fn is_kept(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s05_targets_are_uri_references() {
        for (target, location) in [
            ("/", "/"),
            ("", ""),
            ("https://example.com/a?b=c&d=e+f#g", "https://example.com/a?b=c&d=e+f#g"),
            ("/a b", "/a%20b"),
            ("/caf\u{e9}", "/caf%C3%A9"),
            ("/100%", "/100%25"),
            ("/%2F%zz%4", "/%2F%25zz%254"),
            ("/a\r\nSet-Cookie: b=c", "/a%0D%0ASet-Cookie:%20b=c"),
            ("/\\example.com", "/%5Cexample.com"),
            ("/<\"`{|}^>\0\x7f", "/%3C%22%60%7B%7C%7D%5E%3E%00%7F"),
            ("[::1]:80", "[::1]:80"),
        ] {
            let response = Redirect::to(target).into_response().unwrap();
            assert_eq!(response.headers[LOCATION], location, "{target:?}");
        }
    }

    #[test]
    fn s05_e06_statuses_and_errors() {
        for (redirect, status) in [
            (Redirect::to("/"), 307),
            (Redirect::permanent("/"), 308),
            (Redirect::see_other("/"), 303),
            (Redirect::to("/").with_status(StatusCode::FOUND), 302),
            (Redirect::to("/").with_status(StatusCode::OK), 500),
        ] {
            let error = Error::from(redirect.clone());
            assert_eq!(error.status().as_u16(), status);
            assert_eq!(error.headers().contains_key(LOCATION), status < 400);
            let response = redirect.into_response();
            assert_eq!(response.map_or(500, |response| response.status.as_u16()), status);
        }
    }
}
