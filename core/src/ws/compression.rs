//! Compressed messages on a connection: who keeps the windows, and when they are forgotten.
//!
//! The rule: a window that outlives its message belongs to the connection; any other is lent, so that a thread needs one
//! for all the connections that it drives. Without the feature `permessage-deflate` there is no compression to hold, and
//! all that follows of it is never reached.

pub(super) use imp::Compression;

#[cfg(feature = "permessage-deflate")]
use super::deflate::{Deflater, Inflater};

/// An inflater and a deflater that connections borrow for the time of a message, from whoever drives them.
///
/// Only connections that agreed to keep no window between messages borrow them ([`Conn::lend`](super::Conn::lend)).
#[derive(Debug, Default)]
pub struct Codecs {
    #[cfg(feature = "permessage-deflate")]
    inflater: Option<Box<Inflater>>,
    #[cfg(feature = "permessage-deflate")]
    deflater: Option<Box<Deflater>>,
}

#[cfg(feature = "permessage-deflate")]
mod imp {
    use bytes::BytesMut;

    use super::Codecs;
    use crate::ws::conn::Role;
    use crate::ws::deflate::{Deflater, InflateError, Inflater};
    use crate::ws::error::Reason;
    use crate::ws::extension::DeflateParams;

    /// The window that a lent deflater has: the largest, which is what most connections agree on.
    const LENT_WINDOW_BITS: u8 = 15;

    /// About what an inflater holds, in bytes.
    const INFLATER_BYTES: usize = 47 << 10;

    /// What both ends agreed on, seen from this one.
    #[derive(Debug)]
    pub(in crate::ws) struct Compression {
        keeps_inflater: bool,
        keeps_deflater: bool,
        window_bits: u8,
        level: u8,
        inflater: Option<Box<Inflater>>,
        deflater: Option<Box<Deflater>>,
        /// A message is being inflated.
        is_inflating: bool,
    }

    impl Compression {
        pub(in crate::ws) fn new(role: Role, agreed: Option<DeflateParams>, level: u8) -> Option<Self> {
            let agreed = agreed?;
            let server = (!agreed.server_no_context_takeover, agreed.server_max_window_bits);
            let client = (!agreed.client_no_context_takeover, agreed.client_max_window_bits);
            let (own, peer) = match role {
                Role::Server => (server, client),
                Role::Client { .. } => (client, server),
            };
            Some(Self {
                keeps_inflater: peer.0,
                keeps_deflater: own.0,
                window_bits: own.1,
                level,
                inflater: None,
                deflater: None,
                is_inflating: false,
            })
        }

        fn may_borrow_deflater(&self) -> bool {
            !self.keeps_deflater && self.window_bits == LENT_WINDOW_BITS
        }

        pub(in crate::ws) fn lend(&mut self, codecs: &mut Codecs) {
            if !self.keeps_inflater && self.inflater.is_none() {
                self.inflater = codecs.inflater.take();
            }
            if self.may_borrow_deflater() && self.deflater.is_none() {
                self.deflater = codecs.deflater.take();
            }
        }

        pub(in crate::ws) fn give_back(&mut self, codecs: &mut Codecs) {
            if !self.keeps_inflater && !self.is_inflating {
                codecs.inflater = self.inflater.take().or(codecs.inflater.take());
            }
            if self.may_borrow_deflater() {
                codecs.deflater = self.deflater.take().or(codecs.deflater.take());
            }
        }

        /// Puts what the next bytes of a message hold behind `out`, and with `is_last` what is left of it.
        pub(in crate::ws) fn inflate(
            &mut self,
            piece: &[u8],
            is_last: bool,
            out: &mut BytesMut,
            most: usize,
        ) -> Result<(), Reason> {
            self.is_inflating = true;
            let inflater = self.inflater.get_or_insert_default();
            let mut result = inflater.inflate(piece, out, most);
            if is_last && result.is_ok() {
                result = inflater.finish(out, most);
                self.end_inflating();
            }
            result.map_err(|error| match error {
                InflateError::TooLong => Reason::MessageTooBig,
                InflateError::Corrupt => Reason::CorruptDeflate,
            })
        }

        fn end_inflating(&mut self) {
            self.is_inflating = false;
            if !self.keeps_inflater {
                self.inflater.iter_mut().for_each(|inflater| inflater.reset());
            }
        }

        /// Nothing more is received.
        pub(in crate::ws) fn stop_inflating(&mut self) {
            self.keeps_inflater = false;
            self.end_inflating();
        }

        /// A message in its compressed form; `None` if that is no shorter and need not be sent.
        pub(in crate::ws) fn deflate(&mut self, payload: &[u8]) -> Option<BytesMut> {
            let window_bits = self.window_bits;
            let deflater = self.deflater.get_or_insert_with(|| Box::new(Deflater::new(window_bits)));
            deflater.set_level(self.level);
            let mut compressed = BytesMut::new();
            deflater.deflate(payload, &mut compressed);
            if self.keeps_deflater {
                // The peer has to see what the next message may refer to.
                return Some(compressed);
            }
            deflater.reset();
            Some(compressed).filter(|compressed| compressed.len() < payload.len())
        }

        /// Whether a message may be sent as it was compressed for others.
        pub(in crate::ws) fn takes_prepared(&self) -> bool {
            self.may_borrow_deflater()
        }

        /// Bytes of memory that a message which is not complete holds.
        pub(in crate::ws) fn buffered(&self) -> usize {
            if self.is_inflating { INFLATER_BYTES } else { 0 }
        }
    }
}

#[cfg(not(feature = "permessage-deflate"))]
mod imp {
    use bytes::BytesMut;

    use super::Codecs;
    use crate::ws::conn::Role;
    use crate::ws::error::Reason;
    use crate::ws::extension::DeflateParams;

    /// There is none.
    #[derive(Debug)]
    pub(in crate::ws) enum Compression {}

    impl Compression {
        pub(in crate::ws) fn new(_: Role, _: Option<DeflateParams>, _: u8) -> Option<Self> {
            None
        }

        pub(in crate::ws) fn lend(&mut self, _: &mut Codecs) {
            match *self {}
        }

        pub(in crate::ws) fn give_back(&mut self, _: &mut Codecs) {
            match *self {}
        }

        pub(in crate::ws) fn inflate(
            &mut self,
            _: &[u8],
            _: bool,
            _: &mut BytesMut,
            _: usize,
        ) -> Result<(), Reason> {
            match *self {}
        }

        pub(in crate::ws) fn stop_inflating(&mut self) {
            match *self {}
        }

        pub(in crate::ws) fn deflate(&mut self, _: &[u8]) -> Option<BytesMut> {
            match *self {}
        }

        pub(in crate::ws) fn takes_prepared(&self) -> bool {
            match *self {}
        }

        pub(in crate::ws) fn buffered(&self) -> usize {
            match *self {}
        }
    }
}
