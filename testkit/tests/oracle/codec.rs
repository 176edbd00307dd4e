//! What the codec makes of a connection's bytes, in the naive readers' terms.

use std::sync::Arc;

use bakestone::Limits;
use bakestone::h1::{
    BodyLength, ClientConn, CloseReason, Conn, Event, ReceivedRequest, ReceivedResponse, RequestHead,
    ResponseHead, Role, ServerConn,
};
use bakestone::machine::Output;
use bakestone::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use bytes::{Bytes, BytesMut};

use crate::naive::Framing;
use crate::naive::connection::{End, Message};
use crate::naive::fields::Field;
use crate::naive::request::Request;
use crate::naive::response::{Asked, Response};

/// What was read, and where that ended.
pub(crate) type Verdict<H> = (Vec<Message<H>>, End);

/// One end of a connection, and what it does between two messages.
trait Party {
    type Role: Role;
    type Head;

    /// The head that was received last, as the connection understands it.
    fn head(
        &self,
        conn: &Conn<Self::Role>,
        received: <Self::Role as Role>::Received,
    ) -> (Self::Head, Follows);

    /// Ends the exchange and goes on to the next; whether there is one.
    fn turn(&mut self, conn: &mut Conn<Self::Role>) -> bool;
}

/// What follows a head.
enum Follows {
    Content,
    AnotherHead,
    Tunnel,
}

/// Reads requests that arrive in these pieces, and answers each.
pub(crate) fn requests(pieces: &[&[u8]], limits: &Arc<Limits>, finished: bool) -> Verdict<Request> {
    read(&mut ServerConn::new(limits.clone()), &mut Answering, pieces, finished)
}

/// Reads responses that arrive in these pieces, to requests of which each is sent when it is its turn.
pub(crate) fn responses(
    pieces: &[&[u8]],
    asked: &[Asked],
    limits: &Arc<Limits>,
    finished: bool,
) -> Verdict<Response> {
    let mut conn = ClientConn::new(limits.clone());
    let mut party = Asking { asked: asked.to_vec() };
    match party.ask(&mut conn) {
        true => read(&mut conn, &mut party, pieces, finished),
        false => (Vec::new(), End::Last),
    }
}

fn read<P: Party>(
    conn: &mut Conn<P::Role>,
    party: &mut P,
    pieces: &[&[u8]],
    finished: bool,
) -> Verdict<P::Head> {
    let (mut input, mut messages, mut taken) = (BytesMut::new(), Vec::new(), 0);
    for piece in pieces {
        input.extend_from_slice(piece);
        if let Some(end) = take(conn, party, &mut input, &mut messages, &mut taken) {
            return (messages, end);
        }
    }
    if finished {
        conn.finish_input();
    }
    let end = take(conn, party, &mut input, &mut messages, &mut taken);
    (messages, end.unwrap_or(End::More))
}

/// Takes all events that there are; where the connection ends, if it does. `taken` counts the bytes of a message.
fn take<P: Party>(
    conn: &mut Conn<P::Role>,
    party: &mut P,
    input: &mut BytesMut,
    messages: &mut Vec<Message<P::Head>>,
    taken: &mut usize,
) -> Option<End> {
    loop {
        let before = input.len();
        let event = conn.next(input);
        *taken += before - input.len();
        match event {
            Ok(Event::NeedInput) => return None,
            Ok(Event::Head(received)) => {
                let (head, follows) = party.head(conn, received);
                let mut message = Message { head, content: Bytes::new(), trailers: Vec::new(), length: None };
                match follows {
                    Follows::Content => {}
                    Follows::Tunnel => message.length = Some(*taken),
                    Follows::AnotherHead => message.length = Some(std::mem::take(taken)),
                }
                messages.push(message);
                if matches!(follows, Follows::Tunnel) {
                    return Some(End::Last);
                }
            }
            Ok(Event::Data(data)) => {
                let message = messages.last_mut()?;
                message.content = [&message.content[..], &data].concat().into();
            }
            Ok(Event::End(trailers)) => {
                assert_eq!(conn.message_offset(), *taken as u64, "where the message ends");
                let message = messages.last_mut()?;
                message.length = Some(std::mem::take(taken));
                message.trailers = fields(&trailers.unwrap_or_default());
                if !party.turn(conn) {
                    return Some(End::Last);
                }
            }
            Ok(Event::Closed) => return Some(End::Closed),
            Ok(other) => panic!("nothing leads to {other:?}"),
            Err(refusal) => {
                let status = refusal.status.as_u16();
                return Some(End::Wrong { status, at: Some(refusal.offset as usize) });
            }
        }
    }
}

/// The fields, in the order of their names.
fn fields(map: &HeaderMap) -> Vec<Field> {
    let field = |(name, value): (&header::HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))
    };
    let mut fields: Vec<Field> = map.iter().map(field).collect();
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    fields
}

/// A server that answers every request without content, and never switches.
struct Answering;

impl Party for Answering {
    type Role = bakestone::h1::Server;
    type Head = Request;

    fn head(&self, conn: &ServerConn, received: ReceivedRequest) -> (Request, Follows) {
        let request = Request {
            method: received.method.to_string(),
            target: received.uri.to_string(),
            is_10: received.version == Version::HTTP_10,
            fields: fields(&received.headers),
            framing: match received.body {
                BodyLength::Exact(length) => Framing::Length(length),
                BodyLength::Unknown => Framing::Chunked,
            },
            persists: conn.close_reason().is_none(),
            expects_continue: conn.expects_continue(),
            upgrade: received.upgrade,
            accepts_trailers: conn.accepts_trailers(),
        };
        (request, Follows::Content)
    }

    fn turn(&mut self, conn: &mut ServerConn) -> bool {
        let (headers, mut sent) = (HeaderMap::new(), Output::default());
        let head = ResponseHead::new(StatusCode::NOT_FOUND, &headers);
        conn.send_head(head, BodyLength::Exact(0), &mut sent).expect("an answer");
        conn.send_end(None, &mut sent).expect("the end of an answer");
        conn.reuse().is_ok()
    }
}

/// A client that asks one request after the other.
struct Asking {
    asked: Vec<Asked>,
}

impl Asking {
    /// Sends the next request; whether there is one.
    fn ask(&mut self, conn: &mut ClientConn) -> bool {
        if self.asked.is_empty() {
            return false;
        }
        let (method, target) = match self.asked.remove(0) {
            Asked::Head => (Method::HEAD, "/"),
            Asked::Connect => (Method::CONNECT, "h:1"),
            Asked::Get => (Method::GET, "/"),
            Asked::Upgrade => (Method::OPTIONS, "*"),
        };
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("h:1"))]);
        if method == Method::OPTIONS {
            headers.insert(header::UPGRADE, HeaderValue::from_static("echo"));
        }
        let mut sent = Output::default();
        let head = RequestHead::new(&method, target, &headers);
        conn.send_head(head, BodyLength::Exact(0), &mut sent).expect("a request");
        conn.send_end(None, &mut sent).expect("the end of a request");
        true
    }
}

impl Party for Asking {
    type Role = bakestone::h1::Client;
    type Head = Response;

    fn head(&self, conn: &ClientConn, received: ReceivedResponse) -> (Response, Follows) {
        let (status, tunnel) = (received.status.as_u16(), conn.is_tunnel());
        let framing = match received.body {
            BodyLength::Exact(length) => Framing::Length(length),
            BodyLength::Unknown if tunnel => Framing::Length(0),
            BodyLength::Unknown if conn.close_reason() == Some(CloseReason::CloseDelimited) => {
                Framing::UntilClose
            }
            BodyLength::Unknown => Framing::Chunked,
        };
        let follows = match status {
            _ if tunnel => Follows::Tunnel,
            100..200 => Follows::AnotherHead,
            _ => Follows::Content,
        };
        let response = Response {
            status,
            reason: received.reason,
            is_10: received.version == Version::HTTP_10,
            fields: fields(&received.headers),
            framing,
            persists: conn.close_reason().is_none(),
            tunnel,
        };
        (response, follows)
    }

    fn turn(&mut self, conn: &mut ClientConn) -> bool {
        conn.reuse().is_ok() && self.ask(conn)
    }
}
