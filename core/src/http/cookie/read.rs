//! The field that sets a cookie, as a user agent reads it.
//!
//! The rule: it is the algorithm of RFC 6265bis, section 5.6, step by step, and as lenient. An attribute that it
//! ignores is ignored, and of several of a name the last one counts.

use std::time::Duration;

use super::check::{ATTRIBUTE_BYTES, NAME_VALUE_BYTES};
use super::set_cookie::{SameSite, SetCookie};
use crate::http::HttpDate;

impl SetCookie {
    /// The cookie that a `Set-Cookie` field sets, as a user agent reads it (RFC 6265bis, section 5.6); `None` where
    /// it would ignore the field. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// The domain is in lower case and without its dot; a path that does not begin with `/` is none. Of the dates
    /// those of HTTP are read (RFC 9110, section 5.6.7).
    ///
    /// ```
    /// use bakestone::http::cookie::SetCookie;
    ///
    /// let cookie = SetCookie::parse(b"theme=dark; path=/; HTTPONLY; Priority=High").ok_or("no cookie")?;
    /// assert_eq!((&*cookie.name, &*cookie.value), ("theme", "dark"));
    /// assert_eq!((cookie.path.as_deref(), cookie.http_only, cookie.secure), (Some("/"), true, false));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn parse(field: &[u8]) -> Option<Self> {
        if field.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
            return None;
        }
        let mut pieces = field.split(|byte| *byte == b';');
        let (name, value) = match pair(pieces.next()?) {
            (lone, None) => (&b""[..], lone),
            (name, Some(value)) => (name, value),
        };
        let bytes = name.len() + value.len();
        if bytes == 0 || bytes > NAME_VALUE_BYTES {
            return None;
        }
        let mut cookie = Self::bare(text(name), text(value));
        for (name, value) in pieces.map(pair) {
            let value = value.unwrap_or_default();
            if value.len() <= ATTRIBUTE_BYTES {
                cookie.attribute(name, value);
            }
        }
        Some(cookie)
    }

    /// Whether a user agent would put this cookie in the place of `other`, or the other way round.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        self.name == other.name && self.domain == other.domain && self.path == other.path
    }

    fn attribute(&mut self, name: &[u8], value: &[u8]) {
        match &*name.to_ascii_lowercase() {
            b"expires" => self.expires = date(value).or(self.expires),
            b"max-age" => self.max_age = seconds(value).or(self.max_age),
            b"domain" => {
                let domain = text(value.strip_prefix(b".").unwrap_or(value)).to_ascii_lowercase();
                self.domain = Some(domain).filter(|domain| !domain.is_empty());
            }
            b"path" => self.path = value.starts_with(b"/").then(|| text(value)),
            b"secure" => self.secure = true,
            b"httponly" => self.http_only = true,
            b"samesite" => {
                let is_it = |known: &SameSite| value.eq_ignore_ascii_case(known.as_str().as_bytes());
                self.same_site = SameSite::ALL.into_iter().find(is_it);
            }
            b"partitioned" => self.partitioned = true,
            _ => {}
        }
    }
}

/// What is before the first `=`, and what is after it, without the whitespace around them.
fn pair(piece: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', piece) {
        Some(at) => (piece[..at].trim_ascii(), Some(piece[at + 1..].trim_ascii())),
        None => (piece.trim_ascii(), None),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn date(value: &[u8]) -> Option<HttpDate> {
    crate::http::date::parse(std::str::from_utf8(value).ok()?).map(HttpDate::new)
}

/// What is negative is over at once, and what is too large never.
fn seconds(value: &[u8]) -> Option<Duration> {
    let (is_negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() && !is_negative || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    Some(match is_negative {
        true => Duration::ZERO,
        false => Duration::from_secs(digits.parse().unwrap_or(u64::MAX)),
    })
}
