//! A WebSocket of a client, on the client's clock.
//!
//! The rule: it is a [`WebSocketClient`] whose server, neighbours and clock are the client's; what waits lets time pass.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bakestone::ws::{CloseCode, CloseFrame, Message};
use bakestone::{Error, HeaderMap};

use super::Client;
use super::connection::{Key, Served};
use super::error::Cause;
use super::seen::{Seen, lock};
use super::url::Url;
use super::user::Defaults;
use super::world::{Shared, wait};
use crate::websocket::{Denied, WebSocketClient, WebSocketRequest};
use crate::wire::Wire;

/// A WebSocket of a [`Client`]. Whatever fails panics, and prints what all machines wait for.
///
/// ```
/// use bakestone::message::WebSocketUpgrade;
/// use bakestone::{App, Context, Result, get};
/// use bakestone_testkit::Client;
/// use std::time::Duration;
///
/// async fn slow_echo(context: Context, upgrade: WebSocketUpgrade) -> Result<()> {
///     let mut socket = upgrade.accept().await?;
///     while let Some(message) = socket.receive().await? {
///         context.sleep(Duration::from_secs(1)).await;
///         socket.send(message).await?;
///     }
///     Ok(())
/// }
///
/// let client = Client::new(App::new().route("/echo", get(slow_echo)));
/// let mut socket = client.websocket("/echo").unwrap();
/// socket.send("one").expect_silence();
/// socket.expect("one").close(1000, "thank you").expect_close(1000);
/// assert!(client.websocket("/elsewhere").is_err_and(|denied| denied.status == 404));
/// ```
pub struct ClientSocket {
    world: Shared,
    inner: Rc<RefCell<WebSocketClient<Served>>>,
    timeout: Duration,
    seen: Arc<Seen>,
}

impl Client {
    /// Opens a WebSocket at a path, or as a [`WebSocketRequest`] asks for it. The client's fields and cookies go with the
    /// request where that has none of the name; time passes until there is an answer.
    ///
    /// # Errors
    ///
    /// The response, if the server does not switch protocols.
    ///
    /// # Panics
    ///
    /// If there is no answer, or one that no client may take.
    #[track_caller]
    pub fn websocket(
        &self,
        request: impl Into<WebSocketRequest>,
    ) -> Result<ClientSocket, Box<Denied<Served>>> {
        let request: WebSocketRequest = request.into();
        let url = self.base_url().asked(request.path());
        let Some(url) = url else { panic!("{:?} is no path", request.path()) };
        let request = self.completed(request, &url);
        let (wire, seen) = self.shake_hands(&request, &url);
        let opened = request.answered(wire);
        let headers = match &opened {
            Ok(socket) => socket.response_headers(),
            Err(denied) => &denied.headers,
        };
        self.keep_cookies(&url, headers.get_all("set-cookie"), self.now().wall);
        let inner = Rc::new(RefCell::new(opened?));
        self.world.borrow_mut().add_socket(url.target(), inner.clone());
        self.world.borrow_mut().run();
        let timeout = self.user.borrow().defaults.timeout;
        Ok(ClientSocket { world: self.world.clone(), inner, timeout, seen })
    }

    /// A connection over which `request` was sent, and where an answer waits.
    #[track_caller]
    fn shake_hands(&self, request: &WebSocketRequest, url: &Url) -> (Wire<Served>, Arc<Seen>) {
        let (key, timeout) = {
            let user = self.user.borrow();
            (Key::new(user.id, url, user.defaults.peer.clone()), user.defaults.timeout)
        };
        let (mut wire, seen) = self.world.borrow_mut().connect(&key, url);
        wire.feed(request.to_bytes());
        self.world.borrow_mut().opening = Some((url.target().to_owned(), wire));
        let answered = wait(&self.world, timeout, |world| {
            let (_, wire) = world.opening.as_mut()?;
            skip_informational(wire);
            let is_answered = wire.waiting() > 0;
            (is_answered || wire.is_done()).then_some(is_answered)
        });
        let answered = answered.and_then(|is_answered| is_answered.then_some(()).ok_or(Cause::Closed));
        let waits = self.world.borrow_mut().waits();
        let opening = self.world.borrow_mut().opening.take();
        let (_, wire) = opening.expect("the handshake that was begun here");
        if let Err(cause) = answered {
            let (notes, transcript) = (seen.notes().join("\n"), wire.transcript());
            panic!("a WebSocket at {url}: {cause}\n{notes}{waits}-- the transcript\n{transcript}");
        }
        (wire, seen)
    }

    /// The request with what every request of the client has.
    fn completed(&self, request: WebSocketRequest, url: &Url) -> WebSocketRequest {
        let seed = self.world.borrow_mut().random();
        let cookies = self.user.borrow_mut().jar.field(url, self.now().wall);
        completed(request, url, &self.user.borrow().defaults, cookies).at(url.target()).seeded(seed)
    }
}

/// Takes the informational responses that stand before the answer, such as 103 (RFC 9110, section 15.2).
fn skip_informational(wire: &mut Wire<Served>) {
    loop {
        let received = wire.received();
        let is_informational = received.starts_with(b"HTTP/1.1 1") && !received.starts_with(b"HTTP/1.1 101");
        let end = received.windows(4).position(|four| four == b"\r\n\r\n");
        match end.filter(|_| is_informational) {
            Some(end) => drop(wire.take_at_most(end + 4)),
            None => return,
        }
    }
}

/// The request with what every request has, where it does not say it itself.
fn completed(
    mut request: WebSocketRequest,
    url: &Url,
    defaults: &Defaults,
    cookies: Option<String>,
) -> WebSocketRequest {
    let own =
        defaults.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let own = own.chain([("host".to_owned(), url.authority().as_bytes().to_vec())]);
    let own = own.chain(cookies.map(|cookies| ("cookie".to_owned(), cookies.into_bytes())));
    for (name, value) in own {
        if !request.says(&name) {
            request = request.header(&name, value);
        }
    }
    request
}

impl ClientSocket {
    /// Sends a message, and lets the server run.
    ///
    /// # Panics
    ///
    /// If this end has closed, or is gone.
    #[track_caller]
    pub fn send(&mut self, message: impl Into<Message>) -> &mut Self {
        self.with(|socket| {
            socket.send(message);
        })
    }

    /// Sends `value` as JSON, in a message of text.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send); and if JSON cannot hold the value.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn send_json<T: serde_core::Serialize + ?Sized>(&mut self, value: &T) -> &mut Self {
        self.with(|socket| {
            socket.send_json(value);
        })
    }

    /// Closes with a code that may be sent, and a reason of at most 123 bytes.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send); and for another code, or a longer reason.
    #[track_caller]
    pub fn close(&mut self, code: impl Into<CloseCode>, reason: &str) -> &mut Self {
        self.with(|socket| {
            socket.close(code, reason);
        })
    }

    /// This end is gone: the connection was reset.
    pub fn disconnect(self) {
        drop(self);
    }

    /// Does anything else to the socket, and lets the server run.
    #[track_caller]
    pub fn with(&mut self, work: impl FnOnce(&mut WebSocketClient<Served>)) -> &mut Self {
        work(&mut self.inner.borrow_mut());
        self.world.borrow_mut().run();
        self
    }

    /// Lets time pass until the next message is there, and gives it; `None` if the server closed first.
    ///
    /// # Panics
    ///
    /// If nothing comes.
    #[track_caller]
    pub fn receive(&mut self) -> Option<Message> {
        self.wait("a message").receive()
    }

    /// The next message as JSON; `None` if the server closed first.
    ///
    /// # Panics
    ///
    /// If nothing comes, or it is no JSON, or not what a `T` is made of.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn receive_json<T: serde_core::de::DeserializeOwned>(&mut self) -> Option<T> {
        self.wait("a message").receive_json()
    }

    /// Lets time pass until the next message is there: it is this one.
    ///
    /// # Panics
    ///
    /// If it is another, or nothing comes.
    #[track_caller]
    pub fn expect(&mut self, expected: impl Into<Message>) -> &mut Self {
        let expected = expected.into();
        self.wait("a message").expect(expected);
        self
    }

    /// Lets time pass until the next thing is there: it is a Close with this code.
    ///
    /// # Panics
    ///
    /// If it is something else, or nothing comes.
    #[track_caller]
    pub fn expect_close(&mut self, code: impl Into<CloseCode>) -> &mut Self {
        let code = code.into();
        self.wait("a Close").expect_close(code);
        self
    }

    /// Nothing has come but pings and pongs; no time passes.
    ///
    /// # Panics
    ///
    /// If something has.
    #[track_caller]
    pub fn expect_silence(&mut self) -> &mut Self {
        self.world.borrow_mut().run();
        self.inner.borrow_mut().expect_silence();
        self
    }

    /// The subprotocol that the server has chosen.
    pub fn protocol(&self) -> Option<String> {
        self.inner.borrow().protocol().map(str::to_owned)
    }

    /// The fields of the response that switched protocols.
    pub fn response_headers(&self) -> HeaderMap {
        self.inner.borrow().response_headers().clone()
    }

    /// What the server has closed with; `None` if it has not, or without a code.
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.inner.borrow().close_frame().cloned()
    }

    /// The error that the handler ended with.
    pub fn error(&self) -> Option<Arc<Error>> {
        self.seen.first().and_then(|behind| lock(&behind).error.clone())
    }

    /// What the handler panicked with.
    pub fn panic_message(&self) -> Option<String> {
        self.seen.first().and_then(|behind| lock(&behind).panic.clone())
    }

    /// Lets time pass until something has come.
    #[track_caller]
    fn wait(&mut self, what: &str) -> RefMut<'_, WebSocketClient<Served>> {
        let come = wait(&self.world, self.timeout, |_| self.inner.borrow_mut().has_news().then_some(()));
        if let Err(cause) = come {
            let waits = self.world.borrow_mut().waits();
            let notes = self.seen.notes().join("\n");
            panic!(
                "expected {what}: {cause}\n{notes}{waits}-- the transcript\n{}",
                self.inner.borrow().wire().transcript()
            );
        }
        self.inner.borrow_mut()
    }
}

impl Drop for ClientSocket {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.inner.borrow_mut().disconnect();
            if let Some(mut world) = self.world.try_borrow_mut() {
                world.run();
            }
        }
    }
}

impl std::fmt::Debug for ClientSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.borrow().fmt(f)
    }
}
