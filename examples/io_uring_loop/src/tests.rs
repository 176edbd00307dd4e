//! The loop over real sockets.
//!
//! Where the kernel does not let a process have a ring there is nothing to test, and each test says so and ends.

mod endings;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bakestone::app::Application;
use bakestone::machine::Address;
use bakestone::{App, Context, Lifecycle, Request, State, StatusCode, Text, get, post};
use bakestone_std::{Handle, ServeError, Server};
use socket2::SockRef;

use crate::ring::Ring;
use crate::serve::serve;

/// How long a test waits before it fails.
const TEST_TIME: Duration = Duration::from_secs(20);

/// Whether the kernel refuses a ring, which is the only reason for a test not to run.
pub(crate) fn is_refused() -> bool {
    static REFUSED: OnceLock<Option<String>> = OnceLock::new();
    // On a thread of its own, since the kernel interrupts the one whose ring it takes down.
    let refused = REFUSED.get_or_init(|| thread::spawn(refusal).join().expect("a ring, or a refusal"));
    if let Some(refused) = refused {
        eprintln!("skipped: {refused}");
    }
    refused.is_some()
}

fn refusal() -> Option<String> {
    match Ring::new() {
        Ok(_) => None,
        Err(refused) if refused.is_refusal() => Some(refused.to_string()),
        Err(failed) => panic!("{failed}"),
    }
}

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

struct Guard(Ended);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.once_more();
    }
}

fn app(ended: &Ended) -> App {
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
        Ok(Text(context.blocking(work).await?.unwrap_or_default()))
    }
    /// Keeps the loop's thread, as no handler should.
    fn busy() -> Text<&'static str> {
        thread::sleep(Duration::from_millis(300));
        Text("busy")
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
    crate::app()
        .state(ended.clone())
        .route("/large", get(|| Text(vec![b'x'; LARGE])))
        .route("/sleep", get(sleep))
        .route("/slow", get(slow))
        .route("/later", post(later))
        .route("/blocking", get(blocking))
        .route("/busy", get(busy))
        .route("/task", post(task))
        .route("/stuck", get(stuck))
}

/// How many bytes `/large` answers with: more than the kernel takes at once.
const LARGE: usize = 16 << 20;

struct Running {
    address: SocketAddr,
    handle: Handle,
    thread: JoinHandle<Result<(), ServeError>>,
}

/// A server, unless the kernel refuses.
fn start(ended: &Ended) -> Option<Running> {
    start_with(Server::new(), ended)
}

fn start_with(server: Server, ended: &Ended) -> Option<Running> {
    let ended = ended.clone();
    start_app(server.address("127.0.0.1:0"), move || app(&ended))
}

fn start_app<M: 'static, A: Application<M>>(
    server: Server,
    app: impl FnOnce() -> A + Send + 'static,
) -> Option<Running> {
    if is_refused() {
        return None;
    }
    let server = server.bind().expect("a free port");
    let Some(Address::Ip(address)) = server.local_addr() else { panic!("a TCP address") };
    let (handle, ring) = (server.handle(), || Ring::new().expect("it is allowed"));
    Some(Running { address, handle, thread: thread::spawn(move || serve(ring(), server, app())) })
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

    fn wait_for(&self, connections: usize) {
        let count = || self.handle.connections();
        assert!(in_time(|| count() == connections), "{} and not {connections}", count());
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
fn one_answer_after_the_other_on_one_connection() {
    let Some(server) = start(&Ended::default()) else { return };
    let mut socket = server.connect();
    for round in 0..200 {
        let path = format!("/users/{round}/posts/x");
        socket.write_all(request("GET", &path, "").as_bytes()).expect("a request");
        let (mut answer, expected) = (Vec::new(), format!("\r\n\r\n{round} x"));
        while !answer.ends_with(expected.as_bytes()) {
            let mut space = [0; 1024];
            let count = socket.read(&mut space).expect("an answer");
            assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&space[..count]);
        }
    }
    drop(socket);
    server.wait_for(0);
    server.stop();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let Some(server) = start(&Ended::default()) else { return };
    let many = request("GET", "/plaintext", "").repeat(2_000);
    let answer = read_all(server.send(&(request("GET", "/sleep", "") + &many + &closing("/json"))));
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2_002);
    assert_eq!(answer.matches("Hello, World!").count(), 2_001);
    assert!(answer.find("slept") < answer.find("Hello") && answer.ends_with('}'), "{answer}");
    server.stop();
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let Some(server) = start(&Ended::default()) else { return };
    let mut socket = server.connect();
    socket.set_nodelay(true).expect("a TCP socket");
    for byte in closing("/plaintext").bytes() {
        socket.write_all(&[byte]).expect("a byte");
    }
    assert_eq!(body(&read_all(socket)), "Hello, World!");
    server.stop();
}

#[test]
fn sixteen_mebibytes_go_through_and_come_back() {
    let Some(server) = start(&Ended::default()) else { return };
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

/// What came while nobody wanted it is kept in order, and receiving goes on where it was left.
#[test]
fn a_body_that_was_left_in_the_socket_is_read() {
    let Some(server) = start(&Ended::default()) else { return };
    let head = request("POST", "/later", "Connection: close\r\nContent-Length: 2000000\r\n");
    let mut socket = server.send(&head);
    socket.write_all(&[b'x'; 2_000_000]).expect("a body");
    assert_eq!(body(&read_all(socket)), "2000000");
    server.stop();
}

#[test]
fn a_slow_reader_gets_all_of_it_and_keeps_nobody() {
    let Some(server) = start(&Ended::default()) else { return };
    let mut slow = server.send(&closing("/large"));
    let mut answer = Vec::new();
    while answer.len() < 2 << 20 {
        let mut space = [0; 64 << 10];
        let count = slow.read(&mut space).expect("more of it");
        answer.extend_from_slice(&space[..count]);
        assert_eq!(body(&read_all(server.send(&closing("/plaintext")))), "Hello, World!");
    }
    slow.read_to_end(&mut answer).expect("the rest");
    drop(slow);
    assert!(answer.len() > LARGE && answer.ends_with(b"xxx"), "{} bytes", answer.len());
    server.stop();
}

#[test]
fn a_hundred_sleep_and_effects_are_answered_by_other_threads() {
    let Some(server) = start(&Ended::default()) else { return };
    let began = Instant::now();
    let sleeping: Vec<_> = (0..100).map(|_| server.send(&closing("/sleep"))).collect();
    for socket in sleeping {
        assert_eq!(body(&read_all(socket)), "slept");
    }
    // One after the other they would sleep for five seconds.
    assert!((Duration::from_millis(50)..Duration::from_secs(4)).contains(&began.elapsed()));
    assert_eq!(body(&read_all(server.send(&closing("/blocking")))), "blocking");
    server.stop();
}

#[test]
fn a_connection_past_the_limit_waits_for_one_that_ends() {
    let Some(server) = start_with(Server::new().connections(2), &Ended::default()) else { return };
    let (first, second) = (server.connect(), server.connect());
    server.wait_for(2);
    let mut waiting: Vec<_> = (0..3).map(|_| server.send(&closing("/plaintext"))).collect();
    for socket in &mut waiting {
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out");
        assert!(socket.read(&mut [0; 1]).is_err(), "it waits");
        socket.set_read_timeout(Some(TEST_TIME)).expect("a time-out");
    }
    drop(first);
    for socket in waiting {
        assert!(read_all(socket).starts_with("HTTP/1.1 200 OK"));
    }
    drop(second);
    server.stop();
}

#[test]
fn two_listeners_share_one_place() {
    let server = Server::new().address("127.0.0.1:0").address("127.0.0.1:0").connections(1);
    let server = server.bind().expect("free ports");
    let addresses = server.local_addrs();
    let Some(running) = start_app(server, || app(&Ended::default())) else { return };
    for address in addresses.iter().cycle().take(20) {
        let Address::Ip(address) = *address else { panic!("a TCP address") };
        let mut socket = TcpStream::connect(address).expect("a connection");
        socket.set_read_timeout(Some(TEST_TIME)).expect("a time-out");
        socket.write_all(closing("/plaintext").as_bytes()).expect("a request");
        assert!(read_all(socket).starts_with("HTTP/1.1 200 OK"));
    }
    running.stop();
}

#[test]
fn an_application_may_stay_on_its_thread() {
    let server = start_app(Server::new().address("127.0.0.1:0"), || {
        let count = Rc::new(std::cell::Cell::new(0));
        move |_: Request| {
            let count = count.clone();
            async move {
                count.set(count.get() + 1);
                Text(count.get().to_string())
            }
        }
    });
    let Some(server) = server else { return };
    for expected in ["1", "2"] {
        assert_eq!(body(&read_all(server.send(&closing("/")))), expected);
    }
    server.stop();
}

#[test]
fn what_cannot_be_served_is_an_error() {
    if is_refused() {
        return;
    }
    let ring = || Ring::new().expect("it is allowed");
    let path = std::env::temp_dir().join(format!("bakestone-ring-{}", std::process::id()));
    let error =
        serve(ring(), Server::new().unix(&path), app(&Ended::default())).expect_err("it is a unix socket");
    assert!(matches!(error, ServeError::Listen { .. }), "{error}");
    let failing = Lifecycle::new().on_startup(|_| async { Err(io::Error::other("no such luck")) });
    let app = app(&Ended::default()).lifecycle(failing);
    let error = serve(ring(), "127.0.0.1:0", app).expect_err("the hook fails");
    assert!(matches!(error, ServeError::Startup(_)), "{error}");
}
