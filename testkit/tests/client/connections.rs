//! Which connection a request goes over.

use std::time::Duration;

use bakestone::{App, HeaderMap, HeaderValue, Limits, Request, StatusCode, Text, get};
use bakestone_testkit::Client;

use super::{SECOND, echo};

fn closing() -> App {
    App::new().route("/", get(|| Text("open")).post(echo)).route(
        "/close",
        get(|| {
            (
                StatusCode::OK,
                HeaderMap::from_iter([("connection".parse().unwrap(), HeaderValue::from_static("close"))]),
                Text("closed"),
            )
        }),
    )
}

#[test]
fn a_connection_is_used_again_unless_an_end_closes_it() {
    let client = Client::new(closing());
    assert_eq!(client.connections(), 0);
    client.get("/").send().expect_text("open");
    client.get("/").send().expect_text("open");
    assert_eq!(client.connections(), 1);
    client.get("/close").send().expect_header("connection", "close").expect_text("closed");
    assert_eq!(client.connections(), 0);
    client.get("/").header("connection", "close").send().expect_text("open");
    assert_eq!(client.connections(), 0);
    // Two at a time are two connections, and so are two hosts.
    let first = client.get("/").start();
    let mut second = client.get("/").start().response();
    second.expect_text("open");
    drop(first);
    client.get("http://other.example/").send();
    assert_eq!(client.connections(), 2);
    // The server closes what is idle, and the client notices.
    client.advance(Duration::from_secs(60));
    assert_eq!(client.connections(), 0);
    client.get("/").send().expect_text("open");
}

#[test]
fn an_answer_that_comes_before_the_content() {
    let mut limits = Limits::default();
    limits.buffered_body_bytes = 10;
    let client = Client::setup().limits(&limits).start(closing());
    client.post("/").body(vec![0; 1_000_000]).send().expect_status(413);
    let waiting = client.post("/").header("expect", "100-continue").body(vec![0; 1_000_000]);
    let mut refused = waiting.send();
    refused.expect_status(413);
    assert!(refused.informational().is_empty());
    assert!(!refused.transcript().contains("\\x00"), "{}", refused.transcript());
    let mut taken = client.post("/").header("expect", "100-continue").body("12345").send();
    taken.expect_status(200);
    assert_eq!(taken.informational()[0].0, StatusCode::CONTINUE);
    client.get("/").send().expect_text("open");
}

#[test]
fn hints_come_before_the_response() {
    async fn hints(request: Request) -> Text<&'static str> {
        let link = HeaderMap::from_iter([(
            "link".parse().unwrap(),
            HeaderValue::from_static("</a.css>; rel=preload"),
        )]);
        request.inform(StatusCode::EARLY_HINTS, link).await.unwrap();
        request.context().sleep(SECOND).await;
        Text("done")
    }
    let client = Client::new(App::new().route("/", get(hints)));
    let pending = client.get("/").start();
    assert_eq!((pending.informational()[0].0, pending.is_answered()), (StatusCode::EARLY_HINTS, false));
    let response = pending.response();
    assert_eq!(response.informational()[0].1["link"], "</a.css>; rel=preload");
}

#[test]
fn another_protocol_on_the_same_connection() {
    async fn upper(request: Request) -> bakestone::Result<bakestone::message::Sent> {
        let upgrade = HeaderMap::from_iter([("upgrade".parse().unwrap(), HeaderValue::from_static("upper"))]);
        let mut request = request;
        let mut writer = request.respond(StatusCode::SWITCHING_PROTOCOLS, upgrade)?;
        while let Some(chunk) = request.body().chunk().await? {
            writer.write(chunk.to_ascii_uppercase()).await?;
        }
        Ok(writer.finish().await?)
    }
    let client = Client::new(App::new().route("/", get(upper)));
    let mut response = client.get("/").header("upgrade", "upper").send();
    response.expect_status(101);
    response.write("abc");
    assert_eq!(response.chunk().unwrap(), "ABC");
    response.write("d").half_close();
    assert_eq!((response.chunk().as_deref(), response.chunk()), (Some(&b"D"[..]), None));
}
