//! One request's head, whole, cut in two at a random place, and byte by byte: the same head or the same
//! refusal, and no panic.
//!
//! A naive reader must say the same: that the head is refused, and with what status; or what its parts are, and
//! where it ends. Each input is tried within the default limits and within tight ones.
#![no_main]

use std::sync::Arc;

use bakestone::Limits;
use bakestone::h1::{BodyLength, Event, ReceivedRequest, ServerConn};
use bakestone_fuzz::events::mix;
use bakestone_fuzz::naive::fields::named;
use bakestone_fuzz::naive::request::{self, Request};
use bakestone_fuzz::naive::target::normal;
use bakestone_fuzz::naive::{Framing, Stop};
use bytes::BytesMut;
use http::Version;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut tight = Limits::default();
    (tight.head_bytes, tight.head_fields, tight.target_bytes) = (200, 4, 20);
    for limits in [Limits::default(), tight] {
        let limits = Arc::new(limits);
        let cut = mix(data) % (data.len() + 1);
        let whole = feed(&limits, [data]);
        assert_eq!(feed(&limits, [&data[..cut], &data[cut..]]), whole, "cut at {cut}");
        assert_eq!(feed(&limits, data.chunks(1)), whole, "byte by byte");
        judge(data, &limits);
    }
});

/// What came of the bytes: the events as text, and how many bytes were taken.
fn feed<'a>(limits: &Arc<Limits>, pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, u64) {
    let mut conn = ServerConn::new(limits.clone());
    let mut input = BytesMut::new();
    let mut result = Ok(Event::NeedInput);
    for piece in pieces {
        input.extend_from_slice(piece);
        if matches!(result, Ok(Event::NeedInput)) {
            result = conn.next(&mut input);
        }
    }
    if matches!(result, Ok(Event::NeedInput)) {
        conn.finish_input();
        result = conn.next(&mut input);
    }
    (format!("{result:?}"), conn.message_offset())
}

fn judge(data: &[u8], limits: &Arc<Limits>) {
    let mut conn = ServerConn::new(limits.clone());
    let result = conn.next(&mut BytesMut::from(data));
    match (result, request::read(data, limits)) {
        (Ok(Event::Head(head)), Ok((naive, end))) => {
            assert_eq!(conn.message_offset(), end as u64);
            assert_eq!(conn.close_reason().is_none(), naive.persists);
            assert_eq!(conn.expects_continue(), naive.expects_continue);
            assert_eq!(conn.accepts_trailers(), naive.accepts_trailers);
            compare(&head, &naive);
        }
        (Ok(Event::NeedInput), Err(Stop::More)) => {}
        (Err(refusal), Err(Stop::Wrong { status, at })) => {
            assert_eq!(refusal.status.as_u16(), status, "{refusal:?}");
            assert_eq!(refusal.offset, at.map_or(refusal.offset, |at| at as u64), "{refusal:?}");
            assert!(refusal.offset <= data.len() as u64, "refused at a byte that never came: {refusal:?}");
        }
        (result, naive) => panic!("{result:?}, and the naive reader says {naive:?}"),
    }
}

fn compare(head: &ReceivedRequest, naive: &Request) {
    assert_eq!(head.method.as_str(), naive.method);
    assert_eq!(head.version == Version::HTTP_10, naive.is_10);
    assert_eq!(head.uri.to_string(), normal(&naive.target));
    assert_eq!(head.upgrade, naive.upgrade);
    let body = match naive.framing {
        Framing::Length(length) => BodyLength::Exact(length),
        Framing::Chunked | Framing::UntilClose => BodyLength::Unknown,
    };
    assert_eq!(head.body, body);
    assert_eq!(head.headers.len(), naive.fields.len(), "fields were lost or made");
    for name in head.headers.keys() {
        let values: Vec<_> = head.headers.get_all(name).iter().map(|value| value.as_bytes()).collect();
        assert_eq!(values, named(&naive.fields, name.as_str()), "the field {name}");
    }
}
