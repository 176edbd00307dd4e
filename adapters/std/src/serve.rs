//! A server on plain threads.
//!
//! The rule: a connection's thread waits on three things at once, its socket, its wakes and its deadline, so
//! that whatever works under an event loop works here.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use bakestone::app::Application;
use bakestone::machine::{ConnectionInfo, Io, Machine, Moment};
use bakestone::session::{Service, Spawner, Stage};
use bakestone::{Lifecycle, Limits, Session};
use bytes::BytesMut;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{Clock, Connection, ServeError, Socket, Turn, files, is_of_one_connection, read_from};

/// Serves `app` on `address`, with a thread for each connection, for as long as the process runs.
///
/// # Errors
///
/// [`ServeError`]: the application is not sound, a start-up hook failed, or the address is taken.
pub fn run<M, A>(app: A, address: impl ToSocketAddrs + fmt::Debug) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
{
    let listener = TcpListener::bind(&address)
        .map_err(|source| ServeError::Listen { address: format!("{address:?}"), source })?;
    serve(listener, app)
}

/// Serves `app` on a listener, with a thread for each connection, for as long as the process runs.
///
/// # Errors
///
/// [`ServeError`], as [`run`].
pub fn serve<M, A>(listener: TcpListener, app: A) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
{
    let (service, lifecycle) = app.start().map_err(ServeError::Build)?;
    let server = Server {
        service: Arc::new(service),
        clock: Clock::start(),
        limits: Arc::new(Limits::default()),
        spawner: lifecycle.spawner(),
    };
    start(lifecycle, server.clock)?;
    loop {
        match listener.accept() {
            Ok((socket, peer)) => server.connect(socket, peer),
            Err(error) if is_of_one_connection(&error) => {}
            // No descriptors, no memory: that passes when others end, and spinning would not help them.
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Drives the lifecycle through its start, and from then on beside the listener.
fn start(mut lifecycle: Lifecycle, clock: Clock) -> Result<(), ServeError> {
    let mut io = Io::default();
    let alarm = Alarm::new().map_err(ServeError::System)?;
    let mut run = move |lifecycle: &mut Lifecycle, leave: fn(Stage) -> bool| -> io::Result<()> {
        loop {
            let wants = lifecycle.step(clock.now(), &mut io, &mut Context::from_waker(&alarm.waker));
            let asked = !io.effects.is_empty();
            io.effects.drain(..).for_each(files::perform);
            if leave(lifecycle.stage()) {
                return Ok(());
            }
            if !asked {
                alarm.wait(None, PollFlags::empty(), wants.wake_at, clock)?;
            }
        }
    };
    run(&mut lifecycle, |stage| stage != Stage::Starting).map_err(ServeError::System)?;
    if let Some(failure) = lifecycle.take_failure() {
        run(&mut lifecycle, |stage| stage == Stage::Over).map_err(ServeError::System)?;
        return Err(ServeError::Startup(failure));
    }
    let name = thread::Builder::new().name("bakestone-lifecycle".into());
    let rest = move || run(&mut lifecycle, |stage| stage == Stage::Over);
    name.spawn(rest).map(|_| ()).map_err(ServeError::System)
}

struct Server<S> {
    service: Arc<S>,
    clock: Clock,
    limits: Arc<Limits>,
    spawner: Spawner,
}

impl<S: Service + Send + Sync + 'static> Server<S> {
    /// Gives a connection its thread.
    fn connect(&self, socket: TcpStream, peer: SocketAddr) {
        let service = self.service.clone();
        let (clock, limits) = (self.clock, self.limits.clone());
        let spawner = self.spawner.clone();
        let work = move || {
            // The handler's future stays on this thread, so it need not be one that may move.
            let session = Session::with_limits(service, limits.clone()).lifecycle(&spawner);
            let local = socket.local_addr().ok().map(Into::into);
            let info = ConnectionInfo::new(Some(peer.into()), local);
            let Ok(socket) = Plain::new(socket) else { return };
            // An error of waiting is an end of the connection like any other.
            let _ = drive(Connection::new(session, socket, info, limits.read_ahead), clock);
        };
        // Without a thread there is no connection: the socket is dropped, and the peer sees it close.
        let _ = thread::Builder::new().name("bakestone-connection".into()).spawn(work);
    }
}

/// Runs a connection to its end.
fn drive<M: Machine>(mut connection: Connection<M, Plain>, clock: Clock) -> io::Result<()> {
    let alarm = Alarm::new()?;
    loop {
        let mut answered = false;
        let mut perform = |effect| {
            answered = true;
            files::perform(effect);
        };
        let cx = &mut Context::from_waker(&alarm.waker);
        let turn = connection.turn(|| clock.now(), false, cx, &mut perform);
        match turn {
            Turn::Over => return Ok(()),
            Turn::Wait { readable, writable, until } if !answered => {
                let mut flags = PollFlags::empty();
                flags.set(PollFlags::IN, readable);
                flags.set(PollFlags::OUT, writable);
                if alarm.wait(connection.socket(), flags, until, clock)? {
                    connection.lose();
                }
            }
            Turn::Wait { .. } | Turn::Again => {}
        }
    }
}

/// A socket of the standard library, not blocking.
struct Plain(TcpStream);

impl Plain {
    fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        Ok(Self(socket))
    }
}

impl Socket for Plain {
    fn read(&mut self, into: &mut BytesMut) -> io::Result<usize> {
        read_from(&mut self.0, into)
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn finish(&mut self) {
        // If the peer is gone already, the next read says so.
        let _ = self.0.shutdown(Shutdown::Write);
    }

    fn reset(&mut self) {
        // Without it the close is an orderly one, which is the most that can still be done.
        let _ = socket2::SockRef::from(&self.0).set_linger(Some(Duration::ZERO));
    }
}

/// What wakes a thread that waits on descriptors.
struct Alarm {
    bell: UnixStream,
    ring: Arc<Ring>,
    waker: Waker,
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
    fn new() -> io::Result<Self> {
        let (bell, rope) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        rope.set_nonblocking(true)?;
        let ring = Arc::new(Ring { rope, rung: AtomicBool::new(false) });
        Ok(Self { bell, waker: ring.clone().into(), ring })
    }

    /// Waits for a wake, for `flags` on the socket, or for the moment; whether the socket reports an error
    /// or a hang-up that nobody reads.
    fn wait(
        &self,
        socket: Option<&Plain>,
        flags: PollFlags,
        until: Option<Moment>,
        clock: Clock,
    ) -> io::Result<bool> {
        let time = until.map(|at| at.since(clock.now().mono));
        let time = time.and_then(|time| {
            Some(Timespec { tv_sec: time.as_secs().try_into().ok()?, tv_nsec: time.subsec_nanos().into() })
        });
        let mut waits = [PollFd::new(&self.bell, PollFlags::IN), PollFd::new(&self.bell, PollFlags::empty())];
        if let Some(socket) = socket {
            waits[1] = PollFd::new(&socket.0, flags);
        }
        match poll(&mut waits, time.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(false),
            result => result?,
        };
        if !waits[0].revents().is_empty() {
            // The pipe is emptied first: a wake in between finds the flag still up, and the step that follows
            // sees what it was for. The other way round its byte would be lost, and the flag stay up for ever.
            let _ = (&self.bell).read(&mut [0; 8]);
            self.ring.rung.swap(false, Ordering::AcqRel);
        }
        let broken = waits[1].revents().intersects(PollFlags::ERR | PollFlags::HUP);
        Ok(broken && !flags.contains(PollFlags::IN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A wake between the two halves of hearing one left the flag up over an empty pipe, and no later wake rang.
    #[test]
    fn no_wake_is_lost_to_another() {
        let alarm = Alarm::new().expect("a pair of sockets");
        let clock = Clock::start();
        let waker = alarm.waker.clone();
        let ringing = thread::spawn(move || (0..200_000).for_each(|_| waker.wake_by_ref()));
        let soon = |time| Some(clock.now().mono + Duration::from_millis(time));
        while !ringing.is_finished() {
            alarm.wait(None, PollFlags::empty(), soon(1), clock).expect("a wait");
        }
        alarm.wait(None, PollFlags::empty(), soon(0), clock).expect("a wait");
        let began = Instant::now();
        alarm.waker.wake_by_ref();
        alarm.wait(None, PollFlags::empty(), soon(5_000), clock).expect("a wait");
        assert!(began.elapsed() < Duration::from_secs(4), "the wake was not heard");
    }
}
