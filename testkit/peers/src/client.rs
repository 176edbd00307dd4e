//! Holds one case's conversation with a server, over a socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use bakestone_testkit::cases::{Case, Content, End, NEXT, NEXT_ANSWER, Turn};

use crate::reply::Replies;

/// A server that has said nothing for so long says nothing more.
const SILENCE: Duration = Duration::from_millis(500);

/// What becomes of a connection, as far as a client can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The next request was answered as itself; or none was sent, and nobody closed.
    Open,
    /// The next request was answered, and not as itself.
    Astray,
    /// The next request was not answered, and nobody closed.
    Waits,
    /// Closed or reset by the server, without another answer.
    Closed,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// What came back, turn by turn.
    pub(crate) turns: Vec<Replies>,
    /// What came back behind the last turn: to the next request, or when the client finished in the middle of
    /// its own.
    pub(crate) late: Replies,
    /// What became of the connection in the end.
    pub(crate) fate: Fate,
}

/// Holds the conversation of `case`, on a connection of its own.
///
/// # Errors
///
/// Nobody listens at `server`. What happens to the connection later is part of the outcome.
pub(crate) fn converse(server: SocketAddr, case: &Case) -> std::io::Result<Outcome> {
    let mut socket = TcpStream::connect(server)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(SILENCE))?;
    let mut outcome = Outcome { turns: Vec::new(), late: Replies::default(), fate: Fate::Open };
    for turn in &case.turns {
        let (received, closed) = exchange(&mut socket, &turn.request);
        outcome.turns.push(Replies::read(&received, |number| has_content(turn, number), closed));
        if closed {
            outcome.fate = Fate::Closed;
            return Ok(outcome);
        }
    }
    match case.end() {
        End::Open | End::Closed | End::Reset => {
            let (received, closed) = exchange(&mut socket, NEXT.as_bytes());
            outcome.late = Replies::read(&received, |_| true, closed);
            outcome.fate = match &outcome.late.whole[..] {
                [reply] if reply.content == NEXT_ANSWER.as_bytes() => Fate::Open,
                [] if closed => Fate::Closed,
                [] => Fate::Waits,
                _ => Fate::Astray,
            };
        }
        End::Waits => {
            let _ = socket.shutdown(Shutdown::Write);
            let (received, closed) = exchange(&mut socket, b"");
            outcome.late = Replies::read(&received, |_| true, closed);
        }
        End::Tunnel => {}
    }
    Ok(outcome)
}

/// Whether content may follow the head of the final answer with this number: none does where the request is
/// HEAD, which the case tells.
fn has_content(turn: &Turn, number: usize) -> bool {
    let mut finals = turn.answers.iter().filter(|answer| answer.status >= 200 || answer.status == 101);
    finals.nth(number).is_none_or(|answer| answer.content != Content::None)
}

/// Sends `bytes`, and takes what comes back until the server is silent; and whether it has closed.
fn exchange(socket: &mut TcpStream, bytes: &[u8]) -> (Vec<u8>, bool) {
    // Whoever closes early may not take all of it. That shows when reading.
    let _ = socket.write_all(bytes);
    let mut received = Vec::new();
    let mut space = [0; 16 * 1024];
    loop {
        match socket.read(&mut space) {
            Ok(0) => return (received, true),
            Ok(count) => received.extend_from_slice(&space[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                let is_silent = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                return (received, !is_silent);
            }
        }
    }
}
