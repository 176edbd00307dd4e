//! Futures that are polled once and dropped.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls `future` once and drops it; what it gave, if it was ready.
pub(crate) async fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}
