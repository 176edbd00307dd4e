//! A server on plain threads.
//!
//! The rule: a connection's thread waits on three things at once, its socket, its wakes and its deadline, so
//! that whatever works under an event loop works here; and effects are answered by other threads, since this one
//! has a client to watch.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use bakestone::app::Application;
use bakestone::effect::Effect;
use bakestone::machine::ConnectionInfo;
use bakestone::session::{Service, Stage};
use rustix::event::PollFlags;

use crate::alarm::Alarm;
use crate::{
    BACK_OFF, Connection, Driven, LOOK_AGAIN, Life, Listen, Listener, Place, Pool, ServeError, Serving, Stop,
    Stream, Turn, is_of_one_connection, stop_at_signals,
};

/// How long a thread of the pool waits for more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves `app`, with a thread for each connection, until SIGINT or SIGTERM comes; then it drains.
///
/// # Errors
///
/// [`ServeError`]: the application is not sound, a start-up hook failed, or the address is taken.
pub fn run<M, A>(app: A, at: impl Listen) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
{
    let server = at.into_server();
    let _signals = stop_at_signals(&server.handle())?;
    serve(app, server)
}

/// Serves `app`, with a thread for each connection, until the [handle](crate::Server::handle) of the server says
/// otherwise; then it drains: no connection is accepted any more, idle ones are closed, busy ones come to their
/// end within `drain_time`.
///
/// # Errors
///
/// [`ServeError`], as [`run`].
pub fn serve<M, A>(app: A, at: impl Listen) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
{
    let mut start = at.into_server().start(app, PATIENCE)?;
    let (clock, handle) = (start.serving.clock, start.serving.handle.clone());
    let alarm = Alarm::new(clock).map_err(ServeError::System)?;

    live(&mut start.life, Stage::Running, &alarm).map_err(ServeError::System)?;
    if let Err(error) = start.life.started() {
        live(&mut start.life, Stage::Over, &alarm).map_err(ServeError::System)?;
        return Err(error);
    }
    // The life stays here, and accepting has a thread of its own, so that the hooks at the end run even without.
    let accepting = spawn_accepting(std::mem::take(&mut start.listeners), &start.serving);
    let accepting = start.begun(accepting);
    let lived = live(&mut start.life, Stage::Over, &alarm);
    let accepted = accepting.and_then(|thread| thread.join().unwrap_or(Ok(())));
    let until = start.life.let_go_at();
    while handle.poll_empty(&alarm.context()).is_pending() && clock.now().mono < until {
        alarm.wait_until(Some(until)).map_err(ServeError::System)?;
    }
    lived.and(accepted).map_err(ServeError::System)
}

/// Accepts on a thread of its own. If that ends, so does the server.
fn spawn_accepting<S: Service + Send + Sync + 'static>(
    listeners: Vec<Listener>,
    serving: &Arc<Serving<S>>,
) -> io::Result<thread::JoinHandle<io::Result<()>>> {
    let (serving, alarm) = (serving.clone(), Alarm::new(serving.clock)?);
    let accepting = move || {
        let _guard = serving.handle.shutdown_on_drop();
        accept(&listeners, &serving, &alarm)
    };
    thread::Builder::new().name("bakestone-accept".into()).spawn(accepting)
}

/// Drives a server's life to a stage.
fn live(life: &mut Life, stage: Stage, alarm: &Alarm) -> io::Result<()> {
    while let Some(wants) = life.step(stage, &mut alarm.context(), perform) {
        alarm.wait_until(wants.wake_at)?;
    }
    Ok(())
}

/// Accepts until the server stops.
fn accept<S: Service + Send + Sync + 'static>(
    listeners: &[Listener],
    serving: &Arc<Serving<S>>,
    alarm: &Alarm,
) -> io::Result<()> {
    let (mut watch, mut spare) = (serving.handle.watch(), None);
    while watch.poll(&alarm.context()) == Stop::No {
        match accept_some(listeners, serving, alarm, &mut spare) {
            Ok(true) => {}
            Ok(false) if serving.handle.poll_room(&alarm.context()).is_pending() => alarm.wait_until(None)?,
            Ok(false) => alarm.wait_readable(listeners)?,
            Err(_) => alarm.wait_until(Some(serving.clock.now().mono + BACK_OFF))?,
        }
    }
    if serving.handle.stopping() == Stop::Drain {
        // Whom the operating system has let in before the end, and whose request may be there, is answered.
        while accept_some(listeners, serving, alarm, &mut spare).unwrap_or(false) {}
    }
    Ok(())
}

/// Accepts one connection from each listener that has one; whether any had.
fn accept_some<S: Service + Send + Sync + 'static>(
    listeners: &[Listener],
    serving: &Arc<Serving<S>>,
    alarm: &Alarm,
    spare: &mut Option<Alarm>,
) -> io::Result<bool> {
    let mut any = false;
    for listener in listeners {
        let Poll::Ready(place) = serving.handle.poll_place(&alarm.context()) else { return Ok(any) };
        // The descriptors that a thread needs come first: what has been accepted must not fail for want of them.
        let own = spare.take().map_or_else(|| Alarm::new(serving.clock), Ok)?;
        match listener.accept() {
            Ok((stream, info)) => connect(place, own, stream, info, serving.clone())?,
            Err(error) => {
                *spare = Some(own);
                match error.kind() {
                    io::ErrorKind::WouldBlock => continue,
                    _ if is_of_one_connection(&error) => {}
                    _ => return Err(error),
                }
            }
        }
        any = true;
    }
    Ok(any)
}

/// Gives a connection its thread. Without one it is closed.
fn connect<S: Service + Send + Sync + 'static>(
    place: Place,
    alarm: Alarm,
    stream: Stream,
    info: ConnectionInfo,
    serving: Arc<Serving<S>>,
) -> io::Result<()> {
    let work = move || {
        // The session is made here, so that its handler's future need not be one that may move.
        let connection = serving.connection(stream, info);
        // An error of waiting is an end of the connection like any other.
        let _ = drive(place, connection, alarm, serving);
    };
    thread::Builder::new().name("bakestone-connection".into()).spawn(work).map(drop)
}

/// Runs a connection to its end. The place comes first, so that it goes last: nothing of the connection is left then.
fn drive<S: Service>(
    mut place: Place,
    mut connection: Connection<Driven<S>, Stream>,
    alarm: Alarm,
    serving: Arc<Serving<S>>,
) -> io::Result<()> {
    let Serving { clock, pool, .. } = &*serving;
    loop {
        let cx = &mut alarm.context();
        let stop = place.poll(cx);
        if stop == Stop::Now {
            return Ok(());
        }
        match connection.turn(|| clock.now(), stop == Stop::Drain, cx, |effect| perform(pool, effect)) {
            Turn::Over => return Ok(()),
            Turn::Again => {}
            Turn::Wait { readable, writable, until } => {
                let Some(socket) = connection.socket() else {
                    alarm.wait_until(until)?;
                    continue;
                };
                if !readable && !writable {
                    // A hang-up of both sides would be reported at once and for ever, and is no reset.
                    let look_at = clock.now().mono + LOOK_AGAIN;
                    alarm.wait_until(Some(until.map_or(look_at, |until| until.min(look_at))))?;
                    if connection.socket().is_some_and(Stream::is_broken) {
                        connection.lose();
                    }
                    continue;
                }
                let mut flags = PollFlags::empty();
                flags.set(PollFlags::IN, readable);
                flags.set(PollFlags::OUT, writable);
                alarm.wait_on(socket.as_fd(), flags, until)?;
            }
        }
    }
}

fn perform(pool: &Arc<Pool>, effect: Effect) {
    pool.submit(effect, |worker| {
        // Without a thread the effect is dropped, and so unanswered.
        let _ = thread::Builder::new().name("bakestone-blocking".into()).spawn(move || worker.run());
    });
}
