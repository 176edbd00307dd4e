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
    BodyLength, ClientConn, Event, Misuse, ReceivedRequest, Refusal, RequestHead, ResponseHead,
};
use bakestone::machine::Output;
use bakestone_fuzz::fields::{OWN, choose, trailers, values};
use bakestone_fuzz::naive::fields::trim;
use bakestone_fuzz::records::{at, from};
use bakestone_fuzz::run::{End, Run, perform};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use libfuzzer_sys::fuzz_target;

const STATUSES: [u16; 10] = [200, 404, 204, 304, 205, 206, 101, 103, 100, 599];

fuzz_target!(|data: &[u8]| perform::<Server>(data));

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

/// The server's end.
struct Server;

impl End for Server {
    type Role = bakestone::h1::Server;
    type Exchange = Exchange;

    fn send(run: &mut Run<Self>, letter: u8, payload: &[u8]) -> Option<Result<(), Misuse>> {
        match letter {
            b'h' => Some(send_head(run, payload)),
            b'i' => Some(send_informational(run, payload)),
            b'c' => Some(send_continue(run)),
            b'd' => Some(send_data(run, payload)),
            b'e' => Some(send_end(run, payload)),
            _ => None,
        }
    }

    fn note(run: &mut Run<Self>, event: &Result<Event<ReceivedRequest>, Refusal>) {
        if let Ok(Event::Head(request)) = event {
            run.exchange().request = Some((request.method.clone(), asks_upgrade(request)));
        }
    }

    /// Reads what was written as a client that sent the same requests.
    fn read_back(exchanges: &[Exchange], written: &[u8]) {
        let last = exchanges.len() - 1;
        // A request that was not understood may have been a HEAD: then the response has no content.
        let methods: &[Method] = match exchanges[last].request {
            None => &[Method::GET, Method::HEAD],
            Some(_) => &[Method::GET],
        };
        let results: Vec<_> =
            methods.iter().map(|unknown| read_back_as(exchanges, unknown, written)).collect();
        assert!(results.iter().any(Result::is_ok), "{results:?}: {}", written.escape_ascii());
    }
}

fn send_head(run: &mut Run<Server>, payload: &[u8]) -> Result<(), Misuse> {
    let mut headers = HeaderMap::new();
    choose(&mut headers, at(payload, 3) | at(payload, 4) << 8, from(payload, 5));
    let status = status(payload);
    let length = match at(payload, 1) % 2 {
        0 => BodyLength::Exact(at(payload, 2) as u64),
        _ => BodyLength::Unknown,
    };
    run.conn.send_head(ResponseHead::new(status, &headers), length, &mut run.output)?;
    let own = values(&headers, &OWN).into_iter().map(<[u8]>::to_vec).collect();
    let closes = run.conn.close_reason().is_some();
    run.exchange().head = Some((status, own, closes));
    Ok(())
}

fn send_informational(run: &mut Run<Server>, payload: &[u8]) -> Result<(), Misuse> {
    let mut headers = HeaderMap::new();
    choose(&mut headers, at(payload, 1) | at(payload, 2) << 8, from(payload, 3));
    let before = run.output.len();
    run.conn.send_informational(status(payload), &headers, &mut run.output)?;
    if run.output.len() > before {
        run.exchange().informational.push(status(payload));
    }
    Ok(())
}

fn send_continue(run: &mut Run<Server>) -> Result<(), Misuse> {
    let before = run.output.len();
    run.conn.send_continue(&mut run.output)?;
    if run.output.len() > before {
        run.exchange().informational.push(StatusCode::CONTINUE);
    }
    Ok(())
}

fn send_data(run: &mut Run<Server>, data: &[u8]) -> Result<(), Misuse> {
    let goes_out = run.conn.sends_body();
    run.conn.send_data(Bytes::copy_from_slice(data), &mut run.output)?;
    if goes_out {
        run.exchange().content.extend_from_slice(data);
    }
    Ok(())
}

fn send_end(run: &mut Run<Server>, payload: &[u8]) -> Result<(), Misuse> {
    let trailers = trailers(payload);
    let trailers = Some(trailers).filter(|trailers| !trailers.is_empty());
    let accepts_trailers = run.conn.accepts_trailers();
    run.conn.send_end(trailers.as_ref(), &mut run.output)?;
    let exchange = run.exchange();
    (exchange.trailers, exchange.accepts_trailers, exchange.ended) = (trailers, accepts_trailers, true);
    Ok(())
}

fn read_back_as(exchanges: &[Exchange], unknown: &Method, written: &[u8]) -> Result<(), String> {
    let mut client = ClientConn::new(Limits::default().into());
    let mut input = BytesMut::from(written);
    for (index, exchange) in exchanges.iter().enumerate() {
        let is_last = index + 1 == exchanges.len();
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
