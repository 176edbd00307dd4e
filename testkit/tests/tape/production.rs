//! What a server that records must not do: tell secrets, grow, slow down, or record all.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use bakestone::effect::{Effect, FileError, FileErrorKind};
use bakestone::machine::{ConnectionInfo, Io, Machine, Now};
use bakestone::session::Event as Told;
use bakestone::tape::{Head, Sink, SinkError, Tape, Track};

use super::*;

fn key(authorization: &str) -> String {
    format!("GET /key HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n")
}

fn tape_of(recording: impl FnOnce(Recording) -> Recording, requests: &str) -> String {
    let tapes = Tapes::new();
    let mut shop = Shop::open(recording(Recording::new(tapes.clone())));
    for piece in requests.as_bytes().chunks(5) {
        shop.wire.feed(piece);
    }
    drop(shop);
    tapes.texts().remove(0)
}

#[test]
fn secrets_are_no_part_of_a_tape_which_replays_all_the_same() {
    let tape = tape_of(|recording| recording, &key("Basic wrong"));
    assert!(
        !tape.contains("wrong") && !tape.contains("night") && tape.contains("set-cookie: xxxx"),
        "{tape}"
    );
    // The answer hides the same, so that its cookie counts with its length.
    Replay::parse(&tape).unwrap().app(bakery()).unwrap();

    // What depends on the secret is another thing without it, and that is told.
    let tape = tape_of(|recording| recording, &key("Basic b3Zlbg=="));
    let divergence = Replay::parse(&tape).unwrap().app(bakery()).unwrap_err().to_string();
    assert!(divergence.contains("expected  `open`\n  got       `shut`"), "{divergence}");
    let tape = tape_of(|recording| recording.redaction(Redaction::nothing()), &key("Basic b3Zlbg=="));
    assert!(tape.contains("b3Zlbg==") || tape.matches("> ").count() > 3, "{tape}");
    Replay::parse(&tape).unwrap().app(bakery()).unwrap();
}

#[test]
fn bodies_are_no_part_of_a_tape_if_that_is_wanted() {
    let hidden = Redaction::default().bodies().field("x-sort");
    let requests =
        "POST /note HTTP/1.1\r\nHost: a\r\nX-Sort: rye\r\nContent-Length: 6\r\n\r\nsecret".to_owned();
    let tape = tape_of(|recording| recording.redaction(hidden), &(requests + &ask("GET /recipe", "")));
    let none = ["rye", "secret", "flour", "are kept"].iter().all(|word| !tape.contains(word));
    assert!(none && tape.contains("hide bodies\n") && tape.contains("redact authorization "), "{tape}");
    Replay::parse(&tape).unwrap().app(bakery()).unwrap();
}

#[test]
fn a_tape_is_bounded_and_says_so() {
    for bytes in [0, 100, 200, 1_000, 5_000] {
        let tape = tape_of(|recording| recording.bytes(bytes), &ask("GET /recipe", "").repeat(3));
        assert!(tape.len() as u64 <= bytes.max(128), "{} of {bytes}", tape.len());
        assert!(tape.ends_with(&format!("# cut: a tape holds at most {bytes} bytes\n")), "{tape}");
        if bytes >= 1_000 {
            let replayed = Replay::parse(&tape).unwrap().app(bakery()).unwrap();
            assert!(replayed.steps > 1, "{tape}");
        }
    }
}

#[test]
fn so_many_connections_are_recorded_and_no_more() {
    type Choose = fn(Recording) -> Recording;
    type Chosen = fn(u64) -> bool;
    let table: [(Choose, Chosen); 8] = [
        (|recording| recording, |_| true),
        (|recording| recording.every(0), |_| false),
        (|recording| recording.one_in(0), |_| false),
        (|recording| recording.every(1), |_| true),
        (|recording| recording.one_in(1), |_| true),
        (|recording| recording.every(10), |seed| seed % 10 == 0),
        (|recording| recording.one_in(7), |seed| seed % 7 == 0),
        (|recording| recording.only(|info| info.seed == 3), |seed| seed == 3),
    ];
    for (choose, chosen) in table {
        let tapes = Tapes::new();
        let recording = choose(Recording::new(tapes.clone()));
        for seed in 0..100 {
            let mut info = ConnectionInfo::default();
            info.seed = seed;
            let session = Session::new(|_: Request| "");
            let mut wire = Wire::connected(recording.record(session, &info), info);
            wire.feed(ask("GET /", ""));
            assert_eq!(wire.machine().is_recording(), chosen(seed));
        }
        assert_eq!(tapes.texts().len(), (0..100).filter(|seed| chosen(*seed)).count());
        for text in tapes.texts() {
            assert!(chosen(Tape::parse(&text).unwrap().head.connection.seed));
        }
    }
}

/// A disk with room for so many pieces.
struct Full(usize);

impl Sink for Full {
    fn open(&self, _: &Head) -> Result<Option<Box<dyn Track>>, SinkError> {
        Ok(Some(Box::new(Full(self.0))))
    }
}

impl Track for Full {
    fn append(&mut self, _: String) -> Result<(), SinkError> {
        self.0 = self.0.checked_sub(1).ok_or(SinkError(Some("no room".into())))?;
        Ok(())
    }
}

#[test]
fn a_disk_that_is_full_ends_the_tape_and_not_the_connection() {
    for pieces in [0, 1, 3] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let note = told.clone();
        let observer = move |event: &Told<'_>| {
            if let Told::TapeLost(reason) = event {
                note.lock().unwrap().push(reason.to_string());
            }
        };
        let mut shop = Shop::open(Recording::new(Full(pieces)).observer(Arc::new(observer)));
        for _ in 0..10 {
            shop.wire.feed(ask("GET /recipe", "")).advance(SECOND);
            assert!(shop.wire.take().len() > 171_000);
        }
        assert!(!shop.wire.machine().is_recording());
        assert_eq!(*told.lock().unwrap(), ["no room"]);
    }
}

/// Counts how often a driver is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Answers as a driver does, on a thread of its own.
fn answer(effect: Effect) {
    match effect {
        Effect::Blocking(job) => job.run(),
        Effect::File(_, reply) => reply.send(Err(FileError::new(FileErrorKind::NotFound, "nobody has it"))),
        _ => {}
    }
}

/// A driver that answers elsewhere steps again only if it is woken.
#[test]
fn an_answer_wakes_the_driver_of_a_machine_that_is_recorded() {
    type End = fn(Effect);
    let table: [(&str, End, &str); 4] = [
        ("/knead/3", answer, "8 layers"),
        ("/recipe", answer, "404"),
        ("/knead/3", drop, "500"),
        ("/recipe", drop, "50"),
    ];
    for (target, end, expected) in table {
        let (woken, tapes) = (Arc::new(Woken::default()), Tapes::new());
        let session = Session::new(bakery().build().unwrap());
        let mut machine = Recorder::new(session, Recording::new(tapes.clone()));
        let (mut io, waker) = (Io::default(), Waker::from(woken.clone()));
        io.input.extend_from_slice(ask(&format!("GET {target}"), "").as_bytes());
        let mut step = |io: &mut Io| {
            let _ = machine.step(Now::default(), io, &mut std::task::Context::from_waker(&waker));
        };
        step(&mut io);
        assert_eq!((io.effects.len(), woken.0.load(Ordering::SeqCst)), (1, 0), "{target}");
        end(io.effects.remove(0));
        assert_eq!(woken.0.load(Ordering::SeqCst), 1, "{target}");
        step(&mut io);
        drop(machine);
        let tape = tapes.texts().remove(0);
        assert!(tape.contains(expected) && tape.contains("\n+ 1 ") && !tape.contains("~ wake"), "{tape}");
    }
}

/// Whatever of the recording is the user's may panic: connections go on without a tape.
#[test]
fn a_panic_of_what_records_costs_the_tape_and_not_the_connection() {
    struct Broken(bool);
    impl Sink for Broken {
        fn open(&self, _: &Head) -> Result<Option<Box<dyn Track>>, SinkError> {
            assert!(self.0, "no sink");
            Ok(Some(Box::new(Broken(false))))
        }
    }
    impl Track for Broken {
        fn append(&mut self, _: String) -> Result<(), SinkError> {
            panic!("no track")
        }
    }
    type Choose = fn(Recording) -> Recording;
    let table: [(bool, Choose); 3] = [
        (false, |recording| recording),
        (true, |recording| recording),
        (true, |recording| recording.only(|_| panic!("no choice"))),
    ];
    for (opens, choose) in table {
        let told = Arc::new(Mutex::new(Vec::new()));
        let note = told.clone();
        let observer = move |event: &Told<'_>| {
            if let Told::TapeLost(reason) = event {
                note.lock().unwrap().push(reason.to_string());
            }
        };
        let recording = choose(Recording::new(Broken(opens)).observer(Arc::new(observer)));
        let session = Session::new(bakery().build().unwrap());
        let mut wire = Wire::new(recording.record(session, &ConnectionInfo::default()));
        wire.feed(ask("GET /", "")).advance(SECOND);
        assert!(wire.feed(ask("GET /", "")).take_text().ends_with("bread"));
        assert!(!wire.machine().is_recording());
        assert_eq!(*told.lock().unwrap(), ["what records has panicked"]);
    }
}
