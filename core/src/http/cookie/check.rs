//! What a cookie must be to be set.
//!
//! The rule: what passes is read by every user agent as it was meant; what one would drop, cut or take for something
//! else is an error here, since nobody hears of it there.
//!
//! ```text
//! cookie-name  = token
//! cookie-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E      RFC 6265bis, section 4.1.1
//! path         = "/" *( %x20-3A / %x3C-7E )                        no space at its end
//! domain       = [ "." ] label *( "." label )
//! label        = 1*( ALPHA / DIGIT / "-" / "_" )
//! ```

use std::fmt;

use super::set_cookie::{SameSite, SetCookie};
use crate::http::parameters::is_token;

/// Bytes that a user agent takes of the name and the value (RFC 6265bis, section 5.6).
pub(super) const NAME_VALUE_BYTES: usize = 4096;
/// Bytes that it takes of an attribute's value.
pub(super) const ATTRIBUTE_BYTES: usize = 1024;

/// Why a cookie cannot be set. It is the server's own fault, so as an [`Error`](crate::Error) it is a 500, and no
/// part of the cookie is in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is no token: it is empty, or has spaces, separators, or what is not ASCII.
    Name,
    /// The value has a byte that none may have. [`SetCookie::encoded`] takes any text.
    Value,
    /// The domain is no name of a host. One with other letters is written in its ASCII form (RFC 5890).
    Domain,
    /// The path does not begin with `/`, ends with a space, or has `;`, a control character, or what is not ASCII.
    Path,
    /// This part, of so many bytes, is longer than user agents take.
    TooLong {
        /// Which part.
        part: &'static str,
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        most: usize,
    },
    /// This is believed of secure cookies alone, and the cookie is none: `SameSite=None`, `Partitioned`, or the prefix
    /// `__Secure-` of its name.
    NeedsSecure(&'static str),
    /// The name begins with `__Host-`, which needs `Secure`, `Path=/` and no domain.
    Host,
}

impl fmt::Display for CookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("the name of a cookie must be a token"),
            Self::Value => f.write_str(
                "the value of a cookie must be printable ASCII without spaces, quotes, commas, semicolons and backslashes",
            ),
            Self::Domain => f.write_str("the domain of a cookie must be the name of a host"),
            Self::Path => f.write_str(
                "the path of a cookie must begin with a slash, and be printable ASCII without semicolons",
            ),
            Self::TooLong { part, bytes, most } => {
                write!(f, "{part} of a cookie may have {most} bytes, not {bytes}")
            }
            Self::NeedsSecure(what) => write!(f, "a cookie with {what} must be secure"),
            Self::Host => f.write_str(
                "a cookie whose name begins with __Host- must be secure, with the path / and no domain",
            ),
        }
    }
}

impl std::error::Error for CookieError {}

pub(super) fn all(cookie: &SetCookie) -> Result<(), CookieError> {
    require(is_token(&cookie.name), CookieError::Name)?;
    require(cookie.value.bytes().all(is_octet), CookieError::Value)?;
    at_most("the name and the value", cookie.name.len() + cookie.value.len(), NAME_VALUE_BYTES)?;
    if let Some(domain) = &cookie.domain {
        require(is_domain(domain), CookieError::Domain)?;
        at_most("the domain", domain.len(), ATTRIBUTE_BYTES)?;
    }
    if let Some(path) = &cookie.path {
        require(is_path(path), CookieError::Path)?;
        at_most("the path", path.len(), ATTRIBUTE_BYTES)?;
    }
    secure(cookie)
}

/// What only a secure cookie may say (RFC 6265bis, sections 4.1.2.7 and 4.1.3).
fn secure(cookie: &SetCookie) -> Result<(), CookieError> {
    let claims = [
        (has_prefix(&cookie.name, "__Secure-"), "a name that begins with __Secure-"),
        (cookie.same_site == Some(SameSite::None), "SameSite=None"),
        (cookie.partitioned, "Partitioned"),
    ];
    if has_prefix(&cookie.name, "__Host-") {
        let holds = cookie.secure && cookie.path.as_deref() == Some("/") && cookie.domain.is_none();
        require(holds, CookieError::Host)?;
    }
    match claims.iter().find(|(is_made, _)| *is_made && !cookie.secure) {
        Some((_, what)) => Err(CookieError::NeedsSecure(what)),
        None => Ok(()),
    }
}

/// User agents look for it in any case, since some servers do (RFC 6265bis, section 5.4).
fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

pub(super) fn is_octet(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !b"\",;\\".contains(&byte)
}

/// A user agent takes a path that does not begin with `/` for none, and compares it with the path as it was asked
/// for, which is ASCII.
fn is_path(path: &str) -> bool {
    let is_plain = |byte| matches!(byte, b' '..=b'~') && byte != b';';
    path.starts_with('/') && !path.ends_with(' ') && path.bytes().all(is_plain)
}

fn is_domain(domain: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let labels = domain.strip_prefix('.').unwrap_or(domain).split('.');
    labels.into_iter().all(|label| !label.is_empty() && label.bytes().all(is_plain))
}

fn require(holds: bool, error: CookieError) -> Result<(), CookieError> {
    if holds { Ok(()) } else { Err(error) }
}

fn at_most(part: &'static str, bytes: usize, most: usize) -> Result<(), CookieError> {
    require(bytes <= most, CookieError::TooLong { part, bytes, most })
}
