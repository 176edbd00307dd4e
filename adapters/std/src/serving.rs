//! A server that has begun: what an adapter drives.
//!
//! The rule: whatever does not wait stands here, once; an adapter adds how its runtime waits.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bakestone::effect::Effect;
use bakestone::machine::{Address, ConnectionInfo, Io, Machine, Moment, Now, Wants};
use bakestone::session::{Observer, Service, Spawner, Stage};
use bakestone::{Lifecycle, Limits, Session};

use crate::{Clock, Connection, Handle, Listener, Pool, ServeError, Socket, Stop, Watch};

/// How long a server waits, after the time of its drain, for connections whose handler does not let go of its thread.
const LET_GO: Duration = Duration::from_secs(1);

/// Who is told that connections are accepted, and where.
pub(crate) type OnReady = Box<dyn FnOnce(&[Address]) + Send>;

/// A server that has begun, in the hands of an adapter: it is to step the life, and to accept from the listeners
/// once that runs.
pub struct Start<S> {
    /// What every connection needs.
    pub serving: Arc<Serving<S>>,
    /// The server's life.
    pub life: Life,
    /// Where connections come from.
    pub listeners: Vec<Listener>,
    pub(crate) addresses: Vec<Address>,
    pub(crate) on_ready: Option<OnReady>,
}

impl<S> Start<S> {
    /// Says that connections are accepted, unless the server was stopped meanwhile.
    pub fn ready(&mut self) {
        if self.serving.handle.stopping() != Stop::No {
            return;
        }
        if let Some(tell) = self.on_ready.take() {
            tell(&self.addresses);
        }
    }

    /// Takes in whether accepting has begun: it is [said](Self::ready), or the server drains, since what its hooks
    /// have begun is ended by hooks.
    ///
    /// # Errors
    ///
    /// That of `begun`, to return once the life is over.
    pub fn begun<T, E>(&mut self, begun: Result<T, E>) -> Result<T, E> {
        match &begun {
            Ok(_) => self.ready(),
            Err(_) => self.serving.handle.shutdown(),
        }
        begun
    }

    /// The listeners of a further worker.
    ///
    /// # Errors
    ///
    /// [`ServeError::Listen`] if it is to have sockets of its own, and cannot.
    pub fn listeners_again(&self) -> Result<Vec<Listener>, ServeError> {
        let twin = |listener: &Listener| {
            let address = listener.address().to_string();
            listener.twin().map_err(|source| ServeError::Listen { address, source })
        };
        self.listeners.iter().map(twin).collect()
    }
}

impl<S> fmt::Debug for Start<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("life", &self.life)
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "tape")]
type Inner<S> = bakestone::tape::Recorder<Session<Arc<S>>>;
#[cfg(not(feature = "tape"))]
type Inner<S> = Session<Arc<S>>;

/// What serves a connection: a session and, with the feature `tape`, what records it.
pub struct Driven<S: Service>(Inner<S>);

impl<S: Service> Machine for Driven<S> {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        self.0.step(now, io, cx)
    }
}

impl<S: Service> fmt::Debug for Driven<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Driven")
    }
}

/// What every connection of a server needs.
pub struct Serving<S> {
    pub(crate) service: Arc<S>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) spawner: Spawner,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    #[cfg(feature = "tape")]
    pub(crate) recording: Option<bakestone::tape::Recording>,
    /// The clocks of the server.
    pub clock: Clock,
    /// The open connections, and the end.
    pub handle: Handle,
    /// Where effects are answered.
    pub pool: Arc<Pool>,
}

impl<S: Service> Serving<S> {
    /// A connection on an open socket.
    pub fn connection<T: Socket>(&self, socket: T, info: ConnectionInfo) -> Connection<Driven<S>, T> {
        let mut session =
            Session::with_limits(self.service.clone(), self.limits.clone()).lifecycle(&self.spawner);
        if let Some(observer) = &self.observer {
            session = session.observer(observer.clone());
        }
        Connection::new(self.driven(session, &info), socket, info, &self.limits)
    }

    #[cfg(feature = "tape")]
    fn driven(&self, session: Session<Arc<S>>, info: &ConnectionInfo) -> Driven<S> {
        Driven(match &self.recording {
            Some(recording) => recording.record(session, info),
            None => Inner::<S>::off(session),
        })
    }

    #[cfg(not(feature = "tape"))]
    fn driven(&self, session: Session<Arc<S>>, _: &ConnectionInfo) -> Driven<S> {
        Driven(session)
    }
}

impl<S> fmt::Debug for Serving<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// A server's [`Lifecycle`], with what it is stepped with.
#[derive(Debug)]
pub struct Life {
    lifecycle: Lifecycle,
    io: Io,
    watch: Watch,
    /// The clocks of the server.
    pub clock: Clock,
    /// Where effects are answered.
    pub pool: Arc<Pool>,
    drain_time: Duration,
    /// When the drain is over at the latest, once it has begun.
    drain_ends_at: Option<Moment>,
}

impl Life {
    pub(crate) fn new<S>(lifecycle: Lifecycle, serving: &Serving<S>) -> Self {
        let Serving { clock, handle, pool, limits, .. } = serving;
        Self {
            lifecycle,
            io: Io::default(),
            watch: handle.watch(),
            clock: *clock,
            pool: pool.clone(),
            drain_time: limits.drain_time,
            drain_ends_at: None,
        }
    }

    /// Steps the lifecycle; `None` once it has reached `stage`, or the server ends here and now.
    pub fn step(
        &mut self,
        stage: Stage,
        cx: &mut Context<'_>,
        perform: impl Fn(&Arc<Pool>, Effect),
    ) -> Option<Wants> {
        let stop = self.watch.poll(cx);
        let now = self.clock.now();
        self.io.drain = stop != Stop::No;
        if self.io.drain {
            self.drain_ends_at.get_or_insert(now.mono + self.drain_time);
        }
        let wants = self.lifecycle.step(now, &mut self.io, cx);
        self.io.effects.drain(..).for_each(|effect| perform(&self.pool, effect));
        (self.lifecycle.stage() < stage && stop != Stop::Now).then_some(wants)
    }

    /// Until when to wait for the connections that are left, once the life is over: each comes to its own end within
    /// the time of the drain, unless its handler does not let go of its thread.
    pub fn let_go_at(&self) -> Moment {
        let now = self.clock.now().mono;
        let drains = self.drain_ends_at.filter(|_| self.watch.stopping() != Stop::Now);
        drains.map_or(now, |at| at.max(now)) + LET_GO
    }

    /// Why the server did not start, if a start-up hook failed. It is given once.
    ///
    /// # Errors
    ///
    /// [`ServeError::Startup`].
    pub fn started(&mut self) -> Result<(), ServeError> {
        self.lifecycle.take_failure().map_or(Ok(()), |failure| Err(ServeError::Startup(failure)))
    }
}

/// A future among others of its kind.
pub type BoxFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Runs futures side by side until all are over. Each is dropped as soon as it is.
pub async fn join(mut futures: Vec<BoxFuture<'_>>) {
    poll_fn(|cx| {
        futures.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
