//! Heads: what is received, what is sent, and what a received one means.
//!
//! The rule: a head is judged once, when it is complete. What it says of framing goes into the connection's
//! own record, and only what the caller acts on goes out.

use ::http::header::HOST;
use ::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use bytes::Bytes;

use super::error::{CloseReason, Fault, Reason};
use super::field_section::FieldSection;
use super::fields::{self, Control, Declared};
use super::scan::HeadScan;
use super::target::{self, Authority, Form};
use crate::http::HttpDate;
use crate::leniency::Leniency;
use crate::limits::Limits;

/// How much content a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes. A message without content has 0.
    Exact(u64),
    /// The framing will tell: it is chunked, or lasts until the connection ends.
    Unknown,
}

/// The head of a request that was received.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The method; it is case-sensitive (RFC 9110, section 9.1).
    pub method: Method,
    /// The target, in the form in which it came (RFC 9112, section 3.2).
    pub uri: Uri,
    /// HTTP/1.0 or HTTP/1.1; a higher minor version is HTTP/1.1.
    pub version: Version,
    /// The fields, in order of arrival for each name.
    pub headers: FieldSection,
    /// How much content is declared.
    pub body: BodyLength,
    /// Whether the connection may become another protocol's: `Upgrade` with `Connection: upgrade` in HTTP/1.1
    /// (RFC 9110, section 7.8), or CONNECT (section 9.3.6).
    pub upgrade: bool,
}

impl ReceivedRequest {
    /// Copies what is slices of the bytes that were read, so that it keeps no more of them than it is.
    pub(crate) fn detach(&mut self) {
        if let Ok(uri) = self.uri.to_string().parse() {
            self.uri = uri;
        }
        self.headers.detach();
    }
}

/// The head of a response that was received.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReceivedResponse {
    /// HTTP/1.0 or HTTP/1.1; a higher minor version is HTTP/1.1.
    pub version: Version,
    /// The status. A 1xx other than 101 is not the last head.
    pub status: StatusCode,
    /// The reason phrase, which may be empty and means nothing (RFC 9112, section 4).
    pub reason: Bytes,
    /// The fields, in order of arrival for each name.
    pub headers: HeaderMap,
    /// How much content follows.
    pub body: BodyLength,
}

/// The head of a request to send.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target as it is to stand in the request line (RFC 9112, section 3.2).
    pub target: &'a str,
    /// The fields; `Host` is one of them.
    pub headers: &'a HeaderMap,
}

impl<'a> RequestHead<'a> {
    /// A request with these parts.
    pub const fn new(method: &'a Method, target: &'a str, headers: &'a HeaderMap) -> Self {
        Self { method, target, headers }
    }
}

/// The head of a response to send.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ResponseHead<'a> {
    /// The status; its reason phrase is the standard one.
    pub status: StatusCode,
    /// The fields.
    pub headers: &'a HeaderMap,
    /// What goes out as `Date` if no field of that name is given (RFC 9110, section 6.6.1).
    pub date: Option<&'a HttpDate>,
}

impl<'a> ResponseHead<'a> {
    /// A response with these parts, without a date.
    pub const fn new(status: StatusCode, headers: &'a HeaderMap) -> Self {
        Self { status, headers, date: None }
    }
}

/// What one exchange has settled: for each fact, this is its owner.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The client's version; `None` while no request head was understood.
    pub(super) version: Option<Version>,
    /// The request is a HEAD: its response has no content, whatever its fields say.
    pub(super) is_head: bool,
    /// The request is a CONNECT.
    pub(super) is_connect: bool,
    /// The request asks for another protocol.
    pub(super) asks_upgrade: bool,
    /// The client waits for 100 before it sends content, and has not sent any.
    pub(super) expects_continue: bool,
    /// The client takes trailers.
    pub(super) accepts_trailers: bool,
}

/// What follows a received head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    Length(u64),
    Chunked,
    /// Content up to the end of the connection.
    UntilClose,
    /// Another head: this one was informational.
    AnotherHead,
    /// Another protocol.
    Tunnel,
}

impl Follows {
    fn declared(declared: Option<Declared>) -> Option<Self> {
        declared.map(|declared| match declared {
            Declared::Length(length) => Self::Length(length),
            Declared::Chunked => Self::Chunked,
        })
    }

    fn length(self) -> BodyLength {
        match self {
            Self::Length(length) => BodyLength::Exact(length),
            Self::AnotherHead => BodyLength::Exact(0),
            Self::Chunked | Self::UntilClose | Self::Tunnel => BodyLength::Unknown,
        }
    }
}

/// A head that was understood, with what it means for the connection.
pub(super) struct Judged<H> {
    pub(super) head: H,
    pub(super) follows: Follows,
    pub(super) close: Option<CloseReason>,
}

/// A scanned version is `HTTP/1.x` by now; every x above 0 is read as 1 (RFC 9110, section 2.5).
fn version(minor: u8) -> Version {
    if minor == b'0' { Version::HTTP_10 } else { Version::HTTP_11 }
}

fn check_fields(
    block: &Bytes,
    scan: &HeadScan,
    leniency: Leniency,
) -> Result<(FieldSection, Control), Fault> {
    let mut control = Control::new(leniency);
    let fields = fields::check(block, &scan.section, |name, value, at| control.take(name, value, at))?;
    Ok((fields, control))
}

/// Judges a request's head, `block`, as `scan` found it.
pub(super) fn request(
    block: Bytes,
    scan: &HeadScan,
    facts: &mut Facts,
    limits: &Limits,
) -> Result<Judged<ReceivedRequest>, Fault> {
    let fault_at = |at| move |reason| Fault::new(reason, at);
    let target_at = scan.method_end + 1;
    let method = Method::from_bytes(&block[scan.start..scan.method_end])
        .map_err(|_| Fault::new(Reason::InvalidMethod, scan.start))?;
    let target = block.slice(target_at..scan.target_end);
    let form = Form::parse(&method, &target).map_err(fault_at(target_at))?;
    let uri = target::uri(&target, limits).map_err(fault_at(target_at))?;
    // The minor version ends `HTTP/1.x`, which stands behind the target and a space.
    let version = version(block[scan.target_end + 8]);

    let (mut headers, control) = check_fields(&block, scan, limits.leniency)?;
    if !agrees_with_host(&block, &form, &control, version)? {
        overrule_host(&uri, &form, &control, limits.leniency, &mut headers)?;
    }
    let declared = control.declared(version)?;
    control.mend_framing(&mut headers);
    if version == Version::HTTP_11 {
        if let Some(at) = control.unknown_expectation_at {
            return Err(Fault::new(Reason::UnknownExpectation, at));
        }
    }

    // Without a declared length a request has no content (RFC 9112, section 6.3, rule 7).
    let follows = Follows::declared(declared).unwrap_or(Follows::Length(0));
    let is_11 = version == Version::HTTP_11;
    *facts = Facts {
        version: Some(version),
        is_head: method == Method::HEAD,
        is_connect: method == Method::CONNECT,
        asks_upgrade: is_11 && control.upgrades(),
        expects_continue: is_11 && control.expects_continue && follows != Follows::Length(0),
        accepts_trailers: is_11 && control.accepts_trailers(),
    };
    let upgrade = facts.asks_upgrade || facts.is_connect;
    let close = close_reason(&control, version, CloseReason::ClientSentClose);
    let head = ReceivedRequest { method, uri, version, headers, body: follows.length(), upgrade };
    Ok(Judged { head, follows, close })
}

/// RFC 9112, section 3.2: one valid `Host` in HTTP/1.1, at most one in HTTP/1.0. Whether it and the target name the
/// same server, as far as both are there.
fn agrees_with_host(
    block: &[u8],
    form: &Form<'_>,
    control: &Control,
    version: Version,
) -> Result<bool, Fault> {
    if let Some(at) = control.second_host_at {
        return Err(Fault::new(Reason::RepeatedHost, at));
    }
    let Some(place) = control.host.clone() else {
        return match version {
            Version::HTTP_10 => Ok(true),
            _ => Err(Fault::new(Reason::MissingHost, block.len())),
        };
    };
    let at = place.start;
    let host = block.get(place).and_then(Authority::parse).ok_or(Fault::new(Reason::InvalidHost, at))?;
    Ok(form.agrees_with(&host))
}

/// Puts the server that the target names into `Host`, which names another (RFC 9112, section 3.2.2).
fn overrule_host(
    uri: &Uri,
    form: &Form<'_>,
    control: &Control,
    leniency: Leniency,
    headers: &mut FieldSection,
) -> Result<(), Fault> {
    let authority = uri.authority().filter(|_| leniency.host_mismatch && matches!(form, Form::Absolute(..)));
    match authority.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok()) {
        Some(authority) => {
            headers.insert(HOST, authority);
            Ok(())
        }
        None => {
            let at = control.host.as_ref().map_or(0, |host| host.start);
            Err(Fault::new(Reason::HostMismatch, at))
        }
    }
}

/// Why the head's sender will close, if it will.
fn close_reason(control: &Control, version: Version, by: CloseReason) -> Option<CloseReason> {
    match control.persists(version) {
        true => control.framings_conflict().then_some(CloseReason::ConflictingFraming),
        false if control.close => Some(by),
        false => Some(CloseReason::Http10),
    }
}

/// Judges a response's head, `block`, as `scan` found it, in answer to the request of `facts`.
pub(super) fn response(
    block: Bytes,
    scan: &HeadScan,
    facts: &mut Facts,
    limits: &Limits,
) -> Result<Judged<ReceivedResponse>, Fault> {
    let version = version(block[7]);
    let status =
        StatusCode::from_bytes(&block[9..12]).map_err(|_| Fault::new(Reason::MalformedStatusLine, 9))?;
    let reason = block.slice(13..scan.target_end);
    let (mut headers, control) = check_fields(&block, scan, limits.leniency)?;
    let follows = after_response(status, &control, version, facts)?;
    control.mend_framing(&mut headers);
    let close = match follows {
        Follows::AnotherHead if !control.framings_conflict() => None,
        Follows::Tunnel => Some(CloseReason::Switched),
        Follows::UntilClose => Some(CloseReason::CloseDelimited),
        _ => close_reason(&control, version, CloseReason::ServerSentClose),
    };
    let headers = headers.into_map();
    let head = ReceivedResponse { version, status, reason, headers, body: follows.length() };
    Ok(Judged { head, follows, close })
}

/// RFC 9112, section 6.3, rules 1 to 8.
fn after_response(
    status: StatusCode,
    control: &Control,
    version: Version,
    facts: &Facts,
) -> Result<Follows, Fault> {
    let declared = control.declared(version)?;
    match status {
        StatusCode::SWITCHING_PROTOCOLS if facts.asks_upgrade => Ok(Follows::Tunnel),
        StatusCode::SWITCHING_PROTOCOLS => Err(Fault::new(Reason::UnexpectedUpgrade, 9)),
        _ if status.is_informational() => Ok(Follows::AnotherHead),
        _ if facts.is_connect && status.is_success() => Ok(Follows::Tunnel),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => Ok(Follows::Length(0)),
        _ if facts.is_head => Ok(Follows::Length(0)),
        _ => Ok(Follows::declared(declared).unwrap_or(Follows::UntilClose)),
    }
}
