//! One application over real sockets, on each driver: the same answers, `Date` apart.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use bakestone::{App, Body, Context, Error, Path, Request, State, StatusCode, Text, get, post};

/// How often a background task came to its end.
#[derive(Clone, Default)]
struct Ended(Arc<AtomicUsize>);

fn app(ended: Ended) -> App {
    async fn hello(Path(name): Path<String>) -> Text<String> {
        Text(format!("Hello, {name}!"))
    }
    async fn echo(request: Request) -> Text<Body> {
        Text(request.into_body())
    }
    async fn length(mut request: Request) -> bakestone::Result<Text<String>> {
        Ok(Text(request.bytes().await?.len().to_string()))
    }
    async fn later(context: Context, State(ended): State<Ended>) -> bakestone::Result<StatusCode> {
        context.spawn(|context| async move {
            context.sleep(Duration::from_millis(50)).await;
            ended.0.fetch_add(1, Ordering::SeqCst);
        })?;
        Ok(StatusCode::ACCEPTED)
    }
    async fn sleep(context: Context) -> Text<&'static str> {
        context.sleep(Duration::from_millis(50)).await;
        Text("slept")
    }
    async fn slow(context: Context) -> Text<&'static str> {
        context.sleep(Duration::from_millis(600)).await;
        Text("slow")
    }
    async fn blocking(context: Context) -> bakestone::Result<Text<String>> {
        Ok(Text(context.blocking(|| 6 * 7).await?.to_string()))
    }
    /// Never answers; being dropped counts as its end.
    async fn stuck(State(ended): State<Ended>) -> Text<&'static str> {
        struct Guard(Ended);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let _guard = Guard(ended);
        std::future::pending().await
    }
    App::new()
        .state(ended)
        .route("/stuck", get(stuck))
        .route("/slow", get(slow))
        .route("/hello/{name}", get(hello))
        .route("/echo", post(echo))
        .route("/length", post(length))
        .route("/later", post(later))
        .route("/sleep", get(sleep))
        .route("/blocking", get(blocking))
        .route("/fail", get(|| Err::<&str, _>(Error::new(StatusCode::IM_A_TEAPOT, "short and stout"))))
}

/// Starts a driver on a free port; it serves until the test ends.
fn start(driver: &'static str, ended: Ended) -> String {
    start_until(driver, ended, None).0
}

/// Starts a driver on a free port. After `time` it drains, where it can, and the thread ends.
fn start_until(
    driver: &'static str,
    ended: Ended,
    time: Option<Duration>,
) -> (String, thread::JoinHandle<Result<(), String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = thread::spawn(move || {
        let served = match driver {
            "std" => bakestone_std::serve(listener, app(ended)),
            "smol" => async_io::block_on(async {
                let stop = async {
                    match time {
                        Some(time) => drop(async_io::Timer::after(time).await),
                        None => std::future::pending().await,
                    }
                };
                let listener = async_io::Async::new(listener).expect("a listener");
                bakestone_smol::serve(listener, app(ended), stop).await
            }),
            _ => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let stop = async {
                        match time {
                            Some(time) => tokio::time::sleep(time).await,
                            None => std::future::pending().await,
                        }
                    };
                    listener.set_nonblocking(true).expect("a listener");
                    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                    bakestone_tokio::serve(listener, app(ended), stop).await
                })
            }
        };
        served.map_err(|error| error.to_string())
    });
    (address, server)
}

/// How long a test waits for a socket before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

const DRIVERS: [&str; 3] = ["std", "smol", "tokio"];

fn connect(address: &str) -> TcpStream {
    let socket = TcpStream::connect(address).expect("a connection");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket.set_write_timeout(Some(PATIENCE)).expect("a time-out");
    socket
}

/// Sends `request` and reads to the end; the answer without its `Date` fields.
fn talk(address: &str, request: &[u8]) -> String {
    let mut socket = connect(address);
    socket.write_all(request).expect("a request");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("an answer and an end");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
}

fn get_request(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n")
}

#[test]
fn every_driver_gives_the_same_answers() {
    let close = "Connection: close\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    let conversations = [
        get_request("/hello/1", "") + &get_request("/hello/2", "") + &get_request("/hello/3", close),
        get_request("/sleep", "") + &get_request("/blocking", close),
        get_request("/nope", "") + &get_request("/fail", close),
        format!("POST /echo HTTP/1.1\r\nHost: a\r\n{close}{chunked}\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"),
        format!("POST /length HTTP/1.1\r\nHost: a\r\n{close}Content-Length: 5\r\n\r\nhello"),
        "GET /hello/1 HTTP/1.0\r\n\r\n".to_owned(),
        "GET /hello/1 HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(),
    ];
    let addresses = DRIVERS.map(|driver| start(driver, Ended::default()));
    for request in &conversations {
        let answers = addresses.each_ref().map(|address| talk(address, request.as_bytes()));
        assert!(answers[0].starts_with("HTTP/1.1 "), "{request}\n{}", answers[0]);
        for (driver, answer) in DRIVERS.iter().zip(&answers) {
            assert_eq!(answer, &answers[0], "{driver}: {request}");
        }
    }
}

#[test]
fn a_client_that_is_still_writing_reads_the_413() {
    for driver in DRIVERS {
        let address = start(driver, Ended::default());
        let mut socket = connect(&address);
        let length = 64 << 20;
        let head = format!("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        socket.write_all(head.as_bytes()).expect("a head");
        // A naive client writes all of it, and only then reads.
        let piece = vec![b'x'; 64 << 10];
        for _ in 0..length / piece.len() {
            socket.write_all(&piece).expect("the server goes on reading");
        }
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 413", "{driver}");
    }
}

#[test]
fn sixteen_mebibytes_go_through_and_come_back() {
    for driver in DRIVERS {
        let address = start(driver, Ended::default());
        let socket = connect(&address);
        let length = 16 << 20;
        let mut writer = socket.try_clone().expect("a second handle");
        let (done, written) = mpsc::channel();
        thread::spawn(move || {
            let head = format!(
                "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
            );
            let body: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            let sent = writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body));
            done.send(sent.map(|()| body)).expect("the test waits");
        });
        let mut answer = Vec::new();
        (&socket).read_to_end(&mut answer).expect("an answer");
        let body = written.recv_timeout(PATIENCE).expect("the writer").expect("the whole was written");
        assert!(answer.ends_with(&body), "{driver}: {} bytes came back", answer.len());
    }
}

/// Waits for a task, or a handler, to have come to its end.
fn wait_for(ended: &Ended) -> bool {
    (0..500).any(|_| {
        thread::sleep(Duration::from_millis(10));
        ended.0.load(Ordering::SeqCst) == 1
    })
}

/// With as much read ahead as is kept, nobody reads the socket any more; an error is noticed all the same.
#[test]
fn a_reset_is_noticed_though_nobody_reads() {
    for driver in ["std", "tokio"] {
        let ended = Ended::default();
        let address = start(driver, ended.clone());
        let mut socket = connect(&address);
        socket.write_all(get_request("/stuck", "").as_bytes()).expect("a request");
        socket.write_all(&[b'x'; 40_000]).expect("more than is read ahead");
        thread::sleep(Duration::from_millis(100));
        assert_eq!(ended.0.load(Ordering::SeqCst), 0, "{driver}: the handler runs");
        socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("a reset");
        drop(socket);
        assert!(wait_for(&ended), "{driver}: the handler was never dropped");
    }
}

#[test]
fn a_client_that_resets_at_once_still_gets_its_task_counted() {
    for driver in DRIVERS {
        let ended = Ended::default();
        let address = start(driver, ended.clone());
        let mut socket = connect(&address);
        socket.write_all(b"POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").expect("a request");
        socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("a reset");
        // The reset must not overtake the request itself, which then would never have been.
        socket.read_exact(&mut [0; 12]).expect("an answer");
        drop(socket);
        assert!(wait_for(&ended), "{driver}: the task never came to its end");
    }
}

#[test]
fn a_drain_lets_what_runs_come_to_its_end() {
    for driver in ["smol", "tokio"] {
        let (address, server) = start_until(driver, Ended::default(), Some(Duration::from_millis(300)));
        let mut idle = connect(&address);
        idle.write_all(get_request("/hello/1", "").as_bytes()).expect("a request");
        idle.read_exact(&mut [0; 12]).expect("an answer");
        let answer = talk(&address, get_request("/slow", "").as_bytes());
        assert!(
            answer.contains("\r\nconnection: close\r\n") && answer.ends_with("slow"),
            "{driver}: {answer}"
        );
        let mut rest = Vec::new();
        idle.read_to_end(&mut rest).expect("an orderly close of the idle connection");
        drop(idle);
        assert_eq!(server.join().expect("the server does not panic"), Ok(()), "{driver}");
        assert!(TcpStream::connect(&address).is_err(), "{driver}: nobody listens any more");
    }
}
