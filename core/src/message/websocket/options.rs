//! What a WebSocket is accepted with.
//!
//! The rule: each option has the default that a server on the open net wants; those that are limits begin as the
//! session's.

use std::time::Duration;

use crate::limits::Limits;
use crate::message::Overflow;
use crate::ws::{Config, DeflateOptions, OriginPolicy};

/// How a WebSocket behaves.
///
/// ```
/// use bakestone::message::{WebSocketOptions, WebSocketUpgrade};
/// use bakestone::ws::OriginPolicy;
/// use bakestone::Result;
///
/// async fn feed(mut upgrade: WebSocketUpgrade) -> Result<()> {
///     upgrade.options_mut().origin = OriginPolicy::Any;
///     upgrade.options_mut().message_bytes = 64 << 10;
///     let mut socket = upgrade.accept().await?;
///     socket.send("hello").await?;
///     Ok(())
/// }
/// # let _ = bakestone::get(feed);
/// # let _: Option<WebSocketOptions> = None;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebSocketOptions {
    /// Bytes of a message, inflated; past it the socket is closed with 1009. [`Limits::websocket_message_bytes`].
    pub message_bytes: usize,
    /// Bytes of a frame's payload, as it is sent; past it the same. [`Limits::websocket_frame_bytes`].
    pub frame_bytes: usize,
    /// Bytes that may wait to be sent, beside those on their way. [`Limits::websocket_queue_bytes`].
    pub queue_bytes: usize,
    /// What happens where that is full: [`Wait`](Overflow::Wait) by default; [`Close`](Overflow::Close) closes with
    /// 1013.
    pub overflow: Overflow,
    /// From one ping to the next, at least 10 ms; without it none is sent. [`Limits::websocket_ping_time`].
    pub ping_time: Option<Duration>,
    /// From a ping to anything that the peer sends; past it the peer is lost. [`Limits::websocket_pong_time`].
    pub pong_time: Duration,
    /// From our close to the peer's; past it the connection is closed without. It is also the time that a handler has
    /// to end once its socket has, unless its route has a `handler_time` or it has another
    /// [policy](crate::Context::on_disconnect) than to be cancelled. [`Limits::websocket_close_time`].
    pub close_time: Duration,
    /// Which pages may open it: those of the same origin, and what is no browser.
    pub origin: OriginPolicy,
    /// Compression: accepted where the client offers it; without the feature `permessage-deflate` never.
    pub deflate: DeflateOptions,
    /// Messages of fewer bytes are not compressed. 128.
    pub compress_from: usize,
}

impl WebSocketOptions {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            message_bytes: limits.websocket_message_bytes,
            frame_bytes: limits.websocket_frame_bytes,
            queue_bytes: limits.websocket_queue_bytes,
            overflow: Overflow::Wait,
            ping_time: limits.websocket_ping_time,
            pong_time: limits.websocket_pong_time,
            close_time: limits.websocket_close_time,
            origin: OriginPolicy::default(),
            deflate: DeflateOptions::default(),
            compress_from: 128,
        }
    }

    /// The part of it that is the codec's; compression is still to be agreed on.
    pub(super) fn config(&self) -> Config {
        let mut config = Config::default();
        (config.message_bytes, config.frame_bytes) = (self.message_bytes, self.frame_bytes);
        (config.compress_from, config.compression_level) = (self.compress_from, self.deflate.level);
        config
    }
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}
