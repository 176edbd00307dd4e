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

use bakestone::Session;
use bakestone::app::Application;
use bakestone::effect::Effect;
use bakestone::machine::ConnectionInfo;
use bakestone::session::{Service, Stage};
use rustix::event::PollFlags;

use crate::alarm::Alarm;
use crate::{
    BACK_OFF, Connection, LET_GO, Life, Listen, Listener, Place, Pool, ServeError, Serving, Start, Stop,
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
    stop_at_signals(&server.handle())?;
    serve(server, app)
}

/// Serves `app`, with a thread for each connection, until the [handle](crate::Server::handle) of the server says
/// otherwise; then it drains: no connection is accepted any more, idle ones are closed, busy ones come to their
/// end within `drain_time`.
///
/// # Errors
///
/// [`ServeError`], as [`run`].
pub fn serve<M, A>(at: impl Listen, app: A) -> Result<(), ServeError>
where
    A: Application<M>,
    A::Service: Send + Sync + 'static,
{
    let mut start = at.into_server().start(app, PATIENCE)?;
    let (clock, handle) = (start.serving.clock, start.serving.handle.clone());
    let [alarm, life_alarm] = [Alarm::new(clock), Alarm::new(clock)];
    let (alarm, life_alarm) = (alarm.map_err(ServeError::System)?, life_alarm.map_err(ServeError::System)?);

    live(&mut start.life, Stage::Running, &life_alarm).map_err(ServeError::System)?;
    if let Err(error) = start.life.started() {
        live(&mut start.life, Stage::Over, &life_alarm).map_err(ServeError::System)?;
        return Err(error);
    }
    start.ready();
    let Start { serving, mut life, listeners, .. } = start;
    let rest = move || live(&mut life, Stage::Over, &life_alarm);
    let name = thread::Builder::new().name("bakestone-lifecycle".into());
    let life = name.spawn(rest).map_err(ServeError::System)?;

    let guard = handle.shutdown_on_drop();
    let accepted = accept(&listeners, &serving, &alarm);
    drop((listeners, guard));
    // It panics no more than it does elsewhere; and if it did, there would be nothing left to wait for.
    let _ = life.join();
    let until = clock.now().mono + LET_GO;
    while handle.poll_empty(&alarm.context()).is_pending() && clock.now().mono < until {
        alarm.wait_until(Some(until)).map_err(ServeError::System)?;
    }
    accepted.map_err(ServeError::System)
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
        let _ = drive(place, connection, &alarm, &serving);
    };
    thread::Builder::new().name("bakestone-connection".into()).spawn(work).map(drop)
}

/// Runs a connection to its end. The place comes first, so that it is the last to go.
fn drive<S: Service>(
    mut place: Place,
    mut connection: Connection<Session<Arc<S>>, Stream>,
    alarm: &Alarm,
    Serving { clock, pool, .. }: &Serving<S>,
) -> io::Result<()> {
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
                let mut flags = PollFlags::empty();
                flags.set(PollFlags::IN, readable);
                flags.set(PollFlags::OUT, writable);
                match connection.socket() {
                    Some(socket) if alarm.wait_on(socket.as_fd(), flags, until)? => connection.lose(),
                    Some(_) => {}
                    None => alarm.wait_until(until)?,
                }
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
