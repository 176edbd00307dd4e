//! What a `Server` may be told, on each adapter.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bakestone::{App, Error, Lifecycle, StatusCode, Text, get};
use bakestone_std::{Handle, Server};

const ADAPTERS: [&str; 3] = ["std", "tokio", "smol"];
const PATIENCE: Duration = Duration::from_secs(20);

/// `/` says which thread it was, after holding it for a while.
fn app() -> App {
    App::new().route("/", get(|| Text("hello"))).route(
        "/thread",
        get(|| {
            thread::sleep(Duration::from_millis(20));
            Text(format!("{:?}", thread::current().id()))
        }),
    )
}

/// Starts `run` on a thread of its own.
fn run(adapter: &'static str, app: App, server: Server) -> (Handle, JoinHandle<Result<(), String>>) {
    let handle = server.handle();
    let run = move || match adapter {
        "std" => bakestone_std::run(app, server),
        "tokio" => bakestone_tokio::run(app, server),
        _ => bakestone_smol::run(app, server),
    };
    (handle, thread::spawn(move || run().map_err(|error| error.to_string())))
}

/// What the README shows.
#[rustfmt::skip]
fn shown(app: impl Fn() -> App) -> Result<(), bakestone_std::ServeError> {
    // shown: begin
    let server = Server::new()
        .address("127.0.0.1:8000")          // or `unix:path`, a listener that you have, one that was handed over
        .workers(2)                         // event loops on tokio, threads of the executor on smol
        .connections(10_000)                // with so many open, further ones wait
        .drain_time(Duration::from_secs(5))
        .bind()?;                           // a port that is taken is an error, here
    let handle = server.handle();           // `handle.shutdown()`, from any thread, lets the server drain
    bakestone_tokio::run(app(), server)?;      // or `serve(app(), server).await` in a runtime of yours
    // shown: end
    drop(handle);
    Ok(())
}

#[test]
fn the_readme_shows_a_server_that_compiles() {
    // It is not called: the port may be somebody's.
    let _: fn(fn() -> App) -> _ = shown;
    let shown = include_str!("servers.rs").split("    // shown: begin\n").nth(1).expect("a beginning");
    let shown = shown.split("    // shown: end").next().expect("an end");
    let shown: String =
        shown.lines().map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect();
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("```rust\n{shown}```")), "the README shows another:\n{shown}");
}

fn ask(mut socket: impl Read + Write, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    answer.split_once("\r\n\r\n").expect("a head").1.to_owned()
}

fn tcp(address: impl ToString) -> TcpStream {
    let socket = TcpStream::connect(address.to_string()).expect("a connection");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket
}

/// A path that no other test uses.
fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("bakestone-{name}-{}", std::process::id()));
    // What a run that failed has left.
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn it_listens_on_several_addresses_and_on_unix_sockets() {
    for adapter in ADAPTERS {
        let path = path(&format!("several-{adapter}"));
        let server = Server::new().address("127.0.0.1:0").address("[::1]:0").unix(&path).bind();
        let server = server.expect("three places");
        let addresses = server.local_addrs();
        assert_eq!(addresses[2].to_string(), format!("unix:{}", path.display()));
        let (handle, thread) = run(adapter, app(), server);
        assert_eq!(ask(tcp(&addresses[0]), "/"), "hello", "{adapter}");
        assert_eq!(ask(tcp(&addresses[1]), "/"), "hello", "{adapter}");
        assert_eq!(ask(UnixStream::connect(&path).expect("a connection"), "/"), "hello", "{adapter}");
        handle.shutdown();
        assert_eq!(thread.join().expect("no panic"), Ok(()), "{adapter}");
        assert!(!path.exists(), "{adapter}: the socket's file goes with the server");
    }
}

#[test]
fn it_takes_listeners_that_are_there() {
    for adapter in ADAPTERS {
        let path = path(&format!("given-{adapter}"));
        let given = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = given.local_addr().expect("an address");
        let unix = UnixListener::bind(&path).expect("a socket");
        let (handle, thread) = run(adapter, app(), Server::new().listener(given).listener(unix));
        assert_eq!(ask(tcp(address), "/"), "hello", "{adapter}");
        assert_eq!(ask(UnixStream::connect(&path).expect("a connection"), "/"), "hello", "{adapter}");
        handle.shutdown();
        assert_eq!(thread.join().expect("no panic"), Ok(()), "{adapter}");
        assert!(path.exists(), "{adapter}: the file is its maker's");
        std::fs::remove_file(&path).expect("it is there");
    }
}

#[test]
fn a_socket_file_is_replaced_only_if_nobody_listens_behind_it() {
    let path = path("left-over");
    drop(UnixListener::bind(&path).expect("a socket"));
    let first = Server::new().unix(&path).bind().expect("the left-over file is replaced");
    let second = Server::new().address(format!("unix:{}", path.display())).bind();
    let said = second.expect_err("somebody listens there").to_string();
    assert!(said.starts_with(&format!("cannot listen on unix:{}: ", path.display())), "{said}");
    drop(first);
    assert!(!path.exists());

    // What stands at the path meanwhile is another's, and is left alone.
    let first = Server::new().unix(&path).bind().expect("a free path");
    std::fs::remove_file(&path).expect("it is there");
    let second = Server::new().unix(&path).bind().expect("a free path");
    drop(first);
    assert!(path.exists());
    drop(second);

    std::fs::write(&path, "precious").expect("a file");
    assert!(Server::new().unix(&path).bind().is_err(), "a file that is no socket is left alone");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "precious");
    std::fs::remove_file(&path).expect("it is there");
}

/// Each looked, found the same file left over, and removed what another had just made.
#[test]
fn of_several_that_start_at_once_one_gets_the_path() {
    let path = path("at-once");
    for round in 0..30 {
        drop(UnixListener::bind(&path).expect("a socket"));
        let starting: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                thread::spawn(move || Server::new().unix(path).bind().ok())
            })
            .collect();
        let servers: Vec<Server> =
            starting.into_iter().filter_map(|thread| thread.join().expect("no panic")).collect();
        assert_eq!(servers.len(), 1, "round {round}");
        drop(servers);
    }
}

/// Looking whether somebody listens waited for a place in the backlog.
#[test]
fn a_path_whose_listener_is_busy_is_taken() {
    let path = path("busy");
    let listener =
        socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).expect("a socket");
    listener.bind(&socket2::SockAddr::unix(&path).expect("a path")).expect("a free path");
    listener.listen(0).expect("a backlog of one");
    let _waiting = UnixStream::connect(&path).expect("it is let in");
    assert!(Server::new().unix(&path).bind().is_err());
    std::fs::remove_file(&path).expect("it is there");
}

#[test]
fn what_cannot_be_listened_on_is_said_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().map(|address| (address, taken)).expect("an address");
    for (server, says) in [
        (Server::new(), "cannot listen on nothing: no address was given".to_owned()),
        (Server::new().address(taken.0), format!("cannot listen on {}: ", taken.0)),
        (Server::new().address("unix:"), "cannot listen on unix:: it names no path".to_owned()),
        (Server::new().address("127.0.0.1"), "cannot listen on 127.0.0.1: ".to_owned()),
        (
            Server::new().inherited(),
            "cannot listen on an inherited listener: none was handed over".to_owned(),
        ),
    ] {
        let said = server.bind().expect_err("it cannot").to_string();
        assert!(said.starts_with(&says), "{said}");
    }
}

#[test]
fn with_several_workers_several_threads_answer() {
    for (adapter, reuse) in
        [("std", false), ("tokio", false), ("tokio", true), ("smol", false), ("smol", true)]
    {
        let server =
            Server::new().address("127.0.0.1:0").workers(3).reuse_port(reuse).bind().expect("a port");
        let address = server.local_addr().expect("an address");
        let (handle, thread) = run(adapter, app(), server);
        // On a busy machine one thread may well take a whole round.
        let mut threads = HashSet::new();
        for _ in 0..50 {
            let ask = || {
                thread::spawn({
                    let address = address.to_string();
                    move || ask(tcp(address), "/thread")
                })
            };
            let clients: Vec<_> = (0..40).map(|_| ask()).collect();
            threads.extend(clients.into_iter().map(|client| client.join().expect("an answer")));
            if threads.len() > 1 {
                break;
            }
        }
        assert!(threads.len() > 1, "{adapter}, {reuse}: {threads:?}");
        handle.shutdown();
        assert_eq!(thread.join().expect("no panic"), Ok(()), "{adapter}");
    }
}

#[test]
fn a_start_up_hook_that_fails_is_said_and_nobody_is_told_that_it_listens() {
    for adapter in ADAPTERS {
        let lifecycle = Lifecycle::new()
            .on_startup(|_| async {
                Err::<(), _>(Error::new(StatusCode::INTERNAL_SERVER_ERROR, "the oven is cold"))
            })
            .on_shutdown(|_| async {});
        let server = Server::new().address("127.0.0.1:0").on_ready(|_| panic!("it is not ready"));
        let (_, thread) = run(adapter, app().lifecycle(lifecycle), server);
        let said = thread.join().expect("no panic").expect_err("it did not start");
        assert!(
            said.starts_with("the start-up hook of ") && said.contains("the oven is cold"),
            "{adapter}: {said}"
        );
    }
}

/// Whoever drops the future of `serve` has the port back at once; the connections end by themselves.
#[test]
fn a_server_that_is_dropped_lets_go_of_its_port() {
    let server = || Server::new().address("127.0.0.1:0").bind().expect("a free port");
    let refused = |address: &str| {
        let error = TcpStream::connect(address).expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    };

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (idle, address) = runtime.block_on(async {
        let server = server();
        let address = server.local_addr().expect("an address").to_string();
        let serving = bakestone_tokio::serve(app(), server);
        let ended = tokio::time::timeout(Duration::from_millis(200), serving);
        let client = {
            let address = address.clone();
            thread::spawn(move || {
                let mut idle = tcp(address);
                idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("a request");
                idle.read_exact(&mut [0; 12]).expect("an answer");
                idle
            })
        };
        assert!(ended.await.is_err(), "it serves until it is dropped");
        let idle = client.join().expect("an answer");
        // What was accepted drains as a task of the runtime's.
        tokio::time::sleep(Duration::from_millis(50)).await;
        (idle, address)
    });
    refused(&address);
    let mut rest = Vec::new();
    (&idle).read_to_end(&mut rest).expect("an orderly end");

    let server = server();
    let address = server.local_addr().expect("an address").to_string();
    let mut serving = Box::pin(bakestone_smol::serve(app(), server));
    assert!(pin!(&mut serving).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(serving);
    refused(&address);
}
