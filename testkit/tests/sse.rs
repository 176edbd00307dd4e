//! Server-sent events, from the handler to what a client dispatches.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod random;
mod streaming;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bakestone::app::LastEventId;
use bakestone::error::Disconnected;
use bakestone::http::sse::EventError;
use bakestone::message::{EventSender, SendEventError};
use bakestone::session::IntoService;
use bakestone::{App, Context, Event, Request, Service, Session, Sse, Text, get};
use bakestone_testkit::{Client, EventReader, Wire, laws};

use random::Random;
use streaming::{Cage, Then, items};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);

/// A wire on which GET was sent, and whose head was taken.
fn begun<S: Service, M>(service: impl IntoService<M, Service = S>) -> Wire<Session<S>> {
    let mut wire = Wire::new(Session::new(service));
    wire.feed(GET);
    let head = "HTTP/1.1 200 OK\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\ncontent-type: text/event-stream\r\n\
                cache-control: no-cache\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(String::from_utf8(wire.take_at_most(head.len())).unwrap(), head);
    wire
}

/// A piece of a chunked body.
fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

const LAST: &str = "0\r\n\r\n";
const SILENCE: &str = "3\r\n:\n\n\r\n";

/// An event at once, and one each `pause`.
fn ticks(context: &Context, pause: Duration) -> Sse {
    let sleeper = context.clone();
    Sse::written(context, move |mut events| async move {
        for tick in 0..3 {
            events.send(Event::data(tick.to_string())).await?;
            sleeper.sleep(pause).await;
        }
        Ok(())
    })
}

#[test]
fn each_event_leaves_at_once() {
    let mut wire = begun(|request: Request| ticks(request.context(), SECOND));
    wire.expect(chunk("data: 0\n\n"));
    wire.advance(SECOND).expect(chunk("data: 1\n\n")).expect_silence();
    wire.advance(SECOND).expect(chunk("data: 2\n\n")).expect_silence();
    wire.advance(SECOND).expect(LAST).expect_open();
}

#[test]
fn a_stream_of_events_is_one_too() {
    let mut wire = begun(|request: Request| {
        let mut second = Event::comment("two");
        second.data = Some("".into());
        Sse::from_items(request.context(), items([Event::data("1"), second]))
    });
    wire.expect(chunk("data: 1\n\n") + &chunk(": two\ndata:\n\n") + LAST).expect_open();
}

#[test]
fn a_silence_is_filled_counted_from_the_last_event() {
    let mut wire = begun(|request: Request| ticks(request.context(), 20 * SECOND));
    wire.expect(chunk("data: 0\n\n")).advance(14 * SECOND).expect_silence();
    wire.advance(SECOND).expect(SILENCE);
    wire.advance(5 * SECOND).expect(chunk("data: 1\n\n"));
    wire.advance(14 * SECOND).expect_silence().advance(SECOND).expect(SILENCE);
}

#[test]
fn a_silence_may_have_another_length_or_none() {
    for (time, expected) in
        [(None, ""), (Some(100 * SECOND), ""), (Some(SECOND), SILENCE), (Some(Duration::ZERO), SILENCE)]
    {
        let mut wire = begun(move |request: Request| ticks(request.context(), 90 * SECOND).keep_alive(time));
        wire.expect(chunk("data: 0\n\n"))
            .advance(time.unwrap_or_default().max(Duration::from_millis(1)).min(SECOND));
        wire.expect(expected);
    }
}

#[test]
fn silences_do_not_pile_up_for_a_client_that_does_not_read() {
    let mut wire = begun(|request: Request| {
        ticks(request.context(), 3600 * SECOND).keep_alive(Duration::from_millis(1))
    });
    wire.hold_output(true).record(false).advance(29 * SECOND);
    assert!(wire.waiting() <= 66_000, "{} bytes", wire.waiting());
}

#[test]
fn a_server_that_stops_is_not_held_up() {
    type Senders = Mutex<Vec<EventSender>>;
    type Make = fn(&Context, &Senders) -> Sse;
    let makes: [Make; 3] = [
        |context, _| ticks(context, SECOND),
        |context, senders| {
            let (sender, sse) = Sse::channel(context, 100);
            senders.lock().unwrap().push(sender);
            sse
        },
        |context, _| {
            let (sleep, canary) = (context.sleep(3600 * SECOND), Cage::default().canary());
            Sse::from_items(context, Then { first: Some(Event::data("0")), sleep, _canary: canary })
        },
    ];
    for make in makes {
        let senders = Arc::new(Senders::default());
        let kept = senders.clone();
        let mut wire = begun(move |request: Request| make(request.context(), &kept));
        wire.take();
        wire.drain().expect(LAST).expect_lingering();
        assert!(senders.lock().unwrap().iter().all(EventSender::is_disconnected));
    }
}

#[test]
fn a_stream_that_goes_on_is_told_and_says_goodbye() {
    let mut wire = begun(|request: Request| {
        Sse::written(request.context(), |mut events| async move {
            events.send(Event::data("hello")).await?;
            events.draining().await;
            events.send(Event::data("goodbye")).await?;
            Ok(())
        })
        .through_drain()
    });
    wire.expect(chunk("data: hello\n\n"));
    wire.drain().expect(chunk("data: goodbye\n\n") + LAST).expect_lingering();
}

#[test]
fn what_makes_the_events_is_dropped_when_the_client_leaves() {
    let cage = Cage::default();
    let seen = cage.clone();
    let mut wire = begun(move |request: Request| {
        let (canary, sleep) = (seen.canary(), request.context().sleep(3600 * SECOND));
        Sse::written(request.context(), |mut events| async move {
            let _canary = canary;
            events.send(Event::data("1")).await?;
            sleep.await;
            Ok(())
        })
    });
    wire.expect(chunk("data: 1\n\n"));
    assert!(!cage.is_empty());
    wire.reset();
    assert!(cage.is_empty());

    let senders = Arc::new(Mutex::new(None::<EventSender>));
    let kept = senders.clone();
    let mut wire = begun(move |request: Request| {
        let (sender, sse) = Sse::channel(request.context(), 100);
        *kept.lock().unwrap() = Some(sender);
        sse
    });
    let sender = senders.lock().unwrap().take().unwrap();
    assert!(!sender.is_disconnected());
    wire.reset();
    assert!(sender.is_disconnected());
    assert_eq!(sender.finish(), Err(Disconnected::Over));
}

#[test]
fn an_event_that_cannot_be_written_is_an_error_and_the_stream_goes_on() {
    let mut wire = begun(|request: Request| {
        Sse::written(request.context(), |mut events| async move {
            let error = events.send(Event::data("1").id("a\nb")).await.unwrap_err();
            assert_eq!(error, SendEventError::Event(EventError::NewlineInId));
            Ok(events.send(Event::json(&["2\n"])?).await?)
        })
    });
    wire.expect(chunk("data: [\"2\\n\"]\n\n") + LAST).expect_open();
}

#[test]
fn an_error_among_the_events_cuts_the_stream() {
    let fails: [fn() -> Result<Event, std::fmt::Error>; 2] =
        [|| Err(std::fmt::Error), || Ok(Event::data("2").event("\n"))];
    for fail in fails {
        let mut wire = begun(move |request: Request| {
            Sse::from_items(request.context(), items([Ok(Event::data("1")), fail()]))
        });
        wire.expect(chunk("data: 1\n\n")).expect_reset();
    }
}

#[test]
fn an_error_that_is_there_before_all_events_is_the_answer() {
    let fails: [fn() -> Result<Event, std::fmt::Error>; 2] =
        [|| Err(std::fmt::Error), || Ok(Event::data("1").event("\n"))];
    for fail in fails {
        let client = Client::new(move |request: Request| {
            Sse::from_items(request.context(), items([fail(), Ok(Event::data("2"))]))
        });
        client.get("/").send().expect_status(500).expect_text("Internal Server Error");
        assert_eq!(client.connections(), 1);
    }
}

#[test]
fn the_last_event_is_known_when_the_client_comes_back() {
    async fn last(last: Option<LastEventId>) -> Text<String> {
        Text(last.map_or("none".to_owned(), |LastEventId(id)| id))
    }
    let must = async |last: LastEventId| Text(last.0);
    let client = Client::new(App::new().route("/", get(last)).route("/must", get(must)));
    for (target, ids, status, expected) in [
        ("/", &[][..], 200, "none"),
        ("/", &["7"], 200, "7"),
        ("/", &["gr\u{fc}n"], 200, "gr\u{fc}n"),
        ("/", &[""], 200, "none"),
        ("/", &["1", "2"], 200, "none"),
        ("/must", &["7"], 200, "7"),
        ("/must", &[], 400, "the header's `last-event-id` is missing"),
    ] {
        let request = client.get(target);
        let request = ids.iter().fold(request, |request, id| request.header("last-event-id", id));
        request.send().expect_status(status).expect_text(expected);
    }
}

#[test]
fn head_gets_the_fields_and_drops_the_events() {
    let mut wire = Wire::new(Session::new(|request: Request| {
        Sse::written(request.context(), |_| async { panic!("events that nobody gets were asked for") })
    }));
    wire.feed("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(wire.take_text().contains("\r\ncontent-type: text/event-stream\r\n"));
    wire.expect_open();
}

#[test]
fn a_context_that_nobody_drives_gives_the_events_alone() {
    let mut wire = begun(|request: Request| {
        let context = request.context().clone();
        Sse::written(&Context::detached(), |mut events| async move {
            context.sleep(3600 * SECOND).await;
            Ok(events.send(Event::data("late")).await?)
        })
    });
    wire.expect_silence().drain().expect_silence();
    let mut wire = begun(|_: Request| ticks(&Context::detached(), SECOND));
    wire.expect(chunk("data: 0\n\n") + &chunk("data: 1\n\n") + &chunk("data: 2\n\n") + LAST);
}

#[test]
fn they_keep_the_laws() {
    laws(|| Session::new(|request: Request| ticks(request.context(), SECOND)), GET);
}

// What is written is what is read.

/// A text of few and nasty pieces, or none.
fn text(random: &mut Random, pieces: &[&str]) -> Option<String> {
    (random.below(3) > 0).then(|| (0..random.below(6)).map(|_| pieces[random.below(pieces.len())]).collect())
}

const PIECES: [&str; 9] = ["a", " ", ":", "data", "id: 9", "\u{feff}", "ä", "event:x", "1"];
const BREAKS: [&str; 8] = ["\n", "\r", "\r\n", "\n\n", "data: b", "\0", " ", "ö"];

fn event(random: &mut Random) -> Event {
    let lines = [&PIECES[..], &BREAKS[..]].concat();
    let mut event = Event::default();
    event.comment = text(random, &lines).map(Into::into);
    event.event = text(random, &PIECES).map(Into::into);
    event.id = text(random, &PIECES).map(Into::into);
    event.retry = text(random, &["1", "0"]).map(|_| Duration::from_millis(random.below(5000) as u64));
    event.data = text(random, &lines).map(Into::into);
    event
}

#[test]
fn clients_dispatch_what_was_sent_however_it_is_cut() {
    let random = &mut Random(7);
    for _ in 0..500 {
        let events: Vec<Event> = (0..4).map(|_| event(random)).collect();
        let bytes: Vec<u8> = events.iter().flat_map(|event| event.encode().unwrap()).collect();
        let (mut id, mut retry, mut expected) = (String::new(), None, Vec::new());
        for event in &events {
            id = event.id.as_ref().map_or(id, |id| id.to_string());
            retry = event.retry.or(retry);
            if let Some(data) = &event.data {
                let name = event.event.as_deref().filter(|name| !name.is_empty()).unwrap_or("message");
                expected.push((name.to_owned(), data.replace("\r\n", "\n").replace('\r', "\n"), id.clone()));
            }
        }
        let mut reader = EventReader::default();
        let mut read = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(1 + random.below(rest.len()));
            read.extend(
                reader.feed(piece).into_iter().map(|event| (event.event, event.data, event.last_event_id)),
            );
            rest = others;
        }
        assert_eq!(read, expected, "{events:?}");
        assert_eq!((reader.last_event_id(), reader.retry()), (&*id, retry), "{events:?}");
    }
}

#[test]
fn a_client_reads_what_a_handler_sends() {
    let client = Client::new(|request: Request| ticks(request.context(), 20 * SECOND));
    let mut events = client.get("/").timeout(30 * SECOND).send().sse();
    let data: Vec<String> = events.by_ref().map(|event| event.data).collect();
    assert_eq!((data.join(" "), events.reader().comments().len()), ("0 1 2".to_owned(), 3));
}
