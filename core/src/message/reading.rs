//! The body of a request, read as what it is.
//!
//! The rule: whatever is buffered has a limit, and is kept, so that middleware and the handler may both read it; what
//! is read piece by piece is read once. A body of another type than is asked for is refused before it is read.

use bytes::Bytes;

use crate::error::Result;
#[cfg(doc)]
use crate::limits::Limits;
use crate::message::{
    Body, BodyError, FormData, FormOptions, Multipart, Reason, Rejection, Request, charset,
};
use crate::multipart::{self, Boundary};

const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// A body as its content type says, from [`Request::data`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Data {
    /// A form, of either type.
    Form(FormData),
    /// `application/json`, or a type with the suffix `+json`.
    #[cfg(feature = "json")]
    Json(serde_json::Value),
    /// A type that begins with `text/`.
    Text(String),
    /// Anything else.
    Bytes(Bytes),
}

/// Reading the body.
impl Request {
    /// The body, to read.
    pub fn body(&mut self) -> &mut Body {
        &mut self.0.body
    }

    /// The body, to keep: it may be moved into a response, a task or another thread.
    pub fn into_body(self) -> Body {
        self.0.body
    }

    /// Takes the body out. Whoever reads what is left gets [`BodyError::AlreadyConsumed`], unless there was no body.
    pub fn take_body(&mut self) -> Body {
        self.0.body.take()
    }

    /// Puts another body in the place of this one.
    pub fn set_body(&mut self, body: impl Into<Body>) {
        self.0.body = body.into();
    }

    /// Whether the body was read piece by piece, in whole or in part, or was taken out. One that was read whole, by
    /// [`bytes`](Self::bytes) and what is made of them, is kept, and may be read again.
    pub fn is_consumed(&self) -> bool {
        self.0.body.is_consumed()
    }

    /// The next piece of the body; see [`Body::chunk`].
    ///
    /// # Errors
    ///
    /// [`BodyError`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.0.body.chunk().await
    }

    /// The whole body, at most [`Limits::buffered_body_bytes`] or what the route says in its place;
    /// [`bytes_within`](Self::bytes_within) takes another limit. It is kept, and may be read again, in any way.
    ///
    /// # Errors
    ///
    /// [`BodyError`]; a longer body becomes 413.
    pub async fn bytes(&mut self) -> Result<Bytes, BodyError> {
        self.bytes_within(self.buffered_body_bytes()).await
    }

    /// The whole body, at most `limit` bytes: as [`bytes`](Self::bytes).
    ///
    /// # Errors
    ///
    /// [`BodyError`]; a longer body becomes 413, before it is sent if it is announced.
    pub async fn bytes_within(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        let bytes = self.0.body.bytes(limit).await?;
        self.0.body.put_back(bytes.clone());
        Ok(bytes)
    }

    /// The whole body as text, in the character set that its media type names, UTF-8 if it names none: at most as
    /// long as [`bytes`](Self::bytes).
    ///
    /// UTF-8, US-ASCII and ISO-8859-1 (as windows-1252) are known; with the feature `charset`, all of the Encoding Standard.
    ///
    /// # Errors
    ///
    /// [`BodyError`]; what is no such text becomes 400, a character set that is not known 415.
    pub async fn text(&mut self) -> Result<String, BodyError> {
        let bytes = self.bytes().await?;
        charset::decode(charset::named(self.media_type())?.as_deref(), bytes)
    }

    /// As [`text`](Self::text), for who needs nothing of the request besides: the body is not copied to be kept.
    pub(crate) async fn into_text(mut self) -> Result<String, BodyError> {
        let bytes = self.0.body.bytes(self.buffered_body_bytes()).await?;
        charset::decode(charset::named(self.media_type())?.as_deref(), bytes)
    }

    /// The whole body, at most as long as [`bytes`](Self::bytes), as JSON. The content type is not looked at, as
    /// it is by the extractor [`Json`](crate::Json).
    ///
    /// # Errors
    ///
    /// [`BodyError`], and a [`Rejection`] (400) for what is not the JSON of a `T`, with the line and the column.
    #[cfg(feature = "json")]
    pub async fn json<T: serde_core::de::DeserializeOwned>(&mut self) -> Result<T> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| not_json::<T>(&error).into())
    }

    /// The body as a form, `application/x-www-form-urlencoded` or `multipart/form-data`, with its files: under the
    /// limits of the session. [`form_with`](Self::form_with) takes others, and says where files go.
    ///
    /// An urlencoded form is decoded as [`urlencoded`](crate::http::urlencoded) says, as UTF-8, whatever character set
    /// the client names, and may be read again. One of several parts is read once.
    ///
    /// ```
    /// use bakestone::{Request, Result, Text, post};
    ///
    /// async fn portrait(mut request: Request) -> Result<Text<String>> {
    ///     let mut form = request.form().await?;
    ///     let name = form.get("name").unwrap_or("nobody").to_owned();
    ///     let size = form.take_file("portrait").map_or(0, |file| file.size());
    ///     Ok(Text(format!("a portrait of {name} in {size} bytes\n")))
    /// }
    /// # let _ = post(portrait);
    /// ```
    ///
    /// # Errors
    ///
    /// A [`Rejection`] (415) for another content type or none, before the body is read; [`BodyError`]; 413 for more
    /// than the limits allow; a [`multipart::Error`] (400) for a body that is malformed, or lacks its end; a
    /// [`FileError`](crate::effect::FileError), 507 of a disk that is full, else 500.
    pub async fn form(&mut self) -> Result<FormData> {
        self.form_with(FormOptions::new()).await
    }

    /// The body as a form: as [`form`](Self::form), but under the limits of `options`, and with its files where
    /// `options` say.
    ///
    /// # Errors
    ///
    /// As [`form`](Self::form).
    pub async fn form_with(&mut self, options: FormOptions) -> Result<FormData> {
        match self.content_type().as_deref() {
            Some(URLENCODED) => {
                let bytes = self.bytes_within(options.fields_bytes(self)).await?;
                options.decode(self, &bytes)
            }
            Some(MULTIPART) => {
                let multipart = self.multipart_with(options.limits(self))?;
                options.collect(self, multipart).await
            }
            _ => {
                let expected = format!("`{URLENCODED}` or `{MULTIPART}`");
                Err(Rejection::new::<FormData>(Reason::ContentType, "content type", expected).into())
            }
        }
    }

    /// The parts of a `multipart/form-data` body as they arrive, under the limits of the session:
    /// [`Limits::form_bytes`] and those after it. Nothing is kept.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] (415) for another content type or none; a [`multipart::Error`] (400) for a boundary that is none;
    /// 413 for a body that announces more than the limits allow.
    pub fn multipart(&mut self) -> Result<Multipart> {
        self.multipart_with(FormOptions::new().limits(self))
    }

    /// The parts as they arrive, under `limits`: as [`multipart`](Self::multipart).
    ///
    /// # Errors
    ///
    /// As [`multipart`](Self::multipart).
    pub fn multipart_with(&mut self, limits: multipart::Limits) -> Result<Multipart> {
        let Some(media_type) = self.media_type().filter(|media_type| media_type.essence() == MULTIPART)
        else {
            let expected = format!("`{MULTIPART}`");
            return Err(Rejection::new::<Multipart>(Reason::ContentType, "content type", expected).into());
        };
        let boundary = Boundary::of(&media_type)?;
        Multipart::check(&self.0.body, &limits)?;
        // A body that was kept stays, for whoever reads it after this one.
        let body = self.0.body.kept().map_or_else(|| self.0.body.take(), Body::from);
        Ok(Multipart::new(body, &boundary, limits)?)
    }

    /// The body as what its content type says that it is. A body whose type is missing, or means nothing here, is
    /// [`Data::Bytes`]; one that is not what its type says is an error.
    ///
    /// # Errors
    ///
    /// As [`form`](Self::form), [`json`](Self::json), [`text`](Self::text) and [`bytes`](Self::bytes).
    pub async fn data(&mut self) -> Result<Data> {
        let media_type = self.media_type();
        let essence = media_type.as_ref().map_or("", |media_type| media_type.essence());
        if essence == URLENCODED || essence == MULTIPART {
            return Ok(Data::Form(self.form().await?));
        }
        #[cfg(feature = "json")]
        if media_type.as_ref().is_some_and(|media_type| media_type.is_json()) {
            return Ok(Data::Json(self.json().await?));
        }
        match essence.starts_with("text/") {
            true => Ok(Data::Text(self.text().await?)),
            false => Ok(Data::Bytes(self.bytes().await?)),
        }
    }

    /// What may be buffered of the body, in bytes.
    pub(super) fn buffered_body_bytes(&self) -> usize {
        let limits = self.0.context.exchange().map(|exchange| exchange.buffered_body_bytes());
        limits.unwrap_or_else(|| crate::Limits::default().buffered_body_bytes)
    }
}

/// How the parser begins what it says of a value before it tells what was expected.
#[cfg(feature = "json")]
const SERDE: [&str; 5] =
    ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant `", "unknown field `"];

/// What is said of a body that is not the JSON of a `T`. The parser's text about a value repeats what the client
/// sent, so only what stands behind that is told.
#[cfg(feature = "json")]
fn not_json<T>(error: &serde_json::Error) -> Rejection {
    let text = error.to_string();
    // What a type refuses after it was read has no place.
    let place = match error.line() {
        0 => String::new(),
        line => format!(" at line {line} column {}", error.column()),
    };
    let expected = || match text.rsplit_once(", expected ") {
        // A type's own words may begin otherwise, and hold anything.
        Some((_, expected)) if SERDE.iter().any(|prefix| text.starts_with(prefix)) => {
            // The names of types are the application's own affair.
            match expected.split_once(' ') {
                Some(("struct" | "tuple" | "enum" | "unit" | "newtype", _)) => {
                    format!("of the needed form{place}")
                }
                _ => expected.to_owned(),
            }
        }
        _ => format!("of the needed form{place}"),
    };
    let rejection = if !error.is_data() {
        Rejection::new::<T>(Reason::Malformed, "body's JSON", text.clone())
    } else if let Some((name, _)) = text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'))
    {
        Rejection::new::<T>(Reason::Missing, "body", "").with_field(name.to_owned())
    } else if text.starts_with("unknown field `") {
        // Of a type without fields nothing is expected, and all of the text may be the client's.
        let none = text.contains("`, there are no fields");
        let expected = if none { format!("no field{place}") } else { format!("only {}", expected()) };
        Rejection::new::<T>(Reason::Unknown, "body's JSON", expected)
    } else {
        Rejection::new::<T>(Reason::Invalid, "body's JSON", expected())
    };
    rejection.with_detail(text)
}
