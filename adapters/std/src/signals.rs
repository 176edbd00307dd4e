//! SIGINT and SIGTERM: the first lets a server drain, the second ends it, the third is the operating system's.
//!
//! The rule: the signals are a server's only while it is served; before and after they do what they do to a process
//! that handles none.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::{Handle as Closer, Signals};
use signal_hook::low_level::emulate_default_handler;

use crate::{Handle, ServeError, Stop};

/// What comes this soon after the first signal is that signal again: a wrapper forwards what the terminal has sent
/// to the whole group.
const SAME_TIME: Duration = Duration::from_millis(500);

/// Stops the server when the process is asked to end, as long as the guard lives: the first signal is a
/// [`shutdown`](Handle::shutdown), the next an [`abort`](Handle::abort), and any after that does what it does to a
/// process that handles none.
///
/// # Errors
///
/// [`ServeError::System`] if the signals cannot be handled.
pub fn stop_at_signals(handle: &Handle) -> Result<StopAtSignals, ServeError> {
    let attended = Attended::begin().map_err(ServeError::System)?;
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(ServeError::System)?;
    let (closer, handle) = (signals.handle(), handle.clone());
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
    let thread = Some(thread.map_err(ServeError::System)?);
    Ok(StopAtSignals { closer, thread, _attended: attended })
}

/// Stops a server at signals, until it is dropped.
#[derive(Debug)]
#[must_use = "dropped at once, it stops nothing"]
pub struct StopAtSignals {
    closer: Closer,
    thread: Option<JoinHandle<()>>,
    _attended: Attended,
}

impl Drop for StopAtSignals {
    fn drop(&mut self) {
        self.closer.close();
        // It ends at once, and does not panic.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Counts who attends to the signals. Without anybody their default action is theirs again.
#[derive(Debug)]
struct Attended;

static COUNT: Mutex<usize> = Mutex::new(0);

impl Attended {
    fn begin() -> io::Result<Self> {
        let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
        let unattended = unattended()?;
        unattended.store(false, Ordering::SeqCst);
        *count += 1;
        Ok(Self)
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        let mut count = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
        *count -= 1;
        if let (0, Ok(unattended)) = (*count, unattended()) {
            unattended.store(true, Ordering::SeqCst);
        }
    }
}

/// Whether the signals do what they do by default. It is registered once in the life of a process, since a handler
/// cannot be taken back.
fn unattended() -> io::Result<&'static Arc<AtomicBool>> {
    static FLAG: OnceLock<Result<Arc<AtomicBool>, io::ErrorKind>> = OnceLock::new();
    let flag = FLAG.get_or_init(|| {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            register_conditional_default(signal, flag.clone()).map_err(|error| error.kind())?;
        }
        Ok(flag)
    });
    flag.as_ref().map_err(|kind| (*kind).into())
}
