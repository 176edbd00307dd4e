//! An accepted WebSocket, and its two halves.
//!
//! The rule: it lives while a part of it does, and what is dropped in the middle loses nothing: a message is taken or
//! is still there, is queued whole or not at all.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::message::{Overflow, WebSocketError};
use crate::session::websocket::{Outgoing, Shared};
use crate::ws::{CloseCode, CloseFrame, Message};

/// An open WebSocket, from [`WebSocketUpgrade::accept`](super::WebSocketUpgrade::accept).
///
/// When it is dropped it closes with 1000; when its handler ends with an error, or panics, with 1011; when the server
/// stops, with 1001. A handler that goes on once its socket has ended has
/// [`close_time`](super::WebSocketOptions::close_time) to end as well.
///
/// ```
/// use bakestone::message::WebSocketUpgrade;
/// use bakestone::Result;
///
/// async fn echo(upgrade: WebSocketUpgrade) -> Result<()> {
///     let mut socket = upgrade.accept().await?;
///     while let Some(message) = socket.receive().await? {
///         socket.send(message).await?;
///     }
///     Ok(())
/// }
/// # let _ = bakestone::get(echo);
/// ```
#[must_use = "a socket that is dropped is closed"]
#[derive(Debug)]
pub struct WebSocket {
    sender: WebSocketSender,
    receiver: WebSocketReceiver,
}

/// The half of a [`WebSocket`] that sends. Its clones are the same one.
#[derive(Clone)]
pub struct WebSocketSender {
    handle: Arc<Handle>,
    overflow: Overflow,
}

/// The half of a [`WebSocket`] that receives. Once it is dropped, what the peer sends is dropped as well.
pub struct WebSocketReceiver {
    handle: Arc<Handle>,
    protocol: Option<Arc<str>>,
    /// The error was told to who reads it as a stream.
    #[cfg(feature = "stream")]
    failed: bool,
}

/// Whoever holds a part of it; the last one lets go.
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Drop for WebSocketReceiver {
    fn drop(&mut self) {
        self.handle.0.stop_receiving();
    }
}

impl WebSocket {
    pub(super) fn new(shared: Arc<Shared>, overflow: Overflow, protocol: Option<Arc<str>>) -> Self {
        let handle = Arc::new(Handle(shared));
        let sender = WebSocketSender { handle: handle.clone(), overflow };
        let receiver = WebSocketReceiver {
            handle,
            protocol,
            #[cfg(feature = "stream")]
            failed: false,
        };
        Self { sender, receiver }
    }

    /// The next message; `None` once the peer has closed. The future may be dropped at any point: nothing is lost.
    ///
    /// # Errors
    ///
    /// [`WebSocketError::Disconnected`] if the peer went without having closed; [`WebSocketError::Refused`] if it
    /// broke the protocol, or passed a limit.
    pub fn receive(&mut self) -> impl Future<Output = Result<Option<Message>, WebSocketError>> + Send + '_ {
        self.receiver.receive()
    }

    /// The next message, text or binary, as JSON; `None` once the peer has closed.
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive); [`WebSocketError::Json`] if it is none, or not what a `T` is made of. The next
    /// message can be received all the same.
    #[cfg(feature = "json")]
    pub async fn receive_json<T: serde_core::de::DeserializeOwned>(
        &mut self,
    ) -> Result<Option<T>, WebSocketError> {
        self.receiver.receive_json().await
    }

    /// The messages, one by one, up to the end of the socket, however it ends.
    ///
    /// ```
    /// # async fn count(mut socket: bakestone::message::WebSocket) -> usize {
    /// let (mut messages, mut bytes) = (socket.iter(), 0);
    /// while let Some(message) = messages.next().await {
    ///     bytes += message.len();
    /// }
    /// # bytes }
    /// ```
    pub fn iter(&mut self) -> Iter<'_> {
        self.receiver.iter()
    }

    /// The messages as JSON, one by one, up to the end of the socket, however it ends.
    #[cfg(feature = "json")]
    pub fn iter_json<T: serde_core::de::DeserializeOwned>(&mut self) -> IterJson<'_, T> {
        self.receiver.iter_json()
    }

    /// Sends `message`: queues all of it once there is room, or, if the future is dropped, nothing.
    ///
    /// Who waits for room goes first: a future that has begun to wait and is kept without being polled stops those of the
    /// other senders of this socket.
    ///
    /// # Errors
    ///
    /// [`WebSocketError::Closed`] after a close of either end, [`WebSocketError::Disconnected`] if the peer is gone,
    /// [`WebSocketError::Overflowed`] by the policy [`Overflow::Close`].
    pub fn send<M: Into<Message>>(
        &mut self,
        message: M,
    ) -> impl Future<Output = Result<(), WebSocketError>> + Send + use<'_, M> {
        self.sender.send(message)
    }

    /// Sends `value` as JSON, in a message of text.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`WebSocketError::Json`] if it cannot be told in JSON.
    #[cfg(feature = "json")]
    pub fn send_json<T: serde_core::Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> impl Future<Output = Result<(), WebSocketError>> + Send + use<'_, T> {
        self.sender.send_json(value)
    }

    /// Closes, once what was sent before has left. What the peer still has to say can be
    /// [received](Self::receive), until it has closed as well.
    ///
    /// # Errors
    ///
    /// [`WebSocketError::CloseNotAllowed`] for a code that may not be sent, or a reason of more than 123 bytes; that
    /// it is closed, or lost, is none.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), WebSocketError> {
        self.sender.close(code, reason)
    }

    /// Whether nothing can be sent any more.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// What the peer closed with: `None` before, and after a close without a code.
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.receiver.close_frame()
    }

    /// The subprotocol that was agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.receiver.protocol()
    }

    /// How many messages were dropped, by the policy [`Overflow::DropOldest`].
    pub fn missed(&self) -> u64 {
        self.sender.missed()
    }

    /// Another hand on the half that sends, for a task of its own.
    pub fn sender(&self) -> WebSocketSender {
        self.sender.clone()
    }

    /// Parts it for two tasks. The socket lives while one of them does. Who only sends drops the receiver: a message that
    /// nobody takes keeps what is behind it unread, the peer's close and its pongs too, and without a receiver there is
    /// none to take.
    pub fn split(self) -> (WebSocketSender, WebSocketReceiver) {
        (self.sender, self.receiver)
    }
}

impl WebSocketSender {
    /// As [`WebSocket::send`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn send<M: Into<Message>>(
        &self,
        message: M,
    ) -> impl Future<Output = Result<(), WebSocketError>> + Send + use<'_, M> {
        Queueing::new(&self.handle.0, Outgoing::Message(message.into()), self.overflow)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }

    /// As [`WebSocket::send_json`].
    ///
    /// # Errors
    ///
    /// The same.
    #[cfg(feature = "json")]
    pub fn send_json<T: serde_core::Serialize + ?Sized>(
        &self,
        value: &T,
    ) -> impl Future<Output = Result<(), WebSocketError>> + Send + use<'_, T> {
        let text = serde_json::to_string(value);
        async move { self.send(text?).await }
    }

    /// As [`WebSocket::close`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), WebSocketError> {
        let frame = CloseFrame::with_reason(code, reason).ok_or(WebSocketError::CloseNotAllowed)?;
        // What is over needs no close.
        let _ = self.handle.0.close(frame);
        Ok(())
    }

    /// As [`WebSocket::missed`].
    pub fn missed(&self) -> u64 {
        self.handle.0.missed()
    }

    /// Whether nothing can be sent any more.
    pub fn is_closed(&self) -> bool {
        self.handle.0.is_closed()
    }
}

impl WebSocketReceiver {
    /// As [`WebSocket::receive`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn receive(&mut self) -> impl Future<Output = Result<Option<Message>, WebSocketError>> + Send + '_ {
        Receive(&self.handle.0)
    }

    /// As [`WebSocket::receive_json`].
    ///
    /// # Errors
    ///
    /// The same.
    #[cfg(feature = "json")]
    pub async fn receive_json<T: serde_core::de::DeserializeOwned>(
        &mut self,
    ) -> Result<Option<T>, WebSocketError> {
        let Some(message) = self.receive().await? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(message.as_bytes())?))
    }

    /// As [`WebSocket::iter`].
    pub fn iter(&mut self) -> Iter<'_> {
        Iter(self)
    }

    /// As [`WebSocket::iter_json`].
    #[cfg(feature = "json")]
    pub fn iter_json<T: serde_core::de::DeserializeOwned>(&mut self) -> IterJson<'_, T> {
        IterJson { receiver: self, value: std::marker::PhantomData }
    }

    /// As [`WebSocket::close_frame`].
    pub fn close_frame(&self) -> Option<CloseFrame> {
        self.handle.0.peer_close()
    }

    /// As [`WebSocket::protocol`].
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }
}

/// The messages up to the end of the socket; an error is told once, and ends it.
#[cfg(feature = "stream")]
impl futures_core::Stream for WebSocketReceiver {
    type Item = Result<Message, WebSocketError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.failed {
            return Poll::Ready(None);
        }
        this.handle.0.poll_receive(cx).map(|received| {
            this.failed = received.is_err();
            received.transpose()
        })
    }
}

/// The messages of a socket, from [`WebSocket::iter`].
#[derive(Debug)]
pub struct Iter<'a>(&'a mut WebSocketReceiver);

impl Iter<'_> {
    /// The next message; `None` once there is none any more.
    #[allow(clippy::should_implement_trait, reason = "there is no trait for it in the language yet")]
    pub async fn next(&mut self) -> Option<Message> {
        self.0.receive().await.ok().flatten()
    }
}

/// The messages of a socket as JSON, from [`WebSocket::iter_json`].
#[cfg(feature = "json")]
#[derive(Debug)]
pub struct IterJson<'a, T> {
    receiver: &'a mut WebSocketReceiver,
    value: std::marker::PhantomData<fn() -> T>,
}

#[cfg(feature = "json")]
impl<T: serde_core::de::DeserializeOwned> IterJson<'_, T> {
    /// The next value; `None` once there is none any more.
    ///
    /// # Errors
    ///
    /// A message is no such value; the next may be one.
    #[allow(clippy::should_implement_trait, reason = "there is no trait for it in the language yet")]
    pub async fn next(&mut self) -> Option<Result<T, serde_json::Error>> {
        let message = self.receiver.receive().await.ok().flatten()?;
        Some(serde_json::from_slice(message.as_bytes()))
    }
}

struct Receive<'a>(&'a Shared);

impl Future for Receive<'_> {
    type Output = Result<Option<Message>, WebSocketError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_receive(cx)
    }
}

/// A message on its way into the queue.
pub(super) struct Queueing<'a> {
    shared: &'a Shared,
    outgoing: Option<Outgoing>,
    overflow: Overflow,
    id: Option<u64>,
}

impl<'a> Queueing<'a> {
    pub(super) fn new(shared: &'a Shared, outgoing: Outgoing, overflow: Overflow) -> Self {
        Self { shared, outgoing: Some(outgoing), overflow, id: None }
    }
}

impl Future for Queueing<'_> {
    type Output = Result<(), WebSocketError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.shared.poll_send(&mut this.outgoing, this.overflow, &mut this.id, cx)
    }
}

impl Drop for Queueing<'_> {
    fn drop(&mut self) {
        self.shared.forget_send(self.id);
    }
}

impl fmt::Debug for WebSocketSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketSender").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl fmt::Debug for WebSocketReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketReceiver").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}
