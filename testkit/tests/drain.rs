//! A drain has an end, from wherever it comes.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod every;

use std::sync::Arc;
use std::time::Duration;

use bakestone::machine::Phase;
use bakestone::{Limits, Session};
use bakestone_testkit::Wire;

/// What a client may send, whole or in part.
const INPUTS: [&str; 14] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /write HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /abandon HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /drain HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /blocking HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nover there",
    "POST /buffer HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\na part of it",
    "POST /buffer HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\none",
    "nonsense\r\n\r\n",
];

/// Numbers that look random, and are the same each time (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// Brings a session to some state.
fn reach<M: bakestone::machine::Machine>(wire: &mut Wire<M>, random: &mut Random) {
    let mut may_send = true;
    for _ in 0..random.below(10) {
        match random.below(8) {
            0..4 if may_send => {
                let input = INPUTS[random.below(INPUTS.len() as u64) as usize];
                let part = match random.below(3) {
                    0 => random.below(input.len() as u64) as usize,
                    _ => input.len(),
                };
                wire.feed_politely(&input[..part]);
            }
            4 | 5 => drop(wire.advance(Duration::from_millis(random.below(6_000))).take_at_most(0)),
            6 => drop(wire.take_at_most(random.below(100_000) as usize)),
            7 if random.below(4) == 0 => {
                may_send = false;
                match random.below(3) {
                    0 => wire.reset(),
                    _ => wire.finish(),
                };
            }
            _ => {}
        }
    }
}

#[test]
fn it_is_over_by_its_time_from_any_state() {
    let rounds: u64 =
        std::env::var("BAKESTONE_LAWS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1) * 300;
    for seed in 1..=rounds {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut limits = Limits::default();
        limits.drain_time = Duration::from_millis(1 + random.below(20_000));
        let time = limits.drain_time;
        let mut wire = Wire::new(Session::with_limits(every::every, Arc::new(limits)));
        wire.hold_output(random.below(3) == 0);
        reach(&mut wire, &mut random);
        wire.drain();
        // Whatever the client does meanwhile. Time goes on as it does: in steps, with a look at each deadline.
        let drained_at = wire.now().mono;
        while wire.now().mono < drained_at + time && !wire.is_done() {
            let left = (drained_at + time).since(wire.now().mono);
            wire.advance(left.min(Duration::from_millis(1 + random.below(3_000))));
            if random.below(2) == 0 {
                wire.take_at_most(random.below(50_000) as usize);
            }
        }
        let over = wire.is_done() || wire.phase() == Phase::Abort || wire.fate().reset_sent;
        assert!(over, "seed {seed}, {time:?} after the drain:\n{}", wire.transcript());
    }
}
