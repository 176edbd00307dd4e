//! Too much input, and a peer that never reads: laws 4 and 7.

use bakestone::machine::{Machine, Phase, Read};

use super::trial::Trial;
use super::{Bounds, Law, Violation};
use crate::script::Script;
use crate::wire::{Breach, Moved, READ_SIZE, Wire};

/// The script's bytes over and over, as they reach the machine.
fn flood(script: &Script, length: usize) -> Vec<u8> {
    let bytes = script.all_bytes();
    let repeated: Vec<u8> = bytes.iter().copied().cycle().take(length).collect();
    script.encode(0, &repeated).into_owned()
}

/// Far more input than one step may take, in one piece.
pub(super) fn bounded<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    let bytes = flood(trial.script, trial.bounds.flood);
    let steps_allowed = 2 * bytes.len() + 10_000;
    trial.check(trial.script, |wire| {
        wire.record(false);
        wire.append(&bytes);
        wire.record(true);
        for _ in 0..steps_allowed {
            let moved = bounded_step(wire, trial.bounds)?;
            let more = if moved.woken { wire.wants().read == Read::Need } else { true };
            if more && !wire.is_over() && moved.effects == 0 {
                rests_or_woke(wire, moved, trial.bounds)?;
            }
            wire.record(false);
            wire.service();
            wire.record(true);
            if !wire.has_cause() {
                return Ok(());
            }
        }
        Err(Breach::new(Law::Bounded, format!("no rest after {steps_allowed} steps")))
    })
}

fn bounded_step<M: Machine>(wire: &mut Wire<M>, bounds: &Bounds) -> Result<Moved, Breach> {
    let moved = wire.step_raw();
    let Moved { consumed, written, .. } = moved;
    // What is discarded after the end costs no work, however much it is.
    let open = wire.phase() == Phase::Open;
    if open && consumed > bounds.max_step_input {
        let what = format!("one step took {consumed} bytes of input, more than {}", bounds.max_step_input);
        return Err(Breach::new(Law::Bounded, what));
    }
    if written > bounds.max_step_output as u64 {
        let what = format!("one step wrote {written} bytes, more than {}", bounds.max_step_output);
        return Err(Breach::new(Law::Bounded, what));
    }
    Ok(moved)
}

/// A step that left work behind must have woken, and must not ask a driver that blocks to wait for bytes.
fn rests_or_woke<M: Machine>(wire: &mut Wire<M>, before: Moved, bounds: &Bounds) -> Result<(), Breach> {
    if !bounded_step(wire, bounds)?.any() {
        // The wake was for nothing, but it is still owed a step by whoever drives.
        return Ok(());
    }
    Err(Breach::new(
        Law::Bounded,
        match before.woken {
            true => "a step left work behind, woke itself and yet said Need",
            false => "a step left work behind and did not wake itself",
        },
    ))
}

/// Bytes without end from a peer that reads nothing.
pub(super) fn backpressure<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    let bytes = flood(trial.script, trial.bounds.pressure);
    let memory = || trial.bounds.memory.map_or(0, |memory| memory());
    trial.check(trial.script, |wire| {
        wire.record(false);
        wire.hold_output(true);
        let before = memory();
        for piece in bytes.chunks(READ_SIZE) {
            let fed = wire.feed_politely(piece);
            let buffers = wire.io().input.capacity() + wire.io().output.capacity();
            let used = buffers.max(memory().saturating_sub(before));
            if used > trial.bounds.max_buffered {
                wire.record(true);
                let what = format!("{used} bytes of memory, more than {}", trial.bounds.max_buffered);
                return Err(Breach::new(Law::Backpressure, what));
            }
            if fed < piece.len() {
                break;
            }
        }
        Ok(())
    })
}
