//! What a connection costs in memory, counted at the allocator.

use bakestone::machine::Output;
use bakestone::ws::{CloseCode, CloseFrame, Codecs, Config, Conn, Event, Message, MessageKind, Role};
use bytes::{Bytes, BytesMut};

use crate::cases::fresh;
use crate::counting::live;
use crate::wire::Wire;
use crate::{CLIENT, written};

/// Bytes that are allocated by `act` and not freed by it.
fn kept<T>(act: impl FnOnce() -> T) -> (T, usize) {
    let before = live();
    let value = act();
    (value, live().saturating_sub(before))
}

fn frames(role: Role) -> Vec<u8> {
    let mut wire = Wire::to(role);
    wire.frame(0x81, b"Hello");
    wire.frame(0x02, &[b'a'; 50_000]);
    wire.frame(0x89, b"still there?");
    wire.frame(0x80, &[b'b'; 50_000]);
    wire.frame(0x82, &[b'c'; 100_000]);
    wire.frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\0");
    wire.bytes
}

fn compressed() -> Config {
    let mut config = Config::default();
    config.deflate = Some(fresh());
    config
}

/// Takes in and sends messages of all kinds; gives back the connection, which is idle then.
fn use_it(role: Role, codecs: &mut Codecs) -> Conn {
    let mut conn = Conn::new(role, compressed());
    let (mut input, mut output, mut events) = (BytesMut::new(), Output::default(), 0);
    for piece in frames(role).chunks(10_000) {
        input.extend_from_slice(piece);
        conn.lend(codecs);
        while conn.next(&mut input).unwrap() != Event::NeedInput {
            events += 1;
        }
        conn.answer_ping(&mut output);
        conn.give_back(codecs);
    }
    assert_eq!((events, conn.is_idle_in(), conn.buffered()), (5, true, 0));
    conn.lend(codecs);
    conn.send(&Message::from("bara brith ".repeat(100)), &mut output).unwrap();
    conn.give_back(codecs);
    assert!(written(&mut output).len() < 200, "it was compressed");
    conn
}

#[test]
fn an_idle_connection_owns_no_memory() {
    let mut codecs = Codecs::default();
    // What is lent belongs to the lender, and is made once.
    use_it(Role::Server, &mut codecs);
    for role in [Role::Server, CLIENT] {
        let (conn, owned) = kept(|| use_it(role, &mut codecs));
        assert_eq!(owned, 0, "{conn:?}");
        assert!(size_of_val(&conn) <= 512, "{} bytes", size_of_val(&conn));
    }
}

#[test]
fn what_is_announced_costs_nothing_until_it_comes() {
    let heads = [
        &b"\x82\xff\0\0\0\0\x01\0\0\0\0\0\0\0"[..],
        b"\x81\xff\0\0\0\0\x01\0\0\0\0\0\0\0",
        b"\x02\xff\0\0\0\0\x01\0\0\0\0\0\0\0",
        b"\x01\xff\0\0\0\0\x01\0\0\0\0\0\0\0",
    ];
    for head in heads {
        let (mut conn, mut input) = (Conn::new(Role::Server, Config::default()), BytesMut::new());
        input.extend_from_slice(head);
        let before = live();
        let mut came = 0;
        for piece in [0, 1, 100, 10_000, 100_000, 1_000_000] {
            input.extend_from_slice(&vec![b'x'; piece]);
            came += piece;
            assert_eq!(conn.next(&mut input), Ok(Event::NeedInput));
            assert!(!conn.is_idle_in());
            let held = live().saturating_sub(before);
            assert!(held <= (3 * came).max(40_000), "{held} bytes for {came}");
            // A whole message stays in the input, and fragments do not.
            let (in_place, room) = (head[0] & 0x80 != 0, input.capacity() - input.len());
            assert!(!in_place || (input.len() == came && room <= came.max(40_000)), "{room} for {came}");
            assert!(in_place || (input.is_empty() && (came..=2 * came.max(64)).contains(&conn.buffered())));
        }
    }
}

#[test]
fn a_long_message_in_one_frame_is_not_copied() {
    let mut wire = Wire::to(Role::Server);
    wire.frame(0x82, &[7; 100_000]);
    let mut conn = Conn::new(Role::Server, Config::default());
    let mut input = BytesMut::from(&wire.bytes[..]);
    let place = input[14..].as_ptr();
    let Ok(Event::Message(Message::Binary(bytes))) = conn.next(&mut input) else { panic!("no message") };
    assert_eq!((bytes.as_ptr(), bytes.len()), (place, 100_000));
    // On the way out neither.
    let mut output = Output::default();
    conn.send(&Message::from(bytes), &mut output).unwrap();
    let mut slices = [std::io::IoSlice::new(&[]); 4];
    assert_eq!(bytes::Buf::chunks_vectored(&output, &mut slices), 2);
    assert_eq!((slices[0].len(), slices[1].as_ptr()), (10, place));
}

#[test]
fn a_few_bytes_keep_no_buffer_alive() {
    for first in [0x89, 0x8a, 0x81, 0x82] {
        let mut wire = Wire::to(Role::Server);
        wire.frame(first, b"still there?");
        let mut conn = Conn::new(Role::Server, Config::default());
        let (event, owned) = kept(|| {
            let mut input = BytesMut::with_capacity(64 << 10);
            input.extend_from_slice(&wire.bytes);
            conn.next(&mut input).unwrap()
        });
        assert!(owned < 100, "{owned} bytes for {event:?}");
    }
}

#[test]
fn a_flood_of_pings_keeps_one_of_them() {
    let mut conn = Conn::new(Role::Server, Config::default());
    let (mut input, mut output) = (BytesMut::new(), Output::default());
    let ((), owned) = kept(|| {
        for number in 0..1000_u16 {
            let mut wire = Wire::to(Role::Server);
            wire.frame(0x89, &[&number.to_be_bytes()[..], &[b'x'; 100]].concat());
            input.extend_from_slice(&wire.bytes);
            assert!(matches!(conn.next(&mut input), Ok(Event::Ping(_))));
        }
    });
    assert!(owned < 8192, "{owned} bytes");
    assert!(conn.answer_ping(&mut output));
    assert_eq!(written(&mut output)[..4], [0x8a, 102, 3, 231]);
    assert!(!conn.answer_ping(&mut output), "only the newest is answered");
}

#[test]
fn after_an_error_and_after_a_close_nothing_is_kept() {
    for ending in [0x83, 0x88] {
        let mut wire = Wire::to(Role::Server);
        wire.frame(0x01, &[b'x'; 10_000]);
        wire.frame(0x89, b"ping");
        wire.frame(ending, b"");
        let mut input = BytesMut::from(&wire.bytes[..]);
        let (mut conn, owned) = kept(|| {
            let mut conn = Conn::new(Role::Server, Config::default());
            while !matches!(conn.next(&mut input), Ok(Event::Closed) | Err(_)) {}
            conn
        });
        assert_eq!((owned, conn.buffered()), (0, 0));
        let mut output = Output::default();
        assert!(!conn.answer_ping(&mut output), "what is over is not answered");
        assert_eq!(conn.send_close(Some(&CloseFrame::new(CloseCode::NORMAL)), &mut output), Ok(()));
    }
}

#[test]
fn fragments_that_are_sent_keep_nothing() {
    let mut conn = Conn::new(CLIENT, Config::default());
    let mut output = Output::default();
    let ((), owned) = kept(|| {
        for (begins, is_final) in [(Some(MessageKind::Text), false), (None, false), (None, true)] {
            conn.send_fragment(begins, is_final, Bytes::from("x".repeat(5000)), &mut output).unwrap();
            written(&mut output);
            output = Output::default();
        }
    });
    assert_eq!(owned, 0);
}
