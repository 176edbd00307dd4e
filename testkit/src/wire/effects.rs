//! How a wire answers effects.

use bakestone::effect::{Effect, FileErrorKind};
use bakestone::machine::Machine;
use bakestone::tape::describe;

use super::Wire;
use crate::files::Files;
use crate::transcript::Event;

/// Where answers come from, and what waits for one.
#[derive(Default)]
pub(super) struct Answers {
    files: Option<Box<dyn Files>>,
    hold: bool,
    held: Vec<Effect>,
}

impl Answers {
    /// Answers all that is held, after the machine is gone.
    pub(super) fn answer_late(&mut self) {
        for effect in std::mem::take(&mut self.held) {
            self.answer(effect);
        }
    }

    /// Answers `effect`, and says how. A file operation without a source, and an effect that is not known
    /// here, is dropped: that is how a driver says that it does not do such work.
    fn answer(&mut self, effect: Effect) -> String {
        match (effect, &mut self.files) {
            (Effect::Blocking(job), _) => {
                job.run();
                "blocking job: ran".into()
            }
            (Effect::File(op, reply), Some(files)) => {
                let name = describe(&op);
                let answer = files.answer(op);
                let outcome =
                    answer.as_ref().map_or_else(|failure| outcome(failure.kind), |_| "answered".into());
                reply.send(answer);
                format!("{name}: {outcome}")
            }
            (Effect::File(op, _), None) => format!("{}: unanswered", describe(&op)),
            _ => "an effect that is not known here: unanswered".into(),
        }
    }
}

impl<M: Machine> Wire<M> {
    /// Answers file operations from `files` from now on. Without that they stay unanswered.
    pub fn files(&mut self, files: impl Files + 'static) -> &mut Self {
        self.effects.files = Some(Box::new(files));
        self
    }

    /// Whether effects are kept until they are [answered](Self::answer_held) or [taken](Self::take_held): a
    /// driver whose disk is slow.
    pub fn hold_effects(&mut self, hold: bool) -> &mut Self {
        self.effects.hold = hold;
        self
    }

    /// The effects that are held, oldest first.
    pub fn held(&self) -> &[Effect] {
        &self.effects.held
    }

    /// Answers all effects that are held, in order, and lets the machine run. Those that it then asks for are
    /// held in their turn.
    #[track_caller]
    pub fn answer_held(&mut self) -> &mut Self {
        for effect in std::mem::take(&mut self.effects.held) {
            self.answer(effect);
        }
        self.settle()
    }

    /// The effects that are held, for the test to answer as it likes and when it likes; to drop one says that
    /// the driver does not do it. Then [`settle`](Self::settle).
    pub fn take_held(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects.held)
    }

    #[track_caller]
    pub(super) fn answer_new_effects(&mut self) {
        for effect in std::mem::take(&mut self.io.effects) {
            if self.effects.hold {
                self.note(Event::Effect(format!("{}: held", describe_effect(&effect))));
                self.effects.held.push(effect);
            } else {
                self.answer(effect);
            }
        }
    }

    fn answer(&mut self, effect: Effect) {
        let outcome = self.effects.answer(effect);
        self.note(Event::Effect(outcome));
    }
}

fn outcome(kind: FileErrorKind) -> String {
    format!("{kind:?}")
}

fn describe_effect(effect: &Effect) -> String {
    match effect {
        Effect::File(op, _) => describe(op),
        Effect::Blocking(_) => "blocking job".into(),
        _ => "an effect that is not known here".into(),
    }
}
