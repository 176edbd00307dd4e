//! The program as a process: what it says, what a signal does to it, and that it keeps no descriptor.
//!
//! Where the kernel does not let it have a ring it must say exactly that, and there is nothing more to test.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

/// How long a test waits before it fails.
const TEST_TIME: Duration = Duration::from_secs(20);

const PLAINTEXT: &[u8] = b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n";
const CLOSING: &[u8] = b"GET /plaintext HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// The running program; it ends with the test.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// The program, once it listens, unless the kernel refuses.
    fn start() -> Option<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_io-uring-loop"))
            .args(["--addr", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("a line, or none");
        let Some(address) = line.trim_end().strip_prefix("listening on http://") else {
            refused(child);
            return None;
        };
        Some(Self { child, address: address.parse().expect("an address") })
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).expect("a connection");
        socket.set_read_timeout(Some(TEST_TIME)).expect("a time-out");
        socket
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it lives").count()
    }

    fn signal(&self, name: &str) {
        let killed = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(killed.expect("there is such a program").success());
    }

    fn end(mut self) -> ExitStatus {
        let began = Instant::now();
        while began.elapsed() < TEST_TIME {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it goes on");
    }
}

/// It did not start: for no reason but the kernel's.
fn refused(child: Child) {
    let output = child.wait_with_output().expect("it has ended");
    let said = String::from_utf8_lossy(&output.stderr);
    let reasons = ["the kernel forbids io_uring: ", "the kernel is too old for this use of io_uring: "];
    assert!(reasons.iter().any(|reason| said.starts_with(reason)), "{said}");
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    eprintln!("skipped: {said}");
}

fn answer(socket: &mut TcpStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"Hello, World!") {
        let mut space = [0; 1024];
        let count = socket.read(&mut space).expect("an answer");
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&space[..count]);
    }
}

#[test]
fn a_thousand_connections_leave_no_descriptor_behind() {
    let Some(program) = Program::start() else { return };
    // What is opened with the first connection stays: the memory of the allocator, but no descriptor.
    let before = program.descriptors();
    let mut sockets: Vec<_> = (0..1_000).map(|_| program.connect()).collect();
    for _ in 0..3 {
        for socket in &mut sockets {
            socket.write_all(PLAINTEXT).expect("a request");
        }
        sockets.iter_mut().for_each(answer);
    }
    assert!(program.descriptors() >= before + 1_000, "all are open");
    // Each third ends in another way: it asks to be closed, it hangs up, it resets.
    for (place, mut socket) in sockets.into_iter().enumerate() {
        match place % 3 {
            0 => {
                socket.write_all(CLOSING).expect("a request");
                socket.read_to_end(&mut Vec::new()).expect("an answer and an end");
            }
            1 => drop(socket),
            _ => SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("a reset"),
        }
    }
    let began = Instant::now();
    while program.descriptors() != before && began.elapsed() < TEST_TIME {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(program.descriptors(), before);
    program.signal("-TERM");
    assert!(program.end().success());
}

#[test]
fn a_signal_lets_it_drain() {
    for name in ["-TERM", "-INT"] {
        let Some(program) = Program::start() else { return };
        let (mut idle, mut busy) = (program.connect(), program.connect());
        idle.write_all(PLAINTEXT).expect("a request");
        answer(&mut idle);
        busy.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
            .expect("half a request");
        busy.read_exact(&mut [0; 12]).expect("the beginning of an answer");
        program.signal(name);
        assert_eq!(idle.read(&mut [0; 1]).expect("an end in good order"), 0, "{name}");
        busy.write_all(b"world").expect("the other half");
        let mut rest = Vec::new();
        busy.read_to_end(&mut rest).expect("the rest and an end in good order");
        assert!(rest.ends_with(b"helloworld"), "{name}: {}", String::from_utf8_lossy(&rest));
        // As long as their clients are there it would linger.
        drop((idle, busy));
        assert!(program.end().success(), "{name}");
    }
}

#[test]
fn what_it_does_not_understand_it_says() {
    for words in [&["--addr"][..], &["--port", "1"], &["one", "two", "three"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_io-uring-loop")).args(words).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage: "), "{words:?}");
    }
}
