//! The handshake that opens a WebSocket, and what a server says to it.
//!
//! The rule: a test may ask for anything, and what the server agrees to is compared with what was asked (RFC 6455,
//! section 4.1); an answer that no client may take fails the test.

use std::fmt;
use std::sync::Arc;

use bakestone::app::Application;
use bakestone::header::HeaderName;
use bakestone::machine::Machine;
use bakestone::ws::{Config, Conn, DeflateOptions, Opening, OpeningError, Role};
use bakestone::{Bytes, HeaderMap, HeaderValue, Limits, Service, Session, StatusCode};

use super::WebSocketClient;
use crate::seed::Random;
use crate::transcript::escape;
use crate::view::chunk_size;
use crate::wire::Wire;

/// The seed of a client that was given none.
const SEED: u64 = 0x0b5e_55ed_5eed_50c5;

/// What a client can be connected to: an [`App`](bakestone::App), a service, a function, or a [`Session`] of one. `K`
/// only tells the cases apart; it is inferred.
#[diagnostic::on_unimplemented(
    message = "no client can be connected to `{Self}`",
    label = "this does not answer requests",
    note = "connect to an `App`, to a service, to a function of a `Request`, or to a `Session` of one"
)]
pub trait IntoMachine<K> {
    /// What serves the connection.
    type Machine: Machine;

    /// The machine of a new connection. What has limits already keeps them.
    ///
    /// # Panics
    ///
    /// If an application cannot be built, with all that is wrong with it.
    fn into_machine(self, limits: Arc<Limits>) -> Self::Machine;
}

/// Marks a session.
#[derive(Debug)]
pub enum Connected {}

#[diagnostic::do_not_recommend]
impl<S: Service> IntoMachine<Connected> for Session<S> {
    type Machine = Self;

    fn into_machine(self, _: Arc<Limits>) -> Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<K, A: Application<K>> IntoMachine<(K,)> for A {
    type Machine = Session<A::Service>;

    #[track_caller]
    fn into_machine(self, limits: Arc<Limits>) -> Self::Machine {
        match self.start() {
            Ok((service, _)) => Session::with_limits(service, limits),
            Err(errors) => panic!("the application cannot be built:\n{errors:?}"),
        }
    }
}

/// The request for a WebSocket: a right one, until it is told otherwise.
///
/// ```
/// use bakestone::message::WebSocketUpgrade;
/// use bakestone::ws::DeflateOptions;
/// use bakestone::{App, Result, get};
/// use bakestone_testkit::WebSocketRequest;
///
/// async fn chat(mut upgrade: WebSocketUpgrade) -> Result<()> {
///     upgrade.select_protocol(["chat.v2", "chat.v1"]);
///     let mut socket = upgrade.accept().await?;
///     socket.send("welcome").await?;
///     Ok(())
/// }
///
/// let app = App::new().route("/chat", get(chat));
/// let request = WebSocketRequest::new("/chat").origin("http://test").protocols(["chat.v1"]);
/// let mut client = request.deflate(DeflateOptions::default()).connect(app).unwrap();
/// assert_eq!(client.protocol(), Some("chat.v1"));
/// client.expect("welcome").expect_close(1000);
///
/// let app = App::new().route("/chat", get(chat));
/// let denied = WebSocketRequest::new("/chat").origin("http://elsewhere").connect(app).unwrap_err();
/// assert_eq!(denied.status, 403);
/// ```
#[derive(Clone, Debug)]
pub struct WebSocketRequest {
    path: String,
    changes: Vec<(HeaderName, Option<HeaderValue>)>,
    protocols: Vec<String>,
    deflate: DeflateOptions,
    limits: Arc<Limits>,
    seed: u64,
}

impl WebSocketRequest {
    /// A request for `path`, of `Host: test`, that offers no subprotocol and no compression.
    pub fn new(path: impl Into<String>) -> Self {
        let mut deflate = DeflateOptions::default();
        deflate.enabled = false;
        Self {
            path: path.into(),
            changes: Vec::new(),
            protocols: Vec::new(),
            deflate,
            limits: Arc::default(),
            seed: SEED,
        }
    }

    /// The same with this field; where there is one of that name, be it the handshake's own, in its place.
    ///
    /// # Panics
    ///
    /// If it is no field.
    #[must_use]
    #[track_caller]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref());
        self.change(name, Some(value.expect("the value of a field")))
    }

    /// The same without this field.
    ///
    /// # Panics
    ///
    /// If it is no name of a field.
    #[must_use]
    #[track_caller]
    pub fn without(self, name: &str) -> Self {
        self.change(name, None)
    }

    #[track_caller]
    fn change(mut self, name: &str, value: Option<HeaderValue>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the name of a field");
        self.changes.push((name, value));
        self
    }

    /// The same from a page of this origin.
    #[must_use]
    #[track_caller]
    pub fn origin(self, origin: &str) -> Self {
        self.header("origin", origin)
    }

    /// The same with these subprotocols, those that are preferred first.
    #[must_use]
    pub fn protocols(mut self, protocols: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// The same with an offer to compress messages.
    #[must_use]
    pub fn deflate(mut self, options: DeflateOptions) -> Self {
        self.deflate = options;
        self
    }

    /// The same to a server with these limits. A [`Session`] that is connected to has its own.
    #[must_use]
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.limits = Arc::new(limits.clone());
        self
    }

    /// The same with another seed for what is random: the handshake's key, and those of the masks.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What it asks for.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Whether it was told what this field is to be, if it is to be there.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.changes.iter().any(|(other, _)| other.as_str() == name)
    }

    /// The same for another path.
    pub(crate) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// The same with this seed, unless it was given one.
    pub(crate) fn seeded(self, seed: u64) -> Self {
        if self.seed == SEED { self.seed(seed) } else { self }
    }

    /// The bytes of the request.
    ///
    /// # Panics
    ///
    /// If the subprotocols are none.
    #[track_caller]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut headers = self.opening().headers();
        headers.insert("host", HeaderValue::from_static("test"));
        for (name, value) in &self.changes {
            match value {
                Some(value) => _ = headers.insert(name, value.clone()),
                None => _ = headers.remove(name),
            }
        }
        let mut bytes = format!("GET {} HTTP/1.1\r\n", self.path).into_bytes();
        for (name, value) in &headers {
            bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    #[track_caller]
    fn opening(&self) -> Opening {
        let mut random = Random::new(self.seed);
        let nonce = [random.next(), random.next()].map(u64::to_le_bytes).concat();
        let nonce = nonce.try_into().unwrap_or_default();
        let opening = Opening::new(nonce, self.protocols.iter().map(String::as_str), self.deflate.clone());
        opening.expect("subprotocols that differ")
    }

    /// Connects to `server`, on a wire of its own.
    ///
    /// # Errors
    ///
    /// The response, if the server does not switch protocols.
    ///
    /// # Panics
    ///
    /// As [`answered`](Self::answered).
    #[track_caller]
    pub fn connect<K, S: IntoMachine<K>>(
        &self,
        server: S,
    ) -> Result<WebSocketClient<S::Machine>, Box<Denied<S::Machine>>> {
        self.connect_over(Wire::new(server.into_machine(self.limits.clone())))
    }

    /// Connects over `wire`: a connection that was used before, or is not like any other.
    ///
    /// # Errors
    ///
    /// The response, if the server does not switch protocols.
    ///
    /// # Panics
    ///
    /// As [`answered`](Self::answered).
    #[track_caller]
    pub fn connect_over<M: Machine>(&self, mut wire: Wire<M>) -> Result<WebSocketClient<M>, Box<Denied<M>>> {
        wire.feed(self.to_bytes());
        self.answered(wire)
    }

    /// Goes on where `wire` was given the [bytes](Self::to_bytes) of this request already, and the answer waits there.
    ///
    /// # Errors
    ///
    /// The response, if the server does not switch protocols.
    ///
    /// # Panics
    ///
    /// With the transcript, if there is no answer yet, or if it is one that no client may take.
    #[track_caller]
    pub fn answered<M: Machine>(&self, mut wire: Wire<M>) -> Result<WebSocketClient<M>, Box<Denied<M>>> {
        let bytes = wire.take();
        let Some((status, headers, rest)) = read_head(&bytes) else {
            panic!("expected a response to the handshake, but it is\n{}", wire.transcript());
        };
        let opening = self.opening();
        let agreed = match opening.verify(status, &headers) {
            Ok(agreed) => agreed,
            Err(OpeningError::NotSwitched(_)) => {
                let body = read_body(&headers, rest);
                return Err(Box::new(Denied { status, headers, body, wire }));
            }
            Err(error) => panic!("{error}\n{}", wire.transcript()),
        };
        let mut config = Config::default();
        config.deflate = agreed.deflate;
        (config.message_bytes, config.frame_bytes) = (usize::MAX, usize::MAX);
        let conn = Conn::new(Role::Client { mask_seed: self.seed }, config);
        let protocol = agreed.protocol.map(str::to_owned);
        Ok(WebSocketClient::new(wire, conn, headers, protocol, rest))
    }
}

impl From<&str> for WebSocketRequest {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl From<String> for WebSocketRequest {
    fn from(path: String) -> Self {
        Self::new(path)
    }
}

/// The response of a server that did not open the WebSocket.
pub struct Denied<M> {
    /// Its status, which is not 101.
    pub status: StatusCode,
    /// Its fields.
    pub headers: HeaderMap,
    /// Its content, as far as it has come.
    pub body: Bytes,
    /// The connection, from which the response was taken.
    pub wire: Wire<M>,
}

impl<M> Denied<M> {
    /// A field's value as text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The content as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl<M> fmt::Debug for Denied<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denied")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &escape(&self.body))
            .finish_non_exhaustive()
    }
}

/// Status, fields, and what follows.
fn read_head(bytes: &[u8]) -> Option<(StatusCode, HeaderMap, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut lines = std::str::from_utf8(&bytes[..end]).ok()?.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, value.trim().parse().ok()?);
    }
    Some((status, headers, &bytes[end + 4..]))
}

/// The content, without its chunks.
fn read_body(headers: &HeaderMap, mut rest: &[u8]) -> Bytes {
    if !headers.contains_key("transfer-encoding") {
        return Bytes::copy_from_slice(rest);
    }
    let mut body = Vec::new();
    while let Some((size, data)) = chunk_size(rest).filter(|(size, _)| *size > 0) {
        body.extend_from_slice(&data[..size.min(data.len())]);
        rest = data.get(size + 2..).unwrap_or_default();
    }
    body.into()
}
