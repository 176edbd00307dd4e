//! Every parser under comparison, and a bare search for the delimiter.
//!
//! The rule: each reads the whole form as its users do, is asked for the name of every part, and hands on data as they
//! come. What it finds is counted, so that none is fast by missing something.

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};

use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bakestone::multipart::{Boundary, Decoder, Event, Limits};
use bytes::Bytes;
use futures_core::Stream;
use memchr::memmem::Finder;

use crate::arrival::{Arrival, drive};
use crate::bodies::{Body, Counts};

/// What a parser found in a body, or why it gave up.
pub type Outcome = Result<Counts, Box<dyn Error>>;

/// A parser's name, and what it finds in a body whose pieces it is given.
pub type Parser = (&'static str, fn(&Body, Vec<Bytes>) -> Outcome);

/// All parsers.
pub const ALL: [Parser; 4] = [
    ("bakestone", bakestone),
    ("multer", |body, pieces| drive(multer(body, pieces))),
    ("actix-multipart", |body, pieces| drive(actix_multipart(body, pieces))),
    ("http-multipart", |body, pieces| drive(http_multipart(body, pieces))),
];

/// How many delimiters `memchr::memmem` finds in the pieces, each by itself.
pub fn memmem(body: &Body, pieces: Vec<Bytes>) -> usize {
    let delimiter = format!("\r\n--{}", body.boundary);
    let finder = Finder::new(&delimiter);
    pieces.into_iter().map(|piece| finder.find_iter(&piece).count()).sum()
}

fn bakestone(body: &Body, pieces: Vec<Bytes>) -> Outcome {
    let mut limits = Limits::default();
    limits.total_bytes = u64::MAX;
    let mut decoder = Decoder::new(&Boundary::new(&body.boundary)?, limits);
    let mut pieces = pieces.into_iter();
    let mut counts = Counts::default();
    loop {
        match decoder.next()? {
            Some(Event::Part(head)) => counts.begin(Some(head.name())),
            Some(Event::Data(data)) => counts.data += data.len(),
            Some(Event::PartEnd) => {}
            Some(_) => return Ok(counts),
            None => match pieces.next() {
                Some(piece) => decoder.push(piece),
                None => decoder.end(),
            },
        }
    }
}

async fn multer(body: &Body, pieces: Vec<Bytes>) -> Outcome {
    let mut form = multer::Multipart::new(Arrival::<multer::Error>::new(pieces), &*body.boundary);
    let mut counts = Counts::default();
    while let Some(mut field) = form.next_field().await? {
        counts.begin(field.name());
        while let Some(data) = field.chunk().await? {
            counts.data += data.len();
        }
    }
    Ok(counts)
}

async fn actix_multipart(body: &Body, pieces: Vec<Bytes>) -> Outcome {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::try_from(content_type(body))?);
    let mut form = actix_multipart::Multipart::new(&headers, Arrival::new(pieces));
    let mut counts = Counts::default();
    while let Some(field) = poll_fn(|context| Pin::new(&mut form).poll_next(context)).await {
        let mut field = field?;
        counts.begin(field.name());
        while let Some(data) = poll_fn(|context| Pin::new(&mut field).poll_next(context)).await {
            counts.data += data?.len();
        }
    }
    Ok(counts)
}

async fn http_multipart(body: &Body, pieces: Vec<Bytes>) -> Outcome {
    let request = http::Request::post("/").header("content-type", content_type(body)).body(())?;
    let mut form = pin!(http_multipart::multipart(&request, Arrival::<std::io::Error>::new(pieces))?);
    let mut counts = Counts::default();
    while let Some(mut field) = form.try_next().await? {
        counts.begin(field.name());
        while let Some(data) = field.try_next().await? {
            counts.data += data.len();
        }
    }
    Ok(counts)
}

fn content_type(body: &Body) -> String {
    format!("multipart/form-data; boundary={}", body.boundary)
}

impl Counts {
    fn begin(&mut self, name: Option<&str>) {
        self.parts += 1;
        self.names += name.map_or(0, str::len);
    }
}
