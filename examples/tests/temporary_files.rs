//! Files without a name, held by a process that is killed.
//!
//! The process is this program again, which a variable of its environment makes a server.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bakestone::message::Sent;
use bakestone::{App, Bytes, HeaderMap, Request, Result, StatusCode, get};
use bakestone_std::Server;

const RUNTIMES: [&str; 3] = ["tokio", "smol", "std"];
const PATIENCE: Duration = Duration::from_secs(20);
const RUNTIME: &str = "BAKESTONE_TEST_RUNTIME";

/// Answers once its file is half-written, and holds it.
async fn hold(request: Request) -> Result<Sent> {
    let mut file = request.context().open_temporary(None).await?;
    file.write(Bytes::from(vec![b'x'; 100_000])).await?;
    let mut writer = request.respond(StatusCode::OK, HeaderMap::new())?;
    writer.write("held").await?;
    request.context().sleep(3600 * PATIENCE).await;
    drop(file);
    Ok(writer.finish().await?)
}

#[allow(clippy::print_stdout, reason = "it is how it speaks")]
fn serve(runtime: &str) {
    let app = App::new().route("/", get(hold));
    let server = Server::new().address("127.0.0.1:0").on_ready(|places| {
        println!("\nlistening on {}", places[0]);
    });
    let ended = match runtime {
        "tokio" => bakestone_tokio::run(app, server),
        "smol" => bakestone_smol::run(app, server),
        _ => bakestone_std::run(app, server),
    };
    ended.expect("it serves until it is killed");
}

/// A server, and the folder of its temporary files; both go with the test.
struct Held {
    child: Child,
    folder: PathBuf,
}

impl Held {
    fn start(runtime: &str) -> (Self, String) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("temporary-files-{runtime}"));
        // That of a run that failed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "a_killed_process_leaves_no_file", "--nocapture"])
            .env(RUNTIME, runtime)
            .env("TMPDIR", &folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let address = lines
            .map(|line| line.expect("a line"))
            .find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
        (Self { child, folder }, address.expect("it says where it listens"))
    }

    fn names(&self) -> Vec<PathBuf> {
        fs::read_dir(&self.folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect()
    }

    /// What the process has open in the folder, as Linux tells it.
    fn open_files(&self) -> usize {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("its descriptors");
        let folder = fs::canonicalize(&self.folder).expect("the folder");
        descriptors
            .flatten()
            .filter(|entry| fs::read_link(entry.path()).is_ok_and(|to| to.starts_with(&folder)))
            .count()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_killed_process_leaves_no_file() {
    if let Ok(runtime) = std::env::var(RUNTIME) {
        return serve(&runtime);
    }
    for runtime in RUNTIMES {
        let (mut held, address) = Held::start(runtime);
        let mut socket = TcpStream::connect(address).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        socket.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("a request");
        let mut answer = Vec::new();
        while !answer.ends_with(b"held\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).expect("an answer");
            answer.extend(byte);
        }
        if cfg!(target_os = "linux") {
            assert_eq!(held.open_files(), 1, "{runtime}");
        }
        // On unix that is SIGKILL, of which the process learns nothing.
        held.child.kill().expect("a signal");
        held.child.wait().expect("an end");
        assert_eq!(held.names(), <[PathBuf; 0]>::default(), "{runtime}");
    }
}
