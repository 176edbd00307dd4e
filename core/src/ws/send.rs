//! The sending half of a connection.
//!
//! The rule: what is written is what the RFC allows to be sent, whole and in order; what is asked for and may not be sent
//! writes nothing and says why.

use bytes::{Bytes, BytesMut};

use super::close::CloseFrame;
use super::conn::Conn;
use super::error::Misuse;
use super::frame::{CONTROL_BYTES, Head, Opcode, Start};
use super::mask;
use super::message::{Message, MessageKind};
use super::prepared::Prepared;
use super::utf8::Tail;
use crate::machine::Output;

/// Up to this many bytes are masked on the way to the output's own memory, and more in memory of their own.
const MASKED_AT_ONCE: usize = 1024;

/// Where the sending half is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sending {
    /// Between two messages.
    Idle,
    /// Behind a fragment that is not the last one, with what is not whole of its last character.
    Fragments(MessageKind, Tail),
    /// A Close was sent.
    Closed,
}

impl Conn {
    /// Sends a message in one frame; compressed, if that was agreed on and it is long enough.
    ///
    /// A server's message is not copied, other than a short one. A client's is, since it is masked.
    ///
    /// # Errors
    ///
    /// [`Misuse::Closed`], and [`Misuse::MessageUnfinished`] between two fragments.
    pub fn send(&mut self, message: &Message, output: &mut Output) -> Result<(), Misuse> {
        self.may_begin()?;
        let start = Start::whole(Opcode::Data(message.kind()));
        match self.compressed(message.as_bytes()) {
            Some(payload) => self.put(Start { is_compressed: true, ..start }, payload.freeze(), output),
            None => self.put(start, message.to_bytes(), output),
        }
        Ok(())
    }

    /// Sends a message that was encoded for many receivers. A client, and a connection whose compression depends on what it
    /// has sent before, encode it for themselves.
    ///
    /// # Errors
    ///
    /// As those of [`send`](Self::send).
    pub fn send_prepared(&mut self, prepared: &Prepared, output: &mut Output) -> Result<(), Misuse> {
        self.may_begin()?;
        let is_long = prepared.message().len() >= self.config.compress_from;
        match &mut self.compression {
            _ if self.keys.is_some() => return self.send(prepared.message(), output),
            Some(compression) if is_long && compression.takes_prepared() => {
                output.push(prepared.compressed(compression).clone());
            }
            Some(_) if is_long => return self.send(prepared.message(), output),
            _ => output.push(prepared.frame().clone()),
        }
        Ok(())
    }

    /// Sends a part of a message in a frame of its own, as it is: the first one with what the message is, the others with
    /// `None`, and the last one with `is_final` (RFC 6455, section 5.4). A text may be cut inside of a character.
    ///
    /// ```
    /// use bakestone::machine::Output;
    /// use bakestone::ws::{Config, Conn, MessageKind, Role};
    /// use bytes::Buf;
    ///
    /// let (mut conn, mut output) = (Conn::new(Role::Server, Config::default()), Output::default());
    /// conn.send_fragment(Some(MessageKind::Text), false, "bara".into(), &mut output)?;
    /// conn.send_fragment(None, true, " brith".into(), &mut output)?;
    /// assert_eq!(output.chunk(), b"\x01\x04bara\x80\x06 brith");
    /// # Ok::<(), bakestone::ws::Misuse>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Misuse::Closed`]; [`Misuse::MessageUnfinished`] and [`Misuse::NothingToContinue`] for a fragment out of order;
    /// [`Misuse::InvalidUtf8`] for a text that is none.
    pub fn send_fragment(
        &mut self,
        begins: Option<MessageKind>,
        is_final: bool,
        payload: Bytes,
        output: &mut Output,
    ) -> Result<(), Misuse> {
        let (kind, tail) = match (self.sending, begins) {
            (Sending::Closed, _) => return Err(Misuse::Closed),
            (Sending::Idle, Some(kind)) => (kind, Tail::default()),
            (Sending::Idle, None) => return Err(Misuse::NothingToContinue),
            (Sending::Fragments(..), Some(_)) => return Err(Misuse::MessageUnfinished),
            (Sending::Fragments(kind, tail), None) => (kind, tail),
        };
        let tail = match kind {
            MessageKind::Text => tail.followed_by(&payload).ok_or(Misuse::InvalidUtf8)?,
            MessageKind::Binary => tail,
        };
        if is_final && !tail.is_empty() {
            return Err(Misuse::InvalidUtf8);
        }
        self.sending = if is_final { Sending::Idle } else { Sending::Fragments(kind, tail) };
        let opcode = begins.map_or(Opcode::Continuation, Opcode::Data);
        self.put(Start { is_final, is_compressed: false, opcode }, payload, output);
        Ok(())
    }

    /// Sends a ping with at most 125 bytes of payload, which the peer sends back. It may stand between two fragments.
    ///
    /// # Errors
    ///
    /// [`Misuse::Closed`] and [`Misuse::ControlTooLong`].
    pub fn send_ping(&mut self, payload: &[u8], output: &mut Output) -> Result<(), Misuse> {
        self.send_control(Opcode::Ping, payload, output)
    }

    /// Sends a pong that nobody has asked for, with at most 125 bytes of payload; it says that this end is there (RFC 6455,
    /// section 5.5.3).
    ///
    /// # Errors
    ///
    /// As those of [`send_ping`](Self::send_ping).
    pub fn send_pong(&mut self, payload: &[u8], output: &mut Output) -> Result<(), Misuse> {
        self.send_control(Opcode::Pong, payload, output)
    }

    /// Sends the pong that is due; whether there was one. Of several pings that were received, only the newest is answered
    /// (RFC 6455, section 5.5.3), so whoever calls this when there is room bounds what a flood of pings costs.
    pub fn answer_ping(&mut self, output: &mut Output) -> bool {
        match self.pong_due.take() {
            Some(payload) => self.send_control(Opcode::Pong, &payload, output).is_ok(),
            None => false,
        }
    }

    /// Sends a Close, after which nothing may be sent; also between two fragments, and after an
    /// [error](Self::next). Without a frame it is one without a code. What the peer sends before its own Close is still
    /// received.
    ///
    /// # Errors
    ///
    /// [`Misuse::Closed`] the second time, and [`Misuse::InvalidCloseCode`].
    pub fn send_close(&mut self, frame: Option<&CloseFrame>, output: &mut Output) -> Result<(), Misuse> {
        let mut payload = [0; CONTROL_BYTES];
        let mut length = 0;
        if let Some(frame) = frame {
            if !frame.code().may_be_sent() {
                return Err(Misuse::InvalidCloseCode(frame.code()));
            }
            length = frame.write(&mut payload);
        }
        self.send_control(Opcode::Close, &payload[..length], output)?;
        (self.sending, self.pong_due) = (Sending::Closed, None);
        Ok(())
    }

    fn may_begin(&self) -> Result<(), Misuse> {
        match self.sending {
            Sending::Idle => Ok(()),
            Sending::Fragments(..) => Err(Misuse::MessageUnfinished),
            Sending::Closed => Err(Misuse::Closed),
        }
    }

    /// The compressed form of a message, if it is to be sent so.
    fn compressed(&mut self, payload: &[u8]) -> Option<BytesMut> {
        let is_long = payload.len() >= self.config.compress_from;
        self.compression.as_mut().filter(|_| is_long)?.deflate(payload)
    }

    fn send_control(&mut self, opcode: Opcode, payload: &[u8], output: &mut Output) -> Result<(), Misuse> {
        if self.has_sent_close() {
            return Err(Misuse::Closed);
        }
        if payload.len() > CONTROL_BYTES {
            return Err(Misuse::ControlTooLong { given: payload.len() });
        }
        match self.put_head(Start::whole(opcode), payload.len(), output) {
            Some(key) => put_masked(payload, key, output),
            None => output.extend_from_slice(payload),
        }
        Ok(())
    }

    fn put(&mut self, start: Start, payload: Bytes, output: &mut Output) {
        match self.put_head(start, payload.len(), output) {
            Some(key) => put_masked(&payload, key, output),
            None => output.push(payload),
        }
    }

    /// The key to mask the payload with, if this end does.
    fn put_head(&mut self, start: Start, payload: usize, output: &mut Output) -> Option<[u8; 4]> {
        let key = self.keys.as_mut().map(|keys| keys.next());
        output.extend_from_slice(Head::new(start, payload, key).as_bytes());
        key
    }
}

fn put_masked(payload: &[u8], key: [u8; 4], output: &mut Output) {
    if payload.len() > MASKED_AT_ONCE {
        let mut masked = BytesMut::from(payload);
        mask::apply(&mut masked, key, 0);
        return output.push(masked);
    }
    let mut masked = [0; MASKED_AT_ONCE];
    let masked = &mut masked[..payload.len()];
    masked.copy_from_slice(payload);
    mask::apply(masked, key, 0);
    output.extend_from_slice(masked);
}
