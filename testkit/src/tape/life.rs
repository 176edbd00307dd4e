//! A server's life beside a connection that is replayed.
//!
//! The rule: it runs on the clock of the tape, and its effects are answered at once: a tape tells of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use bakestone::Lifecycle;
use bakestone::effect::Effect;
use bakestone::machine::{Io, Machine, Moment, Now};
use bakestone::session::{Stage, StartupError};

use crate::files::Files;

/// Steps at one moment, and deadlines of a start-up, after which it is held never to come to rest.
const PATIENCE: usize = 10_000;

pub(super) struct Life {
    lifecycle: Lifecycle,
    io: Io,
    bell: Arc<Bell>,
    files: Option<Box<dyn Files>>,
}

#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Life {
    pub(super) fn new(lifecycle: Lifecycle, files: Option<Box<dyn Files>>) -> Self {
        Self { lifecycle, io: Io::default(), bell: Arc::default(), files }
    }

    pub(super) fn files(&mut self) -> Option<&mut Box<dyn Files>> {
        self.files.as_mut()
    }

    /// Runs the start-up, which may take whatever time it wants.
    pub(super) fn start(&mut self, now: Now) -> Result<(), Option<StartupError>> {
        let mut moment = now.mono;
        for _ in 0..PATIENCE {
            let next = self.run(Now::new(moment, now.wall));
            match (self.lifecycle.stage(), next) {
                (Stage::Running, _) => return Ok(()),
                (Stage::Over, _) => break,
                (_, Some(at)) => moment = at,
                (_, None) => break,
            }
        }
        Err(self.lifecycle.take_failure())
    }

    /// Steps until nothing moves; the next deadline.
    pub(super) fn run(&mut self, now: Now) -> Option<Moment> {
        let mut next = None;
        for _ in 0..PATIENCE {
            self.bell.0.store(false, Ordering::SeqCst);
            let waker = Waker::from(self.bell.clone());
            next = self.lifecycle.step(now, &mut self.io, &mut Context::from_waker(&waker)).wake_at;
            let effects = std::mem::take(&mut self.io.effects);
            if effects.is_empty() && !self.bell.0.load(Ordering::SeqCst) {
                break;
            }
            effects.into_iter().for_each(|effect| self.answer(effect));
        }
        next
    }

    fn answer(&mut self, effect: Effect) {
        match (effect, &mut self.files) {
            (Effect::Blocking(job), _) => job.run(),
            (Effect::File(op, reply), Some(files)) => reply.send(files.answer(op)),
            // Unanswered: that is how a driver says that it has none.
            _ => {}
        }
    }
}
