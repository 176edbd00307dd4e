//! The servers, as processes.
//!
//! The rule: none outlives the run, and none is used before it listens.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cases::Folder;
use crate::serve;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tokio,
    Smol,
    Std,
    Axum,
    Nginx,
    /// nginx without `sendfile`.
    NginxCopying,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Tokio, Self::Smol, Self::Std, Self::Axum, Self::Nginx, Self::NginxCopying];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokio => "bakestone, tokio",
            Self::Smol => "bakestone, smol",
            Self::Std => "bakestone, std",
            Self::Axum => "axum",
            Self::Nginx => "nginx",
            Self::NginxCopying => "nginx, sendfile off",
        }
    }
}

/// A server that listens; it is killed when this is dropped.
pub(crate) struct Running {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Running {
    /// Starts a server for the files of the folder; `None` if it is not installed.
    pub(crate) fn start(kind: Kind, folder: &Folder) -> Result<Option<Self>, String> {
        match kind {
            Kind::Nginx => nginx(kind, folder, "on"),
            Kind::NginxCopying => nginx(kind, folder, "off"),
            _ => own(kind, folder).map(Some),
        }
        .map_err(|failure| format!("{}: {failure}", kind.name()))
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that is in this program.
fn own(kind: Kind, folder: &Folder) -> Result<Running, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(this);
    command.args([serve::COMMAND, kind.name()]).arg(folder.files());
    // Its end of the pipe is closed with this process, however that ends.
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.spawn().map_err(|error| error.to_string())?;
    let mut running = Running { kind, address: SocketAddr::from(([0; 4], 0)), child };
    let mut line = String::new();
    if let Some(output) = running.child.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
    }
    running.address = line.trim().parse().map_err(|_| format!("it told {line:?} for its address"))?;
    Ok(running)
}

/// nginx, in one process.
fn nginx(kind: Kind, folder: &Folder, sendfile: &str) -> Result<Option<Running>, String> {
    let failed = |error: std::io::Error| error.to_string();
    // The port is free when it is asked for, and most likely still a moment later.
    let address =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(failed)?;
    let prefix = folder.beside(&format!("nginx-{sendfile}"));
    fs::create_dir_all(&prefix).map_err(failed)?;
    let configuration = prefix.join("nginx.conf");
    let text = configure(&prefix, &folder.files(), address, sendfile);
    fs::write(&configuration, text).map_err(failed)?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&prefix).arg("-e").arg(prefix.join("error.log")).arg("-c").arg(&configuration);
    let child = match command.stdin(Stdio::null()).spawn() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        child => child.map_err(failed)?,
    };
    let mut running = Running { kind, address, child };
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        if running.child.try_wait().map_err(failed)?.is_some() || Instant::now() > until {
            return Err(fs::read_to_string(prefix.join("error.log")).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(Some(running))
}

fn configure(prefix: &Path, files: &Path, address: SocketAddr, sendfile: &str) -> String {
    let (prefix, files) = (prefix.display(), files.display());
    format!(
        "\
daemon off;
master_process off;
worker_processes 1;
pid {prefix}/nginx.pid;
error_log {prefix}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile {sendfile};
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    client_body_temp_path {prefix}/body;
    proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi;
    uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    server {{
        listen {address};
        root {files};
    }}
}}
"
    )
}
