//! The decoder against the naive reader, on generated and on spoilt forms.
//!
//! `BAKESTONE_LAWS_ROUNDS` says how many times longer to look.

use std::io::Write;

use bakestone::multipart::{Error, Limits};
use bakestone_testkit::escape;

use crate::generate::{form, spoil};
use crate::naive;
use crate::seed::Random;
use crate::{Read, read};

const SEED: u64 = 0xba4e_570e_3017_1900;
const ROUNDS: u64 = 30_000;

fn rounds() -> u64 {
    let times = std::env::var("BAKESTONE_LAWS_ROUNDS").ok();
    ROUNDS * times.map_or(1, |times| times.parse().expect("a number of rounds"))
}

fn bodies() -> impl Iterator<Item = (u64, Random, &'static str, Vec<u8>)> {
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let told = format!("{} rounds with the seed {SEED:#x}\n", rounds());
    std::io::stderr().write_all(told.as_bytes()).unwrap();
    (0..rounds()).map(|round| {
        let mut random = Random::new(SEED ^ round.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let (boundary, mut body) = form(&mut random);
        for _ in 0..[0, 0, 1, 3][random.below(4)] {
            spoil(&mut body, &mut random);
        }
        (round, random, boundary, body)
    })
}

/// `body` in so many pieces, or fewer.
fn cut<'a>(body: &'a [u8], pieces: usize, random: &mut Random) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = (1..pieces).map(|_| random.below(body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|two| &body[two[0]..two[1]]).collect()
}

/// The parts that are over, as the naive reader tells them, and whether the form is.
fn in_naive_terms(read: &Read) -> (Vec<naive::Part>, bool) {
    let over = read.parts.iter().filter(|part| part.is_over);
    let parts = over.map(|part| naive::Part {
        name: part.head.name().to_owned(),
        filename: part.head.filename().map(str::to_owned),
        fields: part.head.fields().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
        data: part.data.clone(),
    });
    (parts.collect(), read.is_over)
}

#[test]
fn the_decoder_reads_what_the_naive_reader_reads() {
    let (mut accepted, mut refused, mut parts) = (0, 0, 0);
    for (round, mut random, boundary, body) in bodies() {
        let pieces = cut(&body, 1 + random.below(5), &mut random);
        let read = read(boundary, Limits::default(), pieces.iter().copied());
        let told = in_naive_terms(&read);
        let expected = naive::read(boundary, &body);
        let what = || {
            format!(
                "seed {SEED:#x}, round {round}, boundary {boundary:?}, {:?}\n{}",
                read.error,
                escape(&body)
            )
        };
        assert_eq!(told, expected, "{}", what());
        assert_eq!(read.error.is_none(), expected.1, "{}", what());
        parts += expected.0.len();
        *(if expected.1 { &mut accepted } else { &mut refused }) += 1;
    }
    assert!(
        accepted > ROUNDS / 4 && refused > ROUNDS / 4 && parts as u64 > ROUNDS / 2,
        "{accepted}, {refused}, {parts}"
    );
}

#[test]
fn limits_are_the_same_however_a_form_is_cut() {
    let mut seen: Vec<&'static str> = Vec::new();
    for (round, mut random, boundary, body) in bodies() {
        let mut limits = Limits::default();
        limits.total_bytes = random.below(400) as u64;
        (limits.fields, limits.files) = (random.below(3), random.below(3));
        (limits.field_bytes, limits.file_bytes) = (random.below(20) as u64, random.below(20) as u64);
        (limits.head_bytes, limits.head_fields) = (40 + random.below(160), random.below(5));
        limits.preamble_bytes = random.below(12);
        let whole = read(boundary, limits, [&body[..]]);
        let what =
            || format!("seed {SEED:#x}, round {round}, boundary {boundary:?}, {limits:?}\n{}", escape(&body));
        let pieces = cut(&body, 2 + random.below(5), &mut random);
        assert_eq!(read(boundary, limits, pieces.iter().copied()), whole, "{}", what());
        assert_eq!(read(boundary, limits, body.chunks(1)), whole, "{}", what());
        for part in &whole.parts {
            let most = if part.head.is_file() { limits.file_bytes } else { limits.field_bytes };
            assert!(part.data.len() as u64 <= most, "{}", what());
        }
        let files = whole.parts.iter().filter(|part| part.head.is_file()).count();
        assert!(files <= limits.files && whole.parts.len() - files <= limits.fields, "{}", what());
        let offset = whole.error.as_ref().map_or(0, Error::offset);
        assert!(offset <= limits.total_bytes.min(body.len() as u64), "{}", what());
        seen.extend(whole.error.as_ref().and_then(Error::limit).map(|limit| limit.limit));
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 8, "{seen:?}");
}
