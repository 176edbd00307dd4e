//! A machine that is written down as it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use bakestone::machine::{Io, Machine, Moment, Now, Peer, Wants};

use super::layer::{Coat, Layer};
use crate::transcript::{Event, Transcript};

/// A machine over a machine that notes what goes in and what comes out, with times, and is otherwise
/// transparent.
///
/// The inner machine is never given file segments to write. Times are those of the driver's monotonic clock.
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
/// use bakestone_testkit::{Recorder, Wire};
///
/// let recorder = Recorder::new(Echo);
/// let log = recorder.log();
/// Wire::new(recorder).feed("hi").expect("hi");
/// assert_eq!(log.lock().unwrap().to_string(), "@ 1000s\n> hi\n< hi\n");
/// ```
#[derive(Debug)]
pub struct Recorder<M> {
    layer: Layer<M>,
    log: Log,
}

#[derive(Debug)]
struct Log(Arc<Mutex<Transcript>>);

impl<M> Recorder<M> {
    /// Records what passes to and from `inner`.
    pub fn new(inner: M) -> Self {
        Self { layer: Layer::new(inner), log: Log(Arc::new(Mutex::new(Transcript::new(Moment::ZERO)))) }
    }

    /// The record so far, to be read while the machine goes on and after it is gone.
    pub fn log(&self) -> Arc<Mutex<Transcript>> {
        self.log.0.clone()
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

impl<M: Machine> Machine for Recorder<M> {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        self.layer.step(&mut self.log, now, io, cx)
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Transcript> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Coat for Log {
    fn inward(&mut self, now: Now, bytes: &mut [u8]) {
        self.lock().push(now.mono, Event::Fed(bytes.to_vec()));
    }

    fn outward(&mut self, now: Now, bytes: &mut [u8]) {
        self.lock().push(now.mono, Event::Output(bytes.to_vec()));
    }

    fn peer(&mut self, now: Now, peer: Peer) {
        match peer {
            Peer::Open => {}
            Peer::Finished => self.lock().push(now.mono, Event::Finished),
            Peer::Gone => self.lock().push(now.mono, Event::Gone),
        }
    }
}
