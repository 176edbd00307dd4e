//! Responses that are sent as they come about.
#![allow(clippy::unwrap_used, reason = "a test that fails is to say where")]

mod observed;
mod once;
mod streaming;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use bakestone::error::Disconnected;
use bakestone::message::{BodySender, Empty, JsonLines, OnDisconnect};
use bakestone::{
    Body, Bytes, Context, Error, HeaderMap, HeaderValue, IntoResponse, Request, Response, Result, Session,
    Text,
};
use bakestone_testkit::{Wire, http1_view, laws};
use serde_json::value::RawValue;

use observed::observed;
use once::once;
use streaming::{Cage, Canary, Then, items};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);

/// Keeps the sender of a channel's body.
type Senders = Arc<Mutex<Vec<BodySender>>>;

/// What a future gives that does not wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn chunked(body: &str) -> String {
    let chunks: String =
        body.split_inclusive('\n').map(|line| format!("{:x}\r\n{line}\r\n", line.len())).collect();
    format!(
        "HTTP/1.1 200 OK\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"
    )
}

const LAST: &str = "0\r\n\r\n";

#[test]
fn every_source_gives_its_pieces_in_order() {
    type Make = fn() -> Body;
    let makes: [Make; 9] = [
        || Body::from_items(items([Bytes::from("a\n"), "b\n".into()])),
        || Body::from_items(items(["a\n".to_owned(), "b\n".to_owned()])),
        || Body::from_items(items(["a\n", "", "b\n"])),
        || Body::from_items(items([vec![b'a', b'\n'], vec![b'b', b'\n']])),
        || Body::from_items(items([&b"a\n"[..], b"b\n"])),
        || Body::from_items(items([Cow::Borrowed("a\n"), Cow::Owned("b\n".to_owned())])),
        || Body::from_items(items([Ok("a\n"), Ok::<_, Error>("b\n")])),
        || {
            let (mut sender, body) = Body::channel(1000);
            now(sender.send("a\n")).unwrap();
            now(sender.send("b\n")).unwrap();
            sender.finish().unwrap();
            body
        },
        || {
            Body::written(|mut out| async move {
                out.send("a\n").await?;
                Ok(out.send("b\n").await?)
            })
        },
    ];
    for make in makes {
        let mut wire = Wire::new(Session::new(move |_: Request| Response::new(make())));
        wire.feed(GET).expect(chunked("a\nb\n") + LAST).expect_open();
    }
}

#[test]
fn a_body_is_a_stream_of_its_pieces() {
    let mut wire =
        Wire::new(Session::new(|request: Request| Response::new(Body::from_items(request.into_body()))));
    wire.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\na\n").feed("b\n");
    wire.expect(chunked("a\nb\n") + LAST).expect_open();
}

#[test]
fn an_error_that_is_there_at_once_is_a_response() {
    type Make = fn() -> Body;
    let makes: [Make; 5] = [
        || Body::from_items(items([Err::<&str, _>("no")])),
        || Body::from_items(items(["", ""].map(Ok).into_iter().chain([Err("no")]))),
        || Body::written(|_| async { Err(Error::internal()) }),
        || {
            let (sender, body) = Body::channel(1);
            sender.fail("no").unwrap();
            body
        },
        || Body::channel(1).1,
    ];
    for make in makes {
        let mut wire = Wire::new(Session::new(move |_: Request| Response::new(make())));
        let text = wire.feed(GET).take_text();
        assert!(text.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nInternal Server Error"), "{text}");
        wire.expect_open();
    }
}

/// An error of the application's own keeps its status, its text and its fields.
#[test]
fn an_error_of_ours_that_comes_at_once_is_the_response() {
    let body = |_: Request| {
        Response::new(Body::written(|_| async { Err(Error::conflict("the last one was sold")) }))
    };
    let mut wire = Wire::new(Session::new(body));
    let text = wire.feed(GET).take_text();
    assert!(text.starts_with("HTTP/1.1 409 "), "{text}");
    assert!(text.ends_with("\r\n\r\nthe last one was sold"), "{text}");
}

#[test]
fn an_error_that_comes_later_cuts_the_message() {
    type Make = fn(Context) -> Body;
    let makes: [Make; 4] = [
        |_| Body::from_items(items([Ok("a\n"), Err("no")])),
        |context| {
            Body::written(|mut out| async move {
                out.send("a\n").await?;
                context.sleep(SECOND).await;
                Err(Error::not_found())
            })
        },
        |_| {
            let (mut sender, body) = Body::channel(1);
            now(sender.send("a\n")).unwrap();
            sender.fail("no").unwrap();
            body
        },
        |_| {
            let (mut sender, body) = Body::channel(1);
            now(sender.send("a\n")).unwrap();
            body
        },
    ];
    for (make, cause) in makes.into_iter().zip(["\"no\"", "404", "\"no\"", "Abandoned"]) {
        let (mut wire, events) =
            observed(move |request: Request| Response::new(make(request.context().clone())));
        wire.feed(GET).advance(SECOND).expect(chunked("a\n")).expect_reset();
        let events = events.lock().unwrap().join(" ");
        assert!(events.contains("BodyFailed") && events.contains(cause), "{events}");
    }
}

#[test]
fn an_error_behind_the_end_of_its_own_cuts_the_message() {
    type Make = fn() -> Body;
    let makes: [(Make, &str); 2] = [
        (
            || {
                Body::written(|mut out| async move {
                    out.send("a\n").await?;
                    out.finish()?;
                    Err(Error::conflict("too late"))
                })
            },
            "too late",
        ),
        // Of two reasons the first.
        (
            || {
                Body::written(|mut out| async move {
                    out.send("a\n").await?;
                    out.fail("the first")?;
                    Err(Error::conflict("the second"))
                })
            },
            "the first",
        ),
    ];
    for (make, cause) in makes {
        let (mut wire, events) = observed(move |_: Request| Response::new(make()));
        wire.feed(GET).expect(chunked("a\n")).expect_reset();
        let events = events.lock().unwrap().join(" ");
        assert!(events.contains("BodyFailed") && events.contains(cause), "{events}");
    }
}

#[test]
fn a_source_that_waits_lets_its_head_go() {
    type Make = fn(Context, &Senders) -> Body;
    let makes: [Make; 3] = [
        |context, _| {
            let (sleep, canary) = (context.sleep(SECOND), Cage::default().canary());
            Body::from_items(Then { first: None::<&str>, sleep, _canary: canary })
        },
        |context, _| {
            Body::written(|_| async move {
                context.sleep(SECOND).await;
                Ok(())
            })
        },
        |_, senders| {
            let (sender, body) = Body::channel(1);
            senders.lock().unwrap().push(sender);
            body
        },
    ];
    for make in makes {
        let senders = Senders::default();
        let kept = senders.clone();
        let mut wire = Wire::new(Session::new(move |request: Request| {
            Response::new(make(request.context().clone(), &kept))
        }));
        wire.feed(GET).expect(chunked("")).advance(SECOND);
        for sender in senders.lock().unwrap().drain(..) {
            sender.finish().unwrap();
        }
        wire.expect(LAST).expect_open();
    }
}

#[test]
fn trailer_fields_end_it() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("2"));
    type Make = fn(HeaderMap) -> Body;
    let makes: [Make; 2] = [
        |trailers| {
            let (mut sender, body) = Body::channel(1);
            now(sender.send("a\n")).unwrap();
            sender.finish_with_trailers(trailers).unwrap();
            body
        },
        |trailers| {
            Body::written(|mut out| async move {
                out.send("a\n").await?;
                out.finish_with_trailers(trailers)?;
                std::future::pending().await
            })
        },
    ];
    for make in makes {
        let trailers = trailers.clone();
        let mut wire = Wire::new(Session::new(move |_: Request| Response::new(make(trailers.clone()))));
        wire.feed("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n");
        assert!(wire.take_text().ends_with("2\r\na\n\r\n0\r\nx-sum: 2\r\n\r\n"));
    }
}

#[test]
fn little_is_made_ahead_for_a_client_that_does_not_read() {
    const PIECE: usize = 1000;
    type Make = fn(Arc<AtomicUsize>) -> Body;
    let makes: [Make; 2] = [
        |made| {
            let pieces = (0..1000).map(move |_| {
                made.fetch_add(1, Ordering::SeqCst);
                vec![b'x'; PIECE]
            });
            Body::from_items(Lazy(pieces))
        },
        |made| {
            Body::written(|mut out| async move {
                for _ in 0..1000 {
                    made.fetch_add(1, Ordering::SeqCst);
                    out.send(vec![b'x'; PIECE]).await?;
                }
                Ok(())
            })
        },
    ];
    for make in makes {
        let made = Arc::new(AtomicUsize::new(0));
        let seen = made.clone();
        let mut wire = Wire::new(Session::new(move |_: Request| Response::new(make(made.clone()))));
        wire.hold_output(true).record(false).feed(GET);
        let ahead = seen.load(Ordering::SeqCst) * PIECE;
        assert!(ahead <= (64 << 10) + 3 * PIECE, "{ahead} bytes were made for nobody");
        wire.hold_output(false);
        let view = http1_view(&wire.take());
        assert_eq!(view.iter().filter(|byte| **byte == b'x').count(), 1000 * PIECE);
    }
}

/// The items of an iterator, each made when it is asked for.
struct Lazy<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Lazy<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

#[test]
fn a_channel_takes_what_it_has_room_for() {
    for (capacity, piece, expected) in
        [(0, 1, 1), (1, 1, 1), (64, 1, 1), (65, 1, 2), (1000, 100, 10), (1000, 999, 2)]
    {
        let (mut sender, mut body) = Body::channel(capacity);
        let mut sent = 0;
        while now(once(sender.send(vec![b'x'; piece]))).is_some() {
            sent += 1;
            assert!(sent < 100, "nothing stops it");
        }
        assert_eq!(sent, expected, "{capacity} bytes, {piece} each");
        // What waited was not taken: there is as much as was sent, and room for one more.
        assert_eq!(now(body.chunk()).unwrap().unwrap().len(), piece);
        let refilled = now(once(sender.send("x"))).is_some();
        sender.finish().unwrap();
        let rest = now(body.bytes(1 << 20)).unwrap_err();
        assert!(matches!(rest, bakestone::message::BodyError::AlreadyConsumed), "{rest}");
        let mut left = 0;
        while now(body.chunk()).unwrap().is_some() {
            left += 1;
        }
        assert_eq!(left, expected - 1 + usize::from(refilled));
    }
}

#[test]
fn a_source_is_dropped_when_the_client_leaves_whatever_the_handler_wants() {
    type Make = fn(&Context, Canary) -> Body;
    let makes: [Make; 2] = [
        |context, canary| {
            Body::from_items(Then {
                first: Some("a\n"),
                sleep: context.sleep(3600 * SECOND),
                _canary: canary,
            })
        },
        |context, canary| {
            let sleep = context.sleep(3600 * SECOND);
            Body::written(|mut out| async move {
                let _canary = canary;
                out.send("a\n").await?;
                sleep.await;
                Ok(())
            })
        },
    ];
    let policies = [None, Some(OnDisconnect::Finish), Some(OnDisconnect::Cancel), Some(OnDisconnect::Notify)];
    for (make, policy, method) in makes
        .iter()
        .flat_map(|make| policies.map(|policy| (make, policy)))
        .flat_map(|(make, policy)| ["GET", "POST"].map(|method| (*make, policy, method)))
    {
        let cage = Cage::default();
        let canaries = cage.clone();
        let mut wire = Wire::new(Session::new(move |request: Request| {
            policy.into_iter().for_each(|policy| request.context().on_disconnect(policy));
            Response::new(make(request.context(), canaries.canary()))
        }));
        wire.feed(format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
        wire.expect(chunked("a\n")).expect_silence();
        // A client that has only finished sending still reads.
        wire.finish();
        assert!(!cage.is_empty(), "{method} {policy:?}");
        wire.reset();
        assert!(cage.is_empty(), "{method} {policy:?}");
    }
}

#[test]
fn a_sender_is_told_that_nobody_takes_its_body() {
    type Leave = fn(&mut Wire<Session<bakestone::session::Function<Handler>>>);
    type Handler = Box<dyn Fn(Request) -> Response>;
    let leaves: [Leave; 3] = [
        |wire| drop(wire.feed(GET).reset().take()),
        |wire| drop(wire.feed(GET.replace("GET", "HEAD")).take()),
        |wire| drop(wire.feed(GET).hold_output(true).drain().advance(3600 * SECOND).take()),
    ];
    for leave in leaves {
        let senders = Senders::default();
        let kept = senders.clone();
        let handler: Handler = Box::new(move |_| {
            let (mut sender, body) = Body::channel(1);
            now(sender.send("a\n")).unwrap();
            kept.lock().unwrap().push(sender);
            Response::new(body)
        });
        let mut wire = Wire::new(Session::new(handler));
        leave(&mut wire);
        let mut sender = senders.lock().unwrap().pop().unwrap();
        assert!(sender.is_disconnected());
        assert_eq!(now(sender.disconnected()), Disconnected::Over);
        assert_eq!(now(sender.send("b\n")), Err(Disconnected::Over));
        assert_eq!(sender.finish(), Err(Disconnected::Over));
    }
}

/// GET listens, POST speaks.
async fn relay(senders: Senders, mut request: Request) -> Result<Response> {
    if request.method() == bakestone::Method::GET {
        let (sender, body) = Body::channel(1);
        senders.lock().unwrap().push(sender);
        return Ok(Response::new(body));
    }
    let said = request.bytes().await?;
    let mut sender = senders.lock().unwrap().pop().unwrap();
    sender.send(said).await?;
    sender.send("over\n").await?;
    sender.finish()?;
    Text("sent").into_response()
}

#[test]
fn one_request_sends_the_body_of_another() {
    let senders = Senders::default();
    let serve = |senders: Senders| Session::new(move |request| relay(senders.clone(), request));
    let (mut listener, mut speaker) = (Wire::new(serve(senders.clone())), Wire::new(serve(senders)));
    listener.feed(GET).expect(chunked(""));
    speaker.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhello\n").expect_silence();
    // The first piece is taken, so the second has room, and then the speaker is through.
    listener.expect("6\r\nhello\n\r\n");
    assert!(speaker.take_text().ends_with("sent"));
    listener.expect("5\r\nover\n\r\n0\r\n\r\n").expect_open();
}

#[test]
fn values_are_lines_of_json() {
    let mut wire = Wire::new(Session::new(|_: Request| JsonLines::new(items([vec!["a\n"], vec![]]))));
    wire.feed(GET);
    let text = String::from_utf8(http1_view(&wire.take())).unwrap();
    assert!(text.contains("\r\ncontent-type: application/x-ndjson\r\n"), "{text}");
    assert!(text.contains("\r\n\r\n[\"a\\n\"]\n[]\n"), "{text}");
}

#[test]
fn a_value_that_is_json_already_is_one_line_too() {
    let pretty = "{\r\n  \"a\": [1,\n\t2],\r\"b\": \"\\n\"\n}";
    let value: Box<RawValue> = serde_json::from_str(pretty).unwrap();
    let mut wire =
        Wire::new(Session::new(move |_: Request| JsonLines::new(items([value.clone(), value.clone()]))));
    wire.feed(GET);
    let text = String::from_utf8(http1_view(&wire.take())).unwrap();
    let line = "{    \"a\": [1, \t2], \"b\": \"\\n\" }\n";
    assert!(text.contains(&format!("\r\n\r\n{line}{line}")), "{text}");
}

#[test]
fn a_value_that_is_no_json_cuts_the_lines() {
    type Lines = fn() -> JsonLines;
    // A key of a map that is no text.
    let lines: [Lines; 2] = [
        || JsonLines::new(items([BTreeMap::new(), BTreeMap::from([(vec![1], 1)])])),
        || JsonLines::fallible(items([Ok(BTreeMap::<u8, u8>::new()), Err("no")])),
    ];
    for lines in lines {
        let mut wire = Wire::new(Session::new(move |_: Request| lines()));
        wire.feed(GET);
        assert!(wire.take_text().ends_with("\r\n\r\n3\r\n{}\n\r\n"));
        wire.expect_reset();
    }
}

#[test]
fn nothing_is_204() {
    let mut wire = Wire::new(Session::new(|_: Request| Empty));
    wire.feed(GET)
        .expect("HTTP/1.1 204 No Content\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n")
        .expect_open();
}

#[test]
fn they_keep_the_laws() {
    type Make = fn(&Context) -> Body;
    let makes: [Make; 2] = [
        |_| Body::from_items(Lazy((0..100).map(|_| vec![b'x'; 5000]))),
        |context| {
            let context = context.clone();
            Body::written(|mut out| async move {
                for _ in 0..5 {
                    out.send("piece").await?;
                    context.sleep(SECOND).await;
                }
                Ok(())
            })
        },
    ];
    for make in makes {
        laws(move || Session::new(move |request: Request| Response::new(make(request.context()))), GET);
    }
}
