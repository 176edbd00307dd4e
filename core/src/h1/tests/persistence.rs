//! Who keeps the connection, who closes it, and who is told.

use super::*;

/// A request's lines after the first, its version, and why there is no second request.
#[rustfmt::skip]
const RECEIVED: &[(&str, &str, Option<CloseReason>)] = &[
    ("1.1", "", None),
    ("1.1", "Connection: keep-alive\r\n", None),
    ("1.1", "Connection: close\r\n", Some(CloseReason::ClientSentClose)),
    ("1.1", "Connection: CLOSE\r\n", Some(CloseReason::ClientSentClose)),
    ("1.1", "Connection: x,\tclose , y\r\n", Some(CloseReason::ClientSentClose)),
    ("1.1", "Connection: close\r\nConnection: keep-alive\r\n", Some(CloseReason::ClientSentClose)),
    ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", Some(CloseReason::ClientSentClose)),
    ("1.1", "Connection: closed\r\n", None),
    ("1.1", "X: close\r\n", None),
    ("1.0", "", Some(CloseReason::Http10)),
    ("1.0", "Connection: keep-alive\r\n", None),
    ("1.0", "Connection: Keep-Alive, x\r\n", None),
    ("1.0", "Connection: keep-alive, close\r\n", Some(CloseReason::ClientSentClose)),
];

fn respond(conn: &mut ServerConn, length: BodyLength) -> String {
    let (mut out, headers) = (Output::default(), HeaderMap::new());
    conn.send_head(ResponseHead::new(StatusCode::OK, &headers), length, &mut out).unwrap();
    conn.send_end(None, &mut out).unwrap();
    written(&mut out)
}

#[test]
fn as_the_client_wishes() {
    for (version, fields, close) in RECEIVED {
        let mut conn = served(&format!("GET / HTTP/{version}\r\nHost: h\r\n{fields}\r\n"));
        assert_eq!(conn.close_reason(), *close, "{version} {fields:?}");
        let response = respond(&mut conn, BodyLength::Exact(0));
        assert_eq!(response.contains("connection: close\r\n"), close.is_some(), "{version} {fields:?}");
        let echoes = *version == "1.0" && close.is_none();
        assert_eq!(response.contains("connection: keep-alive\r\n"), echoes, "{version} {fields:?}");
        assert_eq!(conn.reuse().err(), *close);
    }
}

#[test]
fn as_we_wish() {
    let mut conn = served("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    conn.close(CloseReason::Draining);
    conn.close(CloseReason::TimedOut);
    assert!(respond(&mut conn, BodyLength::Exact(0)).contains("connection: close\r\n"));
    assert_eq!(conn.reuse(), Err(CloseReason::Draining));
    assert_eq!(CloseReason::Draining.to_string(), "the server is stopping");
}

#[test]
fn both_messages_have_to_be_complete() {
    let mut conn = served("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
    assert_eq!(conn.reuse(), Err(CloseReason::Unfinished));
    assert_eq!((conn.body_remaining(), conn.incoming_length()), (Some(2), BodyLength::Exact(2)));
    respond(&mut conn, BodyLength::Exact(0));
    assert_eq!(conn.reuse(), Err(CloseReason::UnreadBody));
    assert!(!conn.has_received_all());
    let mut input = BytesMut::from("bc");
    assert!(matches!(conn.next(&mut input), Ok(Event::Data(data)) if data == "bc"));
    assert!(matches!(conn.next(&mut input), Ok(Event::End(None))));
    assert!(conn.has_received_all());
    assert_eq!(conn.body_remaining(), Some(0));
    assert_eq!(conn.reuse(), Ok(()));
    assert_eq!(conn.states(), (State::Idle, State::Idle));
}

#[test]
fn what_comes_early_waits() {
    let mut conn = ServerConn::new(Arc::default());
    let mut input = BytesMut::from("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(matches!(conn.next(&mut input), Ok(Event::Head(_))));
    assert!(matches!(conn.next(&mut input), Ok(Event::End(None))));
    assert!(matches!(conn.next(&mut input), Ok(Event::Paused)));
    assert_eq!(input.len(), 28);
    conn.finish_input();
    assert!(matches!(conn.next(&mut input), Ok(Event::Paused)));
    respond(&mut conn, BodyLength::Unknown);
    conn.reuse().unwrap();
    assert!(matches!(conn.next(&mut input), Ok(Event::Head(head)) if head.uri == "/2"));
}

const EXPECTS: &str = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";

#[test]
fn one_hundred_is_sent_once_and_only_if_waited_for() {
    let (mut conn, mut out) = (served(EXPECTS), Output::default());
    assert!(conn.expects_continue());
    conn.send_continue(&mut out).unwrap();
    assert_eq!(written(&mut out), "HTTP/1.1 100 Continue\r\n\r\n");
    assert!(!conn.expects_continue());
    conn.send_continue(&mut out).unwrap();
    assert!(out.is_empty());
    respond(&mut conn, BodyLength::Exact(0));
    assert_eq!(conn.close_reason(), None);

    let waits = [
        (EXPECTS.to_owned(), true),
        (format!("{EXPECTS}a"), false),
        (EXPECTS.replace("1.1", "1.0"), false),
        (EXPECTS.replace("Length: 2", "Length: 0"), false),
    ];
    for (request, expected) in waits {
        assert_eq!(served(&request).expects_continue(), expected, "{request:?}");
    }
}

#[test]
fn a_final_answer_in_the_place_of_100_closes() {
    let mut conn = served(EXPECTS);
    let response = respond(&mut conn, BodyLength::Exact(0));
    assert_eq!(response, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    assert_eq!(conn.reuse(), Err(CloseReason::UnreadBody));
    assert!(!conn.expects_continue());
}

#[test]
fn after_a_refusal_one_answer_and_the_end() {
    let mut conn = served("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n");
    assert_eq!(conn.states(), (State::Failed, State::Idle));
    assert!(respond(&mut conn, BodyLength::Exact(0)).contains("connection: close\r\n"));
    assert_eq!(conn.reuse(), Err(CloseReason::Refused));
    assert!(conn.next(&mut BytesMut::from(EXPECTS)).is_err());
}

#[test]
fn an_answer_before_any_request() {
    let mut conn = ServerConn::new(Arc::default());
    let mut input = BytesMut::from("GET / HT");
    assert!(matches!(conn.next(&mut input), Ok(Event::NeedInput)));
    respond(&mut conn, BodyLength::Exact(0));
    assert_eq!(conn.reuse(), Err(CloseReason::NoRequest));
    input.extend_from_slice(b"TP/1.1\r\nHost: h\r\n\r\n");
    assert!(matches!(conn.next(&mut input), Ok(Event::Closed)));
}

#[test]
fn a_tunnel_gets_what_came_early() {
    let mut conn = ServerConn::new(Arc::default());
    let request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly";
    let mut input = BytesMut::from(request);
    assert!(matches!(conn.next(&mut input), Ok(Event::Head(head)) if head.upgrade));
    // The end of the request, which has no content, need not be taken first.
    let headers = headers(&[("upgrade", "x")]);
    let head = ResponseHead::new(StatusCode::SWITCHING_PROTOCOLS, &headers);
    conn.send_head(head, BodyLength::Unknown, &mut Output::default()).unwrap();
    assert!(conn.is_tunnel());
    assert!(conn.sends_body());
    assert!(matches!(conn.next(&mut input), Ok(Event::Data(data)) if data == "early"));
    assert!(matches!(conn.next(&mut input), Ok(Event::NeedInput)));
    conn.finish_input();
    assert!(matches!(conn.next(&mut input), Ok(Event::Closed)));
    conn.send_data(Bytes::from_static(b"x"), &mut Output::default()).unwrap();
    conn.send_end(None, &mut Output::default()).unwrap();
    assert_eq!(conn.states(), (State::Closed, State::Closed));
    assert_eq!(conn.reuse(), Err(CloseReason::Switched));
}

/// A response's head, and why the client does not ask again.
#[rustfmt::skip]
const RESPONSES: &[(&str, Option<CloseReason>)] = &[
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", Some(CloseReason::ServerSentClose)),
    ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", Some(CloseReason::Http10)),
    ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", None),
    ("HTTP/1.1 200 OK\r\n\r\n", Some(CloseReason::CloseDelimited)),
];

#[test]
fn as_the_server_wishes() {
    for (response, close) in RESPONSES {
        let (mut conn, mut out) = (ClientConn::new(Arc::default()), Output::default());
        let headers = host();
        let head = RequestHead::new(&Method::GET, "/", &headers);
        conn.send_head(head, BodyLength::Exact(0), &mut out).unwrap();
        conn.send_end(None, &mut out).unwrap();
        let mut input = BytesMut::from(*response);
        conn.finish_input();
        while !matches!(conn.next(&mut input).unwrap(), Event::End(_)) {}
        assert_eq!(conn.reuse().err(), *close, "{response:?}");
    }
}
