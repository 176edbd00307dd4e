//! A server's session against a model of it, under a client whose requests are random.
//!
//! The rule: the model knows what the client means and nothing of its bytes, and what comes back is read by a
//! naive reader; so neither shares a mistake with the session. `BAKESTONE_LAWS_ROUNDS` says how many times longer
//! to look.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod naive;
#[path = "model/predict.rs"]
mod predict;
#[path = "model/script.rs"]
mod script;
#[path = "../src/seed.rs"]
mod seed;

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bakestone::machine::Phase;
use bakestone::{Body, Bytes, Error, Limits, Request, Response, Result, Session, StatusCode};
use bakestone_testkit::Wire;

use naive::connection::{Message, responses};
use naive::fields::{has, named};
use predict::{Answer, DRAINED, Declared, Fate, Interim, Prediction, predict};
use script::Script;
use seed::Random;

const SEED: u64 = 0xba4e_570e_0d0d_e100;
const ROUNDS: u64 = 30_000;

/// What the server does; the path is a [`script::Handler`]'s name.
async fn serve(mut request: Request) -> Result<Response> {
    match request.raw_path() {
        "/Echo" => Ok(Response::new(request.bytes().await?)),
        "/Stream" => {
            let content = request.bytes().await?;
            let mut pieces: Vec<Bytes> = content.chunks(70).rev().map(Bytes::copy_from_slice).collect();
            pieces.push(Bytes::from_static(b"streamed: "));
            Ok(Response::new(Body::from_fn(move |_| Poll::Ready(pieces.pop().map(Ok)))))
        }
        "/Back" => Ok(Response::new(request.into_body())),
        "/Slow" => {
            request.context().sleep(Duration::from_millis(50)).await;
            Ok(Response::new("slow"))
        }
        "/Empty" => Ok(Response::empty(StatusCode::NO_CONTENT)),
        "/Fail" => Err(Error::new(StatusCode::CONFLICT, "no")),
        _ => Ok(Response::new("unread")),
    }
}

/// What came back, as the naive reader reads it, and what became of the connection.
struct Outcome {
    received: Vec<u8>,
    /// Interim responses, as many as came, and then the answer, if it is whole.
    answers: Vec<(usize, Message<naive::response::Response>)>,
    /// What the reader has left over.
    rest: usize,
    fate: Fate,
}

fn run(script: &Script, prediction: &Prediction) -> Outcome {
    let mut limits = Limits::default();
    limits.drained_body_bytes = DRAINED as u64;
    let mut wire = Wire::new(Session::with_limits(serve, Arc::new(limits)));
    wire.record(false);
    let received = script.play(&mut wire);
    let fate = match wire.fate() {
        fate if fate.reset_sent => Fate::Reset,
        fate if fate.phase == Phase::Open => Fate::Open,
        _ => Fate::Closed,
    };
    let finished = fate != Fate::Open;
    let (messages, _) = responses(&received, &prediction.asked, &Limits::default(), finished);
    let taken: usize = messages.iter().filter_map(|message| message.length).sum();
    let (mut answers, mut interim) = (Vec::new(), 0);
    for message in messages {
        match message.head.status {
            100 => interim += 1,
            _ => answers.push((std::mem::take(&mut interim), message)),
        }
    }
    Outcome { rest: received.len() - taken, received, answers, fate }
}

/// How what came back is not what was predicted, if so.
fn difference(script: &Script) -> Option<String> {
    let prediction = predict(script);
    let outcome = match catch_unwind(AssertUnwindSafe(|| run(script, &prediction))) {
        Ok(outcome) => outcome,
        Err(_) => return Some("the session panicked".to_owned()),
    };
    let what = judge(&prediction, &outcome)?;
    let received = outcome.received.escape_ascii();
    let asks: Vec<String> = script.asks.iter().map(|ask| format!("{ask:?}\n")).collect();
    let (asks, ending) = (asks.concat(), script.ending);
    Some(format!("{what}\n{asks}{ending:?}\n{prediction:?}\n{:?}, received: {received}", outcome.fate))
}

fn judge(prediction: &Prediction, outcome: &Outcome) -> Option<String> {
    if outcome.fate != prediction.fate {
        return Some(format!("the connection is {:?}", outcome.fate));
    }
    let is_cut = prediction.fate == Fate::Reset;
    for (index, (interim, expected)) in prediction.answers.iter().enumerate() {
        let Some((interims, message)) = outcome.answers.get(index) else {
            return Some(format!("answer {index} did not come"));
        };
        let is_last = index + 1 == prediction.answers.len();
        let good_interims = match interim {
            Interim::Never => *interims == 0,
            Interim::MayBe => *interims <= 1,
            Interim::Always => *interims == 1,
        };
        if !good_interims {
            return Some(format!("{interims} interim responses before answer {index}, and not {interim:?}"));
        }
        let what = match message.length {
            Some(_) if is_cut && is_last => Some("it is whole, and must look cut".to_owned()),
            None if !is_cut || !is_last => Some("it is not whole".to_owned()),
            _ => unlike(message, expected),
        };
        if let Some(what) = what {
            return Some(format!("answer {index}: {what}"));
        }
    }
    (outcome.rest > 0 && !is_cut).then(|| format!("{} bytes too many", outcome.rest))
}

fn seen(message: &Message<naive::response::Response>) -> Answer {
    let fields = &message.head.fields;
    let declared = match (&named(fields, "content-length")[..], &named(fields, "transfer-encoding")[..]) {
        ([], []) => Declared::Nothing,
        ([length], []) => {
            Declared::Length(std::str::from_utf8(length).ok().and_then(|text| text.parse().ok()).unwrap())
        }
        ([], [b"chunked"]) => Declared::Chunked,
        other => panic!("the framing is {other:?}"),
    };
    Answer {
        status: message.head.status,
        declared,
        content: String::from_utf8_lossy(&message.content).into_owned(),
        close: has(fields, "connection", "close"),
        keep_alive: has(fields, "connection", "keep-alive"),
    }
}

/// How an answer, or what there is of it, differs from what is expected.
fn unlike(
    message: &Message<naive::response::Response>,
    expected: &std::result::Result<Answer, u16>,
) -> Option<String> {
    let got = seen(message);
    let is_good = named(&message.head.fields, "date").len() == 1
        && match expected {
            // A message that looks cut ends the connection, whatever its head has said.
            Ok(answer) if message.length.is_none() => {
                Answer { close: answer.close, ..got.clone() } == *answer
            }
            Ok(answer) => got == *answer,
            Err(status) => got.status == *status && got.close,
        };
    (!is_good).then(|| format!("{message:?} for {expected:?}"))
}

/// Leaves out requests that are not needed for the difference, but for the last one, in which the ending may lie.
fn shrink(mut script: Script) -> Script {
    let mut index = 0;
    while index + 1 < script.asks.len() {
        let mut smaller = script.clone();
        smaller.asks.remove(index);
        match difference(&smaller) {
            Some(_) => script = smaller,
            None => index += 1,
        }
    }
    script
}

#[test]
fn a_session_does_what_the_model_predicts() {
    let times = std::env::var("BAKESTONE_LAWS_ROUNDS").ok();
    let rounds = ROUNDS * times.map_or(1, |times| times.parse::<u64>().expect("a number of rounds"));
    // Not by `eprintln!`, which the test runner keeps to itself where a test passes.
    let told = format!("{rounds} rounds with the seed {SEED:#x}\n");
    std::io::stderr().write_all(told.as_bytes()).unwrap();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for round in 0..rounds {
        let script = Script::any(&mut Random::new(SEED ^ round.wrapping_mul(0x2545_f491_4f6c_dd1d)));
        if difference(&script).is_some() {
            let difference = difference(&shrink(script)).unwrap_or_default();
            panic!("seed {SEED:#x}, round {round}: {difference}");
        }
        count(&script, &mut counts);
    }
    eprintln!("{counts:?}");
    // What is rare must still be seen once in a hundred rounds, on average.
    for what in EVERYTHING.split_whitespace() {
        let seen = counts.get(what).copied().unwrap_or_default();
        assert!(seen >= rounds / 100, "{what} was predicted only {seen} times: {counts:?}");
    }
}

/// What the predictions must hold, so that the test means something.
const EVERYTHING: &str = "Open Closed Reset 200 204 400 409 Nothing Length Chunked close keep-alive \
                          Always MayBe third-answer Garbage CutHead CutContent BadChunk";

fn count(script: &Script, counts: &mut BTreeMap<String, u64>) {
    let prediction = predict(script);
    let mut note = |what: &str| *counts.entry(what.to_owned()).or_default() += 1;
    let name = |debug: String| debug.split('(').next().unwrap_or_default().to_owned();
    note(&name(format!("{:?}", script.ending)));
    note(&name(format!("{:?}", prediction.fate)));
    for (index, (interim, answer)) in prediction.answers.iter().enumerate() {
        note(&format!("{interim:?}"));
        if index == 2 {
            note("third-answer");
        }
        match answer {
            Err(status) => note(&status.to_string()),
            Ok(answer) => {
                note(&answer.status.to_string());
                note(&name(format!("{:?}", answer.declared)));
                note(if answer.close { "close" } else { "stays" });
                note(if answer.keep_alive { "keep-alive" } else { "silent" });
            }
        }
    }
}
