//! A user agent's cookies (RFC 6265bis, sections 5.6 to 5.8), on a clock that is an argument.
//!
//! The rule: a field of a response is stored or ignored as the RFC says, and never an error; which cookies go with a
//! request depends on its URL and the time alone.
//!
//! It has no list of public suffixes: a domain without a dot in it is taken for one. `SameSite` is kept, and has no
//! effect, since all requests are as those that a person makes by hand.

use std::time::Duration;

use bakestone::http::cookie::SetCookie;

use super::cookie_date;
use super::url::Url;

/// How long a cookie is kept at most (RFC 6265bis, section 5.5).
const LONGEST: Duration = Duration::from_secs(400 * 86_400);
/// How many cookies a domain may have.
const OF_A_DOMAIN: usize = 180;
/// How many there are in all.
const IN_ALL: usize = 3_000;

/// The cookies that servers have set.
///
/// ```
/// use bakestone_testkit::client::{CookieJar, Url};
/// use std::time::Duration;
///
/// let (mut jar, now) = (CookieJar::default(), Duration::from_secs(1_000));
/// let url = |text| Url::parse(text).unwrap();
/// assert!(jar.store(&url("https://example.com/account/"), b"id=7; Max-Age=60; Secure", now));
///
/// assert_eq!(jar.field(&url("https://example.com/account/orders"), now).as_deref(), Some("id=7"));
/// for (elsewhere, later) in [
///     ("https://example.com/", 0),
///     ("http://example.com/account/", 0),
///     ("https://www.example.com/account/", 0),
///     ("https://example.com/account/", 60),
/// ] {
///     assert_eq!(jar.field(&url(elsewhere), now + Duration::from_secs(later)), None, "{elsewhere}");
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct CookieJar {
    cookies: Vec<StoredCookie>,
    /// Counts what is stored and used: which cookie came first, and which one was needed last.
    ticks: u64,
}

/// A cookie in a jar.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredCookie {
    /// Its name; empty if it has none.
    pub name: String,
    /// Its value, as it was sent.
    pub value: String,
    /// The host that set it, or the domain whose hosts get it, in lower case.
    pub domain: String,
    /// Whether it goes back to the host that set it alone.
    pub host_only: bool,
    /// The path below which it is sent.
    pub path: String,
    /// When it ends, since the Unix epoch; `None` at the end of the session.
    pub expires_at: Option<Duration>,
    /// Whether it is sent over secure connections alone.
    pub secure: bool,
    /// All that was said of it.
    pub attributes: SetCookie,
    created: u64,
    used: u64,
}

impl CookieJar {
    /// Takes in the value of a `Set-Cookie` field of a response from `url`, at `now` since the Unix epoch; whether it was
    /// stored. A cookie that is over already takes the place of the one before, and goes.
    pub fn store(&mut self, url: &Url, field: &[u8], now: Duration) -> bool {
        self.forget_expired(now);
        let Some(mut cookie) = received(url, field, now) else { return false };
        if !cookie.secure && !url.is_secure() && self.would_overlay_secure(&cookie) {
            return false;
        }
        self.ticks += 1;
        (cookie.created, cookie.used) = (self.ticks, self.ticks);
        if let Some(at) = self.cookies.iter().position(|old| old.is_replaced_by(&cookie)) {
            cookie.created = self.cookies.remove(at).created;
        }
        self.cookies.push(cookie);
        self.forget_expired(now);
        self.forget_surplus();
        true
    }

    /// The value of the `Cookie` field for a request to `url`; `None` if no cookie goes with it.
    pub fn field(&mut self, url: &Url, now: Duration) -> Option<String> {
        let pairs = self.cookies_for(url, now);
        let text = |(name, value): &(String, String)| match &**name {
            "" => value.clone(),
            name => format!("{name}={value}"),
        };
        (!pairs.is_empty()).then(|| pairs.iter().map(text).collect::<Vec<_>>().join("; "))
    }

    /// The names and values that go with a request to `url`: those of longer paths first, then those that are older.
    pub(super) fn cookies_for(&mut self, url: &Url, now: Duration) -> Vec<(String, String)> {
        self.forget_expired(now);
        self.ticks += 1;
        let ticks = self.ticks;
        let mut going: Vec<_> = self.cookies.iter_mut().filter(|cookie| cookie.goes_to(url)).collect();
        going.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.created));
        let pairs = going.into_iter().map(|cookie| {
            cookie.used = ticks;
            (cookie.name.clone(), cookie.value.clone())
        });
        pairs.collect()
    }

    /// The cookies, in the order in which they were stored; some may be over by now.
    pub fn iter(&self) -> impl Iterator<Item = &StoredCookie> {
        self.cookies.iter()
    }

    /// The cookie of this name that was stored last; it may be over by now.
    pub fn get(&self, name: &str) -> Option<&StoredCookie> {
        self.cookies.iter().rfind(|cookie| cookie.name == name)
    }

    /// Forgets all cookies of this name; whether there were any.
    pub fn remove(&mut self, name: &str) -> bool {
        let count = self.cookies.len();
        self.cookies.retain(|cookie| cookie.name != name);
        count > self.cookies.len()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    fn forget_expired(&mut self, now: Duration) {
        self.cookies.retain(|cookie| cookie.lasts_at(now));
    }

    /// Those that were not needed for the longest time go first.
    fn forget_surplus(&mut self) {
        let Some(domain) = self.cookies.last().map(|cookie| cookie.domain.clone()) else { return };
        if self.cookies.iter().filter(|cookie| cookie.domain == domain).count() > OF_A_DOMAIN {
            self.forget_oldest(|cookie| cookie.domain == domain);
        }
        if self.cookies.len() > IN_ALL {
            self.forget_oldest(|_| true);
        }
    }

    /// Those that went with one request were needed at one time: of them the first to come is the first to go.
    fn forget_oldest(&mut self, of: impl Fn(&StoredCookie) -> bool) {
        let some = self.cookies.iter().enumerate().filter(|(_, cookie)| of(cookie));
        if let Some((at, _)) = some.min_by_key(|(_, cookie)| (cookie.used, cookie.created)) {
            self.cookies.remove(at);
        }
    }

    /// Whether a cookie of an insecure connection would hide a secure one (RFC 6265bis, section 5.7, step 12).
    fn would_overlay_secure(&self, cookie: &StoredCookie) -> bool {
        self.cookies.iter().any(|other| {
            let same_domain = domain_matches(&cookie.domain, &other.domain)
                || domain_matches(&other.domain, &cookie.domain);
            other.secure
                && other.name == cookie.name
                && same_domain
                && path_matches(&cookie.path, &other.path)
        })
    }
}

impl StoredCookie {
    /// Whether it is not over at `now`, since the Unix epoch.
    pub(super) fn lasts_at(&self, now: Duration) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }

    fn is_replaced_by(&self, other: &Self) -> bool {
        self.name == other.name
            && self.domain == other.domain
            && self.host_only == other.host_only
            && self.path == other.path
    }

    fn goes_to(&self, url: &Url) -> bool {
        let is_host = match self.host_only {
            true => url.host() == self.domain,
            false => domain_matches(url.host(), &self.domain),
        };
        is_host && path_matches(url.path(), &self.path) && (!self.secure || url.is_secure())
    }
}

/// The cookie, if it is to be stored (RFC 6265bis, section 5.7, steps 1 to 11 and 13 to 21).
fn received(url: &Url, field: &[u8], now: Duration) -> Option<StoredCookie> {
    let attributes = SetCookie::parse(field)?;
    let (domain, host_only) = match &attributes.domain {
        Some(domain) if is_public(domain) && url.host() != domain => return None,
        Some(domain) if is_public(domain) => (domain.clone(), true),
        Some(domain) if domain_matches(url.host(), domain) => (domain.clone(), false),
        Some(_) => return None,
        None => (url.host().to_owned(), true),
    };
    let expires_at = match attributes.max_age {
        Some(max_age) => Some(now + max_age.min(LONGEST)),
        None => last_date(field).map(|at| at.min(now + LONGEST)),
    };
    let cookie = StoredCookie {
        name: attributes.name.clone(),
        value: attributes.value.clone(),
        domain,
        host_only,
        path: attributes.path.clone().unwrap_or_else(|| default_path(url.path())),
        expires_at,
        secure: attributes.secure,
        attributes,
        created: 0,
        used: 0,
    };
    (!cookie.secure || url.is_secure()).then_some(())?;
    keeps_its_prefix(&cookie).then_some(cookie)
}

/// The last `Expires` that is a date: cookies have more forms of it than HTTP has.
fn last_date(field: &[u8]) -> Option<Duration> {
    let attributes = field.split(|byte| *byte == b';').skip(1);
    let dates = attributes.filter_map(|attribute| {
        let at = attribute.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (attribute[..at].trim_ascii(), attribute[at + 1..].trim_ascii());
        let counts = name.eq_ignore_ascii_case(b"expires") && value.len() <= 1_024;
        counts.then(|| cookie_date::parse(value)).flatten()
    });
    dates.last()
}

/// What a name promises (RFC 6265bis, section 4.1.3); one that hides in the value of a cookie without a name is none.
fn keeps_its_prefix(cookie: &StoredCookie) -> bool {
    let begins = |text: &str, prefix: &str| {
        text.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    };
    let (secure, host) = ("__Secure-", "__Host-");
    if cookie.name.is_empty() {
        return !begins(&cookie.value, secure) && !begins(&cookie.value, host);
    }
    let is_bound = cookie.secure && cookie.host_only && cookie.attributes.path.as_deref() == Some("/");
    (!begins(&cookie.name, secure) || cookie.secure)
        && (!begins(&cookie.name, host) || (is_bound && cookie.attributes.domain.is_none()))
}

/// Whether anyone may have a name below it: what has no dot is taken for that.
fn is_public(domain: &str) -> bool {
    !domain.contains('.')
}

/// RFC 6265bis, section 5.1.3. A host that is an address matches itself alone.
fn domain_matches(host: &str, domain: &str) -> bool {
    let is_address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || (below && !is_address && !domain.is_empty())
}

/// RFC 6265bis, section 5.1.4.
fn path_matches(path: &str, of_cookie: &str) -> bool {
    match path.strip_prefix(of_cookie) {
        Some(rest) => rest.is_empty() || of_cookie.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

/// The folder of a path (RFC 6265bis, section 5.1.4).
fn default_path(path: &str) -> String {
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(at) => path[..at].to_owned(),
    }
}
