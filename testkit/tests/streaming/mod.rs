//! Streams to make bodies and events of, and what becomes of them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bakestone::message::Sleep;
use futures_core::Stream;

/// These items, one after the other.
pub(crate) struct Items<T>(pub(crate) std::vec::IntoIter<T>);

impl<T> Unpin for Items<T> {}

impl<T> Stream for Items<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(self.0.next())
    }
}

/// A stream of these items.
pub(crate) fn items<T>(items: impl IntoIterator<Item = T>) -> Items<T> {
    Items(items.into_iter().collect::<Vec<_>>().into_iter())
}

/// This item, and then nothing until a sleep is over.
pub(crate) struct Then<T> {
    pub(crate) first: Option<T>,
    pub(crate) sleep: Sleep,
    pub(crate) _canary: Canary,
}

impl<T> Unpin for Then<T> {}

impl<T> Stream for Then<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => Pin::new(&mut self.sleep).poll(cx).map(|()| None),
        }
    }
}

/// Tells that it was dropped.
#[derive(Clone, Default)]
pub(crate) struct Cage(Arc<AtomicBool>);

/// Is dropped with what holds it.
pub(crate) struct Canary(Cage);

impl Cage {
    pub(crate) fn canary(&self) -> Canary {
        Canary(self.clone())
    }

    /// Whether the canary was dropped.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}
