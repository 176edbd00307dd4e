//! The rows that set cookies.

use std::time::Duration;

use bakestone::http::HttpDate;
use bakestone::http::cookie::{CookieError, SameSite, SetCookie};
use bakestone::{Error, Json, Query, Result, Text};
use serde::Deserialize;

use super::query::out_of_range;

/// The end of the year 9999, the last that a date has room for.
const LAST_SECOND: u64 = 253_402_300_799;

/// A cookie as a client asks for it, in JSON or in the query.
#[derive(Deserialize)]
pub(super) struct Asked {
    name: String,
    #[serde(default)]
    value: String,
    path: Option<String>,
    domain: Option<String>,
    /// In seconds.
    max_age: Option<u64>,
    /// In seconds since the Unix epoch.
    expires: Option<u64>,
    secure: Option<bool>,
    http_only: Option<bool>,
    same_site: Option<String>,
    partitioned: Option<bool>,
}

type Answer = (SetCookie, Text<&'static str>);

/// Sets the cookie with what was asked for and no more: without the toolkit's defaults.
pub(super) fn set_exactly(Json(asked): Json<Asked>) -> Result<Answer> {
    let bare = cookie(&asked).http_only(false).same_site(None);
    answer(asked.apply(bare)?, "set")
}

/// Sets the cookie with the toolkit's defaults where nothing else is asked for.
pub(super) fn set(Query(asked): Query<Asked>) -> Result<Answer> {
    let cookie = cookie(&asked);
    answer(asked.apply(cookie)?, "set")
}

/// Ends the cookie. It takes what else was asked of the one that was set, since that must fit.
pub(super) fn delete(Query(asked): Query<Asked>) -> Result<Answer> {
    let ended = SetCookie::delete(&*asked.name);
    answer(Asked { max_age: None, expires: None, ..asked }.apply(ended)?, "deleted")
}

/// The value is sent as it is where a cookie can hold it, else encoded.
fn cookie(asked: &Asked) -> SetCookie {
    let plain = SetCookie::new(&*asked.name, &*asked.value);
    match plain.field() {
        Err(CookieError::Value) => SetCookie::encoded(&*asked.name, &asked.value),
        _ => plain,
    }
}

/// What cannot be set is the client's fault here, who chose it.
fn answer(cookie: SetCookie, done: &'static str) -> Result<Answer> {
    cookie.field().map_err(|error| Error::bad_request(error.to_string()))?;
    Ok((cookie, Text(done)))
}

impl Asked {
    /// The cookie with what was asked for.
    fn apply(self, mut cookie: SetCookie) -> Result<SetCookie> {
        if let Some(same_site) = self.same_site {
            cookie.same_site = Some(self::same_site(&same_site)?);
        }
        if self.expires.is_some_and(|at| at > LAST_SECOND) {
            return Err(out_of_range("expires", LAST_SECOND));
        }
        cookie.path = self.path;
        cookie.domain = self.domain;
        cookie.max_age = self.max_age.map(Duration::from_secs).or(cookie.max_age);
        cookie.expires = self.expires.map(|at| HttpDate::new(Duration::from_secs(at))).or(cookie.expires);
        cookie.secure = self.secure.unwrap_or(cookie.secure);
        cookie.http_only = self.http_only.unwrap_or(cookie.http_only);
        cookie.partitioned = self.partitioned.unwrap_or(cookie.partitioned);
        Ok(cookie)
    }
}

fn same_site(text: &str) -> Result<SameSite> {
    match &*text.to_ascii_lowercase() {
        "strict" => Ok(SameSite::Strict),
        "lax" => Ok(SameSite::Lax),
        "none" => Ok(SameSite::None),
        _ => Err(Error::bad_request("`same_site` must be strict, lax or none")),
    }
}
