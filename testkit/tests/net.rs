//! The network between clients and a server: what it does to bytes and to connections, and that it is a machine.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod every;

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use bakestone::machine::{Io, Machine, Moment, Now, Peer, Phase, Read, Wants};
use bakestone::tape::{Recording, Tapes};
use bakestone::{Lifecycle, Session};
use bakestone_testkit::net::{DiskWeather, Ended, Net, Weather};
use bakestone_testkit::{Law, MemoryFiles, Replay, Script, Wire, escape, laws};
use every::every;

const SECOND: Duration = Duration::from_secs(1);

/// What a client received, and how it came to its end.
type Seen = Rc<RefCell<Vec<(Vec<u8>, Option<Peer>)>>>;

/// Sends something, and then does what its turn says.
struct Guest {
    request: Vec<u8>,
    then: Then,
    number: usize,
    seen: Seen,
}

/// What a client does behind its request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// It reads to the end.
    Reads,
    /// It sends a FIN, and reads to the end.
    Finishes,
    /// It reads nothing.
    Sits,
    /// It resets.
    Resets,
}

impl Machine for Guest {
    fn step(&mut self, _: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
        io.output.extend_from_slice(&std::mem::take(&mut self.request));
        let mut seen = self.seen.borrow_mut();
        seen[self.number].0.extend_from_slice(&io.input.split());
        let (read, phase) = match (self.then, io.peer) {
            (_, Peer::Gone) => (Read::Pause, Phase::Done),
            (_, Peer::Finished) if io.output.is_empty() => (Read::Pause, Phase::Done),
            (Then::Resets, _) if io.output.is_empty() => (Read::Pause, Phase::Abort),
            (Then::Sits, _) => (Read::Pause, Phase::Open),
            (Then::Finishes, _) => (Read::Need, Phase::Lingering),
            _ => (Read::Need, Phase::Open),
        };
        if phase >= Phase::Abort {
            seen[self.number].1.get_or_insert(io.peer);
        }
        Wants { read, wake_at: None, phase }
    }
}

/// Clients of a server, one a second, each with its request and what it then does.
fn net(seed: u64, weather: Weather, clients: &[(&str, Then)]) -> (Net, Seen) {
    let accept = |_| -> Box<dyn Machine> { Box::new(Session::new(every)) };
    let files = MemoryFiles::new();
    let mut net =
        Net::new(seed, weather, accept).lifecycle(Lifecycle::new()).disk(files, DiskWeather::calm());
    let seen = Rc::new(RefCell::new(vec![(Vec::new(), None); clients.len()]));
    for (number, (request, then)) in clients.iter().enumerate() {
        let at = Moment::from_epoch(Duration::from_secs(1_001 + number as u64));
        let request = request.as_bytes().to_vec();
        net.connect_at(at, Guest { request, then: *then, number, seen: seen.clone() });
    }
    (net, seen)
}

/// Lets all of it happen, and then drains; what the clients saw, and the connections as they ended.
fn run(seed: u64, weather: Weather, clients: &[(&str, Then)]) -> (Vec<(String, Option<Peer>)>, Vec<Ended>) {
    let (net, seen) = net(seed, weather, clients);
    let mut wire = Wire::new(net);
    wire.advance(300 * SECOND).drain().advance(30 * SECOND);
    assert!(wire.is_done(), "{:?}", wire.machine());
    assert_eq!(wire.machine().broken(), None);
    let mut ended = wire.machine_mut().take_ended();
    ended.sort_by_key(|ended| ended.connection);
    let text = |(bytes, end): &(Vec<u8>, _)| (String::from_utf8_lossy(bytes).into_owned(), *end);
    let seen = seen.borrow().iter().map(text).collect();
    (seen, ended)
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SLEEP: &str = "GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n";
const ENDLESS: &str = "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn every_client_gets_its_answer_and_its_end() {
    for seed in 0..20 {
        let clients =
            [(GET, Then::Reads), (SLEEP, Then::Finishes), (ENDLESS, Then::Sits), (GET, Then::Resets)];
        let (seen, ended) = run(seed, Weather::calm(), &clients);
        // It is closed when it has been idle, and when it is over.
        for (number, content) in [(0, "hello"), (1, "slept")] {
            let (text, end) = &seen[number];
            assert!(text.ends_with(content), "seed {seed}: {text}");
            assert_eq!(*end, Some(Peer::Finished), "seed {seed}, client {number}");
        }
        // Who reads nothing is reset by the server, and who resets is gone.
        assert_eq!(seen[2], (String::new(), Some(Peer::Gone)), "seed {seed}");
        assert_eq!(seen[3].1, Some(Peer::Open), "seed {seed}");
        let first: Vec<bool> = ended.iter().map(|ended| ended.server_was_first).collect();
        assert_eq!(first, [true, true, true, false], "seed {seed}");
        assert!(ended.iter().all(|ended| !ended.faults.any()), "seed {seed}: {ended:?}");
    }
}

#[test]
fn a_network_that_resets_says_so() {
    let mut weather = Weather::calm();
    (weather.resets, weather.reset_at) = (2_000, 0..GET.len() as u64);
    let (seen, ended) = run(1, weather, &[(GET, Then::Reads); 10]);
    assert!(seen.iter().all(|(text, end)| text.is_empty() && *end == Some(Peer::Gone)), "{seen:?}");
    assert!(ended.iter().all(|ended| ended.faults.reset), "{ended:?}");
}

#[test]
fn a_network_that_stalls_says_so() {
    let mut weather = Weather::calm();
    (weather.stalls, weather.stall) = (10_000, 3 * SECOND..4 * SECOND);
    weather.pieces = vec![usize::MAX / 2];
    let (seen, ended) = run(1, weather, &[(GET, Then::Reads); 10]);
    assert!(seen.iter().all(|(text, _)| text.ends_with("hello")), "{seen:?}");
    assert!(ended.iter().all(|ended| ended.faults.stalled), "{ended:?}");
}

#[test]
fn who_comes_after_the_drain_is_refused() {
    let (net, seen) = net(1, Weather::calm(), &[(GET, Then::Reads); 3]);
    let mut wire = Wire::new(net);
    // The second has come, and the third has not.
    wire.advance(Duration::from_millis(2_500)).drain().advance(20 * SECOND);
    assert!(wire.is_done());
    let ended = wire.machine_mut().take_ended();
    let faults = |number| ended.iter().find(|ended| ended.connection == number).unwrap().faults;
    assert!(faults(0).drained && faults(1).drained && faults(2).refused, "{ended:?}");
    assert_eq!(seen.borrow()[2], (Vec::new(), Some(Peer::Gone)));
}

#[test]
fn a_connection_that_is_recorded_can_be_read() {
    let (mut net, _) = net(3, Weather::calm(), &[(GET, Then::Reads), (SLEEP, Then::Reads)]);
    net.record(1, Moment::from_epoch(1_000 * SECOND));
    let mut wire = Wire::new(net);
    wire.advance(100 * SECOND).drain();
    let text = wire.machine().transcript().unwrap().to_string();
    for part in ["> GET /sleep", "< HTTP/1.1 200 OK\\r\\n", "! closed"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_connection_that_is_taped_can_be_replayed() {
    let tapes = Tapes::new();
    let (mut net, seen) = net(3, Weather::calm(), &[(GET, Then::Reads), (SLEEP, Then::Finishes)]);
    net.tape(1, Recording::new(tapes.clone()));
    let mut wire = Wire::new(net);
    wire.advance(100 * SECOND).drain();
    let [tape] = tapes.texts().try_into().unwrap();
    let replayed = Replay::parse(&tape).unwrap().machine(Session::new(every)).unwrap();
    assert_eq!(escape(&replayed.output), escape(&seen.borrow()[1].0));
}

#[test]
fn what_no_driver_could_bear_stops_the_network() {
    /// Is done before it has begun.
    struct Hasty;
    impl Machine for Hasty {
        fn step(&mut self, _: Now, io: &mut Io, _: &mut Context<'_>) -> Wants {
            io.output.extend_from_slice(b"wait");
            Wants::DONE
        }
    }
    let mut net = Net::new(1, Weather::calm(), |_| Box::new(Hasty));
    let (request, seen) = (Vec::new(), Rc::new(RefCell::new(vec![(Vec::new(), None)])));
    let client = Guest { request, then: Then::Reads, number: 0, seen };
    net.connect_at(Moment::from_epoch(2_000 * SECOND), client);
    let mut wire = Wire::new(net);
    wire.advance(2_000 * SECOND);
    let broken = wire.machine().broken().unwrap();
    assert_eq!((broken.law, broken.connection), (Law::Quiet, Some(0)));
    assert!(wire.is_done());
}

/// Two machines of which each step wakes the other are no reason to hang.
#[test]
fn machines_that_wake_each_other_for_ever_stop_the_network() {
    #[derive(Clone, Default)]
    struct Pair(Rc<RefCell<Vec<Waker>>>);
    impl Machine for Pair {
        fn step(&mut self, _: Now, _: &mut Io, cx: &mut Context<'_>) -> Wants {
            self.0.borrow_mut().drain(..).for_each(Waker::wake);
            self.0.borrow_mut().push(cx.waker().clone());
            Wants { read: Read::Pause, wake_at: None, phase: Phase::Open }
        }
    }
    let pair = Pair::default();
    let mut net = Net::new(1, Weather::calm(), move |_| Box::new(pair.clone()));
    for _ in 0..2 {
        let seen = Rc::new(RefCell::new(vec![(Vec::new(), None)]));
        let client = Guest { request: Vec::new(), then: Then::Reads, number: 0, seen };
        net.connect_at(Moment::from_epoch(2_000 * SECOND), client);
    }
    let mut wire = Wire::new(net);
    wire.advance(2_000 * SECOND);
    let broken = wire.machine().broken().unwrap();
    assert_eq!((broken.law, broken.seed), (Law::Bounded, 1));
    let text = broken.to_string();
    assert!(text.contains("wake each other") && text.contains("seed 1, "), "{text}");
}

/// It wakes its driver when something in it is woken from elsewhere, lies about no deadline, and may be dropped.
#[test]
fn the_network_is_a_machine_under_the_laws() {
    let clients = [(GET, Then::Reads), (SLEEP, Then::Finishes), (ENDLESS, Then::Sits), (GET, Then::Resets)];
    let make = || net(5, Weather::calm(), &clients).0;
    for script in [
        Script::new().advance(2 * SECOND),
        Script::new().advance(3 * SECOND).drain().advance(20 * SECOND),
        Script::new().drain(),
    ] {
        laws(make, script);
    }
}
