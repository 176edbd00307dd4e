//! What lets a thread wait on descriptors, on a waker and on the clock at once.
//!
//! The rule: a wake that comes at any point is heard by the wait that is under way, or by the next one.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use bakestone::machine::Moment;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Clock;

/// A pair of sockets of which a waker rings one, and a thread waits for the other.
pub(crate) struct Alarm {
    bell: UnixStream,
    ring: Arc<Ring>,
    waker: Waker,
    clock: Clock,
}

struct Ring {
    rope: UnixStream,
    rung: AtomicBool,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // A full pipe has woken the thread already.
            let _ = (&self.rope).write(&[1]);
        }
    }
}

impl Alarm {
    pub(crate) fn new(clock: Clock) -> io::Result<Self> {
        let (bell, rope) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        rope.set_nonblocking(true)?;
        let ring = Arc::new(Ring { rope, rung: AtomicBool::new(false) });
        Ok(Self { bell, waker: ring.clone().into(), ring, clock })
    }

    /// The context to poll with.
    pub(crate) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Waits for a wake or for the moment.
    pub(crate) fn wait_until(&self, until: Option<Moment>) -> io::Result<()> {
        self.wait(&mut [PollFd::new(&self.bell, PollFlags::IN)], until)
    }

    /// Waits for a wake, for the moment, or for a connection that can be accepted from one of `listeners`.
    pub(crate) fn wait_readable(&self, listeners: &[impl AsFd]) -> io::Result<()> {
        let listening = listeners.iter().map(|listener| PollFd::new(listener, PollFlags::IN));
        let mut waits: Vec<_> =
            [PollFd::new(&self.bell, PollFlags::IN)].into_iter().chain(listening).collect();
        self.wait(&mut waits, None)
    }

    /// Waits for a wake, for the moment, or for `flags` on the socket.
    pub(crate) fn wait_on(
        &self,
        socket: BorrowedFd<'_>,
        flags: PollFlags,
        until: Option<Moment>,
    ) -> io::Result<()> {
        let bell = PollFd::new(&self.bell, PollFlags::IN);
        self.wait(&mut [bell, PollFd::from_borrowed_fd(socket, flags)], until)
    }

    /// Waits; the bell is the first of `waits`.
    fn wait(&self, waits: &mut [PollFd<'_>], until: Option<Moment>) -> io::Result<()> {
        let time = until.map(|at| at.since(self.clock.now().mono));
        let time = time.and_then(|time| {
            Some(Timespec { tv_sec: time.as_secs().try_into().ok()?, tv_nsec: time.subsec_nanos().into() })
        });
        match poll(waits, time.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(()),
            result => result?,
        };
        if !waits[0].revents().is_empty() {
            // The pipe is emptied first: a wake in between finds the flag still up, and the step that follows
            // sees what it was for. The other way round its byte would be lost, and the flag stay up for ever.
            let _ = (&self.bell).read(&mut [0; 8]);
            self.ring.rung.swap(false, Ordering::AcqRel);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::{Duration, Instant};

    /// A wake between the two halves of hearing one left the flag up over an empty pipe, and no later wake rang.
    #[test]
    fn no_wake_is_lost_to_another() {
        let clock = Clock::start();
        let alarm = Alarm::new(clock).expect("a pair of sockets");
        let waker = alarm.waker.clone();
        let ringing = thread::spawn(move || (0..200_000).for_each(|_| waker.wake_by_ref()));
        let soon = |time| Some(clock.now().mono + Duration::from_millis(time));
        while !ringing.is_finished() {
            alarm.wait_until(soon(1)).expect("a wait");
        }
        alarm.wait_until(soon(0)).expect("a wait");
        let began = Instant::now();
        alarm.waker.wake_by_ref();
        alarm.wait_until(soon(5_000)).expect("a wait");
        assert!(began.elapsed() < Duration::from_secs(4), "the wake was not heard");
    }
}
