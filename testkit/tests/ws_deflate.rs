//! Compressed messages: the examples of RFC 7692, every cut, every window, and what a hostile peer may cost.
//!
//! The rule: what is written is read by a naive inflater, and what is read is written by hand or by it.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;
#[path = "deflate/naive.rs"]
#[allow(dead_code, unreachable_pub, reason = "the fuzz targets export it")]
mod naive;
mod random;

use bakestone::ws::deflate::{Deflater, InflateError, Inflater};
use bakestone_testkit::splits;
use bytes::BytesMut;
use naive::{Messages, Refused};
use random::Random;

const MOST: usize = 1 << 20;

/// What one message holds, which comes in these pieces.
fn inflate(inflater: &mut Inflater, pieces: &[&[u8]], most: usize) -> (Vec<u8>, Result<(), InflateError>) {
    let mut out = BytesMut::new();
    let mut read = Ok(());
    for piece in pieces {
        read = read.and_then(|()| inflater.inflate(piece, &mut out, most));
    }
    read = read.and_then(|()| inflater.finish(&mut out, most));
    (out.to_vec(), read)
}

fn deflate(deflater: &mut Deflater, payload: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::from(&b"before"[..]);
    deflater.deflate(payload, &mut out);
    out.strip_prefix(b"before").unwrap().to_vec()
}

/// A message as it is sent, and what it holds.
type Message = (&'static [u8], &'static [u8]);

/// RFC 7692, sections 7.2.3.1 to 7.2.3.6, each a run of messages on one connection.
const EXAMPLES: [(&str, &[Message]); 8] = [
    ("one block", &[(b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello")]),
    (
        "sharing the window",
        &[(b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello"), (b"\xf2\x00\x11\x00\x00", b"Hello")],
    ),
    ("a block without compression", &[(b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", b"Hello")]),
    ("a last block", &[(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", b"Hello")]),
    (
        "last blocks of several messages",
        &[
            (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", b"Hello"),
            (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", b"Hello"),
            (b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello"),
            (b"\xf2\x00\x11\x00\x00", b"Hello"),
        ],
    ),
    ("two blocks", &[(b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", b"Hello")]),
    ("nothing", &[(b"\x00", b""), (b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello"), (b"\x00", b"")]),
    (
        "nothing, more than once",
        &[(b"\x02\x00", b""), (b"", b""), (b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello")],
    ),
];

#[test]
fn the_examples_are_read() {
    for (name, messages) in EXAMPLES {
        let (mut inflater, mut naive) = (Inflater::new(), Messages::default());
        for (compressed, payload) in messages {
            assert_eq!(inflate(&mut inflater, &[compressed], MOST), (payload.to_vec(), Ok(())), "{name}");
            assert_eq!(naive.next(compressed, MOST), (payload.to_vec(), Ok(())), "{name}");
        }
    }
}

#[test]
fn the_examples_are_written() {
    let mut deflater = Deflater::new(15);
    assert_eq!(deflate(&mut deflater, b"Hello"), b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    assert_eq!(deflate(&mut deflater, b""), b"\x00");
    assert_eq!(deflate(&mut deflater, b"Hello"), b"\xf2\x00\x11\x00\x00");
    assert_eq!(deflate(&mut deflater, b""), b"\x00");
    assert_eq!(deflate(&mut deflater, b""), b"\x00");
    deflater.reset();
    assert_eq!(deflate(&mut deflater, b"Hello"), b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    let mut stored = Deflater::with_level(15, 0);
    assert_eq!(deflate(&mut stored, b"Hello"), b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00");
}

#[test]
fn a_last_block_may_lack_the_octet_behind_it() {
    let mut inflater = Inflater::new();
    for compressed in [&b"\xf3\x48\xcd\xc9\xc9\x07\x00"[..], b"\xf2\x48\xcd\xc9\xc9\x07\x00"] {
        assert_eq!(inflate(&mut inflater, &[compressed], MOST), (b"Hello".to_vec(), Ok(())));
    }
}

#[test]
fn a_last_block_empties_the_window() {
    let mut inflater = Inflater::new();
    assert_eq!(inflate(&mut inflater, &[b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"], MOST).1, Ok(()));
    assert_eq!(inflate(&mut inflater, &[b"\xf2\x00\x11\x00\x00"], MOST).1, Err(InflateError::Corrupt));
}

#[test]
fn what_is_no_message_is_refused() {
    for (name, compressed) in [
        ("a block of no kind", &b"\x06"[..]),
        ("a length without its complement", b"\x00\x05\x00\xfa\xfe\x48"),
        ("back before the beginning", b"\xf2\x00\x11\x00\x00"),
        ("cut in a compressed block", b"\xf2\x48\xcd"),
        ("cut in a stored block", b"\x00\x05\x00\xfa\xff\x48\x65\x6c"),
        ("cut in the length of a stored block", b"\xf2\x48\xcd\xc9\xc9\x07\x00\x05"),
        ("without the octet in which the tail begins", b"\xf2\x48\xcd\xc9\xc9\x07"),
        ("with the tail", b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"),
        ("with a part of the tail", b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00"),
        ("a last block that is cut", b"\xf3\x48\xcd"),
        ("not compressed", b"Hello, world"),
    ] {
        for pieces in splits(compressed) {
            let (_, read) = inflate(&mut Inflater::new(), &pieces, MOST);
            assert_eq!(read, Err(InflateError::Corrupt), "{name}");
        }
        assert_eq!(Messages::default().next(compressed, MOST).1, Err(Refused::Corrupt), "{name}");
    }
}

#[test]
fn after_an_error_a_reset_is_a_new_beginning() {
    let mut inflater = Inflater::new();
    for (compressed, most, error) in [
        (&b"\x06"[..], MOST, InflateError::Corrupt),
        (b"\xf2\x48\xcd\xc9\xc9\x07\x00", 4, InflateError::TooLong),
    ] {
        assert_eq!(inflate(&mut inflater, &[compressed], most).1, Err(error));
        inflater.reset();
        let hello = inflate(&mut inflater, &[b"\xf2\x48\xcd\xc9\xc9\x07\x00"], MOST);
        assert_eq!(hello, (b"Hello".to_vec(), Ok(())));
    }
}

/// Text in which words come again, near and far, and some noise.
fn text(random: &mut Random, length: usize) -> Vec<u8> {
    let mut text: Vec<u8> = Vec::new();
    while text.len() < length {
        match random.below(4) {
            0 => text.extend((0..random.below(40)).map(|_| random.below(256) as u8)),
            1 => text.extend(std::iter::repeat_n(b'a' + random.below(26) as u8, random.below(400))),
            _ if text.is_empty() => text.push(b'.'),
            _ => {
                let back = 1 + random.below(text.len().min(40_000));
                let from = text.len() - back;
                let copy = text[from..].iter().copied().take(random.below(300)).collect::<Vec<_>>();
                text.extend(copy);
            }
        }
    }
    text.truncate(length);
    text
}

#[test]
fn every_window_and_level_is_read_back_and_no_window_is_passed() {
    let mut random = Random(0xba4e);
    for bits in 9..=15 {
        for level in [0, 1, 2, 3, 6, 9] {
            for takes_over in [false, true] {
                let name = format!("window {bits}, level {level}, {takes_over}");
                let mut deflater = Deflater::with_level(bits, level);
                let (mut inflater, mut stream, mut whole) = (Inflater::new(), Vec::new(), Vec::new());
                for length in [1, 20, 700, 0, 70_000, 3, 0, 0, 1000, 20] {
                    let payload = text(&mut random, length);
                    let compressed = deflate(&mut deflater, &payload);
                    assert_eq!(
                        inflate(&mut inflater, &[&compressed], MOST),
                        (payload.clone(), Ok(())),
                        "{name}"
                    );
                    stream.extend(&compressed);
                    stream.extend(b"\x00\x00\xff\xff");
                    whole.extend(payload);
                    if !takes_over {
                        deflater.reset();
                        inflater.reset();
                    }
                }
                let naive = naive::inflate(&stream, 1 << bits);
                assert!(
                    naive.content == whole && naive.stop == naive::Stop::More,
                    "{name}: {:?}",
                    naive.stop
                );
            }
        }
    }
}

#[test]
fn a_window_out_of_bounds_is_the_nearest() {
    let payload = text(&mut Random(7), 5000);
    for (bits, nearest) in [(0, 9), (8, 9), (16, 15), (255, 15)] {
        let compressed = [bits, nearest].map(|bits| deflate(&mut Deflater::new(bits), &payload));
        assert_eq!(compressed[0], compressed[1], "{bits}");
    }
}

#[test]
fn every_cut_is_the_same() {
    let mut random = Random(0xc07);
    let mut deflater = Deflater::new(15);
    for _ in 0..3 {
        let payload = text(&mut random, 1500);
        let compressed = deflate(&mut deflater, &payload);
        deflater.reset();
        for pieces in splits(&compressed) {
            let read = inflate(&mut Inflater::new(), &pieces, payload.len());
            assert!(
                read == (payload.clone(), Ok(())),
                "{:?}",
                pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>()
            );
        }
        let (content, read) = inflate(&mut Inflater::new(), &[&compressed], payload.len() - 1);
        assert_eq!((content.len(), read), (payload.len() - 1, Err(InflateError::TooLong)));
    }
}

#[test]
fn what_is_there_already_counts_and_stays() {
    for (before, most, expected) in [
        (3, 8, Ok(())),
        (3, 7, Err(InflateError::TooLong)),
        (3, 3, Err(InflateError::TooLong)),
        (3, 0, Err(InflateError::TooLong)),
        (0, 5, Ok(())),
        (0, 0, Err(InflateError::TooLong)),
    ] {
        let mut out = BytesMut::from(&b"abc"[..before]);
        let read = Inflater::new().inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", &mut out, most);
        assert_eq!(read, expected, "{before} of {most}");
        assert!(out.len() <= most.max(before), "{before} of {most}");
        assert_eq!(out[..before.min(out.len())], b"abc"[..before.min(out.len())]);
    }
}

#[test]
fn a_gibibyte_of_nothing_stops_where_it_must_and_asks_for_no_more_memory() {
    let mut piece = deflate(&mut Deflater::new(15), &vec![0; 1 << 20]);
    piece.extend(b"\x00\x00\xff\xff");
    let bomb = piece.repeat(1 << 10);
    for most in [1, 1000, 1 << 16, 1 << 20, 16 << 20] {
        let before = counting::live();
        let (mut inflater, mut out) = (Inflater::new(), BytesMut::new());
        assert_eq!(inflater.inflate(&bomb, &mut out, most), Err(InflateError::TooLong));
        assert_eq!(out.len(), most);
        let kept = counting::live() - before;
        assert!(kept <= 2 * most + (64 << 10), "{kept} bytes for {most}");
    }
}

#[test]
fn a_large_room_is_not_filled_before_it_is_needed() {
    let mut out = BytesMut::new();
    Inflater::new().inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", &mut out, usize::MAX).unwrap();
    assert!(out.capacity() <= 128, "{}", out.capacity());
}

#[test]
fn what_a_codec_keeps() {
    let before = counting::live();
    let mut inflater = Box::new(Inflater::new());
    assert_eq!(inflate(&mut inflater, &[b"\xf2\x48\xcd\xc9\xc9\x07\x00"], MOST).1, Ok(()));
    let kept = counting::live() - before;
    assert!(kept <= 48 << 10, "an inflater keeps {kept} bytes");
    for (bits, most) in [(9, 256 << 10), (15, 384 << 10)] {
        let before = counting::live();
        let mut deflater = Box::new(Deflater::new(bits));
        deflate(&mut deflater, &[7; 100_000]);
        deflater.reset();
        let kept = counting::live() - before;
        assert!(kept <= most, "a deflater of {bits} bits keeps {kept} bytes");
    }
}

#[test]
fn a_level_holds_from_the_next_message_on() {
    let content: Vec<u8> = (0..20_000_u32).flat_map(|number| (number / 7).to_string().into_bytes()).collect();
    let mut deflater = Deflater::new(15);
    for level in [9, 1, 0, 3, 200, 9] {
        deflater.set_level(level);
        let compressed = deflate(&mut deflater, &content);
        deflater.reset();
        assert_eq!(compressed, deflate(&mut Deflater::with_level(15, level), &content), "{level}");
        assert_eq!(
            inflate(&mut Inflater::new(), &[&compressed], 1 << 20),
            (content.clone(), Ok(())),
            "{level}"
        );
    }
}

#[test]
fn any_bytes_are_read_as_the_naive_inflater_does() {
    let mut random = Random(0xf00d);
    let mut refused = [0; 3];
    for _ in 0..4000 {
        let mut compressed = deflate(&mut Deflater::new(15), &{
            let length = random.below(60);
            text(&mut random, length)
        });
        for _ in 0..random.below(4) {
            let place = random.below(compressed.len());
            compressed[place] = random.below(256) as u8;
        }
        compressed.truncate(1 + random.below(compressed.len() + 8));
        let most = random.below(200);
        let (content, read) = Messages::default().next(&compressed, most);
        let expected = read.map_err(|refused| match refused {
            Refused::TooLong => InflateError::TooLong,
            Refused::Corrupt => InflateError::Corrupt,
        });
        refused[expected.map_or_else(|error| 1 + usize::from(error == InflateError::TooLong), |()| 0)] += 1;
        let cut = random.below(compressed.len() + 1);
        for pieces in [vec![&compressed[..]], vec![&compressed[..cut], &compressed[cut..]]] {
            let seen = inflate(&mut Inflater::new(), &pieces, most);
            assert_eq!(seen, (content.clone(), expected), "{}", compressed.escape_ascii());
        }
    }
    assert!(refused.iter().all(|count| *count > 100), "{refused:?}");
}
