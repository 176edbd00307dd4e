//! Bugs planted in a handler of WebSockets: a simulation finds each, and its tape shows it again.

use std::sync::{Arc, Mutex};

use bakestone::app::Application;
use bakestone::machine::Machine;
use bakestone::ws::Message;
use bakestone::{App, HeaderMap, Request, Result, Session, State, get};
use bakestone_testkit::Replay;
use bakestone_testkit::simulate::{ASK, Ask, Dice, Rule, Simulation};

use crate::counting;
use crate::planted::{Flaw, Planted};

/// What is wrong with the echoes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Honest,
    /// The third message of a socket is not echoed.
    LosesOne,
    /// It is echoed twice.
    DoublesOne,
    /// It is echoed as what somebody else said last.
    MixesUp,
    /// A binary message comes back as a text, where it is one.
    ChangesKind,
    /// The socket is closed behind it.
    Closes,
}

/// What was said last, whoever did.
type Last = Arc<Mutex<Option<Message>>>;

async fn talk(State(fault): State<Fault>, State(last): State<Last>, request: Request) -> Result<()> {
    let named = request.headers().get(ASK).map(|name| (ASK, name.clone()));
    let mut socket = request.websocket()?.accept_with(None, HeaderMap::from_iter(named)).await?;
    let mut count = 0;
    while let Some(message) = socket.receive().await? {
        count += 1;
        let before = last.lock().unwrap().replace(message.clone());
        match fault {
            _ if count != 3 => socket.send(message).await?,
            Fault::LosesOne => {}
            Fault::DoublesOne => {
                socket.send(message.clone()).await?;
                socket.send(message).await?;
            }
            Fault::MixesUp => socket.send(before.unwrap_or(message)).await?,
            Fault::ChangesKind => match String::from_utf8(message.as_bytes().to_vec()) {
                Ok(text) => socket.send(text).await?,
                Err(_) => socket.send(message).await?,
            },
            Fault::Closes => return Ok(()),
            Fault::Honest => socket.send(message).await?,
        }
    }
    Ok(())
}

fn simulated(fault: Fault) -> Simulation {
    let app = move || App::new().state(fault).state(Last::default()).route("/talk", get(talk));
    let asks = |dice: &mut Dice<'_>| Ask::get("/talk").talk(dice.any(), 1 + dice.below(6));
    Simulation::new(7).minutes(2).clients(100).memory(counting::live).app(app).asks(asks)
}

#[test]
fn each_is_found_by_a_simulation() {
    for (fault, what) in [
        (Fault::LosesOne, "is heard as"),
        (Fault::DoublesOne, "was not said, or is heard twice"),
        (Fault::MixesUp, "is heard as"),
        (Fault::ChangesKind, "of Text"),
        (Fault::Closes, "closes with"),
    ] {
        let finding = simulated(fault).run().unwrap_err();
        assert_eq!(finding.rule, Rule::Answered, "{fault:?}");
        assert!(finding.what.contains(what), "{fault:?}: {finding}");
    }
    let summary = simulated(Fault::Honest).run().unwrap_or_else(|finding| panic!("{finding}"));
    assert!(summary.heard > 200 && summary.heard < summary.said, "{summary}");
}

/// A server that stops says so on its WebSockets before it goes.
#[test]
fn a_drain_without_a_close_is_found_by_a_simulation() {
    let breaks_off =
        |machine| -> Box<dyn Machine> { Box::new(Planted::new(machine, Some(Flaw::BreaksOffAtDrain))) };
    let finding = simulated(Fault::Honest).around(breaks_off).run().unwrap_err();
    assert!(finding.what.contains("does not give the answer that it owes"), "{finding}");
    assert!(finding.transcript.contains("101 Switching Protocols"), "{finding}");
}

/// What the buggy application says it says again, and the honest one says something else.
#[test]
fn a_tape_shows_it_again() {
    let finding = simulated(Fault::DoublesOne).run().unwrap_err();
    let replay = |fault| Replay::parse(&finding.tape).unwrap().app(simulated(fault).application());
    assert!(replay(Fault::DoublesOne).unwrap().steps > 3);
    assert!(replay(Fault::Honest).is_err());
}

/// A bug of the machine is shown by a machine that has it.
#[test]
fn a_tape_shows_a_bug_of_the_machine_again() {
    for flaw in [Flaw::NeverCloses, Flaw::AnswersTwice, Flaw::LosesAByte] {
        let finding = (7..10).find_map(|seed| crate::simulated(seed, Some(flaw)).run().err()).unwrap();
        let replay = |flaw| {
            let (service, lifecycle) = crate::simulated(7, None).application().start().unwrap();
            let session = Session::new(service).lifecycle(&lifecycle.spawner());
            Replay::parse(&finding.tape).unwrap().machine(Planted::new(Box::new(session), flaw))
        };
        assert!(replay(Some(flaw)).is_ok(), "{flaw:?}: {:?}", replay(Some(flaw)).unwrap_err());
        assert!(replay(None).is_err(), "{flaw:?}");
    }
}
