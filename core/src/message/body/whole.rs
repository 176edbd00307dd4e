//! A body read whole.
//!
//! The rule: who did not get the whole has taken nothing; and what was read goes back to the front, before what has come
//! meanwhile.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::{Body, BodyStream, Ended, Inner, Progress};
use crate::error::{BoxError, LimitExceeded};
use crate::message::BodyError;

impl Body {
    /// The whole body, at most `limit` bytes.
    ///
    /// The future may be dropped at any point, and may fail: what had been read is there again for the next one
    /// who reads.
    ///
    /// # Errors
    ///
    /// [`BodyError::LimitExceeded`], which becomes 413, as soon as the body is known to be longer: for a
    /// declared length at once, before the client is asked to send it. [`BodyError::AlreadyConsumed`] if some of
    /// it, or all, was read before.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        let exceeded = |seen: u64| {
            BodyError::LimitExceeded(LimitExceeded::new("buffered_body_bytes", limit as u64, seen))
        };
        if self.is_consumed() {
            return Err(BodyError::AlreadyConsumed);
        }
        if let Some(length) = self.length().filter(|&length| length > limit as u64) {
            return Err(exceeded(length));
        }
        let mut gathered = Gathered { body: self, first: Bytes::new(), more: BytesMut::new() };
        while let Some(chunk) = gathered.body.chunk().await? {
            let seen = gathered.add(chunk);
            if seen > limit {
                // How much had come by then is the network's affair, and not the client's.
                return Err(exceeded(limit as u64 + 1));
            }
        }
        Ok(gathered.take())
    }

    /// Lets what was read from the start be read again. Its trailer fields stay.
    pub(crate) fn put_back(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        match &mut self.0 {
            Inner::Incoming(incoming) => incoming.put_back(bytes),
            Inner::Stream(_) => {
                if let Inner::Stream(rest) = std::mem::take(&mut self.0) {
                    let rest = rest.into_inner();
                    *self = Self::from_stream(Again { first: Some(bytes), rest: Some(rest), trailers: None });
                }
            }
            Inner::Ended(Ended { trailers: trailers @ Some(_), .. }) => {
                let trailers = trailers.take();
                *self = Self::from_stream(Again { first: Some(bytes), rest: None, trailers });
            }
            Inner::Empty | Inner::Ended(_) => self.0 = Inner::Bytes(bytes),
            Inner::Bytes(_) | Inner::Owned(_) | Inner::Sent => {}
        }
    }

    /// The whole body, if it is there and nothing of it was read.
    pub(crate) fn kept(&self) -> Option<Bytes> {
        match &self.0 {
            Inner::Bytes(bytes) => Some(bytes.clone()),
            Inner::Incoming(incoming) if incoming.progress == Progress::Untouched => {
                let whole = incoming.exchange.whole_chunk()?;
                incoming.left.is_none_or(|left| left == whole.len() as u64).then_some(whole)
            }
            _ => None,
        }
    }

    /// Takes it out: whoever reads what is left here is told so.
    pub(crate) fn take(&mut self) -> Self {
        match self.0 {
            Inner::Empty => Self::empty(),
            _ => std::mem::replace(self, Self(Inner::Ended(Ended::told()))),
        }
    }

    /// Lets the end that was told just now be told again.
    pub(crate) fn tell_end_again(&mut self) {
        match &mut self.0 {
            Inner::Incoming(incoming) if incoming.progress == Progress::Over => {
                incoming.progress = Progress::Begun;
            }
            _ => {}
        }
    }
}

/// What [`Body::bytes`] has read so far; unless it is taken, it goes back.
struct Gathered<'a> {
    body: &'a mut Body,
    /// Most bodies are a single piece, and that is not copied.
    first: Bytes,
    more: BytesMut,
}

impl Gathered<'_> {
    /// How many bytes there are now.
    fn add(&mut self, chunk: Bytes) -> usize {
        if self.first.is_empty() && self.more.is_empty() {
            self.first = chunk;
        } else {
            let first = std::mem::take(&mut self.first);
            self.more.extend_from_slice(&first);
            self.more.extend_from_slice(&chunk);
        }
        self.first.len() + self.more.len()
    }

    fn take(&mut self) -> Bytes {
        match self.more.is_empty() {
            true => std::mem::take(&mut self.first),
            false => std::mem::take(&mut self.more).freeze(),
        }
    }
}

impl Drop for Gathered<'_> {
    fn drop(&mut self) {
        let bytes = self.take();
        self.body.put_back(bytes);
    }
}

/// A stream whose beginning was read, and is to be read again.
struct Again {
    first: Option<Bytes>,
    rest: Option<Pin<Box<dyn BodyStream + Send>>>,
    trailers: Option<Box<HeaderMap>>,
}

impl BodyStream for Again {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        self.rest.as_mut().map_or(Poll::Ready(None), |rest| rest.as_mut().poll_chunk(cx))
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        let own = self.trailers.take().map(|trailers| *trailers);
        own.or_else(|| self.rest.as_mut()?.as_mut().trailers())
    }
}
