//! A server's end under a script: bytes come in, events are taken, and responses are sent, in any order.
//!
//! Checked: no panic; a `Misuse`, and a `reuse` that fails, change nothing that follows (a second run leaves
//! them out and must see the same); a refusal stays; and all that was written is read back by a client's end,
//! exchange by exchange: heads, content, ends, and whether the connection goes on.
//!
//! Records: `f` bytes, `n` one event, `a` all events, `h` status, length and fields of a head, `i` a status,
//! `c` 100, `d` data, `e` trailers, `r` reuse, `x` close, `F` the peer's FIN.
#![no_main]

use bakestone::Limits;
use bakestone::h1::{
    BodyLength, ClientConn, CloseReason, Event, Misuse, ReceivedRequest, RequestHead, ResponseHead,
    ServerConn,
};
use bakestone::machine::Output;
use bakestone_fuzz::fields::{OWN, choose, trim, values};
use bakestone_fuzz::records::{at, from, records};
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use libfuzzer_sys::fuzz_target;

const STATUSES: [u16; 10] = [200, 404, 204, 304, 205, 206, 101, 103, 100, 599];

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

/// One exchange, as the server took part in it.
#[derive(Debug, Default)]
struct Exchange {
    /// The request's method, and whether it asked for another protocol; `None` if no request was understood.
    request: Option<(Method, bool)>,
    informational: Vec<StatusCode>,
    /// The final head: its status, the values of the script's own field, and whether the server is to close.
    head: Option<(StatusCode, Vec<Vec<u8>>, bool)>,
    content: Vec<u8>,
    trailers: Option<HeaderMap>,
    accepts_trailers: bool,
    ended: bool,
}

struct Run {
    conn: ServerConn,
    input: BytesMut,
    output: Output,
    refusal: Option<String>,
    /// The last one is under way.
    exchanges: Vec<Exchange>,
}

impl Run {
    fn new() -> Self {
        let conn = ServerConn::new(Limits::default().into());
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
            b'i' => self.send_informational(payload),
            b'c' => self.send_continue(),
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
        let result = self.conn.next(&mut self.input);
        if let Ok(Event::Head(request)) = &result {
            self.exchange().request = Some((request.method.clone(), asks_upgrade(request)));
        }
        let text = format!("{result:?}");
        if let Some(refusal) = &self.refusal {
            assert_eq!(*refusal, text, "a refusal does not stay");
        }
        if result.is_err() {
            self.refusal = Some(text.clone());
        }
        text
    }

    fn send_head(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        let mut headers = HeaderMap::new();
        choose(&mut headers, at(payload, 3) | at(payload, 4) << 8, from(payload, 5));
        let status = status(payload);
        let length = match at(payload, 1) % 2 {
            0 => BodyLength::Exact(at(payload, 2) as u64),
            _ => BodyLength::Unknown,
        };
        self.conn.send_head(ResponseHead::new(status, &headers), length, &mut self.output)?;
        let own = values(&headers, &OWN).into_iter().map(<[u8]>::to_vec).collect();
        let closes = self.conn.close_reason().is_some();
        self.exchange().head = Some((status, own, closes));
        Ok(())
    }

    fn send_informational(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        let mut headers = HeaderMap::new();
        choose(&mut headers, at(payload, 1) | at(payload, 2) << 8, from(payload, 3));
        let before = self.output.len();
        self.conn.send_informational(status(payload), &headers, &mut self.output)?;
        if self.output.len() > before {
            self.exchange().informational.push(status(payload));
        }
        Ok(())
    }

    fn send_continue(&mut self) -> Result<(), Misuse> {
        let before = self.output.len();
        self.conn.send_continue(&mut self.output)?;
        if self.output.len() > before {
            self.exchange().informational.push(StatusCode::CONTINUE);
        }
        Ok(())
    }

    fn send_data(&mut self, data: &[u8]) -> Result<(), Misuse> {
        let goes_out = self.conn.sends_body();
        self.conn.send_data(Bytes::copy_from_slice(data), &mut self.output)?;
        if goes_out {
            self.exchange().content.extend_from_slice(data);
        }
        Ok(())
    }

    fn send_end(&mut self, payload: &[u8]) -> Result<(), Misuse> {
        let mut trailers = HeaderMap::new();
        match payload {
            [1, value @ ..] => choose(&mut trailers, 0, value),
            [2, bits, ..] => choose(&mut trailers, usize::from(*bits), b""),
            _ => {}
        }
        let trailers = Some(trailers).filter(|trailers| !trailers.is_empty());
        let accepts_trailers = self.conn.accepts_trailers();
        self.conn.send_end(trailers.as_ref(), &mut self.output)?;
        let exchange = self.exchange();
        (exchange.trailers, exchange.accepts_trailers, exchange.ended) = (trailers, accepts_trailers, true);
        Ok(())
    }

    /// Reads what was written as a client that sent the same requests.
    fn read_back(&mut self, written: &[u8]) {
        let last = self.exchanges.len() - 1;
        // A request that was not understood may have been a HEAD: then the response has no content.
        let methods: &[Method] = match self.exchanges[last].request {
            None => &[Method::GET, Method::HEAD],
            Some(_) => &[Method::GET],
        };
        let results: Vec<_> = methods.iter().map(|unknown| self.read_back_as(unknown, written)).collect();
        assert!(results.iter().any(Result::is_ok), "{results:?}: {}", written.escape_ascii());
    }

    fn read_back_as(&self, unknown: &Method, written: &[u8]) -> Result<(), String> {
        let mut client = ClientConn::new(Limits::default().into());
        let mut input = BytesMut::from(written);
        for (index, exchange) in self.exchanges.iter().enumerate() {
            let is_last = index + 1 == self.exchanges.len();
            ask(&mut client, exchange, unknown);
            if is_last {
                client.finish_input();
            }
            answered(&mut client, &mut input, exchange, is_last)?;
            if !is_last {
                let reuse = client.reuse();
                ensure(reuse.is_ok(), || format!("the server goes on, the client does not: {reuse:?}"))?;
            }
        }
        ensure(input.is_empty(), || format!("{} bytes were left over", input.len()))
    }
}

/// How failures look in the text of a result.
#[derive(Debug)]
#[allow(dead_code, reason = "it is printed")]
struct Misused(Misuse);

#[derive(Debug)]
#[allow(dead_code, reason = "it is printed")]
struct Close(CloseReason);

fn status(payload: &[u8]) -> StatusCode {
    StatusCode::from_u16(STATUSES[at(payload, 0) % STATUSES.len()]).expect("a status")
}

fn asks_upgrade(request: &ReceivedRequest) -> bool {
    request.upgrade && request.headers.contains_key(header::UPGRADE)
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Sends the request to which the exchange is the answer.
fn ask(client: &mut ClientConn, exchange: &Exchange, unknown: &Method) {
    let (method, upgrade) = exchange.request.clone().unwrap_or((unknown.clone(), false));
    let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("h:1"))]);
    if upgrade {
        headers.append(header::UPGRADE, HeaderValue::from_static("echo"));
    }
    let target = if method == Method::CONNECT { "h:1" } else { "/" };
    let mut sent = Output::default();
    let head = RequestHead::new(&method, target, &headers);
    client.send_head(head, BodyLength::Exact(0), &mut sent).expect("a request");
    client.send_end(None, &mut sent).expect("the end of a request");
}

/// Takes one answer and holds it against what the server did.
fn answered(
    client: &mut ClientConn,
    input: &mut BytesMut,
    exchange: &Exchange,
    is_last: bool,
) -> Result<(), String> {
    let (mut informational, mut head, mut content, mut end) = (Vec::new(), None, Vec::new(), None);
    loop {
        match client.next(input) {
            Ok(Event::Head(received)) => {
                let status = received.status;
                if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                    informational.push(status);
                } else {
                    head = Some((received, client.close_reason().is_some()));
                }
            }
            Ok(Event::Data(data)) => content.extend_from_slice(&data),
            Ok(Event::End(trailers)) => {
                end = Some(trailers);
                break;
            }
            Ok(Event::Closed) => {
                end = Some(None);
                break;
            }
            // The input ends where the server stopped; that is fine if it was not at an end.
            Err(_) if is_last && !exchange.ended && input.is_empty() => break,
            other => return Err(format!("{other:?} from {exchange:?}")),
        }
    }
    ensure(informational == exchange.informational, || format!("informational {informational:?}"))?;
    match (&head, &exchange.head) {
        (None, None) => return Ok(()),
        (Some((received, closes)), Some((status, own, server_closes))) => {
            ensure(received.status == *status, || format!("{received:?}"))?;
            let values = values(&received.headers, &OWN);
            ensure(values.iter().eq(own.iter().map(|own| trim(own)).collect::<Vec<_>>().iter()), || {
                format!("{values:?} for {own:?}")
            })?;
            ensure(closes == server_closes, || format!("closing: {server_closes} is read as {closes}"))?;
        }
        (received, sent) => return Err(format!("{received:?} for {sent:?}")),
    }
    ensure(content == exchange.content, || format!("content {:?}", Bytes::from(content.clone())))?;
    if exchange.ended {
        let trailers = end.clone().ok_or("no end")?;
        let chunked = head.is_some_and(|(head, _)| head.headers.contains_key(header::TRANSFER_ENCODING));
        let no_content = exchange.request.as_ref().is_some_and(|(method, _)| method == Method::HEAD);
        let expected =
            exchange.trailers.clone().filter(|_| exchange.accepts_trailers && chunked && !no_content);
        let own = |map: &Option<HeaderMap>| {
            map.as_ref().map(|map| values(map, &OWN).into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>())
        };
        ensure(own(&trailers) == own(&expected), || format!("trailers {trailers:?} for {expected:?}"))?;
    }
    Ok(())
}
