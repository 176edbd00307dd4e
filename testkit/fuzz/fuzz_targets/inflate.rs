//! Compressed messages of a connection, at any cuts: the same content and fate as a naive inflater finds, which reads bit
//! by bit; and what was read is compressed and read again.
//!
//! The first byte says how many messages there are, whether each begins with an empty window, whether the limit is tight,
//! and the window that is written with; then comes the length of each message but the last.
#![no_main]

use bakestone::ws::deflate::{Deflater, InflateError, Inflater};
use bakestone_fuzz::naive_deflate::{self, Messages, Refused};
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((control, rest)) = data.split_first() else { return };
    let Some((lengths, messages)) = rest.split_at_checked(usize::from(control & 3)) else { return };
    let most = if control & 4 != 0 { 40 } else { 1 << 16 };
    let takes_over = control & 8 == 0;
    let read = expected(lengths, messages, most, takes_over);
    for step in [usize::MAX, 1, 7] {
        let mut inflater = Inflater::new();
        for (message, expected) in &read {
            assert_eq!(
                &inflate(&mut inflater, message, step, most),
                expected,
                "{step}: {}",
                message.escape_ascii()
            );
            if !takes_over {
                inflater.reset();
            }
        }
    }
    let contents: Vec<&[u8]> = read.iter().map(|(_, (content, _))| &content[..]).collect();
    there_and_back(&contents, 9 + (control >> 4) % 7, takes_over);
});

type Read = (Vec<u8>, Result<(), InflateError>);

/// Each message, and what there is in it; none behind the first that is refused.
fn expected<'a>(lengths: &[u8], mut rest: &'a [u8], most: usize, takes_over: bool) -> Vec<(&'a [u8], Read)> {
    let (mut naive, mut read) = (Messages::default(), Vec::new());
    for length in lengths.iter().copied().map(usize::from).chain([usize::MAX]) {
        let (message, after) = rest.split_at(rest.len().min(length));
        rest = after;
        let (content, fate) = naive.next(message, most);
        let fate = fate.map_err(|refused| match refused {
            Refused::TooLong => InflateError::TooLong,
            Refused::Corrupt => InflateError::Corrupt,
        });
        read.push((message, (content, fate)));
        if fate.is_err() {
            break;
        }
        if !takes_over {
            naive.reset();
        }
    }
    read
}

fn inflate(inflater: &mut Inflater, message: &[u8], step: usize, most: usize) -> Read {
    let mut out = BytesMut::new();
    let mut pieces = message.chunks(step.min(message.len().max(1)));
    let read = pieces.try_for_each(|piece| inflater.inflate(piece, &mut out, most));
    let read = read.and_then(|()| inflater.finish(&mut out, most));
    assert!(out.len() <= most);
    (out.to_vec(), read)
}

fn there_and_back(contents: &[&[u8]], window_bits: u8, takes_over: bool) {
    let (mut deflater, mut inflater) = (Deflater::new(window_bits), Inflater::new());
    let mut stream = Vec::new();
    for content in contents {
        let mut compressed = BytesMut::new();
        deflater.deflate(content, &mut compressed);
        let read = inflate(&mut inflater, &compressed, usize::MAX, content.len());
        assert_eq!(read, (content.to_vec(), Ok(())));
        stream.extend_from_slice(&compressed);
        stream.extend_from_slice(b"\x00\x00\xff\xff");
        if !takes_over {
            deflater.reset();
            inflater.reset();
        }
    }
    assert_eq!(naive_deflate::inflate(&stream, 1 << window_bits).content, contents.concat());
}
