//! What every wrapper does: drives the machine inside as a driver would, and tells the one outside so.

use std::io::IoSlice;
use std::task::Context;

use bakestone::machine::{Io, Machine, Now, Peer, Phase, Read, Wants};
use bytes::{Buf, Bytes};

/// Output that waits outside before more is copied from inside.
const MARK: usize = 16 << 10;

/// Input given to the inner machine at a time.
const PIECE: usize = 16 << 10;

/// Turns of one step; with [`PIECE`] they bound its work.
const TURNS: usize = 8;

/// What a wrapper makes of what passes through it.
pub(super) trait Coat {
    /// Bytes on their way in.
    fn inward(&mut self, bytes: &mut [u8]);
    /// Bytes on their way out.
    fn outward(&mut self, bytes: &mut [u8]);
}

/// An inner machine and its own `Io`.
#[derive(Debug)]
pub(super) struct Layer<M> {
    pub(super) inner: M,
    io: Io,
    wants: Wants,
    /// The worst phase that was told outside so far.
    phase: Phase,
    /// Inner output that waits outside. It stays inside as well until it is taken outside, so that the inner
    /// machine's own mark and its write deadline hold for the peer, and not for this layer.
    copied: usize,
    /// What had been taken outside when that was last looked at.
    taken: u64,
}

impl<M> Layer<M> {
    pub(super) fn new(inner: M) -> Self {
        let wants = Wants { read: Read::Need, wake_at: None, phase: Phase::Open };
        Self { inner, io: Io::default(), wants, phase: Phase::Open, copied: 0, taken: 0 }
    }
}

impl<M: Machine> Layer<M> {
    pub(super) fn step(
        &mut self,
        coat: &mut impl Coat,
        now: Now,
        io: &mut Io,
        cx: &mut Context<'_>,
    ) -> Wants {
        if self.phase == Phase::Done {
            return Wants::DONE;
        }
        if self.io.connection != io.connection {
            self.io.connection = io.connection.clone();
        }
        self.io.drain |= io.drain;
        self.free(io);
        // The first turn needs no cause: the outer driver had one that may be meant for the inner machine.
        let mut cause = true;
        for _ in 0..TURNS {
            cause |= self.pass_in(coat, io);
            if cause && self.wants.phase != Phase::Done {
                self.wants = self.inner.step(now, &mut self.io, cx);
                io.effects.append(&mut self.io.effects);
            }
            // Dropped output is a cause that nobody outside can know of.
            cause = self.pass_out(coat, io);
            if !cause && !self.can_pass_in(io) {
                return self.outer_wants(io, false);
            }
        }
        cx.waker().wake_by_ref();
        self.outer_wants(io, true)
    }

    /// Whether the inner machine is to be told of bytes or of another peer: of bytes while it wants to read,
    /// of a FIN behind them, and of a peer that is gone at once.
    fn can_pass_in(&self, io: &Io) -> bool {
        let reads = self.wants.read > Read::Pause && io.peer != Peer::Gone;
        let tells = io.peer > self.io.peer && (io.input.is_empty() || io.peer == Peer::Gone);
        self.wants.phase != Phase::Done && (tells || reads && !io.input.is_empty())
    }

    fn pass_in(&mut self, coat: &mut impl Coat, io: &mut Io) -> bool {
        if !self.can_pass_in(io) {
            return false;
        }
        if io.peer == Peer::Gone || io.input.is_empty() {
            self.io.peer = io.peer;
        } else {
            let mut piece = io.input.split_to(io.input.len().min(PIECE));
            coat.inward(&mut piece);
            self.io.input.extend_from_slice(&piece);
        }
        true
    }

    /// Frees inside what was taken outside.
    fn free(&mut self, io: &Io) {
        let taken = (io.output.taken() - self.taken) as usize;
        self.taken = io.output.taken();
        let taken = taken.min(self.copied);
        self.copied -= taken;
        // The inner machine may have dropped what it no longer wants to send.
        self.io.output.advance(taken.min(self.io.output.remaining()));
    }

    /// Copies inner output up to the mark; whether inner output was dropped.
    fn pass_out(&mut self, coat: &mut impl Coat, io: &mut Io) -> bool {
        if self.io.peer == Peer::Gone || self.wants.phase == Phase::Abort {
            // Nobody will read it; and an inner machine that ends must not wait for it to be read.
            let dropped = !self.io.output.is_empty();
            self.io.output.clear();
            self.copied = 0;
            return dropped;
        }
        let room = (MARK as u64).saturating_sub(io.output.len()) as usize;
        let mut bytes = self.peek(room);
        self.copied += bytes.len();
        if !bytes.is_empty() {
            coat.outward(&mut bytes);
            io.output.push(Bytes::from(bytes));
        }
        false
    }

    /// At most `count` bytes of inner output behind those that were copied already.
    fn peek(&self, count: usize) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let filled = self.io.output.chunks_vectored(&mut slices);
        let (mut before, mut bytes) = (self.copied, Vec::new());
        for slice in &slices[..filled] {
            let new = &slice[before.min(slice.len())..];
            before -= slice.len() - new.len();
            bytes.extend_from_slice(&new[..new.len().min(count - bytes.len())]);
        }
        bytes
    }

    /// What the inner machine wants, as far as it may be said outside already.
    ///
    /// A driver sends a FIN when its output is empty and we linger, so `Lingering` is not said while more
    /// output is still to be copied; and `Done` is not said while output waits outside.
    fn outer_wants(&mut self, io: &Io, unfinished: bool) -> Wants {
        let phase = match self.wants.phase {
            Phase::Lingering if self.io.output.remaining() > self.copied => Phase::Open,
            Phase::Done if !io.output.is_empty() && io.peer != Peer::Gone => Phase::Open,
            phase => phase,
        };
        self.phase = self.phase.max(phase);
        if self.phase == Phase::Done {
            return Wants::DONE;
        }
        let read = match self.wants.read {
            // There is more to do before more is read.
            _ if unfinished => Read::Pause,
            read => read,
        };
        let wake_at = self.wants.wake_at.filter(|_| self.wants.phase != Phase::Done);
        Wants { read, wake_at, phase: self.phase }
    }
}
