//! A request that is being put together.
//!
//! The rule: what is said last counts, what is not said is the client's, and nothing is sent that was not asked for.

use std::future::{IntoFuture, Ready, ready};
use std::time::Duration;

use bakestone::header::HeaderName;
use bakestone::machine::Address;
use bakestone::{Bytes, HeaderMap, HeaderValue, Method, header};

use super::error::ClientError;
use super::exchange::{Content, Exchange, Message};
use super::multipart::MultipartBody;
use super::pending::{Held, Pending};
use super::redirect::Plan;
use super::response::ClientResponse;
use super::url::Url;
use super::world::World;
use super::{Client, connection::Key};

/// A request that is being put together; [`send`](Self::send) sends it, and so does `.await`.
///
/// ```
/// use bakestone::{App, Request, Result, Text, post};
/// use bakestone_testkit::Client;
///
/// async fn echo(mut request: Request) -> Result<Text<String>> {
///     let asked = format!("{} {}", request.method(), request.raw_query().unwrap_or_default());
///     Ok(Text(format!("{asked} {}", request.text().await?)))
/// }
///
/// let client = Client::new(App::new().route("/echo", post(echo).put(echo)));
/// let mut response = client.post("/echo").query(&[("n", 1), ("n", 2)]).text("hello").send();
/// response.expect_status(200).expect_text("POST n=1&n=2 hello");
///
/// # fn executor<F: Future>(future: F) -> F::Output {
/// #     let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// #     let std::task::Poll::Ready(output) = std::pin::pin!(future).poll(&mut cx) else { unreachable!() };
/// #     output
/// # }
/// executor(async {
///     client.put("/echo?n=3").json(&["a"]).await.expect_text(r#"PUT n=3 ["a"]"#);
/// });
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct ClientRequest {
    client: Client,
    method: Method,
    url: Url,
    /// `OPTIONS *` has no path.
    is_asterisk: bool,
    headers: HeaderMap,
    without: Vec<HeaderName>,
    cookies: Vec<(String, String)>,
    content: Content,
    peer: Option<Address>,
    timeout: Duration,
    redirects: usize,
    read_ahead: usize,
    half_close: bool,
}

impl ClientRequest {
    #[track_caller]
    pub(super) fn new(client: &Client, method: Method, path: &str) -> Self {
        let world = client.world.borrow();
        let defaults = &world.defaults;
        let is_asterisk = path == "*";
        let Some(url) = defaults.base.asked(if is_asterisk { "/" } else { path }) else {
            panic!("{path:?} is neither a path nor an http or https URL")
        };
        Self {
            client: client.clone(),
            method,
            url,
            is_asterisk,
            headers: HeaderMap::new(),
            without: Vec::new(),
            cookies: Vec::new(),
            content: Content::Whole(Bytes::new()),
            peer: defaults.peer.clone(),
            timeout: defaults.timeout,
            redirects: defaults.redirects,
            read_ahead: defaults.read_ahead,
            half_close: false,
        }
    }

    /// The same with this field, after those of the same name; the client's own of that name is left out.
    ///
    /// # Panics
    ///
    /// If it is no field.
    #[track_caller]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        let (name, value) = field(name.as_ref(), value.as_ref());
        self.headers.append(name, value);
        self
    }

    /// The same without the client's own field of this name, and without those that were given so far.
    ///
    /// # Panics
    ///
    /// If it is no name of a field.
    #[track_caller]
    pub fn without(mut self, name: impl AsRef<str>) -> Self {
        let (name, _) = field(name.as_ref(), b"");
        self.headers.remove(&name);
        self.without.push(name);
        self
    }

    /// The same with `Authorization: Bearer` and this token (RFC 6750, section 2.1).
    ///
    /// # Panics
    ///
    /// If it cannot stand in a field.
    #[track_caller]
    pub fn bearer(mut self, token: &str) -> Self {
        insert(&mut self.headers, "authorization", format!("Bearer {token}").as_bytes());
        self
    }

    /// The same with this query, in place of the path's: a struct, a map or pairs. A list is repeated, what is none is
    /// left out.
    ///
    /// # Panics
    ///
    /// If it is made of anything else than texts, numbers and lists of them.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn query<T: serde_core::Serialize + ?Sized>(self, query: &T) -> Self {
        let query = super::pairs::urlencoded(query);
        self.raw_query(&query)
    }

    /// The same with this query as it is, in place of the path's.
    pub fn raw_query(mut self, query: &str) -> Self {
        self.url = self.url.with_query(query);
        self
    }

    /// The same with this cookie, in place of those of that name that the client has; it is not kept.
    pub fn cookie(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.cookies.retain(|(other, _)| *other != name);
        self.cookies.push((name, value.into()));
        self
    }

    /// The same with this content, of which nothing is said.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.content = Content::Whole(body.into());
        self
    }

    /// The same with this text, as `text/plain`.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.typed("text/plain; charset=utf-8").body(text.into())
    }

    /// The same with `value` as JSON.
    ///
    /// # Panics
    ///
    /// If JSON cannot hold the value.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn json<T: serde_core::Serialize + ?Sized>(self, value: &T) -> Self {
        let text = serde_json::to_string(value).expect("a value that JSON can hold");
        self.typed("application/json").body(text)
    }

    /// The same with a form of one part, as `application/x-www-form-urlencoded`: a struct, a map or pairs, as
    /// [`query`](Self::query) takes them.
    ///
    /// # Panics
    ///
    /// As [`query`](Self::query).
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn form<T: serde_core::Serialize + ?Sized>(self, form: &T) -> Self {
        let text = super::pairs::urlencoded(form);
        self.typed("application/x-www-form-urlencoded").body(text)
    }

    /// The same with a form of several parts, as `multipart/form-data`, with a boundary of the client's seed.
    pub fn multipart(self, form: MultipartBody) -> Self {
        let random = self.client.world.borrow_mut().random();
        let (content_type, body) = form.encode(random);
        self.typed(&content_type).body(body)
    }

    /// The same with content in pieces, each asked for when the server has read those before. Its length is not told
    /// unless there is a `Content-Length`.
    pub fn body_stream<I>(mut self, pieces: I) -> Self
    where
        I: IntoIterator<Item: Into<Bytes> + 'static, IntoIter: 'static>,
    {
        self.content = Content::Pieces(Box::new(pieces.into_iter().map(Into::into)));
        self
    }

    /// The same with content that the test [writes](Pending::write) piece by piece once the request is
    /// [on its way](Self::start), and [ends](Pending::end).
    pub fn body_by_hand(mut self) -> Self {
        self.content = Content::ByHand;
        self
    }

    /// Says what the content is, unless the request does so.
    fn typed(mut self, content_type: &str) -> Self {
        if let (false, Ok(value)) = (self.headers.contains_key(header::CONTENT_TYPE), content_type.parse()) {
            self.headers.insert(header::CONTENT_TYPE, value);
        }
        self
    }

    /// The same from this address.
    pub fn peer(mut self, address: impl Into<Address>) -> Self {
        self.peer = Some(address.into());
        self
    }

    /// The same with so much time of the clock to wait for its response, and for each piece of it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same with so many redirects followed; 0 follows none.
    pub fn redirects(mut self, redirects: usize) -> Self {
        self.redirects = redirects;
        self
    }

    /// The same from a client that reads only so many bytes of the content before the test asks for them, in place of
    /// 256 KiB. With 0 it reads the head and no byte more: a slow reader.
    pub fn read_ahead(mut self, bytes: usize) -> Self {
        self.read_ahead = bytes;
        self
    }

    /// The same from a client that finishes sending (FIN) right behind the request.
    pub fn half_close(mut self) -> Self {
        self.half_close = true;
        self
    }

    /// Sends the request, lets time pass until the head of the response is there, and follows redirects.
    ///
    /// # Panics
    ///
    /// As [`try_send`](Self::try_send) fails.
    #[track_caller]
    pub fn send(self) -> ClientResponse {
        match self.try_send() {
            Ok(response) => response,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`send`](Self::send), for a test of what goes wrong.
    ///
    /// # Errors
    ///
    /// [`ClientError`], if there is no response.
    pub fn try_send(self) -> Result<ClientResponse, ClientError> {
        self.start().try_response()
    }

    /// Sends the request, as far as the server reads it, and lets no time pass.
    pub fn start(self) -> Pending {
        let client = self.client.clone();
        let key = self.key();
        let id = client.world.borrow_mut().connection_for(&key, &self.url);
        let pending = self.push_to(id);
        client.world.borrow_mut().run();
        pending
    }

    pub(super) fn key(&self) -> Key {
        Key::new(&self.url, self.peer.clone())
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Puts the request behind those that are on the way on a connection.
    pub(super) fn push_to(self, id: u64) -> Pending {
        let Self { client, url, timeout, read_ahead, half_close, .. } = &self;
        let (client, url, timeout, read_ahead, half_close) =
            (client.clone(), url.clone(), *timeout, *read_ahead, *half_close);
        let (plan, message) = self.into_parts();
        let mut exchange = Exchange::new(message, read_ahead);
        exchange.half_close = half_close;
        let held = Held::new(&client, id, exchange, timeout, url);
        client.world.borrow_mut().push(id, held.exchange.clone());
        Pending { held, plan }
    }

    /// What goes out, and what is needed to send it elsewhere.
    fn into_parts(self) -> (Plan, Message) {
        let mut headers = self.headers.clone();
        let mut world = self.client.world.borrow_mut();
        for (name, value) in &world.defaults.headers {
            if !self.headers.contains_key(name) && !self.without.contains(name) {
                headers.append(name, value.clone());
            }
        }
        add_own(&mut headers, &self, &mut world);
        drop(world);
        let body = match &self.content {
            Content::Whole(bytes) => Some(bytes.clone()),
            _ => None,
        };
        let target = if self.is_asterisk { "*".to_owned() } else { self.url.target().to_owned() };
        let message = Message { method: self.method.clone(), target, headers, content: self.content };
        let plan = Plan {
            client: self.client,
            method: self.method,
            headers: self.headers,
            without: self.without,
            cookies: self.cookies,
            body,
            peer: self.peer,
            redirects: self.redirects,
            read_ahead: self.read_ahead,
            history: Vec::new(),
        };
        (plan, message)
    }

    /// The request that a redirect of `plan` leads to.
    pub(super) fn redirected(plan: &Plan, method: Method, url: Url, timeout: Duration) -> Self {
        Self {
            client: plan.client.clone(),
            method,
            url,
            is_asterisk: false,
            headers: plan.headers.clone(),
            without: plan.without.clone(),
            cookies: plan.cookies.clone(),
            content: Content::Whole(plan.body.clone().unwrap_or_default()),
            peer: plan.peer.clone(),
            timeout,
            redirects: plan.redirects,
            read_ahead: plan.read_ahead,
            half_close: false,
        }
    }
}

/// Adds `Host` and `Cookie`, where the request does not say them itself.
fn add_own(headers: &mut HeaderMap, request: &ClientRequest, world: &mut World) {
    let says = |name: &HeaderName| request.headers.contains_key(name) || request.without.contains(name);
    let host = HeaderValue::try_from(request.url.authority());
    if let (false, Ok(host)) = (says(&header::HOST), host) {
        headers.insert(header::HOST, host);
    }
    if !says(&header::COOKIE) {
        let now = world.now().wall;
        let kept = world.jar.cookies_for(&request.url, now);
        let is_given = |name: &String| request.cookies.iter().any(|(given, _)| given == name);
        let pairs =
            kept.into_iter().filter(|(name, _)| !is_given(name)).chain(request.cookies.iter().cloned());
        let text = |(name, value): (String, String)| match &*name {
            "" => value,
            name => format!("{name}={value}"),
        };
        let cookies = pairs.map(text).collect::<Vec<_>>().join("; ");
        if let (false, Ok(value)) = (cookies.is_empty(), HeaderValue::from_bytes(cookies.as_bytes())) {
            headers.insert(header::COOKIE, value);
        }
    }
}

#[track_caller]
fn field(name: &str, value: &[u8]) -> (HeaderName, HeaderValue) {
    match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
        (Ok(name), Ok(value)) => (name, value),
        _ => panic!("{name:?} with {:?} is no field", String::from_utf8_lossy(value)),
    }
}

/// Puts a field into `headers`, in place of any of that name.
#[track_caller]
pub(super) fn insert(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    let (name, value) = field(name, value);
    headers.insert(name, value);
}

impl IntoFuture for ClientRequest {
    type Output = ClientResponse;
    type IntoFuture = Ready<ClientResponse>;

    /// The response is there before anything is awaited, so that any executor will do.
    #[track_caller]
    fn into_future(self) -> Ready<ClientResponse> {
        ready(self.send())
    }
}
