//! WebSocket frames at one end of a connection: cut and whole, beside a naive reader, and read back.
//!
//! The rule: what both ends have in common is written once, and which end it is stands in the target.

use bakestone::machine::Output;
use bakestone::ws::{
    CloseCode, CloseFrame, Codecs, Config, Conn, DeflateParams, Error, Event, Message, MessageKind, Role,
};
use bytes::{Buf, Bytes, BytesMut};

use crate::naive_ws::{self, Item, Outcome};

const CLIENT: Role = Role::Client { mask_seed: 7 };

/// Reads a stream, or sends one and reads it back.
///
/// The first byte says how many cuts there are (its two low bits), whether the limits are tight (4), whether messages may
/// be compressed (8), and with the ones before them (16), and whether the rest is a script (32); then comes one byte for
/// each cut, the distance to the one before.
pub fn perform(role: Role, data: &[u8]) {
    let Some((control, rest)) = data.split_first() else { return };
    let Some((cuts, rest)) = rest.split_at_checked(usize::from(control & 3)) else { return };
    let mut config = Config::default();
    config.compress_from = 0;
    if control & 4 != 0 {
        (config.message_bytes, config.frame_bytes) = (20, 12);
    }
    if control & 8 != 0 {
        let mut agreed = DeflateParams::default();
        (agreed.server_no_context_takeover, agreed.client_no_context_takeover) =
            (control & 16 == 0, control & 16 == 0);
        config.deflate = Some(agreed);
    }
    match control & 32 {
        0 => read_it(role, &config, cuts, rest),
        _ => send_it(role, config, cuts, rest),
    }
}

fn read_it(role: Role, config: &Config, cuts: &[u8], stream: &[u8]) {
    let whole = receive(role, config, &[stream]);
    assert_eq!(receive(role, config, &pieces(cuts, stream)), whole, "cut at {cuts:?}");
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(receive(role, config, &single), whole, "byte by byte");
    if config.deflate.is_none() {
        let end = naive_ws::End {
            is_server: role == Role::Server,
            message_bytes: config.message_bytes as u64,
            frame_bytes: config.frame_bytes as u64,
        };
        assert_eq!(in_naive_terms(&whole), naive_ws::read(end, stream));
    }
}

/// The events, and the error at the end if there is one; `true` if there was a Close.
type Received = (Vec<Event>, Option<Error>, bool);

fn receive(role: Role, config: &Config, pieces: &[&[u8]]) -> Received {
    let mut conn = Conn::new(role, config.clone());
    let (mut input, mut codecs, mut events) = (BytesMut::new(), Codecs::default(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            conn.lend(&mut codecs);
            let event = conn.next(&mut input);
            conn.give_back(&mut codecs);
            match event {
                Ok(Event::NeedInput) => break,
                Ok(Event::Closed) => return (events, None, true),
                Ok(event) => events.push(event),
                Err(error) => {
                    assert_eq!((conn.next(&mut input), conn.buffered()), (Err(error), 0));
                    let _ = (error.to_string(), error.close_frame());
                    return (events, Some(error), false);
                }
            }
        }
        assert!(conn.buffered() <= 2 * config.message_bytes.max(64) + (64 << 10));
        assert!(conn.buffered() == 0 || !conn.is_idle_in());
    }
    assert!(events.iter().all(|event| match event {
        Event::Message(message) => message.len() <= config.message_bytes,
        _ => true,
    }));
    (events, None, false)
}

fn in_naive_terms((events, error, is_closed): &Received) -> (Vec<Item>, Outcome) {
    let items = events.iter().map(Item::of);
    let outcome = match error {
        Some(error) => Outcome::Refused(error.kind().name(), error.offset() as usize),
        None if *is_closed => Outcome::Closed,
        None => Outcome::More,
    };
    (items.collect(), outcome)
}

/// Sends what a script asks for to the end in question, which must receive it. A record is a byte that says what, one
/// that says how many bytes, and these.
fn send_it(role: Role, mut config: Config, cuts: &[u8], mut script: &[u8]) {
    (config.message_bytes, config.frame_bytes) = (16 << 20, 16 << 20);
    let mut conn = Conn::new(if role == Role::Server { CLIENT } else { Role::Server }, config.clone());
    let (mut output, mut expected, mut fragments) = (Output::default(), Vec::new(), None);
    while let [what, length, rest @ ..] = script {
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        script = rest;
        let before = output.len();
        if !send(*what, payload, &mut conn, &mut output, &mut expected, &mut fragments) {
            assert_eq!(output.len(), before, "what was misused has written something");
        }
    }
    let written = output.copy_to_bytes(output.remaining());
    let (events, error, is_closed) = receive(role, &config, &pieces(cuts, &written));
    assert_eq!((events, error, is_closed), (expected, None, conn.has_sent_close()));
}

/// Sends what a record asks for; whether that may be sent.
fn send(
    what: u8,
    payload: &[u8],
    conn: &mut Conn,
    output: &mut Output,
    expected: &mut Vec<Event>,
    fragments: &mut Option<(MessageKind, Vec<u8>)>,
) -> bool {
    let bytes = Bytes::copy_from_slice(&payload.repeat(usize::from(what >> 4) + 1));
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (sent, event) = match what & 15 {
        0..=3 => {
            let message = if what & 1 == 0 { Message::from(text) } else { Message::from(bytes) };
            (conn.send(&message, output), Event::Message(message))
        }
        4 => (conn.send_ping(payload, output), Event::Ping(Bytes::copy_from_slice(payload))),
        5 => (conn.send_pong(payload, output), Event::Pong(Bytes::copy_from_slice(payload))),
        6 => {
            let code = CloseCode::new(u16::from_be_bytes([payload.len() as u8 % 20, what]));
            let frame = CloseFrame::truncated(code, &text);
            (conn.send_close(Some(&frame), output), Event::Close(Some(frame)))
        }
        7 => (conn.send_close(None, output), Event::Close(None)),
        what => return send_fragment(what, bytes, conn, output, expected, fragments),
    };
    if sent.is_ok() {
        expected.push(event);
    }
    sent.is_ok()
}

fn send_fragment(
    what: u8,
    bytes: Bytes,
    conn: &mut Conn,
    output: &mut Output,
    expected: &mut Vec<Event>,
    fragments: &mut Option<(MessageKind, Vec<u8>)>,
) -> bool {
    let begins = match what {
        8 | 9 => Some(MessageKind::Text),
        10 | 11 => Some(MessageKind::Binary),
        _ => None,
    };
    let is_final = what & 1 == 1;
    if conn.send_fragment(begins, is_final, bytes.clone(), output).is_err() {
        return false;
    }
    let (kind, mut content) = fragments.take().unwrap_or((begins.unwrap_or(MessageKind::Binary), Vec::new()));
    content.extend(bytes);
    match (is_final, kind) {
        (false, kind) => *fragments = Some((kind, content)),
        (true, MessageKind::Text) => {
            let text = String::from_utf8(content).expect("a text that was sent is UTF-8");
            expected.push(Event::Message(text.into()));
        }
        (true, MessageKind::Binary) => expected.push(Event::Message(content.into())),
    }
    true
}

fn pieces<'a>(cuts: &[u8], mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, rest) = bytes.split_at(bytes.len().min(usize::from(*cut)));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}
