//! The request: what the client sent, and the context to answer in.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName};
use http::uri::{Authority, PathAndQuery};
use http::{Extensions, HeaderMap, Method, StatusCode, Uri, Version};

use crate::h1::{FieldSection, ReceivedRequest};
use crate::http::parameters::Occurrence;
use crate::http::{Accept, MediaType, cookie, percent, urlencoded};
#[cfg(doc)]
use crate::limits::Limits;
use crate::machine::Address;
use crate::message::writer::{self, ResponseWriter, WriteError};
use crate::message::{Asked, Body, Context, MultiMap};
use crate::router::Params;

/// A request. It is handed to the handler whole, and may be kept, moved and taken apart.
///
/// It is a pointer, since it is moved a dozen times on its way into a handler.
pub struct Request(pub(super) Box<Parts>);

/// What a request is made of.
pub(super) struct Parts {
    method: Method,
    uri: Uri,
    version: Version,
    headers: FieldSection,
    extensions: Extensions,
    pub(super) body: Body,
    pub(super) context: Context,
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
    /// assert_eq!(request.raw_path(), "/cakes");
    /// assert_eq!(request.raw_query(), Some("kind=welsh"));
    /// ```
    pub fn new(method: Method, uri: Uri, body: impl Into<Body>) -> Self {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        (parts.method, parts.uri) = (method, uri);
        Self::from(http::Request::from_parts(parts, body.into()))
    }

    /// A request whose head was read.
    pub(crate) fn received(head: ReceivedRequest, body: Body, context: Context) -> Self {
        let ReceivedRequest { method, uri, version, headers, .. } = head;
        let extensions = Extensions::new();
        let (params, root, route) = (Params::default(), 0, None);
        let request = Parts { method, uri, version, headers, extensions, body, context, params, root, route };
        Self(Box::new(request))
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The method, for middleware to change: around the routes, it changes which of them answers.
    pub fn method_mut(&mut self) -> &mut Method {
        &mut self.0.method
    }

    /// The target, as a URI reference: in origin-form it is a path and a query.
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// The target, for middleware to change.
    pub fn uri_mut(&mut self) -> &mut Uri {
        &mut self.0.uri
    }

    /// The target's path, decoded: `/%61dmin` is `/admin`, and so is what the router takes them for. What is no UTF-8
    /// becomes U+FFFD.
    ///
    /// An encoded slash is a slash here, and to the router it is none: **what guards a part of an application stands in
    /// its mount or on its routes**, and does not compare this.
    ///
    /// ```
    /// use bakestone::Request;
    /// use http::{Method, Uri};
    ///
    /// let request = Request::new(Method::GET, Uri::from_static("/bara%20brith?slices=2"), ());
    /// assert_eq!((&*request.path(), request.raw_path()), ("/bara brith", "/bara%20brith"));
    /// ```
    pub fn path(&self) -> Cow<'_, str> {
        percent::decode(self.raw_path())
    }

    /// The target's path as it was sent, percent-encoded.
    pub fn raw_path(&self) -> &str {
        self.0.uri.path()
    }

    /// What the client asked for, as an absolute URI (RFC 9110, section 7.1): the [scheme](Self::scheme), the
    /// [host](Self::host), and the path and the query as they were sent.
    ///
    /// It is what the client says. Behind a proxy it is what the proxy says; and an application that puts it into a
    /// link or a mail compares the host with those that it knows.
    ///
    /// ```
    /// use bakestone::Request;
    /// use http::{HeaderValue, Method, Uri};
    ///
    /// let mut request = Request::new(Method::GET, Uri::from_static("/cakes?kind=welsh"), ());
    /// request.headers_mut().insert("host", HeaderValue::from_static("example.com:8080"));
    /// assert_eq!(request.url(), "http://example.com:8080/cakes?kind=welsh");
    /// ```
    pub fn url(&self) -> Uri {
        let host = self.host().and_then(|host| host.parse::<Authority>().ok());
        let local = || match &self.0.context.connection().local {
            Some(Address::Ip(address)) => address.to_string().parse().ok(),
            _ => None,
        };
        let authority = host.or_else(local).unwrap_or_else(|| Authority::from_static("localhost"));
        // Neither `*` nor the target of CONNECT has a path (RFC 9112, section 3.3).
        let path = self.uri().path_and_query().filter(|path| path.as_str().starts_with('/')).cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let url = Uri::builder().scheme(self.scheme()).authority(authority).path_and_query(path);
        url.build().unwrap_or_default()
    }

    /// The host and the port that the client asked for: the target's own, else those of the `Host` field.
    pub fn host(&self) -> Option<&str> {
        self.uri()
            .authority()
            .map(Authority::as_str)
            .or_else(|| self.only(&HOST))
            .filter(|host| !host.is_empty())
    }

    /// `"https"` on a connection that is encrypted, else `"http"`.
    pub fn scheme(&self) -> &'static str {
        self.0.context.connection().scheme()
    }

    /// The other end's address, where the driver knows it.
    pub fn peer(&self) -> Option<&Address> {
        self.0.context.connection().peer.as_ref()
    }

    /// This end's address, where the driver knows it.
    pub fn local(&self) -> Option<&Address> {
        self.0.context.connection().local.as_ref()
    }

    /// The target's query as it was sent, percent-encoded and without the `?`.
    pub fn raw_query(&self) -> Option<&str> {
        self.0.uri.query()
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
        self.0.headers.values(&COOKIE).flat_map(cookie::parse).collect()
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
        let field = self.0.headers.list(&ACCEPT);
        let accept = field.as_deref().and_then(Accept::parse);
        let place = accept.map_or(Some(0), |accept| accept.best(offers))?;
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

    /// The character set that the body's media type names, in lower case; `None` too if that is malformed, or there
    /// more than once.
    pub fn charset(&self) -> Option<String> {
        match self.media_type()?.only("charset") {
            Occurrence::Once(charset) => Some(charset.to_ascii_lowercase()),
            Occurrence::Never | Occurrence::Unclear => None,
        }
    }

    /// The length of the body in bytes, where `Content-Length` announces it. A chunked body has none.
    pub fn content_length(&self) -> Option<u64> {
        let length = self.only(&CONTENT_LENGTH)?;
        length.parse().ok().filter(|_| length.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The value of a field that is there once.
    fn only(&self, name: &HeaderName) -> Option<&str> {
        let mut values = self.0.headers.values(name);
        let value = values.next().filter(|value| value.is_ascii())?;
        if values.next().is_some() {
            return None;
        }
        std::str::from_utf8(value).ok()
    }

    /// The values of all fields of this name, in their order: what a look at one or two names costs least by.
    pub fn field_values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.0.headers.values(name)
    }

    /// HTTP's version on the wire.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The header fields. The map is made on the first look.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The header fields, for middleware to change.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.0.headers
    }

    /// Values that middleware attached, by type.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// Values that middleware attaches, by type.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.0.extensions
    }

    /// What the route's pattern found in the path; empty before routing.
    pub fn params(&self) -> &Params {
        &self.0.params
    }

    /// Notes what the routes say of the request: its parameters, and how many segments lead to the mount.
    pub(crate) fn set_route(&mut self, params: Params, root: usize, route: Option<Arc<str>>) {
        (self.0.params, self.0.root, self.0.route) = (params, root, route);
    }

    /// The pattern of the application's route that answers, with the prefixes of mounts: `/shop/cakes/{id:int}`. It is what metrics
    /// and logs group requests by. `None` before routing, and where no route answers.
    pub fn route(&self) -> Option<&str> {
        self.0.route.as_deref()
    }

    pub(crate) fn matched(&self) -> Option<&Arc<str>> {
        self.0.route.as_ref()
    }

    /// The part of the path, as it was sent, that leads to the mount which answers: `/shop` for `/shop/cakes` in
    /// an application that is mounted at `/shop`; empty outside of mounts, and before routing. Whoever changes the target
    /// behind the routing changes what this is cut from.
    pub fn root_path(&self) -> &str {
        self.raw_path().get(..self.root_end()).unwrap_or_default()
    }

    /// The path as the mount sees it, as it was sent: [`raw_path`](Self::raw_path) without
    /// [`root_path`](Self::root_path), and `/` if nothing is left.
    pub fn path_in_mount(&self) -> &str {
        match self.raw_path().get(self.root_end()..) {
            Some("") | None => "/",
            Some(rest) => rest,
        }
    }

    fn root_end(&self) -> usize {
        if self.0.root == 0 {
            return 0;
        }
        let slashes = self.raw_path().bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        slashes.map(|(at, _)| at).nth(self.0.root).unwrap_or(self.raw_path().len())
    }

    /// The context to answer in: time, files, blocking work, background work.
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// Sends an informational response (RFC 9110, section 15.2) before the final one: 103 (RFC 8297), so that the client
    /// fetches what the page will need while the handler still makes it, or 102. It waits until the one before is on its
    /// way.
    ///
    /// A client of HTTP/1.0 is sent none. Fields that frame a message have no place there, and such a response is
    /// left out.
    ///
    /// ```
    /// use bakestone::{HeaderMap, HeaderValue, Html, Request, Result, StatusCode, header};
    ///
    /// async fn page(request: Request) -> Result<Html<&'static str>> {
    ///     let style = HeaderValue::from_static("</style.css>; rel=preload; as=style");
    ///     request.inform(StatusCode::from_u16(103)?, HeaderMap::from_iter([(header::LINK, style)])).await?;
    ///     Ok(Html("<link rel=stylesheet href=/style.css>..."))
    /// }
    /// # let _ = bakestone::get(page);
    /// ```
    ///
    /// # Errors
    ///
    /// [`WriteError`] if there is a response already, the client is gone, or the status is not one of 1xx, or is 101.
    pub async fn inform(&self, status: StatusCode, headers: HeaderMap) -> Result<(), WriteError> {
        writer::inform(self.0.context.exchange(), status, headers).await
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
        writer::respond(self.0.context.exchange(), status, headers, None)
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
        writer::respond(self.0.context.exchange(), status, headers, Some(length))
    }

    /// What a WebSocket is accepted with, if the request asks for one: as an argument of a handler,
    /// [`WebSocketUpgrade`](crate::message::WebSocketUpgrade).
    ///
    /// # Errors
    ///
    /// The request asks for none, and is to be answered with 426; or its handshake is wrong.
    #[cfg(feature = "websocket")]
    pub fn websocket(&self) -> crate::Result<crate::message::WebSocketUpgrade> {
        crate::message::WebSocketUpgrade::new(self)
    }
}

impl From<Request> for http::Request<Body> {
    /// The context and the parameters travel in the extensions.
    fn from(request: Request) -> Self {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let request = *request.0;
        (parts.method, parts.uri, parts.version) = (request.method, request.uri, request.version);
        (parts.headers, parts.extensions) = (request.headers.into_map(), request.extensions);
        parts.extensions.insert(request.context);
        parts.extensions.insert(request.params);
        parts.extensions.insert(Mounted { root: request.root, route: request.route });
        Self::from_parts(parts, request.body)
    }
}

impl From<http::Request<Body>> for Request {
    /// A request that never was one of ours has a [detached](Context::detached) context.
    fn from(request: http::Request<Body>) -> Self {
        let (mut parts, body) = request.into_parts();
        let context = parts.extensions.remove().unwrap_or_else(|| {
            Context::of_detached(Some(Asked::new(&parts.method, &parts.uri, &parts.headers)))
        });
        let params = parts.extensions.remove().unwrap_or_default();
        let Mounted { root, route } = parts.extensions.remove().unwrap_or_default();
        let http::request::Parts { method, uri, version, headers, extensions, .. } = parts;
        let headers = headers.into();
        let request = Parts { method, uri, version, headers, extensions, body, context, params, root, route };
        Self(Box::new(request))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.0.method)
            .field("uri", &self.0.uri)
            .field("version", &self.0.version)
            .field("headers", &self.0.headers)
            .field("params", &self.0.params)
            .field("route", &self.0.route)
            .finish_non_exhaustive()
    }
}

/// What the routes said, in the extensions of a request of another shape.
#[derive(Clone, Debug, Default)]
struct Mounted {
    root: usize,
    route: Option<Arc<str>>,
}
