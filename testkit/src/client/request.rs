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
    form: Form,
    headers: HeaderMap,
    without: Vec<HeaderName>,
    cookies: Vec<(String, String)>,
    content: Content,
    /// What the content is, where no field of the request says it.
    content_type: Option<HeaderValue>,
    peer: Option<Address>,
    timeout: Duration,
    redirects: usize,
    read_ahead: usize,
    half_close: bool,
}

/// What the request line says of where it goes (RFC 9112, section 3.2).
#[derive(Clone, Copy, Debug)]
enum Form {
    Origin,
    /// CONNECT has a host and a port.
    Authority,
    /// `OPTIONS *` has no path.
    Asterisk,
}

impl ClientRequest {
    #[track_caller]
    pub(super) fn new(client: &Client, method: Method, path: &str) -> Self {
        let user = client.user.borrow();
        let defaults = &user.defaults;
        let (form, url) = match path {
            "*" => (Form::Asterisk, defaults.base.asked("/")),
            authority if method == Method::CONNECT => (Form::Authority, defaults.base.connected(authority)),
            path => (Form::Origin, defaults.base.asked(path)),
        };
        let Some(url) = url else {
            let wanted = match form {
                Form::Authority => "no host with a port",
                _ => "neither a path nor an http or https URL",
            };
            panic!("{path:?} is {wanted}")
        };
        Self {
            client: client.clone(),
            method,
            url,
            form,
            headers: HeaderMap::new(),
            without: Vec::new(),
            cookies: Vec::new(),
            content: Content::Whole(Bytes::new()),
            content_type: None,
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

    /// The same with this cookie, in place of those of that name that the client has; it is not kept. Behind a `Cookie`
    /// that the request was given as a field it stands as well; [`without("cookie")`](Self::without) leaves out the client's.
    ///
    /// # Panics
    ///
    /// If it cannot stand in a field.
    #[track_caller]
    pub fn cookie(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        field("cookie", pair(&name, &value).as_bytes());
        self.cookies.retain(|(other, _)| *other != name);
        self.cookies.push((name, value));
        self
    }

    /// The same with this content, of which nothing is said.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.with_content(Content::Whole(body.into()))
    }

    /// In place of any other, and of what that was.
    fn with_content(mut self, content: Content) -> Self {
        (self.content, self.content_type) = (content, None);
        self
    }

    /// The same with this text, as `text/plain`.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.body(text.into()).typed("text/plain; charset=utf-8")
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
        self.body(text).typed("application/json")
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
        self.body(text).typed("application/x-www-form-urlencoded")
    }

    /// The same with a form of several parts, as `multipart/form-data`, with a boundary of the client's seed.
    pub fn multipart(self, form: MultipartBody) -> Self {
        let random = self.client.world.borrow_mut().random();
        let (content_type, body) = form.encode(random);
        self.body(body).typed(&content_type)
    }

    /// The same with content in pieces, each asked for when the server has read those before. Its length is not told
    /// unless there is a `Content-Length`.
    pub fn body_stream<I>(self, pieces: I) -> Self
    where
        I: IntoIterator<Item: Into<Bytes> + 'static, IntoIter: 'static>,
    {
        self.with_content(Content::Pieces(Box::new(pieces.into_iter().map(Into::into))))
    }

    /// The same with content that the test [writes](Pending::write) piece by piece once the request is
    /// [on its way](Self::start), and [ends](Pending::end).
    pub fn body_by_hand(self) -> Self {
        self.with_content(Content::ByHand)
    }

    /// Says what the content is, unless the request does so, before or after.
    fn typed(mut self, content_type: &str) -> Self {
        self.content_type = content_type.parse().ok();
        self
    }

    /// The same from this address.
    pub fn peer(mut self, address: impl Into<Address>) -> Self {
        self.peer = Some(address.into());
        self
    }

    /// The same with so much time of the clock to wait for its response, and for each piece of it; where redirects are
    /// followed, for each response.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same with so many redirects followed, to the host that they come from or that of the base URL; 0 follows none.
    /// The one behind them is the response.
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
    #[track_caller]
    pub fn try_send(self) -> Result<ClientResponse, ClientError> {
        self.start().try_response()
    }

    /// Sends the request, as far as the server reads it, and lets no time pass.
    #[track_caller]
    pub fn start(self) -> Pending {
        let client = self.client.clone();
        let key = self.key();
        let id = client.world.borrow_mut().connection_for(&key, &self.url);
        let pending = self.push_to(id);
        client.world.borrow_mut().run();
        pending
    }

    pub(super) fn key(&self) -> Key {
        Key::new(self.client.user.borrow().id, &self.url, self.peer.clone())
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
    fn into_parts(mut self) -> (Plan, Message) {
        if let Some(content_type) = self.content_type.take().filter(|_| !self.says(&header::CONTENT_TYPE)) {
            self.headers.insert(header::CONTENT_TYPE, content_type);
        }
        let headers = self.all_headers();
        let body = match &self.content {
            Content::Whole(bytes) => Some(bytes.clone()),
            _ => None,
        };
        let target = match self.form {
            Form::Origin => self.url.target().to_owned(),
            Form::Authority => format!("{}:{}", self.url.host(), self.url.port()),
            Form::Asterisk => "*".to_owned(),
        };
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
            form: Form::Origin,
            headers: plan.headers.clone(),
            without: plan.without.clone(),
            cookies: plan.cookies.clone(),
            content: Content::Whole(plan.body.clone().unwrap_or_default()),
            content_type: None,
            peer: plan.peer.clone(),
            timeout,
            redirects: plan.redirects,
            read_ahead: plan.read_ahead,
            half_close: false,
        }
    }

    /// Whether the request itself says what this field is to be, if it is to be there.
    fn says(&self, name: &HeaderName) -> bool {
        self.headers.contains_key(name) || self.without.contains(name)
    }

    /// The request's own fields, and the client's where the request does not say them itself.
    fn all_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        for (name, value) in &self.client.user.borrow().defaults.headers {
            if !self.says(name) {
                headers.append(name, value.clone());
            }
        }
        let host = HeaderValue::try_from(self.url.authority());
        if let (false, Ok(host)) = (self.says(&header::HOST), host) {
            headers.insert(header::HOST, host);
        }
        let cookies = self.all_cookies();
        if let (false, Ok(value)) = (cookies.is_empty(), HeaderValue::from_bytes(&cookies)) {
            headers.insert(header::COOKIE, value);
        }
        headers
    }

    /// The value of `Cookie`: the request's field or else what the client keeps, and then the request's own cookies.
    fn all_cookies(&self) -> Vec<u8> {
        let now = self.client.now().wall;
        let mut pairs: Vec<Vec<u8>> = Vec::new();
        if self.says(&header::COOKIE) {
            pairs.extend(self.headers.get_all(header::COOKIE).iter().map(|value| value.as_bytes().to_vec()));
        } else {
            let kept = self.client.user.borrow_mut().jar.cookies_for(&self.url, now);
            let is_given = |name: &str| self.cookies.iter().any(|(given, _)| given == name);
            let kept = kept.iter().filter(|(name, _)| !is_given(name));
            pairs.extend(kept.map(|(name, value)| pair(name, value).into_bytes()));
        }
        pairs.extend(self.cookies.iter().map(|(name, value)| pair(name, value).into_bytes()));
        pairs.join(&b"; "[..])
    }
}

/// A cookie as it is sent.
fn pair(name: &str, value: &str) -> String {
    if name.is_empty() { value.to_owned() } else { format!("{name}={value}") }
}

impl std::fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientRequest")
            .field("method", &self.method)
            .field("url", &self.url.to_string())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
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
