//! What a client receives.

use super::*;

pub(super) fn stay(conn: &mut ClientConn) -> bool {
    conn.reuse().is_ok() && {
        ask(conn, "GET");
        true
    }
}

pub(super) fn ask(conn: &mut ClientConn, request: &'static str) {
    let mut out = Output::default();
    let (method, asks_upgrade) = match request {
        "UPGRADE" => ("GET", true),
        method => (method, false),
    };
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let target = if method == Method::CONNECT { "h:1" } else { "/" };
    let mut headers = host();
    if asks_upgrade {
        headers.insert(header::UPGRADE, HeaderValue::from_static("x"));
    }
    conn.send_head(RequestHead::new(&method, target, &headers), BodyLength::Exact(0), &mut out).unwrap();
    conn.send_end(None, &mut out).unwrap();
}

fn check_responses(request: &'static str, cases: &[Case], fin: bool) {
    for case in cases {
        check(case, fin, |feed| {
            let mut conn = ClientConn::new(Arc::default());
            ask(&mut conn, request);
            run(conn, feed, response_head, stay)
        });
    }
}

#[rustfmt::skip]
const TO_GET: &[Case] = &[
    ("length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "1.1 200 OK 2 =ab . need"),
    ("empty reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "1.1 200  0 . need"),
    ("reason with anything", "HTTP/1.1 299 a\tb é\r\nContent-Length: 0\r\n\r\n", "1.1 299 a\\tb \\xc3\\xa9 0 . need"),
    ("chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n", "1.1 200 OK ? =a .{x: y} need"),
    ("until close", "HTTP/1.1 200 OK\r\n\r\nab", "1.1 200 OK ? =ab need"),
    ("204 whatever it says", "HTTP/1.1 204 N\r\nContent-Length: 2\r\n\r\n", "1.1 204 N 0 . need"),
    ("304 whatever it says", "HTTP/1.1 304 N\r\nContent-Length: 2\r\n\r\n", "1.1 304 N 0 . need"),
    ("informational first", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "1.1 100 C 0 1.1 103 E 0 1.1 200 OK 0 . need"),
    ("two responses", "HTTP/1.1 200 A\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 B\r\nContent-Length: 0\r\n\r\n", "1.1 200 A 0 . 1.1 200 B 0 . need"),
    ("higher minor version", "HTTP/1.5 200 A\r\nContent-Length: 0\r\n\r\n", "1.1 200 A 0 . need"),
    ("no second space", "HTTP/1.1 200¦\r\n\r\n", "!502 malformed-status-line"),
    ("empty line first", "¦\r\nHTTP/1.1 200 OK\r\n\r\n", "!502 malformed-status-line"),
    ("two digits", "HTTP/1.1 20¦ OK\r\n\r\n", "!502 malformed-status-line"),
    ("four digits", "HTTP/1.1 200¦0 OK\r\n\r\n", "!502 malformed-status-line"),
    ("status below 100", "HTTP/1.1 ¦099 OK\r\n\r\n", "!502 malformed-status-line"),
    ("two spaces", "HTTP/1.1 ¦ 200 OK\r\n\r\n", "!502 malformed-status-line"),
    ("lower-case version", "¦http/1.1 200 OK\r\n\r\n", "!502 malformed-status-line"),
    ("version 2", "HTTP/¦2.0 200 OK\r\n\r\n", "!502 unsupported-version"),
    ("bare LF", "HTTP/1.1 200 OK¦\n\r\n", "!502 bare-lf"),
    ("bare CR", "HTTP/1.1 200 O\r¦K\r\n\r\n", "!502 bare-cr"),
    ("control in the reason", "HTTP/1.1 200 ¦\u{1}\r\n\r\n", "!502 malformed-status-line"),
    ("both framings", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: ¦chunked\r\n\r\n", "!502 conflicting-framing"),
    ("length twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: ¦1\r\n\r\n", "!502 repeated-content-length"),
    ("chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: ¦chunked\r\n\r\n", "!502 transfer-encoding-in-http10"),
    ("upgrade not asked for", "HTTP/1.1 ¦101 S\r\nUpgrade: x\r\n\r\n", "!502 unexpected-upgrade"),
];

#[rustfmt::skip]
const WITH_FIN: &[Case] = &[
    ("until close", "HTTP/1.1 200 OK\r\n\r\nab", "1.1 200 OK ? =ab ."),
    ("until close in 1.0", "HTTP/1.0 200 OK\r\n\r\n", "1.0 200 OK ? ."),
    ("no response", "¦", "!502 unexpected-end"),
    ("in the head", "HTTP/1.1 200 OK\r\n¦", "!502 unexpected-end"),
    ("content cut off", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na¦", "1.1 200 OK 2 =a !502 unexpected-end"),
];

#[test]
fn to_a_get() {
    check_responses("GET", TO_GET, false);
    check_responses("GET", WITH_FIN, true);
}

#[test]
fn each_informational_head_is_a_message() {
    let mut conn = ClientConn::new(Arc::default());
    ask(&mut conn, "GET");
    let text = b"HTTP/1.1 103 E\r\n\r\nHTTP/1.1 103 E\r\nA\r\n\r\n";
    let (log, at) = run(conn, (text, &[], false), response_head, stay);
    assert_eq!((log.as_str(), at), ("1.1 103 E 0 !502 missing-colon", Some(16)));
}

#[test]
fn to_head_connect_and_upgrade() {
    let head = ("length of nothing", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "1.1 200 OK 0 . need");
    check_responses("HEAD", &[head], false);
    let cases = [("tunnel", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "1.1 200 OK ? =abc closed")];
    check_responses("CONNECT", &cases, true);
    let cases = [("no tunnel", "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nab", "1.1 403 No 2 =ab . need")];
    check_responses("CONNECT", &cases, false);
    let cases = [("switch", "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\nabc", "1.1 101 S ? =abc closed")];
    check_responses("UPGRADE", &cases, true);
}

#[test]
fn a_response_without_a_request() {
    let mut conn = ClientConn::new(Arc::default());
    let refusal = conn.next(&mut BytesMut::from("HTTP/1.1 408 T\r\n\r\n")).unwrap_err();
    assert_eq!((refusal.reason, refusal.offset), (Reason::UnsolicitedResponse, 0));
    let mut conn = ClientConn::new(Arc::default());
    conn.finish_input();
    assert!(matches!(conn.next(&mut BytesMut::new()), Ok(Event::Closed)));
}

#[test]
fn a_switch_before_the_request_is_over() {
    let mut conn = ClientConn::new(Arc::default());
    let headers = headers(&[("host", "h"), ("upgrade", "x")]);
    let head = RequestHead::new(&Method::POST, "/", &headers);
    conn.send_head(head, BodyLength::Exact(1), &mut Output::default()).unwrap();
    let refusal = conn.next(&mut BytesMut::from("HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n")).unwrap_err();
    assert_eq!(refusal.reason, Reason::UnexpectedUpgrade);
}
