//! How fast a payload is unmasked.
//!
//! The rule: what is measured is the code of `bakestone::ws` itself, which is no public function.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::measure::median;

#[path = "../../../core/src/ws/mask.rs"]
#[allow(dead_code, reason = "the keys of a client are there as well")]
mod mask;

const SIZES: [(&str, usize); 4] =
    [("64 B", 64), ("1 KiB", 1 << 10), ("64 KiB", 64 << 10), ("16 MiB", 16 << 20)];
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const ROUNDS: usize = 9;

/// How long a measurement takes.
const TIME: Duration = Duration::from_millis(30);

/// Prints the table; what was not as it must be.
pub(crate) fn run(check: bool) -> Vec<String> {
    println!("\n| unmasking, GiB/s | bakestone | fastwebsockets |\n|---|---|---|");
    let mut wrong = Vec::new();
    for (name, length) in SIZES {
        if !agrees(length.min(64 << 10)) {
            wrong.push(format!("{name}: not unmasked"));
        }
        if check {
            continue;
        }
        let mut bytes = vec![0x55; length];
        let (mut own, mut peer) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            own.push(time(&mut bytes, |bytes| mask::apply(bytes, KEY, 0)));
            peer.push(time(&mut bytes, |bytes| fastwebsockets::unmask(bytes, KEY)));
        }
        println!("| {name} | {:.1} | {:.1} |", median(own.into_iter()), median(peer.into_iter()));
    }
    wrong
}

/// Whether it does what it must, whichever byte is the first.
fn agrees(length: usize) -> bool {
    (0..4).all(|at| {
        let mut bytes: Vec<u8> = (0..length).map(|index| index as u8).collect();
        mask::apply(&mut bytes, KEY, at);
        bytes.iter().enumerate().all(|(index, byte)| *byte == index as u8 ^ KEY[(at + index) % 4])
    })
}

/// GiB in a second.
fn time(bytes: &mut [u8], unmask: impl Fn(&mut [u8])) -> f64 {
    let (began, mut count) = (Instant::now(), 0_usize);
    let batch = ((256 << 10) / bytes.len()).max(1);
    while began.elapsed() < TIME {
        (0..batch).for_each(|_| unmask(black_box(&mut *bytes)));
        count += batch * bytes.len();
    }
    count as f64 / began.elapsed().as_secs_f64() / f64::from(1 << 30)
}
