//! What the toolkit can do, recorded and replayed.

use bakestone::machine::Peer;
use bakestone::ws::DeflateOptions;
use bakestone_testkit::websocket::IntoMachine;
use bakestone_testkit::{WebSocketClient, WebSocketRequest};

use super::*;

/// What happens on one connection; its tape, and all that the client got.
fn scene(act: impl FnOnce(&mut Wire<Served>) -> Vec<u8>) -> (String, Vec<u8>) {
    let tapes = Tapes::new();
    let mut shop = Shop::open(Recording::new(tapes.clone()).bytes(u64::MAX));
    let got = act(&mut shop.wire);
    drop(shop);
    (tapes.texts().remove(0), got)
}

/// The tape replays, and says the same bytes in all.
fn replays((tape, got): (String, Vec<u8>)) -> String {
    let replayed =
        Replay::parse(&tape).unwrap().app(bakery()).unwrap_or_else(|error| panic!("{error}\n{tape}"));
    // A client that is gone has not got all that was said.
    let got_all = replayed.output == got || tape.contains("\n! gone\n") && replayed.output.starts_with(&got);
    assert!(got_all, "{tape}");
    tape
}

#[test]
fn requests_one_after_the_other_and_cut_anywhere() {
    let requests = ask("GET /", "") + &ask("GET /oven", "") + &ask("GET /none", "") + "nonsense\r\n\r\n";
    for size in [1, 7, 1_000] {
        let tape = replays(scene(|wire| {
            requests.as_bytes().chunks(size).for_each(|piece| {
                if wire.io().peer == Peer::Open {
                    wire.feed(piece);
                }
            });
            wire.finish();
            wire.take()
        }));
        assert!(tape.contains("180 degrees") && tape.ends_with("= done\n# end\n"), "{tape}");
    }
}

#[test]
fn sleeps_deadlines_and_drains() {
    let tape = replays(scene(|wire| {
        wire.feed(ask("GET /wait/100", "")).advance(99 * SECOND).drain().advance(2 * SECOND);
        wire.advance(60 * SECOND);
        wire.take()
    }));
    assert!(tape.contains("! drain") && tape.contains("\n@ 100s\n"), "{tape}");
    // A wall clock that is set in the middle is what the handler sees.
    replays(scene(|wire| {
        wire.feed(ask("GET /wait/5", ""));
        wire.set_wall(1_900_000_000 * SECOND).advance(5 * SECOND);
        assert!(wire.take_text().ends_with("until 1900000005"));
        wire.feed(ask("GET /", "")).reset();
        wire.transcript().output()
    }));
}

#[test]
fn a_reader_that_is_slow() {
    for count in [1_000, 60_000] {
        replays(scene(|wire| {
            wire.hold_output(true).feed(ask("GET /recipe", "") + &ask("GET /", ""));
            let mut got = Vec::new();
            for _ in 0..40 {
                got.append(&mut wire.take_at_most(count));
                wire.advance(SECOND);
            }
            wire.hold_output(false);
            got.append(&mut wire.take());
            got
        }));
    }
}

#[test]
fn files_read_and_written_and_answered_late() {
    let tape = replays(scene(|wire| {
        wire.feed(ask("GET /recipe", "") + &ask("POST /note", &"n".repeat(100_000)));
        wire.hold_effects(true).feed(ask("GET /recipe", ""));
        while !wire.held().is_empty() {
            wire.advance(SECOND).answer_held();
        }
        wire.take()
    }));
    let heads = [
        "? 1 open recipe.txt (Read)\n",
        "+ 1 opened 1, 171000 bytes\n",
        "+ 2 data flour, water, salt\\n\n  flour",
    ];
    assert!(heads.iter().all(|head| tape.contains(head)), "{tape}");
    // The same with files that are there, and with others.
    let replay = |files: MemoryFiles| Replay::parse(&tape).unwrap().files(files).app(bakery());
    replay(files()).unwrap();
    let divergence = replay(MemoryFiles::new().with("recipe.txt", "flour")).unwrap_err().to_string();
    assert!(divergence.contains("expected  `171000"), "{divergence}");
}

#[test]
fn what_the_driver_does_not_do_and_what_fails() {
    let tapes = Tapes::new();
    let mut shop = Shop::open(Recording::new(tapes.clone()));
    shop.wire.files(MemoryFiles::new());
    shop.wire.feed(ask("GET /recipe", "")).hold_effects(true).feed(ask("GET /knead/3", ""));
    drop(shop.wire.take_held());
    let got = shop.wire.settle().take();
    drop(shop);
    let tape = replays((tapes.texts().remove(0), got));
    assert!(tape.contains("+ 1 failed NotFound: ") && tape.contains("+ 2 unanswered"), "{tape}");
}

#[test]
fn blocking_jobs_run_again() {
    let tape = replays(scene(|wire| {
        wire.feed(ask("GET /knead/3", "")).hold_effects(true).feed(ask("GET /knead/5", ""));
        wire.advance(4 * SECOND).answer_held();
        wire.take()
    }));
    assert!(tape.contains("? 2 blocking job\n@ 4s\n+ 2 ran\n< HTTP/1.1 200"), "{tape}");
}

#[test]
fn server_sent_events() {
    let tape = replays(scene(|wire| {
        wire.feed(ask("GET /orders", "")).advance(25 * SECOND).advance(60 * SECOND);
        wire.take()
    }));
    assert!(tape.contains("@ 20s") && tape.contains("data: order 2"), "{tape}");
}

/// Marks a session that is recorded.
enum Recorded {}

impl IntoMachine<Recorded> for Served {
    type Machine = Self;

    fn into_machine(self, _: Arc<Limits>) -> Self {
        self
    }
}

/// A client that has done what `act` does; the tape of it, and all that it got.
fn talk(
    request: WebSocketRequest,
    recording: impl FnOnce(Recording) -> Recording,
    act: impl FnOnce(&mut WebSocketClient<Served>),
) -> (String, Vec<u8>) {
    let tapes = Tapes::new();
    let session = Session::new(Arc::new(bakery().build().unwrap()));
    let recorder = Recorder::new(session, recording(Recording::new(tapes.clone())));
    let mut client = request.connect::<Recorded, _>(recorder).unwrap();
    act(&mut client);
    let got = client.wire().transcript().output();
    drop(client);
    (tapes.texts().remove(0), got)
}

#[test]
fn a_websocket_with_pings() {
    let tape = replays(talk(WebSocketRequest::new("/talk"), Into::into, |client| {
        client.send("bread?").expect("bread?").advance(95 * SECOND);
        client.send(vec![7; 9_000]).expect(vec![7; 9_000]);
        client.close(1000, "bye").expect_close(1000);
    }));
    assert!(tape.contains("HTTP/1.1 101") && tape.matches("< \\x89").count() == 3, "{tape}");
}

#[test]
fn a_websocket_with_compression_that_breaks_off() {
    let offer = || WebSocketRequest::new("/talk").deflate(DeflateOptions::default());
    for end in [
        |client: &mut WebSocketClient<Served>| _ = client.disconnect(),
        |client: &mut WebSocketClient<Served>| _ = client.finish(),
        |client: &mut WebSocketClient<Served>| _ = client.drain().advance(60 * SECOND),
        |client: &mut WebSocketClient<Served>| _ = client.send_raw([0xff; 30]),
    ] {
        let tape = replays(talk(offer(), Into::into, |client| {
            let long = "flour and water, ".repeat(5_000);
            client.send(long.clone()).expect(long.clone()).send_fragments(["fl", "our"]).expect("flour");
            client.send(long.clone()).expect(long);
            end(client);
        }));
        assert!(tape.contains("permessage-deflate") && !tape.contains("flour and"), "{tape}");
    }
}

/// As the documentation of what hides bodies says.
#[test]
fn what_a_websocket_says_is_hidden_with_its_framing() {
    let hide = |recording: Recording| recording.redaction(Redaction::default().bodies());
    let (tape, _) = talk(WebSocketRequest::new("/talk"), hide, |client| {
        client.send("a secret").expect("a secret");
    });
    let (_, talked) = tape.split_once("HTTP/1.1 101").unwrap();
    assert!(
        talked.contains("\n> xxxx") && talked.contains("\n< xxxx") && !talked.contains("secret"),
        "{tape}"
    );
    let divergence = Replay::parse(&tape).unwrap().app(bakery()).unwrap_err().to_string();
    assert!(divergence.contains("after") || divergence.contains("expected"), "{divergence}");
}

#[test]
fn files_without_a_name_that_get_one() {
    let form = "--b\r\nContent-Disposition: form-data; name=cake; filename=a\r\n\r\n".to_owned()
        + &"c".repeat(100_000)
        + "\r\n--b--\r\n";
    let head = format!(
        "POST /photo HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: {}\r\n\r\n",
        form.len()
    );
    let tape = replays(scene(|wire| {
        (head + &form).as_bytes().chunks(9_000).for_each(|piece| _ = wire.feed(piece));
        wire.take()
    }));
    let lines = ["? 1 open a temporary file\n", " persist as photo.jpg of file 1\n", "cake has 100000 bytes"];
    assert!(lines.iter().all(|line| tape.contains(line)), "{tape}");
}

#[test]
fn what_is_large_and_what_breaks_off() {
    // All of a large body, a slow reader, and one that goes away.
    for reset in [false, true] {
        replays(scene(|wire| {
            wire.hold_output(true).feed(ask("GET /flour", "") + &ask("GET /", ""));
            let mut got = wire.take_at_most(1_000_000);
            wire.advance(SECOND);
            match reset {
                true => _ = wire.reset(),
                false => _ = wire.finish().hold_output(false),
            }
            got.append(&mut wire.take());
            wire.advance(60 * SECOND);
            wire.transcript().output()
        }));
    }
    // A client that has said all before the answer, and one whose body never comes whole.
    for (sent, finishes) in [(ask("GET /wait/5", ""), true), (ask("POST /note", "flour"), false)] {
        for reset in [false, true] {
            replays(scene(|wire| {
                wire.feed(&sent[..sent.len() - usize::from(!finishes)]);
                match reset {
                    true => _ = wire.reset(),
                    false => _ = wire.finish(),
                }
                wire.advance(100 * SECOND);
                wire.transcript().output()
            }));
        }
    }
}

#[test]
fn all_wire_cases() {
    let mut count = 0;
    for case in cases::read(concat!(env!("CARGO_MANIFEST_DIR"), "/cases/h1")).unwrap() {
        for size in [1, 11, usize::MAX] {
            let tapes = Tapes::new();
            let limits = Arc::new(case.limits());
            let recording = Recording::new(tapes.clone()).limits(limits.clone()).bytes(u64::MAX);
            let session = Session::with_limits(Arc::new(cases::app().build().unwrap()), limits);
            let mut wire = Wire::new(Recorder::new(session, recording.redaction(Redaction::nothing())));
            for turn in &case.turns {
                for piece in turn.request.chunks(size) {
                    if wire.io().peer == Peer::Open {
                        wire.feed(piece);
                    }
                }
                wire.advance(SECOND);
            }
            wire.finish().advance(60 * SECOND);
            let got = wire.transcript().output();
            drop(wire);
            let tape = tapes.texts().remove(0);
            let replayed = Replay::parse(&tape).unwrap().app(cases::app());
            let replayed = replayed.unwrap_or_else(|error| panic!("{}: {error}\n{tape}", case.title));
            assert!(replayed.output == got, "{}\n{tape}", case.title);
            count += 1;
        }
    }
    assert!(count > 300, "{count}");
}
