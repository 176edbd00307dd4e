//! SIGINT and SIGTERM: the first lets a server drain, the second ends it, the third is the operating system's.

use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::{Handle, ServeError, Stop};

/// What comes this soon after the first signal is that signal again: a wrapper forwards what the terminal has sent
/// to the whole group.
const SAME_TIME: Duration = Duration::from_millis(500);

/// Stops the server when the process is asked to end, for as long as the process runs: the first signal is a
/// [`shutdown`](Handle::shutdown), the next an [`abort`](Handle::abort), and any after that does what it does to a
/// process that handles none.
///
/// # Errors
///
/// [`ServeError::System`] if the signals cannot be handled.
pub fn stop_at_signals(handle: &Handle) -> Result<(), ServeError> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(ServeError::System)?;
    let handle = handle.clone();
    let listen = move || {
        let mut first: Option<Instant> = None;
        for signal in signals.forever() {
            let since_first = first.get_or_insert_with(Instant::now).elapsed();
            match handle.stopping() {
                Stop::No => handle.shutdown(),
                Stop::Drain if since_first < SAME_TIME => {}
                Stop::Drain => handle.abort(),
                // If that cannot be done, the signal is ignored, which is what handling it means.
                Stop::Now => drop(emulate_default_handler(signal)),
            }
        }
    };
    let thread = thread::Builder::new().name("bakestone-signals".into()).spawn(listen);
    thread.map(drop).map_err(ServeError::System)
}
