//! The sending half of a connection.
//!
//! The rule: all is judged before the first byte is written, so that a [`Misuse`] leaves the output and the
//! states as they were.

use ::http::header::{CONNECTION, CONTENT_LENGTH, DATE, HOST};
use ::http::{HeaderMap, Method, StatusCode, Version};
use bytes::Bytes;

use super::chunked;
use super::conn::{Conn, Outgoing};
use super::error::{CloseReason, Misuse};
use super::fields::is_forbidden_trailer;
use super::head::{BodyLength, Facts, RequestHead, ResponseHead};
use super::role::{Client, Role, Server};
use super::target::{Authority, target_form};
use super::transitions::{Side, State, Step};
use super::write::{self, Given, LengthField, Options};
use crate::output::Output;

impl<R: Role> Conn<R> {
    /// Sends a piece of the content, or of the tunnelled protocol. Nothing is sent for an empty piece, which
    /// in the chunked coding would be the end. Where the message has no content on the wire (the answer to
    /// HEAD, 204, 205, 304) the data is dropped.
    ///
    /// # Errors
    ///
    /// [`Misuse::IllegalStep`] without a head, or after the end; [`Misuse::TooLong`] past the declared
    /// length.
    pub fn send_data(
        &mut self,
        data: impl AsRef<[u8]> + Into<Bytes>,
        out: &mut Output,
    ) -> Result<(), Misuse> {
        if !self.states.allows(R::SENDS, Step::Data) {
            return Err(self.illegal(R::SENDS, Step::Data));
        }
        if data.as_ref().is_empty() {
            return Ok(());
        }
        if self.states.of(R::SENDS) == State::Tunnel {
            out.push(data);
            return Ok(());
        }
        match &mut self.outgoing {
            Outgoing::Discard => {}
            Outgoing::Length(remaining) => {
                let given = data.as_ref().len() as u64;
                match remaining.checked_sub(given) {
                    Some(rest) => *remaining = rest,
                    None => return Err(Misuse::TooLong { remaining: *remaining, given }),
                }
                out.push(data);
            }
            Outgoing::Chunked => chunked::write(data, out),
            Outgoing::UntilClose => out.push(data),
        }
        Ok(())
    }

    /// Ends the message. Every message has to be ended, one without content too; in a tunnel it is this end's
    /// direction that ends, and a FIN has to follow.
    ///
    /// Trailers go out only in the chunked coding, and to a client only if it [takes
    /// them](Conn::accepts_trailers); otherwise they are dropped (RFC 9110, section 6.5.1).
    ///
    /// # Errors
    ///
    /// [`Misuse::IllegalStep`] without a head, or after the end; [`Misuse::EndedShort`] before the declared
    /// length; [`Misuse::InvalidTrailer`].
    pub fn send_end(&mut self, trailers: Option<&HeaderMap>, out: &mut Output) -> Result<(), Misuse> {
        let step = match self.states.of(R::SENDS) {
            State::Tunnel => Step::Close,
            _ => Step::End,
        };
        if !self.states.allows(R::SENDS, step) {
            return Err(self.illegal(R::SENDS, step));
        }
        if let Some(name) =
            trailers.and_then(|trailers| trailers.keys().find(|name| is_forbidden_trailer(name)))
        {
            return Err(Misuse::InvalidTrailer(name.clone()));
        }
        match self.outgoing {
            _ if step == Step::Close => {}
            Outgoing::Length(missing @ 1..) => return Err(Misuse::EndedShort { missing }),
            Outgoing::Chunked => {
                let taken = R::SENDS == Side::Request || self.facts.accepts_trailers;
                out.gather(|out| {
                    out.extend_from_slice(b"0\r\n");
                    trailers.filter(|_| taken).into_iter().for_each(|trailers| write::fields(trailers, out));
                    out.extend_from_slice(b"\r\n");
                });
            }
            Outgoing::Discard | Outgoing::Length(_) | Outgoing::UntilClose => {}
        }
        self.states.take(R::SENDS, step);
        Ok(())
    }
}

/// How a head goes out, once all is judged.
#[derive(Clone, Copy, Debug)]
struct Plan {
    outgoing: Outgoing,
    field: LengthField,
}

impl Conn<Server> {
    /// Whether the client waits for [100 (Continue)](Self::send_continue): it said so in HTTP/1.1 with a
    /// request that has content, none of that was taken from the input, and no final head was sent (RFC 9110,
    /// section 10.1.1). Whether content is in the input already is the caller's to see.
    pub fn expects_continue(&self) -> bool {
        self.facts.expects_continue
            && self.states.of(Side::Response) == State::Idle
            && self.states.of(Side::Request) == State::Body
    }

    /// Whether the client takes trailers: `TE: trailers`, also named by `Connection` (RFC 9110, section
    /// 10.1.4).
    pub fn accepts_trailers(&self) -> bool {
        self.facts.accepts_trailers
    }

    /// Sends 100 (Continue) if the [client waits for it](Self::expects_continue), and nothing otherwise.
    ///
    /// # Errors
    ///
    /// None at present; the type is that of its siblings.
    pub fn send_continue(&mut self, out: &mut Output) -> Result<(), Misuse> {
        if self.expects_continue() {
            self.facts.expects_continue = false;
            out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        Ok(())
    }

    /// Sends an informational response (RFC 9110, section 15.2). A client of HTTP/1.0 is sent none, silently.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotInformational`], for 101 too; [`Misuse::IllegalStep`] after the final head;
    /// [`Misuse::FramingField`] for any field that frames a message or rules the connection.
    pub fn send_informational(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        out: &mut Output,
    ) -> Result<(), Misuse> {
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Misuse::NotInformational(status));
        }
        if !self.states.allows(Side::Response, Step::Informational) {
            return Err(self.illegal(Side::Response, Step::Informational));
        }
        if headers.contains_key(CONNECTION) {
            return Err(Misuse::FramingField(CONNECTION));
        }
        let given = Given::read(headers)?;
        if given.content_length.is_some() {
            return Err(Misuse::FramingField(CONTENT_LENGTH));
        }
        if self.facts.version != Some(Version::HTTP_11) {
            return Ok(());
        }
        if status == StatusCode::CONTINUE {
            self.facts.expects_continue = false;
        }
        out.gather(|out| {
            write::status_line(status, out);
            write::fields(headers, out);
            Options { upgrade: given.upgrade, ..Options::default() }.write(out);
            out.extend_from_slice(b"\r\n");
        });
        self.states.take(Side::Response, Step::Informational);
        Ok(())
    }

    /// Sends the final head of the response, or the one that switches protocols: 101, or 2xx to CONNECT.
    /// After those both directions are a tunnel, `length` counts for nothing, and what is in the input comes
    /// as [`Event::Data`](super::Event::Data).
    ///
    /// Framing follows RFC 9112, section 6.3: from the status, the request's method, `length` and the
    /// client's version, in this order. The answer to HEAD has the fields that the one to GET would have, but
    /// a length of 0 is not claimed. If the client still waits for 100, its content may or may not follow, so
    /// the connection closes after the response.
    ///
    /// `Connection` is written by this end: with `upgrade` if there is an `Upgrade` field (RFC 9110, section
    /// 7.8), with `close` if the caller wishes so or [`close`](Self::close) was called.
    ///
    /// # Errors
    ///
    /// [`Misuse::IllegalStep`] if a head was sent; [`Misuse::NotFinal`] for 1xx other than 101;
    /// [`Misuse::FramingField`] for `Transfer-Encoding`, a `Content-Length` that is not `length` (on the
    /// answer to HEAD and on 304 it may be any), and a `Connection` other than `close`, or `upgrade` without
    /// `Upgrade`. For 101: [`Misuse::UpgradeNotAsked`], [`Misuse::UpgradeNotNamed`]; for any switch
    /// [`Misuse::RequestUnfinished`].
    pub fn send_head(
        &mut self,
        head: ResponseHead<'_>,
        length: BodyLength,
        out: &mut Output,
    ) -> Result<(), Misuse> {
        if !self.states.allows(Side::Response, Step::Head) {
            return Err(self.illegal(Side::Response, Step::Head));
        }
        let given = Given::read(head.headers)?;
        let is_101 = head.status == StatusCode::SWITCHING_PROTOCOLS;
        if given.connection_te || (given.connection_upgrade && !given.upgrade && !is_101) {
            return Err(Misuse::FramingField(CONNECTION));
        }
        if is_101 || (self.facts.is_connect && head.status.is_success()) {
            return self.send_switch(head, &given, out);
        }
        if head.status.is_informational() {
            return Err(Misuse::NotFinal(head.status));
        }
        let plan = self.plan(head.status, &given, length)?;

        self.note_close(&given, plan);
        let keep_alive = self.close.is_none() && self.facts.version == Some(Version::HTTP_10);
        let options = Options { close: self.close.is_some(), keep_alive, upgrade: given.upgrade, te: false };
        write_response(head, &given, plan.field, options, out);
        self.outgoing = plan.outgoing;
        self.states.take(Side::Response, Step::Head);
        Ok(())
    }

    /// The framing of a response: RFC 9112, section 6.3, seen from the sender, with RFC 9110, section 8.6.
    fn plan(&self, status: StatusCode, given: &Given, length: BodyLength) -> Result<Plan, Misuse> {
        use LengthField::{Chunked, ContentLength, None as Nothing};
        let is_304 = status == StatusCode::NOT_MODIFIED;
        let explicit = given.content_length;
        let agrees = explicit.is_none_or(|explicit| length == BodyLength::Exact(explicit));
        if !agrees && !is_304 && !self.facts.is_head {
            return Err(Misuse::FramingField(CONTENT_LENGTH));
        }
        let is_11 = self.facts.version == Some(Version::HTTP_11);
        let (outgoing, field) = match (status, length) {
            (StatusCode::NO_CONTENT, _) => (Outgoing::Discard, Nothing),
            (StatusCode::RESET_CONTENT, _) => (Outgoing::Discard, ContentLength(0)),
            // Only the caller knows the length that a 200 would have had.
            _ if is_304 || (self.facts.is_head && explicit.is_some()) => {
                (Outgoing::Discard, explicit.map_or(Nothing, ContentLength))
            }
            // A handler of HEAD alone has no content to measure, and what it measures must not be claimed.
            (_, BodyLength::Exact(0)) if self.facts.is_head => (Outgoing::Discard, Nothing),
            (_, BodyLength::Exact(length)) if self.facts.is_head => {
                (Outgoing::Discard, ContentLength(length))
            }
            (_, BodyLength::Unknown) if self.facts.is_head => {
                (Outgoing::Discard, if is_11 { Chunked } else { Nothing })
            }
            (_, BodyLength::Exact(length)) => (Outgoing::Length(length), ContentLength(length)),
            (_, BodyLength::Unknown) if is_11 => (Outgoing::Chunked, Chunked),
            // Whoever speaks HTTP/1.0, or never said what it speaks, cannot be sent chunks.
            (_, BodyLength::Unknown) => (Outgoing::UntilClose, Nothing),
        };
        Ok(Plan { outgoing, field })
    }

    /// Settles whether the connection closes after this response.
    fn note_close(&mut self, given: &Given, plan: Plan) {
        if given.close {
            self.close(CloseReason::ServerSentClose);
        }
        if plan.outgoing == Outgoing::UntilClose {
            self.close(CloseReason::CloseDelimited);
        }
        if self.expects_continue() {
            self.close(CloseReason::UnreadBody);
        }
        if self.states.take(Side::Request, Step::Close) {
            // From here on a request would get this response for an answer.
            self.close(CloseReason::NoRequest);
        }
    }

    fn send_switch(&mut self, head: ResponseHead<'_>, given: &Given, out: &mut Output) -> Result<(), Misuse> {
        let is_101 = head.status == StatusCode::SWITCHING_PROTOCOLS;
        if given.content_length.is_some() {
            return Err(Misuse::FramingField(CONTENT_LENGTH));
        }
        if given.close {
            return Err(Misuse::FramingField(CONNECTION));
        }
        if is_101 && !self.facts.asks_upgrade {
            return Err(Misuse::UpgradeNotAsked);
        }
        if is_101 && !given.upgrade {
            return Err(Misuse::UpgradeNotNamed);
        }
        if !self.switch() {
            return Err(Misuse::RequestUnfinished);
        }
        let options = Options { upgrade: given.upgrade, ..Options::default() };
        write_response(head, given, LengthField::None, options, out);
        Ok(())
    }
}

fn write_response(
    head: ResponseHead<'_>,
    given: &Given,
    length: LengthField,
    options: Options,
    out: &mut Output,
) {
    out.gather(|out| {
        // As much as most heads have.
        out.reserve(256);
        write::status_line(head.status, out);
        match head.date {
            Some(date) if !given.date => write::field(&DATE, date.as_bytes(), out),
            _ => {}
        }
        write::fields(head.headers, out);
        length.write(out);
        options.write(out);
        out.extend_from_slice(b"\r\n");
    });
}

impl Conn<Client> {
    /// Sends the head of a request.
    ///
    /// A length of 0 is stated for POST, PUT and PATCH, and for other methods left out (RFC 9110, section
    /// 8.6); an unknown length is chunked. `Connection` is written by this end: with `upgrade` if there is an
    /// `Upgrade` field, with `te` if there is `TE`, with `close` if the caller wishes so or
    /// [`close`](Self::close) was called.
    ///
    /// # Errors
    ///
    /// [`Misuse::IllegalStep`] if a head was sent; [`Misuse::InvalidTarget`]; [`Misuse::InvalidHost`];
    /// [`Misuse::ContentForbidden`] for CONNECT and TRACE; [`Misuse::FramingField`] for `Transfer-Encoding`,
    /// a `Content-Length` that is not `length`, and a `Connection` with an option that has no field to go
    /// with.
    pub fn send_head(
        &mut self,
        head: RequestHead<'_>,
        length: BodyLength,
        out: &mut Output,
    ) -> Result<(), Misuse> {
        if !self.states.allows(Side::Request, Step::Head) {
            return Err(self.illegal(Side::Request, Step::Head));
        }
        let form = target_form(head.method, head.target.as_bytes()).ok_or(Misuse::InvalidTarget)?;
        let given = Given::read(head.headers)?;
        let host = head.headers.get(HOST).and_then(|host| Authority::parse(host.as_bytes()));
        if host.is_none_or(|host| !form.agrees_with(&host)) {
            return Err(Misuse::InvalidHost);
        }
        let plan = plan_request(head.method, &given, length)?;

        self.facts = Facts {
            is_head: *head.method == Method::HEAD,
            is_connect: *head.method == Method::CONNECT,
            asks_upgrade: given.upgrade,
            ..Facts::default()
        };
        if given.close {
            self.close(CloseReason::ClientSentClose);
        }
        let close = self.close.is_some();
        let options = Options { close, upgrade: given.upgrade, te: given.te, keep_alive: false };
        out.gather(|out| {
            out.extend_from_slice(head.method.as_str().as_bytes());
            out.extend_from_slice(b" ");
            out.extend_from_slice(head.target.as_bytes());
            out.extend_from_slice(b" HTTP/1.1\r\n");
            write::fields(head.headers, out);
            plan.field.write(out);
            options.write(out);
            out.extend_from_slice(b"\r\n");
        });
        self.outgoing = plan.outgoing;
        self.states.take(Side::Request, Step::Head);
        Ok(())
    }
}

/// The framing of a request, and whether its fields may go out.
fn plan_request(method: &Method, given: &Given, length: BodyLength) -> Result<Plan, Misuse> {
    if !given.host {
        return Err(Misuse::InvalidHost);
    }
    if given.connection_upgrade && !given.upgrade {
        return Err(Misuse::FramingField(CONNECTION));
    }
    if given.connection_te && !given.te {
        return Err(Misuse::FramingField(CONNECTION));
    }
    if given.content_length.is_some_and(|explicit| length != BodyLength::Exact(explicit)) {
        return Err(Misuse::FramingField(CONTENT_LENGTH));
    }
    if [Method::CONNECT, Method::TRACE].contains(method) && length != BodyLength::Exact(0) {
        return Err(Misuse::ContentForbidden);
    }
    let states_zero = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    Ok(match length {
        BodyLength::Unknown => Plan { outgoing: Outgoing::Chunked, field: LengthField::Chunked },
        BodyLength::Exact(0) if !states_zero => {
            Plan { outgoing: Outgoing::Length(0), field: LengthField::None }
        }
        BodyLength::Exact(length) => {
            Plan { outgoing: Outgoing::Length(length), field: LengthField::ContentLength(length) }
        }
    })
}
