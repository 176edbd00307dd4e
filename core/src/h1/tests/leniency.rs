//! What each switch opens, what it leaves shut, and what gets through it.

use super::*;
use crate::leniency::Leniency;

pub(super) fn all() -> Leniency {
    let mut leniency = Leniency::default();
    for name in Leniency::NAMES {
        assert!(leniency.switch_on(name));
    }
    leniency
}

fn only(name: &str) -> Leniency {
    let mut leniency = Leniency::default();
    assert!(leniency.switch_on(name), "{name}");
    leniency
}

fn limits(leniency: Leniency) -> Limits {
    Limits { leniency, ..Limits::default() }
}

/// A switch; a request, with a mark where it is refused without; the refusal; and what is read with it.
type Opening = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const REQUESTS: &[Opening] = &[
    ("bare_lf", "GET / HTTP/1.1¦\nHost: h\r\n\r\n", "!400 bare-lf", "GET / 1.1 0 . need"),
    ("bare_lf", "GET / HTTP/1.1\r\nHost: h¦\nA: b\r\n\r\n", "!400 bare-lf", "GET / 1.1 0 . need"),
    ("bare_lf", "GET / HTTP/1.1\r\nHost: h\r\n¦\n", "!400 bare-lf", "GET / 1.1 0 . need"),
    ("bare_lf", "GET / HTTP/1.1¦\nHost: h\n\r\n", "!400 bare-lf", "GET / 1.1 0 . need"),
    ("bare_lf", "GET /1 HTTP/1.1¦\nHost: h\n\nGET /2 HTTP/1.1\nHost: h\n\n", "!400 bare-lf", "GET /1 1.1 0 . GET /2 1.1 0 . need"),
    ("bare_lf", "¦\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "!400 bare-lf", "GET / 1.1 0 . need"),
    ("bare_lf", "\r\n¦\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "!400 bare-lf", "GET / 1.1 0 . need"),
    ("bare_lf", "GET / HTTP/1.0¦\n\n", "!400 bare-lf", "GET / 1.0 0 . need"),
    ("bare_lf", "GET / HTTP/1.1\r\nHost: h\r\nA:¦\n\r\n", "!400 bare-lf", "GET / 1.1 0 . need"),
    ("line_folding", "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n¦ c\r\n\r\n", "!400 obs-fold", "GET / 1.1 0 . need"),
    ("line_folding", "GET / HTTP/1.1\r\nHost: h\r\nA:\r\n¦\tb\r\n\tc\r\n\r\n", "!400 obs-fold", "GET / 1.1 0 . need"),
    ("repeated_content_length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ¦1, 1\r\n\r\na", "!400 invalid-content-length", "POST / 1.1 1 =a . need"),
    ("repeated_content_length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: ¦1\r\n\r\na", "!400 repeated-content-length", "POST / 1.1 1 =a . need"),
    ("repeated_content_length", "POST / HTTP/1.0\r\nContent-Length: ¦1 ,1,\t1\r\nContent-Length: 1\r\n\r\na", "!400 invalid-content-length", "POST / 1.0 1 =a . need"),
    ("transfer_encoding_over_content_length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: ¦chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "!400 conflicting-framing", "POST / 1.1 ? =a . need"),
    ("transfer_encoding_over_content_length", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: ¦5\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "!400 conflicting-framing", "POST / 1.1 ? . need"),
    ("raw_target", "GET /¦é?\u{20ac} HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target", "GET /%C3%A9?%E2%82%AC 1.1 0 . need"),
    ("raw_target", "GET /%22¦\"<>\\^`{|} HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target", "GET /%22%22%3C%3E%5C^%60{|} 1.1 0 . need"),
    ("raw_target", "GET ¦/` HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target", "GET /%60 1.1 0 . need"),
    ("raw_target", "GET http://h/?a=¦\"b\" HTTP/1.1\r\nHost: h\r\n\r\n", "!400 invalid-target", "GET http://h/?a=%22b%22 1.1 0 . need"),
    ("host_mismatch", "GET http://h/ HTTP/1.1\r\nHost: ¦i\r\n\r\n", "!400 host-mismatch", "GET http://h/ 1.1 0 . need"),
    ("host_mismatch", "GET http://h:81/ HTTP/1.0\r\nHost: ¦h\r\n\r\n", "!400 host-mismatch", "GET http://h:81/ 1.0 0 . need"),
];

/// What is refused whatever is switched on.
#[rustfmt::skip]
const SHUT: &[Case] = &[
    ("method alone", "GET¦\n", "!400 malformed-request-line"),
    ("no version", "GET /¦\n", "!400 malformed-request-line"),
    ("half a version", "GET / HTTP/1¦\n", "!400 malformed-version"),
    ("version 2.0", "GET / ¦HTTP/2.0\nHost: h\n\n", "!505 unsupported-version"),
    ("bare CR before", "\r¦GET / HTTP/1.1\n", "!400 bare-cr"),
    ("bare CR after the version", "GET / HTTP/1.1\r¦Host: h\n\n", "!400 bare-cr"),
    ("bare CR in a value", "GET / HTTP/1.1\nHost: h\nA: b¦\rc\n\n", "!400 bare-cr"),
    ("bare CR before CRLF", "GET / HTTP/1.1\nHost: h\nA: b¦\r\r\n\n", "!400 bare-cr"),
    ("bare CR before a fold", "GET / HTTP/1.1\nHost: h\nA: b¦\r\r\n c\n\n", "!400 bare-cr"),
    ("NUL in a fold", "GET / HTTP/1.1\nHost: h\nA: b\n c¦\0\n\n", "!400 invalid-field-value"),
    ("fold before the first field", "GET / HTTP/1.1\n¦ Host: h\n\n", "!400 leading-whitespace"),
    ("fold of nothing", "GET / HTTP/1.1\nHost: h\nA: b\n¦ \n\n", "!400 obs-fold"),
    ("fold of nothing, once more", "GET / HTTP/1.1\nHost: h\nA: b\n c\n¦\t\r\n\n", "!400 obs-fold"),
    ("fold before the colon", "GET / HTTP/1.1\nHost: h\nA¦\n : b\n\n", "!400 space-before-colon"),
    ("fold in a name", "GET / HTTP/1.1\nHost: h\nA¦\n B: c\n\n", "!400 invalid-field-name"),
    ("fold of Host", "GET / HTTP/1.1\nHost: h\n¦ i\n\n", "!400 obs-fold"),
    ("fold of Content-Length", "POST / HTTP/1.1\nHost: h\nContent-Length:\n¦ 1\n\n", "!400 obs-fold"),
    ("fold of Transfer-Encoding", "POST / HTTP/1.1\nHost: h\nA: b\n c\ntransfer-encoding:\n¦ chunked\n\n", "!400 obs-fold"),
    ("space before the colon", "GET / HTTP/1.1\nHost¦ : h\n\n", "!400 space-before-colon"),
    ("lengths that differ", "POST / HTTP/1.1\nHost: h\nContent-Length: ¦5, 6\n\n", "!400 invalid-content-length"),
    ("lengths that differ on two lines", "POST / HTTP/1.1\nHost: h\nContent-Length: 5\nContent-Length: ¦6\n\n", "!400 repeated-content-length"),
    ("a list and another length", "POST / HTTP/1.1\nHost: h\nContent-Length: 5, 5\nContent-Length: ¦6\n\n", "!400 repeated-content-length"),
    ("list with an empty element", "POST / HTTP/1.1\nHost: h\nContent-Length: ¦5,\n\n", "!400 invalid-content-length"),
    ("list with signs", "POST / HTTP/1.1\nHost: h\nContent-Length: ¦+5, +5\n\n", "!400 invalid-content-length"),
    ("list of lengths too large", "POST / HTTP/1.1\nHost: h\nContent-Length: ¦9223372036854775808, 9223372036854775808\n\n", "!400 invalid-content-length"),
    ("both, and an invalid length", "POST / HTTP/1.1\nHost: h\nContent-Length: ¦x\nTransfer-Encoding: chunked\n\n", "!400 invalid-content-length"),
    ("both, and another coding", "POST / HTTP/1.1\nHost: h\nContent-Length: 5\nTransfer-Encoding: ¦gzip\n\n", "!501 unknown-transfer-coding"),
    ("both, and chunked twice", "POST / HTTP/1.1\nHost: h\nContent-Length: 5\nTransfer-Encoding: ¦chunked, chunked\n\n", "!400 malformed-transfer-encoding"),
    ("both in 1.0", "POST / HTTP/1.0\nContent-Length: 5\nTransfer-Encoding: ¦chunked\n\n", "!400 transfer-encoding-in-http10"),
    ("fragment", "GET /é¦#b HTTP/1.1\n", "!400 invalid-target"),
    ("control in the target", "GET /é¦\u{1} HTTP/1.1\n", "!400 invalid-target"),
    ("DEL in the target", "GET /é¦\u{7f} HTTP/1.1\n", "!400 invalid-target"),
    ("space in the target", "GET /é ¦b HTTP/1.1\n", "!400 malformed-version"),
    ("raw bytes in an authority", "GET ¦http://é/ HTTP/1.1\nHost: h\n\n", "!400 invalid-target"),
    ("backslash for a slash", "GET ¦http://h\\@i/ HTTP/1.1\nHost: h\n\n", "!400 invalid-target"),
    ("raw bytes in no form", "GET ¦\"/\" HTTP/1.1\nHost: h\n\n", "!400 invalid-target-form"),
    ("raw bytes for CONNECT", "CONNECT ¦é:443 HTTP/1.1\nHost: h\n\n", "!400 invalid-target-form"),
    ("CONNECT, other host", "CONNECT h:443 HTTP/1.1\nHost: ¦i\n\n", "!400 host-mismatch"),
    ("absolute, no host", "GET http://h/ HTTP/1.1\n\n¦", "!400 missing-host"),
    ("absolute, two hosts", "GET http://h/ HTTP/1.1\nHost: i\nHost: ¦h\n\n", "!400 repeated-host"),
    ("absolute, invalid host", "GET http://h/ HTTP/1.1\nHost: ¦a b\n\n", "!400 invalid-host"),
];

const CHUNKED_HEAD: &str = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Bodies, each after [`CHUNKED_HEAD`], with every switch on.
#[rustfmt::skip]
const CHUNKS: &[(&str, &str)] = &[
    ("1\r\na\r\n0\r\nA: b\n\n", "=a .{a: b} need"),
    ("0\r\nA: b\r\n\n", ".{a: b} need"),
    ("0\r\n\n", ". need"),
    ("0\r\nA: b\r\n\tc\n d\n\r\n", ".{a: b   c  d} need"),
    ("0\r\nContent-Length:\n¦ 5\n\n", "!400 obs-fold"),
    ("0\r\n¦ A: b\n\n", "!400 leading-whitespace"),
    ("1¦\na\r\n0\r\n\r\n", "!400 bare-lf"),
    ("1;a¦\na\r\n0\r\n\r\n", "!400 bare-lf"),
    ("1\r\na¦\n0\r\n\r\n", "=a !400 missing-chunk-end"),
    ("0¦\n\r\n", "!400 bare-lf"),
    ("1\r\na\r\n¦\n0\r\n\r\n", "=a !400 invalid-chunk-size"),
    ("¦+1\r\na\r\n", "!400 invalid-chunk-size"),
];

/// The same for responses to a GET.
#[rustfmt::skip]
const RESPONSES: &[Opening] = &[
    ("bare_lf", "HTTP/1.1 200 OK¦\nContent-Length: 1\n\na", "!502 bare-lf", "1.1 200 OK 1 =a . need"),
    ("bare_lf", "HTTP/1.1 200 ¦\nContent-Length: 1\n\r\na", "!502 bare-lf", "1.1 200  1 =a . need"),
    ("bare_lf", "HTTP/1.1 100 C\r\n¦\nHTTP/1.1 204 N\r\n\r\n", "!502 bare-lf", "1.1 100 C 0 1.1 204 N 0 . need"),
    ("line_folding", "HTTP/1.1 204 N\r\nA: b\r\n¦ c\r\n\r\n", "!502 obs-fold", "1.1 204 N 0 . need"),
    ("repeated_content_length", "HTTP/1.1 200 OK\r\nContent-Length: ¦1,1\r\n\r\na", "!502 invalid-content-length", "1.1 200 OK 1 =a . need"),
    ("transfer_encoding_over_content_length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: ¦chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "!502 conflicting-framing", "1.1 200 OK ? =a . need"),
];

/// What no switch opens in a response.
#[rustfmt::skip]
const SHUT_RESPONSES: &[Case] = &[
    ("LF after the status", "HTTP/1.1 200¦\n\n", "!502 malformed-status-line"),
    ("bare CR", "HTTP/1.1 200 O\r¦K\n\n", "!502 bare-cr"),
    ("empty line first", "¦\nHTTP/1.1 200 OK\n\n", "!502 malformed-status-line"),
    ("both in 1.0", "HTTP/1.0 200 OK\nContent-Length: 1\nTransfer-Encoding: ¦chunked\n\n", "!502 transfer-encoding-in-http10"),
];

/// Every switch alone, none, and all: each input is read with the switch that it names, and refused without.
fn check_each(openings: &[Opening], check: impl Fn(&Limits, &[Case])) {
    for (switch, text, refused, read) in openings {
        let taken: &str = text.replace(MARK, "").leak();
        check(&limits(Leniency::default()), &[("no switch", text, refused)]);
        check(&limits(all()), &[("all switches", taken, read)]);
        for name in Leniency::NAMES {
            let case: Case = if name == switch { (name, taken, read) } else { (name, text, refused) };
            check(&limits(only(name)), &[case]);
        }
    }
}

fn check_responses(limits: &Limits, cases: &[Case]) {
    let limits = Arc::new(limits.clone());
    for case in cases {
        check(case, false, |feed| {
            let mut conn = ClientConn::new(limits.clone());
            responses::ask(&mut conn, "GET");
            run(conn, feed, response_head, responses::stay)
        });
    }
}

#[test]
fn each_switch_opens_what_is_its_own() {
    check_each(REQUESTS, |limits, cases| check_requests(limits, cases, false));
    check_each(RESPONSES, check_responses);
    for name in Leniency::NAMES {
        assert!(REQUESTS.iter().any(|(switch, ..)| switch == name), "{name} has no request");
    }
    assert!(!Leniency::default().switch_on("bare_cr"));
}

#[test]
fn what_no_switch_opens() {
    check_requests(&limits(all()), SHUT, false);
    check_responses(&limits(all()), SHUT_RESPONSES);
    for (body, read) in CHUNKS {
        let (text, read) = (format!("{CHUNKED_HEAD}{body}"), format!("POST / 1.1 ? {read}"));
        check_requests(&limits(all()), &[(body, text.leak(), read.leak())], false);
    }
}

#[test]
fn an_encoded_target_is_under_the_limit_too() {
    let mut limits = limits(all());
    limits.target_bytes = 10;
    let cases = [
        ("ten bytes, encoded", "GET /123456< HTTP/1.1\nHost: h\n\n", "GET /123456%3C 1.1 0 . need"),
        ("eleven bytes, encoded", "GET ¦/1234567< HTTP/1.1\nHost: h\n\n", "!414 target-too-long"),
        ("eleven raw ones", "GET /<34567890¦1 HTTP/1.1\nHost: h\n\n", "!414 target-too-long"),
    ];
    check_requests(&limits, &cases, false);
}

#[test]
fn what_gets_through_is_well_formed() {
    for (text, expected) in [
        ("GET / HTTP/1.1\nHost: h\nA: b \t\r\n \tc\n", "{host: h}{a: b      c}"),
        ("GET / HTTP/1.1\nHost: h\nA:\n b\nB: \n\tc\n d\n", "{host: h}{a: b}{b: c  d}"),
        ("POST / HTTP/1.1\nContent-Length: 01, 1\nHost: h\n", "{content-length: 1}{host: h}"),
        ("POST / HTTP/1.1\nContent-Length: 1\nHost: h\nContent-Length: 1\n", "{content-length: 1}{host: h}"),
        (
            "POST / HTTP/1.1\nContent-Length: 1, 1\nHost: h\nTransfer-Encoding: chunked\nContent-Length: 1\n",
            "{transfer-encoding: chunked}{host: h}",
        ),
        ("GET http://h:81/ HTTP/1.1\nA: b\nHost: i\n", "{a: b}{host: h:81}"),
        ("GET http://h:80/ HTTP/1.1\nHost: h\n", "{host: h}"),
    ] {
        let mut conn = ServerConn::new(Arc::new(limits(all())));
        let Ok(Event::Head(head)) = conn.next(&mut BytesMut::from(&*format!("{text}\n"))) else {
            panic!("{text}")
        };
        assert_eq!(fields(&head.headers), expected, "{text}");
    }
}

#[test]
fn two_framings_close_the_connection_and_nothing_else_does() {
    for (switch, text, _, _) in REQUESTS.iter().filter(|(_, text, ..)| !text.contains("HTTP/1.0")) {
        let mut conn = ServerConn::new(Arc::new(limits(only(switch))));
        let mut input = BytesMut::from(&*text.replace(MARK, ""));
        while !matches!(conn.next(&mut input).unwrap(), Event::Paused) {}
        let (mut out, headers) = (Output::default(), HeaderMap::new());
        conn.send_head(ResponseHead::new(StatusCode::OK, &headers), BodyLength::Exact(0), &mut out).unwrap();
        conn.send_end(None, &mut out).unwrap();
        let closes = *switch == "transfer_encoding_over_content_length";
        assert_eq!(written(&mut out).contains("connection: close\r\n"), closes, "{text}");
        assert_eq!(conn.reuse().err(), closes.then_some(CloseReason::ConflictingFraming), "{text}");
    }
}

#[test]
fn two_framings_of_any_response_close_the_connection() {
    let both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (method, text) in [
        ("GET", format!("HTTP/1.1 200 OK\r\n{both}0\r\n\r\n")),
        ("HEAD", format!("HTTP/1.1 200 OK\r\n{both}")),
        ("GET", format!("HTTP/1.1 103 E\r\n{both}HTTP/1.1 204 N\r\n\r\n")),
    ] {
        let mut conn = ClientConn::new(Arc::new(limits(all())));
        responses::ask(&mut conn, method);
        let mut input = BytesMut::from(&*text);
        while !matches!(conn.next(&mut input).unwrap(), Event::Paused) {}
        assert_eq!(conn.reuse(), Err(CloseReason::ConflictingFraming), "{text}");
    }
}
