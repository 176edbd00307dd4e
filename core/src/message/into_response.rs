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
use crate::message::{Body, Response};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
#[cfg(feature = "json")]
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
/// | [`Redirect`](crate::Redirect) | 307, or as it says, with `Location` |
/// | [`FileResponse`](crate::message::FileResponse) | 200, 206 or 304, by the request |
/// | `StatusCode` | that status, no body |
/// | `(StatusCode, T)` | `T`'s response with that status |
/// | `(StatusCode, HeaderMap, T)` | the same, with those fields in place of `T`'s of the same name |
/// | `(SetCookie, T)` | `T`'s response with that [cookie](SetCookie), in place of one of the same name, domain and path |
/// | `Result<T, E>` | `T`'s response, or the error's |
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
json!((), bool, u8, u16, u32, u64, i8, i16, i32, i64, usize, isize, serde_json::Value);

#[cfg(feature = "json")]
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
