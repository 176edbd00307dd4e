//! Frames of WebSocket: written cases in every way, either end beside a naive reader, and what is sent read back.
//!
//! The rule: a stream of frames means the same however its bytes are cut, and what is wrong with it is said at the byte
//! that makes it certain.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

#[path = "ws_frames/cases.rs"]
mod cases;
#[path = "ws_frames/compression.rs"]
mod compression;
#[path = "counting/mod.rs"]
mod counting;
#[path = "ws_frames/generate.rs"]
mod generate;
#[path = "ws_frames/memory.rs"]
mod memory;
#[path = "ws_frames/naive.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets export it")]
mod naive;
#[path = "ws_frames/oracle.rs"]
mod oracle;
#[path = "../src/seed.rs"]
mod seed;
#[path = "ws_frames/sending.rs"]
mod sending;
#[path = "ws_frames/tables.rs"]
mod tables;
#[path = "ws_frames/text.rs"]
mod text;
#[path = "ws_frames/wire.rs"]
mod wire;

use bakestone::machine::Output;
use bakestone::ws::{Config, Conn, Error, Event, Role};
use bytes::{Buf, BytesMut};

/// The client of these tests.
const CLIENT: Role = Role::Client { mask_seed: 7 };

/// What was read, and how that ended.
#[derive(Clone, Debug, PartialEq)]
struct Read {
    events: Vec<Event>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// Nothing is on its way.
    Idle,
    /// There is more to come.
    Waits,
    /// Nothing follows the Close.
    Closed,
    Refused(Error),
}

/// Reads frames that arrive in these pieces.
fn read<'a>(role: Role, config: &Config, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut conn = Conn::new(role, config.clone());
    let (mut input, mut pieces) = (BytesMut::new(), pieces.into_iter());
    let mut events = Vec::new();
    let end = loop {
        match conn.next(&mut input) {
            Ok(Event::NeedInput) => match pieces.next() {
                Some(piece) => input.extend_from_slice(piece),
                None if conn.is_idle_in() && input.is_empty() => break End::Idle,
                None => break End::Waits,
            },
            Ok(Event::Closed) => break End::Closed,
            Ok(event) => events.push(event),
            Err(error) => break End::Refused(error),
        }
    };
    check_end(&mut conn, end, &mut input);
    Read { events, end }
}

/// What is over stays over, whatever follows it, and holds no memory.
fn check_end(conn: &mut Conn, end: End, input: &mut BytesMut) {
    input.extend_from_slice(b"\x81\x02hi\x88\x80\x00\x00\x00\x00");
    match end {
        End::Refused(error) => assert_eq!(conn.next(input), Err(error)),
        End::Closed => assert_eq!(conn.next(input), Ok(Event::Closed)),
        End::Idle | End::Waits => {}
    }
    assert_eq!(conn.has_received_close(), end == End::Closed);
    assert!(end == End::Waits || conn.buffered() == 0, "{end:?}: {} bytes", conn.buffered());
}

/// All that waits to be written.
fn written(output: &mut Output) -> Vec<u8> {
    output.copy_to_bytes(output.remaining()).to_vec()
}
