//! The error of a server, the same for every adapter.

use std::fmt;
use std::io;
use std::time::Duration;

use bakestone::app::BuildErrors;
use bakestone::session::StartupError;

/// Whether an error of accepting is that of one connection: its peer was gone before it was accepted, which says
/// nothing about the next one. Any other (no descriptors, no memory) passes when others end, and trying again at
/// once would not help them.
pub fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// How long accepting pauses after an error that is [not of one connection](is_of_one_connection).
pub const BACK_OFF: Duration = Duration::from_millis(50);

/// Why a server did not start, or ended before its time.
#[non_exhaustive]
pub enum ServeError {
    /// The application is not sound.
    Build(BuildErrors),
    /// A start-up hook failed.
    Startup(StartupError),
    /// The address cannot be listened on.
    Listen {
        /// The address.
        address: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The operating system refuses what a server needs.
    System(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(errors) => errors.fmt(f),
            Self::Startup(error) => error.fmt(f),
            Self::Listen { address, source } => write!(f, "cannot listen on {address}: {source}"),
            Self::System(source) => write!(f, "the operating system refused: {source}"),
        }
    }
}

impl fmt::Debug for ServeError {
    /// The same words as `Display`, since this is what a `main` that returns the error prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServeError {}
