//! The opening handshake, as a server reads it.
//!
//! The rule: what has to stand once stands once, and what is a list is read to its end; a request that is nearly a
//! handshake is told what is wrong with it, and never taken for one.
//!
//! ```text
//! method GET, HTTP/1.1                                                          RFC 6455, section 4.2.1
//! Upgrade                = a list with "websocket", in any case
//! Connection             = a list with "upgrade", in any case
//! Sec-WebSocket-Version  = "13"                                                 RFC 6455, sections 4.4 and 11.3.5
//! Sec-WebSocket-Key      = base64 of 16 bytes                                   RFC 6455, section 11.3.1
//! Sec-WebSocket-Protocol = 1#token                ; no two of them alike        RFC 6455, section 11.3.4
//! Sec-WebSocket-Extensions                                                      RFC 6455, section 11.3.2
//! Origin                                                                        RFC 6455, section 10.2
//! ```

use std::collections::BTreeSet;
use std::fmt;

use ::http::header::{
    ALLOW, CONNECTION, ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};

use super::extension::{self, DeflateOptions, DeflateParams};
use super::key::Key;
use super::origin::{Origin, OriginPolicy};
use crate::http::parameters::{OWS, is_token};

/// One row a reason: name, status, code, text.
macro_rules! reasons {
    ($($name:ident $status:ident $code:literal $text:literal $section:literal;)+) => {
        /// Why a request opens no WebSocket.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum HandshakeError {
            $(#[doc = concat!("`", $code, "`: ", $text, " (", $section, ").")] $name,)+
        }

        impl HandshakeError {
            /// Every reason, in the order in which a request is checked.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable name, in kebab case.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The status to answer with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }
        }

        impl fmt::Display for HandshakeError {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)+ })
            }
        }
    };
}

reasons! {
    MethodNotAllowed METHOD_NOT_ALLOWED "websocket-method" "a WebSocket is opened with GET" "RFC 6455, section 4.2.1";
    UpgradeRequired UPGRADE_REQUIRED "websocket-upgrade-required" "this is for WebSocket clients: the request asks for no upgrade to websocket" "RFC 6455, section 4.2.1";
    InvalidVersion BAD_REQUEST "websocket-invalid-version" "Sec-WebSocket-Version is not one number" "RFC 6455, section 11.3.5";
    UnsupportedVersion UPGRADE_REQUIRED "websocket-unsupported-version" "the version of the WebSocket protocol is not 13" "RFC 6455, section 4.4";
    InvalidKey BAD_REQUEST "websocket-invalid-key" "Sec-WebSocket-Key is not one value of 16 bytes in base64" "RFC 6455, section 11.3.1";
    InvalidProtocols BAD_REQUEST "websocket-invalid-protocols" "Sec-WebSocket-Protocol is no list of tokens that differ" "RFC 6455, section 11.3.4";
    InvalidExtensions BAD_REQUEST "websocket-invalid-extensions" "Sec-WebSocket-Extensions is no list of extensions" "RFC 6455, section 9.1";
}

impl std::error::Error for HandshakeError {}

impl HandshakeError {
    /// The fields that the answer has to have: `Allow` of a 405, `Upgrade` of a 426 (RFC 9110, sections 15.5.6 and
    /// 15.5.22), and `Sec-WebSocket-Version` where it is another version that is spoken here. Who writes the connection's
    /// own fields writes `Connection: upgrade` beside `Upgrade`.
    pub fn headers(self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let fields: &[(HeaderName, &str)] = match self {
            Self::MethodNotAllowed => &[(ALLOW, "GET")],
            Self::UpgradeRequired => &[(UPGRADE, "websocket")],
            Self::UnsupportedVersion => &[(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")],
            _ => &[],
        };
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
    }
}

/// What a client offers that opens a WebSocket.
///
/// ```
/// use bakestone::ws::{Offer, OriginPolicy};
/// use http::{Method, Request, Version};
///
/// let request = Request::get("/chat")
///     .header("host", "server.example.com")
///     .header("upgrade", "websocket")
///     .header("connection", "Upgrade")
///     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .header("origin", "http://example.com")
///     .header("sec-websocket-protocol", "chat, superchat")
///     .header("sec-websocket-version", "13")
///     .body(())?;
/// let offer = Offer::check(request.method(), request.version(), request.headers())?;
/// assert_eq!(offer.accept_key(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// assert_eq!(offer.protocols().collect::<Vec<_>>(), ["chat", "superchat"]);
/// assert!(!offer.allows_origin(&OriginPolicy::Same, "http", Some("server.example.com")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Offer {
    key: Key,
    protocols: Vec<HeaderValue>,
    extensions: Vec<HeaderValue>,
    origin: OfferOrigin,
}

/// Who asks.
#[derive(Clone, Debug)]
enum OfferOrigin {
    /// No page of a browser's.
    Absent,
    Page(Origin),
    /// `null`, several, or none at all.
    Unclear,
}

impl Offer {
    /// Checks a request (RFC 6455, section 4.2.1). What it asks for, its target and its `Host`, is the caller's affair.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with the status to answer with.
    pub fn check(method: &Method, version: Version, headers: &HeaderMap) -> Result<Self, HandshakeError> {
        let asks =
            has_element(headers, &UPGRADE, "websocket") && has_element(headers, &CONNECTION, "upgrade");
        // A HEAD that asks for nothing gets what the GET would get (RFC 9110, section 9.3.2).
        if *method != Method::GET && (asks || *method != Method::HEAD) {
            return Err(HandshakeError::MethodNotAllowed);
        }
        if version != Version::HTTP_11 || !asks {
            return Err(HandshakeError::UpgradeRequired);
        }
        check_version(only(headers, &SEC_WEBSOCKET_VERSION).ok_or(HandshakeError::InvalidVersion)?)?;
        let key = only(headers, &SEC_WEBSOCKET_KEY).and_then(Key::parse);
        let offer = Self {
            key: key.ok_or(HandshakeError::InvalidKey)?,
            protocols: headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().cloned().collect(),
            extensions: headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().cloned().collect(),
            origin: OfferOrigin::read(headers),
        };
        if !offer.has_sound_protocols() {
            return Err(HandshakeError::InvalidProtocols);
        }
        extension::check(offer.extensions()).map_err(|_| HandshakeError::InvalidExtensions)?;
        Ok(offer)
    }

    /// The value of the response's `Sec-WebSocket-Accept` (RFC 6455, section 4.2.2).
    pub fn accept_key(&self) -> HeaderValue {
        self.key.accept()
    }

    /// The subprotocols that are offered, those that the client prefers first.
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.protocols.iter().filter_map(|field| field.to_str().ok()).flat_map(elements)
    }

    /// The values of `Sec-WebSocket-Extensions`, a list that is well-formed.
    pub fn extensions(&self) -> impl Iterator<Item = &[u8]> {
        self.extensions.iter().map(HeaderValue::as_bytes)
    }

    /// What is agreed for compressed messages, and the value of the response's `Sec-WebSocket-Extensions`, as
    /// [`extension::negotiate`] finds it; `None` if messages are not compressed.
    pub fn negotiate(&self, options: &DeflateOptions) -> Option<(DeflateParams, HeaderValue)> {
        extension::negotiate(self.extensions(), options).ok().flatten()
    }

    /// The page's origin; `None` if it is no page that asks, or one that does not say which.
    pub fn origin(&self) -> Option<&Origin> {
        match &self.origin {
            OfferOrigin::Page(origin) => Some(origin),
            OfferOrigin::Absent | OfferOrigin::Unclear => None,
        }
    }

    /// Whether `policy` allows it, as [`OriginPolicy::allows`] says; if not, the answer is 403 (RFC 6455, section 4.2.2).
    ///
    /// An origin that is `null`, malformed, or there more than once is allowed by [`OriginPolicy::Any`] alone.
    pub fn allows_origin(&self, policy: &OriginPolicy, scheme: &str, host: Option<&str>) -> bool {
        match &self.origin {
            OfferOrigin::Absent => true,
            OfferOrigin::Page(origin) => policy.allows(origin, scheme, host),
            OfferOrigin::Unclear => *policy == OriginPolicy::Any,
        }
    }

    fn has_sound_protocols(&self) -> bool {
        let mut seen = BTreeSet::new();
        let mut is_sound = |protocol| is_token(protocol) && seen.insert(protocol);
        let mut fields = self.protocols.iter();
        fields.all(|field| field.to_str().is_ok_and(|list| elements(list).all(&mut is_sound)))
            && (self.protocols.is_empty() || self.protocols().next().is_some())
    }
}

impl OfferOrigin {
    fn read(headers: &HeaderMap) -> Self {
        if !headers.contains_key(ORIGIN) {
            return Self::Absent;
        }
        let text = only(headers, &ORIGIN).and_then(|field| std::str::from_utf8(field).ok());
        text.and_then(Origin::parse).map_or(Self::Unclear, Self::Page)
    }
}

/// Whether one of the elements of the list `name` is `wanted`, in any case.
pub(super) fn has_element(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let mut lists = headers.get_all(name).iter().filter_map(|field| field.to_str().ok());
    lists.any(|list| elements(list).any(|element| element.eq_ignore_ascii_case(wanted)))
}

/// The value of the field `name`, which is there once.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut fields = headers.get_all(name).iter();
    fields.next().filter(|_| fields.next().is_none()).map(HeaderValue::as_bytes)
}

/// The elements of a list; empty ones are none (RFC 9110, section 5.6.1.2).
fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|element| element.trim_matches(OWS)).filter(|element| !element.is_empty())
}

/// A number from 0 to 255 without leading zeros, of which 13 is spoken here.
fn check_version(field: &[u8]) -> Result<(), HandshakeError> {
    let text = std::str::from_utf8(field).unwrap_or_default();
    let is_plain = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    match text.parse::<u8>() {
        Ok(13) if is_plain => Ok(()),
        Ok(_) if is_plain => Err(HandshakeError::UnsupportedVersion),
        _ => Err(HandshakeError::InvalidVersion),
    }
}
