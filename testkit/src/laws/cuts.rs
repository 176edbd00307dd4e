//! The same bytes in other pieces: law 2.

use bakestone::machine::Machine;

use super::trial::{Outcome, Trial};
use super::{Law, Violation};
use crate::script::{Op, Script};
use crate::splits::splits_seeded;
use crate::wire::{Breach, Habits};

/// Each run of bytes cut in every way while the others are whole, and all of them cut byte by byte.
pub(super) fn split_invariant<M: Machine, F: Fn() -> M>(trial: &Trial<'_, F>) -> Result<(), Violation> {
    let whole = trial.script.joined();
    let reference = trial.play(&whole, Habits::default(), |_| ())?;
    for (index, op) in whole.ops().iter().enumerate() {
        let Op::Feed(bytes) = op else { continue };
        for pieces in splits_seeded(bytes, trial.bounds.seed).skip(1) {
            compare(trial, &reference, &whole.with_cut(index, &pieces))?;
        }
    }
    if whole.ops().iter().filter(|op| matches!(op, Op::Feed(_))).count() > 1 {
        compare(trial, &reference, &whole.in_pieces(4096))?;
    }
    Ok(())
}

fn compare<M: Machine, F: Fn() -> M>(
    trial: &Trial<'_, F>,
    whole: &Outcome,
    script: &Script,
) -> Result<(), Violation> {
    let cut = trial.play(script, Habits::default(), |_| ())?;
    let what = if whole.fates != cut.fates {
        format!(
            "the fate of the whole input was {:?} and then {:?}, of the cut one {:?} and then {:?}",
            whole.fates.0, whole.fates.1, cut.fates.0, cut.fates.1
        )
    } else if (trial.bounds.view)(&whole.output) != (trial.bounds.view)(&cut.output) {
        "the cut input got another output".to_owned()
    } else {
        return Ok(());
    };
    let runs = vec![("whole", &whole.transcript), ("cut", &cut.transcript)];
    Err(trial.violation(Breach::new(Law::SplitInvariant, what), script, runs))
}
