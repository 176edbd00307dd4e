//! The body of a chunked request, at the cuts that the input gives: the same content, trailers and fate as a
//! naive decoder finds, which reads byte by byte and knows no cuts.
//!
//! The first byte says how many cuts there are and whether the limits are tight; then comes one byte for each
//! cut, the distance to the one before; the rest is the body.
#![no_main]

use std::sync::Arc;

use bakestone::Limits;
use bakestone::h1::{Reason, ServerConn};
use bakestone_fuzz::events::{Seen, take};
use bakestone_fuzz::naive::Stop;
use bakestone_fuzz::naive::chunked::{Decoded, decode};
use bakestone_fuzz::naive::fields::is_dropped_trailer;
use bytes::BytesMut;
use http::HeaderMap;
use libfuzzer_sys::fuzz_target;

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

fuzz_target!(|data: &[u8]| {
    let Some((control, rest)) = data.split_first() else { return };
    let Some((cuts, body)) = rest.split_at_checked(usize::from(control & 7)) else { return };
    let mut limits = Limits::default();
    if control & 8 != 0 {
        (limits.chunk_extension_bytes, limits.trailer_bytes, limits.trailer_fields) = (8, 24, 2);
    }
    let limits = Arc::new(limits);
    let (decoded, fate) = decode(body, 0, &limits);
    for finish in [false, true] {
        let run = |pieces: &[&[u8]]| receive(&limits, pieces, finish);
        let (seen, taken) = run(&[body]);
        compare(&seen, taken, finish, (&decoded, &fate));
        assert_eq!(run(&pieces(cuts, body)), (seen.clone(), taken), "cut at {cuts:?}");
        let single: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(run(&single), (seen, taken), "byte by byte");
    }
});

fn pieces<'a>(cuts: &[u8], mut body: &'a [u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, rest) = body.split_at(body.len().min(usize::from(*cut)));
        pieces.push(piece);
        body = rest;
    }
    pieces.push(body);
    pieces
}

/// The events after the head, and how many bytes of the body were taken.
fn receive(limits: &Arc<Limits>, pieces: &[&[u8]], finish: bool) -> (Vec<Seen>, u64) {
    let mut conn = ServerConn::new(limits.clone());
    let (mut input, mut seen) = (BytesMut::from(HEAD), Vec::new());
    for piece in pieces {
        take(&mut conn, &mut input, &mut seen, |_| false);
        input.extend_from_slice(piece);
    }
    take(&mut conn, &mut input, &mut seen, |_| false);
    if finish {
        conn.finish_input();
        take(&mut conn, &mut input, &mut seen, |_| false);
    }
    assert!(matches!(seen.remove(0), Seen::Head(_)));
    let refused = matches!(seen.last(), Some(Seen::Refused(_)));
    // What was looked at before a refusal need not be the same.
    (seen, if refused { 0 } else { conn.message_offset() - HEAD.len() as u64 })
}

fn compare(seen: &[Seen], taken: u64, finish: bool, (decoded, fate): (&Decoded, &Result<usize, Stop>)) {
    let (data, end) = match seen {
        [Seen::Data(data), end @ ..] => (&data[..], end),
        end => (&[][..], end),
    };
    assert_eq!(data.escape_ascii().to_string(), decoded.data.escape_ascii().to_string(), "{fate:?}");
    match (end, fate) {
        ([Seen::End(trailers)], Ok(length)) => {
            assert_eq!(taken, *length as u64);
            compare_trailers(trailers.as_ref().unwrap_or(&HeaderMap::new()), decoded);
        }
        ([], Err(Stop::More)) => assert!(!finish),
        ([Seen::Refused(refusal)], Err(Stop::More)) => {
            assert!(finish && refusal.reason == Reason::UnexpectedEnd, "{refusal:?}");
        }
        ([Seen::Refused(refusal)], Err(Stop::Wrong { status, at })) => {
            assert_eq!(refusal.status.as_u16(), *status, "{refusal:?}");
            let offset = at.map(|at| (HEAD.len() + at) as u64);
            assert_eq!(refusal.offset, offset.unwrap_or(refusal.offset), "{refusal:?}");
        }
        _ => panic!("{end:?} is not {fate:?}"),
    }
}

/// What frames, routes or authenticates is dropped; of the rest nothing.
fn compare_trailers(trailers: &HeaderMap, decoded: &Decoded) {
    for (name, _) in &decoded.trailers {
        let all = || decoded.trailers.iter().filter(|(other, _)| other == name).map(|(_, value)| &value[..]);
        let kept: Vec<&[u8]> = trailers.get_all(name).iter().map(|value| value.as_bytes()).collect();
        assert!(kept.is_empty() || all().eq(kept.iter().copied()), "the trailer {name}");
        let is_as_it_must = is_dropped_trailer(name).is_none_or(|dropped| dropped == kept.is_empty());
        assert!(is_as_it_must, "the trailer {name} was dropped, or was not");
    }
    let made = trailers.keys().find(|name| decoded.trailers.iter().all(|(other, _)| other != name.as_str()));
    assert_eq!(made, None, "a trailer that nobody sent");
}
