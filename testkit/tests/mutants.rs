//! Planted bugs: each is found by the nets that are there for it, and the honest machine passes the same nets.
//!
//! The bugs are in machines and services around the honest ones, and not in these behind a switch: so nothing of them
//! is ever compiled into core, one build tries them all, and each is as small as the bug that it stands for.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod counting;
#[path = "mutants/echoes.rs"]
mod echoes;
mod every;
mod planted;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::app::Next;
use bakestone::machine::Machine;
use bakestone::{App, Bytes, Context, Path, Request, Response, Result, Session, State, Text, get};
use bakestone_testkit::simulate::{Ask, Rule, Simulation};
use bakestone_testkit::{Bounds, Law, MemoryFiles, Script, Wire, check, http1_view, splits};
use every::every;
use planted::{Flaw, Planted};

/// Each bug, the law that is seen broken first, whether a cut of the input shows it, and the rule that a simulation
/// sees broken. Where no law is named the machine does the same every time, and the wrong thing; or it hoards less than
/// the peers of the laws send.
const TABLE: [(Flaw, Option<Law>, bool, Rule); 18] = [
    (Flaw::LosesAWake, Some(Law::Bounded), false, Rule::Answered),
    (Flaw::LosesAByte, Some(Law::SplitInvariant), true, Rule::Answered),
    (Flaw::DoublesAByte, Some(Law::SplitInvariant), true, Rule::Answered),
    (Flaw::NeverTimesOut, Some(Law::Idempotent), false, Rule::Answered),
    (Flaw::AnswersTwice, Some(Law::SplitInvariant), false, Rule::Answered),
    (Flaw::NeverAnswers, Some(Law::Idempotent), false, Rule::Answered),
    (Flaw::NeverDrains, None, false, Rule::Drained),
    (Flaw::EndsInGoodOrder, None, false, Rule::Answered),
    (Flaw::LeavesItsWaker, Some(Law::Droppable), false, Rule::Law(Law::Droppable)),
    (Flaw::NeverRests, Some(Law::Bounded), false, Rule::Law(Law::Bounded)),
    (Flaw::WakesInThePast, Some(Law::Deadlines), false, Rule::Law(Law::Deadlines)),
    (Flaw::LeavesEarly, Some(Law::Quiet), false, Rule::Law(Law::Quiet)),
    (Flaw::NeverWaits, Some(Law::Bounded), false, Rule::Law(Law::Backpressure)),
    (Flaw::Hoards, None, false, Rule::Law(Law::Backpressure)),
    (Flaw::BreaksOffAtDrain, None, false, Rule::Answered),
    (Flaw::NeverCloses, None, false, Rule::Answered),
    (Flaw::NeverPongs, None, false, Rule::Answered),
    (Flaw::NeverGivesUp, Some(Law::Idempotent), false, Rule::Answered),
];

/// The exchanges that the laws are tried on.
fn scripts() -> Vec<Script> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n";
    vec![
        Script::bytes(get("/") + &get("/buffer")),
        Script::bytes(chunked.to_owned() + chunked),
        Script::bytes(get("/blocking")),
        Script::bytes(get("/write")).advance(Duration::from_secs(1)),
        Script::bytes(get("/drain")).drain().finish(),
        Script::bytes(get("/abandon")).advance(Duration::from_secs(1)),
    ]
}

fn planted(flaw: Option<Flaw>) -> impl Machine {
    Planted::new(Box::new(Session::new(every)), flaw)
}

/// The law that is seen broken.
fn by_laws(flaw: Option<Flaw>) -> Option<Law> {
    let mut bounds = Bounds::default().view(http1_view);
    bounds.memory = Some(counting::live);
    bounds.mutations = 20;
    let found = |script| check(|| planted(flaw), script, &bounds).err().map(|violation| violation.law);
    scripts().into_iter().find_map(found)
}

/// Whether a cut of the input changes the answer.
fn by_splits(flaw: Option<Flaw>) -> bool {
    let request =
        b"POST /buffer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n";
    let answer = |pieces: &[&[u8]]| {
        let mut wire = Wire::new(planted(flaw));
        for piece in pieces {
            wire.feed(piece);
        }
        http1_view(&wire.take())
    };
    let whole = answer(&[request]);
    splits(request).any(|pieces| answer(&pieces) != whole)
}

/// The rule that a simulation sees broken, with the first seed that shows it. Of two minutes one drains in the thick of
/// it.
fn by_simulation(flaw: Option<Flaw>) -> Option<Rule> {
    (7..10).find_map(|seed| simulated(seed, flaw).run().err().map(|finding| finding.rule))
}

fn simulated(seed: u64, flaw: Option<Flaw>) -> Simulation {
    let around = move |machine| -> Box<dyn Machine> { Box::new(Planted::new(machine, flaw)) };
    Simulation::new(seed).minutes(2).clients(150).memory(counting::live).around(around)
}

#[test]
fn the_honest_machine_passes_all_nets() {
    assert_eq!((by_laws(None), by_splits(None), by_simulation(None)), (None, false, None));
}

#[test]
fn each_planted_bug_is_found_by_a_simulation() {
    for (flaw, _, _, rule) in TABLE {
        let found = by_simulation(Some(flaw));
        // What has no deadlines has none of a drain either: which is seen first depends on the seed.
        let also = matches!(flaw, Flaw::NeverTimesOut | Flaw::NeverGivesUp).then_some(Rule::Drained);
        assert!(found.is_some() && (found == Some(rule) || found == also), "{flaw:?}: {found:?}");
    }
}

/// A recorder would hide it, so there is no tape; but there is a transcript.
#[test]
fn a_wake_that_is_lost_is_told_with_its_transcript() {
    let finding = simulated(7, Some(Flaw::LosesAWake)).run().unwrap_err();
    assert!(finding.what.contains("waits in vain; the client is "), "{finding}");
    assert!(!finding.what.contains("not shown"), "{finding}");
    assert!(finding.transcript.contains("> POST /spool"), "{finding}");
    assert_eq!((&*finding.tape, &finding.kept), ("", &None));
}

/// Its deadlines are in the future, and time does not come to them.
#[test]
fn a_machine_that_ticks_for_ever_is_found_by_a_simulation() {
    let finding = simulated(7, Some(Flaw::Ticks)).clients(2).run().unwrap_err();
    assert_eq!(finding.rule, Rule::Law(Law::Bounded));
    assert!(finding.client.is_some(), "{finding}");
}

#[test]
fn each_planted_bug_that_breaks_a_law_is_found_by_the_laws() {
    for (flaw, law, ..) in TABLE {
        assert_eq!(by_laws(Some(flaw)), law, "{flaw:?}");
    }
}

#[test]
fn each_planted_bug_at_a_cut_is_found_by_splits() {
    for (flaw, _, found, _) in TABLE.into_iter().filter(|(_, _, found, _)| *found) {
        assert_eq!(by_splits(Some(flaw)), found, "{flaw:?}");
    }
}

/// What is wrong with a service.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Honest,
    /// It gives one client what was made for another.
    MixesUp,
    /// It keeps a little of each request, for ever.
    Forgets,
    /// It never answers one of a hundred.
    Hangs,
    /// A file without a name stays open.
    LeavesAFile,
    /// The application outlives its server.
    OutlivesItself,
}

/// The last answer, whoever got it.
type Last = Arc<Mutex<Option<Bytes>>>;

/// Much of what an application has.
type Flour = Arc<Vec<u8>>;

async fn hello(
    Path(number): Path<u64>,
    context: Context,
    State(fault): State<Fault>,
    State(flour): State<Flour>,
) -> Text<String> {
    context.sleep(Duration::from_millis(number % 10)).await;
    match fault {
        Fault::LeavesAFile if number % 100 == 7 => std::mem::forget(context.open_temporary(None).await),
        Fault::OutlivesItself => std::mem::forget(flour),
        Fault::Forgets => std::mem::forget(vec![b'x'; 10_000]),
        Fault::Hangs if number % 100 == 7 => std::future::pending().await,
        _ => {}
    }
    Text(format!("hello {number}"))
}

/// Now and then the answer is the last one, as from a cache whose key is too short.
async fn cache(
    State(last): State<Last>,
    State(fault): State<Fault>,
    request: Request,
    next: Next,
) -> Result<Response> {
    let cached = request.raw_path().ends_with('3') && fault == Fault::MixesUp;
    let mut response = next.run(request).await;
    let bytes = response.body.bytes(1_000).await?;
    let mut last = last.lock().unwrap();
    response.body = last.replace(bytes.clone()).filter(|_| cached).unwrap_or(bytes).into();
    Ok(response)
}

fn by_simulation_of_a_service(fault: Fault) -> Option<Rule> {
    let app = move || {
        let app = App::new().route("/hello/{number:int}", get(hello)).middleware(cache);
        app.state(fault).state(Last::default()).state(Flour::new(vec![0; 1 << 20]))
    };
    let ask = |dice: &mut bakestone_testkit::simulate::Dice<'_>| {
        let number = dice.below(100_000);
        Ask::get(format!("/hello/{number}")).expect_text(format!("hello {number}"))
    };
    let simulation = Simulation::new(7).minutes(2).clients(100).memory(counting::live).app(app).asks(ask);
    simulation.files(MemoryFiles::new).run().err().map(|finding| finding.rule)
}

#[test]
fn each_planted_bug_of_a_service_is_found_by_a_simulation() {
    for (fault, rule) in [
        (Fault::Honest, None),
        (Fault::MixesUp, Some(Rule::Answered)),
        (Fault::Hangs, Some(Rule::Answered)),
        (Fault::Forgets, Some(Rule::Law(Law::Backpressure))),
        (Fault::LeavesAFile, Some(Rule::Finished)),
        (Fault::OutlivesItself, Some(Rule::Finished)),
    ] {
        assert_eq!(by_simulation_of_a_service(fault), rule, "{fault:?}");
    }
}
