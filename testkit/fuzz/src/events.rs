//! What a connection's end made of some bytes, in a form that can be compared.

use bakestone::h1::{Conn, Event, Refusal, Role};
use bytes::BytesMut;
use http::HeaderMap;

/// An event; pieces of content that follow each other are one, since where content is cut is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A head, as text.
    Head(String),
    /// Content.
    Data(Vec<u8>),
    /// The end of a message.
    End(Option<HeaderMap>),
    /// Nothing comes any more.
    Closed,
    /// The peer broke HTTP.
    Refused(Refusal),
}

/// Takes events until there are no more, and adds them to `seen`. `stop` says after which to stop.
pub fn take<R: Role>(
    conn: &mut Conn<R>,
    input: &mut BytesMut,
    seen: &mut Vec<Seen>,
    stop: impl Fn(&Seen) -> bool,
) {
    loop {
        let before = input.len();
        let event = match conn.next(input) {
            Ok(Event::NeedInput | Event::Paused) => return,
            Ok(Event::Head(head)) => Seen::Head(format!("{head:?}")),
            Ok(Event::Data(data)) => {
                assert!(!data.is_empty(), "an event without content");
                Seen::Data(data.to_vec())
            }
            Ok(Event::End(trailers)) => Seen::End(trailers),
            Ok(Event::Closed) => Seen::Closed,
            Ok(other) => panic!("an event that is not known here: {other:?}"),
            Err(refusal) => Seen::Refused(refusal),
        };
        assert!(input.len() <= before, "the input has grown");
        let is_last = matches!(event, Seen::Closed | Seen::Refused(_)) || stop(&event);
        match (event, seen.last_mut()) {
            (Seen::Data(more), Some(Seen::Data(data))) => data.extend(more),
            // Whoever asks again is told the same.
            (event, Some(last)) if event == *last && matches!(event, Seen::Closed | Seen::Refused(_)) => {}
            (event, _) => seen.push(event),
        }
        if is_last {
            return;
        }
    }
}

/// A few numbers from the bytes themselves: for cuts that are random and yet the same in every run.
pub fn mix(bytes: &[u8]) -> usize {
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    (bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv) >> 16) as usize
}
