//! Either end against the naive reader, on generated and on spoilt streams.
//!
//! `BAKESTONE_LAWS_ROUNDS` says how many times longer to look.

use std::io::Write;

use bakestone::ws::{Config, Role};
use bakestone_testkit::escape;

use crate::generate::{spoil, stream};
use crate::naive::{self, Item, Outcome};
use crate::seed::Random;
use crate::{CLIENT, End, Read, read};

const SEED: u64 = 0xba4e_570e_6455_0001;
const ROUNDS: u64 = 10_000;

fn rounds() -> u64 {
    let times = std::env::var("BAKESTONE_LAWS_ROUNDS").ok();
    ROUNDS * times.map_or(1, |times| times.parse().expect("a number of rounds"))
}

#[test]
fn either_end_reads_what_the_naive_reader_reads() {
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let told = format!("{} rounds with the seed {SEED:#x}\n", rounds());
    std::io::stderr().write_all(told.as_bytes()).unwrap();
    let (mut messages, mut refused, mut closed) = (0, 0, 0);
    for round in 0..rounds() {
        let mut random = Random::new(SEED ^ round.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let role = [Role::Server, CLIENT][random.below(2)];
        let mut bytes = stream(role, &mut random);
        for _ in 0..[0, 0, 1, 2][random.below(4)] {
            spoil(&mut bytes, &mut random);
        }
        let mut config = Config::default();
        if random.below(4) == 0 {
            (config.message_bytes, config.frame_bytes) = (random.below(200), random.below(150));
        }
        let pieces = cut(&bytes, 1 + random.below(8), &mut random);
        let seen = read(role, &config, pieces.iter().copied());
        let naive = naive::read(naive_end(role, &config), &bytes);
        assert_eq!(in_naive_terms(&seen), naive, "round {round} at {role:?}, {config:?}: {}", escape(&bytes));
        assert_eq!(read(role, &config, bytes.chunks(1)), seen, "round {round}, byte by byte");
        messages += naive.0.len();
        refused += usize::from(matches!(naive.1, Outcome::Refused(..)));
        closed += usize::from(naive.1 == Outcome::Closed);
    }
    let rounds = rounds() as usize;
    assert!(
        messages > rounds && refused > rounds / 5 && closed > rounds / 10,
        "{messages} {refused} {closed}"
    );
}

fn naive_end(role: Role, config: &Config) -> naive::End {
    naive::End {
        is_server: role == Role::Server,
        message_bytes: config.message_bytes as u64,
        frame_bytes: config.frame_bytes as u64,
    }
}

fn in_naive_terms(read: &Read) -> (Vec<Item>, Outcome) {
    let items = read.events.iter().map(Item::of);
    let outcome = match read.end {
        End::Idle | End::Waits => Outcome::More,
        End::Closed => Outcome::Closed,
        End::Refused(error) => Outcome::Refused(error.kind().name(), error.offset() as usize),
    };
    (items.collect(), outcome)
}

/// `bytes` in so many pieces, or fewer.
fn cut<'a>(bytes: &'a [u8], pieces: usize, random: &mut Random) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = (1..pieces).map(|_| random.below(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|two| &bytes[two[0]..two[1]]).collect()
}
