//! Broken bytes, and broken-off connections: laws 6 and 8.

use bakestone::machine::Machine;

use super::Violation;
use super::trial::{Trial, wind_up};
use crate::seed::Random;
use crate::wire::{Breach, Habits};

/// Mutations of the script, each from a seed of its own. The wire turns a panic into a breach.
pub(super) fn total<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    let mut seeds = Random::new(trial.bounds.seed);
    for _ in 0..trial.bounds.mutations {
        let script = trial.script.mutated(&mut Random::new(seeds.next()));
        trial.play(&script, Habits::default(), |_| ())?;
    }
    Ok(())
}

/// Drops the machine after every piece of input and after every step, also while its effects are under way.
/// Each run of the trial looks for what was left behind.
pub(super) fn droppable<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    const PLACES: usize = 64;
    let script = trial.script.joined().in_pieces(PLACES);
    for (held, effects_held) in [(false, false), (true, false), (true, true)] {
        let drop_after = |ops: usize, steps: Option<u64>| {
            let prefix = script.prefix(ops);
            let played = trial.run(&prefix, Habits::default(), |wire| {
                wire.hold_output(held || script.has_takes()).hold_effects(effects_held);
                wire.steps_left = steps;
                prefix.play(wire, |_| Ok::<(), Breach>(()))?;
                if steps.is_none() && ops == script.ops().len() {
                    wind_up(wire, |_| ());
                }
                Ok(wire.steps())
            })?;
            Ok::<u64, Violation>(played.0)
        };
        let mut steps = 0;
        for ops in 0..=script.ops().len() {
            steps = drop_after(ops, None)?;
        }
        let stride = steps.div_ceil(PLACES as u64).max(1);
        for step in (0..steps).step_by(stride as usize) {
            drop_after(script.ops().len(), Some(step))?;
        }
    }
    Ok(())
}
