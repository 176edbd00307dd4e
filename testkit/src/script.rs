//! What a peer does, as data.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bakestone::machine::{Machine, Peer};

use crate::seed::Random;
use crate::transcript::escape;
use crate::wire::Wire;

/// One thing that the peer, the clock or the server does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Op {
    /// The peer sends bytes. They may arrive cut in any way, and glued to the bytes of the next `Feed`.
    Feed(Vec<u8>),
    /// Time passes.
    Advance(Duration),
    /// The peer finishes sending (FIN).
    Finish,
    /// The peer is gone.
    Reset,
    /// The server begins to stop.
    Drain,
    /// The peer reads at most so many bytes. In a script with a `Take` the peer reads nothing without one.
    Take(usize),
}

/// What happens to one connection, in order.
///
/// ```
/// use bakestone_testkit::Script;
/// use std::time::Duration;
///
/// let script = Script::bytes("hello\r\n").advance(Duration::from_secs(3)).feed("again\r\n").finish();
/// assert_eq!(script.ops().len(), 4);
/// ```
#[derive(Clone, Default)]
pub struct Script {
    ops: Vec<Op>,
    encoding: Option<Encoding>,
}

type Encoding = Arc<dyn Fn(u64, u8) -> u8 + Send + Sync>;

impl Script {
    /// Nothing happens.
    pub fn new() -> Self {
        Self::default()
    }

    /// The peer sends `bytes`.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::new().feed(bytes)
    }

    /// Then the peer sends `bytes`.
    #[must_use]
    pub fn feed(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Op::Feed(bytes.as_ref().to_vec()))
    }

    /// Then time passes.
    #[must_use]
    pub fn advance(self, time: Duration) -> Self {
        self.then(Op::Advance(time))
    }

    /// Then the peer finishes sending.
    #[must_use]
    pub fn finish(self) -> Self {
        self.then(Op::Finish)
    }

    /// Then the peer is gone.
    #[must_use]
    pub fn reset(self) -> Self {
        self.then(Op::Reset)
    }

    /// Then the server begins to stop.
    #[must_use]
    pub fn drain(self) -> Self {
        self.then(Op::Drain)
    }

    /// Then the peer reads at most `count` bytes.
    #[must_use]
    pub fn take(self, count: usize) -> Self {
        self.then(Op::Take(count))
    }

    /// Then this.
    #[must_use]
    pub fn then(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }

    /// What happens, with the bytes as they were given.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Maps each byte on its way to the machine, by its position in the stream.
    ///
    /// The laws cut, repeat and mutate the bytes as they were given and map what comes out, so that a machine
    /// behind a cipher is tried as thoroughly as one without.
    ///
    /// ```
    /// use bakestone_testkit::{Script, Xor};
    ///
    /// let script = Script::bytes("hello\r\n").map_bytes(|position, byte| byte ^ Xor::<()>::key(b"secret", position));
    /// ```
    #[must_use]
    pub fn map_bytes(mut self, map: impl Fn(u64, u8) -> u8 + Send + Sync + 'static) -> Self {
        self.encoding = Some(match self.encoding.take() {
            Some(inner) => Arc::new(move |position, byte| map(position, inner(position, byte))),
            None => Arc::new(map),
        });
        self
    }

    /// The same encoding with other ops.
    pub(crate) fn with_ops(&self, ops: Vec<Op>) -> Self {
        Self { ops, encoding: self.encoding.clone() }
    }

    /// All bytes that the peer sends, before they are mapped.
    pub(crate) fn all_bytes(&self) -> Vec<u8> {
        let fed = self.ops.iter().filter_map(|op| match op {
            Op::Feed(bytes) => Some(&bytes[..]),
            _ => None,
        });
        fed.collect::<Vec<_>>().concat()
    }

    /// Whether the peer reads only when the script says so.
    pub(crate) fn has_takes(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Take(_)))
    }

    /// The bytes as they reach the machine, the first of them being at `position` of the stream.
    pub(crate) fn encode<'a>(&self, position: u64, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match &self.encoding {
            None => Cow::Borrowed(bytes),
            Some(map) => (position..).zip(bytes).map(|(position, byte)| map(position, *byte)).collect(),
        }
    }

    /// Adjacent feeds made one: what the network could have glued together.
    pub(crate) fn joined(&self) -> Self {
        let mut ops: Vec<Op> = Vec::new();
        for op in &self.ops {
            match (op, ops.last_mut()) {
                (Op::Feed(more), Some(Op::Feed(bytes))) => bytes.extend_from_slice(more),
                _ => ops.push(op.clone()),
            }
        }
        self.with_ops(ops)
    }

    /// Each feed cut byte by byte, or in pieces of equal length so that there are at most `most` of each.
    pub(crate) fn in_pieces(&self, most: usize) -> Self {
        let pieces = self.ops.iter().flat_map(|op| match op {
            Op::Feed(bytes) if !bytes.is_empty() => {
                let size = bytes.len().div_ceil(most);
                bytes.chunks(size).map(|piece| Op::Feed(piece.to_vec())).collect()
            }
            op => vec![op.clone()],
        });
        self.with_ops(pieces.collect())
    }

    /// The op at `index` replaced by these pieces of it.
    pub(crate) fn with_cut(&self, index: usize, pieces: &[&[u8]]) -> Self {
        let pieces = pieces.iter().map(|piece| Op::Feed(piece.to_vec()));
        let mut ops = self.ops.clone();
        ops.splice(index..=index, pieces);
        self.with_ops(ops)
    }

    /// The first `count` ops.
    pub(crate) fn prefix(&self, count: usize) -> Self {
        self.with_ops(self.ops[..count].to_vec())
    }

    /// Performs everything on `wire`, calling `rest` whenever the machine came to rest after an op.
    pub(crate) fn play<M: Machine, E>(
        &self,
        wire: &mut Wire<M>,
        mut rest: impl FnMut(&mut Wire<M>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut position = 0;
        for op in &self.ops {
            self.perform(op, wire, &mut position);
            rest(wire)?;
        }
        Ok(())
    }

    /// Performs one op; bytes after the end of the peer's sending are lost, as they are for any driver.
    pub(crate) fn perform<M: Machine>(&self, op: &Op, wire: &mut Wire<M>, position: &mut u64) {
        match op {
            Op::Feed(bytes) => {
                if wire.io().peer == Peer::Open {
                    wire.feed(self.encode(*position, bytes));
                }
                *position += bytes.len() as u64;
            }
            Op::Advance(time) => {
                wire.advance(*time);
            }
            Op::Finish => {
                wire.finish();
            }
            Op::Reset => {
                wire.reset();
            }
            Op::Drain => {
                wire.drain();
            }
            Op::Take(count) => drop(wire.take_at_most(*count)),
        }
    }

    /// This script with one to four seeded faults in its bytes, cut at random, and with things happening at
    /// random places.
    pub(crate) fn mutated(&self, random: &mut Random) -> Self {
        let mut bytes = self.all_bytes();
        for _ in 0..=random.below(4) {
            mutate(&mut bytes, random);
        }
        let mut ops = Vec::new();
        let longest = 1 + random.below(bytes.len().max(1));
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((1 + random.below(longest)).min(rest.len()));
            ops.push(Op::Feed(piece.to_vec()));
            if random.below(4) == 0 {
                ops.push(happening(random));
            }
            rest = after;
        }
        ops.push(happening(random));
        self.with_ops(ops)
    }
}

fn happening(random: &mut Random) -> Op {
    match random.below(8) {
        0 => Op::Reset,
        1 => Op::Finish,
        2 => Op::Drain,
        3 => Op::Take(random.below(100)),
        4 => Op::Advance(Duration::from_millis(random.below(100_000) as u64)),
        _ => Op::Advance(Duration::from_nanos(random.next() >> 24)),
    }
}

/// One fault: a flipped bit, another byte, a deletion, a repetition, a truncation or a splice.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return bytes.push(random.next() as u8);
    }
    let at = random.below(bytes.len());
    let to = (at + 1 + random.below(16)).min(bytes.len());
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = *b"\0\r\n \t:;,=\"\\/%+-0189afAZ\x7f\x80\xff".get(random.below(26)).unwrap_or(&0),
        2 => drop(bytes.drain(at..to)),
        3 => drop(bytes.splice(at..at, bytes[at..to].to_vec())),
        4 => bytes.truncate(at),
        5 => bytes.insert(at, random.next() as u8),
        _ => {
            let from = random.below(bytes.len());
            let piece = bytes[from..(from + to - at).min(bytes.len())].to_vec();
            drop(bytes.splice(at..to, piece));
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for op in &self.ops {
            match op {
                Op::Feed(bytes) if bytes.len() > 4096 => writeln!(f, "feed {} bytes", bytes.len())?,
                Op::Feed(bytes) => writeln!(f, "feed {}", escape(bytes).trim_end().replace('\n', "\n     "))?,
                Op::Advance(time) => writeln!(f, "advance {time:?}")?,
                Op::Finish => writeln!(f, "finish")?,
                Op::Reset => writeln!(f, "reset")?,
                Op::Drain => writeln!(f, "drain")?,
                Op::Take(count) => writeln!(f, "take {count}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("ops", &self.ops).field("mapped", &self.encoding.is_some()).finish()
    }
}

impl From<&[u8]> for Script {
    fn from(bytes: &[u8]) -> Self {
        Self::bytes(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Script {
    fn from(bytes: &[u8; N]) -> Self {
        Self::bytes(bytes)
    }
}

impl From<&str> for Script {
    fn from(text: &str) -> Self {
        Self::bytes(text)
    }
}

impl From<&Script> for Script {
    fn from(script: &Script) -> Self {
        script.clone()
    }
}
