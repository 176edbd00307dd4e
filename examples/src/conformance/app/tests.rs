//! The table, row by row, in virtual time.

use bakestone::Session;
use bakestone::app::{AppService, Application};
use bakestone_testkit::Wire;

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

fn post_request(target: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The head of the answer, and its body as it is on the wire.
#[track_caller]
fn ask(request: &str) -> (String, String) {
    let answer = wire().feed(request).take_text();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request}\n{answer}"));
    (format!("{head}\r\n"), body.to_owned())
}

#[track_caller]
fn answers(request: &str, status: u16, expected: &str) {
    let (head, body) = ask(request);
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{head}{body}");
    assert_eq!(body, expected, "{request}\n{head}");
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
    for (target, status, body) in cases {
        answers(&get_request(target), status, body);
    }
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
    for (target, content_type, body, status, answer) in cases {
        answers(&post_request(target, content_type, body), status, answer);
    }
    for body in ["", "{", "{} {}", "'a'"] {
        let (head, _) = ask(&post_request("/json-echo", "application/json", body));
        assert!(head.starts_with("HTTP/1.1 400 "), "{body}\n{head}");
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
    for (target, message) in cases {
        answers(&get_request(target), 400, message);
    }
}

#[test]
fn a_longer_body_is_a_413() {
    let (head, _) = ask(&post_request("/limit", "", &"x".repeat(1_001)));
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    let (head, _) = ask("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2097153\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
}

#[test]
fn the_methods_and_the_fields() {
    let cases = [
        ("GET /plaintext", "200", "content-type: text/plain; charset=utf-8"),
        ("GET /json", "200", "content-type: application/json"),
        ("GET /html", "200", "content-type: text/html; charset=utf-8"),
        ("GET /html", "200", "x-time: 1704067200"),
        ("GET /users/%3Cb/posts/1", "200", "content-type: text/plain; charset=utf-8"),
        ("HEAD /big", "200", "content-length: 5000000"),
        ("HEAD /writer", "200", "transfer-encoding: chunked"),
        ("POST /ok", "405", "allow: GET, HEAD, OPTIONS"),
        ("GET /body", "405", "allow: POST, OPTIONS"),
        ("OPTIONS /ok", "204", "allow: GET, HEAD, OPTIONS"),
        ("OPTIONS *", "204", "allow: "),
        ("BREW /ok", "405", "allow: GET, HEAD, OPTIONS"),
        ("BREW /echo", "200", "content-length: 0"),
    ];
    for (request, status, field) in cases {
        let (head, _) = ask(&format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{head}");
        assert!(head.contains(&format!("\r\n{field}")), "{request}\n{head}");
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
    let (head, _) = ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    assert!(!head.contains("content-type"), "{head}");
}

#[test]
fn noread_does_not_wait_for_the_body() {
    let mut wire = wire();
    wire.feed("POST /noread HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    assert!(wire.take_text().ends_with("\r\n\r\nnoread"));
}

#[test]
fn big_announces_its_length_and_holds_a_few_pieces_at_most() {
    let mut wire = wire();
    wire.record(false).hold_output(true).feed(get_request("/big?size=10000000"));
    let mut seen = 0;
    let mut most = 0;
    let head = String::from_utf8_lossy(&wire.take_at_most(1_000)).into_owned();
    let (head, first) = head.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\ncontent-length: 10000000"), "{head}");
    seen += first.len();
    loop {
        most = most.max(wire.waiting());
        let piece = wire.take_at_most(10_000);
        assert!(piece.iter().all(|byte| *byte == b'x'));
        seen += piece.len();
        if piece.is_empty() {
            break;
        }
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
    let (_, body) = ask(&get_request("/stream?chunks=2&size=3"));
    assert_eq!(body, "3\r\nxxx\r\n3\r\nxxx\r\n0\r\n\r\n");
}

#[test]
fn the_writer_waits_for_room() {
    let (head, body) = ask(&get_request("/writer?chunks=2"));
    assert!(head.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{head}");
    assert_eq!(body, "8\r\nchunk 1\n\r\n8\r\nchunk 2\n\r\n0\r\n\r\n");
    let mut wire = wire();
    wire.record(false).hold_output(true).feed(get_request("/writer?chunks=100000"));
    assert!(wire.waiting() <= 128 << 10, "{} bytes wait", wire.waiting());
    wire.hold_output(false);
    assert!(wire.take_text().ends_with("\r\nd\r\nchunk 100000\n\r\n0\r\n\r\n"));
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
    let mut wire = wire();
    wire.feed(get_request("/error/panic")).expect_start("HTTP/1.1 500 ");
    wire.feed(get_request("/ok"));
    assert!(wire.take_text().ends_with("\r\n\r\nok"));
}

#[test]
fn a_sleep_takes_its_time_on_either_clock() {
    for (target, time) in [("/sleep/3600000", 3600), ("/sleep/3600000?native=1", 7200)] {
        let mut wire = wire();
        wire.feed(get_request(target)).advance(Duration::from_secs(time - 1)).expect_silence();
        wire.advance(Duration::from_secs(1));
        assert!(wire.take_text().ends_with("\r\n\r\nslept"), "{target}");
    }
}

#[test]
fn a_background_task_is_counted_when_it_ends() {
    let (service, lifecycle) = service().start().unwrap();
    let spawner = lifecycle.spawner();
    let mut server = Wire::new(lifecycle);
    server.settle();
    let mut wire = Wire::new(Session::new(service).lifecycle(&spawner));
    let mut body_of = |target| {
        let answer = wire.feed(get_request(target)).take_text();
        answer.rsplit("\r\n\r\n").next().unwrap().to_owned()
    };
    assert_eq!(body_of("/background?ms=500"), "started");
    server.settle().advance(Duration::from_millis(499));
    assert_eq!(body_of("/background/count"), "0");
    server.advance(Duration::from_millis(1));
    assert_eq!(body_of("/background/count"), "1");
}

#[test]
fn without_a_lifecycle_a_background_task_is_refused() {
    answers(&get_request("/background"), 500, "Internal Server Error");
}

#[test]
fn what_came_as_names_and_values() {
    let urlencoded = |body| post_request("/form", "application/x-www-form-urlencoded", body);
    let cookies = "GET /cookies HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2\r\nCookie: a=3\r\n\r\n";
    let put = |authorization: &str| {
        format!(
            "PUT /api/users/1/records/2?query=a+b HTTP/1.1\r\nHost: a\r\n{authorization}\
             Content-Type: application/json\r\nContent-Length: 8\r\n\r\n{{\"c\": 3}}"
        )
    };
    let record = r#"{"data":{"c":3},"params":{"record":2,"user":1},"query":{"query":"a b"}}"#;
    for (request, status, answer) in [
        (get_request("/query?b=%26x&a&b=2+3&"), 200, r#"[["b","&x"],["a",""],["b","2 3"]]"#),
        (get_request("/query"), 200, "[]"),
        (urlencoded("a=1&b=%C3%A9&a="), 200, r#"[["a","1"],["b","é"],["a",""]]"#),
        (
            post_request("/form", "text/plain", "a=1"),
            415,
            "the content type must be `application/x-www-form-urlencoded` or `multipart/form-data`",
        ),
        (cookies.to_owned(), 200, r#"[["a","1"],["b","2"],["a","3"]]"#),
        (put("Authorization: me\r\n"), 200, record),
        (put(""), 401, "Unauthorized"),
        (get_request("/header?v=a%20b"), 200, ""),
        (get_request("/header?v=a%0d%0aSet-Cookie:b"), 400, "`v` cannot be the value of a field"),
    ] {
        answers(&request, status, answer);
    }
    assert!(ask(&get_request("/header?v=a%20b")).0.contains("\r\nx-v: a b\r\n"));
}

#[test]
fn redirects_to_where_the_query_says() {
    for (target, status, location) in [
        ("/redirect?to=/a%20b", "307", "/a%20b"),
        ("/redirect?to=/a%0d%0aX:1", "307", "/a%0D%0AX:1"),
        ("/redirect/303?to=https://example.com/%C3%A9", "303", "https://example.com/%C3%A9"),
        ("/redirect", "307", "/"),
    ] {
        let (head, _) = ask(&get_request(target));
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{target}\n{head}");
        assert!(head.contains(&format!("\r\nlocation: {location}\r\n")), "{target}\n{head}");
    }
    answers(&get_request("/redirect/200?to=/"), 400, "the status must be a number from 300 to 399");
}

#[test]
fn a_cookie_is_set_as_it_was_asked_for() {
    let post = |json| post_request("/set-cookie", "application/json", json);
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
        (get_request("/cookies/set?name=a&value=b"), "a=b; HttpOnly; SameSite=Lax".to_owned()),
        (
            get_request("/cookies/set?name=a&value=b&secure=1&http_only=false&same_site=strict&max_age=60"),
            "a=b; Max-Age=60; Secure; SameSite=Strict".to_owned(),
        ),
        (get_request("/cookies/delete?name=a"), format!("a=; {epoch}; HttpOnly; SameSite=Lax")),
        (
            get_request("/cookies/delete?name=a&path=/p&max_age=9"),
            format!("a=; Path=/p; {epoch}; HttpOnly; SameSite=Lax"),
        ),
    ] {
        let (head, _) = ask(&request);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{request}\n{head}");
        assert_eq!(head.matches("set-cookie: ").count(), 1, "{request}\n{head}");
        assert!(head.contains(&format!("\r\nset-cookie: {field}\r\n")), "{request}\n{head}");
    }
}

#[test]
fn a_cookie_that_cannot_be_set_is_refused() {
    let post = |json| post_request("/set-cookie", "application/json", json);
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
        get_request("/cookies/set?name=a&path=%0d%0aX-Injected:1"),
        get_request("/cookies/set?value=b"),
        get_request("/cookies/delete?name=a%3B"),
    ] {
        let (head, _) = ask(&request);
        assert!(head.starts_with("HTTP/1.1 4"), "{request}\n{head}");
        assert!(!head.contains("set-cookie") && !head.contains("Injected"), "{request}\n{head}");
    }
}
