//! Drivers that step as rarely or as often as they may: law 9.

use bakestone::machine::{Machine, Phase};

use super::trial::{Manner, Outcome, Trial};
use super::{Law, Violation};
use crate::script::Script;
use crate::wire::{Breach, Habits};

const LAZY: Habits = Habits {
    eager: false,
    fresh_wakers: false,
    keeps_breach: true,
    reads_at_once: None,
    reads_in_all: None,
    reads_on_the_way: false,
};
const EAGER: Habits = Habits { eager: true, ..LAZY };
const FRESH: Habits = Habits { fresh_wakers: true, ..LAZY };
const EAGER_FRESH: Habits = Habits { fresh_wakers: true, ..EAGER };

/// When the peer reads what was written.
#[derive(Clone, Copy, PartialEq)]
enum Reader {
    /// At once.
    Fast,
    /// At each rest, in small pieces.
    Slow,
    /// At the end of the script: until then freed output cannot hide a wake that was lost.
    Late,
}

/// A run, and at each of its rests how much output waited.
struct Run {
    outcome: Outcome,
    rests: Vec<(usize, Phase)>,
}

/// A plain lazy driver is the reference: the others must see the same bytes at the same moments.
pub(super) fn lazy_driver<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    let pieces = trial.script.joined().in_pieces(64);
    for script in [trial.script, &pieces] {
        let fast = compare_drivers(trial, script, Reader::Fast)?;
        if !script.has_takes() {
            let slow = compare_drivers(trial, script, Reader::Slow)?;
            compare_readers(trial, script, &fast.outcome, &slow.outcome)?;
            compare_drivers(trial, script, Reader::Late)?;
        }
    }
    Ok(())
}

/// The lazy driver's run, after all others were found to be like it.
fn compare_drivers<M: Machine, F: Fn() -> M>(
    trial: &Trial<'_, F>,
    script: &Script,
    reader: Reader,
) -> Result<Run, Violation> {
    let lazy = play(trial, script, LAZY, reader)?;
    for (title, habits) in [
        ("a driver that steps without cause", EAGER),
        ("a lazy driver with another waker each step", FRESH),
        ("a driver that steps without cause, with another waker each step", EAGER_FRESH),
    ] {
        let other = play(trial, script, habits, reader)?;
        alike(trial, script, &lazy, (title, &other))?;
    }
    Ok(lazy)
}

/// Freed output is a cause too: a peer that reads in small pieces gets the same, and meets the same end. When
/// it does may differ: clocks that begin with the last byte read begin later.
fn compare_readers<M: Machine, F: Fn() -> M>(
    trial: &Trial<'_, F>,
    script: &Script,
    fast: &Outcome,
    slow: &Outcome,
) -> Result<(), Violation> {
    let view = &trial.bounds.view;
    if view(&fast.output) == view(&slow.output) && fast.fates.1 == slow.fates.1 {
        return Ok(());
    }
    let runs = vec![("a fast reader", &fast.transcript), ("a slow reader", &slow.transcript)];
    let breach = Breach::new(Law::LazyDriver, "a slow reader got something else than a fast one");
    Err(trial.violation(breach, script, runs))
}

fn play<M: Machine, F: Fn() -> M>(
    trial: &Trial<'_, F>,
    script: &Script,
    habits: Habits,
    reader: Reader,
) -> Result<Run, Violation> {
    let mut rests = Vec::new();
    // A connection that nobody ends meets its deadlines, and a driver without cause may put them off.
    let manner =
        Manner { holds: reader != Reader::Fast || script.has_takes(), waits: reader != Reader::Late };
    let habits = Habits { reads_on_the_way: reader == Reader::Slow, ..habits };
    let outcome = trial.play_as(script, habits, manner, |wire| {
        rests.push((wire.waiting(), wire.phase()));
        if reader == Reader::Slow {
            wire.take_slowly();
        }
    })?;
    Ok(Run { outcome, rests })
}

fn alike<M: Machine, F: Fn() -> M>(
    trial: &Trial<'_, F>,
    script: &Script,
    lazy: &Run,
    (title, other): (&str, &Run),
) -> Result<(), Violation> {
    let what = if lazy.outcome.transcript.seen_by_peer() != other.outcome.transcript.seen_by_peer() {
        format!("the peer of {title} saw something else than that of a lazy one")
    } else if lazy.outcome.fates != other.outcome.fates {
        format!(
            "the fate with a lazy driver was {:?}, with {title} {:?}",
            lazy.outcome.fates, other.outcome.fates
        )
    } else if lazy.rests != other.rests {
        format!(
            "output that waited, and phase, at each rest: with a lazy driver {:?}, with {title} {:?}",
            lazy.rests, other.rests
        )
    } else {
        return Ok(());
    };
    let runs = vec![("a lazy driver", &lazy.outcome.transcript), (title, &other.outcome.transcript)];
    Err(trial.violation(Breach::new(Law::LazyDriver, what), script, runs))
}
