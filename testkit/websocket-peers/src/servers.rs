//! The servers, as processes.
//!
//! The rule: none outlives the run, and none is used before it listens.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::process;
use crate::serve;

/// The processor of the servers; the clients have the first.
const PROCESSOR: usize = 1;

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tokio,
    Smol,
    FastWebSockets,
    Tungstenite,
    /// A room of Bakestone's on tokio: who is too slow is closed.
    RoomClose,
    /// Who is too slow misses the oldest messages.
    RoomDropOldest,
    /// All wait for who is too slow.
    RoomWait,
}

impl Kind {
    /// Those that send back what they are sent.
    pub(crate) const ECHOES: [Self; 4] = [Self::Tokio, Self::Smol, Self::FastWebSockets, Self::Tungstenite];
    /// Those that send to a room what it is asked to.
    pub(crate) const ROOMS: [Self; 3] = [Self::RoomClose, Self::RoomDropOldest, Self::RoomWait];

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::ECHOES.into_iter().chain(Self::ROOMS)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokio => "bakestone, tokio",
            Self::Smol => "bakestone, smol",
            Self::FastWebSockets => "fastwebsockets",
            Self::Tungstenite => "tokio-tungstenite",
            Self::RoomClose => "close",
            Self::RoomDropOldest => "drop the oldest",
            Self::RoomWait => "wait",
        }
    }

    /// Whether it is one of ours.
    pub(crate) fn is_own(self) -> bool {
        !matches!(self, Self::FastWebSockets | Self::Tungstenite)
    }
}

/// A server that listens; it is killed when this is dropped.
pub(crate) struct Running {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Running {
    /// Starts a server.
    pub(crate) fn start(kind: Kind) -> Result<Self, String> {
        start(kind).map_err(|failure| format!("{}: {failure}", kind.name()))
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

fn start(kind: Kind) -> Result<Running, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(this);
    command.args([serve::COMMAND, kind.name()]);
    // Its end of the pipe is closed with this process, however that ends.
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let child = command.spawn().map_err(|error| error.to_string())?;
    process::pin(child.id(), PROCESSOR);
    let mut running = Running { kind, address: SocketAddr::from(([0; 4], 0)), child };
    let mut line = String::new();
    if let Some(output) = running.child.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
    }
    running.address = line.trim().parse().map_err(|_| format!("it told {line:?} for its address"))?;
    Ok(running)
}
