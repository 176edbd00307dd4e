//! A connection that has become a WebSocket.
//!
//! The rule: the protocol's state is [`ws::Conn`]'s, what the handler wants and gets is [`Shared`]'s, and the driver
//! in between knows only the time. The peer's next message is read when the handler has taken the last; its pings,
//! its pongs and its close are nobody's business but ours.

mod shared;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use shared::Next;
pub(crate) use shared::{End, Outgoing, Shared};

use crate::error::Disconnected;
use crate::machine::{Io, Moment, Peer};
use crate::message::{OnDisconnect, Response, WebSocketOptions};
use crate::session::observe::{Deadline, Entry, Event};
use crate::session::pace::{Pace, TICK};
use crate::session::service::Service;
use crate::session::session::{Sending, Session};
use crate::ws::{self, CloseCode, CloseFrame};

/// Whoever asks for pings more often than so would have the machine do nothing else.
const LEAST_PING_TIME: Duration = Duration::from_millis(10);

/// The session's side of one socket.
pub(crate) struct Driver {
    conn: ws::Conn,
    shared: Arc<Shared>,
    ping_time: Option<Duration>,
    pong_time: Duration,
    close_time: Duration,
    ping_at: Option<Moment>,
    /// A ping was sent, and nothing was heard since.
    silent_since: Option<Moment>,
    /// What the peer sends was being read when the last step ended.
    reading: bool,
    /// How much input there was when it was last looked at.
    seen: usize,
    /// A message that is on its way in.
    pace: Option<Box<Pace>>,
    /// Our close was sent, and the peer's is waited for.
    close_ends_at: Option<Moment>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// Nothing more is said, and what comes is discarded.
    Over,
    /// The peer did not close in time, and is not waited for.
    Cut,
}

impl Driver {
    pub(crate) fn new(conn: ws::Conn, shared: Arc<Shared>, options: &WebSocketOptions) -> Box<Self> {
        Box::new(Self {
            conn,
            shared,
            ping_time: options.ping_time.map(|time| time.max(LEAST_PING_TIME)),
            pong_time: options.pong_time.max(TICK),
            close_time: options.close_time,
            ping_at: None,
            silent_since: None,
            reading: false,
            seen: 0,
            pace: None,
            close_ends_at: None,
            stage: Stage::Open,
        })
    }

    /// The protocols are switched, maybe by a server that stops already.
    pub(super) fn start(&mut self, now: Moment, draining: bool) {
        self.ping_at = self.ping_time.map(|time| now + time);
        if draining {
            self.drain();
        }
        self.shared.start();
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage != Stage::Open
    }

    /// The peer is not waited for any more.
    pub(super) fn is_cut(&self) -> bool {
        self.stage == Stage::Cut
    }

    /// Both ends have said that they close.
    pub(super) fn is_complete(&self) -> bool {
        self.conn.has_sent_close() && self.conn.has_received_close()
    }

    /// Whether anything more is to be read.
    pub(super) fn reads(&self) -> bool {
        self.is_over() || self.shared.takes_message()
    }

    /// When it is to be stepped, though no deadline passes.
    pub(super) fn ping_at(&self) -> Option<Moment> {
        self.ping_at
    }

    /// The server stops.
    pub(super) fn drain(&self) {
        self.close(CloseCode::GOING_AWAY);
    }

    /// The handler has failed.
    pub(super) fn fail(&self) {
        self.close(CloseCode::INTERNAL);
    }

    /// Asks for the end of it, unless somebody has.
    fn close(&self, code: CloseCode) {
        let _ = self.shared.close(CloseFrame::new(code));
    }

    /// There is so much input now.
    fn hear(&mut self, input: usize, now: Moment) {
        let new = input.saturating_sub(self.seen);
        self.seen = input;
        if new > 0 {
            self.silent_since = None;
            if let Some(pace) = &mut self.pace {
                pace.progress(new as u64, now);
            }
        }
    }

    fn send(&mut self, outgoing: &Outgoing, io: &mut Io) {
        let codecs = &mut io.lent.get_or_insert_default().codecs;
        self.conn.lend(codecs);
        let sent = match outgoing {
            Outgoing::Message(message) => self.conn.send(message, &mut io.output),
            Outgoing::Prepared(prepared) => self.conn.send_prepared(prepared, &mut io.output),
        };
        self.conn.give_back(codecs);
        debug_assert!(sent.is_ok(), "a whole message may be sent until the close");
    }

    /// Nothing is queued, so the close that is wanted leaves.
    fn say_close(&mut self, frame: &CloseFrame, now: Moment, io: &mut Io) {
        let _ = self.conn.send_close(Some(frame), &mut io.output);
        (self.ping_at, self.close_ends_at) = (None, Some(now + self.close_time.max(TICK)));
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("conn", &self.conn).field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end(End::Lost(Disconnected::Over));
    }
}

impl<S: Service> Session<S> {
    /// Takes the next event of a socket, if somebody has room for it.
    pub(super) fn receive_socket(&mut self, io: &mut Io) -> bool {
        let has_room = self.has_room(io);
        let Sending::Socket(socket) = &mut self.sending else { return false };
        if socket.is_over() {
            io.input.clear();
            return false;
        }
        socket.hear(io.input.len(), self.now.mono);
        if self.abort || !has_room || !socket.shared.takes_message() {
            return false;
        }
        let codecs = &mut io.lent.get_or_insert_default().codecs;
        socket.conn.lend(codecs);
        let event = socket.conn.next(&mut io.input);
        socket.conn.give_back(codecs);
        socket.seen = io.input.len();
        match event {
            Ok(ws::Event::Message(message)) => socket.shared.give(message),
            Ok(ws::Event::Ping(_)) => _ = socket.conn.answer_ping(&mut io.output),
            Ok(ws::Event::Close(frame)) => self.socket_closed(frame, io),
            Ok(ws::Event::NeedInput) if self.peer == Peer::Finished => {
                self.lose_socket(Disconnected::Finished)
            }
            Ok(ws::Event::NeedInput | ws::Event::Closed) => return false,
            Ok(_) => {}
            Err(error) => self.socket_failed(error, io),
        }
        true
    }

    /// The peer closes: it is told so, once, and this end is the first to close the connection below (RFC 6455,
    /// section 7.1.1).
    fn socket_closed(&mut self, frame: Option<CloseFrame>, io: &mut Io) {
        let Sending::Socket(socket) = &mut self.sending else { return };
        let echo = frame.as_ref().map(|frame| CloseFrame::new(frame.code()));
        // It has been sent if this end closed first.
        let _ = socket.conn.send_close(echo.as_ref(), &mut io.output);
        socket.shared.peer_closed(frame);
        self.socket_is_over(Stage::Over);
    }

    /// The peer broke the protocol: it is told how, and nothing more of it is read (RFC 6455, section 7.1.7).
    fn socket_failed(&mut self, error: ws::Error, io: &mut Io) {
        self.observed.tell(Event::WebSocketRefused(&error));
        let Sending::Socket(socket) = &mut self.sending else { return };
        let _ = socket.conn.send_close(Some(&error.close_frame()), &mut io.output);
        socket.shared.end(End::Failed(error));
        self.socket_is_over(Stage::Over);
    }

    /// Sends what is queued, and what the time and the end ask for.
    pub(super) fn send_socket(&mut self, io: &mut Io) -> bool {
        if self.abort || self.peer == Peer::Gone {
            return false;
        }
        let mut moved = self.ping_socket(io);
        while self.has_room(io) {
            let Sending::Socket(socket) = &mut self.sending else { break };
            if socket.is_over() || socket.conn.has_sent_close() {
                break;
            }
            match socket.shared.next() {
                Next::Send(outgoing) => socket.send(&outgoing, io),
                Next::Close(frame) => socket.say_close(&frame, self.now.mono, io),
                Next::Released if self.exchange.has_failed() => socket.close(CloseCode::INTERNAL),
                Next::Released => socket.close(CloseCode::NORMAL),
                Next::Nothing => break,
            }
            moved = true;
        }
        moved
    }

    /// Sends the ping that is due. Where there is no room for it, the peer does not read, which has a deadline of its
    /// own.
    fn ping_socket(&mut self, io: &mut Io) -> bool {
        let (has_room, now) = (self.has_room(io), self.now.mono);
        let Sending::Socket(socket) = &mut self.sending else { return false };
        if socket.ping_at.is_none_or(|at| at > now) {
            return false;
        }
        socket.ping_at = socket.ping_time.map(|time| now + time);
        if has_room && socket.silent_since.is_none() {
            socket.silent_since = Some(now);
            let _ = socket.conn.send_ping(b"", &mut io.output);
        }
        true
    }

    /// The handler has returned while its socket lives.
    pub(super) fn leave_socket(&mut self, response: Response) {
        if let Sending::Socket(socket) = &self.sending {
            if response.status.is_client_error() || response.status.is_server_error() {
                socket.fail();
            }
        }
        self.observed.guard(Entry::Drop, || drop(response));
    }

    /// The peer is lost.
    pub(super) fn lose_socket(&mut self, why: Disconnected) {
        if let Sending::Socket(socket) = &mut self.sending {
            socket.shared.end(End::Lost(why));
            self.socket_is_over(Stage::Over);
        }
    }

    /// From now on the handler has nobody to talk to, and a bounded time to notice.
    fn socket_is_over(&mut self, stage: Stage) {
        let Sending::Socket(socket) = &mut self.sending else { return };
        if socket.stage == Stage::Open {
            self.times.called_at = Some(self.now.mono);
        }
        socket.stage = socket.stage.max(stage);
        (socket.ping_at, socket.silent_since, socket.close_ends_at) = (None, None, None);
        socket.pace = None;
    }

    /// The deadlines that only a socket has.
    pub(super) fn socket_deadlines(&self) -> [(Option<Moment>, Deadline); 3] {
        let Sending::Socket(socket) = &self.sending else {
            return [(None, Deadline::Pong), (None, Deadline::CloseHandshake), (None, Deadline::Body)];
        };
        let limits = self.conn.limits();
        let pong = socket.silent_since.filter(|_| socket.reading).map(|since| since + socket.pong_time);
        let message = socket.pace.as_ref().and_then(|pace| pace.deadline(limits.body_time, limits));
        let close = socket.close_ends_at;
        [(pong, Deadline::Pong), (close, Deadline::CloseHandshake), (message, Deadline::Body)]
    }

    /// The peer has not answered a ping in time, or not our close; or it sends a message too slowly.
    pub(super) fn socket_timed_out(&mut self, which: Deadline, io: &mut Io) {
        if which != Deadline::CloseHandshake {
            self.lose_socket(Disconnected::Gone);
            return self.abort_now(io);
        }
        if let Sending::Socket(socket) = &self.sending {
            socket.shared.end(End::Closed);
        }
        self.socket_is_over(Stage::Cut);
        if !io.output.is_empty() {
            self.abort_now(io);
        }
    }

    /// How long the handler may take: once its socket is over, it has the time of a close, unless its route has another,
    /// or it has said that it looks after itself.
    pub(super) fn handler_time(&self) -> Option<Duration> {
        let usual = match &self.sending {
            Sending::Socket(socket) => match self.exchange.on_disconnect() {
                None | Some(OnDisconnect::Cancel) => Some(socket.close_time),
                Some(_) => None,
            },
            _ => self.conn.limits().handler_time,
        };
        self.exchange.handler_time(usual)
    }

    /// A step is over: while nobody reads, the peer cannot be heard, and has all its time again afterwards.
    pub(super) fn clock_socket(&mut self, io: &Io) {
        let (has_room, now) = (self.has_room(io), self.now.mono);
        let Sending::Socket(socket) = &mut self.sending else { return };
        let reading = has_room && socket.reads();
        if reading && !socket.reading {
            socket.silent_since = socket.silent_since.map(|_| now);
        }
        socket.reading = reading;
        if socket.is_over() || socket.conn.is_idle_in() {
            socket.pace = None;
            return;
        }
        let pace = socket.pace.get_or_insert_with(|| Box::new(Pace::start(now)));
        if reading {
            pace.resume(now);
        } else {
            pace.pause(now);
        }
    }
}
