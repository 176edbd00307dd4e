//! One run of one machine, from its making to its end.
//!
//! The rule: every run ends with the machine dropped and searched for what it left behind, so that law 8 is
//! checked wherever any law is.

use std::path::PathBuf;

use bakestone::machine::{Machine, Peer};

use super::{Bounds, Law, Violation};
use crate::script::Script;
use crate::tape;
use crate::transcript::Transcript;
use crate::wire::{Breach, Fate, Habits, Wire};

/// Deadlines after the end of a script that are waited for: a machine may tick for ever.
const DEADLINES: usize = 32;

/// What the peer reads between two operations, and what it reads at the end of everything. A stream that is
/// longer is held to be endless: the peer goes away.
const READ_AT_ONCE: usize = 256 << 10;
const READ_AT_END: usize = 1 << 20;

/// What the peer reads of a run that is compared with others, before it goes away. It reads all of that as soon as it
/// reads at all: one that paused on the way would meet deadlines which another peer, that pauses elsewhere, does not.
const READ_IN_ALL: usize = 1 << 20;

/// What the runs of one check have in common.
pub(super) struct Trial<'a, F> {
    make: &'a F,
    pub(super) script: &'a Script,
    pub(super) bounds: &'a Bounds,
}

/// What came of a run that was played to its end.
pub(super) struct Outcome {
    pub(super) output: Vec<u8>,
    /// At the end of the script, and at the end of everything.
    pub(super) fates: (Fate, Fate),
    pub(super) transcript: Transcript,
}

/// How the peer behaves where the script does not say.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// It reads nothing before the end of the script.
    pub(super) holds: bool,
    /// It waits for some deadlines before it finishes.
    pub(super) waits: bool,
}

impl Breach {
    pub(crate) fn new(law: Law, what: impl Into<String>) -> Self {
        Self { law, what: what.into() }
    }
}

impl<'a, M: Machine, F: Fn() -> M> Trial<'a, F> {
    pub(super) fn new(make: &'a F, script: &'a Script, bounds: &'a Bounds) -> Self {
        Self { make, script, bounds }
    }

    /// Makes a machine, lets `body` drive it by `script`, drops it. What the wire saw comes before what the
    /// body saw, since it came first.
    pub(super) fn run<T>(
        &self,
        script: &Script,
        habits: Habits,
        body: impl FnOnce(&mut Wire<M>) -> Result<T, Breach>,
    ) -> Result<(T, Transcript), Violation> {
        let mut wire = Wire::new((self.make)()).with_habits(Habits {
            keeps_breach: true,
            reads_at_once: habits.reads_at_once.or(Some(READ_AT_ONCE)),
            ..habits
        });
        wire.hold_output(script.has_takes());
        if let Some(files) = self.bounds.files {
            let mut files = files();
            wire.files(move |op| files.answer(op));
        }
        let result = body(&mut wire);
        let seen = wire.breach().cloned();
        let (transcript, dropped) = wire.dismantle();
        let result = match seen {
            Some(breach) => Err(breach),
            None => result.and_then(|value| match dropped {
                Ok(()) => Ok(value),
                Err(what) => Err(Breach::new(Law::Droppable, what)),
            }),
        };
        match result {
            Ok(value) => Ok((value, transcript)),
            Err(breach) => Err(self.violation(breach, script, vec![("the run", &transcript)])),
        }
    }

    /// As [`run`](Self::run), for what is checked by running it.
    pub(super) fn check(
        &self,
        script: &Script,
        body: impl FnOnce(&mut Wire<M>) -> Result<(), Breach>,
    ) -> Result<(), Violation> {
        self.run(script, Habits::default(), body).map(|_| ())
    }

    /// Plays `script` and then winds up, and calls `rest` at each rest of the script.
    pub(super) fn play(
        &self,
        script: &Script,
        habits: Habits,
        rest: impl FnMut(&mut Wire<M>),
    ) -> Result<Outcome, Violation> {
        self.play_as(script, habits, Manner { holds: script.has_takes(), waits: false }, rest)
    }

    /// As [`play`](Self::play), by a peer with manners of its own.
    pub(super) fn play_as(
        &self,
        script: &Script,
        habits: Habits,
        manner: Manner,
        mut rest: impl FnMut(&mut Wire<M>),
    ) -> Result<Outcome, Violation> {
        let body = |wire: &mut Wire<M>| {
            wire.hold_output(manner.holds);
            let played = script.play(wire, |wire| {
                rest(wire);
                Ok::<(), Breach>(())
            });
            played?;
            let fate = wire.fate();
            if manner.waits {
                wait_often(wire, DEADLINES / 4, &mut rest);
            }
            wind_up(wire, &mut rest);
            Ok((fate, wire.fate()))
        };
        let habits = Habits { reads_at_once: Some(READ_IN_ALL), reads_in_all: Some(READ_IN_ALL), ..habits };
        let (fates, transcript) = self.run(script, habits, body)?;
        Ok(Outcome { output: transcript.output(), fates, transcript })
    }

    pub(super) fn violation(
        &self,
        breach: Breach,
        script: &Script,
        runs: Vec<(&str, &Transcript)>,
    ) -> Violation {
        let transcripts =
            runs.into_iter().map(|(title, transcript)| (title.to_owned(), transcript.to_string()));
        Violation {
            law: breach.law,
            what: breach.what,
            script: script.to_string(),
            seed: self.bounds.seed,
            transcripts: transcripts.collect(),
            tape: self.keep(breach.law, script),
        }
    }

    /// Makes the run once more for a tape, if one is asked for.
    fn keep(&self, law: Law, script: &Script) -> Option<PathBuf> {
        let files = || self.bounds.files.map(|make| make());
        let text = || tape::record_with((self.make)(), script, files());
        tape::folder().and_then(|folder| tape::keep(&folder, &format!("law-{}", law.number()), &text()))
    }
}

/// Ends a connection as a peer does that has nothing more to say but listens to the end.
pub(super) fn wind_up<M: Machine>(wire: &mut Wire<M>, mut rest: impl FnMut(&mut Wire<M>)) {
    if wire.io().peer == Peer::Open {
        wire.finish();
    }
    for _ in 0..DEADLINES {
        if !take_all(wire) {
            wire.reset();
        }
        rest(wire);
        if !wire.advance_to_next_deadline() {
            break;
        }
    }
    take_all(wire);
}

/// Lets the clock go on to the next deadline, so many times, and calls `rest` at each.
pub(super) fn wait_often<M: Machine>(wire: &mut Wire<M>, waits: usize, mut rest: impl FnMut(&mut Wire<M>)) {
    for _ in 0..waits {
        if !wire.advance_to_next_deadline() {
            break;
        }
        rest(wire);
    }
}

/// Takes output until there is no more; false if there clearly is no end of it.
///
/// It is taken in small pieces, so that of an endless stream each run takes just as much.
pub(super) fn take_all<M: Machine>(wire: &mut Wire<M>) -> bool {
    const PIECE: usize = 4 << 10;
    (0..READ_AT_END / PIECE).any(|_| wire.take_at_most(PIECE).is_empty())
}
