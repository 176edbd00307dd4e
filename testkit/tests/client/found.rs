//! What strangers stumbled over.

use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use bakestone::message::Sent;
use bakestone::{
    App, Context, Error, HeaderMap, HeaderValue, Request, Result, SetCookie, StatusCode, Text, any, get, post,
};
use bakestone_testkit::client::{Cause, Url};
use bakestone_testkit::{Client, ClientRequest, CookieJar, MultipartBody};

use super::{HOUR, SECOND, echo, panic_of};

fn client() -> Client {
    Client::new(App::new().route("/{path:path}", any(echo)))
}

async fn slow(context: Context) -> Text<&'static str> {
    context.sleep(5 * SECOND).await;
    Text("slow")
}

/// Something that is waited for in one machine, and given in another.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<(bool, Option<Waker>)>>);

impl Gate {
    fn open(&self) {
        let mut gate = self.0.lock().unwrap();
        gate.0 = true;
        if let Some(waker) = gate.1.take() {
            waker.wake();
        }
    }

    async fn opened(&self) {
        std::future::poll_fn(|cx| {
            let mut gate = self.0.lock().unwrap();
            gate.1 = Some(cx.waker().clone());
            if gate.0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[test]
fn whoever_is_woken_by_a_deadline_elsewhere_reads_the_same_clock() {
    let (opened, waited) = (Gate::default(), Gate::default());
    let (of_task, of_handler) = (opened.clone(), waited.clone());
    let waits = move |context: Context| {
        let gate = waited.clone();
        async move {
            let began_at = context.now().mono;
            gate.opened().await;
            let woken_at = context.now().mono;
            context.sleep(SECOND).await;
            Text(format!("{:?} {:?}", woken_at.since(began_at), context.now().mono.since(began_at)))
        }
    };
    let opens = move |context: Context| {
        let gate = opened.clone();
        async move {
            gate.opened().await;
            context.sleep(100 * SECOND).await;
            of_handler.open();
        }
    };
    let app =
        App::new().on_startup(async move |context: Context| _ = context.spawn(opens)).route("/", get(waits));
    let client = Client::setup().timeout(HOUR).start(app);
    let pending = client.get("/").start();
    of_task.open();
    pending.response().expect_text("100s 101s");
    // An open connection of another client has the same clock, too.
    assert_eq!(client.now().mono.since(bakestone::machine::Moment::from_epoch(1_000 * SECOND)), 101 * SECOND);
}

#[test]
fn deadlines_without_end_end_the_wait() {
    let spin = |context: Context| async move {
        loop {
            context.sleep(Duration::from_nanos(1)).await;
        }
        #[allow(unreachable_code, reason = "it says what the handler returns")]
        Text("never")
    };
    let client = Client::new(App::new().route("/", get(spin)));
    assert_eq!(client.get("/").try_send().unwrap_err().cause, Cause::Restless(200_000));
}

#[test]
fn what_is_said_last_of_a_content_counts() {
    let client = client();
    let form = || MultipartBody::new().text("a", "b");
    type Change = fn(ClientRequest) -> ClientRequest;
    let cases: [(Change, &str); 9] = [
        (|r| r.json(&1).header("content-type", "application/x"), "application/x"),
        (|r| r.header("content-type", "application/x").json(&1), "application/x"),
        (|r| r.json(&1).text("x"), "text/plain; charset=utf-8"),
        (|r| r.text("x").json(&1), "application/json"),
        (|r| r.json(&1).form(&[("a", 1)]), "application/x-www-form-urlencoded"),
        (|r| r.json(&1).body("x"), ""),
        (|r| r.json(&1).body_stream(["x"]), ""),
        (|r| r.json(&1).without("content-type"), ""),
        (|r| r.without("content-type").json(&1), ""),
    ];
    for (change, expected) in cases {
        let text = change(client.post("/")).send().text();
        let types: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("content-type: ")).collect();
        assert_eq!(types.join("|"), expected, "{text}");
    }
    let text = client.post("/").json(&1).multipart(form()).send().text();
    assert!(text.contains("content-type: multipart/form-data") && !text.contains("json"), "{text}");
}

#[test]
fn cookies_of_a_request_are_sent_whatever_stands_beside_them() {
    let client = client();
    client.set_cookie("kept=1");
    for (request, expected) in [
        (client.get("/").header("cookie", "a=b").cookie("c", "d"), "a=b; c=d"),
        (client.get("/").without("cookie").cookie("c", "d"), "c=d"),
        (client.get("/").cookie("kept", "2"), "kept=2"),
    ] {
        request.send().expect_contains(&format!("cookie: {expected}\n"));
    }
    assert!(panic_of(|| client.get("/").cookie("a", "b\n")).contains("is no field"));
}

#[test]
fn a_cookie_ends_at_its_moment_from_when_it_came() {
    let app = App::new().route("/", get(|| (SetCookie::new("id", "7").path("/").max_age(HOUR), Text("in"))));
    let client = Client::new(app);
    let pending = client.get("/").start();
    client.advance(HOUR - SECOND);
    pending.response().expect_text("in");
    assert_eq!(client.cookie("id").as_deref(), Some("7"));
    client.advance(SECOND);
    assert_eq!(client.cookie("id"), None);
}

#[test]
fn a_full_jar_loses_one_cookie_for_each_that_comes() {
    let url = Url::parse("http://one.example/").unwrap();
    let mut jar = CookieJar::default();
    for i in 0..180 {
        jar.store(&url, format!("c{i}=1").as_bytes(), HOUR);
    }
    // All of them were needed at one moment.
    jar.field(&url, HOUR);
    jar.store(&url, b"new=1", HOUR);
    assert_eq!(jar.iter().count(), 180);
    assert!(jar.get("c0").is_none() && jar.get("c1").is_some() && jar.get("new").is_some());
}

#[test]
fn two_clients_of_one_server() {
    let app = App::new()
        .route("/login", get(|| (SetCookie::new("id", "7").path("/"), Text("in"))))
        .route("/slow", get(slow))
        .route("/", get(echo));
    let one = Client::setup().header("x-team", "bakers").start(app);
    let two = one.another();
    one.get("/login").send();
    two.set_header("x-team", "millers");
    one.get("/").send().expect_contains("cookie: id=7\n").expect_contains("x-team: bakers\n");
    let text = two.get("/").send().expect_contains("x-team: millers\n").text();
    assert!(!text.contains("cookie"), "{text}");
    assert_eq!((two.cookie("id"), one.connections()), (None, 2));
    // Time is that of both, and so is the server.
    let pending = one.get("/slow").start();
    two.advance(5 * SECOND);
    assert!(pending.is_answered());
    drop(one);
    two.get("/").send().expect_status(200);
}

#[test]
fn what_was_written_leaves_before_the_end_of_a_client() {
    let app = App::new().route(
        "/",
        post(|mut request: Request| async move {
            request.context().sleep(SECOND).await;
            let mut length = 0;
            while let Some(chunk) = request.body().chunk().await? {
                length += chunk.len();
            }
            Ok::<_, Error>(Text(length.to_string()))
        }),
    );
    let client = Client::new(app);
    let mut pending = client.post("/").body_by_hand().start();
    pending.write(vec![b'x'; 500_000]).end().half_close();
    pending.response().expect_text("500000");
    // What was not ended is cut behind what was written.
    let mut cut = client.post("/").header("content-length", "500001").body_by_hand().start();
    cut.write(vec![b'x'; 500_000]).half_close();
    cut.response().expect_status(400).expect_contains("stopped sending");
}

/// Sends back each piece as it comes.
async fn duplex(mut request: Request) -> Result<Sent> {
    let mut writer = request.respond(StatusCode::OK, HeaderMap::new())?;
    while let Some(chunk) = request.body().chunk().await? {
        writer.write(chunk).await?;
    }
    Ok(writer.finish().await?)
}

#[test]
fn a_content_goes_on_while_its_response_comes() {
    let client = Client::new(App::new().route("/", post(duplex)));
    let mut pending = client.post("/").body_by_hand().start();
    pending.write("a");
    let mut response = pending.response();
    assert_eq!(response.chunk().unwrap(), "a");
    response.write("b");
    assert_eq!(response.chunk().unwrap(), "b");
    response.end();
    assert_eq!((response.chunk(), client.connections()), (None, 1));
    // More than either side holds.
    let content = "0123456789".repeat(300_000);
    client
        .post("/")
        .body_stream(content.as_bytes().chunks(7_777).map(<[u8]>::to_vec).collect::<Vec<_>>())
        .send()
        .expect_text(&content);
}

#[test]
fn what_is_written_where_nothing_is_awaited_fails() {
    let client = Client::new(App::new().route("/", any(slow)));
    for (panic, expected) in [
        (panic_of(|| _ = client.post("/").start().write("x")), "POST /: its content is not `body_by_hand`"),
        (panic_of(|| _ = client.post("/").body_by_hand().start().end().write("x")), "its content has ended"),
        (
            panic_of(|| _ = client.post("/").body_by_hand().start().half_close().write("x")),
            "this end has finished sending",
        ),
        (
            panic_of(|| _ = client.post("/").body_by_hand().start().half_close().end()),
            "this end has finished sending",
        ),
    ] {
        assert!(panic.contains(expected), "{panic}");
    }
    // What a server has refused goes nowhere, and that is no fault.
    let mut refused = client.post("/nowhere").body_by_hand().start();
    refused.write("x").end();
    refused.response().expect_status(404);
}

#[test]
fn a_response_keeps_its_own_transcript() {
    let app = App::new().route("/slow", get(slow)).route("/{path:path}", any(echo));
    let client = Client::new(app);
    let first = client.get("/first").send();
    let closed = client.get("/closed").header("connection", "close").send();
    for _ in 0..30 {
        client.get("/other").header("connection", "close").send();
    }
    for (mut response, path) in [(first, "/first"), (closed, "/closed")] {
        let text = response.transcript();
        assert!(text.contains(&format!("> GET {path} HTTP/1.1")) && !text.contains("/other"), "{text}");
        assert!(panic_of(|| drop(response.expect_status(500).text())).contains(&text));
    }
    // What is done to a response that is over is not done to the one that has its connection now.
    let over = client.get("/over").send();
    let mut read = client.get("/read").send();
    let pending = client.get("/slow").start();
    assert!(!read.read_at_most(10).is_empty());
    over.disconnect();
    read.half_close();
    pending.response().expect_text("slow");
    client.get("/over").send().disconnect();
    assert_eq!(client.connections(), 0);
}

#[test]
fn requests_in_a_row_of_which_one_closes() {
    let app = App::new().route("/{path:path}", any(echo)).route(
        "/close",
        get(|| {
            let close = ("connection".parse().unwrap(), HeaderValue::from_static("close"));
            (StatusCode::OK, HeaderMap::from_iter([close]), Text("closed"))
        }),
    );
    let client = Client::new(app);
    let requests = || ["/a", "/close", "/b"].map(|path| client.get(path));
    let answers = client.try_pipeline(requests());
    let told: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().map_or_else(|error| Err(error.cause.clone()), |_| Ok(())))
        .collect();
    assert_eq!(told, [Ok(()), Ok(()), Err(Cause::Closed)]);
    assert!(
        panic_of(|| client.pipeline(requests())).starts_with("GET /b at http://localhost: the server closed")
    );
}

#[test]
fn a_tunnel_by_connect() {
    async fn tunnel(mut request: Request) -> Result<Sent> {
        let target = request.uri().to_string();
        let mut writer = request.respond(StatusCode::OK, HeaderMap::new())?;
        writer.write(target).await?;
        while let Some(chunk) = request.body().chunk().await? {
            writer.write(chunk).await?;
        }
        Ok(writer.finish().await?)
    }
    let client = Client::new(tunnel);
    for (authority, expected) in [("bread.example:443", "bread.example:443"), ("[::1]:80", "[::1]:80")] {
        let mut response = client.request("CONNECT", authority).send();
        assert_eq!(response.chunk().unwrap(), expected);
        response.write("ping");
        assert_eq!(response.chunk().unwrap(), "ping");
        response.half_close();
        assert_eq!(response.chunk(), None);
    }
    assert!(panic_of(|| client.request("CONNECT", "/x")).contains("\"/x\" is no host with a port"));
}

#[test]
fn what_cannot_stand_in_a_request_line_is_escaped() {
    let client = client();
    for (request, expected) in [
        (client.get("/").raw_query("a#b"), "GET /?a%23b\n"),
        (client.get("/caf\u{e9}?q=\u{1f950} x"), "GET /caf%C3%A9?q=%F0%9F%A5%90%20x\n"),
        (client.get("http://[::1]:8080/x"), "GET /x\n"),
        (client.post("/").header("expect", "100-Continue").body("x"), "POST /\n"),
    ] {
        assert!(request.send().text().starts_with(expected));
    }
    let waits = client.post("/").header("expect", "100-Continue").body("x").send();
    assert_eq!(waits.informational().len(), 1);
}

#[test]
fn what_fails_is_told_in_words() {
    let app = App::new().route("/", get(|| Text("no events"))).route(
        "/caf",
        get(|| {
            let name = ("x-name".parse().unwrap(), HeaderValue::from_bytes("caf\u{e9}".as_bytes()).unwrap());
            (StatusCode::OK, HeaderMap::from_iter([name]), vec![0xff, b'\n'])
        }),
    );
    let client = Client::new(app);
    let panic = panic_of(|| client.get("/").send().sse().next());
    assert!(panic.contains("expected events, but it is 200 OK \"text/plain; charset=utf-8\""), "{panic}");
    assert!(panic.contains("> GET / HTTP/1.1"), "{panic}");
    let error = client.get("/").without("host").try_send().unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    let broken = App::new().on_startup(async |_| Err::<(), _>(Error::gone("no oven")));
    let error = Client::try_start(broken).unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    // A field that is UTF-8 is text, and a content that is not is escaped in a snapshot.
    let mut response = client.get("/caf").send();
    assert_eq!(response.header("x-name"), "caf\u{e9}");
    let snapshot = response.snapshot();
    assert!(snapshot.starts_with("HTTP/1.1 200 OK\ncontent-length: 2\n"), "{snapshot}");
    assert!(snapshot.ends_with("\nx-name: caf\u{e9}\n\n\\xff\\n"), "{snapshot}");
    let asked = client.clone();
    let pieces = (0..1).map(move |_| format!("{:?}", asked.now()));
    let panic = panic_of(|| client.post("/").body_stream(pieces).send());
    assert!(panic.starts_with("a client was asked for something by what it runs itself"), "{panic}");
    assert!(format!("{:?}", client.get("/x").start()).contains("GET /x"));
    assert!(format!("{:?}", client.get("/x")).contains("http://localhost/x"));
}

#[test]
fn an_error_behind_a_response_that_has_begun_is_told() {
    let app = App::new().route(
        "/",
        get(async |request: Request| {
            let mut writer = request.respond(StatusCode::OK, HeaderMap::new())?;
            writer.write("half").await?;
            request.context().sleep(Duration::from_secs(1)).await;
            Err::<Sent, _>(Error::gone("the other half"))
        }),
    );
    let mut response = Client::new(app).get("/").send();
    assert!(response.try_bytes().is_err(), "the message is cut");
    assert_eq!(response.error().unwrap().message(), "the other half");
}
