//! What a machine does when nothing happens, when time passes, and when all is over: laws 1, 3 and 5.

use std::time::Duration;

use bakestone::machine::{Machine, Peer};

use super::trial::{Trial, take_all, wait_often, wind_up};
use super::{Law, Violation};
use crate::script::{Op, Script};
use crate::wire::{Breach, Habits, Wire};

/// How many rests of one script are looked at; a longer feed is cut into longer pieces.
const RESTS: usize = 256;

/// A connection may stand still at any byte, so each is fed alone and the machine stepped twice behind it.
pub(super) fn idempotent<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    let joined = trial.script.joined();
    let pieces = joined.in_pieces(RESTS);
    for script in [trial.script, &pieces] {
        for held in [false, true] {
            trial.check(script, |wire| {
                wire.hold_output(held || script.has_takes());
                script.play(wire, steps_for_nothing)?;
                wind_up_probing(wire)
            })?;
        }
    }
    Ok(())
}

fn wind_up_probing<M: Machine>(wire: &mut Wire<M>) -> Result<(), Breach> {
    let mut result = Ok(());
    wind_up(wire, |wire| {
        if result.is_ok() {
            result = steps_for_nothing(wire);
        }
    });
    result
}

/// Two steps at a rest: neither may do anything or want anything else.
fn steps_for_nothing<M: Machine>(wire: &mut Wire<M>) -> Result<(), Breach> {
    for step in ["a second", "a third"] {
        if wire.is_over() {
            break;
        }
        let before = wire.wants();
        let moved = wire.step_raw();
        let after = wire.wants();
        wire.service();
        if wire.breach().is_some() {
            break;
        }
        if moved.any() || after != before {
            let what =
                format!("{step} step without cause: {moved:?}; it wanted {before:?} and then {after:?}");
            return Err(Breach::new(Law::Idempotent, what));
        }
        wire.settle();
    }
    Ok(())
}

/// The wire itself sees to it that deadlines lie in the future: here they are all reached, from every kind of
/// standstill.
pub(super) fn deadlines<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    const STANDSTILLS: usize = 32;
    const WAITS: usize = 16;
    let script = trial.script.joined().in_pieces(STANDSTILLS);
    for count in 0..=script.ops().len() {
        let prefix = script.prefix(count);
        for (held, finish) in [(false, false), (true, false), (true, true)] {
            trial.check(&prefix, |wire| {
                wire.hold_output(held || script.has_takes());
                prefix.play(wire, |_| Ok::<(), Breach>(()))?;
                if finish {
                    wire.finish();
                }
                wait_often(wire, WAITS, |_| ());
                // The wire counts the deadlines of a span: one that moves by a nanosecond is a busy loop.
                wire.advance(Duration::from_secs(1));
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Ways to come to an end, each followed by everything that could disturb the peace.
pub(super) fn quiet<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    let script = trial.script;
    let ends: [&[Op]; 4] = [&[], &[Op::Finish], &[Op::Drain], &[Op::Reset]];
    for end in ends {
        for held in [false, true] {
            let ended = script.with_ops([script.ops(), end].concat());
            trial.check(&ended, |wire| {
                wire.hold_output(held || script.has_takes());
                ended.play(wire, |_| Ok::<(), Breach>(()))?;
                wait_often(wire, 2, |_| ());
                take_all(wire);
                wind_up(wire, |_| ());
                if !wire.is_over() {
                    wire.reset();
                    wait_often(wire, 32, |_| ());
                }
                disturb(wire, &script.all_bytes());
                Ok(())
            })?;
        }
    }
    let gone_first = script.with_ops([&[Op::Reset], script.ops()].concat());
    let drained_first = script.with_ops([&[Op::Drain], script.ops()].concat());
    [gone_first, drained_first].iter().try_for_each(|script: &Script| {
        let habits = Habits::default();
        trial.play(script, habits, |_| ()).map(|_| ())
    })
}

/// Steps a machine that is done, whatever happens; the wire sees whether it stays quiet.
fn disturb<M: Machine>(wire: &mut Wire<M>, bytes: &[u8]) {
    if !wire.is_done() {
        return;
    }
    wire.step().step();
    if wire.io().peer == Peer::Open {
        wire.append(bytes);
        wire.step();
    }
    wire.drain().step();
    wire.reset().step();
    wire.advance(Duration::from_secs(3_600)).step();
}
