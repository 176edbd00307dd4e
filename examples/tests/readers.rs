//! What blocks while it reads, as a body: in the driver's pool, and no further than the client has room for.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

use std::io::{Cursor, Error, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bakestone::{Request, Response, Session};
use bakestone_std::{body_from_reader, body_from_reader_with};
use bakestone_testkit::client::Cause;
use bakestone_testkit::{Client, Wire};

/// Counts what was read, and whether it lives.
struct Counted<R> {
    reader: R,
    bytes: Arc<AtomicUsize>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(into)?;
        self.bytes.fetch_add(count, Ordering::SeqCst);
        Ok(count)
    }
}

#[test]
fn all_is_read_and_no_further_ahead_than_there_is_room() {
    let bytes = Arc::new(AtomicUsize::new(0));
    let count = bytes.clone();
    let client = Client::setup().record(false).start(move |request: Request| {
        let reader = Counted { reader: Cursor::new(vec![b'x'; 1_000_000]), bytes: count.clone() };
        Response::new(body_from_reader(request.context(), reader))
    });
    let mut response = client.get("/").read_ahead(0).send();
    let read = bytes.load(Ordering::SeqCst);
    assert!(read <= 3 * (64 << 10), "{read} bytes were read for nobody");
    let content = response.bytes();
    assert!(content.len() == 1_000_000 && content.iter().all(|byte| *byte == b'x'));
    assert_eq!(bytes.load(Ordering::SeqCst), 1_000_000);
    // The body is gone, and the reader with it.
    assert_eq!(Arc::strong_count(&bytes), 2);
}

/// Gives what it has, then fails; before each, it is interrupted.
struct Failing(Vec<Result<&'static str, ErrorKind>>);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.0.pop() {
            Some(Ok(text)) => text.as_bytes().read(into),
            Some(Err(kind)) => Err(Error::from(kind)),
            None => Ok(0),
        }
    }
}

#[test]
fn an_error_cuts_the_message_and_an_interruption_does_nothing() {
    let parts = [Err(ErrorKind::BrokenPipe), Ok("a"), Err(ErrorKind::Interrupted)];
    let client = Client::new(move |request: Request| {
        Response::new(body_from_reader_with(request.context(), Failing(parts.to_vec()), 0))
    });
    let mut response = client.get("/").send();
    assert_eq!(response.expect_status(200).chunk().as_deref(), Some(&b"a"[..]));
    assert_eq!(response.try_chunk().unwrap_err().cause, Cause::Reset);
}

#[test]
fn a_client_that_leaves_lets_the_reader_go_with_its_last_read() {
    let bytes = Arc::new(AtomicUsize::new(0));
    let count = bytes.clone();
    let mut wire = Wire::new(Session::new(move |request: Request| {
        let reader = Counted { reader: std::io::repeat(b'x'), bytes: count.clone() };
        Response::new(body_from_reader(request.context(), reader))
    }));
    wire.hold_effects(true).feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(wire.held().len(), 1);
    wire.reset();
    wire.answer_held();
    assert_eq!((bytes.load(Ordering::SeqCst), Arc::strong_count(&bytes)), (64 << 10, 2));
}
