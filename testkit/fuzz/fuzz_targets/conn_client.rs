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
    BodyLength, Event, Misuse, ReceivedResponse, Refusal, RequestHead, ResponseHead, ServerConn, State,
};
use bakestone::machine::Output;
use bakestone_fuzz::fields::{OWN, choose, trailers, values};
use bakestone_fuzz::naive::fields::trim;
use bakestone_fuzz::records::{at, from};
use bakestone_fuzz::run::{End, Run, perform};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use libfuzzer_sys::fuzz_target;

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE", "BREW-2", "get"];
const TARGETS: [&str; 8] = ["/", "/a?b=c", "http://h/", "h:1", "*", "http://h:80?q", "", "/%00/../{}|^"];

fuzz_target!(|data: &[u8]| perform::<Client>(data));

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

/// The client's end.
struct Client;

impl End for Client {
    type Role = bakestone::h1::Client;
    type Exchange = Exchange;

    fn send(run: &mut Run<Self>, letter: u8, payload: &[u8]) -> Option<Result<(), Misuse>> {
        match letter {
            b'h' => Some(send_head(run, payload)),
            b'd' => Some(send_data(run, payload)),
            b'e' => Some(send_end(run, payload)),
            _ => None,
        }
    }

    fn note(run: &mut Run<Self>, _: &Result<Event<ReceivedResponse>, Refusal>) {
        run.exchange().tunnel |= run.conn.is_tunnel();
    }

    /// Reads what was written as a server, and answers it so that the connection goes the same way.
    fn read_back(exchanges: &[Exchange], written: &[u8]) {
        let mut server = ServerConn::new(Limits::default().into());
        let mut input = BytesMut::from(written);
        let last = exchanges.len() - 1;
        for (index, exchange) in exchanges.iter().enumerate() {
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

fn send_head(run: &mut Run<Client>, payload: &[u8]) -> Result<(), Misuse> {
    let method = Method::from_bytes(METHODS[at(payload, 0) % METHODS.len()].as_bytes()).expect("a method");
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
    run.conn.send_head(RequestHead::new(&method, target, &headers), length, &mut run.output)?;
    let own = values(&headers, &OWN).into_iter().map(<[u8]>::to_vec).collect();
    let closes = run.conn.close_reason().is_some();
    run.exchange().head = Some((method, target.to_owned(), own, closes));
    Ok(())
}

fn send_data(run: &mut Run<Client>, data: &[u8]) -> Result<(), Misuse> {
    run.conn.send_data(Bytes::copy_from_slice(data), &mut run.output)?;
    run.exchange().content.extend_from_slice(data);
    Ok(())
}

fn send_end(run: &mut Run<Client>, payload: &[u8]) -> Result<(), Misuse> {
    let trailers = trailers(payload);
    let is_chunked = format!("{:?}", run.conn).contains("outgoing: Chunked");
    let is_tunnel = run.conn.states().0 == State::Tunnel;
    run.conn.send_end(Some(&trailers), &mut run.output)?;
    let sent = values(&trailers, &OWN).into_iter().map(<[u8]>::to_vec);
    let exchange = run.exchange();
    if !is_tunnel {
        exchange.trailers = sent.filter(|_| is_chunked).collect();
    }
    exchange.ended = true;
    Ok(())
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
