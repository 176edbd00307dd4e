//! The request: what the client sent, and the context to answer in.

use bytes::Bytes;
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri, Version};

#[cfg(doc)]
use crate::limits::Limits;
use crate::message::writer::{self, ResponseWriter, WriteError};
use crate::message::{Asked, Body, BodyError, Context};
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
        Self { parts, body, context, params: Params::default(), root: 0 }
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

    /// The target's path as it was sent, percent-encoded.
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The target's query as it was sent, percent-encoded and without the `?`.
    pub fn raw_query(&self) -> Option<&str> {
        self.parts.uri.query()
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
    pub(crate) fn set_route(&mut self, params: Params, root: usize) {
        (self.params, self.root) = (params, root);
    }

    /// The part of the path, as it was sent, that leads to the mount which answers: `/shop` for `/shop/cakes` in
    /// an application that is mounted at `/shop`; empty outside of mounts, and before routing.
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
        let limit = self.context.buffered_body_bytes();
        self.body.bytes(limit).await
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

    /// The whole body, at most [`Limits::buffered_body_bytes`], as JSON.
    ///
    /// # Errors
    ///
    /// [`BodyError`], and 400 for what is not the JSON of a `T`, with the line and the column.
    #[cfg(feature = "json")]
    pub async fn json<T: serde::de::DeserializeOwned>(&mut self) -> crate::Result<T> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            crate::Error::new(
                StatusCode::BAD_REQUEST,
                format!("the body is not the JSON that is needed: {error}"),
            )
        })
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
        let Request { mut parts, body, context, params, root } = request;
        parts.extensions.insert(context);
        parts.extensions.insert(params);
        parts.extensions.insert(Root(root));
        Self::from_parts(parts, body)
    }
}

impl From<http::Request<Body>> for Request {
    /// A request that never was one of ours has a [detached](Context::detached) context.
    fn from(request: http::Request<Body>) -> Self {
        let (mut parts, body) = request.into_parts();
        let context = parts.extensions.remove().unwrap_or_else(|| detached(&parts));
        let params = parts.extensions.remove().unwrap_or_default();
        let Root(root) = parts.extensions.remove().unwrap_or_default();
        Self { parts, body, context, params, root }
    }
}

/// The segments that lead to the mount, in the extensions of a request of another shape.
#[derive(Clone, Copy, Debug, Default)]
struct Root(usize);

/// The context of a request that no session has read.
fn detached(parts: &Parts) -> Context {
    Context::of_detached(Some(Asked::new(&parts.method, &parts.uri, &parts.headers)))
}
