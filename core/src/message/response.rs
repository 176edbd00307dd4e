//! The response: a status, fields and a body.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderName, SET_COOKIE};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode};

use crate::error::Error;
use crate::http::cookie::{CookieError, SetCookie};
use crate::message::{Body, spare};

/// A response, complete or with a body that streams.
///
/// `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` are not set here: the session frames the
/// message from the body's length, in one place.
///
/// ```
/// use bakestone::Response;
/// use http::StatusCode;
///
/// let response = Response::new("<h1>Hello</h1>").with_status(StatusCode::ACCEPTED);
/// assert_eq!(response.status, StatusCode::ACCEPTED);
/// assert_eq!(response.body.length(), Some(14));
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Response {
    /// The status; 200 by default.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// What middleware tells to the middleware around it. It never reaches the wire.
    pub extensions: Extensions,
}

impl Response {
    /// A 200 with this body and no fields.
    pub fn new(body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// This status, with no body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, ..Self::default() }
    }

    /// `text/plain; charset=utf-8` with this status.
    pub fn text(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        let body = match text.into() {
            Cow::Borrowed(text) => Body::from(text),
            Cow::Owned(text) => Body::from(text),
        };
        Self { status, ..Self::new(body) }
            .with_header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
    }

    /// The error that the application made this response of, if it was one.
    pub fn error(&self) -> Option<&Error> {
        self.extensions.get::<Arc<Error>>().map(|error| &**error)
    }

    /// The same response with this status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same response with this field, in place of any of that name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if self.headers.capacity() == 0 {
            self.headers = spare::take();
        }
        self.headers.insert(name, value);
        self
    }

    /// Sets a cookie, in place of one of the same name, domain and path, as two of these should not be sent
    /// (RFC 6265bis, section 4.1.1). [`SetCookie::delete`] ends one.
    ///
    /// ```
    /// use bakestone::{Response, SetCookie};
    ///
    /// let mut response = Response::new("Welcome back");
    /// response.set_cookie(SetCookie::new("session", "old"))?;
    /// response.set_cookie(SetCookie::new("session", "new"))?;
    /// assert_eq!(response.headers["set-cookie"], "session=new; HttpOnly; SameSite=Lax");
    /// # Ok::<(), bakestone::http::cookie::CookieError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CookieError`] for a cookie that cannot be set; the response is as it was.
    pub fn set_cookie(&mut self, cookie: SetCookie) -> Result<(), CookieError> {
        let field = cookie.field()?;
        let parsed = SetCookie::parse(field.as_bytes());
        let stays = |other: &&HeaderValue| match (&parsed, SetCookie::parse(other.as_bytes())) {
            (Some(cookie), Some(other)) => !cookie.replaces(&other),
            _ => true,
        };
        let mut fields: Vec<_> = self.headers.get_all(SET_COOKIE).iter().filter(stays).cloned().collect();
        fields.push(field);
        self.headers.remove(SET_COOKIE);
        for field in fields {
            self.headers.append(SET_COOKIE, field);
        }
        Ok(())
    }

    /// The same response with this cookie, as by [`set_cookie`](Self::set_cookie).
    ///
    /// # Errors
    ///
    /// [`CookieError`] for a cookie that cannot be set.
    pub fn with_cookie(mut self, cookie: SetCookie) -> Result<Self, CookieError> {
        self.set_cookie(cookie)?;
        Ok(self)
    }

    /// The cookies that the response sets, in the order of their fields, as a user agent reads them; see
    /// [`SetCookie::parse`].
    pub fn cookies(&self) -> impl Iterator<Item = SetCookie> {
        self.headers.get_all(SET_COOKIE).into_iter().filter_map(|field| SetCookie::parse(field.as_bytes()))
    }
}

impl From<Response> for http::Response<Body> {
    fn from(response: Response) -> Self {
        let mut converted = http::Response::new(response.body);
        *converted.status_mut() = response.status;
        *converted.headers_mut() = response.headers;
        *converted.extensions_mut() = response.extensions;
        converted
    }
}

impl From<http::Response<Body>> for Response {
    fn from(response: http::Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body, extensions: parts.extensions }
    }
}
