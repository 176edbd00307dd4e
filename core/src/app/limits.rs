//! What a route, a mount or an application changes of the session's limits.
//!
//! The rule: they are data on the route, which [`AppService::routes`](super::AppService::routes) lists; the
//! innermost that says something about a limit is heard.

use std::fmt;
use std::time::Duration;

#[cfg(doc)]
use crate::limits::Limits;
use crate::message::{Context, OnDisconnect};

/// Limits in place of the session's, for some routes. What is `None` is left to whoever is around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteLimits {
    /// In place of [`Limits::buffered_body_bytes`].
    pub buffered_body_bytes: Option<usize>,
    /// In place of [`Limits::form_bytes`].
    pub form_bytes: Option<u64>,
    /// In place of [`Limits::handler_time`]; `Some(None)` is without end.
    pub handler_time: Option<Option<Duration>>,
    /// What happens to the handler when its client is gone.
    pub on_disconnect: Option<OnDisconnect>,
}

impl RouteLimits {
    /// These limits, and those of `outer` where these say nothing.
    pub(super) fn within(self, outer: Self) -> Self {
        Self {
            buffered_body_bytes: self.buffered_body_bytes.or(outer.buffered_body_bytes),
            form_bytes: self.form_bytes.or(outer.form_bytes),
            handler_time: self.handler_time.or(outer.handler_time),
            on_disconnect: self.on_disconnect.or(outer.on_disconnect),
        }
    }

    /// Puts the request of `context` under these limits.
    pub(super) fn apply(&self, context: &Context) {
        let Some(exchange) = context.exchange() else { return };
        if let Some(bytes) = self.buffered_body_bytes {
            exchange.set_buffered_body_bytes(bytes);
        }
        if let Some(bytes) = self.form_bytes {
            exchange.set_form_bytes(bytes);
        }
        if let Some(time) = self.handler_time {
            exchange.set_handler_time(time);
        }
        if let Some(policy) = self.on_disconnect {
            exchange.set_on_disconnect(policy);
        }
    }
}

impl fmt::Display for RouteLimits {
    /// Those that are changed, with a comma between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = [
            self.buffered_body_bytes.map(|bytes| format!("buffered_body_bytes {bytes}")),
            self.form_bytes.map(|bytes| format!("form_bytes {bytes}")),
            self.handler_time.map(|time| match time {
                Some(time) => format!("handler_time {time:?}"),
                None => "handler_time without end".to_owned(),
            }),
            self.on_disconnect.map(|policy| format!("on_disconnect {policy:?}")),
        ];
        f.write_str(&limits.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Gives a builder with a field `limits` the methods that set them.
macro_rules! limit_setters {
    ($what:literal) => {
        #[doc = concat!("Bounds the bodies that ", $what, " buffers whole (`bytes`, `text`, `json`), in bytes; past it 413.")]
        pub fn buffered_body_bytes(mut self, bytes: usize) -> Self {
            self.limits.buffered_body_bytes = Some(bytes);
            self
        }

        #[doc = concat!("Bounds the forms of several parts that ", $what, " reads, files and all, in bytes; past it 413.")]
        pub fn form_bytes(mut self, bytes: u64) -> Self {
            self.limits.form_bytes = Some(bytes);
            self
        }

        #[doc = concat!("Bounds the time from the head's end to the response of ", $what, "; past it 503. `None` is without end.")]
        pub fn handler_time(mut self, time: impl Into<Option<std::time::Duration>>) -> Self {
            self.limits.handler_time = Some(time.into());
            self
        }

        #[doc = concat!("Says what happens to the handler of ", $what, " when its client is gone.")]
        pub fn on_disconnect(mut self, policy: crate::message::OnDisconnect) -> Self {
            self.limits.on_disconnect = Some(policy);
            self
        }
    };
}
pub(super) use limit_setters;
