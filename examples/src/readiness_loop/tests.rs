//! The loop over real sockets.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bakestone::app::Application;
use bakestone::machine::Address;
use bakestone::{App, Body, Context, Lifecycle, Request, State, StatusCode, Text, get, post};
use bakestone_std::{Handle, ServeError, Server};
use socket2::SockRef;

use crate::serve::serve;

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
    let server =
        Server::new().address("127.0.0.1:0").on_ready(move |_| ready.send("ready").expect("the test waits"));
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
    let error = serve(Server::new().unix(&path), app(&Ended::default())).expect_err("it is a unix socket");
    assert!(matches!(error, ServeError::Listen { .. }), "{error}");
    let failing = Lifecycle::new().on_startup(|_| async { Err(io::Error::other("no such luck")) });
    let app = app(&Ended::default()).lifecycle(failing);
    let error = serve("127.0.0.1:0", app).expect_err("the hook fails");
    assert!(matches!(error, ServeError::Startup(_)), "{error}");
}
