//! What a test is told where something fails.

use std::fmt;

use bakestone::app::Failure;
use bakestone::{App, Error, Json, Request, Response, Result, StatusCode, Text, get};
use bakestone_testkit::Client;
use bakestone_testkit::client::Cause;

use super::panic_of;

#[derive(Debug)]
struct Burnt(u16);

impl fmt::Display for Burnt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "burnt at {} degrees", self.0)
    }
}

impl std::error::Error for Burnt {}

async fn burn() -> Result<Text<&'static str>> {
    Err(Burnt(300))?
}

#[test]
fn z12_the_handlers_own_error_and_panic() {
    let rendered = |failure: Failure<Burnt>| (StatusCode::IM_A_TEAPOT, Text(failure.to_string()));
    let app = App::new()
        .route("/burn", get(burn))
        .route("/panic", get(|| -> Text<&str> { panic!("no flour") }))
        .route("/fine", get(|| Text("fine")))
        .mount("/told", App::new().route("/burn", get(burn)).on_error(rendered));
    let client = Client::new(app);

    let mut plain = client.get("/burn").send();
    plain.expect_status(500).expect_text("Internal Server Error");
    assert_eq!(plain.error().unwrap().downcast_ref::<Burnt>().unwrap().0, 300);
    let mut told = client.get("/told/burn").send();
    told.expect_status(418).expect_text("burnt at 300 degrees");
    assert!(told.error().unwrap().is::<Burnt>());

    let mut panicked = client.get("/panic").send();
    panicked.expect_status(500);
    assert_eq!(panicked.panic_message().as_deref(), Some("no flour"));
    assert_eq!(panicked.error().unwrap().status(), 500);

    let fine = client.get("/fine").send();
    assert!(fine.error().is_none() && fine.panic_message().is_none());
    assert_eq!(client.get("/nowhere").send().error().unwrap().status(), 404);
    // Where requests stand in a row, each has its own.
    let responses = client.pipeline(["/burn", "/fine", "/panic"].map(|path| client.get(path)));
    let told =
        responses.iter().map(|response| (response.error().is_some(), response.panic_message().is_some()));
    assert_eq!(told.collect::<Vec<_>>(), [(true, false), (false, false), (true, true)]);
}

#[test]
fn errors_of_services_that_are_no_applications() {
    async fn service(request: Request) -> Result<Text<&'static str>> {
        match request.raw_path() {
            "/burn" => Err(Burnt(1))?,
            _ => Err(Error::gone("eaten")),
        }
    }
    let client = Client::new(service);
    assert!(client.get("/burn").send().error().unwrap().is::<Burnt>());
    assert_eq!(client.get("/").send().expect_status(410).error().unwrap().message(), "eaten");
    let refused = client.get(format!("/{}", "x".repeat(10_000))).send();
    assert_eq!((refused.status.as_u16(), refused.error().unwrap().status().as_u16()), (414, 414));
}

#[test]
fn what_was_expected_is_told_with_the_transcript() {
    let app = App::new().route("/burn", get(burn)).route("/json", get(|| Json([1, 2])));
    let client = Client::new(app);
    let send = |path| client.get(path).send();
    for (panic, expected) in [
        (
            panic_of(|| drop(send("/burn").expect_status(200).text())),
            "expected the status 200, but it is 500",
        ),
        (
            panic_of(|| drop(send("/burn").expect_status(200).text())),
            "- its error: 500: Internal Server Error (burnt at 300 degrees)",
        ),
        (
            panic_of(|| drop(send("/json").expect_text("[1]").text())),
            "expected the content\n[1]\n-- but it is\n[1,2]",
        ),
        (
            panic_of(|| drop(send("/json").expect_json(&[1]).text())),
            "expected the JSON\n[1]\n-- but it is\n[1,2]",
        ),
        (panic_of(|| drop(send("/json").expect_contains("3").text())), "expected \"3\" in\n[1,2]"),
        (panic_of(|| drop(send("/json").expect_empty().text())), "expected no content, but it is\n[1,2]"),
        (panic_of(|| send("/json").json::<String>()), "expected JSON, but invalid type: sequence"),
        (
            panic_of(|| drop(send("/json").expect_header("x-a", "b").text())),
            "expected x-a: b, but of that name there are []",
        ),
        (panic_of(|| drop(send("/json").expect_no_header("date").text())), "expected no date, but there is"),
    ] {
        assert!(panic.contains(expected), "{panic}");
        assert!(
            panic.contains("-- the transcript\n@ 0ns\n> GET /") && panic.contains("< HTTP/1.1 "),
            "{panic}"
        );
    }
    send("/json")
        .expect_json(&[1, 2])
        .expect_header("content-type", "application/json")
        .expect_no_header("x-a");
    assert_eq!(send("/json").json::<Vec<u8>>(), [1, 2]);
}

#[test]
fn a_deadlock_fails_at_once_and_says_what_everything_waits_for() {
    let app = App::new().route("/stuck", get(std::future::pending::<Response>));
    let client = Client::new(app);
    client.get("/").send();
    let error = client.get("/stuck").try_send().unwrap_err();
    assert_eq!(error.cause, Cause::Deadlock);
    let text = error.to_string();
    for piece in [
        "GET /stuck at http://localhost: nothing moves any more, and there is no deadline to wait for",
        "at 0ns of the clock wait:",
        "- connection 1 to localhost: GET /stuck: its handler has not answered; it wants Watch",
        "- the lifecycle: Running, with 0 tasks; it wants Pause",
        "> GET /stuck HTTP/1.1",
    ] {
        assert!(text.contains(piece), "{text}");
    }
    assert!(panic_of(|| client.get("/stuck").send()).contains("nothing moves any more"));
}
