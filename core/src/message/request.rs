//! The request: what the client sent, and the context to answer in.

use std::borrow::Cow;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri, Version};

use crate::http::urlencoded::{self, Decoder};
use crate::http::{Accept, MediaType, cookie};
#[cfg(doc)]
use crate::limits::Limits;
use crate::message::writer::{self, ResponseWriter, WriteError};
use crate::message::{Asked, Body, BodyError, Context, MultiMap, Reason, Rejection};
use crate::router::Params;

/// A request. It is handed to the handler whole, and may be kept, moved and taken apart.
#[derive(Debug)]
pub struct Request {
    parts: Parts,
    body: Body,
    context: Context,
    params: Params,
    /// How many segments of the path lead to the mount.
    root: usize,
    /// The pattern of the route that answers.
    route: Option<Arc<str>>,
}

impl Request {
    /// A request made by hand, with a [detached](Context::detached) context, for tests of functions that
    /// take one.
    ///
    /// ```
    /// use bakestone::Request;
    /// use http::{Method, Uri};
    ///
    /// let request = Request::new(Method::GET, Uri::from_static("/cakes?kind=welsh"), "");
    /// assert_eq!(request.path(), "/cakes");
    /// assert_eq!(request.raw_query(), Some("kind=welsh"));
    /// ```
    pub fn new(method: Method, uri: Uri, body: impl Into<Body>) -> Self {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = method;
        parts.uri = uri;
        let context = detached(&parts);
        Self::from_parts(parts, body.into(), context)
    }

    pub(crate) fn from_parts(parts: Parts, body: Body, context: Context) -> Self {
        Self { parts, body, context, params: Params::default(), root: 0, route: None }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The method, for middleware to change: around the routes, it changes which of them answers.
    pub fn method_mut(&mut self) -> &mut Method {
        &mut self.parts.method
    }

    /// The target, as a URI reference: in origin-form it is a path and a query.
    pub fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// The target, for middleware to change.
    pub fn uri_mut(&mut self) -> &mut Uri {
        &mut self.parts.uri
    }

    /// The target's path as it was sent, percent-encoded: `/%61dmin` is another text than `/admin`, and the same path
    /// to the router. **What guards a part of an application stands in its mount or on its routes**, and does not
    /// compare this.
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The target's query as it was sent, percent-encoded and without the `?`.
    pub fn raw_query(&self) -> Option<&str> {
        self.parts.uri.query()
    }

    /// The names and the values of the target's query, decoded anew at each call.
    ///
    /// Only `&` separates; a name without a value has an empty one; what is malformed stands for itself:
    /// see [`urlencoded`]. How many there may be is bounded by [`Limits::target_bytes`].
    ///
    /// ```
    /// use bakestone::Request;
    /// use http::{Method, Uri};
    ///
    /// let request = Request::new(Method::GET, Uri::from_static("/cakes?kind=bara+brith&vegan"), ());
    /// assert_eq!(request.query().get("kind"), Some("bara brith"));
    /// assert_eq!(request.query().get("vegan"), Some(""));
    /// ```
    pub fn query(&self) -> MultiMap {
        urlencoded::parse(self.raw_query().unwrap_or_default().as_bytes()).collect()
    }

    /// The names and the values of the `Cookie` fields, parsed anew at each call: in their order, with
    /// duplicates, and with nothing decoded; see [`cookie`].
    pub fn cookies(&self) -> MultiMap {
        cookie::parse_all(self.headers()).collect()
    }

    /// Which of the media types `offers` the client takes most gladly, by its `Accept`; `None` if none of them. A
    /// client that says nothing, or nothing well-formed, takes the first. See [`Accept::best`].
    ///
    /// A response that depends on it says so with `Vary: Accept` (RFC 9110, section 12.5.5).
    ///
    /// ```
    /// use bakestone::Request;
    /// use http::{HeaderValue, Method, Uri};
    ///
    /// let mut request = Request::new(Method::GET, Uri::from_static("/cakes"), ());
    /// request.headers_mut().insert("accept", HeaderValue::from_static("application/json, */*;q=0.5"));
    /// assert_eq!(request.accepts(&["text/html", "application/json"]), Some("application/json"));
    /// ```
    pub fn accepts<'o>(&self, offers: &[&'o str]) -> Option<&'o str> {
        let fields: Result<Vec<&str>, _> =
            self.headers().get_all(ACCEPT).iter().map(|field| field.to_str()).collect();
        let field = fields.unwrap_or_default().join(",");
        let place = Accept::parse(&field).map_or(Some(0), |accept| accept.best(offers))?;
        offers.get(place).copied()
    }

    /// The media type of the body, with its parameters. `None` where `Content-Type` is missing, or malformed,
    /// or is there more than once, since nobody could say which is meant.
    pub fn media_type(&self) -> Option<MediaType<'_>> {
        MediaType::parse(self.only(&CONTENT_TYPE)?)
    }

    /// The media type of the body in lower case, without its parameters: as [`media_type`](Self::media_type).
    pub fn content_type(&self) -> Option<Cow<'_, str>> {
        self.media_type().map(MediaType::into_essence)
    }

    /// The parameter `name` of the body's media type, in any case, without quotes.
    pub fn content_type_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.media_type()?.parameter(name)
    }

    /// The character set that the body's media type names, in lower case.
    pub fn charset(&self) -> Option<String> {
        self.content_type_parameter("charset").map(|charset| charset.to_ascii_lowercase())
    }

    /// The length of the body in bytes, where `Content-Length` announces it. A chunked body has none.
    pub fn content_length(&self) -> Option<u64> {
        let length = self.only(&CONTENT_LENGTH)?;
        length.parse().ok().filter(|_| length.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The value of a field that is there once.
    fn only(&self, name: &HeaderName) -> Option<&str> {
        let mut values = self.headers().get_all(name).iter();
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        value.to_str().ok()
    }

    /// HTTP's version on the wire.
    pub fn version(&self) -> Version {
        self.parts.version
    }

    /// The header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The header fields, for middleware to change.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.parts.headers
    }

    /// Values that middleware attached, by type.
    pub fn extensions(&self) -> &Extensions {
        &self.parts.extensions
    }

    /// Values that middleware attaches, by type.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.parts.extensions
    }

    /// What the route's pattern found in the path; empty before routing.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Notes what the routes say of the request: its parameters, and how many segments lead to the mount.
    pub(crate) fn set_route(&mut self, params: Params, root: usize, route: Option<Arc<str>>) {
        (self.params, self.root, self.route) = (params, root, route);
    }

    /// The pattern of the application's route that answers, with the prefixes of mounts: `/shop/cakes/{id:int}`. It is what metrics
    /// and logs group requests by. `None` before routing, and where no route answers.
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    pub(crate) fn matched(&self) -> Option<&Arc<str>> {
        self.route.as_ref()
    }

    /// The part of the path, as it was sent, that leads to the mount which answers: `/shop` for `/shop/cakes` in
    /// an application that is mounted at `/shop`; empty outside of mounts, and before routing. Whoever changes the target
    /// behind the routing changes what this is cut from.
    pub fn root_path(&self) -> &str {
        self.path().get(..self.root_end()).unwrap_or_default()
    }

    /// The path as the mount sees it, as it was sent: [`path`](Self::path) without
    /// [`root_path`](Self::root_path), and `/` if nothing is left.
    pub fn path_in_mount(&self) -> &str {
        match self.path().get(self.root_end()..) {
            Some("") | None => "/",
            Some(rest) => rest,
        }
    }

    fn root_end(&self) -> usize {
        if self.root == 0 {
            return 0;
        }
        let slashes = self.path().bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        slashes.map(|(at, _)| at).nth(self.root).unwrap_or(self.path().len())
    }

    /// The context to answer in: time, files, blocking work, background work.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The body, to read.
    pub fn body(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body, to keep: it may be moved into a response, a task or another thread.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Takes the body out, and leaves an empty one.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }

    /// The next piece of the body; see [`Body::chunk`].
    ///
    /// # Errors
    ///
    /// [`BodyError`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.body.chunk().await
    }

    /// The whole body, at most [`Limits::buffered_body_bytes`]; [`Body::bytes`] takes another limit.
    ///
    /// # Errors
    ///
    /// [`BodyError`]; a longer body becomes 413.
    pub async fn bytes(&mut self) -> Result<Bytes, BodyError> {
        let limit = self.context.body_limits().buffered_body_bytes;
        let bytes = self.body.bytes(limit).await?;
        self.body.put_back(&bytes);
        Ok(bytes)
    }

    /// The whole body as UTF-8 text, at most [`Limits::buffered_body_bytes`].
    ///
    /// # Errors
    ///
    /// [`BodyError`]; [`BodyError::NotUtf8`] becomes 400.
    pub async fn text(&mut self) -> Result<String, BodyError> {
        let bytes = self.bytes().await?;
        String::from_utf8(bytes.into()).map_err(|error| BodyError::NotUtf8(error.utf8_error().valid_up_to()))
    }

    /// The whole body, at most [`Limits::buffered_body_bytes`], as JSON. The content type is not looked at, as
    /// it is by the extractor [`Json`](crate::Json).
    ///
    /// # Errors
    ///
    /// [`BodyError`], and a [`Rejection`] (400) for what is not the JSON of a `T`, with the line and the column.
    #[cfg(feature = "json")]
    pub async fn json<T: serde_core::de::DeserializeOwned>(&mut self) -> crate::Result<T> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| not_json::<T>(&error).into())
    }

    /// The whole body as a form, `application/x-www-form-urlencoded`: at most [`Limits::buffered_body_bytes`],
    /// [`Limits::form_fields`] and [`Limits::form_field_bytes`]. It is decoded as [`urlencoded`] says, as UTF-8,
    /// whatever character set the client names.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] (415) for another content type or none, before the body is read; [`BodyError`]; 413 for
    /// more than the limits allow.
    pub async fn form(&mut self) -> crate::Result<MultiMap> {
        const FORM: &str = "application/x-www-form-urlencoded";
        if self.content_type().as_deref() != Some(FORM) {
            let expected = format!("`{FORM}`");
            return Err(Rejection::new::<MultiMap>(Reason::ContentType, "content type", expected).into());
        }
        let limits = self.context.body_limits();
        let body = self.bytes().await?;
        let mut fields = MultiMap::new();
        let mut decoder = Decoder::new(limits.form_fields as usize, limits.form_field_bytes as usize);
        decoder.push(&body, &mut fields)?;
        decoder.finish(&mut fields);
        Ok(fields)
    }

    /// Begins the response here and now, to write its body while the handler runs. The handler then returns
    /// what [`ResponseWriter::finish`] gives.
    ///
    /// The length is unknown, so HTTP/1.1 sends it chunked; [`respond_sized`](Self::respond_sized) announces
    /// one. After 101, or 2xx to CONNECT, the connection is the handler's: the request's body and the writer
    /// carry raw bytes.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if there is a response already, or the client is gone.
    pub fn respond(&self, status: StatusCode, headers: HeaderMap) -> Result<ResponseWriter, WriteError> {
        writer::respond(self.context.exchange(), status, headers, None)
    }

    /// As [`respond`](Self::respond), with the body's length announced: more is an error of the write that
    /// passes it, fewer cut the message off.
    ///
    /// # Errors
    ///
    /// As [`respond`](Self::respond).
    pub fn respond_sized(
        &self,
        status: StatusCode,
        headers: HeaderMap,
        length: u64,
    ) -> Result<ResponseWriter, WriteError> {
        writer::respond(self.context.exchange(), status, headers, Some(length))
    }
}

impl From<Request> for http::Request<Body> {
    /// The context and the parameters travel in the extensions.
    fn from(request: Request) -> Self {
        let Request { mut parts, body, context, params, root, route } = request;
        parts.extensions.insert(context);
        parts.extensions.insert(params);
        parts.extensions.insert(Mounted { root, route });
        Self::from_parts(parts, body)
    }
}

impl From<http::Request<Body>> for Request {
    /// A request that never was one of ours has a [detached](Context::detached) context.
    fn from(request: http::Request<Body>) -> Self {
        let (mut parts, body) = request.into_parts();
        let context = parts.extensions.remove().unwrap_or_else(|| detached(&parts));
        let params = parts.extensions.remove().unwrap_or_default();
        let Mounted { root, route } = parts.extensions.remove().unwrap_or_default();
        Self { parts, body, context, params, root, route }
    }
}

/// What the routes said, in the extensions of a request of another shape.
#[derive(Clone, Debug, Default)]
struct Mounted {
    root: usize,
    route: Option<Arc<str>>,
}

/// The context of a request that no session has read.
fn detached(parts: &Parts) -> Context {
    Context::of_detached(Some(Asked::new(&parts.method, &parts.uri, &parts.headers)))
}

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
        Some((_, expected)) if text.starts_with("invalid ") || text.starts_with("unknown ") => {
            expected.to_owned()
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
