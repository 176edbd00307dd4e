//! The table, row by row, in virtual time.

use bakestone::Session;
use bakestone::app::AppService;
use bakestone_testkit::{Client, ClientRequest, Wire};

use super::*;

/// The table on a wire. Its runtime's own timer takes twice the time, so that it can be told from the toolkit's.
pub(super) fn wire() -> Wire<Session<AppService>> {
    Wire::new(Session::new(service().build().unwrap()))
}

pub(super) fn service() -> App {
    let native =
        NativeSleep(Arc::new(|context, time| Box::pin(async move { context.sleep(2 * time).await })));
    app(native, FilePath::new("uploads"), FilePath::new("root"))
}

fn get_request(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// A client of the table, which follows no redirect and lets no time pass by itself.
fn client() -> Client {
    Client::setup().redirects(0).hold_clock().start(service())
}

fn post(client: &Client, target: &str, content_type: &str, body: &str) -> ClientRequest {
    client.post(target).header("content-type", content_type).body(body.to_owned())
}

#[test]
fn what_get_answers() {
    let cases = [
        ("/", 200, "OK"),
        ("/ok", 200, "ok"),
        ("/plaintext", 200, "Hello, World!"),
        ("/json", 200, r#"{"message":"Hello, World!"}"#),
        ("/html", 200, "<b>HTML OK</b>"),
        ("/users/1/posts/%3Cb%3E", 200, "1 <b>"),
        ("/echo", 200, ""),
        ("/big?size=3", 200, "xxx"),
        ("/big?size=0", 200, ""),
        ("/stream?chunks=0", 200, ""),
        ("/stream?chunks=2&size=0", 200, ""),
        ("/status/200", 200, "200"),
        ("/status/204", 204, ""),
        ("/status/205", 205, ""),
        ("/status/304", 304, ""),
        ("/status/418", 418, "418"),
        ("/status/999", 999, "999"),
        ("/error/http404", 404, "Not Found"),
        ("/error/http418", 418, "short and stout"),
        ("/error/custom", 500, "Internal Server Error"),
        ("/error/panic", 500, "Internal Server Error"),
        ("/error/none", 404, "there is no such kind of error"),
        ("/sleep/0", 200, "slept"),
        ("/background/count", 200, "0"),
        ("/nothing", 404, "Not Found"),
        ("/status/ok", 404, "Not Found"),
    ];
    let client = client();
    for (target, status, body) in cases {
        client.get(target).send().expect_status(status).expect_text(body);
    }
    assert_eq!(client.connections(), 1, "something came behind an answer");
}

#[test]
fn what_post_answers() {
    let thousand = "x".repeat(1_000);
    let cases = [
        ("/body", "", "12345", 200, "5"),
        ("/limit", "", &thousand, 200, "1000"),
        ("/noread", "", "nobody reads me", 200, "noread"),
        ("/json-echo", "application/json", r#" {"b":[1, null],"a":"<"} "#, 200, r#"{"a":"<","b":[1,null]}"#),
        ("/json-echo", "Application/JSON ; charset=utf-8", "1", 200, "1"),
        ("/json-echo", "application/problem+json", "true", 200, "true"),
        ("/json-echo", "text/plain", "{}", 415, "the content type must be `application/json`"),
        ("/json-echo", "application/jsonx", "{}", 415, "the content type must be `application/json`"),
        ("/json-echo", "", "{}", 415, "the content type must be `application/json`"),
    ];
    let client = client();
    for (target, content_type, body, status, answer) in cases {
        post(&client, target, content_type, body).send().expect_status(status).expect_text(answer);
    }
    for body in ["", "{", "{} {}", "'a'"] {
        post(&client, "/json-echo", "application/json", body).send().expect_status(400);
    }
}

#[test]
fn what_is_asked_for_is_bounded() {
    let cases = [
        ("/big?size=68719476737", "`size` must be a whole number of at most 68719476736"),
        ("/big?size=many", "`size` must be a whole number of at most 68719476736"),
        ("/stream?chunks=1000001", "`chunks` must be a whole number of at most 1000000"),
        ("/stream?size=1048577", "`size` must be a whole number of at most 1048576"),
        ("/stream?ms=3600001", "`ms` must be a whole number of at most 3600000"),
        ("/writer?chunks=-1", "`chunks` must be a whole number of at most 1000000"),
        ("/background?ms=x", "`ms` must be a whole number of at most 3600000"),
        ("/sleep/3600001", "`ms` must be a whole number of at most 3600000"),
        ("/sleep/1?native=2", "`native` must be a whole number of at most 1"),
        ("/status/101", "the status must be a number from 200 to 999"),
        ("/status/1000", "the status must be a number from 200 to 999"),
        ("/status/65736", "the status must be a number from 200 to 999"),
    ];
    let client = client();
    for (target, message) in cases {
        client.get(target).send().expect_status(400).expect_text(message);
    }
}

#[test]
fn a_longer_body_is_a_413() {
    let client = client();
    client.post("/limit").body("x".repeat(1_001)).send().expect_status(413);
    let announced = client.post("/body").header("content-length", "2097153").body_by_hand();
    announced.send().expect_status(413);
}

#[test]
fn the_methods_and_the_fields() {
    let cases = [
        ("GET", "/plaintext", 200, "content-type", "text/plain; charset=utf-8"),
        ("GET", "/json", 200, "content-type", "application/json"),
        ("GET", "/html", 200, "content-type", "text/html; charset=utf-8"),
        ("GET", "/html", 200, "x-time", "1704067200"),
        ("GET", "/users/%3Cb/posts/1", 200, "content-type", "text/plain; charset=utf-8"),
        ("GET", "/stream?chunks=0", 200, "content-length", "0"),
        ("GET", "/stream?chunks=2&size=0", 200, "content-length", "0"),
        ("HEAD", "/big", 200, "content-length", "5000000"),
        ("HEAD", "/writer", 200, "transfer-encoding", "chunked"),
        ("POST", "/ok", 405, "allow", "GET, HEAD, OPTIONS"),
        ("GET", "/body", 405, "allow", "POST, OPTIONS"),
        ("OPTIONS", "/ok", 204, "allow", "GET, HEAD, OPTIONS"),
        ("OPTIONS", "*", 204, "allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("BREW", "/ok", 405, "allow", "GET, HEAD, OPTIONS"),
        ("BREW", "/echo", 200, "content-length", "0"),
    ];
    let client = client();
    for (method, target, status, name, value) in cases {
        client.request(method, target).send().expect_status(status).expect_header(name, value);
    }
}

#[test]
fn echo_gives_the_body_back_as_it_arrives_with_its_type() {
    let mut wire = wire();
    wire.feed("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Type: a/b; c=d\r\nContent-Length: 6\r\n\r\none");
    let answer = wire.take_text();
    assert!(answer.contains("\r\ncontent-type: a/b; c=d\r\n"), "{answer}");
    assert!(answer.contains("\r\ncontent-length: 6\r\n") && answer.ends_with("\r\n\r\none"), "{answer}");
    wire.feed("two").expect("two").expect_open();
    client().post("/echo").body("x").send().expect_no_header("content-type").expect_text("x");
}

#[test]
fn noread_does_not_wait_for_the_body() {
    let waiting = client().post("/noread").header("content-length", "9").body_by_hand();
    waiting.send().expect_text("noread");
}

#[test]
fn big_announces_its_length_and_holds_a_few_pieces_at_most() {
    let client = Client::setup().record(false).start(service());
    let mut response = client.get("/big?size=10000000").read_ahead(0).send();
    response.expect_header("content-length", "10000000");
    let (mut seen, mut most) = (0, 0);
    while response.waiting() > 0 {
        most = most.max(response.waiting());
        let piece = response.read_at_most(10_000);
        assert!(piece.iter().all(|byte| *byte == b'x'));
        seen += piece.len();
    }
    assert_eq!(seen, 10_000_000);
    assert!(most <= 2 * (64 << 10), "{most} bytes waited");
}

#[test]
fn a_stream_gives_its_chunks_one_by_one() {
    let mut wire = wire();
    wire.feed(get_request("/stream?chunks=3&size=5&ms=100"));
    let answer = wire.take_text();
    assert!(answer.contains("\r\ntransfer-encoding: chunked\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n5\r\nxxxxx\r\n"), "{answer}");
    wire.advance(Duration::from_millis(99)).expect_silence();
    wire.advance(Duration::from_millis(1)).expect("5\r\nxxxxx\r\n");
    wire.advance(Duration::from_millis(100)).expect("5\r\nxxxxx\r\n0\r\n\r\n").expect_open();
    wire.feed(get_request("/stream?chunks=2&size=3"));
    assert!(wire.take_text().ends_with("\r\n\r\n3\r\nxxx\r\n3\r\nxxx\r\n0\r\n\r\n"));
}

#[test]
fn the_writer_waits_for_room() {
    let answer = wire().feed(get_request("/writer?chunks=2")).take_text();
    assert!(answer.ends_with("\r\n\r\n8\r\nchunk 1\n\r\n8\r\nchunk 2\n\r\n0\r\n\r\n"), "{answer}");
    let client = Client::setup().record(false).start(service());
    let mut response = client.get("/writer?chunks=100000").read_ahead(0).send();
    response.expect_header("content-type", "text/plain; charset=utf-8");
    assert!(response.waiting() <= 128 << 10, "{} bytes wait", response.waiting());
    assert!(response.text().ends_with("\nchunk 100000\n"));
}

#[test]
fn a_late_error_cuts_the_message_off() {
    let mut wire = wire();
    wire.feed(get_request("/error/late"));
    let answer = wire.take_text();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n"), "{answer}");
    wire.expect_open().advance(Duration::from_millis(20)).expect_silence().expect_reset();
}

#[test]
fn a_panic_is_a_500_and_the_connection_goes_on() {
    let client = client();
    let mut response = client.get("/error/panic").send();
    response.expect_status(500).expect_text("Internal Server Error");
    assert_eq!(response.panic_message().as_deref(), Some("the client asked for it"));
    client.get("/ok").send().expect_text("ok");
    assert_eq!(client.connections(), 1);
}

#[test]
fn a_sleep_takes_its_time_on_either_clock() {
    let client = client();
    for (target, time) in [("/sleep/3600000", 3600), ("/sleep/3600000?native=1", 7200)] {
        let pending = client.get(target).start();
        client.advance(Duration::from_secs(time - 1));
        assert!(!pending.is_answered(), "{target}");
        client.advance(Duration::from_secs(1));
        pending.response().expect_text("slept");
    }
}

#[test]
fn a_background_task_is_counted_when_it_ends() {
    let client = client();
    client.get("/background?ms=500").send().expect_text("started");
    client.advance(Duration::from_millis(499));
    client.get("/background/count").send().expect_text("0");
    client.advance(Duration::from_millis(1));
    client.get("/background/count").send().expect_text("1");
}

#[test]
fn without_a_lifecycle_a_background_task_is_refused() {
    wire().feed(get_request("/background")).expect_start("HTTP/1.1 500 ");
}

#[test]
fn what_came_as_names_and_values() {
    let client = client();
    let get = |target| client.get(target);
    let urlencoded = |body| post(&client, "/form", "application/x-www-form-urlencoded", body);
    let put = || client.put("/api/users/1/records/2?query=a+b").json(&serde_json::json!({"c": 3}));
    let record = r#"{"data":{"c":3},"params":{"record":2,"user":1},"query":{"query":"a b"}}"#;
    for (request, status, answer) in [
        (get("/query?b=%26x&a&b=2+3&"), 200, r#"[["b","&x"],["a",""],["b","2 3"]]"#),
        (get("/query"), 200, "[]"),
        (urlencoded("a=1&b=%C3%A9&a="), 200, r#"[["a","1"],["b","é"],["a",""]]"#),
        (
            post(&client, "/form", "text/plain", "a=1"),
            415,
            "the content type must be `application/x-www-form-urlencoded` or `multipart/form-data`",
        ),
        (
            get("/cookies").header("cookie", "a=1; b=2").header("cookie", "a=3"),
            200,
            r#"[["a","1"],["b","2"],["a","3"]]"#,
        ),
        (put().header("authorization", "me"), 200, record),
        (put(), 401, "Unauthorized"),
        (get("/header?v=a%0d%0aSet-Cookie:b"), 400, "`v` cannot be the value of a field"),
    ] {
        request.send().expect_status(status).expect_text(answer);
    }
    get("/header?v=a%20b").send().expect_status(200).expect_header("x-v", "a b").expect_empty();
}

#[test]
fn redirects_to_where_the_query_says() {
    let client = client();
    for (target, status, location) in [
        ("/redirect?to=/a%20b", 307, "/a%20b"),
        ("/redirect?to=/a%0d%0aX:1", 307, "/a%0D%0AX:1"),
        ("/redirect/303?to=https://example.com/%C3%A9", 303, "https://example.com/%C3%A9"),
        ("/redirect", 307, "/"),
    ] {
        client.get(target).send().expect_status(status).expect_header("location", location);
    }
    let mut refused = client.get("/redirect/200?to=/").send();
    refused.expect_status(400).expect_text("the status must be a number from 300 to 399");
}

#[test]
fn a_cookie_is_set_as_it_was_asked_for() {
    let client = client();
    let post = |json| post(&client, "/set-cookie", "application/json", json);
    let get = |target| client.get(target);
    let epoch = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    for (request, field) in [
        (post(r#"{"name":"a","value":"b"}"#), "a=b".to_owned()),
        (post(r#"{"name":"a","value":"b c%;"}"#), "a=b%20c%25%3B".to_owned()),
        (post(r#"{"name":"a","value":"%41"}"#), "a=%41".to_owned()),
        (
            post(
                r#"{"name":"a","value":"b","path":"/p","domain":"a.b","max_age":5,"expires":784111777,"secure":true,
                "http_only":true,"same_site":"None","partitioned":true}"#,
            ),
            "a=b; Domain=a.b; Path=/p; Max-Age=5; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Secure; HttpOnly; \
             SameSite=None; Partitioned"
                .to_owned(),
        ),
        (post(r#"{"name":"a","value":"","secure":false,"path":null}"#), "a=".to_owned()),
        (get("/cookies/set?name=a&value=b"), "a=b; HttpOnly; SameSite=Lax".to_owned()),
        (
            get("/cookies/set?name=a&value=b&secure=1&http_only=false&same_site=strict&max_age=60"),
            "a=b; Max-Age=60; Secure; SameSite=Strict".to_owned(),
        ),
        (get("/cookies/delete?name=a"), format!("a=; {epoch}; HttpOnly; SameSite=Lax")),
        (
            get("/cookies/delete?name=a&path=/p&max_age=9"),
            format!("a=; Path=/p; {epoch}; HttpOnly; SameSite=Lax"),
        ),
    ] {
        let mut response = request.send();
        response.expect_status(200).expect_header("set-cookie", &field);
        assert_eq!(response.headers.get_all("set-cookie").iter().count(), 1, "{field}");
    }
}

#[test]
fn a_cookie_that_cannot_be_set_is_refused() {
    let client = client();
    let post = |json| post(&client, "/set-cookie", "application/json", json);
    let get = |target| client.get(target);
    for request in [
        post(r#"{"name":"","value":"b"}"#),
        post(r#"{"name":"a b","value":"b"}"#),
        post(r#"{"name":"a\r\nX-Injected: 1","value":"b"}"#),
        post(r#"{"name":"a","value":"b","path":"/\r\nX-Injected: 1"}"#),
        post(r#"{"name":"a","value":"b","domain":"a; Secure"}"#),
        post(r#"{"name":"a","value":"b","same_site":"none"}"#),
        post(r#"{"name":"a","value":"b","same_site":"else"}"#),
        post(r#"{"name":"a","value":"b","max_age":-1}"#),
        post(r#"{"name":"a","value":"b","expires":253402300800}"#),
        post(r#"{"name":"__Host-a","value":"b"}"#),
        post(r#"{"value":"b"}"#),
        get("/cookies/set?name=a&path=%0d%0aX-Injected:1"),
        get("/cookies/set?value=b"),
        get("/cookies/delete?name=a%3B"),
    ] {
        let mut response = request.send();
        response.expect_no_header("set-cookie").expect_no_header("x-injected");
        assert!(response.status.is_client_error(), "{}", response.transcript());
    }
}
