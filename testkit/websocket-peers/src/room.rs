//! A room with one member who does not read.
//!
//! The rule: the others get every message, in order and whole, whatever becomes of the one; only the policy that makes
//! all wait makes them wait.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bakestone_std::Server;
use bakestone_std::bakestone::message::{Group, Overflow, WebSocketUpgrade};
use bakestone_std::bakestone::{App, Limits, Path, Result as Answer, State, get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::client::handshake;
use crate::process;
use crate::servers::{Kind, Running};

/// Bytes of a message, and of the head before it.
const LENGTH: usize = 1 << 10;
const HEAD: [u8; 4] = [0x82, 126, (LENGTH >> 8) as u8, LENGTH as u8];

/// How long the one who does not read may hold up those who wait for it.
const WRITE_TIME: Duration = Duration::from_secs(2);

/// What the system keeps for a socket: by itself it would keep all that the room says.
const SOCKET_BYTES: usize = 64 << 10;

/// How long a client waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// From one message to the next at least: a client that the system does not let run for a while is not a slow one.
const PACE: Duration = Duration::from_millis(2);

/// How the sockets of the members have ended.
type Ends = Arc<Mutex<BTreeMap<String, usize>>>;

/// The server: `/` is the room, `/say/{count}` says something so many times, `/ends` tells how sockets ended.
pub(crate) fn serve(listener: TcpListener, overflow: Overflow) -> Result<(), Box<dyn Error>> {
    // Accepted sockets have what the listener has.
    socket2::SockRef::from(&listener).set_send_buffer_size(SOCKET_BYTES)?;
    let app = App::new()
        .state(Group::new(overflow))
        .state(Ends::default())
        .route("/", get(member))
        .route("/say/{count:int}", get(say))
        .route("/ends", get(ends));
    let mut limits = Limits::default();
    // The other policies are to be seen at work, and no deadline.
    limits.write_time = if overflow == Overflow::Wait { WRITE_TIME } else { PATIENCE };
    limits.minimum_rate = 0;
    limits.websocket_close_time = PATIENCE;
    limits.websocket_ping_time = None;
    bakestone_tokio::run(app, Server::new().listener(listener).limits(limits))?;
    Ok(())
}

async fn member(
    State(group): State<Group>,
    State(ends): State<Ends>,
    upgrade: WebSocketUpgrade,
) -> Answer<()> {
    let mut socket = upgrade.accept().await?;
    let member = group.join(&socket.sender());
    let end = loop {
        match socket.receive().await {
            Ok(Some(_)) => {}
            Ok(None) => break "closed by the client".to_owned(),
            Err(error) => break error.to_string(),
        }
    };
    drop(member);
    let missed = socket.missed();
    let end = if missed > 0 { format!("{end}, {missed} missed") } else { end };
    *ends.lock().unwrap_or_else(PoisonError::into_inner).entry(end).or_default() += 1;
    Ok(())
}

async fn say(State(group): State<Group>, Path(count): Path<u32>) -> String {
    for number in 0..count {
        group.send(message(number)).await;
        tokio::time::sleep(PACE).await;
    }
    group.len().to_string()
}

async fn ends(State(ends): State<Ends>) -> String {
    format!("{:?}", ends.lock().unwrap_or_else(PoisonError::into_inner))
}

fn message(number: u32) -> Vec<u8> {
    let mut message = vec![b'x'; LENGTH];
    message[..4].copy_from_slice(&number.to_be_bytes());
    message
}

/// Prints the table; what was not as it must be.
pub(crate) fn run(members: usize, messages: u32) -> Result<Vec<String>, String> {
    println!(
        "\n| room of {members}, {messages} messages of 1 KiB, one does not read | seconds to all others | CPU µs/delivery \
         | RSS before, KiB | after | peak | the one |\n|---|---|---|---|---|---|---|"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let mut wrong = Vec::new();
    for kind in Kind::ROOMS {
        let server = Running::start(kind)?;
        let measured = runtime.block_on(measure(&server, members, messages));
        if let Err(error) = measured {
            wrong.push(format!("the room under {:?}: {error}", kind.name()));
        }
    }
    Ok(wrong)
}

async fn measure(server: &Running, members: usize, messages: u32) -> Result<(), String> {
    let slow = open(server.address, Some(SOCKET_BYTES as u32 / 4)).await?;
    let mut others = Vec::with_capacity(members);
    for _ in 1..members {
        others.push(open(server.address, None).await?);
    }
    let (before, cost) = (process::memory(server.id())?, process::processor_time(server.id())?);
    let began = Instant::now();
    let mut reading = JoinSet::new();
    others.into_iter().for_each(|stream| _ = reading.spawn(read_all(stream, messages)));
    let said = tokio::spawn(ask(server.address, format!("/say/{messages}")));
    let mut streams = Vec::with_capacity(members);
    while let Some(read) = reading.join_next().await {
        streams.push(read.map_err(|error| error.to_string())??);
    }
    let taken = began.elapsed();
    let cost = process::processor_time(server.id())?.saturating_sub(cost);
    let after = process::memory(server.id())?;
    said.await.map_err(|error| error.to_string())??;
    let end = end_of(slow).await?;
    drop(streams);
    let told = ask(server.address, "/ends".to_owned()).await?;
    println!(
        "| {} | {:.2} | {:.2} | {} | {} | {} | {end}; server: {told} |",
        server.kind.name(),
        taken.as_secs_f64(),
        cost.as_secs_f64() * 1e6 / f64::from(messages) / (members - 1) as f64,
        before.resident >> 10,
        after.resident >> 10,
        after.peak >> 10,
    );
    match (server.kind, end) {
        (Kind::RoomClose, End::Close(1013))
        | (Kind::RoomDropOldest, End::Open(_))
        | (Kind::RoomWait, End::Reset) => Ok(()),
        (_, end) => Err(format!("the one who does not read: {end}")),
    }
}

async fn open(address: SocketAddr, receive_bytes: Option<u32>) -> Result<TcpStream, String> {
    let failed = |error: std::io::Error| format!("no connection (see ulimit -n): {error}");
    let socket = TcpSocket::new_v4().map_err(failed)?;
    if let Some(bytes) = receive_bytes {
        socket.set_recv_buffer_size(bytes).map_err(failed)?;
    }
    let mut stream = socket.connect(address).await.map_err(failed)?;
    stream.write_all(handshake("/", "").as_bytes()).await.map_err(failed)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.map_err(failed)?);
    }
    match head.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(stream),
        false => Err("not accepted".to_owned()),
    }
}

/// Reads so many messages, each of which must be the next.
async fn read_all(mut stream: TcpStream, messages: u32) -> Result<TcpStream, String> {
    let mut buffer = vec![0; 16 * (HEAD.len() + LENGTH)];
    let (mut filled, mut next) = (0, 0);
    while next < messages {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer[filled..])).await;
        match read {
            Ok(Ok(count)) if count > 0 => filled += count,
            other => return Err(format!("after {next} messages: {other:?}")),
        }
        let whole = filled / (HEAD.len() + LENGTH) * (HEAD.len() + LENGTH);
        for frame in buffer[..whole].chunks_exact(HEAD.len() + LENGTH) {
            if frame[..4] != HEAD || frame[4..] != message(next) {
                return Err(format!("not the message {next}: {:?}", &frame[..8]));
            }
            next += 1;
        }
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
    Ok(stream)
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was closed with this code.
    Close(u16),
    Reset,
    /// It is still open, and has read so many messages.
    Open(usize),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Close(code) => write!(f, "closed with {code}"),
            Self::Reset => f.write_str("reset"),
            Self::Open(messages) => write!(f, "open, has {messages} messages"),
        }
    }
}

/// Reads at last.
async fn end_of(mut stream: TcpStream) -> Result<End, String> {
    let mut messages = 0;
    loop {
        let mut head = [0; 4];
        match tokio::time::timeout(Duration::from_secs(1), stream.read_exact(&mut head)).await {
            Err(_) => return Ok(End::Open(messages)),
            Ok(Err(_)) => return Ok(End::Reset),
            Ok(Ok(_)) if head == HEAD => {
                let mut content = [0; LENGTH];
                if stream.read_exact(&mut content).await.is_err() {
                    return Ok(End::Reset);
                }
                messages += 1;
            }
            Ok(Ok(_)) if head[0] == 0x88 => return Ok(End::Close(u16::from_be_bytes([head[2], head[3]]))),
            Ok(Ok(_)) => return Err(format!("not a frame: {head:?}")),
        }
    }
}

/// Asks for something that is no socket; the content of the answer.
async fn ask(address: SocketAddr, path: String) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{path}: {error}");
    let mut stream = TcpStream::connect(address).await.map_err(failed)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(failed)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, content)) if head.starts_with("HTTP/1.1 200 ") => Ok(content.to_owned()),
        _ => Err(format!("{path}: {answer}")),
    }
}
