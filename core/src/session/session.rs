//! One connection as a machine: HTTP/1.1 on the wire, a service behind it.
//!
//! The rule: [`Session::step`] goes round until nothing moves, so that it does not matter what caused it;
//! and each fact has one owner: the protocol's is [`h1::Conn`](crate::h1::Conn), what a handler wants is the
//! exchange's, and only [`Stage`] says where the connection stands.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use http::Method;

use crate::error::Disconnected;
use crate::h1::{CloseReason, ServerConn};
use crate::limits::Limits;
use crate::machine::{Io, Machine, Moment, Now, Peer, Phase, Read, Wants};
use crate::message::{Body, OnDisconnect};
use crate::session::exchange::Exchange;
use crate::session::lifecycle::{Attached, Spawner, Task};
use crate::session::observe::{AccessRecord, Entry, Event, Observed, Observer};
use crate::session::pace::Pace;
use crate::session::scope::Scope;
use crate::session::service::{IntoService, Service};
use crate::session::websocket::Driver;

/// Rounds in one step; then the machine wakes itself. A round serves at most one request, or moves at most
/// one piece of a body.
const ROUNDS_IN_A_STEP: usize = 64;

/// One connection that serves HTTP/1.1: a [`Machine`] around a [`Service`].
///
/// ```text
///            head             answered, body read           flushed, FIN or linger_time
/// Waiting ---------> Exchange ---------------------> Closing ------------------------> Done
///    ^                  | answered, a short body unread  ^ ^
///    |                  v                                | |
///    +------------- Discarding --------------------------+ |
///    |   body read               body_time                 |
///    +-----------------------------------------------------+
///        refused, idle_time, drain
/// ```
///
/// A message that must look cut leads to [`Phase::Abort`] from any of them.
///
/// ```
/// use bakestone::machine::{Io, Machine, Moment, Now, Read};
/// use bakestone::{Request, Session, Text};
/// use bytes::Buf;
/// use std::task::{Context, Waker};
///
/// let mut session = Session::new(|request: Request| Text(format!("You asked for {}", request.path())));
/// let mut io = Io::default();
/// io.input.extend_from_slice(b"GET /cake HTTP/1.1\r\nHost: example.com\r\n\r\n");
/// let wants = session.step(Now::default(), &mut io, &mut Context::from_waker(Waker::noop()));
///
/// let answer = io.output.copy_to_bytes(io.output.remaining());
/// assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
/// assert!(answer.ends_with(b"\r\n\r\nYou asked for /cake"));
/// assert_eq!(wants.read, Read::Need);
/// ```
#[must_use = "a session does nothing unless it is stepped"]
pub struct Session<S: Service> {
    pub(super) service: S,
    pub(super) conn: ServerConn,
    pub(super) scope: Arc<Scope>,
    /// The scope as a waker: futures are polled with it, so that a step without a wake polls none.
    pub(super) waker: Waker,
    pub(super) exchange: Arc<Exchange>,
    pub(super) attached: Option<Attached>,
    pub(super) observed: Observed,
    /// Whether the machine was stepped before.
    pub(super) accepted: bool,
    pub(super) stage: Stage,
    /// The handler's future, in a place that serves all requests of the connection.
    pub(super) handler: Pin<Box<Option<S::Future>>>,
    /// The handler, or the body, was not polled since something it may go on with.
    pub(super) poll_due: bool,
    /// The future in `handler` renders an error, so that a second error finds no third.
    pub(super) failing: bool,
    /// When the machine asked to be stepped again.
    wake_at: Option<Moment>,
    /// A deadline may have passed that was not acted on.
    may_expire: bool,
    pub(super) sending: Sending,
    /// The clocks, as of this step.
    pub(super) now: Now,
    /// The message must look cut; the driver is told once there is no output left.
    pub(super) abort: bool,
    pub(super) peer: Peer,
    pub(super) draining: bool,
    pub(super) times: Times,
    /// What runs once all output has been flushed.
    pub(super) after: Vec<Task>,
    /// The running request, for whoever observes.
    pub(super) record: Option<Box<AccessRecord>>,
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// For a head, or its rest.
    Waiting,
    /// A request has been handed over, or a refusal is being rendered.
    Exchange,
    /// The response is complete, and a short rest of the request's body is read to keep the connection.
    Discarding,
    /// Nothing more will be said; what the peer still sends is discarded.
    Closing,
    Done,
}

/// How far the response has come.
#[derive(Debug, Default)]
pub(super) enum Sending {
    /// No head has been sent.
    #[default]
    Nothing,
    /// The handler writes it by itself.
    Writer,
    /// The body is polled as there is room.
    Stream(Body),
    /// The connection is a WebSocket, or was.
    Socket(Box<Driver>),
    /// All of it is in the output.
    Complete,
}

/// The points in time from which the deadlines are counted.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// When the first byte of the head that is being read was seen; for the first head, the accept.
    pub(super) head_began_at: Option<Moment>,
    /// When the output ran empty after the last response.
    pub(super) idle_since: Option<Moment>,
    /// When the handler was called.
    pub(super) called_at: Option<Moment>,
    /// The request's body, while one is being read.
    pub(super) body: Option<Pace>,
    /// The output, while there is some.
    pub(super) write: Option<Pace>,
    /// What the peer had taken of the output when it was last looked at.
    pub(super) taken: u64,
    /// When lingering ends; set once the output is empty.
    pub(super) linger_ends_at: Option<Moment>,
    /// When draining ends.
    pub(super) drain_ends_at: Option<Moment>,
}

impl<S: Service> Session<S> {
    /// A session under the default limits.
    pub fn new<M>(service: impl IntoService<M, Service = S>) -> Self {
        Self::with_limits(service, Arc::new(Limits::default()))
    }

    /// A session under `limits`, which all sessions of a server may share.
    pub fn with_limits<M>(service: impl IntoService<M, Service = S>, limits: Arc<Limits>) -> Self {
        let scope = Scope::new();
        Self {
            service: service.into_service(),
            conn: ServerConn::new(limits.clone()),
            accepted: false,
            waker: scope.clone().into(),
            exchange: Exchange::new(scope.clone(), limits),
            scope,
            attached: None,
            observed: Observed::default(),
            stage: Stage::Waiting,
            handler: Box::pin(None),
            poll_due: false,
            failing: false,
            wake_at: None,
            may_expire: false,
            sending: Sending::Nothing,
            now: Now::default(),
            abort: false,
            peer: Peer::Open,
            draining: false,
            times: Times::default(),
            after: Vec::new(),
            record: None,
        }
    }

    /// Lets handlers start tasks on a [`Lifecycle`](crate::Lifecycle), which does not end before this
    /// session, or its drain.
    pub fn lifecycle(mut self, spawner: &Spawner) -> Self {
        self.attached = Some(spawner.attach());
        self
    }

    /// Tells `observer` what happens.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observed = Observed(Some(observer));
        self
    }

    /// One round of progress; whether there was any.
    fn round(&mut self, io: &mut Io) -> bool {
        let news = self.scope.take_news();
        self.poll_due |= news.woken;
        let noticed = self.notice_peer(io) | self.notice_drain(io);
        // What has left makes room, which is made use of below, in this very round.
        self.notice_output(io);
        // The clock stands still within a step, so most rounds need not look for a deadline that has passed.
        self.may_expire = self.may_expire && self.expire(io);
        let moved = noticed | self.may_expire;
        let received = self.receive(io);
        let sent = self.send(io);
        moved | received | sent | news.any
    }

    /// Goes round until nothing moves; whether that is so before all of `rounds` are used up.
    fn go_round(&mut self, io: &mut Io, mut rounds: usize) -> bool {
        // What was told of the deadlines at the end of the last step still holds.
        self.may_expire = self.wake_at.is_some_and(|at| at <= self.now.mono);
        loop {
            while rounds > 0 && self.round(io) {
                rounds -= 1;
            }
            self.clock_transfers(io);
            self.clock_socket(io);
            let timer = self.scope.settle(&mut io.effects);
            self.wake_at = self.earliest().into_iter().chain(timer).min();
            self.may_expire = self.wake_at.is_some_and(|at| at <= self.now.mono);
            // What was begun in this step may have no time at all.
            if rounds == 0 || !(self.may_expire && self.round(io)) {
                return rounds > 0;
            }
            rounds -= 1;
        }
    }

    /// Takes in what the driver says of the peer.
    fn notice_peer(&mut self, io: &mut Io) -> bool {
        if io.peer <= self.peer {
            return false;
        }
        self.peer = io.peer;
        match io.peer {
            Peer::Open => {}
            Peer::Finished => self.conn.finish_input(),
            Peer::Gone => self.peer_gone(io),
        }
        true
    }

    /// Nobody reads any more: what runs is cancelled or told, by the handler's policy.
    fn peer_gone(&mut self, io: &mut Io) {
        io.output.clear();
        io.input.clear();
        self.conn.close(CloseReason::InputEnded);
        let policy = self.exchange.on_disconnect();
        let safe = self.method().is_some_and(Method::is_safe);
        let cancel = match policy {
            Some(policy) => policy == OnDisconnect::Cancel,
            None => safe,
        };
        self.exchange.lose(Disconnected::Gone, policy != Some(OnDisconnect::Finish));
        // Of a lost socket the handler learns as of its close: it has a while to end by itself.
        let told = policy.is_none() && matches!(self.sending, Sending::Socket(_));
        if (cancel && !told) || self.failing {
            self.drop_handler();
        }
        self.drop_body();
        if self.handler.is_none() {
            self.end_exchange();
            self.stage = Stage::Closing;
        }
    }

    /// Takes in that the server stops.
    fn notice_drain(&mut self, io: &mut Io) -> bool {
        if !io.drain || std::mem::replace(&mut self.draining, true) {
            return false;
        }
        self.times.drain_ends_at = Some(self.now.mono + self.conn.limits().drain_time);
        self.conn.close(CloseReason::Draining);
        if let Sending::Socket(socket) = &self.sending {
            socket.drain();
        }
        if self.stage == Stage::Waiting && io.input.is_empty() {
            self.stage = Stage::Closing;
            if io.output.is_empty() {
                // What the peer may still have to read is the last answer, and that left when the connection became
                // idle: lingering has begun then. Before the first request there is nothing to linger for.
                let since = self.times.idle_since.map(|at| at + self.conn.limits().linger_time);
                self.times.linger_ends_at = Some(since.unwrap_or(self.now.mono));
            }
        }
        true
    }

    /// Takes in how much of the output the peer has read.
    fn notice_output(&mut self, io: &mut Io) {
        let taken = io.output.taken() - self.times.taken;
        self.times.taken = io.output.taken();
        if io.output.is_empty() {
            let flushed = self.times.write.take().is_some() || taken > 0;
            self.start_after();
            if flushed {
                self.times.idle_since = Some(self.now.mono);
            }
        } else if taken > 0 {
            if let Some(pace) = &mut self.times.write {
                pace.progress(taken, self.now.mono);
            }
        }
    }

    /// Hands what was kept for the time after the response to the lifecycle.
    pub(super) fn start_after(&mut self) {
        if self.after.is_empty() {
            return;
        }
        for task in std::mem::take(&mut self.after) {
            let attached = self.attached.as_ref();
            // A lifecycle that is over drops it, and has already said that it drops tasks.
            self.observed.guard(Entry::Drop, || attached.map(|attached| attached.spawner().start(task)));
        }
    }

    /// The exchange is over: whoever still holds a part of it is told so.
    pub(super) fn end_exchange(&mut self) {
        self.end_record();
        match Arc::get_mut(&mut self.exchange) {
            // Nobody is left to be told.
            Some(exchange) => self.after.append(&mut exchange.forget()),
            None => {
                self.exchange.end();
                self.after.append(&mut self.exchange.take_after());
            }
        }
        self.times.called_at = None;
        self.times.body = None;
        self.failing = false;
    }

    /// Tells what became of the request that runs, if one does.
    fn end_record(&mut self) {
        let Some(mut record) = self.record.take() else { return };
        record.time = self.now.mono.since(record.began_at);
        let sent = match &self.sending {
            Sending::Complete => record.status.is_some(),
            Sending::Socket(socket) => socket.is_complete(),
            _ => false,
        };
        record.is_complete = sent && !self.abort && self.peer != Peer::Gone;
        self.observed.tell(Event::RequestEnded(&record));
    }

    /// Tells, once, that the connection is over.
    pub(super) fn tell_closed(&mut self) {
        if self.accepted && self.stage != Stage::Done {
            let reason = self.conn.close_reason().unwrap_or(CloseReason::InputEnded);
            self.observed.tell(Event::ConnectionClosed(reason));
        }
    }

    /// Looks how much of the response has been made, for whoever observes.
    pub(super) fn measure_response(&mut self, io: &Io) {
        if let Some(record) = &mut self.record {
            // Output that a deadline has thrown away is no reason to count less.
            let made = (io.output.taken() + io.output.len()).saturating_sub(record.written_before);
            record.bytes = record.bytes.max(made);
        }
    }

    /// The running request's method, where there is one.
    pub(super) fn method(&self) -> Option<&Method> {
        self.exchange.asked().map(|asked| &asked.method)
    }

    /// Drops the handler's future where it stands.
    pub(super) fn drop_handler(&mut self) {
        let handler = &mut self.handler;
        if handler.is_some() {
            self.observed.guard(Entry::Drop, || handler.set(None));
        }
    }

    /// Drops the response's body: nobody reads it.
    pub(super) fn drop_body(&mut self) {
        match std::mem::replace(&mut self.sending, Sending::Complete) {
            Sending::Stream(body) => _ = self.observed.guard(Entry::Drop, || drop(body)),
            Sending::Socket(socket) => {
                self.sending = Sending::Socket(socket);
                self.lose_socket(Disconnected::Gone);
            }
            _ => {}
        }
    }

    /// Whether the response, or what the connection was switched to, is through.
    pub(super) fn has_sent_all(&self) -> bool {
        match &self.sending {
            Sending::Complete => true,
            Sending::Socket(socket) => socket.is_over(),
            _ => false,
        }
    }

    /// The message must look cut: nothing more is written, and once the driver has taken what was, the connection
    /// is reset. So what the driver is given is the same however the input came in pieces; how much of it the
    /// reset leaves to the peer is the transport's.
    pub(super) fn abort(&mut self, io: &Io) {
        self.measure_response(io);
        self.abort = true;
        self.conn.close(CloseReason::Aborted);
        self.drop_body();
        if self.handler.is_none() {
            self.end_exchange();
            self.stage = Stage::Closing;
        }
    }

    /// As [`abort`](Self::abort), by a server that does not wait for the peer to read.
    pub(super) fn abort_now(&mut self, io: &mut Io) {
        self.measure_response(io);
        io.output.clear();
        self.times.write = None;
        self.abort(io);
    }

    /// Whether more output may be queued before the peer has to read.
    pub(super) fn has_room(&self, io: &Io) -> bool {
        io.output.len() < self.conn.limits().output_bytes as u64
    }

    fn wants(&self, io: &Io, again: bool) -> Wants {
        let phase = match self.stage {
            Stage::Done => return Wants::DONE,
            _ if self.abort && self.peer != Peer::Gone => match io.output.is_empty() {
                true => Phase::Abort,
                false => Phase::Open,
            },
            Stage::Closing if self.peer != Peer::Gone => Phase::Lingering,
            // A tunnel, or a body that the close delimits, has ended in this direction while its handler runs.
            Stage::Exchange if self.peer != Peer::Gone && self.has_said_all() => Phase::Lingering,
            _ => Phase::Open,
        };
        let mut read = self.read(io);
        if again {
            read = read.min(Read::Watch);
        }
        Wants { read, wake_at: self.wake_at, phase }
    }

    /// Whether nothing more will be sent, though the exchange is not over.
    fn has_said_all(&self) -> bool {
        self.has_sent_all() && self.conn.close_reason().is_some()
    }

    fn wants_content(&self) -> bool {
        match &self.sending {
            Sending::Socket(socket) => socket.reads(),
            _ => self.exchange.wants_body(),
        }
    }

    fn read(&self, io: &Io) -> Read {
        if self.peer != Peer::Open || self.abort {
            return Read::Pause;
        }
        let needed = match self.stage {
            Stage::Waiting => self.has_room(io),
            Stage::Exchange => self.wants_content() && self.has_room(io),
            Stage::Discarding | Stage::Closing => true,
            Stage::Done => false,
        };
        match needed {
            true => Read::Need,
            false if io.input.len() < self.conn.limits().read_ahead => Read::Watch,
            false => Read::Pause,
        }
    }
}

impl<S: Service> Machine for Session<S> {
    fn step(&mut self, now: Now, io: &mut Io, cx: &mut Context<'_>) -> Wants {
        if self.stage == Stage::Done {
            return Wants::DONE;
        }
        self.now = now;
        if !std::mem::replace(&mut self.accepted, true) {
            self.times.head_began_at = Some(self.now.mono);
            self.observed.connected(&io.connection);
        }
        self.scope.begin(now, io.drain, cx);
        let again = !self.go_round(io, ROUNDS_IN_A_STEP);
        if again {
            cx.waker().wake_by_ref();
        }
        let wants = self.wants(io, again);
        self.scope.end();
        wants
    }
}

impl<S: Service> Drop for Session<S> {
    /// A connection that is dropped has lost its peer; what was to run after the response still does.
    fn drop(&mut self) {
        self.drop_handler();
        self.drop_body();
        if self.accepted && self.stage != Stage::Done {
            self.peer = Peer::Gone;
            self.conn.close(CloseReason::Aborted);
        }
        self.end_exchange();
        self.tell_closed();
        self.start_after();
        self.scope.close();
    }
}

impl<S: Service> std::fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("stage", &self.stage)
            .field("sending", &self.sending)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
