//! The tables in `testkit/cases/ws`: texts that are UTF-8 or not, and the codes of a Close.

use bakestone::machine::Output;
use bakestone::ws::{
    CloseCode, CloseFrame, Config, Conn, Error, Event, Message, MessageKind, Misuse, Reason, Role,
};
use bytes::Bytes;

use crate::text::{file, table, unescape};
use crate::wire::Wire;
use crate::{CLIENT, End, read, written};

/// What becomes of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Read,
    /// It is refused at this byte, from 0.
    Fault(usize),
    Cut,
}

fn texts() -> Vec<(String, Vec<u8>, Verdict)> {
    let text = file("utf8.md");
    let rows = table(&text).map(|row| {
        let verdict = match row[1] {
            "read" => Verdict::Read,
            "cut" => Verdict::Cut,
            fault => Verdict::Fault(fault.strip_prefix("fault at ").unwrap().parse().unwrap()),
        };
        (row[0].to_owned(), unescape(row[0].trim_matches('`')).unwrap(), verdict)
    });
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 60);
    rows
}

/// Reads the frames byte by byte; the text if there is one, and where it is refused if it is.
fn read_text(role: Role, wire: &Wire) -> Result<Bytes, usize> {
    let read = read(role, &Config::default(), wire.bytes.chunks(1));
    match (read.end, read.events.into_iter().rfind(|event| matches!(event, Event::Message(_)))) {
        (End::Idle, Some(Event::Message(message @ Message::Text(_)))) => Ok(message.into_bytes()),
        (End::Refused(error), None) => {
            assert_eq!((error.kind(), error.code()), (Reason::InvalidUtf8, CloseCode::INVALID_PAYLOAD));
            Err(error.offset() as usize)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_text_in_one_frame_and_in_fragments() {
    for (name, bytes, verdict) in texts() {
        for role in [Role::Server, CLIENT] {
            let fault = match verdict {
                Verdict::Read => None,
                Verdict::Fault(at) => Some(at),
                Verdict::Cut => Some(bytes.len() - 1),
            };
            let mut whole = Wire::to(role);
            whole.frame(0x81, &bytes);
            let expected = fault.map_or(Ok(Bytes::from(bytes.clone())), |at| Err(whole.places[0].1 + at));
            assert_eq!(read_text(role, &whole), expected, "{name} in one frame");
            for cut in 0..=bytes.len() {
                let mut parts = Wire::to(role);
                parts.frame(0x01, &bytes[..cut]);
                parts.frame(0x89, b"ping");
                parts.frame(0x80, &bytes[cut..]);
                let place = |at: usize| match at {
                    at if at < cut => parts.places[0].1 + at,
                    at => parts.places[2].1 + at - cut,
                };
                // That nothing more comes is certain with the last head, if there is nothing behind it.
                let fault =
                    if verdict == Verdict::Cut { Some(parts.bytes.len() - 1) } else { fault.map(place) };
                let expected = fault.map_or(Ok(Bytes::from(bytes.clone())), Err);
                assert_eq!(read_text(role, &parts), expected, "{name} cut at {cut}");
            }
            let mut single = Wire::to(role);
            single.frame(0x01, b"");
            bytes.iter().for_each(|byte| single.frame(0x00, &[*byte]));
            single.frame(0x80, b"");
            assert_eq!(read_text(role, &single).is_ok(), fault.is_none(), "{name} byte by byte");
        }
    }
}

#[test]
fn every_text_as_the_reason_of_a_close() {
    for (name, bytes, verdict) in texts() {
        let mut wire = Wire::to(CLIENT);
        wire.frame(0x88, &[b"\x03\xe8", &bytes[..]].concat());
        let read = read(CLIENT, &Config::default(), [&wire.bytes[..]]);
        match verdict {
            Verdict::Read => {
                let reason = String::from_utf8(bytes).unwrap();
                let frame = CloseFrame::with_reason(CloseCode::NORMAL, &reason).unwrap();
                assert_eq!((read.events, read.end), (vec![Event::Close(Some(frame))], End::Closed), "{name}");
            }
            _ => {
                let kind = if let End::Refused(error) = read.end { Some(error.kind()) } else { None };
                assert_eq!(kind, Some(Reason::InvalidCloseReason), "{name}");
            }
        }
    }
}

#[test]
fn every_text_that_is_sent_in_fragments() {
    for (name, bytes, verdict) in texts() {
        let bytes = Bytes::from(bytes);
        for cut in 0..=bytes.len() {
            let mut conn = Conn::new(Role::Server, Config::default());
            let mut output = Output::default();
            let mut send =
                |begins, is_final, payload| conn.send_fragment(begins, is_final, payload, &mut output);
            let sent = send(Some(MessageKind::Text), false, bytes.slice(..cut))
                .and_then(|()| send(None, true, bytes.slice(cut..)));
            let expected = if verdict == Verdict::Read { Ok(()) } else { Err(Misuse::InvalidUtf8) };
            assert_eq!(sent, expected, "{name} cut at {cut}");
        }
    }
}

#[test]
fn every_code_of_a_close_in_both_directions() {
    let text = file("close-codes.md");
    let mut count = 0;
    for row in table(&text) {
        let (code, may_be_sent) = (row[0].parse::<u16>().unwrap(), row[1] == "yes");
        assert!(may_be_sent || row[1] == "no", "{row:?}");
        let code = CloseCode::new(code);
        assert_eq!(code.may_be_sent(), may_be_sent, "{code}");
        let mut wire = Wire::to(Role::Server);
        wire.frame(0x88, &code.get().to_be_bytes());
        let read = read(Role::Server, &Config::default(), [&wire.bytes[..]]);
        let mut conn = Conn::new(CLIENT, Config::default());
        let mut output = Output::default();
        let sent = conn.send_close(Some(&CloseFrame::new(code)), &mut output);
        match may_be_sent {
            true => {
                assert_eq!(read.events, [Event::Close(Some(CloseFrame::new(code)))]);
                assert_eq!((sent, written(&mut output).len(), conn.has_sent_close()), (Ok(()), 8, true));
            }
            false => {
                let error = if let End::Refused(error) = read.end { Some(error) } else { None };
                assert_eq!(error.map(|error| error.kind()), Some(Reason::InvalidCloseCode), "{code}");
                assert_eq!(error.as_ref().map(Error::code), Some(CloseCode::PROTOCOL_ERROR));
                assert_eq!(sent, Err(Misuse::InvalidCloseCode(code)));
                assert_eq!((written(&mut output).len(), conn.has_sent_close()), (0, false));
                assert_eq!(CloseFrame::with_reason(code, ""), None);
            }
        }
        count += 1;
    }
    assert!(count > 25);
}
