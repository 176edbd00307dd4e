//! A client's end under a script: requests are sent, bytes come in, and events are taken, in any order.
//!
//! Checked: no panic; a `Misuse`, and a `reuse` that fails, change nothing that follows (a second run leaves
//! them out and must see the same); a refusal stays; and all that was written is read back by a server's end,
//! request by request: method, target, content, trailers, ends, and whether the connection goes on.
//!
//! Records: `f` bytes, `n` one event, `a` all events, `h` method, target, length and fields of a head, `d`
//! data, `e` trailers, `r` reuse, `x` close, `F` the peer's FIN.
#![no_main]

use bakestone::Limits;
use bakestone::h1::{
    BodyLength, ClientConn, CloseReason, Event, Misuse, RequestHead, ResponseHead, ServerConn, State,
};
use bakestone::machine::Output;
use bakestone_fuzz::fields::{OWN, choose, trim, values};
use bakestone_fuzz::records::{at, from, records};
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use libfuzzer_sys::fuzz_target;

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE", "BREW-2", "get"];
const TARGETS: [&str; 8] = ["/", "/a?b=c", "http://h/", "h:1", "*", "http://h:80?q", "", "/%00/../{}|^"];

fuzz_target!(|data: &[u8]| {
    let script: Vec<_> = records(data).collect();
    let mut run = Run::new();
    let results: Vec<_> = script.iter().map(|record| run.perform(*record)).collect();
    let failed = |result: &str| result.starts_with("Err(Misuse") || result.starts_with("Err(Close");
    let mut twin = Run::new();
    for (record, result) in script.iter().zip(&results).filter(|(_, result)| !failed(result)) {
        assert_eq!(twin.perform(*record), *result, "what was misused has changed what follows");
    }
    let written = run.output.copy_to_bytes(run.output.remaining());
    assert_eq!(twin.output.copy_to_bytes(twin.output.remaining()), written);
    run.read_back(&written);
});

/// One exchange, as the client took part in it.
#[derive(Debug, Default)]
struct Exchange {
    /// Method, target, the values of the script's own field, and whether the client is to close.
    head: Option<(Method, String, Vec<Vec<u8>>, bool)>,
    content: Vec<u8>,
    trailers: Vec<Vec<u8>>,
    ended: bool,
    /// The server switched to another protocol.
    tunnel: bool,
}

struct Run {
    conn: ClientConn,
    input: BytesMut,
    output: Output,
    refusal: Option<String>,
    /// The last one is under way.
    exchanges: Vec<Exchange>,
}

impl Run {
    fn new() -> Self {
        let conn = ClientConn::new(Limits::default().into());
        let exchanges = vec![Exchange::default()];
        Self { conn, input: BytesMut::new(), output: Output::default(), refusal: None, exchanges }
    }

    fn exchange(&mut self) -> &mut Exchange {
        self.exchanges.last_mut().expect("there always is one")
    }

    /// Performs one record; what came of it, as text.
    fn perform(&mut self, (letter, payload): (u8, &[u8])) -> String {
        let before = (format!("{:?}", self.conn), self.output.len());
        let result = match letter {
            b'f' => return format!("{:?}", self.input.extend_from_slice(payload)),
            b'F' => return format!("{:?}", self.conn.finish_input()),
            b'x' => return format!("{:?}", self.conn.close(CloseReason::Draining)),
            b'n' => return self.next(),
            b'a' => {
                let mut all = String::new();
                for _ in 0..64 {
                    let one = self.next();
                    all += &one;
                    if !one.starts_with("Ok(Head")
                        && !one.starts_with("Ok(Data")
                        && !one.starts_with("Ok(End")
                    {
                        break;
                    }
                }
                return all;
            }
            b'r' => {
                let result = self.conn.reuse();
                match result {
                    Ok(()) => self.exchanges.push(Exchange::default()),
                    Err(_) => assert_eq!(before, (format!("{:?}", self.conn), self.output.len())),
                }
                return format!("{:?}", result.map_err(Close));
            }
            b'h' => self.send_head(payload),
            b'd' => self.send_data(payload),
            b'e' => self.send_end(payload),
            _ => return String::new(),
        };
        if result.is_err() {
            assert_eq!(before, (format!("{:?}", self.conn), self.output.len()), "{result:?}");
        }
        format!("{:?}", result.map_err(Misused))
    }

    fn next(&mut self) -> String {
        let text = format!("{:?}", self.conn.next(&mut self.input));
        self.exchange().tunnel |= self.conn.is_tunnel();
        if let Some(refusal) = &self.refusal {
            assert_eq!(*refusal, text, "a refusal does not stay");
        }
        if text.starts_with("Err") {
            self.refusal = Some(text.clone());
        }
        text
    }

    fn send_head(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        let method =
            Method::from_bytes(METHODS[at(payload, 0) % METHODS.len()].as_bytes()).expect("a method");
        let length = match at(payload, 2) % 2 {
            0 => BodyLength::Exact(at(payload, 3) as u64),
            _ => BodyLength::Unknown,
        };
        let rest = from(payload, 7);
        let (own_target, own) = rest.split_at(rest.len().min(at(payload, 6)));
        let target = match std::str::from_utf8(own_target) {
            Ok(target) if !target.is_empty() => target,
            _ => TARGETS[at(payload, 1) % TARGETS.len()],
        };
        let mut headers = HeaderMap::new();
        let host = if method == Method::CONNECT { target } else { "h" };
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.append(header::HOST, host);
        }
        choose(&mut headers, at(payload, 4) | at(payload, 5) << 8, own);
        self.conn.send_head(RequestHead::new(&method, target, &headers), length, &mut self.output)?;
        let own = values(&headers, &OWN).into_iter().map(<[u8]>::to_vec).collect();
        let closes = self.conn.close_reason().is_some();
        self.exchange().head = Some((method, target.to_owned(), own, closes));
        Ok(())
    }

    fn send_data(&mut self, data: &[u8]) -> Result<(), Misuse> {
        self.conn.send_data(Bytes::copy_from_slice(data), &mut self.output)?;
        self.exchange().content.extend_from_slice(data);
        Ok(())
    }

    fn send_end(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        let mut trailers = HeaderMap::new();
        match payload {
            [1, value @ ..] => choose(&mut trailers, 0, value),
            [2, bits, ..] => choose(&mut trailers, usize::from(*bits), b""),
            _ => {}
        }
        let is_chunked = format!("{:?}", self.conn).contains("outgoing: Chunked");
        let is_tunnel = self.conn.states().0 == State::Tunnel;
        self.conn.send_end(Some(&trailers), &mut self.output)?;
        let sent = values(&trailers, &OWN).into_iter().map(<[u8]>::to_vec);
        let exchange = self.exchange();
        if !is_tunnel {
            exchange.trailers = sent.filter(|_| is_chunked).collect();
        }
        exchange.ended = true;
        Ok(())
    }

    /// Reads what was written as a server, and answers it so that the connection goes the same way.
    fn read_back(&mut self, written: &[u8]) {
        let mut server = ServerConn::new(Limits::default().into());
        let mut input = BytesMut::from(written);
        let last = self.exchanges.len() - 1;
        for (index, exchange) in self.exchanges.iter().enumerate() {
            let Some((method, target, own, closes)) = &exchange.head else { break };
            let head = match server.next(&mut input) {
                Ok(Event::Head(head)) => head,
                other => panic!("{other:?} from {}", written.escape_ascii()),
            };
            assert_eq!(head.method, *method);
            if target.starts_with('/') {
                assert_eq!(head.uri.to_string(), *target);
            }
            let received = values(&head.headers, &OWN);
            assert!(received.iter().eq(own.iter().map(|own| trim(own)).collect::<Vec<_>>().iter()));
            assert_eq!(server.close_reason().is_some(), *closes, "closing, from {}", written.escape_ascii());
            if index == last {
                server.finish_input();
            }
            read_content(&mut server, &mut input, exchange);
            if index < last {
                answer(&mut server, StatusCode::NOT_FOUND);
                assert_eq!(server.reuse(), Ok(()), "the client goes on, the server does not");
            }
        }
        assert!(input.is_empty(), "left over: {}", input.escape_ascii());
    }
}

/// Reads the rest of a request; if the client saw a switch of protocols, then also what it tunnelled.
fn read_content(server: &mut ServerConn, input: &mut BytesMut, exchange: &Exchange) {
    let (mut content, mut trailers, mut ended) = (Vec::new(), Vec::new(), false);
    while !ended {
        match server.next(input) {
            Ok(Event::Data(data)) => content.extend_from_slice(&data),
            Ok(Event::End(map)) => {
                let map = map.unwrap_or_default();
                trailers = values(&map, &OWN).into_iter().map(<[u8]>::to_vec).collect();
                ended = !exchange.tunnel;
                if exchange.tunnel {
                    let is_connect =
                        exchange.head.as_ref().is_some_and(|(method, ..)| method == Method::CONNECT);
                    answer(server, if is_connect { StatusCode::OK } else { StatusCode::SWITCHING_PROTOCOLS });
                }
            }
            Ok(Event::Closed) => ended = true,
            Err(_) if !exchange.ended && input.is_empty() => break,
            other => panic!("{other:?} from {exchange:?}"),
        }
    }
    assert_eq!(content, exchange.content);
    assert_eq!(trailers, exchange.trailers);
    assert!(ended || !exchange.ended, "the end was lost");
}

/// Answers without content.
fn answer(server: &mut ServerConn, status: StatusCode) {
    let upgrade = (header::UPGRADE, HeaderValue::from_static("echo"));
    let headers = HeaderMap::from_iter(Some(upgrade).filter(|_| status == StatusCode::SWITCHING_PROTOCOLS));
    let mut sent = Output::default();
    let head = ResponseHead::new(status, &headers);
    server.send_head(head, BodyLength::Exact(0), &mut sent).expect("an answer");
    if !server.is_tunnel() {
        server.send_end(None, &mut sent).expect("the end of an answer");
    }
}

/// How failures look in the text of a result.
#[derive(Debug)]
#[allow(dead_code, reason = "it is printed")]
struct Misused(Misuse);

#[derive(Debug)]
#[allow(dead_code, reason = "it is printed")]
struct Close(CloseReason);
