//! A server on a readiness loop of its own: one thread, many connections, [mio] and no async runtime.
//! `cargo run --bin readiness-loop`, then `curl http://127.0.0.1:8000/hello/world`.
//!
//! It shows what it takes to bring Bakestone to an event loop that it has never heard of: everything that a
//! server on tokio does is here, the drain and the background tasks included. Not here are unix sockets,
//! a second thread, and any lock around the application: nothing of it need be [`Send`].
//!
//! A reader may take [`serve`] as it is, or put its parts into a loop that exists already:
//!
//! - [`Calls`] is how a waker of any thread reaches the loop; it is the one thing here that is shared.
//! - [`Timers`] are the deadlines of all.
//! - [`Stream`] is what a socket has to be able to do.
//! - [`Loop`] brings them together. The server's life, each listener and each connection has a number, and has
//!   its turn when its number is called: by an event, by a deadline or by a waker, it does not matter which,
//!   since a turn without cause is harmless.
//!
//! The rule that makes this right with edge-triggered events: a turn tries everything that is wanted, and
//! leaves off only where the socket says `WouldBlock`, from where on there will be an event. If it leaves off
//! for any other reason, it sees to it that its number is called again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::io::{self, ErrorKind, IoSlice, Write as _};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use bakestone::app::Application;
use bakestone::effect::Effect;
use bakestone::machine::{Address, ConnectionInfo, Moment};
use bakestone::session::{Service, Stage};
use bakestone::{App, Path, Session, Text, get};
use bakestone_std::{
    BACK_OFF, Connection, LET_GO, Listen, Listener, Place, Pool, ServeError, Server, Socket, Start,
    StdListener, Stop, Turn, Watch, is_of_one_connection, read_from, stop_at_signals,
};
use bytes::BytesMut;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Token};
use socket2::SockRef;

/// The number of the server's life.
const LIFE: usize = 0;
/// The number of the bell, which calls nobody by itself.
const BELL: usize = 1;
/// The first number of a listener or a connection. None is given twice, so that an event, a deadline or a wake
/// that comes late finds nobody, and not somebody else.
const FIRST: usize = 2;

/// How long a thread of the pool waits for more.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections a listener lets in before the others have their turn.
const AT_ONCE: usize = 64;

/// Serves `app` from the calling thread until the [handle](Server::handle) of the server says otherwise; then it
/// drains, and returns.
///
/// # Errors
///
/// [`ServeError`]: the application is not sound, a start-up hook failed, or the address is taken or not a TCP one.
pub(crate) fn serve<M, A: Application<M>>(at: impl Listen, app: A) -> Result<(), ServeError> {
    let start = at.into_server().start(app, PATIENCE)?;
    let _guard = start.serving.handle.shutdown_on_drop();
    let mut server = Loop::new(start).map_err(ServeError::System)?;
    // Whatever may fail does so before the hooks run, which would else have to be undone.
    let doors = server.doors()?;
    server.run(Stage::Running).map_err(ServeError::System)?;
    if let Err(error) = server.start.life.started() {
        server.run(Stage::Over).map_err(ServeError::System)?;
        return Err(error);
    }
    server.open(doors);
    server.run(Stage::Over).map_err(ServeError::System)?;
    server.let_go().map_err(ServeError::System)
}

/// The loop, and everybody who has turns.
struct Loop<S: Service> {
    poll: mio::Poll,
    events: Events,
    calls: Arc<Calls>,
    timers: Timers,
    start: Start<S>,
    life: Waker,
    doors: BTreeMap<usize, Door>,
    guests: HashMap<usize, Guest<S>>,
    next: usize,
}

/// A listener, from the start-up to the drain.
struct Door {
    socket: TcpListener,
    listener: Listener,
    watch: Watch,
    waker: Waker,
}

/// A connection. The place comes last, so that it is free only when the rest is gone.
struct Guest<S: Service> {
    connection: Connection<Session<Arc<S>>, Stream>,
    waker: Waker,
    /// An event has told of an error, which a turn that did not read has not seen.
    broken: bool,
    place: Place,
}

impl<S: Service> Loop<S> {
    fn new(start: Start<S>) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let bell = mio::Waker::new(poll.registry(), Token(BELL))?;
        let calls = Arc::new(Calls { bell, called: Mutex::default() });
        let (life, events, timers) = (calls.waker(LIFE), Events::with_capacity(1024), Timers::default());
        let (doors, guests) = (BTreeMap::new(), HashMap::new());
        Ok(Self { poll, events, calls, timers, start, life, doors, guests, next: FIRST })
    }

    /// Goes round until the life has reached `stage`.
    fn run(&mut self, stage: Stage) -> io::Result<()> {
        self.calls.call(LIFE);
        while !self.round(stage)? {}
        Ok(())
    }

    /// Waits, and gives a turn to everybody who was called; whether the life has reached `stage`.
    fn round(&mut self, stage: Stage) -> io::Result<bool> {
        let mut reached = false;
        for id in self.wait()? {
            match id {
                LIFE => reached = self.live(stage),
                id if self.doors.contains_key(&id) => self.accept(id),
                id => self.turn(id),
            }
        }
        Ok(reached)
    }

    /// Waits until somebody is called.
    fn wait(&mut self) -> io::Result<BTreeSet<usize>> {
        let clock = self.start.serving.clock;
        let timeout = match self.calls.sleep() {
            true => self.timers.next_at().map(|at| at.since(clock.now().mono)),
            false => Some(Duration::ZERO),
        };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => result?,
        }
        let mut called = self.calls.take();
        for event in &self.events {
            let id = event.token().0;
            if let Some(guest) = self.guests.get_mut(&id) {
                guest.broken |= event.is_error();
            }
            called.insert(id);
        }
        let now = clock.now().mono;
        called.extend(std::iter::from_fn(|| self.timers.due(now)));
        Ok(called)
    }

    /// The turn of the server's life; whether it has reached `stage`.
    fn live(&mut self, stage: Stage) -> bool {
        let cx = &mut Context::from_waker(&self.life);
        let wants = self.start.life.step(stage, cx, perform);
        let Some(wants) = wants else { return true };
        self.timers.arm(LIFE, wants.wake_at);
        false
    }

    /// The turn of a listener: it lets in whoever waits. The listener is edge-triggered as well.
    fn accept(&mut self, id: usize) {
        let Some(door) = self.doors.get_mut(&id) else { return };
        for _ in 0..AT_ONCE {
            let place = match door.watch.poll_place(&Context::from_waker(&door.waker)) {
                Poll::Ready(Some(place)) => place,
                Poll::Ready(None) => return self.close(id),
                // The waker is woken when there is a place again.
                Poll::Pending => return,
            };
            let (registry, serving) = (self.poll.registry(), &self.start.serving);
            match door.next(registry, Token(self.next)) {
                Ok((stream, info)) => {
                    let (connection, waker) = (serving.connection(stream, info), self.calls.waker(self.next));
                    waker.wake_by_ref();
                    self.guests.insert(self.next, Guest { connection, waker, broken: false, place });
                    self.next += 1;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if is_of_one_connection(&error) => {}
                // There is no event when descriptors are free again.
                Err(_) => return self.timers.arm(id, Some(serving.clock.now().mono + BACK_OFF)),
            }
        }
        door.waker.wake_by_ref();
    }

    /// The turn of a connection; of nobody, if it is over.
    fn turn(&mut self, id: usize) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        let cx = &mut Context::from_waker(&guest.waker);
        let (stop, serving) = (guest.place.poll(cx), &self.start.serving);
        let turn = match stop {
            Stop::Now => Turn::Over,
            _ => {
                let (now, drain) = (|| serving.clock.now(), stop == Stop::Drain);
                guest.connection.turn(now, drain, cx, |effect| perform(&serving.pool, effect))
            }
        };
        match turn {
            Turn::Over => {
                self.timers.forget(id);
                self.guests.remove(&id);
            }
            Turn::Again => guest.waker.wake_by_ref(),
            // It did not read, or it would know. Whatever had arrived before the error has been read by now, or
            // is more than is read ahead.
            Turn::Wait { .. } if guest.broken && guest.connection.socket().is_some() => {
                guest.connection.lose();
                guest.waker.wake_by_ref();
            }
            // The socket is watched for everything all the time: what is not wanted costs a harmless turn.
            Turn::Wait { until, .. } => self.timers.arm(id, until),
        }
    }
}

/// Its beginning and its end.
impl<S: Service> Loop<S> {
    /// The listeners as sockets of the loop.
    fn doors(&mut self) -> Result<BTreeMap<usize, Door>, ServeError> {
        let mut doors = BTreeMap::new();
        for listener in &self.start.listeners {
            let (id, watch) = (self.next, self.start.serving.handle.watch());
            let door = Door::new(listener, watch, self.calls.waker(id), self.poll.registry(), Token(id));
            let address = || listener.address().to_string();
            doors.insert(id, door.map_err(|source| ServeError::Listen { address: address(), source })?);
            self.next += 1;
        }
        Ok(doors)
    }

    /// Accepts from now on.
    fn open(&mut self, doors: BTreeMap<usize, Door>) {
        self.start.ready();
        self.start.listeners.clear();
        self.doors = doors;
        self.doors.keys().for_each(|id| self.calls.call(*id));
    }

    /// Accepts from this listener no more.
    fn close(&mut self, id: usize) {
        self.timers.forget(id);
        let Some(mut door) = self.doors.remove(&id) else { return };
        // Another process may hold the same socket, which then would not be forgotten by being closed here.
        let _ = self.poll.registry().deregister(&mut door.socket);
    }

    /// The life is over: the last connections have a moment to say how they end.
    fn let_go(&mut self) -> io::Result<()> {
        let clock = self.start.serving.clock;
        let until = clock.now().mono + LET_GO;
        while !self.guests.is_empty() && clock.now().mono < until {
            self.timers.arm(LIFE, Some(until));
            self.round(Stage::Over)?;
        }
        Ok(())
    }
}

impl Door {
    fn new(
        listener: &Listener,
        watch: Watch,
        waker: Waker,
        registry: &mio::Registry,
        token: Token,
    ) -> io::Result<Self> {
        let StdListener::Tcp(socket) = listener.to_std()? else {
            return Err(io::Error::new(ErrorKind::Unsupported, "this loop serves TCP alone"));
        };
        let mut socket = TcpListener::from_std(socket);
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, listener: listener.clone(), watch, waker })
    }

    /// Takes the next connection into the loop.
    fn next(&self, registry: &mio::Registry, token: Token) -> io::Result<(Stream, ConnectionInfo)> {
        let (mut socket, peer) = self.socket.accept()?;
        // An answer that waits for an acknowledgement of the last one is a slow answer.
        let _ = socket.set_nodelay(true);
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        let local = socket.local_addr().ok().map(Address::Ip);
        Ok((Stream(socket), self.listener.info(Some(Address::Ip(peer)), local)))
    }
}

/// A connected socket. With its only descriptor it leaves the poll, so nothing takes it out of there.
struct Stream(TcpStream);

impl Socket for Stream {
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
        let _ = SockRef::from(&self.0).set_linger(Some(Duration::ZERO));
    }
}

/// The pool's threads answer effects: a file that is slow must not keep the loop.
fn perform(pool: &Arc<Pool>, effect: Effect) {
    pool.submit(effect, |worker| {
        // Without a thread the effect is dropped, and so unanswered.
        let _ = thread::Builder::new().name("blocking".into()).spawn(move || worker.run());
    });
}

/// The numbers that were called, from whatever thread; who is called twice has one turn.
struct Calls {
    called: Mutex<Called>,
    bell: mio::Waker,
}

#[derive(Default)]
struct Called {
    ids: BTreeSet<usize>,
    /// The loop waits, or is about to, and hears only the bell.
    asleep: bool,
}

impl Calls {
    fn call(&self, id: usize) {
        let mut called = self.lock();
        called.ids.insert(id);
        if std::mem::take(&mut called.asleep) {
            drop(called);
            // It fails only on a descriptor that is none, and this one lives as long as this.
            let _ = self.bell.wake();
        }
    }

    /// Says that the loop will wait; `false` if it must not, since somebody was called.
    fn sleep(&self) -> bool {
        let mut called = self.lock();
        called.asleep = called.ids.is_empty();
        called.asleep
    }

    /// Who was called since the last time.
    fn take(&self) -> BTreeSet<usize> {
        std::mem::take(&mut *self.lock()).ids
    }

    fn waker(self: &Arc<Self>, id: usize) -> Waker {
        Arc::new(Call { id, calls: self.clone() }).into()
    }

    fn lock(&self) -> MutexGuard<'_, Called> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waker that calls a number.
struct Call {
    id: usize,
    calls: Arc<Calls>,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.calls.call(self.id);
    }
}

/// The deadlines of all. A later one never touches the heap: the earlier one is left there, and the turn that it
/// brings about is harmless, and says the later one again.
#[derive(Default)]
struct Timers {
    heap: BinaryHeap<Reverse<(Moment, usize)>>,
    /// The entry that counts for each number; the others in the heap are outdated.
    armed: HashMap<usize, Moment>,
}

impl Timers {
    /// Calls `id` at `until` at the latest.
    fn arm(&mut self, id: usize, until: Option<Moment>) {
        let Some(until) = until else { return };
        if self.armed.get(&id).is_some_and(|at| *at <= until) {
            return;
        }
        self.armed.insert(id, until);
        self.heap.push(Reverse((until, id)));
        // A connection that now and then wants something soon leaves its far deadline behind each time.
        if self.heap.len() > 2 * self.armed.len() + 64 {
            self.heap = self.armed.iter().map(|(id, at)| Reverse((*at, *id))).collect();
        }
    }

    fn forget(&mut self, id: usize) {
        self.armed.remove(&id);
    }

    /// When there is something to look at; for an outdated entry that is nothing.
    fn next_at(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Somebody whose moment has come.
    fn due(&mut self, now: Moment) -> Option<usize> {
        while self.next_at().is_some_and(|at| at <= now) {
            let Reverse((at, id)) = self.heap.pop()?;
            if self.armed.get(&id) == Some(&at) {
                self.armed.remove(&id);
                return Some(id);
            }
        }
        None
    }
}

async fn hello(Path(name): Path<String>) -> Text<String> {
    Text(format!("Hello from a readiness loop, {name}!\n"))
}

fn main() -> Result<(), ServeError> {
    let app =
        App::new().route("/", get(|| Text("One thread, no runtime.\n"))).route("/hello/{name}", get(hello));
    let listening = |addresses: &[_]| eprintln!("listening on http://{}", addresses[0]);
    let server = Server::new().address("127.0.0.1:8000").on_ready(listening);
    stop_at_signals(&server.handle())?;
    serve(server, app)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bakestone::{Body, Context, Lifecycle, Request, State, StatusCode, post};
    use bakestone_std::Handle;
    use std::io::Read as _;
    use std::net::{SocketAddr, TcpStream};
    use std::rc::Rc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread::JoinHandle;
    use std::time::Instant;

    /// How long a test waits before it fails.
    const TEST_TIME: Duration = Duration::from_secs(20);

    /// How often something came to its end.
    #[derive(Clone, Default)]
    struct Ended(Arc<AtomicUsize>);

    impl Ended {
        fn once_more(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }

        /// Waits until it was so often.
        fn wait_for(&self, count: usize) {
            let ended = || self.0.load(Ordering::SeqCst) == count;
            assert!(in_time(ended), "{} and not {count}", self.0.load(Ordering::SeqCst));
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.once_more();
        }
    }

    struct Guard(Ended);

    fn app(ended: &Ended) -> App {
        async fn echo(request: Request) -> Text<Body> {
            Text(request.into_body())
        }
        async fn sleep(context: Context) -> Text<&'static str> {
            context.sleep(Duration::from_millis(50)).await;
            Text("slept")
        }
        async fn slow(context: Context) -> Text<&'static str> {
            context.sleep(Duration::from_millis(600)).await;
            Text("slow")
        }
        /// Leaves its body in the socket for a while.
        async fn later(context: Context, mut request: Request) -> bakestone::Result<Text<String>> {
            context.sleep(Duration::from_millis(200)).await;
            Ok(Text(request.bytes().await?.len().to_string()))
        }
        async fn blocking(context: Context) -> bakestone::Result<Text<String>> {
            let work = || thread::current().name().map(str::to_owned);
            let name = context.blocking(work).await?.unwrap_or_default();
            Ok(Text(format!("{name}, beside {:?}", thread::current().name())))
        }
        async fn task(context: Context, State(ended): State<Ended>) -> bakestone::Result<StatusCode> {
            context.spawn(|context| async move {
                context.sleep(Duration::from_millis(300)).await;
                ended.once_more();
            })?;
            Ok(StatusCode::ACCEPTED)
        }
        async fn stuck(State(ended): State<Ended>) -> Text<&'static str> {
            let _guard = Guard(ended);
            std::future::pending().await
        }
        App::new()
            .state(ended.clone())
            .route("/thread", get(|| Text(format!("{:?}", thread::current().id()))))
            .route("/echo", post(echo))
            .route("/sleep", get(sleep))
            .route("/slow", get(slow))
            .route("/later", post(later))
            .route("/blocking", get(blocking))
            .route("/task", post(task))
            .route("/stuck", get(stuck))
    }

    struct Running {
        address: SocketAddr,
        handle: Handle,
        thread: JoinHandle<Result<(), ServeError>>,
    }

    fn start(ended: &Ended) -> Running {
        let ended = ended.clone();
        start_with(Server::new().address("127.0.0.1:0"), move || app(&ended))
    }

    fn start_with<M: 'static, A: Application<M>>(
        server: Server,
        app: impl FnOnce() -> A + Send + 'static,
    ) -> Running {
        let server = server.bind().expect("a free port");
        let Some(Address::Ip(address)) = server.local_addr() else { panic!("a TCP address") };
        let handle = server.handle();
        Running { address, handle, thread: thread::spawn(move || serve(server, app())) }
    }

    impl Running {
        fn connect(&self) -> TcpStream {
            let socket = TcpStream::connect(self.address).expect("a connection");
            socket.set_read_timeout(Some(TEST_TIME)).expect("a time-out");
            socket.set_write_timeout(Some(TEST_TIME)).expect("a time-out");
            socket
        }

        fn send(&self, request: &str) -> TcpStream {
            let mut socket = self.connect();
            socket.write_all(request.as_bytes()).expect("a request");
            socket
        }

        /// Waits for the server to have ended.
        fn join(self) -> Result<(), ServeError> {
            assert!(in_time(|| self.thread.is_finished()), "the server goes on");
            self.thread.join().expect("the server does not panic")
        }

        fn stop(self) {
            self.handle.shutdown();
            self.join().expect("the server ends well");
        }
    }

    fn in_time(mut what: impl FnMut() -> bool) -> bool {
        let began = Instant::now();
        while began.elapsed() < TEST_TIME {
            if what() {
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }

    fn request(method: &str, path: &str, more: &str) -> String {
        format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n")
    }

    fn closing(path: &str) -> String {
        request("GET", path, "Connection: close\r\n")
    }

    fn read_all(mut socket: TcpStream) -> String {
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).expect("an answer and an end");
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn body(answer: &str) -> &str {
        answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    fn reset(socket: TcpStream) {
        SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("a reset");
    }

    #[test]
    fn pipelined_requests_are_answered_in_order() {
        let server = start(&Ended::default());
        let answer = read_all(server.send(&(request("GET", "/sleep", "") + &closing("/thread"))));
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
        assert!(answer.find("slept") < answer.find("ThreadId"), "{answer}");
        server.stop();
    }

    #[test]
    fn one_thread_answers_two_hundred() {
        let server = start(&Ended::default());
        let sockets: Vec<_> = (0..200).map(|_| server.connect()).collect();
        assert!(in_time(|| server.handle.connections() == 200), "all are let in");
        for socket in &sockets {
            (&*socket).write_all(closing("/thread").as_bytes()).expect("a request");
        }
        let expected = format!("{:?}", server.thread.thread().id());
        for socket in sockets {
            assert_eq!(body(&read_all(socket)), expected);
        }
        server.stop();
    }

    #[test]
    fn whoever_sleeps_keeps_nobody() {
        let server = start(&Ended::default());
        let began = Instant::now();
        let sleeping: Vec<_> = (0..200).map(|_| server.send(&closing("/sleep"))).collect();
        assert!(read_all(server.send(&closing("/thread"))).starts_with("HTTP/1.1 200 OK"));
        for socket in sleeping {
            assert_eq!(body(&read_all(socket)), "slept");
        }
        let elapsed = began.elapsed();
        // One after the other they would sleep for ten seconds.
        assert!((Duration::from_millis(50)..Duration::from_secs(5)).contains(&elapsed), "{elapsed:?}");
        server.stop();
    }

    #[test]
    fn effects_are_answered_by_other_threads() {
        let server = start(&Ended::default());
        assert_eq!(body(&read_all(server.send(&closing("/blocking")))), "blocking, beside None");
        server.stop();
    }

    #[test]
    fn a_task_outlives_its_client() {
        let ended = Ended::default();
        let server = start(&ended);
        let mut socket = server.send(&request("POST", "/task", "Content-Length: 0\r\n"));
        socket.read_exact(&mut [0; 12]).expect("an answer");
        reset(socket);
        assert!(in_time(|| server.handle.connections() == 0), "the reset is noticed");
        ended.wait_for(1);
        server.stop();
    }

    #[test]
    fn a_drain_waits_for_a_task() {
        let ended = Ended::default();
        let server = start(&ended);
        let socket = server.send(&request("POST", "/task", "Content-Length: 0\r\nConnection: close\r\n"));
        assert!(read_all(socket).starts_with("HTTP/1.1 202"));
        server.stop();
        ended.wait_for(1);
    }

    /// With as much read ahead as is kept, nobody reads the socket any more; an error is noticed all the same.
    #[test]
    fn a_reset_is_noticed_though_nobody_reads() {
        let ended = Ended::default();
        let server = start(&ended);
        let mut socket = server.send(&request("GET", "/stuck", ""));
        socket.write_all(&[b'x'; 40_000]).expect("more than is read ahead");
        thread::sleep(Duration::from_millis(100));
        ended.wait_for(0);
        reset(socket);
        ended.wait_for(1);
        server.stop();
    }

    #[test]
    fn a_drain_closes_the_idle_and_answers_the_running() {
        let server = start(&Ended::default());
        let mut idle = server.send(&request("GET", "/thread", ""));
        idle.read_exact(&mut [0; 12]).expect("an answer");
        let (silent, running) = (server.connect(), server.send(&request("GET", "/slow", "")));
        assert!(in_time(|| server.handle.connections() == 3), "all are let in");
        thread::sleep(Duration::from_millis(100));
        server.handle.shutdown();
        read_all(idle);
        assert_eq!(read_all(silent), "");
        let answer = read_all(running);
        assert!(answer.contains("\r\nconnection: close\r\n") && answer.ends_with("slow"), "{answer}");
        let address = server.address;
        server.stop();
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    }

    #[test]
    fn an_abort_resets_what_runs() {
        let ended = Ended::default();
        let server = start(&ended);
        let mut socket = server.send(&request("GET", "/stuck", ""));
        assert!(in_time(|| server.handle.connections() == 1), "it is let in");
        thread::sleep(Duration::from_millis(100));
        server.handle.abort();
        let error = socket.read(&mut [0; 1]).expect_err("a reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        server.stop();
        ended.wait_for(1);
    }

    #[test]
    fn sixteen_mebibytes_go_through_and_come_back() {
        let server = start(&Ended::default());
        let length = 16 << 20;
        let head = request("POST", "/echo", &format!("Connection: close\r\nContent-Length: {length}\r\n"));
        let socket = server.send(&head);
        let mut writer = socket.try_clone().expect("a second handle");
        let (done, written) = mpsc::channel();
        thread::spawn(move || {
            let body: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            let sent = writer.write_all(&body);
            done.send(sent.map(|()| body)).expect("the test waits");
        });
        let mut answer = Vec::new();
        (&socket).read_to_end(&mut answer).expect("an answer");
        let body = written.recv_timeout(TEST_TIME).expect("the writer").expect("the whole was written");
        assert!(answer.ends_with(&body), "{} bytes came back", answer.len());
        drop(socket);
        server.stop();
    }

    /// The events of what arrives while nobody wants to read are gone when somebody does.
    #[test]
    fn a_body_that_was_left_in_the_socket_is_read() {
        let server = start(&Ended::default());
        let head = request("POST", "/later", "Connection: close\r\nContent-Length: 200000\r\n");
        let mut socket = server.send(&head);
        socket.write_all(&[b'x'; 200_000]).expect("a body");
        assert_eq!(body(&read_all(socket)), "200000");
        server.stop();
    }

    #[test]
    fn a_connection_past_the_limit_waits_for_one_that_ends() {
        let server = Server::new().address("127.0.0.1:0").connections(2);
        let server = start_with(server, || app(&Ended::default()));
        let (first, second) = (server.connect(), server.connect());
        assert!(in_time(|| server.handle.connections() == 2), "two are let in");
        let mut third = server.send(&closing("/thread"));
        third.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
        assert!(third.read(&mut [0; 1]).is_err(), "the third waits");
        third.set_read_timeout(Some(TEST_TIME)).expect("a time-out");
        drop(first);
        assert!(read_all(third).starts_with("HTTP/1.1 200 OK"));
        drop(second);
        server.stop();
    }

    #[test]
    fn two_listeners_share_one_place() {
        let server = Server::new().address("127.0.0.1:0").address("127.0.0.1:0").connections(1);
        let server = server.bind().expect("free ports");
        let addresses = server.local_addrs();
        let running = start_with(server, || app(&Ended::default()));
        for address in addresses.iter().cycle().take(20) {
            let Address::Ip(address) = *address else { panic!("a TCP address") };
            let mut socket = TcpStream::connect(address).expect("a connection");
            socket.set_read_timeout(Some(TEST_TIME)).expect("a time-out");
            socket.write_all(closing("/thread").as_bytes()).expect("a request");
            assert!(read_all(socket).starts_with("HTTP/1.1 200 OK"));
        }
        running.stop();
    }

    #[test]
    fn an_application_may_stay_on_its_thread() {
        let server = start_with(Server::new().address("127.0.0.1:0"), || {
            let count = Rc::new(std::cell::Cell::new(0));
            move |_: Request| {
                let count = count.clone();
                async move {
                    count.set(count.get() + 1);
                    Text(count.get().to_string())
                }
            }
        });
        for expected in ["1", "2"] {
            assert_eq!(body(&read_all(server.send(&closing("/")))), expected);
        }
        server.stop();
    }

    #[test]
    fn the_hooks_run_before_the_first_and_after_the_last_connection() {
        let (tell, told) = mpsc::channel();
        let [started, ready, stopped] = [(); 3].map(|()| tell.clone());
        let server = Server::new()
            .address("127.0.0.1:0")
            .on_ready(move |_| ready.send("ready").expect("the test waits"));
        let server = start_with(server, move || {
            let lifecycle = Lifecycle::new()
                .on_startup(|context| async move {
                    context.sleep(Duration::from_millis(50)).await;
                    context.blocking(move || started.send("started").is_ok()).await.map(|_| ())
                })
                .on_shutdown(|_| async move { stopped.send("stopped") });
            app(&Ended::default()).lifecycle(lifecycle)
        });
        // It stands in the backlog while the hook runs.
        assert!(read_all(server.send(&closing("/thread"))).starts_with("HTTP/1.1 200 OK"));
        server.stop();
        drop(tell);
        assert_eq!(told.iter().collect::<Vec<_>>(), ["started", "ready", "stopped"]);
    }

    #[test]
    fn what_cannot_be_served_is_an_error() {
        let path = std::env::temp_dir().join(format!("bakestone-readiness-{}", std::process::id()));
        let error =
            serve(Server::new().unix(&path), app(&Ended::default())).expect_err("it is a unix socket");
        assert!(matches!(error, ServeError::Listen { .. }), "{error}");
        let failing = Lifecycle::new().on_startup(|_| async { Err(io::Error::other("no such luck")) });
        let app = app(&Ended::default()).lifecycle(failing);
        let error = serve("127.0.0.1:0", app).expect_err("the hook fails");
        assert!(matches!(error, ServeError::Startup(_)), "{error}");
    }

    fn at(seconds: u64) -> Option<Moment> {
        Some(Moment::from_epoch(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_later_deadline_never_touches_the_heap() {
        let mut timers = Timers::default();
        for later in 60..1000 {
            timers.arm(7, at(later));
        }
        assert_eq!((timers.heap.len(), timers.next_at()), (1, at(60)));
        timers.arm(7, at(5));
        timers.arm(8, at(6));
        timers.forget(8);
        let mut due = |now: Option<Moment>| timers.due(now.unwrap());
        assert_eq!([due(at(4)), due(at(5)), due(at(6)), due(at(60))], [None, Some(7), None, None]);
        assert!(timers.heap.is_empty() && timers.armed.is_empty());
    }

    #[test]
    fn the_heap_stays_small_however_long_a_connection_lives() {
        let mut timers = Timers::default();
        for now in 0..10_000 {
            for id in 0..10 {
                timers.arm(id, at(now + 1));
                timers.arm(id, at(now + 1_000_000));
            }
            while let Some(id) = timers.due(at(now + 1).unwrap()) {
                timers.arm(id, at(now + 1_000_000));
            }
            assert!(timers.heap.len() <= 2 * 10 + 64, "{}", timers.heap.len());
        }
        assert_eq!(timers.armed.len(), 10);
    }
}
