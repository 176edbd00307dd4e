//! How fast a transfer has to be.

use std::time::Duration;

use bakestone::Limits;

use crate::{HOUR, LARGE, LARGE_BYTES, SECOND, expect_last_answer, limits, serve, with_length};

/// Whether a transfer at `bytes` each `pause` is still going on after `time`, and if not, when it was cut.
fn lasts(limits: &Limits, up: bool, bytes: usize, pause: Duration, time: Duration) -> Result<(), Duration> {
    let mut wire = serve(limits);
    match up {
        true => wire.feed(with_length("/", LARGE_BYTES)),
        false => wire.hold_output(true).feed(LARGE),
    };
    let (began_at, phase) = (wire.now().mono, wire.phase());
    while wire.now().mono.since(began_at) < time {
        let next = wire.now().mono + pause;
        while wire.next_deadline().is_some_and(|at| at <= next) && wire.phase() == phase {
            wire.advance_to_next_deadline();
        }
        if wire.phase() != phase || wire.fate().reset_sent {
            match up {
                true => expect_last_answer(&mut wire, "408", "too slow"),
                false => _ = wire.expect_reset(),
            }
            return Err(wire.now().mono.since(began_at));
        }
        wire.advance(next.since(wire.now().mono));
        match up {
            true => _ = wire.feed(vec![b'x'; bytes]),
            false => assert_eq!(wire.take_at_most(bytes).len(), bytes),
        }
    }
    Ok(())
}

fn the_rate_is_the_bound(up: bool) {
    assert_eq!(Limits::default().minimum_rate, 100);
    for rate in [100, 7] {
        let limits = limits(|limits| limits.minimum_rate = rate);
        // One byte a second less than the rate takes longer to use up the time of grace than the rate has bytes.
        let (rate, long) = (rate as usize, rate * 20 * SECOND);
        assert_eq!(lasts(&limits, up, rate, SECOND, long), Ok(()), "{rate} bytes a second");
        assert!(lasts(&limits, up, rate - 1, SECOND, long).is_err(), "{} bytes a second", rate - 1);
    }
}

#[test]
pub(crate) fn a_body_at_the_rate_lives_and_a_slower_one_is_cut() {
    the_rate_is_the_bound(true);
}

#[test]
pub(crate) fn a_response_at_the_rate_lives_and_a_slower_one_is_cut() {
    the_rate_is_the_bound(false);
}

#[test]
pub(crate) fn a_byte_now_and_then_holds_nothing_unless_the_rate_is_off() {
    for up in [true, false] {
        for rate in [100, 1] {
            let limits = limits(|limits| limits.minimum_rate = rate);
            assert_eq!(lasts(&limits, up, 1, 29 * SECOND, HOUR), Err(10 * SECOND));
        }
        // Each byte buys its share of a second.
        assert_eq!(lasts(&Limits::default(), up, 1, SECOND, HOUR), Err(Duration::from_millis(10_100)));
        let off = limits(|limits| limits.minimum_rate = 0);
        assert_eq!(lasts(&off, up, 1, 29 * SECOND, HOUR), Ok(()));
        assert_eq!(lasts(&off, up, 1, 31 * SECOND, HOUR), Err(30 * SECOND));
    }
}
