//! The work of a search is linear in the bytes, whatever they are and however they are cut.
//!
//! It is counted in bytes that were looked at, since a clock would say something else every time.

use bytes::Bytes;

use super::{HEAD, events};
use crate::multipart::{Boundary, Decoder, Event, Limits};

const LENGTH: usize = 1 << 16;

/// Decodes `data` as the value of a field, so many bytes at a time; the bytes that were looked at.
fn examined(boundary: &str, data: &[u8], at_once: usize) -> u64 {
    let limits = Limits { field_bytes: u64::MAX, ..Limits::default() };
    let mut decoder = Decoder::new(&Boundary::new(boundary).unwrap(), limits);
    decoder.push(HEAD.replace("--b\r", &format!("--{boundary}\r")).into());
    assert!(matches!(events(&mut decoder).0[..], [Event::Part(_)]));
    let begun = decoder.examined();
    let mut length = 0;
    for piece in Bytes::copy_from_slice(data).chunks(at_once) {
        decoder.push(Bytes::copy_from_slice(piece));
        let (events, error) = events(&mut decoder);
        assert_eq!(error, None);
        length += events
            .iter()
            .map(|event| match event {
                Event::Data(data) => data.len(),
                other => panic!("{other:?}"),
            })
            .sum::<usize>();
    }
    assert!(length + 80 > data.len(), "{length} of {} bytes", data.len());
    decoder.examined() - begun
}

#[test]
fn f20_the_work_is_linear_in_the_bytes() {
    let long = "x".repeat(70);
    let (spaces, almost) = (" ".repeat(64), "x".repeat(69));
    for (boundary, unit) in [
        ("b", "plain text without any line end"),
        ("b", "\r\n"),
        ("b", "\r"),
        ("b", "\r\n-"),
        ("b", "\r\n--"),
        ("b", "\r\n--bx"),
        ("b", "\r\n--b-"),
        ("b", "\r\n--b\r"),
        ("b", &format!("\r\n--b{spaces}x")),
        ("b", "\r\n--b  \tx"),
        (&long, &format!("\r\n--{almost}")),
        (&long, &format!("\r\n--{long}-")),
        (&long, &format!("\r\n--{long}{spaces}x")),
    ] {
        let data = unit.repeat(LENGTH / unit.len());
        for at_once in [1, 2, 7, 76, 8 << 10, LENGTH] {
            let examined = examined(boundary, data.as_bytes(), at_once);
            let most = 3 * data.len() as u64 + 200;
            assert!(examined <= most, "{unit:?}, {at_once} at a time: {examined} for {}", data.len());
        }
    }
}
