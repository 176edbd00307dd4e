//! A form of several parts, at the cuts that the input gives: the same parts, data and error, and what a naive reader
//! finds, which sees the whole and knows no cuts.
//!
//! The first byte says how many cuts there are (its three low bits), whether the limits are tight (8), and which
//! boundary it is (16, 32); then comes one byte for each cut, the distance to the one before; the rest is the body.
#![no_main]

use bakestone::multipart::{Boundary, Decoder, Error, Event, Limits, PartHead};
use bakestone_fuzz::naive_multipart::{self, Part};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

const BOUNDARIES: [&str; 4] = ["b", "--", "a b", "----WebKitFormBoundary"];

fuzz_target!(|data: &[u8]| {
    let Some((control, rest)) = data.split_first() else { return };
    let Some((cuts, body)) = rest.split_at_checked(usize::from(control & 7)) else { return };
    let boundary = BOUNDARIES[usize::from(control >> 4 & 3)];
    let is_tight = control & 8 != 0;
    let limits = if is_tight { tight() } else { Limits::default() };
    let whole = receive(boundary, limits, &[body]);
    assert_eq!(receive(boundary, limits, &pieces(cuts, body)), whole, "cut at {cuts:?}");
    let single: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(receive(boundary, limits, &single), whole, "byte by byte");
    match is_tight {
        true => is_within(&whole, &limits),
        false => compare(&whole, naive_multipart::read(boundary, body)),
    }
});

fn tight() -> Limits {
    let mut limits = Limits::default();
    (limits.total_bytes, limits.preamble_bytes) = (300, 6);
    (limits.fields, limits.files, limits.field_bytes, limits.file_bytes) = (2, 1, 5, 7);
    (limits.head_bytes, limits.head_fields) = (80, 2);
    limits
}

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

/// What was read: the parts with their data and whether they are over, whether the form is, and the error.
#[derive(Debug, Default, PartialEq)]
struct Read {
    parts: Vec<(PartHead, Vec<u8>, bool)>,
    is_over: bool,
    error: Option<Error>,
}

fn receive(boundary: &str, limits: Limits, pieces: &[&[u8]]) -> Read {
    let boundary = Boundary::new(boundary).expect("a boundary");
    let mut decoder = Decoder::new(&boundary, limits);
    let mut read = Read::default();
    for piece in pieces {
        decoder.push(Bytes::copy_from_slice(piece));
        take(&mut decoder, &mut read);
    }
    decoder.end();
    take(&mut decoder, &mut read);
    assert!(read.is_over || read.error.is_some(), "neither over nor refused");
    read
}

fn take(decoder: &mut Decoder, read: &mut Read) {
    while read.error.is_none() {
        match decoder.next() {
            Ok(None) => return,
            Err(error) => {
                let _ = (error.to_string(), error.code());
                read.error = Some(error);
            }
            Ok(Some(event)) => note(event, read),
        }
    }
}

fn note(event: Event, read: &mut Read) {
    let open = read.parts.last_mut().filter(|(_, _, is_over)| !is_over);
    match (event, open) {
        (Event::Part(head), None) if !read.is_over => {
            // It names one file and no folder, whatever was sent.
            let safe = head.safe_filename();
            let is_safe = |name: &str| name.len() <= 255 && !name.is_empty() && !name.contains(['/', '\\', ':', '\0']);
            assert!(safe.as_deref().is_none_or(|name| is_safe(name) && !name.starts_with('.')), "{safe:?}");
            let _ = (head.charset(), head.content_type());
            read.parts.push((head, Vec::new(), false));
        }
        (Event::Data(piece), Some((_, data, _))) => {
            assert!(!piece.is_empty(), "an event without data");
            data.extend(piece);
        }
        (Event::PartEnd, Some((_, _, is_over))) => *is_over = true,
        (Event::End, None) if !read.is_over => read.is_over = true,
        (event, open) => panic!("{event:?} inside of {open:?}"),
    }
}

fn is_within(read: &Read, limits: &Limits) {
    let (mut fields, mut files, mut bytes) = (0, 0, 0);
    for (head, data, _) in &read.parts {
        let (count, most) = match head.is_file() {
            true => (&mut files, limits.file_bytes),
            false => (&mut fields, limits.field_bytes),
        };
        *count += 1;
        assert!(data.len() as u64 <= most && head.fields().count() <= limits.head_fields);
        bytes += data.len() as u64;
    }
    assert!(fields <= limits.fields && files <= limits.files && bytes <= limits.total_bytes);
    assert!(read.error.as_ref().is_none_or(|error| error.offset() <= limits.total_bytes));
}

fn compare(read: &Read, (parts, is_form): (Vec<Part>, bool)) {
    // The naive reader has no limits.
    if read.error.as_ref().is_some_and(|error| error.limit().is_some()) {
        return;
    }
    let over = read.parts.iter().filter(|(_, _, is_over)| *is_over);
    let seen = over.map(|(head, data, _)| Part {
        name: head.name().to_owned(),
        filename: head.filename().map(str::to_owned),
        fields: head.fields().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
        data: data.clone(),
    });
    assert_eq!(seen.collect::<Vec<_>>(), parts, "{:?}", read.error);
    assert_eq!(read.error.is_none(), is_form, "{:?}", read.error);
}
