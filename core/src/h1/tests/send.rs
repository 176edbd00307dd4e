//! What is sent, byte by byte.

use super::*;
use crate::http::HttpDate;

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const GET_10: &str = "GET / HTTP/1.0\r\n\r\n";
const KEPT_10: &str = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
const HEAD_10: &str = "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
/// To close says only that no request follows (RFC 9112, section 9.6), and none does.
const CLOSING: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close, upgrade\r\nUpgrade: x\r\n\r\n";
const CONNECT: &str = "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n";
const BROKEN: &str = "GET / HTTP/1.1\r\n\r\n";
const BROKEN_HEAD: &str = "HEAD / HTTP/1.1\r\n\r\n";

use BodyLength::{Exact, Unknown};

type Fields = &'static [(&'static str, &'static str)];

/// Request, status, fields, length, content, and the bytes of the response.
type Response = (&'static str, u16, Fields, BodyLength, &'static str, &'static str);

#[rustfmt::skip]
const RESPONSES: &[Response] = &[
    (GET, 200, &[], Exact(2), "ab", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"),
    (GET, 200, &[], Exact(0), "", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    (GET, 200, &[], Unknown, "ab", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
    (GET, 200, &[], Unknown, "", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    (GET, 418, &[("a", "b"), ("a", "c")], Exact(0), "", "HTTP/1.1 418 I'm a teapot\r\na: b\r\na: c\r\ncontent-length: 0\r\n\r\n"),
    (GET, 599, &[], Exact(0), "", "HTTP/1.1 599 \r\ncontent-length: 0\r\n\r\n"),
    (GET, 200, &[("content-length", "2")], Exact(2), "ab", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"),
    (GET, 200, &[("connection", "Close")], Exact(0), "", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    (GET, 204, &[], Exact(0), "", "HTTP/1.1 204 No Content\r\n\r\n"),
    (GET, 204, &[], Unknown, "ab", "HTTP/1.1 204 No Content\r\n\r\n"),
    (GET, 205, &[], Exact(2), "ab", "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n"),
    (GET, 304, &[("etag", "x")], Exact(0), "", "HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"),
    (GET, 304, &[("content-length", "9")], Unknown, "ab", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"),
    (HEAD, 200, &[], Exact(2), "ab", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"),
    (HEAD, 200, &[], Exact(0), "", "HTTP/1.1 200 OK\r\n\r\n"),
    (HEAD, 200, &[("content-length", "9")], Exact(0), "", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
    (HEAD, 200, &[("content-length", "9")], Unknown, "", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
    (HEAD, 200, &[], Unknown, "ab", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
    (HEAD, 204, &[], Unknown, "ab", "HTTP/1.1 204 No Content\r\n\r\n"),
    (HEAD_10, 200, &[], Unknown, "ab", "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n\r\n"),
    (GET_10, 200, &[], Exact(2), "ab", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab"),
    (KEPT_10, 200, &[], Exact(2), "ab", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nab"),
    (KEPT_10, 200, &[], Unknown, "ab", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nab"),
    (BROKEN, 400, &[], Exact(2), "ab", "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab"),
    (BROKEN, 400, &[], Unknown, "ab", "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nab"),
    (BROKEN_HEAD, 400, &[], Exact(2), "ab", "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"),
    ("", 408, &[], Exact(2), "ab", "HTTP/1.1 408 Request Timeout\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab"),
    (UPGRADE, 101, &[("upgrade", "x"), ("connection", "Upgrade")], Unknown, "ab", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nab"),
    (UPGRADE, 101, &[("upgrade", "x")], Unknown, "", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    (CLOSING, 101, &[("upgrade", "x")], Unknown, "ab", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nab"),
    (GET, 426, &[("upgrade", "x")], Exact(0), "", "HTTP/1.1 426 Upgrade Required\r\nupgrade: x\r\ncontent-length: 0\r\nconnection: upgrade\r\n\r\n"),
    (GET, 200, &[("upgrade", "x"), ("connection", "close, upgrade")], Exact(0), "", "HTTP/1.1 200 OK\r\nupgrade: x\r\ncontent-length: 0\r\nconnection: close, upgrade\r\n\r\n"),
    (KEPT_10, 426, &[("upgrade", "x")], Exact(0), "", "HTTP/1.1 426 Upgrade Required\r\nupgrade: x\r\ncontent-length: 0\r\nconnection: keep-alive, upgrade\r\n\r\n"),
    (UPGRADE, 200, &[], Exact(0), "", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    (CONNECT, 200, &[], Exact(0), "ab", "HTTP/1.1 200 OK\r\n\r\nab"),
    (CONNECT, 200, &[("upgrade", "x")], Exact(0), "ab", "HTTP/1.1 200 OK\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nab"),
    (CONNECT, 403, &[], Exact(0), "", "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"),
];

#[test]
fn responses() {
    for (request, status, fields, length, content, expected) in RESPONSES {
        let (mut conn, mut out) = (served(request), Output::default());
        let fields = headers(fields);
        let head = ResponseHead::new(StatusCode::from_u16(*status).unwrap(), &fields);
        conn.send_head(head, *length, &mut out).unwrap();
        conn.send_data(Bytes::new(), &mut out).unwrap();
        conn.send_data(Bytes::from_static(content.as_bytes()), &mut out).unwrap();
        conn.send_end(None, &mut out).unwrap();
        assert_eq!(written(&mut out), *expected, "{request:?} {status}");
        let again = conn.send_end(None, &mut out);
        assert!(matches!(again, Err(Misuse::IllegalStep { .. })), "{again:?}");
        assert!(out.is_empty());
    }
}

/// Request, status, fields, length, and what is wrong with it.
type Wrong = (&'static str, u16, Fields, BodyLength, Misuse);

#[rustfmt::skip]
const WRONG: &[Wrong] = &[
    (GET, 200, &[("content-length", "3")], Exact(2), Misuse::FramingField(header::CONTENT_LENGTH)),
    (GET, 200, &[("content-length", "3")], Unknown, Misuse::FramingField(header::CONTENT_LENGTH)),
    (GET, 200, &[("content-length", "x")], Exact(2), Misuse::FramingField(header::CONTENT_LENGTH)),
    (HEAD, 200, &[("content-length", "1"), ("content-length", "1")], Exact(1), Misuse::FramingField(header::CONTENT_LENGTH)),
    (GET, 204, &[("content-length", "3")], Unknown, Misuse::FramingField(header::CONTENT_LENGTH)),
    (GET, 200, &[("transfer-encoding", "chunked")], Unknown, Misuse::FramingField(header::TRANSFER_ENCODING)),
    (GET, 200, &[("connection", "keep-alive")], Exact(0), Misuse::FramingField(header::CONNECTION)),
    (GET, 200, &[("connection", "upgrade")], Exact(0), Misuse::FramingField(header::CONNECTION)),
    (GET, 200, &[("connection", "close, x")], Exact(0), Misuse::FramingField(header::CONNECTION)),
    (GET, 103, &[], Exact(0), Misuse::NotFinal(StatusCode::EARLY_HINTS)),
    (GET, 101, &[("upgrade", "x")], Exact(0), Misuse::UpgradeNotAsked),
    (UPGRADE, 101, &[], Exact(0), Misuse::UpgradeNotNamed),
    (UPGRADE, 101, &[("upgrade", "x"), ("content-length", "0")], Exact(0), Misuse::FramingField(header::CONTENT_LENGTH)),
    (CONNECT, 200, &[("content-length", "0")], Exact(0), Misuse::FramingField(header::CONTENT_LENGTH)),
    (CONNECT, 101, &[("upgrade", "x")], Exact(0), Misuse::UpgradeNotAsked),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\n", 101, &[("upgrade", "x")], Unknown, Misuse::RequestUnfinished),
];

#[test]
fn misuse_leaves_all_as_it_was() {
    for (request, status, fields, length, misuse) in WRONG {
        let (mut conn, mut out) = (served(request), Output::default());
        let fields = headers(fields);
        let before = (conn.states(), conn.close_reason());
        let head = ResponseHead::new(StatusCode::from_u16(*status).unwrap(), &fields);
        assert_eq!(conn.send_head(head, *length, &mut out).unwrap_err(), *misuse, "{request:?} {status}");
        assert!(out.is_empty());
        assert_eq!((conn.states(), conn.close_reason()), before);
        assert!(!misuse.to_string().is_empty());
    }
}

#[test]
fn the_declared_length_is_kept() {
    let (mut conn, mut out) = (served(GET), Output::default());
    let data = |text: &'static str| Bytes::from_static(text.as_bytes());
    assert!(matches!(conn.send_data(data("a"), &mut out), Err(Misuse::IllegalStep { .. })));
    conn.send_head(ResponseHead::new(StatusCode::OK, &HeaderMap::new()), Exact(3), &mut out).unwrap();
    conn.send_data(data("ab"), &mut out).unwrap();
    written(&mut out);
    assert_eq!(conn.send_data(data("cd"), &mut out), Err(Misuse::TooLong { remaining: 1, given: 2 }));
    assert_eq!(conn.send_end(None, &mut out), Err(Misuse::EndedShort { missing: 1 }));
    assert!(out.is_empty());
    conn.send_data(data("c"), &mut out).unwrap();
    conn.send_end(None, &mut out).unwrap();
    assert_eq!(written(&mut out), "c");
}

#[test]
fn chunks_of_any_size() {
    for size in [1, 9, 10, 15, 16, 255, 4096, 100_000] {
        let (mut conn, mut out) = (served(GET), Output::default());
        conn.send_head(ResponseHead::new(StatusCode::OK, &HeaderMap::new()), Unknown, &mut out).unwrap();
        written(&mut out);
        conn.send_data(Bytes::from(vec![b'x'; size]), &mut out).unwrap();
        assert_eq!(written(&mut out), format!("{size:x}\r\n{}\r\n", "x".repeat(size)));
    }
}

#[test]
fn the_date_is_sent_once() {
    let date = HttpDate::default();
    let given = headers(&[("date", "today")]);
    for (fields, expected) in [
        (&HeaderMap::new(), "HTTP/1.1 204 No Content\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n"),
        (&given, "HTTP/1.1 204 No Content\r\ndate: today\r\n\r\n"),
    ] {
        let (mut conn, mut out) = (served(GET), Output::default());
        let mut head = ResponseHead::new(StatusCode::NO_CONTENT, fields);
        head.date = Some(&date);
        conn.send_head(head, Exact(0), &mut out).unwrap();
        assert_eq!(written(&mut out), expected);
    }
}

#[test]
fn trailers_go_to_those_who_take_them() {
    let takes = "GET / HTTP/1.1\r\nHost: h\r\nTE: gzip, Trailers\r\nConnection: te\r\n\r\n";
    let hidden = "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n";
    let trailers = headers(&[("x", "y")]);
    let forbidden = headers(&[("x", "y"), ("content-length", "1")]);
    for (request, accepts, length, expected) in [
        (takes, true, Unknown, "0\r\nx: y\r\n\r\n"),
        (takes, true, Exact(0), ""),
        (hidden, false, Unknown, "0\r\n\r\n"),
        (GET, false, Unknown, "0\r\n\r\n"),
    ] {
        let (mut conn, mut out) = (served(request), Output::default());
        assert_eq!(conn.accepts_trailers(), accepts);
        conn.send_head(ResponseHead::new(StatusCode::OK, &HeaderMap::new()), length, &mut out).unwrap();
        written(&mut out);
        let misuse = conn.send_end(Some(&forbidden), &mut out);
        assert_eq!(misuse, Err(Misuse::InvalidTrailer(header::CONTENT_LENGTH)));
        assert!(out.is_empty());
        conn.send_end(Some(&trailers), &mut out).unwrap();
        assert_eq!(written(&mut out), expected);
    }
}

#[test]
fn informational_responses() {
    let mut out = Output::default();
    let hints = headers(&[("link", "</a>")]);
    let mut conn = served(GET);
    conn.send_informational(StatusCode::EARLY_HINTS, &hints, &mut out).unwrap();
    assert_eq!(written(&mut out), "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
    conn.send_informational(StatusCode::EARLY_HINTS, &headers(&[("upgrade", "x")]), &mut out).unwrap();
    assert_eq!(written(&mut out), "HTTP/1.1 103 Early Hints\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    for status in [StatusCode::SWITCHING_PROTOCOLS, StatusCode::OK] {
        let misuse = conn.send_informational(status, &hints, &mut out);
        assert_eq!(misuse, Err(Misuse::NotInformational(status)));
    }
    for name in ["content-length", "transfer-encoding", "connection"] {
        let misuse = conn.send_informational(StatusCode::EARLY_HINTS, &headers(&[(name, "0")]), &mut out);
        assert!(matches!(misuse, Err(Misuse::FramingField(field)) if field == name));
    }
    served(KEPT_10).send_informational(StatusCode::EARLY_HINTS, &hints, &mut out).unwrap();
    assert!(out.is_empty());
    conn.send_head(ResponseHead::new(StatusCode::OK, &hints), Exact(0), &mut out).unwrap();
    let late = conn.send_informational(StatusCode::EARLY_HINTS, &hints, &mut out);
    assert!(matches!(late, Err(Misuse::IllegalStep { .. })));
}

#[test]
fn requests() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, Fields, BodyLength, &str)] = &[
        ("GET", "/a?b", &[], Exact(0), "GET /a?b HTTP/1.1\r\nhost: h\r\n\r\n"),
        ("POST", "/", &[], Exact(0), "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n"),
        ("PUT", "/", &[], Exact(2), "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n"),
        ("POST", "/", &[("content-length", "2")], Exact(2), "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n"),
        ("POST", "/", &[], Unknown, "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"),
        ("GET", "/", &[("connection", "close")], Exact(0), "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"),
        ("GET", "/", &[("te", "trailers"), ("upgrade", "x")], Exact(0), "GET / HTTP/1.1\r\nhost: h\r\nte: trailers\r\nupgrade: x\r\nconnection: upgrade, te\r\n\r\n"),
        ("CONNECT", "h:1", &[], Exact(0), "CONNECT h:1 HTTP/1.1\r\nhost: h\r\n\r\n"),
        ("OPTIONS", "*", &[], Exact(0), "OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n"),
        ("GET", "http://h/", &[], Exact(0), "GET http://h/ HTTP/1.1\r\nhost: h\r\n\r\n"),
    ];
    for (method, target, fields, length, expected) in cases {
        let (mut conn, mut out) = (ClientConn::new(Arc::default()), Output::default());
        let mut map = host();
        map.extend(headers(fields));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        conn.send_head(RequestHead::new(&method, target, &map), *length, &mut out).unwrap();
        assert_eq!(written(&mut out), *expected);
    }
}

#[test]
fn wrong_requests() {
    let get = Method::GET;
    #[rustfmt::skip]
    let cases: &[(Method, &str, Fields, BodyLength, Misuse)] = &[
        (get.clone(), "", &[("host", "h")], Exact(0), Misuse::InvalidTarget),
        (get.clone(), "a", &[("host", "h")], Exact(0), Misuse::InvalidTarget),
        (get.clone(), "/a b", &[("host", "h")], Exact(0), Misuse::InvalidTarget),
        (get.clone(), "/a\r\nx: y", &[("host", "h")], Exact(0), Misuse::InvalidTarget),
        (get.clone(), "/#a", &[("host", "h")], Exact(0), Misuse::InvalidTarget),
        (get.clone(), "*", &[("host", "h")], Exact(0), Misuse::InvalidTarget),
        (Method::CONNECT, "/", &[("host", "h")], Exact(0), Misuse::InvalidTarget),
        (get.clone(), "/`", &[("host", "h")], Exact(0), Misuse::InvalidTarget),
        (get.clone(), "http://%41/", &[("host", "%41")], Exact(0), Misuse::InvalidTarget),
        (get.clone(), "http://i/", &[("host", "h")], Exact(0), Misuse::InvalidHost),
        (Method::CONNECT, "i:1", &[("host", "h")], Exact(0), Misuse::InvalidHost),
        (get.clone(), "/", &[], Exact(0), Misuse::InvalidHost),
        (get.clone(), "/", &[("host", "h"), ("host", "h")], Exact(0), Misuse::InvalidHost),
        (get.clone(), "/", &[("host", "a b")], Exact(0), Misuse::InvalidHost),
        (Method::TRACE, "/", &[("host", "h")], Exact(1), Misuse::ContentForbidden),
        (Method::CONNECT, "h:1", &[("host", "h")], Unknown, Misuse::ContentForbidden),
        (get.clone(), "/", &[("host", "h"), ("content-length", "1")], Exact(0), Misuse::FramingField(header::CONTENT_LENGTH)),
        (get.clone(), "/", &[("host", "h"), ("connection", "upgrade")], Exact(0), Misuse::FramingField(header::CONNECTION)),
        (get, "/", &[("host", "h"), ("connection", "te")], Exact(0), Misuse::FramingField(header::CONNECTION)),
    ];
    for (method, target, fields, length, misuse) in cases {
        let (mut conn, mut out) = (ClientConn::new(Arc::default()), Output::default());
        let fields = headers(fields);
        let sent = conn.send_head(RequestHead::new(method, target, &fields), *length, &mut out);
        assert_eq!(sent.unwrap_err(), *misuse, "{method} {target:?}");
        assert!(out.is_empty());
        assert_eq!(conn.states(), (State::Idle, State::Idle));
    }
}
