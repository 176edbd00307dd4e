//! Extensions of a connection, of which one is known here: `permessage-deflate`, which compresses messages.
//!
//! The rule: what is agreed is what stands in the response's field, and no end promises what it cannot keep. An offer
//! that is not understood to its last parameter is declined, alone; a field that is no list is refused.
//!
//! ```text
//! extension-list = 1#( extension-token *( ";" extension-param ) )                  RFC 6455, section 9.1
//! extension-param = token [ "=" ( token / quoted-string ) ]      ; a quoted-string that holds a token
//!
//! "server_no_context_takeover"                                                     RFC 7692, section 7.1.1.1
//! "client_no_context_takeover"                                                     RFC 7692, section 7.1.1.2
//! "server_max_window_bits" "=" window-bits                                         RFC 7692, section 7.1.2.1
//! "client_max_window_bits" [ "=" window-bits ]   ; without a value in an offer alone    RFC 7692, section 7.1.2.2
//! window-bits    = "8" / "9" / "10" / "11" / "12" / "13" / "14" / "15"
//! ```

use std::borrow::Cow;
use std::fmt;

use ::http::HeaderValue;

use crate::http::parameters::{OWS, is_token, quoted_string};

/// The extension's name (RFC 7692, section 7).
const NAME: &str = "permessage-deflate";

/// The window that is meant where none is named, as the power of 2 that it is in bytes.
const MOST_BITS: u8 = 15;

/// The smallest window that this end compresses with. The protocol has one of 2<sup>8</sup> bytes too, which zlib reads
/// and does not write.
const LEAST_BITS: u8 = 9;

/// How hard is tried where nothing else is said.
pub(super) const LEVEL: u8 = 3;

/// Why a `Sec-WebSocket-Extensions` field is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionError {
    /// It is no list of extensions (RFC 6455, section 9.1).
    Malformed,
    /// A response names an extension that was not offered, or two (RFC 6455, section 4.1).
    NotOffered,
    /// A response has parameters that are no answer to what was offered (RFC 7692, sections 5.1 and 7.1), or asks for a
    /// window that this end cannot compress with.
    Unacceptable,
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "Sec-WebSocket-Extensions is no list of extensions",
            Self::NotOffered => "the server uses an extension that was not offered",
            Self::Unacceptable => {
                "the server answers the offer of permessage-deflate with what was not offered"
            }
        })
    }
}

impl std::error::Error for ExtensionError {}

/// What both ends have agreed on for compressed messages (RFC 7692, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeflateParams {
    /// The server compresses each message without the ones before it.
    pub server_no_context_takeover: bool,
    /// The client does.
    pub client_no_context_takeover: bool,
    /// The server's window is of no more than 2 to the power of this many bytes: 9 to 15.
    pub server_max_window_bits: u8,
    /// The client's window: 8 to 15 where the client is the peer, else 9 to 15.
    pub client_max_window_bits: u8,
}

impl Default for DeflateParams {
    /// What an answer without parameters says: context takeover, and windows of 32 KiB.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: MOST_BITS,
            client_max_window_bits: MOST_BITS,
        }
    }
}

/// What this end wants of compressed messages.
///
/// A connection that keeps its context keeps about 47 KiB to inflate, and about 370 KiB to deflate with a window of
/// 15 bits. By default none is kept: messages that are alike compress less well, and a connection that is idle costs
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeflateOptions {
    /// Whether messages may be compressed at all. By default they may; without the feature `permessage-deflate` they are
    /// not in any case.
    pub enabled: bool,
    /// The server is to compress each message without the ones before it. By default it does; a client that asks for it
    /// gets it in any case.
    pub server_no_context_takeover: bool,
    /// The client is to. By default it does; a server need not be asked to say so (RFC 7692, section 7.1.1.2).
    pub client_no_context_takeover: bool,
    /// The server's window is to be of no more than 2 to the power of this many bytes, from 9 to 15, the default; what is
    /// outside is taken for the nearest. The smaller, the less memory it takes, and the less is found in it.
    pub server_max_window_bits: u8,
    /// The client's window, likewise. A server can ask for it only where the client offers to be asked.
    pub client_max_window_bits: u8,
    /// How hard this end tries: 1 is fast, 9 compresses most. 3.
    pub level: u8,
}

impl Default for DeflateOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: MOST_BITS,
            client_max_window_bits: MOST_BITS,
            level: LEVEL,
        }
    }
}

impl DeflateOptions {
    fn is_enabled(&self) -> bool {
        self.enabled && cfg!(feature = "permessage-deflate")
    }

    fn server_bits(&self) -> u8 {
        self.server_max_window_bits.clamp(LEAST_BITS, MOST_BITS)
    }

    fn client_bits(&self) -> u8 {
        self.client_max_window_bits.clamp(LEAST_BITS, MOST_BITS)
    }
}

/// A server's answer to a client's offers, which are the values of the request's `Sec-WebSocket-Extensions`: what is
/// agreed, and the response's field. The first offer that this end can keep is accepted; `None` if there is none, or
/// nothing is offered that is known here (RFC 7692, section 5.1).
///
/// An offer with `server_max_window_bits=8` is declined: zlib does not compress with such a window. A client may name any
/// window for itself, since this end reads with the largest.
///
/// ```
/// use bakestone::ws::extension::{DeflateOptions, negotiate};
///
/// let offers: [&[u8]; 1] = [b"permessage-deflate; client_max_window_bits"];
/// let (agreed, answer) = negotiate(offers, &DeflateOptions::default())?.ok_or("declined")?;
/// assert_eq!(answer, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
/// assert_eq!(agreed.client_max_window_bits, 15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ExtensionError::Malformed`], which a server answers with 400.
pub fn negotiate<'a>(
    offers: impl IntoIterator<Item = &'a [u8]>,
    options: &DeflateOptions,
) -> Result<Option<(DeflateParams, HeaderValue)>, ExtensionError> {
    let mut accepted = None;
    for field in offers {
        // What is behind the offer that is accepted has to be well-formed too.
        for extension in Extensions::new(field)? {
            let extension = extension?;
            accepted = accepted.or_else(|| Parameters::read(&extension)?.answer(options));
        }
    }
    Ok(accepted)
}

/// Whether the values of a request's `Sec-WebSocket-Extensions` are a list of extensions.
pub(super) fn check<'a>(mut fields: impl Iterator<Item = &'a [u8]>) -> Result<(), ExtensionError> {
    fields.try_for_each(|field| Extensions::new(field)?.try_for_each(|extension| extension.map(drop)))
}

/// A client's offer, as the value of `Sec-WebSocket-Extensions`; `None` if nothing is wanted.
///
/// It says that the client can be asked for a smaller window (RFC 7692, section 7.1.2.2).
///
/// ```
/// use bakestone::ws::extension::{DeflateOptions, offer};
///
/// let mut options = DeflateOptions::default();
/// options.server_no_context_takeover = false;
/// let offer = offer(&options).ok_or("nothing is wanted")?;
/// assert_eq!(offer, "permessage-deflate; client_no_context_takeover; client_max_window_bits");
/// # Ok::<(), &str>(())
/// ```
pub fn offer(options: &DeflateOptions) -> Option<HeaderValue> {
    let parameters = Parameters {
        server_no_context_takeover: options.server_no_context_takeover,
        client_no_context_takeover: options.client_no_context_takeover,
        server_max_window_bits: Some(options.server_bits()).filter(|bits| *bits < MOST_BITS),
        client_max_window_bits: Some(Some(options.client_bits()).filter(|bits| *bits < MOST_BITS)),
    };
    options.is_enabled().then(|| parameters.value()).flatten()
}

/// What a server has made of a client's [`offer`], by the values of the response's `Sec-WebSocket-Extensions`; `None` if
/// it has declined it.
///
/// # Errors
///
/// A client fails the connection at each of them (RFC 6455, section 4.1; RFC 7692, section 5.1).
pub fn accept<'a>(
    answers: impl IntoIterator<Item = &'a [u8]>,
    offered: &DeflateOptions,
) -> Result<Option<DeflateParams>, ExtensionError> {
    let mut accepted = None;
    for field in answers {
        for extension in Extensions::new(field)? {
            let extension = extension?;
            if extension.name != NAME || !offered.is_enabled() || accepted.is_some() {
                return Err(ExtensionError::NotOffered);
            }
            let answer = Parameters::read(&extension).and_then(|answer| answer.agreed(offered));
            accepted = Some(answer.ok_or(ExtensionError::Unacceptable)?);
        }
    }
    Ok(accepted)
}

/// The parameters of one offer, or of one answer.
#[derive(Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// In an offer it may be there without a value.
    client_max_window_bits: Option<Option<u8>>,
}

impl Parameters {
    /// `None` if it is another extension, or a parameter is unknown, repeated, or has a value that it cannot have
    /// (RFC 7692, section 7.1).
    fn read(extension: &Extension<'_>) -> Option<Self> {
        if extension.name != NAME {
            return None;
        }
        let mut read = Self::default();
        for (name, value) in extension.parameters() {
            let value = value.as_deref();
            let is_repeated = match name {
                "server_no_context_takeover" if value.is_none() => {
                    std::mem::replace(&mut read.server_no_context_takeover, true)
                }
                "client_no_context_takeover" if value.is_none() => {
                    std::mem::replace(&mut read.client_no_context_takeover, true)
                }
                "server_max_window_bits" => {
                    read.server_max_window_bits.replace(window_bits(value?)?).is_some()
                }
                "client_max_window_bits" => {
                    let bits = value.map(|value| window_bits(value).ok_or(())).transpose().ok()?;
                    read.client_max_window_bits.replace(bits).is_some()
                }
                _ => return None,
            };
            if is_repeated {
                return None;
            }
        }
        Some(read)
    }

    /// A server's answer to this offer; `None` to decline it.
    fn answer(&self, options: &DeflateOptions) -> Option<(DeflateParams, HeaderValue)> {
        let server_bits = self.server_max_window_bits.unwrap_or(MOST_BITS).min(options.server_bits());
        if !options.is_enabled() || server_bits < LEAST_BITS {
            return None;
        }
        // A window that was named has to be answered, one that was not may be named.
        let names_server_bits = self.server_max_window_bits.is_some() || server_bits < MOST_BITS;
        let client_bits = self.client_max_window_bits.filter(|_| options.client_bits() < MOST_BITS);
        let answer = Self {
            server_no_context_takeover: self.server_no_context_takeover || options.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover || options.client_no_context_takeover,
            server_max_window_bits: names_server_bits.then_some(server_bits),
            client_max_window_bits: client_bits
                .map(|offered| Some(offered.unwrap_or(MOST_BITS).min(options.client_bits()))),
        };
        Some((answer.params(), answer.value()?))
    }

    /// What this answer of a server's agrees to; `None` if it is none to what was offered.
    fn agreed(&self, offered: &DeflateOptions) -> Option<DeflateParams> {
        let server_bits = offered.server_bits();
        let keeps_server_bits = match self.server_max_window_bits {
            Some(bits) => bits <= server_bits,
            None => server_bits == MOST_BITS,
        };
        let client_bits = match self.client_max_window_bits {
            Some(bits) => bits.filter(|bits| (LEAST_BITS..=offered.client_bits()).contains(bits))?,
            // What was offered holds without an answer too.
            None => offered.client_bits(),
        };
        let keeps_takeover = self.server_no_context_takeover || !offered.server_no_context_takeover;
        (keeps_server_bits && keeps_takeover).then(|| DeflateParams {
            client_no_context_takeover: self.client_no_context_takeover || offered.client_no_context_takeover,
            client_max_window_bits: client_bits,
            ..self.params()
        })
    }

    fn params(&self) -> DeflateParams {
        DeflateParams {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.unwrap_or(MOST_BITS),
            client_max_window_bits: self.client_max_window_bits.flatten().unwrap_or(MOST_BITS),
        }
    }

    /// As a field's value; there always is one, since numbers and names are no text that a field cannot hold.
    fn value(&self) -> Option<HeaderValue> {
        let mut text = NAME.to_owned();
        let mut push = |name: &str, bits: Option<u8>| {
            text.push_str("; ");
            text.push_str(name);
            if let Some(bits) = bits {
                text.push_str(&format!("={bits}"));
            }
        };
        if self.server_no_context_takeover {
            push("server_no_context_takeover", None);
        }
        if self.client_no_context_takeover {
            push("client_no_context_takeover", None);
        }
        if self.server_max_window_bits.is_some() {
            push("server_max_window_bits", self.server_max_window_bits);
        }
        if let Some(bits) = self.client_max_window_bits {
            push("client_max_window_bits", bits);
        }
        HeaderValue::try_from(text).ok()
    }
}

/// A window, without leading zeros.
fn window_bits(text: &str) -> Option<u8> {
    let bits = text.parse().ok().filter(|bits| (8..=MOST_BITS).contains(bits));
    bits.filter(|_| text.starts_with(|first: char| matches!(first, '1'..='9')))
}

/// One extension of a list, which is well-formed.
struct Extension<'a> {
    name: &'a str,
    /// From the first `;` on.
    parameters: &'a str,
}

impl<'a> Extension<'a> {
    /// The first extension of `text`, and what is behind it from its `,` on; `None` if it is malformed.
    fn first(text: &'a str) -> Option<(Self, &'a str)> {
        let (name, parameters) = token_before(text, &[';', ','])?;
        let mut rest = parameters;
        while let Some(text) = rest.strip_prefix(';') {
            (_, rest) = parameter(text)?;
        }
        let parameters = &parameters[..parameters.len() - rest.len()];
        Some((Self { name, parameters }, rest))
    }

    fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> {
        let mut rest = self.parameters;
        std::iter::from_fn(move || {
            let (first, after) = parameter(rest.strip_prefix(';')?)?;
            rest = after;
            Some(first)
        })
    }
}

/// The extensions of one field's value, in which there is one; that which is malformed is an error, and the last.
struct Extensions<'a>(&'a str);

impl<'a> Extensions<'a> {
    fn new(field: &'a [u8]) -> Result<Self, ExtensionError> {
        let text = std::str::from_utf8(field).map(skip_empty).unwrap_or_default();
        if text.is_empty() { Err(ExtensionError::Malformed) } else { Ok(Self(text)) }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<Extension<'a>, ExtensionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = skip_empty(std::mem::take(&mut self.0));
        if text.is_empty() {
            return None;
        }
        let first = Extension::first(text).map(|(extension, rest)| {
            self.0 = rest;
            extension
        });
        Some(first.ok_or(ExtensionError::Malformed))
    }
}

/// Without the elements that are empty (RFC 9110, section 5.6.1.2).
fn skip_empty(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', ','])
}

/// A parameter's name, and its value if it has one.
type Parameter<'a> = (&'a str, Option<Cow<'a, str>>);

/// The first parameter of `text`, and what is behind it from its `;` or `,` on; `None` if it is malformed.
fn parameter(text: &str) -> Option<(Parameter<'_>, &str)> {
    let (name, rest) = token_before(text, &['=', ';', ','])?;
    let Some(text) = rest.strip_prefix('=') else { return Some(((name, None), rest)) };
    let (value, rest) = value(text.trim_start_matches(OWS))?;
    Some(((name, Some(value)), rest))
}

/// A token, and what is behind it from one of `ends` on, if anything is.
fn token_before<'a>(text: &'a str, ends: &[char]) -> Option<(&'a str, &'a str)> {
    let (token, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    Some((Some(token.trim_matches(OWS)).filter(|token| is_token(token))?, rest))
}

/// A parameter's value, and what is behind it from its `;` or `,` on.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token_before(text, &[';', ',']).map(|(value, rest)| (value.into(), rest));
    };
    let (value, rest) = quoted_string(quoted);
    let rest = rest.trim_start_matches(OWS);
    let is_end = rest.is_empty() || rest.starts_with([';', ',']);
    Some((value.filter(|value| is_end && is_token(value))?, rest))
}
