//! From what a handler returns to a response.
//!
//! The rule of the toolkits that Bakestone succeeds: a bare string or bytes are HTML, a JSON value is JSON.
//! **So a value that came with the request goes out through [`Text`], `Json` or an escape, never bare.**

use std::borrow::Cow;
use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};

use crate::error::{Error, Result};
use crate::http::cookie::SetCookie;
use crate::message::{Body, CharsetError, Response, charset};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a handler may return.
///
/// | value | response |
/// |---|---|
/// | [`Response`], `http::Response<Body>` | itself |
/// | `&'static str`, `String`, `Cow<'static, str>`, `Bytes`, `Vec<u8>`, `&'static [u8]` | 200, `text/html; charset=utf-8` |
/// | `serde_json::Value`, [`Json<T>`](Json) | 200, `application/json` |
/// | `bool`, integers, `()`, `Option<T>` of these as JSON: `true`, `5`, `null` | 200, `application/json` |
/// | [`Text<T>`] | 200, `text/plain; charset=utf-8` |
/// | [`Html<T>`] | 200, `text/html; charset=utf-8` |
/// | [`Text::in_charset`], [`Html::in_charset`] | 200, the same in another character set |
/// | [`Redirect`](crate::Redirect) | 307, or as it says, with `Location` |
/// | [`FileResponse`](crate::message::FileResponse) | 200, 206 or 304, by the request |
/// | `StatusCode` | that status, no body |
/// | `(StatusCode, T)` | `T`'s response with that status |
/// | `(StatusCode, HeaderMap, T)` | the same, with those fields in place of `T`'s of the same name |
/// | `(SetCookie, T)` | `T`'s response with that [cookie](SetCookie), in place of one of the same name, domain and path |
/// | `Result<T, E>` | `T`'s response, or the error's |
///
/// There are no other tuples. Where a value needs one field more, make it a [`Response`] and add that:
/// `Json(value).into_response()?.with_header(name, value)`.
///
/// ```
/// use bakestone::{IntoResponse, Text};
/// use http::StatusCode;
///
/// let response = (StatusCode::CREATED, Text("made")).into_response().unwrap();
/// assert_eq!(response.status, StatusCode::CREATED);
/// assert_eq!(response.headers["content-type"], "text/plain; charset=utf-8");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a response",
    label = "a handler returns something that implements `IntoResponse`",
    note = "a value goes out as `Json(value)` or as `Text(value.to_string())`; a `Response` says everything itself"
)]
pub trait IntoResponse {
    /// The response, or the error if there is none to be made (a value that JSON cannot hold, say).
    fn into_response(self) -> Result<Response>;
}

/// Plain text: `text/plain; charset=utf-8`. What a browser shows of it is never markup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text<T>(pub T);

/// HTML: `text/html; charset=utf-8`, the same as the bare value, said aloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Html<T>(pub T);

/// A value as JSON: `application/json`, without a character set, since JSON is UTF-8 (RFC 8259, section 8.1).
#[cfg(feature = "json")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: AsRef<str>> Text<T> {
    /// The text in another character set than UTF-8, for a client that knows no better. The name is taken in any case,
    /// and by its aliases: `utf-8`, `us-ascii` and `iso-8859-1`, which is windows-1252 (see below); with the feature
    /// `charset` all of the Encoding Standard that can be written.
    ///
    /// `Content-Type` names what the bytes are, so it may be another name than was asked for: `iso-8859-1` goes out as
    /// `windows-1252`, as browsers take the one for the other, and only that name is true of a euro sign for those who
    /// do not. Another kind of text gets its own field in place of that one:
    ///
    /// ```
    /// use bakestone::header::{CONTENT_TYPE, HeaderValue};
    /// use bakestone::{Response, Result, Text};
    ///
    /// // What a spreadsheet opens without asking.
    /// fn prices() -> Result<Response> {
    ///     let csv = HeaderValue::from_static("text/csv; charset=windows-1252");
    ///     Ok(Text("caf\u{e9};3 \u{20ac}\r\n").in_charset("windows-1252")?.with_header(CONTENT_TYPE, csv))
    /// }
    ///
    /// let plain = Text("caf\u{e9}").in_charset("iso-8859-1").unwrap();
    /// assert_eq!(plain.headers["content-type"], "text/plain; charset=windows-1252");
    /// assert_eq!(plain.body.length(), Some(4));
    /// assert!(Text("\u{3042}").in_charset("iso-8859-1").is_err());
    /// # assert!(prices().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`CharsetError`] for a name that is not known, or a character that the character set has not: no other stands in
    /// its place.
    pub fn in_charset(&self, charset: &str) -> Result<Response, CharsetError> {
        encoded("text/plain", self.0.as_ref(), charset)
    }
}

impl<T: AsRef<str>> Html<T> {
    /// The page in another character set than UTF-8, as by [`Text::in_charset`]. `Content-Type` is heeded before any
    /// `<meta>` (HTML Living Standard, section 13.2.3.2).
    ///
    /// # Errors
    ///
    /// [`CharsetError`] for a name that is not known, or a character that the character set has not. It does not become
    /// a reference: only who wrote the page knows where one is read.
    pub fn in_charset(&self, charset: &str) -> Result<Response, CharsetError> {
        encoded("text/html", self.0.as_ref(), charset)
    }
}

fn encoded(media_type: &str, text: &str, charset: &str) -> Result<Response, CharsetError> {
    let (name, bytes) = charset::encode(charset, text)?;
    let content_type = HeaderValue::try_from(format!("{media_type}; charset={name}"));
    Ok(typed(content_type.unwrap_or_else(|_| HeaderValue::from_static("text/plain")), bytes))
}

fn typed(content_type: HeaderValue, body: impl Into<Body>) -> Response {
    Response::new(body).with_header(CONTENT_TYPE, content_type)
}

impl IntoResponse for Response {
    fn into_response(self) -> Result<Response> {
        Ok(self)
    }
}

impl IntoResponse for http::Response<Body> {
    fn into_response(self) -> Result<Response> {
        Ok(self.into())
    }
}

impl IntoResponse for Infallible {
    fn into_response(self) -> Result<Response> {
        match self {}
    }
}

macro_rules! html {
    ($($bare:ty),*) => {$(
        impl IntoResponse for $bare {
            fn into_response(self) -> Result<Response> {
                Ok(typed(HTML, self))
            }
        }
    )*};
}

html!(&'static str, String, Cow<'static, str>, &'static [u8], Vec<u8>, Bytes);

impl<T: Into<Body>> IntoResponse for Text<T> {
    fn into_response(self) -> Result<Response> {
        Ok(typed(HeaderValue::from_static("text/plain; charset=utf-8"), self.0))
    }
}

impl<T: Into<Body>> IntoResponse for Html<T> {
    fn into_response(self) -> Result<Response> {
        Ok(typed(HTML, self.0))
    }
}

#[cfg(feature = "json")]
impl<T: serde_core::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Result<Response> {
        Ok(typed(JSON, serde_json::to_vec(&self.0)?))
    }
}

#[cfg(feature = "json")]
macro_rules! json {
    ($($value:ty),*) => {$(
        impl IntoResponse for $value {
            fn into_response(self) -> Result<Response> {
                Json(self).into_response()
            }
        }
    )*};
}

#[cfg(feature = "json")]
json!(bool, u8, u16, u32, u64, i8, i16, i32, i64, usize, isize, serde_json::Value);

/// JSON's `null`, which takes no serializer.
impl IntoResponse for () {
    fn into_response(self) -> Result<Response> {
        Ok(typed(JSON, "null"))
    }
}

impl<T: IntoResponse> IntoResponse for Option<T> {
    fn into_response(self) -> Result<Response> {
        match self {
            Some(value) => value.into_response(),
            None => ().into_response(),
        }
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Result<Response> {
        Ok(Response::empty(self))
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Result<Response> {
        Ok(self.1.into_response()?.with_status(self.0))
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, HeaderMap, T) {
    fn into_response(self) -> Result<Response> {
        let mut response = (self.0, self.2).into_response()?;
        let mut last = None;
        for (name, value) in self.1 {
            // A name is given once, with the first of its values.
            match name {
                Some(name) => {
                    response.headers.insert(name.clone(), value);
                    last = Some(name);
                }
                None => {
                    if let Some(name) = &last {
                        response.headers.append(name.clone(), value);
                    }
                }
            }
        }
        Ok(response)
    }
}

impl<T: IntoResponse> IntoResponse for (SetCookie, T) {
    fn into_response(self) -> Result<Response> {
        Ok(self.1.into_response()?.with_cookie(self.0)?)
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Result<Response> {
        self.map_err(Into::into)?.into_response()
    }
}
