//! Forms of several parts: written cases in every way, and the decoder beside a naive reader.
//!
//! The rule: a form means the same however its bytes are cut, and what two readers could take for different forms is
//! refused.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

#[path = "multipart/advisories.rs"]
mod advisories;
#[path = "multipart/cases.rs"]
mod cases;
#[path = "multipart/generate.rs"]
mod generate;
#[path = "multipart/naive.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets export it")]
mod naive;
#[path = "multipart/oracle.rs"]
mod oracle;
#[path = "../src/seed.rs"]
mod seed;

use bakestone::multipart::{Boundary, Decoder, Error, Event, Limits, PartHead};
use bytes::Bytes;

/// What was read of a form, and how that ended. Where data was cut is left out, since that is free.
#[derive(Clone, Debug, PartialEq)]
struct Read {
    parts: Vec<Part>,
    is_over: bool,
    error: Option<Error>,
}

/// One part.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    head: PartHead,
    data: Vec<u8>,
    is_over: bool,
}

/// Reads a body that arrives in these pieces.
fn read<'a>(boundary: &str, limits: Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut decoder = Decoder::new(&Boundary::new(boundary).unwrap(), limits);
    let mut pieces = pieces.into_iter();
    let mut read = Read { parts: Vec::new(), is_over: false, error: None };
    let mut is_ended = false;
    loop {
        match decoder.next() {
            Ok(Some(event)) => read.note(event),
            Ok(None) if is_ended => return read,
            Ok(None) => match pieces.next() {
                Some(piece) => decoder.push(Bytes::copy_from_slice(piece)),
                None => {
                    decoder.end();
                    is_ended = true;
                }
            },
            Err(error) => {
                assert_eq!(decoder.next(), Err(error.clone()), "an error stays");
                read.error = Some(error);
                return read;
            }
        }
    }
}

impl Read {
    fn note(&mut self, event: Event) {
        assert!(!self.is_over, "after the end: {event:?}");
        let open = self.parts.last_mut().filter(|part| !part.is_over);
        match (event, open) {
            (Event::Part(head), None) => self.parts.push(Part { head, data: Vec::new(), is_over: false }),
            (Event::Data(data), Some(part)) => {
                assert!(!data.is_empty(), "an event without data");
                part.data.extend(data);
            }
            (Event::PartEnd, Some(part)) => part.is_over = true,
            (Event::End, None) => self.is_over = true,
            (event, open) => panic!("{event:?} inside of {open:?}"),
        }
    }
}
