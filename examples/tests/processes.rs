//! The programs as processes: how they start, how they stop, and what they live through.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const RUNTIMES: [&str; 3] = ["tokio", "smol", "std"];
const PATIENCE: Duration = Duration::from_secs(20);

/// A conformance server in a process of its own, which goes with the test.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts it, under at most `files` open files.
    fn start(runtime: &str, files: usize, flags: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_conformance");
        let script =
            format!("ulimit -n {files} && exec {program} --runtime {runtime} --addr 127.0.0.1:0 {flags}");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let address =
            line.trim().strip_prefix("listening on http://").expect("the line is as agreed").to_owned();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(&self.address).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        socket
    }

    /// Sends the process a signal, by its name.
    fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("a shell").success());
    }

    /// Waits for the end; the exit code.
    fn end(mut self) -> Option<i32> {
        self.child.wait().expect("an end").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has most often ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(socket: &mut TcpStream, path: &str) {
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).expect("a request");
}

/// Reads to the end, whatever it is.
fn read_all(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end, too; what came before it counts.
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn either_signal_drains_and_the_exit_code_is_zero() {
    for (runtime, signal) in RUNTIMES.into_iter().flat_map(|runtime| [(runtime, "TERM"), (runtime, "INT")]) {
        let server = Process::start(runtime, 1024, "");
        let (mut idle, mut busy) = (server.connect(), server.connect());
        ask(&mut idle, "/plaintext");
        idle.read_exact(&mut [0; 12]).expect("an answer");
        ask(&mut busy, "/sleep/1000");
        thread::sleep(Duration::from_millis(200));
        server.signal(signal);
        let answer = read_all(&mut busy);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("slept"), "{runtime}: {answer}");
        assert!(read_all(&mut idle).ends_with("Hello, World!"), "{runtime}");
        // A server waits a little for its clients to close as well.
        drop((busy, idle));
        assert_eq!(server.end(), Some(0), "{runtime}, {signal}");
    }
}

#[test]
fn the_drain_has_an_end() {
    for runtime in RUNTIMES {
        let server = Process::start(runtime, 1024, "--drain-time 500");
        let mut busy = server.connect();
        ask(&mut busy, "/sleep/60000");
        thread::sleep(Duration::from_millis(200));
        let began = Instant::now();
        server.signal("TERM");
        assert_eq!(server.end(), Some(0), "{runtime}");
        let took = began.elapsed();
        assert!(Duration::from_millis(400) < took && took < Duration::from_secs(3), "{runtime}: {took:?}");
        assert_eq!(read_all(&mut busy), "", "{runtime}: it was cut off");
    }
}

/// The first one is forwarded by a wrapper as often as not, so only a later one means it.
#[test]
fn a_second_signal_ends_it_at_once() {
    for runtime in RUNTIMES {
        let server = Process::start(runtime, 1024, "--drain-time 60000");
        let mut busy = server.connect();
        ask(&mut busy, "/sleep/60000");
        thread::sleep(Duration::from_millis(200));
        let began = Instant::now();
        server.signal("INT");
        server.signal("INT");
        thread::sleep(Duration::from_millis(700));
        server.signal("INT");
        assert_eq!(server.end(), Some(0), "{runtime}");
        assert!(
            began.elapsed() > Duration::from_millis(700),
            "{runtime}: the same signal again was taken for another"
        );
        assert!(began.elapsed() < Duration::from_secs(10), "{runtime}");
    }
}

#[test]
fn a_taken_port_is_said_and_the_exit_code_is_not_zero() {
    let server = Process::start("std", 1024, "");
    for runtime in RUNTIMES {
        let second = Command::new(env!("CARGO_BIN_EXE_conformance"))
            .args(["--runtime", runtime, "--addr", &server.address])
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&second.stderr);
        assert_eq!(second.status.code(), Some(1), "{runtime}");
        assert!(said.starts_with(&format!("cannot listen on {}: ", server.address)), "{runtime}: {said}");
        assert_eq!(second.stdout, b"", "{runtime}");
    }
}

/// More clients than the process may have descriptors: those that find no place wait, and are answered once others
/// have gone.
#[test]
fn a_server_that_has_run_out_of_descriptors_recovers() {
    for runtime in RUNTIMES {
        let server = Process::start(runtime, 40, "");
        let mut clients: Vec<TcpStream> = (0..60).map(|_| server.connect()).collect();
        for client in &mut clients {
            ask(client, "/plaintext");
        }
        thread::sleep(Duration::from_millis(300));
        // Each is answered, in the order of the backlog, as those before it go.
        for (place, mut client) in clients.into_iter().enumerate() {
            let mut answer = [0; 12];
            let read = client.read_exact(&mut answer);
            assert!(read.is_ok() && &answer == b"HTTP/1.1 200", "{runtime}: client {place}: {read:?}");
        }
        let mut last = server.connect();
        ask(&mut last, "/plaintext");
        last.read_exact(&mut [0; 12]).expect("an answer");
        drop(last);
        server.signal("TERM");
        assert_eq!(server.end(), Some(0), "{runtime}");
    }
}

/// A listener that is handed over as a service manager does it: as descriptor 3, told by the environment.
#[test]
fn a_listener_is_inherited() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let program = env!("CARGO_BIN_EXE_activated");
    let script = format!("exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec {program}");
    let child = Command::new("sh").args(["-c", &script]).stdin(OwnedFd::from(listener)).spawn();
    let server = Process { child: child.expect("the program starts"), address };
    let mut client = server.connect();
    client.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("a request");
    assert!(read_all(&mut client).ends_with("Hello from whoever was called first\n"));
    drop(client);
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
}
