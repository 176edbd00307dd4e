//! What is sent.
//!
//! The rule: a message that is sent again and again is the same bytes each time, and so is its echo.

use bakestone_std::bakestone::machine::Output;
use bakestone_std::bakestone::ws::{Config, Conn, DeflateParams, Event, Message, Role};
use bytes::{Buf, BytesMut};

use crate::client;

/// A message, and how it is sent.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Bytes of the message.
    pub(crate) length: usize,
    pub(crate) compressed: bool,
    /// How many connections have a message on its way.
    pub(crate) connections: usize,
    /// How many messages are on their way on each.
    pub(crate) at_once: usize,
}

impl Case {
    const fn new(name: &'static str, length: usize, connections: usize) -> Self {
        Self { name, length, compressed: false, connections, at_once: 1 }
    }

    const fn compressed(self) -> Self {
        Self { compressed: true, ..self }
    }
}

/// All of them.
pub(crate) const CASES: [Case; 7] = [
    Case::new("64 B", 64, 16),
    Case { at_once: 32, ..Case::new("64 B, 32 at once", 64, 16) },
    Case::new("16 KiB", 16 << 10, 16),
    Case::new("1 MiB", 1 << 20, 2),
    Case::new("256 B, deflate", 256, 16).compressed(),
    Case::new("16 KiB, deflate", 16 << 10, 16).compressed(),
    Case::new("1 MiB, deflate", 1 << 20, 2).compressed(),
];

/// What goes back and forth on the wire.
pub(crate) struct Wire {
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Vec<u8>,
}

/// The content of a message: words, so that it can be compressed.
pub(crate) fn payload(length: usize) -> Vec<u8> {
    const WORDS: [&str; 8] =
        ["bara ", "brith ", "welsh ", "cakes ", "butter ", "sultanas ", "stone ", "tea\n"];
    let mut state = 1_u32;
    let mut payload = Vec::with_capacity(length + 9);
    while payload.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        payload.extend_from_slice(WORDS[(state >> 29) as usize].as_bytes());
    }
    payload.truncate(length);
    payload
}

impl Case {
    /// The line that its handshake needs.
    pub(crate) fn extension(&self) -> &'static str {
        if self.compressed { client::DEFLATE } else { "" }
    }

    /// What is sent and what must come back.
    pub(crate) fn wire(&self) -> Result<Wire, String> {
        let payload = payload(self.length);
        let one = match self.compressed {
            false => Wire {
                request: client::masked(&payload, [0x37, 0xfa, 0x21, 0x3d]),
                answer: client::unmasked(&payload),
            },
            true => compressed(&payload)?,
        };
        Ok(Wire { request: one.request.repeat(self.at_once), answer: one.answer.repeat(self.at_once) })
    }
}

fn compressed(payload: &[u8]) -> Result<Wire, String> {
    let mut params = DeflateParams::default();
    (params.server_no_context_takeover, params.client_no_context_takeover) = (true, true);
    let mut config = Config::default();
    config.deflate = Some(params);
    let say = |role| {
        let (mut conn, mut output) = (Conn::new(role, config.clone()), Output::default());
        conn.send(&Message::from(payload.to_vec()), &mut output).map_err(|misuse| misuse.to_string())?;
        Ok::<Vec<u8>, String>(output.copy_to_bytes(output.remaining()).into())
    };
    let wire = Wire { request: say(Role::Client { mask_seed: 7 })?, answer: say(Role::Server)? };
    let mut client = Conn::new(Role::Client { mask_seed: 7 }, config.clone());
    match client.next(&mut BytesMut::from(&wire.answer[..])) {
        Ok(Event::Message(Message::Binary(message))) if message == payload => Ok(wire),
        other => Err(format!("compression is broken: {other:?}")),
    }
}
