//! The nine laws of every machine, as checks that any machine can be put under.
//!
//! The rule: a check drives the machine only as a driver could, so that whatever it finds is a way in which a
//! real connection can go wrong. The laws themselves stand at the head of [`bakestone::machine`].
//!
//! What the peer sends is a [`Script`]. The laws cut it, repeat it, break it off, mutate it, and put ends and
//! deadlines behind it, so the script itself needs no variations; but what it never touches is not checked.
//! There should be a script for every kind of exchange.

mod chaos;
mod cuts;
mod law;
mod lazy;
mod load;
mod report;
mod steady;
mod trial;

use std::fmt;
use std::sync::Arc;

use bakestone::Limits;
use bakestone::machine::Machine;

use crate::files::Files;
use crate::script::Script;
use trial::Trial;

pub use law::Law;
pub use report::Violation;

/// What two runs that may differ in form must have in common: a function of all the output.
pub type View = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// What the laws hold a machine to, where they need a number or an opinion.
///
/// ```
/// use bakestone_testkit::{Bounds, http1_view};
///
/// let bounds = Bounds::default().view(http1_view);
/// assert_eq!(bounds.mutations, 200);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Bounds {
    /// Law 7: the most bytes of memory. [`Limits::max_buffered`] of the default limits.
    pub max_buffered: usize,
    /// Law 7: tells how many bytes of memory are in use, from a test's own allocator. What was in use at the
    /// start is subtracted. Without it only the capacity of the input and of the output is seen.
    pub memory: Option<fn() -> usize>,
    /// Law 7: how many bytes the peer tries to send. 1 MiB.
    pub pressure: usize,
    /// Law 4: how many bytes lie in the input at once. 512 KiB; it must be more than `max_step_input`.
    pub flood: usize,
    /// Law 4: the most bytes of input that one step takes while the connection is open. 256 KiB.
    pub max_step_input: usize,
    /// Law 4: the most bytes of output that one step writes. [`Limits::max_buffered`] of the default limits.
    pub max_step_output: usize,
    /// Law 6: how many mutations of the script are tried. 200.
    pub mutations: usize,
    /// The seed of all random choices.
    pub seed: u64,
    /// Laws 2 and 9: what two runs must have in common. The output itself.
    pub view: View,
    /// Makes the source of files for one run. None: file operations stay unanswered.
    pub files: Option<fn() -> Box<dyn Files>>,
}

impl Default for Bounds {
    fn default() -> Self {
        let max_buffered = Limits::default().max_buffered();
        Self {
            max_buffered,
            memory: None,
            pressure: 1 << 20,
            flood: 512 << 10,
            max_step_input: 256 << 10,
            max_step_output: max_buffered,
            mutations: 200,
            seed: 0x5eed_ba4e_570e_0009,
            view: Arc::new(<[u8]>::to_vec),
            files: None,
        }
    }
}

impl Bounds {
    /// Compares runs by `view` of their output.
    #[must_use]
    pub fn view(mut self, view: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.view = Arc::new(view);
        self
    }

    /// Answers file operations from a source of its own for each run.
    #[must_use]
    pub fn files(mut self, make: fn() -> Box<dyn Files>) -> Self {
        self.files = Some(make);
        self
    }

    /// Chooses by another seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl fmt::Debug for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounds")
            .field("max_buffered", &self.max_buffered)
            .field("pressure", &self.pressure)
            .field("flood", &self.flood)
            .field("max_step_input", &self.max_step_input)
            .field("max_step_output", &self.max_step_output)
            .field("mutations", &self.mutations)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Checks all nine laws on the machines that `make` makes, within the default [`Bounds`].
///
/// Every machine must be made alike: nothing that one of them does may be seen by the next.
///
/// # Panics
///
/// If a law is broken, with the law, the script, the seed and the transcripts.
///
/// ```
/// # use bakestone::machine::{Io, Machine, Now, Peer, Phase, Read, Wants};
/// # use std::task::Context;
/// /// Throws everything away.
/// struct Discard;
///
/// impl Machine for Discard {
///     fn step(&mut self, _: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
///         let some = io.input.len().min(64 << 10);
///         drop(io.input.split_to(some));
///         match io.peer {
///             Peer::Open => Wants { read: Read::Need, wake_at: None, phase: Phase::Open },
///             _ => Wants::DONE,
///         }
///     }
/// }
///
/// let broken = bakestone_testkit::check(|| Discard, "hello\r\n", &Default::default());
/// // It leaves bytes behind without a word: a driver would not step it again for them.
/// assert_eq!(broken.unwrap_err().law.number(), 4);
/// ```
#[track_caller]
pub fn laws<M: Machine>(make: impl Fn() -> M, script: impl Into<Script>) {
    laws_within(make, script, &Bounds::default());
}

/// As [`laws`], within other bounds.
///
/// # Panics
///
/// If a law is broken, with the law, the script, the seed and the transcripts.
#[track_caller]
pub fn laws_within<M: Machine>(make: impl Fn() -> M, script: impl Into<Script>, bounds: &Bounds) {
    let result = check(make, script, bounds);
    assert!(result.is_ok(), "{}", result.err().map(|violation| violation.to_string()).unwrap_or_default());
}

/// As [`laws_within`], and gives the first violation in place of a panic.
///
/// # Errors
///
/// The first law that is broken. Any run can show any law broken, so it need not be the one whose turn it was.
pub fn check<M: Machine>(
    make: impl Fn() -> M,
    script: impl Into<Script>,
    bounds: &Bounds,
) -> Result<(), Violation> {
    let script = script.into();
    let trial = Trial::new(&make, &script, bounds);
    steady::idempotent(&trial)?;
    cuts::split_invariant(&trial)?;
    steady::deadlines(&trial)?;
    load::bounded(&trial)?;
    steady::quiet(&trial)?;
    chaos::total(&trial)?;
    load::backpressure(&trial)?;
    chaos::droppable(&trial)?;
    lazy::lazy_driver(&trial)
}
