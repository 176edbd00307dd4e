//! Cookies: the `Cookie` field of a request, and [`SetCookie`], the field of a response that sets one (RFC 6265bis,
//! draft-ietf-httpbis-rfc6265bis).
//!
//! The rule: whatever a client sends has a meaning, and no cookie is lost over its neighbour. A user agent
//! sends what servers gave it, well-formed or not (RFC 6265, section 5.4), so nothing in a request is an error. What
//! goes out is checked, every byte of it.
//!
//! ```text
//! cookie-string = piece *( ";" piece )
//! piece         = OWS [ name OWS "=" OWS ] value OWS     ; one without "=" has an empty name
//! value         = *( any byte but ";" )                  ; less the quotes around it
//! ```

mod check;
mod read;
mod set_cookie;

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

use super::percent;

pub use check::CookieError;
pub use set_cookie::{SameSite, SetCookie};

/// The names and the values of one field, in its order, duplicates too; bytes that are not UTF-8 become U+FFFD.
///
/// A value is as it was sent, without the quotes around it if there is a pair: nothing in it is decoded, since
/// the RFC has no escapes. A piece without `=` is a cookie whose name is empty: that is how user agents send
/// one (RFC 6265bis, section 5.8.3). Empty pieces are skipped.
///
/// ```
/// use bakestone::http::cookie;
///
/// let cookies: Vec<_> = cookie::parse(br#"session=31d4; theme="dark"; session=old; lone"#).collect();
/// let expected = [("session", "31d4"), ("theme", "dark"), ("session", "old"), ("", "lone")];
/// assert_eq!(cookies, expected.map(|(name, value)| (name.into(), value.into())));
/// ```
pub fn parse(field: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    field.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|piece| !piece.is_empty()).map(cookie)
}

/// The cookies of all `Cookie` fields, in their order: HTTP/2 sends one in several (RFC 9113, section 8.2.3).
pub fn parse_all(headers: &HeaderMap) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    headers.get_all(COOKIE).into_iter().map(HeaderValue::as_bytes).flat_map(parse)
}

fn cookie(piece: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    let (name, value) = match memchr::memchr(b'=', piece) {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (&b""[..], piece),
    };
    let value = match value.trim_ascii() {
        [b'"', inner @ .., b'"'] => inner,
        value => value,
    };
    (String::from_utf8_lossy(name.trim_ascii()), String::from_utf8_lossy(value))
}

/// The text that [`SetCookie::encoded`] made this value of.
///
/// An escape is a byte, and what only looks like one stands for itself; bytes that are not UTF-8 become U+FFFD.
///
/// ```
/// use bakestone::http::cookie::{SetCookie, decode};
///
/// let cookie = SetCookie::encoded("name", "Siân; 100%");
/// assert_eq!(cookie.value, "Si%C3%A2n%3B%20100%25");
/// assert_eq!(decode(&cookie.value), "Siân; 100%");
/// ```
pub fn decode(value: &str) -> Cow<'_, str> {
    percent::decode(value)
}

#[cfg(test)]
mod tests;
