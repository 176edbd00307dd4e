//! The servers, as processes.
//!
//! The rule: none outlives the run, none leaves its core, and none is used before it takes connections.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bakestone_bench_client::process::Process;

use crate::options::Options;
use crate::peers::{Kind, Peer};
use crate::programs;
use crate::scratch::Scratch;

/// How long a server may take to start or to stop; one that valgrind interprets is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that takes connections; it is killed when this is dropped.
pub(crate) struct Running {
    pub(crate) peer: &'static Peer,
    pub(crate) address: SocketAddr,
    /// Where it saves what is uploaded.
    pub(crate) uploads: PathBuf,
    child: Child,
    log: PathBuf,
}

/// How servers are started.
pub(crate) struct Starter<'a> {
    pub(crate) options: &'a Options,
    /// The folder of the programs.
    pub(crate) programs: &'a Path,
    pub(crate) scratch: &'a Scratch,
    /// What runs the program, if it does not run by itself.
    pub(crate) wrapper: Vec<OsString>,
}

impl Starter<'_> {
    /// Starts a server for requests of that length, which only a floor has to know.
    pub(crate) fn start(&self, peer: &'static Peer, request_bytes: usize) -> Result<Running, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", peer.name);
        // The port is free when it is asked for, and most likely still a moment later.
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(failed)?;
        let log = self.scratch.path().join(format!("{}.log", peer.name));
        let mut command = Command::new("taskset");
        command.args(["-c", &self.options.server_core.to_string()]).args(&self.wrapper);
        command.arg(programs::program(self.options, self.programs, peer));
        command.args(self.arguments(peer, address, request_bytes));
        let uploads = self.scratch.uploads();
        command
            .env("TMPDIR", &uploads)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command.stderr(File::create(&log).map_err(failed)?);
        let child = command.spawn().map_err(|error| format!("taskset: {error}"))?;
        let mut running = Running { peer, address, uploads, child, log };
        running.wait_until_it_listens()?;
        Ok(running)
    }

    fn arguments(&self, peer: &Peer, address: SocketAddr, request_bytes: usize) -> Vec<OsString> {
        if peer.kind == Kind::Python {
            return uvicorn(peer, address);
        }
        let mut arguments = vec!["--addr".into(), address.to_string().into()];
        arguments.extend(peer.arguments.iter().map(Into::into));
        arguments.extend(match peer.kind {
            Kind::Floor => ["--request-bytes".into(), request_bytes.to_string().into()],
            _ => ["--root".into(), self.scratch.files().into()],
        });
        arguments
    }
}

/// One process, without what the other servers do not do either: a line for each request, and a `Server` field.
fn uvicorn(peer: &Peer, address: SocketAddr) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["-m", "uvicorn", "--loop", "uvloop", "--http", "httptools"]
        .map(Into::into)
        .into_iter()
        .chain(["--no-access-log", "--no-server-header", "--log-level", "warning"].map(Into::into))
        .collect();
    arguments.extend(["--app-dir".into(), programs::python_applications().into()]);
    arguments.extend(["--host".into(), address.ip().to_string().into()]);
    arguments.extend(["--port".into(), address.port().to_string().into()]);
    arguments.push(format!("{}:app", peer.program).into());
    arguments
}

impl Running {
    pub(crate) fn process(&self) -> Process {
        // taskset becomes the program that it starts.
        Process(self.child.id())
    }

    fn wait_until_it_listens(&mut self) -> Result<(), String> {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if self.has_ended()? || began.elapsed() > PATIENCE {
                return Err(format!("{} does not listen: {}", self.peer.name, self.said()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn has_ended(&mut self) -> Result<bool, String> {
        let ended = self.child.try_wait().map_err(|error| error.to_string())?;
        Ok(ended.is_some())
    }

    /// The end of what it wrote to its log.
    fn said(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(500)..]).into_owned()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status();
        status.map_err(|error| format!("kill: {error}"))?;
        let began = Instant::now();
        while !self.has_ended()? {
            if began.elapsed() > PATIENCE {
                return Err(format!("{} does not end: {}", self.peer.name, self.said()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
