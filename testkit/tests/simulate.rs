//! The kit's own application, simulated: no rule is broken, whatever the network, the disk and the clients do.
//!
//! `NET_SEED=n cargo test -p bakestone-testkit --test simulate` runs that seed alone; a failure prints its seed.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;

use std::time::{Duration, Instant};

use bakestone::{App, Context, Path, Text, get};
use bakestone_testkit::net::{DiskWeather, Weather};
use bakestone_testkit::simulate::{Ask, Dice, Rule, Simulation, Summary, seeds, simulate};
use bakestone_testkit::{escape, tape};

/// Seeds that have found something, and what that was: of the application, or of the simulation itself.
const FOUND: [(u64, &str); 4] = [
    (1, "a HEAD that comes too slowly gets a 408 with content, which was taken for an answer of its own"),
    (1, "a client that has stopped reading does not see the FIN that it waits for"),
    (1_000_039, "a client that reads too slowly finds its connection closed, as one that was idle"),
    (7, "a drain that comes late, in which a clock stood still"),
];

/// Simulates until there were so many requests.
fn simulate_requests(seed: u64, count: u64) -> Summary {
    let mut all = Summary::default();
    for seed in seed.. {
        // Every fourth one is calm: nobody who behaves goes without an answer.
        let simulation = Simulation::new(seed).minutes(2);
        let simulation = if seed % 4 == 3 { simulation.calm() } else { simulation };
        all += simulation.run().unwrap_or_else(|finding| panic!("{finding}"));
        if all.asked >= count {
            break;
        }
    }
    all
}

#[test]
fn twenty_thousand_requests() {
    for seed in seeds(&[100]) {
        let summary = simulate_requests(seed, 20_000);
        eprintln!("{summary}");
        assert!(summary.answered > summary.asked * 4 / 5, "{summary}");
        let Summary { refused, broken, reset, stalled, disk, drained, unserved, .. } = summary;
        for (what, count) in [
            ("refused", refused),
            ("broken off", broken),
            ("reset", reset),
            ("held up", stalled),
            ("failed by the disk", disk),
            ("drained", drained),
            ("unserved", unserved),
            ("messages", summary.said),
            ("messages without an echo", summary.said - summary.heard),
        ] {
            assert!(count > 0, "{what}: none; {summary}");
        }
        assert!(summary.heard > summary.said * 4 / 5, "{summary}");
    }
}

#[test]
#[ignore = "it takes half a minute, where it is optimised"]
fn a_million_requests_in_a_minute() {
    let began = Instant::now();
    for seed in seeds(&[1_000_000]) {
        let summary = simulate_requests(seed, 1_000_000);
        eprintln!("{summary}, in {:.1?}", began.elapsed());
    }
    assert!(cfg!(debug_assertions) || began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn what_was_found_stays_found() {
    for (seed, what) in FOUND {
        eprintln!("{seed}: {what}");
        simulate(seed, 1);
        Simulation::new(seed).calm().run().unwrap_or_else(|finding| panic!("{finding}"));
    }
}

#[test]
fn a_seed_is_one_run() {
    let run = |seed| Simulation::new(seed).clients(100).run().unwrap();
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn in_calm_weather_all_who_behave_are_answered_and_nothing_is_left() {
    let simulation = Simulation::new(3).minutes(2).clients(150).calm().memory(counting::live);
    let summary = simulation.run().unwrap_or_else(|finding| panic!("{finding}"));
    assert!(summary.answered > 500, "{summary}");
}

/// Clients who ask for WebSockets and nothing else, of the kit's own application.
fn talkers(seed: u64) -> Simulation {
    let talk = |dice: &mut Dice<'_>| {
        let context_takeover = dice.below(2);
        Ask::get(format!("/talk/{context_takeover}")).talk(dice.any(), dice.below(20))
    };
    Simulation::new(seed).minutes(2).clients(80).asks(talk)
}

#[test]
fn in_any_weather_messages_are_echoed_once_and_in_order() {
    for seed in seeds(&[20]) {
        let rough = talkers(seed).run().unwrap_or_else(|finding| panic!("{finding}"));
        assert!(rough.heard > 300 && rough.said > rough.heard, "{rough}");
        let calm = talkers(seed).calm().memory(counting::live);
        let calm = calm.run().unwrap_or_else(|finding| panic!("{finding}"));
        assert!(calm.heard > 300 && calm.broken > 0, "{calm}");
    }
}

/// A disk that is full, slow, and does not always answer.
#[test]
fn on_the_worst_of_disks() {
    let mut disk = DiskWeather::rough();
    (disk.failing, disk.full, disk.unanswered) = (100, 300, 50);
    disk.time = Duration::ZERO..Duration::from_secs(20);
    let simulation = Simulation::new(4).minutes(2).clients(100).weather(Weather::calm()).disk(disk);
    let summary = simulation.run().unwrap_or_else(|finding| panic!("{finding}"));
    assert!(summary.refused > 10, "{summary}");
}

/// A bakery of which one cake is another, or none is.
fn bakery(is_right: bool) -> Simulation {
    let mut weather = Weather::rough();
    // In whole pieces, so that the transcript has whole lines.
    weather.pieces = vec![usize::MAX / 2];
    let bakery = Simulation::new(9).clients(100).weather(weather);
    let cake = move |Path(number): Path<u64>, context: Context| async move {
        context.sleep(Duration::from_millis(number)).await;
        Text(format!("cake {}", if number == 77 && !is_right { 78 } else { number }))
    };
    let bakery = bakery.app(move || App::new().route("/cakes/{number:int}", get(cake)));
    bakery.asks(|dice| {
        let number = dice.below(100);
        Ask::get(format!("/cakes/{number}")).expect_text(format!("cake {number}"))
    })
}

#[test]
fn a_finding_tells_all_that_it_takes_to_see_it_again() {
    let finding = bakery(false).run().unwrap_err();
    assert_eq!(finding.rule, Rule::Answered);
    let (text, kept) = (finding.to_string(), finding.kept.clone().unwrap());
    let replay = format!("tape::replay({kept:?}, ");
    for part in [
        "its content differs",
        "NET_SEED=9, minute 0, ",
        "client ",
        &replay,
        "GET /cakes/77 HTTP/1.1",
        "  cake 78",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(bakery(false).run().unwrap_err().to_string(), text, "the same seed finds the same");
}

#[test]
fn a_finding_is_kept_as_a_tape_that_shows_it_again() {
    let finding = bakery(false).run().unwrap_err();
    let path = finding.kept.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), finding.tape);
    let replayed = tape::replay(&path, bakery(false).application()).unwrap();
    assert!(escape(&replayed.output).contains("cake 78"), "{}", escape(&replayed.output));
    let divergence = tape::replay(&path, bakery(true).application()).unwrap_err().to_string();
    assert!(divergence.contains("expected  `8") && divergence.contains("got       `7"), "{divergence}");
}

#[test]
fn a_seed_of_the_environment_is_the_only_one() {
    let given = std::env::var("NET_SEED").ok().map(|seed| vec![seed.parse().unwrap()]);
    assert_eq!(seeds(&[1, 2]), given.unwrap_or(vec![1, 2]));
}

#[test]
fn a_server_without_clients_lives_and_drains() {
    let summary =
        Simulation::new(1).minutes(2).clients(0).run().unwrap_or_else(|finding| panic!("{finding}"));
    assert_eq!((summary.clients, summary.asked, summary.faulty), (0, 0, 0));
}
