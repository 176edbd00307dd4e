//! An urlencoded form, whole, cut in two at a random place, and byte by byte: the same fields or the same limit that
//! is passed, as a naive reader of the URL Standard (section 5.1) finds them. Written again, they are the same.
//!
//! Each input is tried within limits that it cannot pass and within tight ones.
#![no_main]

use bakestone::error::LimitExceeded;
use bakestone::http::urlencoded::{Decoder, parse, serialize};
use bakestone_fuzz::events::mix;
use libfuzzer_sys::fuzz_target;

type Fields = Vec<(String, String)>;

fuzz_target!(|data: &[u8]| {
    let parsed: Fields = parse(data).map(|(name, value)| (name.into(), value.into())).collect();
    for limits in [(data.len(), data.len()), (3, 12)] {
        let expected = naive(data, limits);
        let cut = mix(data) % (data.len() + 1);
        assert_eq!(decode([data], limits), expected, "whole, within {limits:?}");
        assert_eq!(decode([&data[..cut], &data[cut..]], limits), expected, "cut at {cut}, within {limits:?}");
        assert_eq!(decode(data.chunks(1), limits), expected, "byte by byte, within {limits:?}");
        if expected.1.is_none() {
            assert_eq!(parsed, expected.0);
        }
    }
    let text = serialize(parsed.iter().map(|(name, value)| (name, value)));
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*-._+%=&".contains(&byte)), "{text}");
    assert!(
        parse(text.as_bytes()).eq(parsed.iter().map(|(name, value)| (name.into(), value.into()))),
        "{text}"
    );
});

fn decode<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    (fields, field_bytes): (usize, usize),
) -> (Fields, Option<LimitExceeded>) {
    let (mut decoder, mut decoded) = (Decoder::new(fields, field_bytes), Vec::new());
    for piece in pieces {
        if let Err(error) = decoder.push(piece, &mut decoded) {
            return (decoded, Some(error));
        }
    }
    decoder.finish(&mut decoded);
    (decoded, None)
}

/// The fields up to the limit that is passed, and that limit.
fn naive(data: &[u8], (fields, field_bytes): (usize, usize)) -> (Fields, Option<LimitExceeded>) {
    let exceeded = |limit, value: usize| Some(LimitExceeded::new(limit, value as u64, value as u64 + 1));
    let mut decoded = Vec::new();
    for piece in data.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
        if decoded.len() == fields {
            return (decoded, exceeded("form_fields", fields));
        }
        if piece.len() > field_bytes {
            return (decoded, exceeded("form_field_bytes", field_bytes));
        }
        let mut parts = piece.splitn(2, |byte| *byte == b'=');
        let mut part = || text(parts.next().unwrap_or_default());
        decoded.push((part(), part()));
    }
    (decoded, None)
}

fn text(encoded: &[u8]) -> String {
    let (mut bytes, mut at) = (Vec::new(), 0);
    while at < encoded.len() {
        let escape = encoded.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match (encoded[at], escape) {
            (b'%', Some(digits)) => {
                let digits = String::from_utf8_lossy(digits);
                bytes.push(u8::from_str_radix(&digits, 16).expect("two digits"));
                at += 2;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
