//! A disk, and a pool for blocking work, that take their time.
//!
//! The rule: an effect is answered once, at the moment that was fixed when it was asked for, also if nobody waits for
//! the answer any more.

use std::collections::BTreeMap;

use bakestone::effect::{Effect, FileError, FileErrorKind, FileOp};
use bakestone::machine::Moment;

use super::weather::DiskWeather;
use crate::files::Files;
use crate::seed::Random;

/// Where effects are answered from.
pub(super) struct Disk {
    files: Box<dyn Files>,
    weather: DiskWeather,
    random: Random,
    /// By the moment of the answer, and then in the order in which they were asked for.
    held: BTreeMap<(Moment, u64), Held>,
    count: u64,
}

struct Held {
    effect: Effect,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Answered,
    Fails(FileErrorKind),
    Dropped,
}

impl Disk {
    pub(super) fn new(files: Box<dyn Files>, weather: DiskWeather, seed: u64) -> Self {
        Self { files, weather, random: Random::new(seed), held: BTreeMap::new(), count: 0 }
    }

    /// Takes `effect` in; whether it will fail for no fault of whoever asked.
    pub(super) fn ask(&mut self, now: Moment, effect: Effect) -> bool {
        let fate = self.draw(&effect);
        let at = now + self.random.time(&self.weather.time);
        self.count += 1;
        self.held.insert((at, self.count), Held { effect, fate });
        fate != Fate::Answered
    }

    fn draw(&mut self, effect: &Effect) -> Fate {
        if self.random.hits(self.weather.unanswered, 1_000) {
            return Fate::Dropped;
        }
        match effect {
            Effect::File(FileOp::Write { .. }, _) if self.random.hits(self.weather.full, 1_000) => {
                Fate::Fails(FileErrorKind::StorageFull)
            }
            Effect::File(..) if self.random.hits(self.weather.failing, 1_000) => {
                Fate::Fails(FileErrorKind::Other)
            }
            _ => Fate::Answered,
        }
    }

    /// Answers all that is due.
    pub(super) fn answer(&mut self, now: Moment) {
        while let Some(first) = self.held.first_entry().filter(|first| first.key().0 <= now) {
            let Held { effect, fate } = first.remove();
            match (effect, fate) {
                (effect, Fate::Dropped) => drop(effect),
                (Effect::File(_, reply), Fate::Fails(kind)) => {
                    reply.send(Err(FileError::new(kind, "the weather is bad")));
                }
                (Effect::File(op, reply), _) => reply.send(self.files.answer(op)),
                (Effect::Blocking(job), _) => job.run(),
                // What is not known here is dropped, as a driver does.
                (effect, _) => drop(effect),
            }
        }
    }

    pub(super) fn next_at(&self) -> Option<Moment> {
        self.held.first_key_value().map(|((at, _), _)| *at)
    }
}
