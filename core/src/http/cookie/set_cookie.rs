//! The field of a response that sets a cookie (RFC 6265bis, section 4.1).
//!
//! The rule: the parts are plain values that may be anything, and there is one way from them to a field, which
//! checks them all.
//!
//! ```text
//! set-cookie = cookie-name "=" *cookie-octet
//!              [ "; Domain=" domain ] [ "; Path=" path ] [ "; Max-Age=" 1*DIGIT ] [ "; Expires=" IMF-fixdate ]
//!              [ "; Secure" ] [ "; HttpOnly" ] [ "; SameSite=" ( "Strict" / "Lax" / "None" ) ] [ "; Partitioned" ]
//! ```

use std::time::Duration;

use http::HeaderValue;

use super::check::{self, CookieError, is_octet};
use crate::http::HttpDate;
use crate::http::percent::push_escape;

/// A cookie to be set: its name, its value, and what the user agent is to know about it.
///
/// Without more it lasts as long as the browser's session, goes back to the host that set it and to the folder of the
/// path that was asked for, is hidden from scripts (`HttpOnly`), and does not go along with what other sites make
/// a browser send, but for links that are followed (`SameSite=Lax`).
///
/// A response takes it with [`Response::set_cookie`](crate::Response::set_cookie), or before what a handler returns, as in
/// `(cookie, Text("welcome"))`. It is checked there, and in [`field`](Self::field).
///
/// ```
/// use bakestone::http::cookie::{SameSite, SetCookie};
/// use std::time::Duration;
///
/// let cookie = SetCookie::new("__Host-session", "31d4d96e407aad42")
///     .path("/")
///     .max_age(Duration::from_secs(3600))
///     .secure(true)
///     .same_site(SameSite::Strict);
/// assert_eq!(
///     cookie.field()?,
///     "__Host-session=31d4d96e407aad42; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Strict",
/// );
/// assert!(SetCookie::new("theme", "dark; Domain=evil.example").field().is_err());
/// # Ok::<(), bakestone::http::cookie::CookieError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetCookie {
    /// The name: a token (RFC 9110, section 5.6.2).
    pub name: String,
    /// The value: printable ASCII without spaces, `"`, `,`, `;` and `\`. It is sent as it is.
    pub value: String,
    /// The domain whose hosts get the cookie; `None` for the host alone that sets it.
    pub domain: Option<String>,
    /// The path below which it is sent; `None` for the folder of the path that was asked for.
    pub path: Option<String>,
    /// How long it lasts, in whole seconds, a part of one counting as one. It wins over `expires`.
    pub max_age: Option<Duration>,
    /// When it ends. Without this and `max_age` it ends with the browser's session.
    pub expires: Option<HttpDate>,
    /// Whether it is sent over secure connections alone.
    pub secure: bool,
    /// Whether it is hidden from scripts.
    pub http_only: bool,
    /// Whether it goes along with what other sites make a browser send; `None` leaves that to the browser.
    pub same_site: Option<SameSite>,
    /// Whether it is kept apart for each site that embeds this one (draft-cutler-httpbis-partitioned-cookies).
    pub partitioned: bool,
}

/// With which requests a cookie goes that another site makes a browser send (RFC 6265bis, section 5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// With none.
    Strict,
    /// With those of a safe method that change what the window shows: links.
    Lax,
    /// With all. It needs `Secure`.
    None,
}

impl SameSite {
    pub(super) const ALL: [Self; 3] = [Self::Strict, Self::Lax, Self::None];

    /// As the field spells it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

impl SetCookie {
    /// This cookie, for the browser's session, with `HttpOnly` and `SameSite=Lax`. The value is sent as it is, so
    /// what may be any text is [`encoded`](Self::encoded).
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { http_only: true, same_site: Some(SameSite::Lax), ..Self::bare(name.into(), value.into()) }
    }

    /// The same with any text as its value, percent-encoded where a value cannot hold it. What comes back in a request
    /// is read by [`decode`](super::decode).
    pub fn encoded(name: impl Into<String>, text: &str) -> Self {
        let mut value = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'%' => push_escape(byte, &mut value),
                _ if is_octet(byte) => value.push(char::from(byte)),
                _ => push_escape(byte, &mut value),
            }
        }
        Self::new(name, value)
    }

    /// A cookie that ends the one of this name: it has no value, and its time is over. It must have the domain and
    /// the path of the one that it ends, and `Secure` if the name or `SameSite` asks for that.
    ///
    /// ```
    /// use bakestone::http::cookie::SetCookie;
    ///
    /// assert_eq!(
    ///     SetCookie::delete("session").path("/").field()?,
    ///     "session=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
    /// );
    /// # Ok::<(), bakestone::http::cookie::CookieError>(())
    /// ```
    pub fn delete(name: impl Into<String>) -> Self {
        Self::new(name, "").max_age(Duration::ZERO).expires(HttpDate::default())
    }

    /// A cookie of which nothing is said.
    pub(super) fn bare(name: String, value: String) -> Self {
        Self {
            name,
            value,
            domain: None,
            path: None,
            max_age: None,
            expires: None,
            secure: false,
            http_only: false,
            same_site: None,
            partitioned: false,
        }
    }

    /// The same cookie for all hosts of this domain. A dot at its beginning means nothing (RFC 6265bis, section 5.6.3).
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// The same cookie for what is at and below this path, which begins with `/` and is encoded as in a URI.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same cookie, which lasts so long. Browsers keep none for more than 400 days.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The same cookie until this point in time, by the clock of the user agent; rather say
    /// [`max_age`](Self::max_age), which needs no clock that is right.
    #[must_use]
    pub fn expires(mut self, expires: HttpDate) -> Self {
        self.expires = Some(expires);
        self
    }

    /// The same cookie, sent over secure connections alone, or over all.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// The same cookie, hidden from scripts or not.
    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// The same cookie with this `SameSite`; `None` leaves it out, and to the browser.
    #[must_use]
    pub fn same_site(mut self, same_site: impl Into<Option<SameSite>>) -> Self {
        self.same_site = same_site.into();
        self
    }

    /// The same cookie, kept apart for each site that embeds this one, or not. It needs `Secure`.
    #[must_use]
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// The value of the `Set-Cookie` field. The attributes stand in this order: Domain, Path, Max-Age, Expires, Secure,
    /// HttpOnly, SameSite, Partitioned.
    ///
    /// # Errors
    ///
    /// [`CookieError`] for a cookie that user agents would drop, or understand otherwise than it was meant.
    pub fn field(&self) -> Result<HeaderValue, CookieError> {
        check::all(self)?;
        // What was checked is printable ASCII.
        HeaderValue::try_from(self.text()).map_err(|_| CookieError::Value)
    }

    fn text(&self) -> String {
        let mut text = format!("{}={}", self.name, self.value);
        let mut attribute = |name: &str, value: &str| text.extend(["; ", name, value]);
        if let Some(domain) = &self.domain {
            attribute("Domain=", domain);
        }
        if let Some(path) = &self.path {
            attribute("Path=", path);
        }
        if let Some(max_age) = self.max_age {
            attribute("Max-Age=", &whole_seconds(max_age).to_string());
        }
        if let Some(expires) = &self.expires {
            attribute("Expires=", expires.as_str());
        }
        for (is_there, name) in [(self.secure, "Secure"), (self.http_only, "HttpOnly")] {
            if is_there {
                attribute(name, "");
            }
        }
        if let Some(same_site) = self.same_site {
            attribute("SameSite=", same_site.as_str());
        }
        if self.partitioned {
            attribute("Partitioned", "");
        }
        text
    }
}

/// Half a second that became none would end the cookie at once.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}
