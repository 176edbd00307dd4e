//! Wrapped machines obey the laws too, and are what they wrap.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod toy;

use std::task::Context;
use std::time::Duration;

use bakestone::machine::{ConnectionInfo, Io, Machine, Now, Peer, Phase, Read, Wants};
use bakestone::tape::Recorder;
use bakestone_testkit::{Bounds, Script, Wire, Xor, check, laws, laws_within};
use toy::Shout;

const KEY: &[u8] = b"bakestone";

fn scripts() -> Vec<Script> {
    let second = Duration::from_secs(1);
    vec![
        Script::bytes("hello\r\nworld\nsome more\n"),
        Script::bytes("hello\nquit\nnobody reads this\n"),
        Script::bytes([b'x'; 100]),
        Script::bytes("lots\n".repeat(5_000) + "quit\n"),
        Script::bytes("he").advance(9 * second).feed("llo\nwor").advance(9 * second).feed("ld\n"),
        Script::bytes("hello\nworld").drain().feed("\n").finish(),
        Script::bytes("hello\nworld\n").take(3).feed("again\n").reset(),
    ]
}

fn secret(script: Script) -> Script {
    script.map_bytes(|position, byte| byte ^ Xor::<()>::key(KEY, position))
}

#[test]
fn a_recorded_machine_obeys_the_laws() {
    for script in scripts() {
        laws(|| Recorder::logging(Shout::default()).0, script);
    }
}

#[test]
fn a_machine_behind_a_cipher_obeys_the_laws() {
    let bounds = Bounds::default().view(|bytes| Xor::<()>::apply(KEY, 0, bytes));
    for script in scripts() {
        laws_within(|| Xor::new(Shout::default(), KEY), secret(script), &bounds);
    }
}

#[test]
fn wrappers_wrap_wrappers() {
    let slow = || Shout::with(3, 5);
    for script in scripts() {
        laws(|| Recorder::logging(Xor::new(Xor::new(slow(), KEY), KEY)).0, script);
    }
}

#[test]
fn a_wrapper_does_not_hide_what_is_wrong_inside() {
    let bounds = Bounds::default();
    let slow_and_greedy = || Xor::new(Shout::with(8 << 10, u64::MAX), "");
    let seen = check(slow_and_greedy, "hello\n", &bounds);
    // The wrapper's own output stays small, so only an allocator that counts could see the inner one's.
    assert!(seen.is_ok(), "{}", seen.unwrap_err());
    let mut wire = Wire::new(Xor::new(Shout::with(8 << 10, 100), ""));
    wire.hold_output(true).feed_politely("hello\n".repeat(10_000));
    assert_eq!(wire.wants().read, Read::Pause);
    assert!(wire.waiting() <= (16 << 10) + 100, "{}", wire.waiting());
}

#[test]
fn what_the_inner_machine_does_not_want_stays_outside_and_the_fin_behind_it() {
    let mut wire = Wire::new(Xor::new(Shout::with(8 << 10, 100), ""));
    wire.hold_output(true).feed("hello\n".repeat(50_000)).finish();
    assert!(wire.io().input.len() > 250_000, "{} bytes outside", wire.io().input.len());
    wire.hold_output(false).take_at_most(0);
    assert_eq!(wire.take().len(), 300_000);
    wire.expect_closed();
}

#[test]
fn a_recorder_notes_what_passed_and_when() {
    let (recorder, log) = Recorder::logging(Shout::default());
    let mut wire = Wire::new(recorder);
    wire.feed("hi\n").advance(Duration::from_secs(2));
    wire.feed("quit\n").expect("HI\nbye\n").finish().expect_closed();
    let tape = log.text();
    let steps = tape.split_once("\n\n").unwrap().1;
    assert_eq!(
        steps,
        "@ 0s\n> hi\\n\n< HI\\n\n@ 0s\n@ 2s\n> quit\\n\n< bye\\n\n= lingering\n@ 2s\n@ 2s\n! fin\n= done\n# end\n"
    );
}

/// Tells what it knows of the world, once for each byte.
struct Tell;

impl Machine for Tell {
    fn step(&mut self, _: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
        if !io.input.is_empty() {
            io.input.clear();
            let text =
                format!("{} {:?} {} {}\n", io.connection.scheme(), io.peer, io.drain, io.connection.seed);
            io.output.extend_from_slice(text.as_bytes());
        }
        match io.peer {
            Peer::Gone => Wants::DONE,
            _ => Wants { read: Read::Need, wake_at: None, phase: Phase::Open },
        }
    }
}

#[test]
fn the_world_reaches_through() {
    let mut connection = ConnectionInfo::default();
    connection.secure = true;
    connection.seed = 5;
    let mut wire = Wire::connected(Xor::new(Recorder::logging(Tell).0, KEY), connection);
    wire.feed("?");
    assert_eq!(Xor::<()>::apply(KEY, 0, &wire.take()), b"https Open false 5\n");
    wire.drain().feed("?");
    assert_eq!(Xor::<()>::apply(KEY, 19, &wire.take()), b"https Open true 5\n");
    wire.reset().expect_closed();
}
