//! A machine behind a cipher that hides nothing.

use std::task::Context;

use bakestone::machine::{Io, Machine, Now, Wants};

use super::layer::{Coat, Layer};

/// A machine whose bytes are XORed with a key on both ways: what TLS is to a machine, without TLS.
///
/// It shows that a machine can be wrapped: peer, drain, connection, effects and backpressure pass through.
/// The key is repeated; the stream in and the stream out have the same one, each from its own beginning.
///
/// ```
/// # use bakestone::machine::{Io, Machine, Now, Phase, Read, Wants};
/// # struct Echo;
/// # impl Machine for Echo {
/// #     fn step(&mut self, _: Now, io: &mut Io, _: &mut std::task::Context<'_>) -> Wants {
/// #         let bytes = io.input.split();
/// #         io.output.extend_from_slice(&bytes);
/// #         Wants { read: Read::Need, wake_at: None, phase: Phase::Open }
/// #     }
/// # }
/// use bakestone_testkit::{Wire, Xor};
///
/// let mut wire = Wire::new(Xor::new(Echo, b"key"));
/// let secret = Xor::<()>::apply(b"key", 0, b"hello");
/// assert_ne!(secret, b"hello");
/// wire.feed(&secret).expect(&secret);
/// ```
#[derive(Debug)]
pub struct Xor<M> {
    layer: Layer<M>,
    keys: Keys,
}

#[derive(Debug)]
struct Keys {
    key: Vec<u8>,
    inward: u64,
    outward: u64,
}

impl<M> Xor<M> {
    /// Puts `inner` behind `key`; an empty one changes nothing.
    pub fn new(inner: M, key: impl AsRef<[u8]>) -> Self {
        let keys = Keys { key: key.as_ref().to_vec(), inward: 0, outward: 0 };
        Self { layer: Layer::new(inner), keys }
    }

    /// The key of the byte at `position` of either stream.
    pub fn key(key: &[u8], position: u64) -> u8 {
        match key.len() as u64 {
            0 => 0,
            length => key[(position % length) as usize],
        }
    }

    /// `bytes`, of which the first is at `position` of its stream, encoded; or decoded, which is the same.
    pub fn apply(key: &[u8], position: u64, bytes: &[u8]) -> Vec<u8> {
        (position..).zip(bytes).map(|(position, byte)| byte ^ Self::key(key, position)).collect()
    }

    /// The machine inside.
    pub fn inner(&self) -> &M {
        &self.layer.inner
    }

    /// The machine inside, to change by hand.
    pub fn inner_mut(&mut self) -> &mut M {
        &mut self.layer.inner
    }
}

impl<M: Machine> Machine for Xor<M> {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        self.layer.step(&mut self.keys, now, io, cx)
    }
}

fn apply(key: &[u8], position: &mut u64, bytes: &mut [u8]) {
    for byte in bytes {
        *byte ^= Xor::<()>::key(key, *position);
        *position += 1;
    }
}

impl Coat for Keys {
    fn inward(&mut self, bytes: &mut [u8]) {
        apply(&self.key, &mut self.inward, bytes);
    }

    fn outward(&mut self, bytes: &mut [u8]) {
        apply(&self.key, &mut self.outward, bytes);
    }
}
