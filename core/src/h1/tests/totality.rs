//! Any bytes at all: no panic, the same under any cut, and work that is linear.

use std::fmt::Debug;

use super::*;

/// A generator of numbers that always gives the same ones.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

const SEEDS: &[&str] = &[
    "GET /a?b HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\nPOST http://h/ HTTP/1.1\r\nHost: h:80\r\nContent-Length: 4\r\n\r\nabcd",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0a\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
    "PUT /x HTTP/1.0\r\nConnection: keep-alive\r\nExpect: x\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1\r\n\r\n",
];

const RESPONSES: &[&str] = &[
    "HTTP/1.1 103 E\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\nHost: h\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nA: b\r\n\r\nto the end",
];

const LENIENT_SEEDS: &[&str] = &[
    "\nGET http://h/<\"> HTTP/1.1\nHost: i\nA: b\r\n c\n\t d\r\nB:\n e\n\nGET /é HTTP/1.1\nHost: h\n\r\n",
    "POST / HTTP/1.1\nHost: h\nContent-Length: 1, 1\nContent-Length: 1\n\naGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST / HTTP/1.1\nHost: h\nContent-Length: 1\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n0\r\nX: y\n z\r\n\n",
];

const LENIENT_RESPONSES: &[&str] = &[
    "HTTP/1.1 103 E\nA: b\n c\n\nHTTP/1.1 200 OK\nContent-Length: 4, 4\r\nHost: h\n\r\nabcd",
    "HTTP/1.1 200 \nTransfer-Encoding: chunked\nContent-Length: 1\n\n5;a=b\r\nhello\r\n0\r\nX: y\n\n",
];

const PARTS: &[&str] = &[
    "\r\n",
    "\r\n ",
    "\"",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "0",
    "9",
    "f",
    ";",
    ",",
    "\0",
    "#",
    "chunked",
    "Host: h\r\n",
    "Content-Length: 1\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "HTTP/1.1",
    "\u{ff}",
];

fn mutated(numbers: &mut Numbers, seeds: &[&str]) -> Vec<u8> {
    let mut bytes = seeds[numbers.below(seeds.len())].as_bytes().to_vec();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(bytes.len());
        match numbers.below(3) {
            0 => bytes[at] = numbers.below(256) as u8,
            1 => drop(bytes.drain(at..(at + 1 + numbers.below(4)).min(bytes.len()))),
            _ => drop(bytes.splice(at..at, PARTS[numbers.below(PARTS.len())].bytes())),
        }
        if bytes.is_empty() {
            bytes.push(b'G');
        }
    }
    bytes
}

fn tight() -> Arc<Limits> {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.head_fields, limits.trailer_bytes, limits.target_bytes) = (96, 4, 32, 20);
    Arc::new(limits)
}

/// Runs `rounds` mutants of `seeds`, each whole, cut at random places, and byte by byte.
fn mutants<T: PartialEq + Debug>(rounds: usize, seeds: &[&str], go: impl Fn(Feed<'_>) -> T) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..rounds {
        let bytes = mutated(&mut numbers, seeds);
        let mut cuts: Vec<usize> = (0..numbers.below(6)).map(|_| numbers.below(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let each: Vec<usize> = (1..bytes.len()).collect();
        let fin = numbers.below(2) == 0;
        let whole = go((&bytes, &[], fin));
        assert_eq!(go((&bytes, &cuts, fin)), whole, "{} cut at {cuts:?}", bytes.escape_ascii());
        assert_eq!(go((&bytes, &each, fin)), whole, "{} byte by byte", bytes.escape_ascii());
    }
}

/// As [`tight`], with every leniency.
fn tight_and_lenient() -> Arc<Limits> {
    let mut limits = Limits::clone(&tight());
    limits.leniency = leniency::all();
    Arc::new(limits)
}

/// Bytes, where they are cut, and whether a FIN follows.
type Feed<'a> = (&'a [u8], &'a [usize], bool);
type Outcome = (String, Option<u64>);

fn serve(limits: &Arc<Limits>, feed: Feed<'_>) -> Outcome {
    run(ServerConn::new(limits.clone()), feed, request_head, answer)
}

fn receive(limits: &Arc<Limits>, feed: Feed<'_>) -> Outcome {
    let mut conn = ClientConn::new(limits.clone());
    responses::ask(&mut conn, "GET");
    run(conn, feed, response_head, responses::stay)
}

/// What was read without any leniency; with all of them it must be the same, unless it was refused.
fn either(read: fn(&Arc<Limits>, Feed<'_>) -> Outcome, feed: Feed<'_>) -> (Outcome, Outcome) {
    let (strict, lenient) = (read(&tight(), feed), read(&tight_and_lenient(), feed));
    assert!(strict.1.is_some() || strict == lenient, "{}: {strict:?}, {lenient:?}", feed.0.escape_ascii());
    (strict, lenient)
}

#[test]
fn mutated_requests_are_the_same_under_any_cut() {
    mutants(20_000, SEEDS, |feed| either(serve, feed));
    mutants(20_000, LENIENT_SEEDS, |feed| either(serve, feed));
}

#[test]
fn mutated_responses_are_the_same_under_any_cut() {
    mutants(20_000, RESPONSES, |feed| either(receive, feed));
    mutants(20_000, LENIENT_RESPONSES, |feed| either(receive, feed));
}

#[test]
fn an_input_that_shrinks_is_no_panic() {
    for cut in 1..SEEDS[0].len() {
        for other in
            ["", "\n", "\r\n", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\r\n\r\n"]
        {
            let mut conn = ServerConn::new(Arc::default());
            let _ = conn.next(&mut BytesMut::from(&SEEDS[0][..cut]));
            let _ = conn.next(&mut BytesMut::from(other));
            conn.finish_input();
            let _ = conn.next(&mut BytesMut::from(other));
        }
    }
}

#[test]
fn a_paced_head_is_scanned_once() {
    // Were each call to begin anew, this would be 10^12 looks at a byte.
    let mut limits = Limits::default();
    (limits.head_bytes, limits.target_bytes) = (1 << 20, 1 << 10);
    let mut conn = ServerConn::new(Arc::new(limits));
    let mut input = BytesMut::with_capacity(1 << 20);
    input.extend_from_slice(b"GET / HTTP/1.1\r\nHost: h\r\nA: ");
    while input.len() < (1 << 20) - 4 {
        input.extend_from_slice(b"x");
        assert!(matches!(conn.next(&mut input), Ok(Event::NeedInput)));
    }
    input.extend_from_slice(b"\r\n\r\n");
    assert!(matches!(conn.next(&mut input), Ok(Event::Head(_))));
}

#[test]
fn a_paced_head_of_short_and_folded_lines_is_scanned_once() {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.leniency) = (1 << 20, leniency::all());
    let mut conn = ServerConn::new(Arc::new(limits));
    let mut input = BytesMut::with_capacity(1 << 20);
    input.extend_from_slice(b"GET / HTTP/1.1\nHost: h\nA: x\n");
    while input.len() < (1 << 20) - 8 {
        for piece in [&b" "[..], b"x", b"\n"] {
            input.extend_from_slice(piece);
            assert!(matches!(conn.next(&mut input), Ok(Event::NeedInput)));
        }
    }
    input.extend_from_slice(b"\n");
    assert!(matches!(conn.next(&mut input), Ok(Event::Head(_))));
}

#[test]
fn a_paced_chunked_body_keeps_nothing() {
    let mut conn = served("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut input = BytesMut::new();
    for _ in 0..10_000 {
        for byte in b"1;e\r\nx\r\n" {
            input.extend_from_slice(&[*byte]);
            if let Err(refusal) = conn.next(&mut input) {
                // Only the extensions add up, and they have a limit: 16 KiB of `;e` are 8,192 chunks.
                assert_eq!(refusal.reason, Reason::ChunkExtensionsTooLarge);
                return;
            }
            assert!(input.is_empty());
        }
    }
    panic!("extensions without a bound");
}

#[test]
fn content_shares_the_memory_of_the_input() {
    let mut conn = served("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
    let mut input = BytesMut::from("abcdefgh");
    let place = input.as_ptr();
    let Ok(Event::Data(data)) = conn.next(&mut input) else { panic!() };
    assert_eq!((data.as_ptr(), &data[..], &input[..]), (place, &b"abcd"[..], &b"efgh"[..]));
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    for reason in Reason::ALL {
        assert!(reason.status().is_client_error() || reason.status().is_server_error());
        assert!(!reason.to_string().is_empty());
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Reason::ALL.len());
}
