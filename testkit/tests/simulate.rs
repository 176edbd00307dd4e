//! The kit's own application, simulated: no rule is broken, whatever the network, the disk and the clients do.
//!
//! `NET_SEED=n cargo test -p bakestone-testkit --test simulate` runs that seed alone; a failure prints its seed.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;

use std::time::{Duration, Instant};

use bakestone::{App, Context, Path, Text, get};
use bakestone_testkit::net::{DiskWeather, Weather};
use bakestone_testkit::simulate::{Ask, Rule, Simulation, Summary, seeds, simulate};

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
        assert!(summary.refused > 0 && summary.broken > 0 && summary.faulty > 0, "{summary}");
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

/// An application whose every hundredth answer is another's is found out, and the finding says how to see it again.
#[test]
fn a_finding_tells_all_that_it_takes_to_see_it_again() {
    async fn cake(Path(number): Path<u64>, context: Context) -> Text<String> {
        context.sleep(Duration::from_millis(number)).await;
        Text(format!("cake {}", if number == 77 { 78 } else { number }))
    }
    let mut weather = Weather::rough();
    // In whole pieces, so that the transcript has whole lines.
    weather.pieces = vec![usize::MAX / 2];
    let bakery = Simulation::new(9).clients(100).weather(weather);
    let bakery = bakery.app(|| App::new().route("/cakes/{number:int}", get(cake)));
    let bakery = bakery.asks(|dice| {
        let number = dice.below(100);
        Ask::get(format!("/cakes/{number}")).expect_text(format!("cake {number}"))
    });
    let finding = bakery.run().unwrap_err();
    assert_eq!(finding.rule, Rule::Answered);
    let text = finding.to_string();
    for part in
        ["its content differs", "NET_SEED=9, minute 0, ", "client ", "GET /cakes/77 HTTP/1.1", "  cake 78"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}
