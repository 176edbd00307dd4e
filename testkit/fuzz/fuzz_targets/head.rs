//! One request's head, whole, cut in two at a random place, and byte by byte: the same head or the same
//! refusal, and no panic.
//!
//! What is accepted is read again by a naive reader: no CR, LF or NUL inside anything, at most one framing,
//! one Host in HTTP/1.1, and every field as it came. What is plainly good must not be refused. Each input is
//! tried within the default limits and within tight ones.
#![no_main]

use std::sync::Arc;

use bakestone::Limits;
use bakestone::h1::{Event, ReceivedRequest, Refusal, ServerConn};
use bakestone_fuzz::events::mix;
use bakestone_fuzz::head;
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
    match conn.next(&mut BytesMut::from(data)) {
        Ok(Event::Head(request)) => accepted(&data[..conn.message_offset() as usize], &request, limits),
        Ok(_) => {
            let end = data.windows(4).position(|four| four == b"\r\n\r\n");
            let complete = end.and_then(|end| head::read(&data[..end + 4], limits));
            assert!(complete.is_none(), "a complete head still needs input: {complete:?}");
        }
        Err(refusal) => refused(data, refusal, limits),
    }
}

fn accepted(block: &[u8], request: &ReceivedRequest, limits: &Limits) {
    let naive = head::read(block, limits).expect("what the naive reader refuses was accepted");
    assert_eq!(request.method.as_str(), naive.method);
    assert_eq!(request.version == Version::HTTP_10, naive.is_10);
    assert_eq!(request.body, naive.body);
    if naive.target.starts_with('/') {
        assert_eq!(request.uri.to_string(), naive.target);
    }
    assert_eq!(request.headers.len(), naive.fields.len(), "fields were lost or made");
    for name in request.headers.keys() {
        let values: Vec<_> = request.headers.get_all(name).iter().map(|value| value.as_bytes()).collect();
        assert_eq!(values, head::named(&naive.fields, name.as_str()), "the field {name}");
    }
}

fn refused(data: &[u8], refusal: Refusal, limits: &Limits) {
    assert!(refusal.offset <= data.len() as u64, "refused at a byte that never came: {refusal:?}");
    let ends = (4..=data.len()).filter(|end| data[..*end].ends_with(b"\r\n\r\n"));
    for end in ends {
        let naive = head::read(&data[..end], limits);
        let good = naive.is_some_and(|head| head.is_plainly_good());
        assert!(!good, "a plainly good head was refused: {refusal:?}");
    }
}
