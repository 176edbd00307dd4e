//! Tapes: a connection recorded as text, replayed byte for byte.
//!
//! The rule: a replay tells the machine what the tape says it was told, step by step, and nothing else; and it names the
//! first thing that the machine says otherwise.
//!
//! [`bakestone::tape`] tells how a tape is written and what stands in it.
//!
//! ```
//! use bakestone::{App, get};
//! use bakestone_testkit::{Replay, Script, tape};
//!
//! let app = |words: &'static str| App::new().route("/", get(move || words));
//! let script = Script::bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//! let text = tape::record(bakestone::Session::new(app("hello").build().unwrap()), &script);
//!
//! let replayed = Replay::parse(&text)?.app(app("hello"))?;
//! assert!(replayed.output.ends_with(b"hello"));
//!
//! let divergence = Replay::parse(&text)?.app(app("hullo")).unwrap_err();
//! assert!(divergence.to_string().contains("expected  `ello`\n  got       `ullo`"), "{divergence}");
//! # Ok::<(), tape::ReplayError>(())
//! ```
//!
//! What a replay repeats: bytes, times, the peer, the drain, whatever file operations were answered with, and blocking
//! jobs, which run again at the place where they were answered. What it cannot repeat: a future that is not the toolkit's
//! (a runtime's timer, a channel that another connection fills), randomness and clocks that the application takes from
//! elsewhere. The tape marks the wakes of the first (`~ wake`), and a divergence says whether one came before it.

mod divergence;
mod life;
mod player;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bakestone::Session;
use bakestone::app::{Application, BuildErrors};
use bakestone::machine::{Machine, Now};
use bakestone::session::StartupError;
use bakestone::tape::{ParseError, Recorder, Tape};

pub use divergence::{Difference, Divergence};

use crate::files::Files;
use crate::script::Script;
use crate::wire::{Habits, Wire};
use life::Life;
use player::Player;

/// Replays the tape of that file on `app`.
///
/// # Errors
///
/// [`ReplayError::Diverged`] with the first difference; or there is nothing to replay.
///
/// ```no_run
/// # fn app() -> bakestone::App { bakestone::App::new() }
/// bakestone_testkit::tape::replay("bug.tape", app())?;
/// # Ok::<(), bakestone_testkit::tape::ReplayError>(())
/// ```
pub fn replay<M, A: Application<M>>(path: impl AsRef<Path>, app: A) -> Result<Replayed, ReplayError> {
    Replay::read(path)?.app(app)
}

/// A tape that is to be replayed.
pub struct Replay {
    tape: Tape,
    files: Option<Box<dyn Files>>,
}

/// A replay that came to the end of its tape.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// How many steps of the tape were made.
    pub steps: usize,
    /// All bytes for the peer.
    pub output: Vec<u8>,
}

impl Replay {
    /// Replays this tape.
    pub fn new(tape: Tape) -> Self {
        Self { tape, files: None }
    }

    /// Replays the tape of this text.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, ReplayError> {
        Tape::parse(text).map(Self::new).map_err(ReplayError::Malformed)
    }

    /// Replays the tape of this file.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Unreadable`], [`ReplayError::Malformed`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReplayError> {
        let unreadable = |error| ReplayError::Unreadable(path.as_ref().to_owned(), error);
        Self::parse(&std::fs::read_to_string(path.as_ref()).map_err(unreadable)?)
    }

    /// Answers file operations from `files`, and not with what the tape says. The application's background work has no
    /// other files than these.
    #[must_use]
    pub fn files(mut self, files: impl Files + 'static) -> Self {
        self.files = Some(Box::new(files));
        self
    }

    /// Replays it on a connection of `app`, under the limits of the tape, once the application's start-up is through.
    ///
    /// # Errors
    ///
    /// [`ReplayError`]: the first difference, or the application does not start.
    pub fn app<M, A: Application<M>>(self, app: A) -> Result<Replayed, ReplayError> {
        let (service, lifecycle) = app.start().map_err(ReplayError::Build)?;
        let head = &self.tape.head;
        let session = Session::with_limits(service, Arc::new(head.limits.clone()));
        let session = session.lifecycle(&lifecycle.spawner());
        let mut life = Life::new(lifecycle.limits(&head.limits), self.files);
        life.start(Now::new(head.mono, head.wall)).map_err(ReplayError::Startup)?;
        Player::new(session, &self.tape).play(Some(&mut life), None)
    }

    /// Replays it on a machine.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Diverged`] with the first difference.
    pub fn machine(self, machine: impl Machine) -> Result<Replayed, ReplayError> {
        Player::new(machine, &self.tape).play(None, self.files)
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("tape", &self.tape).finish_non_exhaustive()
    }
}

/// Why a replay did not come to the end of its tape.
#[non_exhaustive]
pub enum ReplayError {
    /// The file cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// The text is no tape.
    Malformed(ParseError),
    /// The application is not sound.
    Build(BuildErrors),
    /// The application does not start; without an error its start-up waits for what never comes.
    Startup(Option<StartupError>),
    /// The machine said something else.
    Diverged(Box<Divergence>),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Malformed(error) => error.fmt(f),
            Self::Build(errors) => errors.fmt(f),
            Self::Startup(Some(error)) => error.fmt(f),
            Self::Startup(None) => f.write_str("the start-up waits for something that never comes"),
            Self::Diverged(divergence) => divergence.fmt(f),
        }
    }
}

impl fmt::Debug for ReplayError {
    /// The same words as `Display`, since this is what a test that unwraps prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ReplayError {}

/// The tape of `machine` under `script`, with nothing hidden. A machine that breaks a law is recorded as far as that.
pub fn record<M: Machine>(machine: M, script: &Script) -> String {
    record_with(machine, script, None)
}

pub(crate) fn record_with<M: Machine>(machine: M, script: &Script, files: Option<Box<dyn Files>>) -> String {
    let (recorder, log) = Recorder::logging(machine);
    let mut wire = Wire::new(recorder).with_habits(Habits { keeps_breach: true, ..Habits::default() });
    wire.hold_output(script.has_takes());
    if let Some(mut files) = files {
        wire.files(move |op| files.answer(op));
    }
    let Ok(()) = script.play(&mut wire, |_| Ok::<(), std::convert::Infallible>(()));
    // What a machine leaves behind, or how it is dropped, is for the laws to judge.
    let _ = wire.dismantle();
    log.text()
}

/// Keeps `text` as `NAME-HASH.tape` in the folder that the environment names by `BAKESTONE_TAPES`, if it names one; where
/// that is.
pub fn save(name: &str, text: &str) -> Option<PathBuf> {
    keep(&folder()?, name, text)
}

pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("BAKESTONE_TAPES").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

pub(crate) fn keep(folder: &Path, name: &str, text: &str) -> Option<PathBuf> {
    static PART: AtomicUsize = AtomicUsize::new(0);
    let path = folder.join(format!("{name}-{:016x}.tape", hash(text)));
    // Another test may keep the same tape, or read it, at this moment: it gets its name when it is whole.
    let number = PART.fetch_add(1, Ordering::Relaxed);
    let part = path.with_extension(format!("{}-{number}.part", std::process::id()));
    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&part, text)).ok()?;
    std::fs::rename(&part, &path).ok()?;
    Some(path)
}

/// FNV-1a, so that the same failure has the same name.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
