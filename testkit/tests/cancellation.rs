//! Every await of ours may be dropped: reading loses nothing, writing takes the whole or nothing.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod once;

use bakestone::{HeaderMap, Request, Result, Session, StatusCode, Text, message::Sent};
use bakestone_testkit::Wire;
use once::once;

/// Reads a body with futures that are dropped after one poll each.
async fn impatient(mut request: Request) -> Result<Text<String>> {
    let (mut body, mut dropped) = (Vec::new(), 0);
    loop {
        match once(request.chunk()).await {
            Some(chunk) => match chunk? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            },
            None => dropped += 1,
        }
        // The wish is gone with the future: a plain wait is what lets the bytes come.
        if let Some(chunk) = request.chunk().await? {
            body.extend_from_slice(&chunk);
        } else {
            break;
        }
    }
    assert!(dropped > 0, "the futures were meant to be dropped in the middle");
    Ok(Text(String::from_utf8_lossy(&body).into_owned()))
}

#[test]
fn a_reader_that_is_dropped_at_every_poll_loses_nothing() {
    let body: String = ('a'..='z').cycle().take(500).collect();
    let mut wire = Wire::new(Session::new(impatient));
    wire.feed(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len()));
    for byte in body.bytes() {
        wire.feed([byte]);
    }
    assert!(wire.take_text().ends_with(&format!("\r\n\r\n{body}")));
}

/// Writes numbered pieces with futures that are dropped after one poll each, and tells how many were taken.
async fn restless(request: Request) -> Result<Sent> {
    let mut response = request.respond(StatusCode::OK, HeaderMap::new())?;
    let mut refused = 0;
    for number in 0..200 {
        let piece = format!("<{number}:{}>", "x".repeat(1000));
        // There is no room for the first try while the client does not read, and it is dropped; the second
        // waits.
        if once(response.write(piece.clone())).await.transpose()?.is_none() {
            refused += 1;
            response.write(piece).await?;
        }
    }
    assert!(refused > 0, "the futures were meant to be dropped in the middle");
    Ok(response.finish().await?)
}

#[test]
fn a_writer_that_is_dropped_at_every_poll_sends_each_piece_once() {
    let mut wire = Wire::new(Session::new(restless));
    wire.hold_output(true);
    wire.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut text = String::new();
    loop {
        let piece = wire.take_at_most(5000);
        if piece.is_empty() {
            break;
        }
        text.push_str(&String::from_utf8(piece).unwrap());
    }
    let numbers: Vec<usize> =
        text.split('<').skip(1).map(|piece| piece.split(':').next().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
    assert!(text.ends_with("0\r\n\r\n"));
}
