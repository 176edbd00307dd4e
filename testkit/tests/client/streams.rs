//! Responses that come piece by piece, and requests that do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bakestone::message::OnDisconnect;
use bakestone::{
    App, Body, Bytes, Context, Event, HeaderMap, HeaderValue, Request, Response, Result, Sse, StatusCode,
    Text, get, post,
};
use bakestone_testkit::Client;
use bakestone_testkit::client::Cause;

use super::{HOUR, SECOND};

async fn ticks(context: Context) -> Sse {
    Sse::written(&context.clone(), |mut events| async move {
        for tick in 0.. {
            events.send(Event::data(tick.to_string())).await?;
            context.sleep(SECOND).await;
        }
        Ok(())
    })
}

#[test]
fn z10_an_endless_stream_is_read_event_by_event() {
    let client = Client::new(App::new().route("/", get(ticks)));
    let mut response = client.get("/").send();
    response.expect_status(200).expect_header("content-type", "text/event-stream");
    let mut events = response.sse();
    let began_at = client.now().mono;
    let data: Vec<String> = events.by_ref().take(4).map(|event| event.data).collect();
    assert_eq!(data, ["0", "1", "2", "3"]);
    assert_eq!(client.now().mono.since(began_at), 3 * SECOND);
    assert!(events.ready().is_empty());
    client.advance(3 * SECOND);
    assert_eq!(events.ready().len(), 3);
    // Others go on meanwhile.
    assert_eq!(client.get("/").send().sse().next().unwrap().data, "0");
    client.drain();
    assert!(events.next().is_none());
    assert!(events.response().is_complete());
}

/// Counts the pieces that it is asked for.
fn endless(asked: Arc<AtomicUsize>) -> App {
    App::new().route(
        "/",
        get(move |request: Request| {
            let asked = asked.clone();
            async move {
                let mut writer = request.respond(StatusCode::OK, HeaderMap::new())?;
                loop {
                    asked.fetch_add(1, Ordering::SeqCst);
                    writer.write(Bytes::from(vec![b'x'; 1000])).await?;
                }
                #[allow(unreachable_code, reason = "it says what the handler returns")]
                Ok::<Response, bakestone::Error>(Response::default())
            }
        }),
    )
}

#[test]
fn z13_a_slow_reader_slows_the_server_down() {
    let asked = Arc::new(AtomicUsize::new(0));
    let client = Client::new(endless(asked.clone()));
    let mut response = client.get("/").read_ahead(0).send();
    let before = asked.load(Ordering::SeqCst);
    assert!((10..100).contains(&before), "{before}");
    assert!(response.waiting() >= 60_000, "{}", response.waiting());
    client.run_until_idle();
    assert_eq!(asked.load(Ordering::SeqCst), before);
    assert_eq!(response.read_at_most(5 + 100).len(), 100);
    let read: usize = (0..50).map(|_| response.chunk().unwrap().len()).sum();
    assert!(read >= 40_000 && asked.load(Ordering::SeqCst) > before, "{read}");
    // Whoever reads nothing for half a minute is cut off.
    client.advance(HOUR);
    let error = loop {
        match response.try_chunk() {
            Ok(Some(_)) => {}
            other => break other.unwrap_err(),
        }
    };
    assert_eq!(error.cause, Cause::Reset);
}

#[test]
fn z13_a_client_that_goes_away() {
    let gone = Arc::new(AtomicUsize::new(0));
    let noted = gone.clone();
    let app = endless(Arc::default()).route(
        "/wait",
        post(move |request: Request| {
            let gone = noted.clone();
            async move {
                let context = request.context().clone();
                context.on_disconnect(OnDisconnect::Notify);
                context.disconnected().await;
                gone.fetch_add(1, Ordering::SeqCst);
                Text("too late")
            }
        }),
    );
    let client = Client::new(app);
    client.post("/wait").start().disconnect();
    drop(client.post("/wait").start());
    assert_eq!(gone.load(Ordering::SeqCst), 2);
    let response = client.get("/").send();
    assert_eq!(client.connections(), 1);
    drop(response);
    assert_eq!(client.connections(), 0);

    let error = client.post("/wait").try_send().unwrap_err();
    assert_eq!((error.cause, gone.load(Ordering::SeqCst)), (Cause::Deadlock, 3));
}

async fn sum(mut request: Request) -> Result<Text<String>> {
    let mut length = 0;
    while let Some(chunk) = request.body().chunk().await? {
        length += chunk.len();
    }
    Ok(Text(length.to_string()))
}

#[test]
fn a_content_that_stops_half_way() {
    let client = Client::new(App::new().route("/", post(sum)));
    let mut pending = client.post("/").header("content-length", "10").body_by_hand().start();
    pending.write("12345").half_close();
    let mut response = pending.response();
    response.expect_status(400);
    assert_eq!(response.error().unwrap().code(), Some("disconnected"));

    let mut slow = client.post("/").body_by_hand().start();
    for _ in 0..5 {
        slow.write("1234567890".repeat(1000));
        client.advance(SECOND);
    }
    assert!(!slow.is_answered());
    slow.end();
    slow.response().expect_text("50000");
    client.post("/").body_stream((0..500).map(|_| vec![7; 4096])).send().expect_text("2048000");
}

#[test]
fn z11_pieces_trailers_and_what_breaks_off() {
    let app = App::new()
        .route(
            "/pieces",
            get(|context: Context| async move {
                Response::new(Body::written(|mut body| async move {
                    body.send("one").await?;
                    context.sleep(SECOND).await;
                    body.send("two").await?;
                    Ok(())
                }))
            }),
        )
        .route(
            "/breaks",
            get(|context: Context| async move {
                Response::new(Body::written(|mut body| async move {
                    body.send("one").await?;
                    context.sleep(SECOND).await;
                    Err(bakestone::Error::new(StatusCode::BAD_GATEWAY, "the oven is cold"))
                }))
            }),
        )
        .route(
            "/trailers",
            get(|request: Request| async move {
                let mut writer = request.respond(StatusCode::OK, HeaderMap::new())?;
                writer.write("body").await?;
                let trailers =
                    HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("7"))]);
                writer.finish_with_trailers(trailers).await
            }),
        );
    let client = Client::new(app);
    let pieces: Vec<Bytes> = client.get("/pieces").send().stream().collect();
    assert_eq!(pieces, ["one", "two"]);
    let mut whole = client.get("/pieces").send();
    assert_eq!((whole.ready().as_ref(), whole.is_complete()), (&b"one"[..], false));
    assert_eq!((whole.text(), whole.text()), ("two".to_owned(), "two".to_owned()));

    let mut response = client.get("/breaks").send();
    assert_eq!(response.chunk().unwrap(), "one");
    let error = response.try_bytes().unwrap_err();
    assert_eq!(error.cause, Cause::Reset);
    assert!(error.to_string().contains("the oven is cold"), "{error}");

    let mut response = client.get("/trailers").header("te", "trailers").send();
    response.expect_text("body");
    assert_eq!(response.trailers().unwrap()["x-sum"], "7");
}

#[test]
fn what_has_no_end_ends_the_test() {
    let client =
        Client::setup().endless_after(1 << 20).start(endless(Arc::default()).route("/taken", post(sum)));
    let error = client.get("/").send().try_bytes().unwrap_err();
    assert!(matches!(error.cause, Cause::Endless(bytes) if bytes > 1 << 20), "{error}");
    // An upload without end that is refused is over with the refusal.
    let pieces = || std::iter::repeat_with(|| Bytes::from_static(&[7; 60_000]));
    client.post("/").body_stream(pieces()).send().expect_status(405);
    let panic = super::panic_of(|| client.post("/taken").body_stream(pieces()).send());
    assert!(panic.contains("no rest after"), "{panic}");
}
