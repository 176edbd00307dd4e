//! One end of a connection: its receiving half, and what both halves share.
//!
//! The rule: what it says does not depend on how the bytes were cut. An error comes at the byte that makes it certain,
//! and stays. A new byte is looked at once, and memory grows with what has come and not with what was announced.
//!
//! ```text
//! Head --head--> Payload --last byte--+--> Head
//!                                     +--Close--> Closed
//! ```

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use super::close::CloseFrame;
use super::compression::{Codecs, Compression};
use super::error::{Error, Reason};
use super::extension::DeflateParams;
use super::frame::{self, CONTROL_BYTES, Opcode, Start};
use super::mask::{self, Keys};
use super::message::{Message, MessageKind};
use super::send::Sending;
use super::utf8::{self, Utf8Bytes};

/// Room that is made for a frame that is on its way, in bytes, where less than that has come.
const ROOM: usize = 16 << 10;

/// Up to this many bytes a payload is copied: it costs no more than to share the input's memory, and a few bytes that
/// somebody keeps do not keep a whole buffer alive.
const COPIED: usize = 1024;

/// Which end of the connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The end that was connected to. It does not mask what it sends.
    Server,
    /// The end that has connected. It masks what it sends, with a new key for each frame.
    Client {
        /// What the keys are made of: unpredictable keys need a seed that is so, from the operating system's source of
        /// randomness, and of its own for each connection (RFC 6455, section 5.3).
        mask_seed: u64,
    },
}

/// How a connection is set up.
///
/// ```
/// let mut config = bakestone::ws::Config::default();
/// config.message_bytes = 64 << 10;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How many bytes a message may have, inflated if it is compressed; 16 MiB.
    pub message_bytes: usize,
    /// How many bytes the payload of a frame may have, as it is sent; 16 MiB.
    pub frame_bytes: usize,
    /// What both ends have agreed on, if messages may be compressed. Without the feature `permessage-deflate` nothing can
    /// be agreed on, and what stands here is not looked at.
    pub deflate: Option<DeflateParams>,
    /// Messages with fewer bytes are sent as they are; 128.
    pub compress_from: usize,
    /// How hard this end tries to compress: 1 is fast, 9 compresses most; 3.
    pub compression_level: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            message_bytes: 16 << 20,
            frame_bytes: 16 << 20,
            deflate: None,
            compress_from: 128,
            compression_level: 3,
        }
    }
}

/// What was taken from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Nothing can be taken before there is more input.
    NeedInput,
    /// A whole message.
    Message(Message),
    /// A ping. The pong is due: [`Conn::answer_ping`] sends it.
    Ping(Bytes),
    /// A pong, asked for or not.
    Pong(Bytes),
    /// The peer closes, or answers our Close. Whoever did not close yet answers with the same code
    /// ([`Conn::send_close`]); the server then closes the connection below (RFC 6455, section 7.1.1).
    Close(Option<CloseFrame>),
    /// A Close was received: nothing follows, and what is in the input is to be discarded.
    Closed,
}

/// Where in the stream of frames it is.
#[derive(Clone, Copy, Debug)]
enum State {
    Head,
    Payload(Frame),
    Closed,
    Failed(Error),
}

/// A frame whose head was taken.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    key: Option<[u8; 4]>,
    /// Bytes of its payload.
    length: usize,
    /// Bytes of it that were unmasked.
    done: usize,
    /// Bytes of it, where it is a text that stays in the input, that are whole characters.
    valid: usize,
    /// Where its head begins.
    begins_at: u64,
}

/// A message that is not left in the input: it is compressed, or comes in fragments.
#[derive(Debug)]
struct Gathered {
    kind: MessageKind,
    is_compressed: bool,
    bytes: BytesMut,
    /// Bytes of a text that are whole characters.
    valid: usize,
}

/// A reason, and the byte of the stream that makes it certain.
type Fault = Error;

/// One end of a WebSocket connection, without the connection: bytes in, messages out, and the way back.
///
/// [The module](super) shows a whole life.
pub struct Conn {
    pub(super) config: Config,
    pub(super) keys: Option<Keys>,
    pub(super) compression: Option<Compression>,
    pub(super) sending: Sending,
    pub(super) pong_due: Option<Bytes>,
    state: State,
    gathered: Option<Gathered>,
    /// Bytes that were taken from the input.
    offset: u64,
    #[cfg(test)]
    examined: u64,
}

impl Conn {
    /// A new connection's end, after the handshake.
    pub fn new(role: Role, config: Config) -> Self {
        Self {
            keys: match role {
                Role::Server => None,
                Role::Client { mask_seed } => Some(Keys::new(mask_seed)),
            },
            compression: Compression::new(role, config.deflate, config.compression_level),
            sending: Sending::Idle,
            pong_due: None,
            state: State::Head,
            gathered: None,
            offset: 0,
            config,
            #[cfg(test)]
            examined: 0,
        }
    }

    /// Takes the next event from the front of `input`. Empty fragments are no event, so the work is bounded by what is in
    /// `input`.
    ///
    /// A message in one frame stays in `input` until it is complete, unmasked as far as it has come; so the caller must
    /// leave there what is there, and append. Room for what is on its way is made there, for 16 KiB or as much again as has
    /// come. The message then shares the memory of `input`, other than one of up to 1 KiB.
    ///
    /// # Errors
    ///
    /// What the peer sent breaks the protocol, or a limit. From then on every call gives the same error; a Close may still
    /// be sent ([`Error::close_frame`]).
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Event, Error> {
        loop {
            let event = match self.state {
                State::Failed(error) => return Err(error),
                State::Closed => return Ok(Event::Closed),
                State::Head => match self.take_head(input) {
                    Ok(Some(frame)) => {
                        self.state = State::Payload(frame);
                        continue;
                    }
                    Ok(None) => Ok(Some(Event::NeedInput)),
                    Err(fault) => Err(fault),
                },
                State::Payload(frame) if frame.opcode.is_control() => {
                    self.take_control(frame, input).map(Some)
                }
                State::Payload(frame) => match self.gathered.take() {
                    None => self.take_in_place(frame, input).map(Some),
                    Some(gathered) => self.gather(frame, gathered, input),
                },
            };
            match event {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => {
                    self.fail(error);
                    return Err(error);
                }
            }
        }
    }

    /// Takes the head of a frame, if it is whole. What is there of it is judged at once.
    fn take_head(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, Fault> {
        let Some(first) = input.first() else { return Ok(None) };
        let start = self.judge_start(*first).map_err(|reason| self.fault(reason, 0))?;
        let Some(second) = input.get(1) else { return Ok(None) };
        let is_masked = frame::is_masked(*second);
        self.judge_second(start, *second).map_err(|reason| self.fault(reason, 1))?;
        let lengths = frame::length_bytes(*second);
        let read = frame::read_length(input).map_err(|reason| self.fault(reason, 1 + lengths))?;
        let Some(length) = read else { return Ok(None) };
        let length = self.judge_length(start, length).map_err(|reason| self.fault(reason, 1 + lengths))?;
        let mut end = 2 + lengths;
        let mut key = None;
        if is_masked {
            let Some(bytes) = input[end..].first_chunk() else { return Ok(None) };
            key = Some(*bytes);
            end += bytes.len();
        }
        let begins_at = self.offset;
        self.take(end, input);
        self.begin(start);
        let Start { is_final, opcode, .. } = start;
        Ok(Some(Frame { opcode, is_final, key, length, done: 0, valid: 0, begins_at }))
    }

    fn judge_start(&self, first: u8) -> Result<Start, Reason> {
        let start = Start::read(first, self.compression.is_some())?;
        match start.opcode {
            Opcode::Continuation if self.gathered.is_none() => Err(Reason::UnexpectedContinuation),
            Opcode::Data(_) if self.gathered.is_some() => Err(Reason::InterleavedMessage),
            _ => Ok(start),
        }
    }

    fn judge_second(&self, start: Start, second: u8) -> Result<(), Reason> {
        let is_server = self.keys.is_none();
        let length = frame::short_length(second);
        match start.opcode {
            _ if is_server && !frame::is_masked(second) => Err(Reason::Unmasked),
            _ if !is_server && frame::is_masked(second) => Err(Reason::Masked),
            opcode if opcode.is_control() && length > CONTROL_BYTES => Err(Reason::ControlTooLong),
            Opcode::Close if length == 1 => Err(Reason::ShortClose),
            _ => Ok(()),
        }
    }

    /// The length, if there is room for it (RFC 6455, section 10.4).
    fn judge_length(&self, start: Start, length: u64) -> Result<usize, Reason> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if start.opcode.is_control() {
            return Ok(length);
        }
        // What a compressed message comes to is seen when it is inflated.
        let (is_compressed, begun) = match &self.gathered {
            Some(gathered) => (gathered.is_compressed, gathered.bytes.len()),
            None => (start.is_compressed, 0),
        };
        match length {
            _ if length > self.config.frame_bytes => Err(Reason::FrameTooBig),
            _ if !is_compressed && begun.saturating_add(length) > self.config.message_bytes => {
                Err(Reason::MessageTooBig)
            }
            _ => Ok(length),
        }
    }

    /// A frame begins: a message that cannot stay in the input is gathered.
    fn begin(&mut self, start: Start) {
        if let Opcode::Data(kind) = start.opcode {
            if start.is_compressed || !start.is_final {
                let is_compressed = start.is_compressed;
                self.gathered = Some(Gathered { kind, is_compressed, bytes: BytesMut::new(), valid: 0 });
            }
        }
    }

    fn take_control(&mut self, mut frame: Frame, input: &mut BytesMut) -> Result<Event, Fault> {
        if input.len() < frame.length {
            return Ok(Event::NeedInput);
        }
        let there = frame.length;
        self.unmask(&mut frame, &mut input[..there]);
        let payload = self.take_payload(there, input);
        self.state = State::Head;
        match frame.opcode {
            Opcode::Ping => {
                // Only the newest is answered (RFC 6455, section 5.5.3), and none behind our Close.
                self.pong_due = Some(payload.clone()).filter(|_| !self.has_sent_close());
                Ok(Event::Ping(payload))
            }
            Opcode::Pong => Ok(Event::Pong(payload)),
            _ => {
                let close = CloseFrame::read(&payload).map_err(|reason| self.fault_before(reason, 1))?;
                self.state = State::Closed;
                (self.gathered, self.pong_due) = (None, None);
                if let Some(compression) = &mut self.compression {
                    compression.stop_inflating();
                }
                Ok(Event::Close(close))
            }
        }
    }

    /// Takes a message that lies in the input as a whole, or will.
    fn take_in_place(&mut self, mut frame: Frame, input: &mut BytesMut) -> Result<Event, Fault> {
        let there = input.len().min(frame.length);
        let seen = frame.done;
        self.unmask(&mut frame, input.get_mut(seen..there).unwrap_or_default());
        if there < frame.length {
            if frame.opcode == Opcode::Data(MessageKind::Text) {
                self.examine(there - frame.valid.min(there));
                utf8::advance(&input[..there], &mut frame.valid)
                    .map_err(|at| self.fault(Reason::InvalidUtf8, at))?;
            }
            self.state = State::Payload(frame);
            input.reserve((frame.length - there).min(there.max(ROOM)));
            return Ok(Event::NeedInput);
        }
        let payload = self.take_payload(there, input);
        self.state = State::Head;
        match frame.opcode {
            Opcode::Data(MessageKind::Text) => self.text(payload),
            _ => Ok(Event::Message(Message::Binary(payload))),
        }
    }

    /// Takes what there is of a frame out of the input, and ends the message if it is over.
    fn gather(
        &mut self,
        mut frame: Frame,
        mut gathered: Gathered,
        input: &mut BytesMut,
    ) -> Result<Option<Event>, Fault> {
        let there = input.len().min(frame.length - frame.done);
        self.unmask(&mut frame, &mut input[..there]);
        let (is_frame_over, is_compressed) = (frame.done == frame.length, gathered.is_compressed);
        let is_over = is_frame_over && frame.is_final;
        let inflated = match &mut self.compression {
            Some(compression) if is_compressed => {
                compression.inflate(&input[..there], is_over, &mut gathered.bytes, self.config.message_bytes)
            }
            _ => {
                gathered.bytes.extend_from_slice(&input[..there]);
                Ok(())
            }
        };
        self.take(there, input);
        let in_frame = |fault: Fault| match is_compressed {
            true => Fault::new(fault.kind(), frame.begins_at),
            false => fault,
        };
        if gathered.kind == MessageKind::Text && !(is_over && inflated.is_ok()) {
            self.examine(gathered.bytes.len() - gathered.valid);
            utf8::advance(&gathered.bytes, &mut gathered.valid)
                .map_err(|at| in_frame(self.fault_before(Reason::InvalidUtf8, gathered.bytes.len() - at)))?;
        }
        inflated.map_err(|reason| Fault::new(reason, frame.begins_at))?;
        if is_over {
            self.state = State::Head;
            return self.end_gathered(gathered).map(Some).map_err(in_frame);
        }
        self.gathered = Some(gathered);
        self.state = if is_frame_over { State::Head } else { State::Payload(frame) };
        Ok(if is_frame_over { None } else { Some(Event::NeedInput) })
    }

    fn end_gathered(&mut self, gathered: Gathered) -> Result<Event, Fault> {
        let payload = gathered.bytes.freeze();
        match gathered.kind {
            MessageKind::Text => self.text(payload),
            MessageKind::Binary => Ok(Event::Message(Message::Binary(payload))),
        }
    }

    /// A text whose last byte is the last one that was taken.
    fn text(&mut self, payload: Bytes) -> Result<Event, Fault> {
        self.examine(payload.len());
        match Utf8Bytes::try_from(payload.clone()) {
            Ok(text) => Ok(Event::Message(Message::Text(text))),
            Err(error) => {
                let at = utf8::fault_in(&payload, error);
                Err(self.fault_before(Reason::InvalidUtf8, payload.len() - at))
            }
        }
    }

    /// Unmasks what is new of a frame's payload.
    fn unmask(&mut self, frame: &mut Frame, new: &mut [u8]) {
        if let Some(key) = frame.key {
            mask::apply(new, key, frame.done);
        }
        frame.done += new.len();
        self.examine(new.len());
    }

    /// Counts the bytes that were looked at, for the test that the work is linear in them.
    fn examine(&mut self, _bytes: usize) {
        #[cfg(test)]
        {
            self.examined += _bytes as u64;
        }
    }

    /// Takes a payload that lies in the input as a whole.
    fn take_payload(&mut self, length: usize, input: &mut BytesMut) -> Bytes {
        if length > COPIED {
            self.offset += length as u64;
            let payload = input.split_to(length).freeze();
            if length > ROOM && input.len() <= length {
                // The block was made for this message, and what follows is not to keep it.
                *input = BytesMut::from(&input[..]);
            }
            return payload;
        }
        let payload = Bytes::copy_from_slice(&input[..length]);
        self.take(length, input);
        payload
    }

    fn take(&mut self, count: usize, input: &mut BytesMut) {
        input.advance(count);
        self.offset += count as u64;
    }

    /// A fault at the byte with this index in the input.
    fn fault(&self, reason: Reason, index: usize) -> Fault {
        Fault::new(reason, self.offset + index as u64)
    }

    /// A fault so many bytes before the input.
    fn fault_before(&self, reason: Reason, count: usize) -> Fault {
        Fault::new(reason, self.offset.saturating_sub(count as u64))
    }

    /// Keeps the error, and nothing else.
    fn fail(&mut self, error: Error) {
        self.state = State::Failed(error);
        (self.gathered, self.compression, self.pong_due) = (None, None, None);
    }

    /// How many bytes were unmasked, and how many were checked to be UTF-8.
    #[cfg(test)]
    pub(super) fn examined(&self) -> u64 {
        self.examined
    }

    /// Whether a Close was sent.
    pub fn has_sent_close(&self) -> bool {
        matches!(self.sending, Sending::Closed)
    }

    /// Whether a Close was received.
    pub fn has_received_close(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether nothing is on its way in: no frame, and no message of which fragments were received. The first bytes of a
    /// head do not count, which are in the input.
    pub fn is_idle_in(&self) -> bool {
        self.gathered.is_none() && !matches!(self.state, State::Payload(_))
    }

    /// How many bytes of memory it holds for a message that is not complete, for those who bound memory. What is still in
    /// the input does not count.
    pub fn buffered(&self) -> usize {
        let gathered = self.gathered.as_ref().map_or(0, |gathered| gathered.bytes.capacity());
        gathered + self.compression.as_ref().map_or(0, Compression::buffered)
    }

    /// Borrows an inflater and a deflater, if it keeps none between messages. Where it is lent none, it makes one when it
    /// needs one.
    pub fn lend(&mut self, codecs: &mut Codecs) {
        if let Some(compression) = &mut self.compression {
            compression.lend(codecs);
        }
    }

    /// Gives back what it has borrowed or made, but for what is in the middle of a message.
    pub fn give_back(&mut self, codecs: &mut Codecs) {
        if let Some(compression) = &mut self.compression {
            compression.give_back(codecs);
        }
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn")
            .field("config", &self.config)
            .field("state", &self.state)
            .field("sending", &self.sending)
            .field("buffered", &self.buffered())
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
