//! A body that arrives piece by piece, and how a parser that waits for it is driven without a runtime.
//!
//! The rule: a piece a poll, as a socket gives them. A body that were always ready would be taken whole into memory by
//! a parser that reads until nothing is there.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;

/// The pieces of a body, with errors of the type that a parser wants, of which there are none.
#[derive(Debug)]
pub struct Arrival<E = Infallible> {
    pieces: std::vec::IntoIter<Bytes>,
    is_there: bool,
    error: PhantomData<fn() -> E>,
}

impl<E> Arrival<E> {
    /// All these pieces, in order.
    pub fn new(pieces: Vec<Bytes>) -> Self {
        Self { pieces: pieces.into_iter(), is_there: true, error: PhantomData }
    }
}

impl<E> Stream for Arrival<E> {
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.is_there = !self.is_there;
        if self.is_there {
            return Poll::Pending;
        }
        Poll::Ready(self.pieces.next().map(Ok))
    }
}

/// Polls until the future is ready. Nobody wakes it: what it waits for is there at the next poll.
pub fn drive<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
