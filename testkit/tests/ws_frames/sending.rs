//! What is sent, read back by the other end; and what may not be sent.

use bakestone::machine::Output;
use bakestone::ws::{
    CloseCode, CloseFrame, Config, Conn, Event, Message, MessageKind, Misuse, Prepared, Role,
};
use bytes::{Bytes, BytesMut};

use crate::{CLIENT, End, read, written};

const ENDS: [(Role, Role); 2] = [(Role::Server, CLIENT), (CLIENT, Role::Server)];

fn new(role: Role) -> (Conn, Output) {
    (Conn::new(role, Config::default()), Output::default())
}

fn messages() -> Vec<Message> {
    let lengths = [0, 1, 7, 125, 126, 127, 128, 1023, 1024, 1025, 65535, 65536, 100_000];
    let texts = lengths.iter().map(|length| Message::from("x".repeat(*length)));
    let others =
        lengths.iter().map(|length| Message::from((0..*length).map(|i| i as u8).collect::<Vec<_>>()));
    texts.chain(others).collect()
}

#[test]
fn messages_of_every_length_come_back() {
    for (from, to) in ENDS {
        let (mut conn, mut output) = new(from);
        for message in messages() {
            conn.send(&message, &mut output).unwrap();
            let bytes = written(&mut output);
            let least = match message.len() {
                length @ 0..126 => 2 + length,
                length @ 126..65536 => 4 + length,
                length => 10 + length,
            };
            assert_eq!(bytes.len(), least + if from == CLIENT { 4 } else { 0 });
            let read = read(to, &Config::default(), bytes.chunks(1000));
            assert_eq!((read.events, read.end), (vec![Event::Message(message)], End::Idle));
        }
    }
}

#[test]
fn fragments_and_control_frames_come_back() {
    for (from, to) in ENDS {
        let (mut conn, mut output) = new(from);
        let euro = Bytes::from_static("€".as_bytes());
        conn.send_fragment(Some(MessageKind::Text), false, euro.slice(..1), &mut output).unwrap();
        conn.send_ping(b"there?", &mut output).unwrap();
        conn.send_fragment(None, false, euro.slice(1..2), &mut output).unwrap();
        conn.send_pong(&[7; 125], &mut output).unwrap();
        conn.send_fragment(None, true, euro.slice(2..), &mut output).unwrap();
        conn.send_fragment(Some(MessageKind::Binary), true, euro.slice(1..), &mut output).unwrap();
        let close = CloseFrame::with_reason(CloseCode::POLICY, &"ü".repeat(61)).unwrap();
        conn.send_close(Some(&close), &mut output).unwrap();
        let read = read(to, &Config::default(), [&written(&mut output)[..]]);
        let expected = [
            Event::Ping(Bytes::from_static(b"there?")),
            Event::Pong(Bytes::from_static(&[7; 125])),
            Event::Message("€".into()),
            Event::Message(b"\x82\xac".to_vec().into()),
            Event::Close(Some(close)),
        ];
        assert_eq!((&read.events[..], read.end), (&expected[..], End::Closed));
    }
}

#[test]
fn the_keys_of_a_client_change_and_come_from_its_seed() {
    let keys = |mask_seed| {
        let (mut conn, mut output) = new(Role::Client { mask_seed });
        let keys = (0..100).map(|_| {
            conn.send(&Message::from(""), &mut output).unwrap();
            written(&mut output)[2..6].to_vec()
        });
        keys.collect::<Vec<_>>()
    };
    let (all, mut different) = (keys(1), keys(1));
    different.sort();
    different.dedup();
    assert!(different.len() > 95, "{} keys of 100", different.len());
    assert_eq!(all, keys(1));
    assert_ne!(all, keys(2));
}

#[test]
fn what_may_not_be_sent_writes_nothing() {
    type Send = fn(&mut Conn, &mut Output) -> Result<(), Misuse>;
    let long: Send = |conn, output| conn.send_ping(&[0; 126], output);
    let nothing: Send = |conn, output| conn.send_fragment(None, true, Bytes::new(), output);
    let again: Send =
        |conn, output| conn.send_fragment(Some(MessageKind::Binary), true, Bytes::new(), output);
    let bad: Send =
        |conn, output| conn.send_fragment(Some(MessageKind::Text), true, Bytes::from_static(b"\xff"), output);
    let message: Send = |conn, output| conn.send(&Message::from("x"), output);
    let prepared: Send = |conn, output| conn.send_prepared(&Prepared::new("x"), output);
    let pong: Send = |conn, output| conn.send_pong(b"", output);
    let close: Send = |conn, output| conn.send_close(None, output);
    let code: Send = |conn, output| conn.send_close(Some(&CloseFrame::new(CloseCode::new(1006))), output);
    let begin: Send = |conn, output| conn.send_fragment(Some(MessageKind::Text), false, Bytes::new(), output);
    let idle: Send = |_, _| Ok(());
    let table = [
        (idle, long, Misuse::ControlTooLong { given: 126 }),
        (idle, nothing, Misuse::NothingToContinue),
        (idle, bad, Misuse::InvalidUtf8),
        (idle, code, Misuse::InvalidCloseCode(CloseCode::new(1006))),
        (begin, again, Misuse::MessageUnfinished),
        (begin, message, Misuse::MessageUnfinished),
        (begin, prepared, Misuse::MessageUnfinished),
        (close, message, Misuse::Closed),
        (close, prepared, Misuse::Closed),
        (close, nothing, Misuse::Closed),
        (close, again, Misuse::Closed),
        (close, pong, Misuse::Closed),
        (close, long, Misuse::Closed),
        (close, close, Misuse::Closed),
    ];
    for (role, (before, send, misuse)) in
        [Role::Server, CLIENT].iter().flat_map(|role| table.map(|row| (*role, row)))
    {
        let ((mut conn, mut output), (mut twin, mut same)) = (new(role), new(role));
        before(&mut conn, &mut output).unwrap();
        before(&mut twin, &mut same).unwrap();
        let length = output.len();
        assert_eq!(send(&mut conn, &mut output), Err(misuse));
        assert!(!misuse.to_string().is_empty());
        assert_eq!(output.len(), length, "{misuse}");
        // What follows is the same as if nobody had asked.
        for next in [pong, close] {
            assert_eq!(next(&mut conn, &mut output), next(&mut twin, &mut same));
        }
        assert_eq!(written(&mut output), written(&mut same));
    }
}

#[test]
fn a_close_ends_what_is_sent_and_not_what_is_received() {
    let ((mut client, mut wire), (mut server, mut back)) = (new(CLIENT), new(Role::Server));
    server.send_close(None, &mut back).unwrap();
    client.send(&Message::from("on its way"), &mut wire).unwrap();
    client.send_ping(b"", &mut wire).unwrap();
    let mut input = BytesMut::from(&written(&mut wire)[..]);
    assert_eq!(server.next(&mut input), Ok(Event::Message("on its way".into())));
    assert_eq!(server.next(&mut input), Ok(Event::Ping(Bytes::new())));
    assert!(!server.answer_ping(&mut back), "nothing follows a Close");
    assert_eq!(written(&mut back), [0x88, 0]);
    assert!(server.has_sent_close() && !server.has_received_close());
}

#[test]
fn a_ping_is_answered_once_and_in_time() {
    let ((mut client, mut wire), (mut server, mut back)) = (new(CLIENT), new(Role::Server));
    client.send_ping(b"a", &mut wire).unwrap();
    client.send_ping(b"b", &mut wire).unwrap();
    let mut input = BytesMut::from(&written(&mut wire)[..]);
    assert!(!server.answer_ping(&mut back));
    while server.next(&mut input) != Ok(Event::NeedInput) {}
    assert!(server.answer_ping(&mut back) && !server.answer_ping(&mut back));
    assert_eq!(written(&mut back), [0x8a, 1, b'b']);
}

#[test]
fn an_error_says_what_to_close_with() {
    let (mut server, mut back) = new(Role::Server);
    let error = server.next(&mut BytesMut::from(&b"\x81\x05Hello"[..])).unwrap_err();
    assert_eq!(server.next(&mut BytesMut::from(&b"\x89\x80\0\0\0\0"[..])), Err(error));
    server.send_close(Some(&error.close_frame()), &mut back).unwrap();
    let read = read(CLIENT, &Config::default(), [&written(&mut back)[..]]);
    assert_eq!(read.events, [Event::Close(Some(error.close_frame()))]);
    assert_eq!((error.close_frame().code().get(), error.close_frame().reason()), (1002, error.reason()));
}
