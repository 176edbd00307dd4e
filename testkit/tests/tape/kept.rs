//! What was found is kept as tapes, and does not happen again.

use std::path::Path;

use bakestone::{Request, Session, Text};
use bakestone_testkit::{Replay, Script, tape};

use crate::SECOND;

fn hello() -> Session<impl bakestone::Service> {
    Session::new(|_: Request| Text("hello"))
}

/// The tapes of `testkit/tapes`, each of a session that says hello: the simulation has found that a HEAD whose head came
/// too slowly got a 408 with content.
#[test]
fn what_was_found_does_not_happen_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tapes");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        Replay::read(&path)
            .unwrap()
            .machine(hello())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        replayed += 1;
    }
    assert_eq!(replayed, 1, "one more, or one fewer, is to be said here");
}

#[test]
fn a_tape_that_is_kept_is_what_is_recorded() {
    let script = Script::new().feed("HEAD /cake HTTP/1.1\r\nHost: a\r\n").advance(10 * SECOND);
    let kept = include_str!("../../tapes/a-head-that-never-came-whole.tape");
    assert_eq!(tape::record(hello(), &script), kept);
}
