//! Uploads over real sockets: what is saved, what is left where it goes wrong, and what it costs.
//!
//! The rule: the folder of a server's temporary files is a test's own, so that whatever is left there is seen.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use socket2::SockRef;

const RUNTIMES: [&str; 3] = ["tokio", "smol", "std"];
const PATIENCE: Duration = Duration::from_secs(20);
const MIB: usize = 1 << 20;
/// How long the pieces are in which a file is sent, in bytes.
const PIECE: usize = 64 << 10;
/// What a part says that `/upload` saves.
const FILE: &str = "Content-Disposition: form-data; name=\"file\"; filename=\"cake.bin\"";

/// A conformance server in a process of its own, and the folder that it saves in; both go with the test.
struct Server {
    child: Child,
    address: String,
    folder: PathBuf,
}

impl Server {
    fn start(runtime: &str, test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("uploads-{test}-{runtime}"));
        // That of a run that failed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_conformance"))
            .args(["--runtime", runtime, "--addr", "127.0.0.1:0"])
            .env("TMPDIR", &folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let address =
            line.trim().strip_prefix("listening on http://").expect("the line is as agreed").to_owned();
        Self { child, address, folder }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(&self.address).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        socket.set_write_timeout(Some(PATIENCE)).expect("a time-out");
        socket
    }

    /// A connection with an upload of a file of `length` bytes, of which `sent` are sent.
    fn upload(&self, length: usize, sent: usize) -> TcpStream {
        let mut socket = self.connect();
        let (opening, closing) = around(FILE);
        let whole = opening.len() + length + closing.len();
        socket.write_all(head(&format!("Content-Length: {whole}")).as_bytes()).expect("a head");
        socket.write_all(opening.as_bytes()).expect("the head of the part");
        for piece in pieces(sent) {
            socket.write_all(&piece).expect("a piece");
        }
        if sent == length {
            socket.write_all(closing.as_bytes()).expect("the end of the form");
        }
        socket
    }

    fn names(&self) -> Vec<PathBuf> {
        fs::read_dir(&self.folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect()
    }

    /// What the process has open in the folder, with a name or without one, as Linux tells it.
    fn open_files(&self) -> usize {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("its descriptors");
        let folder = fs::canonicalize(&self.folder).expect("the folder");
        descriptors
            .flatten()
            .filter(|entry| fs::read_link(entry.path()).is_ok_and(|to| to.starts_with(&folder)))
            .count()
    }

    /// Waits until the process has so many files open in the folder.
    fn await_open_files(&self, count: usize) {
        if !cfg!(target_os = "linux") {
            return thread::sleep(Duration::from_millis(500));
        }
        let began = Instant::now();
        while self.open_files() != count {
            assert!(began.elapsed() < PATIENCE, "{} open files, and not {count}", self.open_files());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The most memory that the process has had, in bytes, as Linux tells it.
    fn peak(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
    }

    fn is_well(&self) {
        assert!(ask(&mut self.connect(), "/plaintext").ends_with("Hello, World!"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A file of `length` bytes in pieces: bytes without a pattern, and in front the number of the piece, so that no two
/// are alike.
fn pieces(length: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    });
    let bytes: Vec<u8> = words.take(PIECE / 8).flat_map(u64::to_le_bytes).collect();
    (0..length).step_by(PIECE).map(move |at| {
        let mut piece = bytes.clone();
        piece[..8].copy_from_slice(&(at as u64).to_be_bytes());
        piece.truncate(length - at);
        piece
    })
}

fn head(framing: &str) -> String {
    format!(
        "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=bara-brith\r\n{framing}\r\n\r\n"
    )
}

/// What stands before and behind the data of a form's only part.
fn around(disposition: &str) -> (String, &'static str) {
    (format!("--bara-brith\r\n{disposition}\r\n\r\n"), "\r\n--bara-brith--\r\n")
}

fn ask(socket: &mut TcpStream, path: &str) -> String {
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).expect("a request");
    answer(socket)
}

/// Reads an answer that says how long it is.
fn answer(socket: &mut TcpStream) -> String {
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = socket.read(&mut buffer).expect("an answer");
        assert!(read > 0, "cut off: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        if body.len() == length.parse::<usize>().expect("a number") {
            return text.into_owned();
        }
    }
}

#[test]
fn f16_f17_a_big_file_is_saved_as_it_was_sent_and_is_never_in_memory() {
    let length = 40 * MIB + 1;
    for runtime in RUNTIMES {
        let server = Server::start(runtime, "big");
        server.is_well();
        let before = if cfg!(target_os = "linux") { server.peak() } else { 0 };
        let mut socket = server.upload(length, length);
        let answer = answer(&mut socket);
        let (head, path) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{runtime}: {answer}");
        assert_eq!(server.names(), [Path::new(path)], "{runtime}: one file, and nothing else");
        let mut saved = File::open(path).expect("the file");
        assert_eq!(saved.metadata().expect("its length").len(), length as u64, "{runtime}");
        for (place, piece) in pieces(length).enumerate() {
            let mut read = vec![0; piece.len()];
            saved.read_exact(&mut read).expect("as much as was sent");
            assert!(read == piece, "{runtime}: piece {place} differs");
        }
        if cfg!(target_os = "linux") {
            let more = server.peak().saturating_sub(before);
            assert!(more < 8 * MIB, "{runtime}: {more} bytes of memory for the file");
        }
        // The answer may be there before the file is closed.
        server.await_open_files(0);
    }
}

#[test]
fn f16_files_that_are_over_the_memory_are_read_again() {
    let files = [3 * MIB, 5, MIB + 1, 0].map(|length| pieces(length).flatten().collect::<Vec<u8>>());
    let mut form = Vec::new();
    for file in &files {
        let (opening, _) = around(FILE);
        form.extend([opening.as_bytes(), file, b"\r\n"].concat());
    }
    form.extend(b"--bara-brith--\r\n");
    let head = head(&format!("Content-Length: {}", form.len())).replacen("/upload", "/form-files", 1);
    for runtime in RUNTIMES {
        let server = Server::start(runtime, "read");
        let mut socket = server.connect();
        socket.write_all(&[head.as_bytes(), &form].concat()).expect("a request");
        let answer = answer(&mut socket);
        for file in &files {
            let sum: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(
                answer.contains(&format!("\"sha256\":\"{sum}\",\"size\":{}", file.len())),
                "{runtime}: {answer}"
            );
        }
        assert_eq!(server.names(), <[PathBuf; 0]>::default(), "{runtime}");
        server.await_open_files(0);
    }
}

#[test]
fn f11_a_client_that_goes_away_leaves_nothing() {
    type Leave = fn(TcpStream);
    let ways: [(&str, Leave); 3] = [
        ("reset", |socket| {
            SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("a reset in place of an end");
        }),
        ("closed", drop),
        ("finished", |mut socket| {
            socket.shutdown(Shutdown::Write).expect("an end");
            let answer = answer(&mut socket);
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        }),
    ];
    for runtime in RUNTIMES {
        let server = Server::start(runtime, "left");
        for (way, leave) in ways {
            let socket = server.upload(40 * MIB, 4 * MIB);
            server.await_open_files(1);
            leave(socket);
            server.await_open_files(0);
            assert_eq!(server.names(), <[PathBuf; 0]>::default(), "{runtime}, {way}");
            server.is_well();
        }
    }
}

#[test]
fn f16_a_server_that_is_killed_leaves_nothing() {
    for runtime in RUNTIMES {
        let mut server = Server::start(runtime, "killed");
        let socket = server.upload(40 * MIB, 4 * MIB);
        server.await_open_files(1);
        // On unix that is SIGKILL, of which the process learns nothing.
        server.child.kill().expect("a signal");
        server.child.wait().expect("an end");
        assert_eq!(server.names(), <[PathBuf; 0]>::default(), "{runtime}");
        drop(socket);
    }
}

#[test]
fn a_form_without_the_file_is_refused() {
    for runtime in RUNTIMES {
        let server = Server::start(runtime, "none");
        for disposition in [
            "Content-Disposition: form-data; name=\"another\"; filename=\"cake.bin\"",
            "Content-Disposition: form-data; name=\"file\"",
        ] {
            let (opening, closing) = around(disposition);
            let form = [&opening, "x", closing].concat();
            let mut socket = server.connect();
            let request = head(&format!("Content-Length: {}", form.len())) + &form;
            socket.write_all(request.as_bytes()).expect("a request");
            let answer = answer(&mut socket);
            assert!(answer.starts_with("HTTP/1.1 400 "), "{runtime}: {answer}");
            assert_eq!(server.names(), <[PathBuf; 0]>::default(), "{runtime}");
        }
    }
}

/// The upload has no end until others were answered; so they were answered beside it.
#[test]
fn f19_others_are_answered_while_a_file_is_written() {
    const LONGEST: usize = 1 << 30;
    for runtime in RUNTIMES {
        let server = Server::start(runtime, "beside");
        let is_answered = AtomicBool::new(false);
        let mut socket = server.connect();
        thread::scope(|scope| {
            let others = scope.spawn(|| {
                server.await_open_files(1);
                for _ in 0..100 {
                    server.is_well();
                }
                is_answered.store(true, Ordering::Relaxed);
            });
            let (opening, closing) = around(FILE);
            socket.write_all(head("Transfer-Encoding: chunked").as_bytes()).expect("a head");
            let mut sent = send_chunk(&mut socket, opening.as_bytes());
            let piece = vec![b'x'; PIECE];
            while !is_answered.load(Ordering::Relaxed) && !others.is_finished() && sent < LONGEST {
                sent += send_chunk(&mut socket, &piece);
            }
            assert!(
                is_answered.load(Ordering::Relaxed),
                "{runtime}: nobody was answered beside {sent} bytes"
            );
            send_chunk(&mut socket, closing.as_bytes());
            socket.write_all(b"0\r\n\r\n").expect("the end");
        });
        let answer = answer(&mut socket);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{runtime}: {answer}");
    }
}

/// How long it was, in bytes.
fn send_chunk(socket: &mut TcpStream, data: &[u8]) -> usize {
    let chunk = [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
    socket.write_all(&chunk).expect("a chunk");
    data.len()
}
